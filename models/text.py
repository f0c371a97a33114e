"""The classifier's part on words: hashed words and letter sequences of what changed, and a weight each.

Terms are CRC-32 hashes, so that a term means the same in every process, and looking one up is an array
access. The weights are learnt out of fold by page, so that what a page is about does not leak.

In a language that was not learnt the sum would be noise: where the words around the change are mostly
unknown, the score is missing.
"""

from __future__ import annotations

from math import nan, sqrt
from typing import NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from streams.stages.diff import TextDelta
from streams.stages.tokens import words

WORD_BITS = 18
SPELLED_BITS = 17
BUCKETS = (1 << WORD_BITS) + (1 << SPELLED_BITS)
"""Words have buckets of their own, so that an unknown one can be told."""
MAX_WORDS = 80
"""Words looked at on either side."""
MAX_SPELLED = 25
"""Added words whose letter sequences are looked at."""
CONTEXT_CHARS = 300
MIN_CONTEXT = 5
MIN_KNOWN = 0.6
"""Share of the words around a change that must have been seen in training."""
_WORD_MASK = (1 << WORD_BITS) - 1
_SPELLED_MASK = (1 << SPELLED_BITS) - 1
_SPELLED_START = 1 << WORD_BITS


class Terms(NamedTuple):
    """Of one edit, hashed."""

    changed: list[int]
    context: list[int]
    """Words of the line that was changed, as it stood before: they tell the language."""


NO_TERMS = Terms([], [])


def text_terms(delta: TextDelta) -> Terms:
    """Distinct terms of an edit: words that came and went, and letter sequences of those that came."""
    gained = list(delta.gained)[:MAX_WORDS]
    terms = {crc32(word[:40].encode()) & _WORD_MASK for word in gained}
    terms.update(
        [crc32(b"-" + word[:40].encode()) & _WORD_MASK for word in list(delta.lost)[:MAX_WORDS]]
    )
    for word in gained[:MAX_SPELLED]:
        spelled = f"<{word[:24]}>".encode()
        terms.update(
            [
                _SPELLED_START + (crc32(spelled[at : at + 5]) & _SPELLED_MASK)
                for at in range(max(len(spelled) - 4, 1))
            ]
        )
    return Terms(sorted(terms), _context(delta))


def _context(delta: TextDelta) -> list[int]:
    text = ""
    for hunk in delta.hunks[:4]:
        text = " ".join(hunk.before)[:CONTEXT_CHARS] if hunk.before else text
        if len(text) > 60:
            break
    if not text:
        text = " ".join(delta.before_lines[:3])[:CONTEXT_CHARS]
    if not text.strip():
        text = " ".join(delta.after_lines[:3])[:CONTEXT_CHARS]
    return [
        crc32(word[:40].encode()) & _WORD_MASK for word in words(text.lower()) if not word.isdecimal()
    ]


class TextModel:
    """Log-odds by term, summed and divided by the root of their number."""

    def __init__(self, weights: NDArray[np.float32], bias: float) -> None:
        self.weights = weights
        self.bias = bias

    def __call__(self, delta: TextDelta) -> float:
        return self.of_terms(text_terms(delta))

    def of_terms(self, terms: Terms) -> float:
        """NaN where no word changed, or the language is not one that was learnt."""
        changed, context = terms
        if not changed:
            return nan
        if len(context) >= MIN_CONTEXT:
            known = int(np.count_nonzero(self.weights[context]))
            if known < MIN_KNOWN * len(context):
                return nan
        return float(self.weights[changed].sum(dtype=np.float64)) / sqrt(len(changed)) + self.bias
