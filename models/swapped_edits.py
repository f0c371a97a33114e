"""False facts made up from real pages: what an edit would have been if its author had swapped a value.

Plausible false facts are rare among what histories hold, and many of them were never reverted. So the
author, the moment, the page and its memory of words stay those of a real edit, and the text becomes the
parent's with one number, date, name or negation changed, the way vandals do it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum
from random import Random
from typing import NamedTuple

import msgspec

from models.replay import Met
from models.text import Terms, text_terms
from streams.records import Content, Edit, RevisionText
from streams.stages.diff import TextDelta, text_delta
from streams.stages.values import language_of
from streams.stages.word_tables import MONTHS, NEGATIONS
from streams.state.page import PageView
from streams.state.performer import PerformerView
from streams.state.words import WordMemory

SHARE = 0.25
"""Of the edits with texts, for which a swap is made up."""
MIN_CHARS = 300
"""Of a parent text that holds values to swap."""
WINDOW_CHARS = 6_000
"""Searched for a value, from a random place on."""
TRIES = 4


class SwapKind(StrEnum):
    NUMBER = "number"
    NAME = "name"
    DATE = "date"
    NEGATION = "negation"


#: How often each is tried, about as vandals do.
_KINDS = (SwapKind.NUMBER, SwapKind.NAME, SwapKind.DATE, SwapKind.NEGATION)
_OFTEN = (6.0, 4.0, 1.0, 1.5)
_NUMBER = re.compile(r"(?<![\w.,/=%-])\d{1,4}(?:,\d{3})*(?![\w%/.-]*[\w/=])")
_NAME = re.compile(r"(?<=[^\W\dA-Z_,][ ,])[^\W\d_a-z][^\W\d_]{2,20}(?![\w'|])")
_MONTH = re.compile(
    r"\b(?:" + "|".join(sorted((name for name in MONTHS if len(name) > 3), key=len)) + r")\b", re.I
)
_VERB = re.compile(r"(?<= )(?:is|was|are|were|has|had|can|could|did|does|would|should|will)(?= )")
_AWAY = re.compile(r"://|\[\[(?:[^\]\n]*)$")
"""In front of a place that is an address or the target of a link."""


class SwappedEdit(NamedTuple):
    """An edit that nobody made, at the place of the one with `rev_id`."""

    rev_id: int
    parent_id: int
    kind: SwapKind
    row: list[float]
    terms: Terms


Extract = Callable[
    [Edit, TextDelta, PageView | None, PerformerView | None, WordMemory | None], list[float]
]


class SwappedEdits:
    """Told what is known before each edit of a replay, makes up swaps for some. Seeded."""

    def __init__(self, extract: Extract, seed: int) -> None:
        self._extract = extract
        self._random = Random(seed)  # noqa: S311  # nothing secret
        self.made: list[SwappedEdit] = []

    def meets(self, met: Met) -> None:
        edit, page = met.edit, met.page
        content = edit.content
        if content is None or content.parent is None or edit.parent_id is None:
            return
        before = content.parent.text
        if not before or len(before) < MIN_CHARS or self._random.random() >= SHARE:
            return
        found = swapped(before, self._random, language_of(edit.wiki))
        if found is None:
            return
        text, kind = found
        change = text_delta(before, text)
        false = msgspec.structs.replace(
            edit,
            is_new=False,
            new_len=len(text.encode()),
            old_len=len(before.encode()),
            content=Content(RevisionText(edit.rev_id, text), content.parent),
        )
        page = msgspec.structs.replace(page, restores_back=0, restores_reverted=False)
        row = self._extract(false, change, page, met.performer, met.words)
        self.made.append(
            SwappedEdit(edit.rev_id, edit.parent_id, kind, row, text_terms(change, edit.comment))
        )

    def folded(self, page_key: str, edit: Edit, delta: TextDelta | None, reverts_others: bool) -> None:
        """Nothing follows from it."""


def swapped(text: str, random: Random, language: str = "en") -> tuple[str, SwapKind] | None:
    """`text` with one value changed; None where none was found to change."""
    kind = random.choices(_KINDS, _OFTEN)[0]
    place = new = None
    if kind is SwapKind.NUMBER:
        place = _somewhere(text, _NUMBER, random)
        new = _other_number(place[0], random) if place else None
    elif kind is SwapKind.NAME:
        place, other = _somewhere(text, _NAME, random), _somewhere(text, _NAME, random)
        new = other[0] if other else None
    elif kind is SwapKind.DATE:
        place = _somewhere(text, _MONTH, random)
        other = _somewhere(text, _MONTH, random)
        new = other[0] if other else None
    else:
        negations = sorted(NEGATIONS.get(language, ()))
        if negations and (language != "en" or random.random() < 0.5):
            place = _somewhere(
                text, re.compile(r"(?<= )(?:" + "|".join(map(re.escape, negations)) + r") "), random
            )
            new = ""
        elif language == "en":
            place = _somewhere(text, _VERB, random)
            new = f"{place[0]} not" if place else None
    if place is None or new is None or new == place[0]:
        return None
    return text[: place.start()] + new + text[place.end() :], kind


def _somewhere(text: str, value: re.Pattern[str], random: Random) -> re.Match[str] | None:
    """A match from a random place on, in what readers see."""
    for _ in range(TRIES):
        start = random.randrange(max(1, len(text) - MIN_CHARS))
        found = [
            match
            for match in value.finditer(text, start, start + WINDOW_CHARS)
            if not _AWAY.search(text[max(0, match.start() - 60) : match.start()])
        ]
        if found:
            return random.choice(found)
    return None


def _other_number(written: str, random: Random) -> str:
    """A digit changed, some more or less, another number, or a digit more."""
    how = random.random()
    if how < 0.55:
        places = [at for at, sign in enumerate(written) if sign.isdecimal()]
        at = random.choice(places)
        digits = "0123456789" if at or len(written) == 1 else "123456789"
        digit = random.choice([one for one in digits if one != written[at]])
        return written[:at] + digit + written[at + 1 :]
    number = int(written.replace(",", ""))
    if how < 0.75:
        return str(max(0, number + random.choice((-1, 1)) * random.randint(1, 30)))
    if how < 0.9:
        return str(random.randint(1, 10 ** random.randint(1, 4)))
    return written + random.choice("0123456789")
