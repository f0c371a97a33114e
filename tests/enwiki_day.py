"""A day of English Wikipedia's recent changes, invented to measure what is measured of the real one.

What is known, and from where:

- 147,500 edits a day by people (4,486,590 a month in 2025: phabricator.wikimedia.org/T374698).
- 6,571 reverts a day within 24 hours, 5.4 % of them by ClueBot NG (July 2020 to June 2023:
  wikimedia-research/mod-tools-FY24, T341857). One revert in five undoes more than one edit (Wikimedia's
  "Edit and Revert Trends" of several projects), so some 8,900 edits, 6 % of them, are undone.
- Vandalism stands for minutes: the median was 2.8 for a mass deletion (Viégas et al. 2004, "Studying
  cooperation and conflict between authors with history flow visualizations"), with a long tail.
- A performer is blocked after about four warnings (Wikipedia:Vandalism).
- Activity by the hour has one low, early in the morning of the Americas (Yasseri, Sumi, Kertész 2012,
  "Circadian patterns of Wikipedia editorial activity").
- Conflicts are fought by few: mostly two editors (Yasseri et al. 2012, "Dynamics of conflicts").

What is assumed, as nobody publishes it, and rather more than less: the share of temporary accounts (one
edit in six), how many edits a vandal makes (a power law, one in 70 makes 15), that 15 % of reverts don't
say so in their summary, edit wars (150 a day, one in 50 with eight editors or more), people who edit
semi-automatically (40 at once, up to ten edits a minute), and bursts that nobody sees for hours
(`UNSEEN_BURSTS`): these are what a page is for.
"""

from __future__ import annotations

import json
import math
import random
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

#: 6 January 2026, a Tuesday.
START = 1_767_657_600
DAY_S = 86_400
EDITS = 147_500
REVERTED_SHARE = 0.06
UNSEEN_BURSTS = 2
EDIT_WARS = 150
MASS_EDITORS = 40
PATROLLERS = 400
UNDONE_AFTER_S = 240.0
"""Median: half is undone in four minutes, a tenth stands for more than 45."""

#: Of edits that are undone, how many alert, and how many of those as warnings: of the articles that the
#: model did not learn from, Lincoln has 0.66 and 0.7 (replay of its history).
RECALL = 0.66
SEVERE_SHARE = 0.7
#: Of edits that stand, how many alert: the model's budgets, where one edit in ten changes a value in
#: place (`models/situations.py`: 0.1 * 15 % + 0.9 * 2 %). Of those a quarter are warnings (Lincoln 0.24,
#: Anarchism 0.10).
FALSE_SHARE = 0.033
FALSE_SEVERE_SHARE = 0.24
#: Sigma of its logarithm between performers: one in fifty is misjudged four times as often.
FALSE_SPREAD = 1.0
THRESHOLD = 0.5

#: Edits in each hour UTC, against the mean.
_HOURS = (
    *(0.95, 0.92, 0.90, 0.86, 0.80, 0.74, 0.70, 0.72, 0.78, 0.86, 0.94, 1.00),
    *(1.06, 1.12, 1.20, 1.24, 1.26, 1.26, 1.24, 1.20, 1.16, 1.10, 1.04, 0.95),
)
_GOOD_COMMENTS = (
    "/* Career */ updated with the new season",
    "/* History */ copyedit",
    "Added reference",
    "fix [[MOS:DATE|date format]]",
    "/* Early life */",
    "ce",
    "adding more details from the source",
    "Adding [[Wikipedia:Short description|short description]]",
    "/* References */ repair dead link",
    "",
)
_BAD_COMMENTS = ("", "", "", "/* Career */", "/* Early life */", "Fixed typo", "true")


class Planned(msgspec.Struct):
    """An edit that will be made. `undoes` is one made before it."""

    when: float
    performer: str
    page: int
    change: int
    comment: str
    minor: bool = False
    bad: bool = False
    undoes: Planned | None = None
    says_so: bool = True
    rollback: bool = False
    rev_id: int = 0
    parent_id: int = 0


class EnwikiDay:
    """Plans the day; `lines` are its events in order. The same seed gives the same day."""

    def __init__(self, seed: int = 1, *, edits: int = EDITS, unseen_bursts: int = UNSEEN_BURSTS) -> None:
        self._seed = seed
        self._rng = random.Random(seed)
        self._share = edits / EDITS
        self._planned: list[Planned] = []
        self._vandalism()
        self._unseen(unseen_bursts)
        self._wars()
        self._mass_edits()
        while len(self._planned) < edits:
            self._good()

    def lines(self) -> Iterator[bytes]:
        last: dict[int, tuple[int, int]] = {}
        rev_id = 1_330_000_000
        rng = self._rng
        for number, edit in enumerate(sorted(self._planned, key=lambda edit: edit.when)):
            rev_id += rng.randint(1, 4)
            parent, length = last.get(edit.page, (rev_id - 40_000_000, 900 + 53 * (edit.page % 997)))
            new_length = max(0, length + edit.change)
            edit.rev_id, edit.parent_id = rev_id, parent
            last[edit.page] = (rev_id, new_length)
            yield _line(edit, number, length, new_length)

    def risks(self) -> dict[int, float]:
        """What a model that has seen the texts may have said, by rev_id: drawn at the rates above, for a
        threshold of `THRESHOLD`. Known once `lines` are told. Who edits alike is misjudged alike."""
        rng = random.Random(self._seed)
        spread = math.exp(0.5 * FALSE_SPREAD**2)
        rate_of: dict[str, float] = {}
        risks: dict[int, float] = {}
        for edit in self._planned:
            rate, severe = RECALL, SEVERE_SHARE
            if not edit.bad:
                rate = rate_of.get(edit.performer, 0.0) or FALSE_SHARE * (
                    rng.lognormvariate(0.0, FALSE_SPREAD) / spread
                )
                rate_of[edit.performer], severe = rate, FALSE_SEVERE_SHARE
            if edit.undoes is None and rng.random() < rate:
                risks[edit.rev_id] = 0.9 if rng.random() < severe else 0.6
        return risks

    def _moment(self) -> float:
        hour = self._rng.choices(range(24), _HOURS)[0]
        return START + (hour + self._rng.random()) * 3_600.0

    def _page(self) -> int:
        """Four in ten edits go to the 20,000 pages that are edited most, by Zipf's law."""
        rng = self._rng
        hot = rng.random() < 0.4
        return int(20_000 ** rng.random()) if hot else rng.randrange(20_000, 7_000_000)

    def _temporary(self) -> str:
        rng = self._rng
        return f"~2026-{rng.randrange(10_000, 99_999)}-{rng.randrange(10, 99)}"

    def _good(self) -> None:
        """Edits in a row of somebody who means well."""
        rng = self._rng
        temporary = rng.random() < 0.17
        name = self._temporary() if temporary else f"Editor {int(60_000 ** rng.uniform(0.35, 1.0))}"
        when, page = self._moment(), self._page()
        for _ in range(min(30, int(rng.paretovariate(1.2)))):
            change = int(rng.gauss(0, 1) * 10 ** rng.uniform(0, 3))
            comment = rng.choice(_GOOD_COMMENTS)
            self._add(Planned(when, name, page, change, comment, minor=rng.random() < 0.25))
            when += rng.uniform(30, 900)
            page = page if rng.random() < 0.6 else self._page()

    def _vandalism(self) -> None:
        """People whose edits are undone, most of them new. They stop when they are blocked."""
        rng = self._rng
        wanted = int(EDITS * REVERTED_SHARE * self._share)
        made = 0
        while made < wanted:
            name = self._temporary() if rng.random() < 0.6 else f"New account {rng.randrange(10**7)}"
            when, page = self._moment(), self._page()
            seen, blocked = [], math.inf
            for _ in range(min(80, int(rng.paretovariate(1.55)))):
                if when > blocked:
                    break
                edit = self._bad(when, name, page)
                undone = when + rng.lognormvariate(math.log(UNDONE_AFTER_S), 1.9)
                self._undo(edit, undone)
                seen = sorted([*seen, undone])
                if len(seen) >= 4:
                    blocked = seen[3] + rng.expovariate(1 / 600.0)
                made += 1
                when += rng.uniform(30, 240)
                page = page if rng.random() < 0.45 else self._page()

    def _unseen(self, bursts: int) -> None:
        rng = self._rng
        for number in range(bursts):
            when = self._moment()
            for _ in range(rng.randint(25, 50)):
                edit = self._bad(when, f"~2026-777{number:02}-1", self._page())
                self._undo(edit, when + rng.uniform(2, 12) * 3_600.0)
                when += rng.uniform(20, 90)

    def _wars(self) -> None:
        """Two sides undo one another in turn, whoever of a side is there."""
        rng = self._rng
        for number in range(int(EDIT_WARS * self._share)):
            people = 2 + min(10, int(rng.paretovariate(1.9)) - 1)
            sides = [
                [f"War {number} party {name}" for name in range(side, people, 2)] for side in (0, 1)
            ]
            page, when = self._page(), self._moment()
            before = Planned(when, rng.choice(sides[0]), page, rng.randint(-500, 500), "per sources")
            self._add(before)
            for turn in range(1, people + min(40, int(2 * rng.paretovariate(1.3)))):
                when += rng.expovariate(1 / 1_500.0)
                name = rng.choice(sides[turn % 2])
                undo = Planned(when, name, page, -before.change, "", undoes=before)
                self._add(undo)
                before = undo

    def _mass_edits(self) -> None:
        """Semi-automatic, under an account without the bot flag."""
        rng = self._rng
        for number in range(int(MASS_EDITORS * self._share)):
            when = self._moment()
            for _ in range(rng.randint(50, 500)):
                page = rng.randrange(20_000, 7_000_000)
                comment = "clean up, [[WP:AWB/T|typo(s) fixed]]: a → b"
                self._add(Planned(when, f"Mass editor {number}", page, rng.randint(-60, 60), comment))
                when += rng.uniform(5, 20)

    def _bad(self, when: float, name: str, page: int) -> Planned:
        rng = self._rng
        change = rng.choice((-8_000, -900, -60, -4, 0, 3, 12, 40, 90, 400))
        edit = Planned(when, name, page, change, rng.choice(_BAD_COMMENTS), bad=True)
        self._add(edit)
        return edit

    def _undo(self, edit: Planned, when: float) -> None:
        rng = self._rng
        name = "ClueBot NG" if rng.random() < 0.054 else f"Patroller {int(PATROLLERS ** rng.random())}"
        undo = Planned(when, name, edit.page, -edit.change, "rm", undoes=edit)
        undo.says_so, undo.rollback = rng.random() < 0.85, rng.random() < 0.7
        self._add(undo)

    def _add(self, edit: Planned) -> None:
        if edit.when < START + DAY_S:
            self._planned.append(edit)


def _line(edit: Planned, number: int, old_length: int, new_length: int) -> bytes:
    comment, undone = edit.comment, edit.undoes
    if undone is not None and edit.says_so:
        whose = undone.performer
        link = f"[[Special:Contributions/{whose}|{whose}]] ([[User talk:{whose}|talk]])"
        comment = (
            f"Reverted edits by {link} to last version by Somebody"
            if edit.rollback
            else f"Undid revision {undone.rev_id} by {link}"
        )
    title = f"Article {edit.page}"
    body = {
        "$schema": "/mediawiki/recentchange/1.0.0",
        "meta": {
            "id": f"00000000-0000-4000-8000-{number:012x}",
            "domain": "en.wikipedia.org",
            "stream": "mediawiki.recentchange",
            "dt": datetime.fromtimestamp(edit.when + 1, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        },
        "type": "edit",
        "namespace": 0,
        "title": title,
        "comment": comment,
        "timestamp": int(edit.when),
        "user": edit.performer,
        "bot": False,
        "minor": edit.minor,
        "length": {"old": old_length, "new": new_length},
        "revision": {"old": edit.parent_id, "new": edit.rev_id},
        "server_url": "https://en.wikipedia.org",
        "server_name": "en.wikipedia.org",
        "server_script_path": "/w",
        "wiki": "enwiki",
    }
    return json.dumps(body).encode()


if __name__ == "__main__":
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    sys.stdout.buffer.writelines(line + b"\n" for line in EnwikiDay(seed).lines())
