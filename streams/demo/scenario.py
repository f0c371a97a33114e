"""What happens on the demo's wikis, second by second. Read it as a story, top to bottom.

Vandalism is always undone in the end, so that the story can be told again and again.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import msgspec

from streams.demo.articles import (
    ACCIDENT,
    CONTESTED,
    DATA_WIKI,
    DEMO_WIKI,
    DOUBTED,
    HOSTILE_TITLE,
    ITEM,
    QUIET_TITLES,
    SETTLED,
)

# Who is who. Addresses are of the ranges kept for documentation.
MARIT, TEODOR, SUSAN, HEDDA = "Marit Oslund", "Teodor Brask", "Susan Quill", "Hedda Fern"
ADMIN = "Aldous Reef"
BOT = "CiteTidyBot"
SAFE, DOUBTER = "Concrete Facts", "Riverwatcher"
SWAPPER = "Historyfan88"
GRAFFITI_IP, ITEM_IP = "203.0.113.21", "2001:db8:4::1f"
BLANKER, LEAKER = "~2026-40817-33", "~2026-41002-57"
BOTS = frozenset({BOT})


class Step(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Something done at `at_s` seconds of the story, on one page, by somebody."""

    at_s: float
    title: str
    by: str
    wiki: str = DEMO_WIKI
    comment: str = ""


class Replace(Step, frozen=True, kw_only=True, tag=True):
    """`old` becomes `new` wherever it stands. Where it stands nowhere, nothing happens."""

    old: str
    new: str
    hidden: bool = False
    """Text, user and comment of the revision are suppressed at once."""
    minor: bool = False


class Write(Step, frozen=True, kw_only=True, tag=True):
    """The page's whole text becomes `text`."""

    text: str


class Rollback(Step, frozen=True, kw_only=True, tag=True):
    """Takes back all edits of whoever edited last."""


class Undo(Step, frozen=True, kw_only=True, tag=True):
    """Takes back the last edit."""


class Protect(Step, frozen=True, kw_only=True, tag=True):
    """Only administrators may edit for a day."""


class Move(Step, frozen=True, kw_only=True, tag=True):
    to: str


AnyStep = Replace | Write | Rollback | Undo | Protect | Move

_LEAK = "The cannery, opened in 1904, employed 640 people when it closed in 1991."
_DISPUTED = "== Safety ==\n{{Disputed|date=November 2026}}\n"

STORY: tuple[AnyStep, ...] = (
    # A good edit, so that not all is bad; then graffiti, seen in a minute by anybody.
    Replace(
        at_s=0.8, title="Lake Orrin", by=HEDDA, comment="/* Wildlife */ linked",
        old="Char and whitefish live", new="[[Char]] and whitefish live",
    ),
    Write(
        at_s=2.0, title="Lake Orrin", by=GRAFFITI_IP, comment="",
        text="LAKE ORRIN SUCKS!!!!! JAKE WAS HERE HAHAHAHA this lake is stupid and smells like poop lol",
    ),
    Rollback(at_s=9.0, title="Lake Orrin", by=MARIT),
    # The same address again, with more cunning: a birth year, in one place only. Undone after 40 s.
    Replace(
        at_s=13.0, title="Mira Valdane", by=GRAFFITI_IP, comment="",
        old="(born 14 March 1931)", new="(born 14 March 1971)",
    ),
    Rollback(at_s=53.0, title="Mira Valdane", by=TEODOR),
    # A town grows tenfold, by the same hand.
    Replace(
        at_s=17.0, title="Port Selwyn", by=GRAFFITI_IP, comment="",
        old="it had 48,210 inhabitants", new="it had 482,100 inhabitants",
    ),
    Rollback(at_s=50.0, title="Port Selwyn", by=MARIT),
    # Good work between.
    Replace(
        at_s=13.0, title="Kestrel Line", by=SUSAN, comment="/* Operation */ figure of 2025, sourced",
        old="In 2024 the line carried 3.1 million passengers.",
        new="In 2024 the line carried 3.1 million passengers, and 3.2 million in 2025.<ref>{{cite "
        "report |title=Dray Railways, annual report |year=2025 |page=12}}</ref>",
    ),
    # A plausible false name: no bad word, no odd number. Found out after two minutes.
    Replace(
        at_s=16.0, title="Teska Prize", by=SWAPPER, comment="corrected name",
        old="1976: Ilse Korhan,", new="1976: Ilse Brandt,",
    ),
    Undo(at_s=136.0, title="Teska Prize", by=HEDDA, comment="the source says Korhan"),
    # Somebody would rather not read of the accident.
    Replace(at_s=20.0, title="Kestrel Line", by=BLANKER, comment="", old=ACCIDENT, new=""),
    Undo(at_s=28.0, title="Kestrel Line", by=TEODOR, comment="unexplained removal"),
    Replace(
        at_s=24.0, title=HOSTILE_TITLE, by=SUSAN, comment="/* Variants */ linked",
        old="Some testers use pictures", new="Some [[Software testing|testers]] use pictures",
    ),
    # The first address again, on a page whose very title is an attack on whoever shows it unescaped.
    Write(
        at_s=32.0, title=HOSTILE_TITLE, by=GRAFFITI_IP, comment="",
        text="<img src=x onerror=alert(2)> THIS PAGE SUCKS!!!!! JAKE AGAIN HAHAHAHA you are stupid and "
        "smell like poop lol",
    ),
    Rollback(at_s=74.0, title=HOSTILE_TITLE, by=MARIT),
    # The same birth date on Wikidata, from where many others take it.
    Replace(
        at_s=55.0, wiki=DATA_WIKI, title=ITEM, by=ITEM_IP,
        comment="/* wbsetclaim-update:2||1 */ [[Property:P569]]: 14 March 1871",
        old="+1931-03-14T", new="+1871-03-14T",
    ),
    Undo(at_s=95.0, wiki=DATA_WIKI, title=ITEM, by=SUSAN),
    # Two people who know what they think of a dam.
    Replace(
        at_s=60.0, title="Dray Dam", by=DOUBTER, comment="/* Safety */ per the 1972 inspection",
        old=CONTESTED, new=DOUBTED,
    ),
    Replace(  # in the second telling and after, the page says what was agreed in the one before
        at_s=60.0, title="Dray Dam", by=DOUBTER, comment="/* Safety */ per the 1972 inspection",
        old=SETTLED, new=DOUBTED,
    ),
    Undo(at_s=67.0, title="Dray Dam", by=SAFE, comment="the inspection says no such thing"),
    Undo(at_s=75.0, title="Dray Dam", by=DOUBTER, comment="read page 4"),
    Undo(at_s=82.0, title="Dray Dam", by=SAFE, comment="I have. Stop."),
    Undo(at_s=90.0, title="Dray Dam", by=DOUBTER, comment="see talk"),
    Undo(at_s=97.0, title="Dray Dam", by=SAFE, comment="no consensus"),
    Undo(at_s=104.0, title="Dray Dam", by=DOUBTER, comment="sourced"),
    Replace(
        at_s=110.0, title="Dray Dam", by=HEDDA, comment="/* Safety */ tagged; please use the talk page",
        old="== Safety ==\n", new=_DISPUTED,
    ),
    Protect(at_s=116.0, title="Dray Dam", by=ADMIN, comment="[[Wikipedia:Edit warring|Edit war]]"),
    Replace(
        at_s=158.0, title="Dray Dam", by=ADMIN, comment="/* Safety */ wording agreed on the talk page",
        old=_DISPUTED + DOUBTED, new="== Safety ==\n" + SETTLED,
    ),
    # Something that nobody may read any more: its text never reaches us.
    Replace(
        at_s=120.0, title="Port Selwyn", by=LEAKER, comment="(an address was here)",
        old=_LEAK, new=_LEAK + " (A private address was here.)", hidden=True,
    ),
    Rollback(at_s=124.0, title="Port Selwyn", by=ADMIN),
    # A page gets another name, and keeps its history.
    Move(
        at_s=130.0, title="Kestrel Line", by=SUSAN, comment="its name since 1990", to="Kestrel Railway"
    ),
    Move(
        at_s=166.0, title="Kestrel Railway", by=SUSAN, comment="per talk", to="Kestrel Line"
    ),
)  # fmt: skip
"""A step names its second; their order here is the story's."""
STORY_S = 180.0
PAUSE_S = 120.0
"""Quiet after the story, before it is told again."""
QUIET_EVERY_S = 2.5
CANARY_EVERY_S = 60.0

_MONTHS = ("May", "June", "July", "August", "September", "October")
_LINKS = ("Dray Dam", "Port Selwyn", "Lake Orrin", "Teska Prize", "Hallen Bridge", "Kestrel Line")


def quiet_edits() -> Iterator[Replace]:
    """Good edits without end, that leave a page no longer than it was: dates of templates and of
    sources, links under "See also". Each names what it finds by trying: see `Replace`."""
    gnomes = (SUSAN, BOT, HEDDA, TEODOR, MARIT)
    for number in count():
        title = QUIET_TITLES[number % len(QUIET_TITLES)]
        by = gnomes[number % len(gnomes)]
        turn = number // len(QUIET_TITLES)
        here, there = turn // 3 % len(_MONTHS), (turn // 3 + 1) % len(_MONTHS)
        at_s = number * QUIET_EVERY_S
        if turn % 3 == 0:
            yield Replace(
                at_s=at_s, title=title, by=by, comment="dates", minor=True,
                old=f"{{{{Use dmy dates|date={_MONTHS[here]} 2026}}}}",
                new=f"{{{{Use dmy dates|date={_MONTHS[there]} 2026}}}}",
            )  # fmt: skip
        elif turn % 3 == 1:
            yield Replace(
                at_s=at_s, title=title, by=by, comment="checked the source",
                old=f"|access-date=3 {_MONTHS[here]} 2026", new=f"|access-date=3 {_MONTHS[there]} 2026",
            )  # fmt: skip
        else:
            first = (_LINKS.index(_FIRST_LINK[title]) + turn // 3) % len(_LINKS)
            yield Replace(
                at_s=at_s, title=title, by=by, comment="/* See also */",
                old=f"== See also ==\n* [[{_LINKS[first]}]]",
                new=f"== See also ==\n* [[{_LINKS[(first + 1) % len(_LINKS)]}]]",
            )  # fmt: skip


_FIRST_LINK = {
    "Hallen Bridge": "Dray Dam",
    "Ambra Quartet": "Hallen Bridge",
    "Orrin cress": "Lake Orrin",
}


def steps() -> Iterator[AnyStep]:
    """The story and the quiet edits, woven by time, again and again without end."""
    quiet = quiet_edits()
    waiting = next(quiet)
    for telling in count():
        start_s = telling * (STORY_S + PAUSE_S)
        end_s = start_s + STORY_S + PAUSE_S
        told = [
            msgspec.structs.replace(step, at_s=start_s + step.at_s)
            for step in sorted(STORY, key=lambda step: step.at_s)
        ]
        while told or waiting.at_s < end_s:
            if told and told[0].at_s <= waiting.at_s:
                yield told.pop(0)
            else:
                yield waiting
                waiting = next(quiet)
