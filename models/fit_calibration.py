"""What makes log-odds of rows that were not learnt from probabilities."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from models.calibration import Calibration, page_rate

BY_PAGE = 0.5
"""Of the log of a page's rate of reverts against the usual one, how much is added to the log-odds: the
trees know some of it already."""
STEPS, RIDGE = 30, 1e-3
"""Of Newton's method for two numbers."""


def calibrate(
    log_odds: Sequence[NDArray[np.float64]], labels: Sequence[NDArray[np.bool_]]
) -> tuple[float, float]:
    """Slope and shift that make out-of-fold log-odds probabilities; each article counts the same."""
    weight = np.concatenate([np.full(len(label), 1.0 / len(label)) for label in labels])
    fitted = LogisticRegression(C=1e6, solver="lbfgs", max_iter=1000).fit(
        np.concatenate(log_odds)[:, None], np.concatenate(labels), sample_weight=weight / weight.mean()
    )
    return float(fitted.coef_[0, 0]), float(fitted.intercept_[0])


def calibrate_pages(
    raw: Sequence[NDArray[np.float64]],
    matrices: Sequence[NDArray[np.float64]],
    labels: Sequence[NDArray[np.bool_]],
) -> Calibration:
    """Slope and shift of out-of-fold log-odds by article; each article counts the same. How far the
    page's own rate shifts is set beforehand: a few articles can't tell it from what else differs."""
    weight = np.concatenate([np.full(len(label), 1.0 / len(label)) for label in labels])
    return calibrate_rows(np.concatenate(raw), np.vstack(matrices), np.concatenate(labels), weight)


def calibrate_rows(
    raw: NDArray[np.float64],
    matrix: NDArray[np.float64],
    label: NDArray[np.bool_],
    weight: NDArray[np.float64],
) -> Calibration:
    """The same of rows that weigh as is said; `RIDGE` is against a whole weight of some units."""
    known = BY_PAGE * page_rate(matrix)
    columns = np.column_stack([raw, np.ones(len(known))])
    found = np.array([1.0, 0.0])
    for _ in range(STEPS):
        probability = 1.0 / (1.0 + np.exp(-np.clip(columns @ found + known, -40.0, 40.0)))
        slope = columns.T @ (weight * (label - probability)) - RIDGE * (found - [1.0, 0.0])
        curve = (columns.T * (weight * probability * (1.0 - probability))) @ columns
        found = found + np.linalg.solve(curve + RIDGE * np.eye(2), slope)
    return Calibration(float(found[0]), float(found[1]), BY_PAGE)
