"""Features of how usual the changed words are in the wiki's language, whatever the page is about.

A page's own words tell what is strange on it, but not whether "tenne" is a word or "mom" one that everybody
knows. Languages differ in how much of a text the most frequent words make up; rarities are therefore told
against what is usual in the language, so that what is learnt in one holds in others.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import nan

from models.usual_words import UsualWords, usual_words
from streams.records import Edit
from streams.stages.diff import TextDelta
from streams.stages.tokens import words
from streams.stages.values import language_of

USUAL_NAMES = (
    "rarity_mean",
    "rarity_max",
    "rarity_min",
    "rarity_gained",
    "rarity_unknown",
    "rarity_against_page",
)
_NONE = [nan] * len(USUAL_NAMES)
MAX_WORDS = 40
"""Different ones looked at on either side."""
CONTEXT_CHARS = 1_000
"""Of the page's first text, whose words tell its language and how usual words are in it."""
CONTEXT_WORDS = 60
MIN_CONTEXT = 8
MIN_KNOWN = 0.5
"""Share of these that must be in the table: else the page is in another language, or script."""


def usual_features(edit: Edit, delta: TextDelta) -> list[float]:
    """In the order of `USUAL_NAMES`. Rarities are in quarters of a power of ten. All are missing where no
    word came, there is no table of the language, or the page is not written in it."""
    if not delta.gained:
        return list(_NONE)
    table = usual_words(language_of(edit.wiki))
    if table is None:
        return list(_NONE)
    gained = _rarities(table, delta.gained, MAX_WORDS)
    if not gained:
        return list(_NONE)
    around = _rarities(table, _first_words(delta), CONTEXT_WORDS)
    page = nan
    if len(around) >= MIN_CONTEXT:
        if around.count(table.unknown) > (1.0 - MIN_KNOWN) * len(around):
            return list(_NONE)
        page = sum(around) / len(around)
    mean = sum(gained) / len(gained)
    lost = _rarities(table, delta.lost, MAX_WORDS)
    return [
        mean - table.usual_rarity,
        float(max(gained) - table.unknown),
        float(min(gained) - table.least),
        mean - sum(lost) / len(lost) if lost else nan,
        gained.count(table.unknown) / len(gained) - table.usual_unknown,
        mean - page,
    ]


def _rarities(table: UsualWords, found: Iterable[str], most: int) -> list[int]:
    """Of the first words among `found`, which are in lower case; numbers and single letters left out."""
    rarities: list[int] = []
    for word in found:
        if len(word) > 1 and not word[0].isdigit():
            rarities.append(table.rarity(word))
            if len(rarities) == most:
                break
    return rarities


def _first_words(delta: TextDelta) -> list[str]:
    text, size = [], 0
    for line in delta.before_lines:
        text.append(line)
        size += len(line)
        if size > CONTEXT_CHARS:
            break
    return words("\n".join(text)[:CONTEXT_CHARS].lower())
