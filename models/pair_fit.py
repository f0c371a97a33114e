"""Learning from rows of pairs: boosted trees held to the direction of each feature, calibrated on articles
they did not see, and two thresholds chosen there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from models.classifier import probability_of
from models.fit_calibration import calibrate
from models.pair_rows import PairRows
from models.trees import Trees
from streams.matching.grade import Thresholds
from streams.matching.pair_features import FALLING, FEATURE_NAMES, RISING

SEED = 7
PRECISION = 0.995
OTHER_STATED = 0.004
"""Share of posts stating the other side that may be taken for this one, on the articles learnt from: below
the 1 % asked for, as a new article is stranger than these."""
SUGGESTED_RECALL = 0.99
GRID = np.round(np.arange(0.6, 0.96, 0.01), 2)
MIN_POSITIVE = 50
"""Rows that state a side, below which an article gives no thresholds."""


class PairFit(NamedTuple):
    trees: Trees
    slope: float
    shift: float
    thresholds: Thresholds

    def probability(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        return probability_of(self.trees.log_odds(matrix) * self.slope + self.shift)


def fit_pairs(articles: Sequence[PairRows]) -> PairFit:
    """From at least two articles: each is left out once to calibrate and to choose the thresholds."""
    tested = [one for one in articles if (one.label & one.usable).sum() >= MIN_POSITIVE]
    raw = [
        fit_trees([other for other in articles if other is not one]).log_odds(one.matrix)
        for one in tested
    ]
    slope, shift = calibrate(
        [scores[one.usable] for scores, one in zip(raw, tested, strict=True)],
        [one.label[one.usable] for one in tested],
    )
    probability = [probability_of(scores * slope + shift) for scores in raw]
    return PairFit(fit_trees(articles), slope, shift, choose_thresholds(tested, probability))


def fit_trees(articles: Sequence[PairRows]) -> Trees:
    matrix = np.concatenate([one.matrix[one.usable] for one in articles])
    label = np.concatenate([one.label[one.usable] for one in articles])
    weight = np.concatenate(
        [one.weight[one.usable] / np.sqrt(max(1, one.usable.sum())) for one in articles]
    )
    directions = [1 if name in RISING else -1 if name in FALLING else 0 for name in FEATURE_NAMES]
    fitted = HistGradientBoostingClassifier(
        max_iter=90,
        learning_rate=0.12,
        max_leaf_nodes=12,
        min_samples_leaf=30,
        l2_regularization=2.0,
        max_features=0.5,
        monotonic_cst=directions,
        early_stopping=False,
        random_state=SEED,
    ).fit(matrix, label, sample_weight=weight / weight.mean())
    return Trees.of(fitted, np.arange(len(FEATURE_NAMES)))


def choose_thresholds(
    articles: Sequence[PairRows], probability: Sequence[NDArray[np.float64]]
) -> Thresholds:
    """The lowest of the grid that is precise enough and takes few posts of the other side, on all articles
    together; the highest where none is."""
    score = np.concatenate([one[rows.usable] for one, rows in zip(probability, articles, strict=True)])
    label = np.concatenate([rows.label[rows.usable] for rows in articles])
    other = np.concatenate([rows.other_stated[rows.usable] for rows in articles])
    confirmed = float(GRID[-1])
    for threshold in GRID:
        flagged = score >= threshold
        if (
            flagged.any()
            and label[flagged].mean() >= PRECISION
            and (not other.any() or flagged[other].mean() <= OTHER_STATED)
        ):
            confirmed = float(threshold)
            break
    suggested = float(np.quantile(score[label], 1.0 - SUGGESTED_RECALL)) if label.any() else confirmed
    return Thresholds(suggested=round(min(max(suggested, 0.1), confirmed / 2), 4), confirmed=confirmed)


def pack_pairs(fitted: PairFit) -> dict[str, NDArray[Any]]:
    """All that is learnt, as arrays."""
    return {
        **{f"pairs_{name}": column for name, column in fitted.trees.columns.items()},
        "pairs_sizes": fitted.trees.sizes,
        "pairs_baseline": np.array([fitted.trees.baseline]),
        "calibration": np.array([fitted.slope, fitted.shift]),
    }
