"""The mean of an edit's word vectors, weighed: what the changed words are used like."""

from __future__ import annotations

from collections.abc import Iterable
from math import nan
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.word_vectors import DIMENSIONS, vectors, word_at

MAX_EMBEDDED = 60
"""Words with a vector looked at on either side."""


class EmbeddingWeights(NamedTuple):
    """Of the mean vector of the words that came and of those that went. Each of shape (dimensions,)."""

    came: NDArray[np.float64]
    went: NDArray[np.float64]
    bias: float


NO_WEIGHTS = EmbeddingWeights(np.zeros(DIMENSIONS), np.zeros(DIMENSIONS), 0.0)


def embedded(words: Iterable[str]) -> tuple[int, ...]:
    """Which vectors are those of the first of these words, in lower case, that have one."""
    found: list[int] = []
    for word in words:
        at = word_at(word)
        if at >= 0:
            found.append(at)
            if len(found) == MAX_EMBEDDED:
                break
    return tuple(found)


class Embedding:
    """Weights times a mean of vectors is a mean of the words' own weights: two numbers for each word."""

    def __init__(self, weights: EmbeddingWeights) -> None:
        table = vectors()
        self.weights = weights
        self.came: NDArray[np.float64] = (table @ weights.came.astype(np.float32)).astype(np.float64)
        self.went: NDArray[np.float64] = (table @ weights.went.astype(np.float32)).astype(np.float64)

    def of_words(self, came: tuple[int, ...], went: tuple[int, ...]) -> float:
        """Log-odds; NaN where no word came that has a vector."""
        if not came:
            return nan
        score = float(self.came[list(came)].mean()) + self.weights.bias
        return score + float(self.went[list(went)].mean()) if went else score
