"""Figures of quality over edits that stand for several each, quick enough to draw them anew by the hundred:
the order of the scores is found once, only the weights change."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Ranking:
    """Edits by falling score, those of equal score taken together."""

    def __init__(self, damaging: NDArray[np.bool_], score: Floats) -> None:
        self._order = np.argsort(-score, kind="stable")
        ordered = score[self._order]
        self._starts = np.concatenate([[0], np.flatnonzero(np.diff(ordered)) + 1])
        self._damaging = damaging[self._order]

    def roc_auc(self, weight: Floats) -> float:
        """Probability that a damaging edit scores above another, ties counting half; NaN without both."""
        positive, negative = self._by_score(weight)
        above = np.cumsum(positive) - positive / 2.0
        whole = positive.sum() * negative.sum()
        return float((negative * above).sum() / whole) if whole > 0 else float("nan")

    def recall_at(self, weight: Floats, rate: float) -> float:
        """Share of the damaging edits that score above all but `rate` of the others; NaN without both."""
        positive, negative = self._by_score(weight)
        if positive.sum() <= 0 or negative.sum() <= 0:
            return float("nan")
        flagged = np.cumsum(negative) <= rate * negative.sum()
        return float(positive[flagged].sum() / positive.sum())

    def _by_score(self, weight: Floats) -> tuple[Floats, Floats]:
        ordered = weight[self._order]
        both = np.add.reduceat(
            np.column_stack([ordered * self._damaging, ordered * ~self._damaging]), self._starts
        )
        return both[:, 0], both[:, 1]


def calibration_error(
    damaging: NDArray[np.bool_], risk: Floats, weight: Floats, bins: int = 10
) -> float:
    """Expected calibration error over bins of equal width."""
    at = np.minimum((risk * bins).astype(int), bins - 1)
    told, found = (
        np.bincount(at, weights=weight * values, minlength=bins) for values in (risk, damaging)
    )
    return float(np.abs(told - found).sum() / weight.sum())
