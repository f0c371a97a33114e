"""The classifier's part on words: hashed words and letter sequences of what changed, and a weight each.

Terms are CRC-32 hashes, so that a term means the same in every process, and looking one up is an array
access. The weights are learnt out of fold by page, so that what a page is about does not leak.

In a language that was not learnt the sum would be noise: where the words around the change are mostly
unknown, the scores are missing.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import chain
from math import nan, sqrt
from typing import NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from models.embedding import NO_WEIGHTS, Embedding, EmbeddingWeights, embedded
from streams.stages.diff import TextDelta
from streams.stages.tokens import words

WORD_BITS = 18
SPELLED_BITS = 18
BUCKETS = (1 << WORD_BITS) + (1 << SPELLED_BITS)
"""Words have buckets of their own, so that an unknown one can be told."""
MAX_WORDS = 80
"""Words looked at on either side."""
MAX_SPELLED = 25
"""Added words whose letter sequences are looked at."""
SPELLED = (3, 4, 5)
"""Letters in a row."""
MAX_COMMENT_WORDS = 20
CONTEXT_CHARS = 300
MIN_CONTEXT = 5
MIN_KNOWN = 0.6
"""Share of the words around a change that must have been seen in training."""
_WORD_MASK = (1 << WORD_BITS) - 1
_SPELLED_MASK = (1 << SPELLED_BITS) - 1
_SPELLED_START = 1 << WORD_BITS
TEXT_NAMES = (
    "text_score",
    "text_peak",
    "text_mean",
    "text_least",
    "text_unknown",
    "text_comment",
    "text_embedding",
)
_UNKNOWN = (nan,) * len(TEXT_NAMES)


class Terms(NamedTuple):
    """Of one edit, hashed."""

    gained: list[tuple[int, ...]]
    """Of each word that came: the word, and its letter sequences."""
    lost: list[int]
    comment: list[int]
    context: list[int]
    """Words of the line that was changed, as it stood before: they tell the language."""
    came: tuple[int, ...] = ()
    """Word vectors of those that came."""
    went: tuple[int, ...] = ()

    @property
    def changed(self) -> list[int]:
        """Each term once; empty where no word changed."""
        if not self.gained and not self.lost:
            return []
        return sorted({*chain.from_iterable(self.gained), *self.lost, *self.comment})


NO_TERMS = Terms([], [], [], [])


def text_terms(delta: TextDelta, comment: str = "") -> Terms:
    """Words that came and went, letter sequences of those that came, words of the summary."""
    gained = list(delta.gained)[:MAX_WORDS]
    return Terms(
        [_spelled(word[:40]) for word in gained[:MAX_SPELLED]]
        + [(crc32(word[:40].encode()) & _WORD_MASK,) for word in gained[MAX_SPELLED:]],
        [crc32(b"-" + word[:40].encode()) & _WORD_MASK for word in list(delta.lost)[:MAX_WORDS]],
        _comment_terms(comment),
        _context(delta),
        embedded(delta.gained),
        embedded(delta.lost),
    )


@lru_cache(maxsize=4_096)
def _spelled(word: str) -> tuple[int, ...]:
    spelled = f"<{word[:24]}>".encode()
    return (
        crc32(word.encode()) & _WORD_MASK,
        *{
            _SPELLED_START + (crc32(spelled[at : at + size]) & _SPELLED_MASK)
            for size in SPELLED
            for at in range(len(spelled) - size + 1)
        },
    )


def _comment_terms(comment: str) -> list[int]:
    """Of what the editor wrote; the section's name is the page's."""
    if comment.startswith("/*"):
        comment = comment.partition("*/")[2]
    if not comment:
        return []
    written = words(comment.lower()[:400])[:MAX_COMMENT_WORDS]
    return [crc32(b"#" + word[:40].encode()) & _WORD_MASK for word in written]


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
    """Log-odds by term, and by word vector."""

    def __init__(
        self, weights: NDArray[np.float32], bias: float, embedding: EmbeddingWeights = NO_WEIGHTS
    ) -> None:
        self.weights = weights
        self.bias = bias
        self.embedding = Embedding(embedding)

    def __call__(self, delta: TextDelta, comment: str = "") -> tuple[float, ...]:
        return self.of_terms(text_terms(delta, comment))

    def of_terms(self, terms: Terms) -> tuple[float, ...]:
        """In the order of `TEXT_NAMES`: of all terms, summed and divided by the root of their number; of
        the words that came, by their letter sequences, the one that weighs most, the mean and the one that
        weighs least; the share of them that was never met in training; of the summary alone; of what the
        words that came and went are used like. NaN where no word changed, or the language is not one that
        was learnt."""
        weights = self.weights
        context = terms.context
        if len(context) >= MIN_CONTEXT:
            known = int(np.count_nonzero(weights[context]))
            if known < MIN_KNOWN * len(context):
                return _UNKNOWN
        comment = terms.comment
        written = float(weights[comment].sum(dtype=np.float64)) / sqrt(len(comment)) if comment else nan
        changed = terms.changed
        if not changed:
            return (*_UNKNOWN[2:], written, nan)
        used_like = self.embedding.of_words(terms.came, terms.went)
        score = float(weights[changed].sum(dtype=np.float64)) / sqrt(len(changed)) + self.bias
        gained = terms.gained[:MAX_SPELLED]
        if not gained:
            return (score, *_UNKNOWN[3:], written, used_like)
        counts = np.array([len(word) for word in gained])
        ids = np.fromiter(chain.from_iterable(gained), dtype=np.intp, count=int(counts.sum()))
        starts = np.cumsum(counts) - counts
        found = weights[ids]
        each = np.add.reduceat(found, starts, dtype=np.float64) / np.sqrt(counts)
        unknown = 1.0 - np.count_nonzero(found[starts]) / len(gained)
        return (
            score, float(each.max()), float(each.mean()), float(each.min()), unknown, written, used_like,
        )  # fmt: skip
