"""The hot facts most like a text, in order, where a person or an answer asks for the nearest ones.

The index gives those that share most (`HotFactIndex.similar`); here they are put in order by that weight
and by how far their letters agree, four at a time, which forgives other endings and spellings. Weights of
the two were chosen on tweets and the claims they repeat (CheckThat 2022, task 2a, its training part).
"""

from __future__ import annotations

from functools import lru_cache
from math import sqrt

import msgspec

from streams.matching.folding import fold
from streams.matching.index import HotFactIndex
from streams.matching.post_words import post_words

DEPTH = 20
"""Facts put in order, of which the first are told."""
BY_WEIGHT = 0.2
"""Share of the similarity that is the weight of shared words, against that of the heaviest; the rest is
likeness of letters."""
GRAM = 4
MAX_GRAMS = 4_000


class Ranked(msgspec.Struct, frozen=True, gc=False):
    hot_id: str
    similarity: float
    """0 to 1; of the first, how like it is and not how sure: compare within one list only."""


def rank(index: HotFactIndex, text: str, limit: int = 5) -> list[Ranked]:
    """Best first, at most `limit`; [] where nothing shares enough."""
    folded = fold(text)
    similar = index.similar(post_words(folded), DEPTH)
    if not similar:
        return []
    heaviest = similar[0].weight
    grams = letter_grams(folded)
    ranked: list[Ranked] = []
    for one in similar:
        hot = index.get(one.hot_id)
        if hot is None:
            continue
        likeness = max(
            _likeness(grams, _grams_of(side))
            for side in (hot.fact.after, hot.fact.before)
            if side or side is hot.fact.after
        )
        similarity = BY_WEIGHT * one.weight / heaviest + (1 - BY_WEIGHT) * likeness
        ranked.append(Ranked(one.hot_id, similarity))
    ranked.sort(key=lambda one: (-one.similarity, one.hot_id))
    return ranked[:limit]


def letter_grams(folded: str) -> frozenset[str]:
    """Each four neighbouring characters of the words with a space around each; at most MAX_GRAMS."""
    spaced = f" {' '.join(post_words(folded))} "[: MAX_GRAMS + GRAM]
    return frozenset(spaced[at : at + GRAM] for at in range(max(1, len(spaced) - GRAM + 1)))


@lru_cache(maxsize=20_000)
def _grams_of(text: str) -> frozenset[str]:
    """Of a fact's side: the same ones come back with each text that is near them."""
    return letter_grams(fold(text))


def _likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """Cosine of two sets."""
    return len(one & other) / sqrt(len(one) * len(other))
