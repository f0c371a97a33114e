"""Features of swapped values: what a plausible false fact has about it, whichever the language.

A false value contradicts what stands elsewhere on the page: the old one is still there in other
sentences or in the infobox, the new one nowhere. A number changed in one digit, a year out of reach, a
negation that comes or goes say more.
"""

from __future__ import annotations

import re
from functools import lru_cache
from math import log1p, nan

from streams.records import Edit
from streams.stages.diff import TextDelta
from streams.stages.tokens import words as words_of
from streams.stages.values import language_of
from streams.stages.word_tables import NEGATIONS
from streams.state.words import WordMemory

VALUE_NAMES = (
    "old_elsewhere",
    "new_elsewhere",
    "digits_changed",
    "same_digits",
    "year_swapped",
    "year_ahead",
    "digits_around",
    "negations_added",
    "negations_removed",
)
_NO_SWAP = [nan] * 7
MAX_PLACES = 24
MAX_VALUE = 40
"""Characters of a value; a longer place is a rewritten passage."""
MAX_VALUE_WORDS = 4
_NUMBER = re.compile(r"[0-9]+")
_EPOCH_YEAR, _YEAR_S = 1970, 31_556_952


def value_features(edit: Edit, delta: TextDelta, words: WordMemory | None) -> list[float]:
    """In the order of `VALUE_NAMES`. `words` counts the page's words at the parent revision."""
    swaps = [
        (span.before.strip(), span.after.strip())
        for span in delta.spans[:MAX_PLACES]
        if span.before and span.after and len(span.before) < MAX_VALUE and len(span.after) < MAX_VALUE
    ]
    swaps = [(before, after) for before, after in swaps if before and after]
    row = _swaps(edit, delta, words, swaps) if swaps and words is not None else list(_NO_SWAP)
    negations = _negations(edit.wiki)
    if negations is None:
        row += (nan, nan)
    else:
        row += (
            float(len(negations.intersection(delta.gained))),
            float(len(negations.intersection(delta.lost))),
        )
    return row


def _swaps(edit: Edit, delta: TextDelta, words: WordMemory, swaps: list[tuple[str, str]]) -> list[float]:
    index, count, lost = words.index, words.count, delta.lost
    old = new = 0
    changed = same = nan
    year_swapped = year_ahead = 0.0
    for before, after in swaps:
        for word in words_of(before.lower())[:MAX_VALUE_WORDS]:
            at = index.get(word)
            if at is not None:
                old = max(old, count[at] - lost.get(word, 0))
        for word in words_of(after.lower())[:MAX_VALUE_WORDS]:
            at = index.get(word)
            if at is not None:
                new = max(new, count[at])
        first, second = _NUMBER.search(before), _NUMBER.search(after)
        if first is None or second is None:
            continue
        one, other = first[0], second[0]
        share = 1.0
        if len(one) == len(other):
            share = sum(a != b for a, b in zip(one, other, strict=True)) / len(one)
            same = 1.0
            if len(one) == 4 and one[0] in "12":
                year_swapped = 1.0
        elif same != same:
            same = 0.0
        changed = share if changed != changed else max(changed, share)
        if len(other) == 4 and int(other) > _EPOCH_YEAR + edit.event_time / _YEAR_S:
            year_ahead = 1.0
    line = " ".join(delta.hunks[0].before)[:2_000] if delta.hunks else ""
    return [
        log1p(old),
        log1p(new),
        changed,
        same,
        year_swapped,
        year_ahead,
        sum(map(str.isdigit, line)) / (len(line) + 1),
    ]


@lru_cache(maxsize=1024)
def _negations(wiki: str) -> frozenset[str] | None:
    return NEGATIONS.get(language_of(wiki))
