"""Thresholds, each set by the share that it flags of the edits that stood."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models import figures
from models.dataset import Rows
from models.situations import BUDGET, SITUATIONS, situations

LEAST = 1e-6
"""A threshold of 0 would flag everything."""


def one_threshold(sources: Sequence[Rows], probabilities: Sequence[NDArray[np.float64]]) -> float:
    """Flags 1 % of the edits nobody reverted, each article counting the same."""
    stood = [scores[~source.label] for source, scores in zip(sources, probabilities, strict=True)]
    weights = [np.full(len(one), 1.0 / len(one)) for one in stood]
    return weighted_threshold(np.concatenate(stood), np.concatenate(weights), figures.R1P_SHARE)


def weighted_threshold(scores: NDArray[np.float64], weights: NDArray[np.float64], share: float) -> float:
    order = np.argsort(-scores, kind="stable")
    above = np.cumsum(weights[order]) / weights.sum()
    return max(float(scores[order][np.searchsorted(above, share)]), LEAST)


def thresholds_of(
    sources: Sequence[Rows],
    full: Sequence[NDArray[np.float64]],
    cold: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]],
    bare: Sequence[NDArray[np.float64]],
) -> dict[str, float]:
    """In each situation, out of fold, the threshold that flags its budget of the edits that stood."""
    scores, weights, cells = [], [], []
    for source, whole, (hidden, met_first), metadata in zip(sources, full, cold, bare, strict=True):
        stood = ~source.label
        for matrix, probability in (
            (source.matrix, whole),
            (hidden, met_first),
            (np.full_like(source.matrix, np.nan), metadata),
        ):
            scores.append(probability[stood])
            weights.append(np.full(stood.sum(), 1.0 / stood.sum()))
            cells.append(situations(matrix[stood]))
    score, weight, cell = np.concatenate(scores), np.concatenate(weights), np.concatenate(cells)
    return {
        str(situation): round(
            weighted_threshold(score[cell == at], weight[cell == at], BUDGET[situation]), 6
        )
        for at, situation in enumerate(SITUATIONS)
    }
