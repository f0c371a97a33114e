"""Rows of which less is known: copies with columns filled in or taken away."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.features import FEATURE_NAMES, PAGE_NAMES, PERFORMER_NAMES, RESTORE_NAMES
from models.text import TEXT_NAMES
from models.word_features import WORD_HISTORY_NAMES


def with_text(matrix: NDArray[np.float64], scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """A copy of rows with their text scores filled in."""
    filled = matrix.copy()
    filled[:, columns_of(TEXT_NAMES)] = scores
    return filled


def hide_history(matrix: NDArray[np.float64], *, words: bool, seed: int) -> NDArray[np.float64]:
    """A copy of rows as a page or an editor met for the first time would give them: the history of
    the page's words is not known in it, the page and the editor each in half of the rows."""
    random = np.random.default_rng(seed)
    hidden = matrix.copy()
    if words:
        hidden[:, columns_of(WORD_HISTORY_NAMES)] = np.nan
    for names in (PAGE_NAMES + RESTORE_NAMES, PERFORMER_NAMES):
        rows = np.flatnonzero(random.random(len(hidden)) < 0.5)
        hidden[np.ix_(rows, columns_of(names))] = np.nan
    return hidden


def without_text(matrix: NDArray[np.float64], share: float, seed: int) -> NDArray[np.float64]:
    """A copy in which this share of the rows has no text scores."""
    random = np.random.default_rng(seed + 1_000)
    hidden = matrix.copy()
    rows = np.flatnonzero(random.random(len(hidden)) < share)
    hidden[np.ix_(rows, columns_of(TEXT_NAMES))] = np.nan
    return hidden


def columns_of(names: Sequence[str]) -> NDArray[np.intp]:
    """Where these features are in a row."""
    return np.array([FEATURE_NAMES.index(name) for name in names], dtype=np.intp)
