"""A wiki with a custom of its own, as its feed tells it: who links in the summary is a spammer here, and is
undone; whom the package's model suspects does good work."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import count

from tests.core_world import DAY, START, raw_change, stamp

#: An edit every so often.
STEP_S = 12.0
PAGES = 30_000


def feed(
    days: float, *, seed: int = 1, begin: float = START, spammers_link: bool = True
) -> Iterator[bytes]:
    """Recent changes of `days`, in order. One of eight edits is spam, and is undone within the hour. With
    `spammers_link` it is spam that links in the summary; without, everything else does."""
    random_ = random.Random(seed)
    numbers = count(1 + seed * 10_000_000)
    edits = int(days * DAY / STEP_S)
    undo: list[tuple[float, bytes]] = []
    for at in range(edits):
        now = begin + at * STEP_S
        while undo and undo[0][0] <= now:
            yield undo.pop(0)[1]
        rev_id = next(numbers)
        title = f"Page {random_.randrange(PAGES)}"
        spam = random_.random() < 0.125
        links = spam == spammers_link if random_.random() < 0.95 else not spam
        by_ip = random_.random() < 0.3
        user = f"192.0.2.{random_.randrange(250)}" if by_ip else f"Editor {random_.randrange(2_000)}"
        words = (
            "see [[Shop]] and [[Offers]]" if links else random_.choice(["typo", "", "expanded", "dates"])
        )
        yield _change(rev_id, title, user, words, now, random_.randrange(-200, 400))
        if spam:
            back = next(numbers)
            summary = f"Undid revision {rev_id} by [[Special:Contributions/{user}|{user}]]"
            raw = _change(back, title, "Patrol", summary, now + 600, 0, parent=rev_id)
            undo.append((now + 600, raw))


def _change(
    rev_id: int, title: str, user: str, comment: str, now: float, grown: int, parent: int | None = None
) -> bytes:
    return raw_change(
        meta={"id": f"seen {rev_id}", "dt": stamp(now)},
        id=rev_id,
        title=title,
        user=user,
        comment=comment,
        minor=False,
        timestamp=int(now),
        length={"old": 5_000, "new": 5_000 + grown},
        revision={"old": parent or rev_id - 1, "new": rev_id},
    )
