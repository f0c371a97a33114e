"""Figures of a classifier's quality, with bootstrap intervals: plain NumPy, no global random state."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]
Labels = NDArray[np.bool_]

FALSE_POSITIVE_RATES = (0.001, 0.0025, 0.01, 0.05)
R1P_SHARE = 0.01
SEED = 20_251


def roc_auc(label: Labels, score: Scores) -> float:
    """Probability that a positive scores above a negative, ties counting half; NaN without both."""
    positives = int(label.sum())
    negatives = len(label) - positives
    if not positives or not negatives:
        return float("nan")
    _, inverse, counts = np.unique(score, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks = (ends - (counts - 1) / 2.0)[inverse]
    return float((ranks[label].sum() - positives * (positives + 1) / 2.0) / (positives * negatives))


def pr_auc(label: Labels, score: Scores) -> float:
    """Average precision; equal scores are taken together."""
    positives = int(label.sum())
    if not positives:
        return float("nan")
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(label[order])
    last = np.append(np.flatnonzero(np.diff(score[order])), len(order) - 1)
    precision, recall = hits[last] / (last + 1.0), hits[last] / positives
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def threshold_at(negatives: Scores, rate: float) -> float:
    """Smallest of the scores that at most `rate` of `negatives` lie above. `score > threshold` flags."""
    if not len(negatives):
        return float("inf")
    ordered = np.sort(negatives)[::-1]
    return float(ordered[min(int(rate * len(ordered)), len(ordered) - 1)])


def recall_above(label: Labels, score: Scores, threshold: float) -> float:
    positives = score[label]
    return float((positives > threshold).mean()) if len(positives) else float("nan")


def recall_at(label: Labels, score: Scores, rate: float) -> float:
    """Recall where at most `rate` of the negatives are flagged."""
    return recall_above(label, score, threshold_at(score[~label], rate))


def calibration_error(label: Labels, probability: Scores, bins: int = 10) -> float:
    """Expected calibration error over bins of equal width."""
    at = np.minimum((probability * bins).astype(int), bins - 1)
    error = 0.0
    for one in range(bins):
        inside = at == one
        if inside.any():
            error += abs(probability[inside].mean() - label[inside].mean()) * inside.mean()
    return float(error)


def interval(
    figure: Callable[[Labels, Scores], float], label: Labels, score: Scores, rounds: int = 200
) -> tuple[float, float]:
    """95 % bootstrap interval of a figure, resampling edits; seeded."""
    random = np.random.default_rng(SEED)
    count = len(label)
    values = []
    for _ in range(rounds):
        chosen = random.integers(0, count, count)
        value = figure(label[chosen], score[chosen])
        if value == value:
            values.append(value)
    if not values:
        return float("nan"), float("nan")
    low, high = np.percentile(values, (2.5, 97.5))
    return float(low), float(high)
