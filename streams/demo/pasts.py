"""What happened on the demo's pages before anybody watched: how they were written, and what was tried on
them. A suspicious edit has it fetched.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from streams.demo.articles import ARTICLES, DATA_WIKI, DEMO_WIKI
from streams.demo.scenario import (
    HEDDA,
    MARIT,
    SUSAN,
    TEODOR,
    AnyStep,
    Replace,
    Rollback,
    Undo,
    Write,
)

DAY_S = 86_400.0
FIRST_AUTHOR = "Edda Winters"
BEGUN_S = -425 * DAY_S

# Of the ranges kept for documentation, and none that comes in the story.
_SCHOOL, _ELSEWHERE = "198.51.100.77", "198.51.100.140"
_AUTHORS = (FIRST_AUTHOR, MARIT, HEDDA, SUSAN, TEODOR)
_MONTHS = (
    "April 2025", "May 2025", "June 2025", "July 2025", "August 2025", "September 2025",
    "October 2025", "November 2025", "December 2025", "January 2026", "February 2026", "March 2026",
    "April 2026", "May 2026",
)  # fmt: skip
_DATES = "{{Use dmy dates|date=%s}}"

_TRIED: tuple[AnyStep, ...] = (
    # The town grew tenfold four times before, by other hands.
    Replace(
        at_s=-203 * DAY_S, title="Port Selwyn", by=_SCHOOL,
        old="it had 48,210 inhabitants", new="it had 482,100 inhabitants",
    ),
    Undo(at_s=-203 * DAY_S + 900, title="Port Selwyn", by=MARIT, comment="the census says 48,210"),
    Replace(
        at_s=-38 * DAY_S, title="Port Selwyn", by=_ELSEWHERE, comment="update",
        old="it had 48,210 inhabitants", new="it had 482,100 inhabitants",
    ),
    Rollback(at_s=-38 * DAY_S + 1_500, title="Port Selwyn", by=TEODOR),
    Replace(
        at_s=-11 * DAY_S, title="Port Selwyn", by=_SCHOOL,
        old="it had 48,210 inhabitants", new="it had 482,100 inhabitants",
    ),
    Rollback(at_s=-11 * DAY_S + 600, title="Port Selwyn", by=MARIT),
    Replace(
        at_s=-4 * DAY_S, title="Port Selwyn", by=_SCHOOL,
        old="it had 48,210 inhabitants", new="it had 482,100 inhabitants",
    ),
    Rollback(at_s=-4 * DAY_S + 700, title="Port Selwyn", by=SUSAN),
    # Somebody else wished her younger.
    Replace(
        at_s=-88 * DAY_S, title="Mira Valdane", by=_ELSEWHERE, comment="",
        old="(born 14 March 1931)", new="(born 14 March 1971)",
    ),
    Undo(at_s=-88 * DAY_S + 3_600, title="Mira Valdane", by=HEDDA, comment="see the infobox"),
    # School is boring.
    Write(at_s=-140 * DAY_S, title="Lake Orrin", by=_SCHOOL, text="boring boring boring lol"),
    Rollback(at_s=-140 * DAY_S + 240, title="Lake Orrin", by=SUSAN),
)  # fmt: skip


def first_text(wiki: str, title: str) -> str:
    """Of an article its beginning; an item is whole from its first revision on."""
    text = ARTICLES[wiki, title]
    return text if wiki == DATA_WIKI else _growth(text)[0]


def past_steps() -> list[AnyStep]:
    """In order of time, `at_s` before the story begins. They leave the pages as `ARTICLES` has them."""
    steps: list[AnyStep] = [*_TRIED]
    for (wiki, title), text in ARTICLES.items():
        if wiki == DEMO_WIKI:
            steps += _written(title, text)
    return sorted(steps, key=lambda step: step.at_s)


def _written(title: str, text: str) -> Iterator[AnyStep]:
    """A section a day, and each month somebody dates the page."""
    for number, so_far in enumerate(_growth(text)[1:], 1):
        yield Write(
            at_s=BEGUN_S + number * DAY_S, title=title, by=_AUTHORS[number % 2], comment="new section",
            text=so_far,
        )  # fmt: skip
    for number, (before, after) in enumerate(pairwise(_MONTHS), 1):
        yield Replace(
            at_s=BEGUN_S + number * 30 * DAY_S, title=title, by=_AUTHORS[number % len(_AUTHORS)],
            comment="dates", minor=True, old=_DATES % before, new=_DATES % after,
        )  # fmt: skip


def _growth(text: str) -> list[str]:
    """The text as it stood after each section was written, dated the first month."""
    begun = text.replace(_DATES % _MONTHS[-1], _DATES % _MONTHS[0])
    lead, *sections = begun.split("\n== ")
    grown = [lead]
    for section in sections:
        grown.append(f"{grown[-1]}\n== {section}")
    return grown
