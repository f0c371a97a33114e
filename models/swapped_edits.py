"""False facts made up from real pages: what an edit would have been if its author had swapped a value.

Plausible false facts are rare among what histories hold, and many of them were never reverted. So one
number, date, name or negation is changed, the way vandals do it.
"""

from __future__ import annotations

import re
from enum import StrEnum
from random import Random

from models.made_up_edits import MIN_CHARS
from streams.stages.word_tables import MONTHS, NEGATIONS

SHARE = 0.25
"""Of the edits with texts, for which a swap is made up."""
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
