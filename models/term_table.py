"""Hashed terms of many edits, packed: training scores them again and again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from models.text import BUCKETS, MAX_SPELLED, MIN_CONTEXT, MIN_KNOWN, TEXT_NAMES, Terms, TextModel

Ids = NDArray[np.int32]


class _Lists(NamedTuple):
    """Lists of different lengths, end to end."""

    ids: Ids
    counts: NDArray[np.int64]

    @classmethod
    def of(cls, lists: Sequence[Sequence[int]]) -> _Lists:
        counts = np.array([len(one) for one in lists], dtype=np.int64)
        ids = np.fromiter((item for one in lists for item in one), dtype=np.int32, count=counts.sum())
        return cls(ids, counts)

    def sums(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of the values of each list's items; 0 for an empty one."""
        ends = np.concatenate([[0.0], np.cumsum(values)])
        stops = np.cumsum(self.counts)
        sums: NDArray[np.float64] = ends[stops] - ends[stops - self.counts]
        return sums

    def means(self, of_id: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of a value each item has; 0 for an empty list."""
        return self.sums(of_id[self.ids]) / np.maximum(self.counts, 1)

    def mean_rows(self, of_id: NDArray[np.float32]) -> NDArray[np.float32]:
        """Of a row each item has; of nothing for an empty list. Shape (lists, columns)."""
        share = np.repeat(1.0 / np.maximum(self.counts, 1), self.counts).astype(np.float32)
        stops = np.concatenate([[0], np.cumsum(self.counts)])
        mean = sparse.csr_matrix((share, self.ids, stops), shape=(len(self.counts), len(of_id)))
        return np.asarray(mean @ of_id)


class TermTable:
    """Of edits in their order. Scores are those of `TextModel`, but for rounding."""

    def __init__(self, terms: Sequence[Terms]) -> None:
        changed = _Lists.of([found.changed for found in terms])
        self.counts = changed.counts
        scale = 1.0 / np.sqrt(np.maximum(changed.counts, 1))
        self.design = sparse.csr_matrix(
            (
                np.repeat(scale, changed.counts),
                changed.ids,
                np.concatenate([[0], np.cumsum(changed.counts)]),
            ),
            shape=(len(terms), BUCKETS),
        )
        """Each row of length one."""
        words = [word for found in terms for word in found.gained[:MAX_SPELLED]]
        self._words = _Lists.of(words)
        self._first = np.array([word[0] for word in words], dtype=np.int32)
        self._words_of = np.array([len(found.gained[:MAX_SPELLED]) for found in terms], dtype=np.int64)
        self._context = _Lists.of([found.context for found in terms])
        self._comment = _Lists.of([found.comment for found in terms])
        self._came = _Lists.of([found.came for found in terms])
        self._went = _Lists.of([found.went for found in terms])

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which edits change words."""
        return self.counts > 0

    def scores(self, text: TextModel) -> NDArray[np.float64]:
        """Of each edit, in the order of `TEXT_NAMES`. Shape (n, names)."""
        weights = text.weights.astype(np.float64)
        whole = np.asarray(self.design @ weights).ravel() + text.bias
        whole[~self.known] = np.nan
        found = np.full((len(whole), len(TEXT_NAMES)), np.nan)
        found[:, 0] = whole
        some = np.flatnonzero(self._words_of)
        if len(some):
            each = self._words.sums(weights[self._words.ids]) / np.sqrt(self._words.counts)
            starts = (np.cumsum(self._words_of) - self._words_of)[some]
            count = self._words_of[some]
            unknown = (weights[self._first] == 0.0).astype(float)
            found[some, 1] = np.maximum.reduceat(each, starts)
            found[some, 2] = np.add.reduceat(each, starts) / count
            found[some, 3] = np.minimum.reduceat(each, starts)
            found[some, 4] = np.add.reduceat(unknown, starts) / count
        told = self._comment.counts > 0
        written = self._comment.sums(weights[self._comment.ids])
        found[told, 5] = written[told] / np.sqrt(self._comment.counts[told])
        used_like = text.embedding
        means = self._came.means(used_like.came) + self._went.means(used_like.went)
        found[self.embedded, 6] = means[self.embedded] + used_like.weights.bias
        met = self._context.sums((weights[self._context.ids] != 0).astype(float))
        strange = (self._context.counts >= MIN_CONTEXT) & (met < MIN_KNOWN * self._context.counts)
        found[strange] = np.nan
        return found

    @property
    def embedded(self) -> NDArray[np.bool_]:
        """Which edits bring words that have a vector."""
        return self.known & (self._came.counts > 0)

    def mean_vectors(self, table: NDArray[np.float32]) -> NDArray[np.float32]:
        """Of the words that came, and beside it of those that went. Shape (n, 2 * dimensions)."""
        return np.hstack([self._came.mean_rows(table), self._went.mean_rows(table)])
