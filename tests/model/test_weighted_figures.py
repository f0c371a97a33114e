"""Figures over edits that stand for several: as if each were there as often as it stands for."""

from __future__ import annotations

import numpy as np
import pytest

from models import figures
from models.weighted_figures import Ranking, calibration_error

RANDOM = np.random.default_rng(5)
DAMAGING = RANDOM.random(300) < 0.2
SCORE = np.round(np.clip(RANDOM.normal(0.3 + 0.2 * DAMAGING, 0.2), 0, 0.999), 2)  # many are equal
TIMES = RANDOM.integers(0, 5, 300)
EACH = np.repeat(np.arange(300), TIMES)


def test_roc_is_that_of_the_edits_repeated() -> None:
    wanted = figures.roc_auc(DAMAGING[EACH], SCORE[EACH])
    assert Ranking(DAMAGING, SCORE).roc_auc(TIMES.astype(float)) == pytest.approx(wanted)


@pytest.mark.parametrize("rate", [0.0, 0.01, 0.1, 0.5, 1.0])
def test_recall_keeps_to_the_rate_and_flags_all_that_it_may(rate: float) -> None:
    recall = Ranking(DAMAGING, SCORE).recall_at(TIMES.astype(float), rate)
    label, score = DAMAGING[EACH], SCORE[EACH]
    best = max(
        (label & (score >= at)).sum() / label.sum()
        for at in [*np.unique(score), 2.0]
        if (~label & (score >= at)).sum() <= rate * (~label).sum()
    )
    assert recall == pytest.approx(best)


def test_calibration_error_is_that_of_the_edits_repeated() -> None:
    wanted = figures.calibration_error(DAMAGING[EACH], SCORE[EACH])
    assert calibration_error(DAMAGING, SCORE, TIMES.astype(float)) == pytest.approx(wanted)


def test_without_both_kinds_nothing_is_known() -> None:
    ranking = Ranking(np.zeros(3, dtype=bool), np.array([0.1, 0.2, 0.3]))
    assert np.isnan(ranking.roc_auc(np.ones(3)))
    assert np.isnan(ranking.recall_at(np.ones(3), 0.1))
