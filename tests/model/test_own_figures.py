"""Figures with a wiki's own settled edits followed stand beside those of the model as it is."""

from __future__ import annotations

import numpy as np
import pytest

from models.classifier import load_classifier, log_odds_of, probability_of
from models.own_calibration import DAY_S, followed
from models.own_figures import own_figures


def test_each_wiki_follows_its_own_edits_alone() -> None:
    """One reverts much more than the model thinks, the other much less: pooled, nothing would be seen."""
    random = np.random.default_rng(5)
    score = probability_of(random.normal(-1.5, 1.0, 8_000))
    wikis = ["aawiki", "bbwiki"] * 4_000
    much = np.array(wikis) == "aawiki"
    reverted = random.random(8_000) < probability_of(log_odds_of(score) + np.where(much, 1.2, -1.2))
    anonymous = random.random(8_000) < 0.5
    event_time = np.sort(random.random(8_000)) * 300 * DAY_S
    found = own_figures(score, anonymous, reverted, event_time, wikis)
    assert found["everybody"].edits == 8_000
    assert found["anonymous"].edits == anonymous.sum()
    for own in found.values():
        assert own.own_roc_auc is not None
        assert own.roc_auc is not None
        assert own.own_calibration_error is not None
        assert own.own_roc_auc > own.roc_auc + 0.05
        assert own.own_calibration_error < 0.03
    alone = followed(log_odds_of(score[much]), anonymous[much], reverted[much], event_time[much])
    only = own_figures(
        score[much], anonymous[much], reverted[much], event_time[much], ["aawiki"] * int(much.sum())
    )
    told = only["everybody"].own_calibration_error
    assert told is not None
    error = abs(float(probability_of(alone).mean()) - float(reverted[much].mean()))
    assert told >= error - 1e-4


def test_nothing_is_told_of_nothing() -> None:
    found = own_figures(
        np.array([0.5]), np.array([False]), np.array([True]), np.array([0.0]), ["aawiki"]
    )
    assert found["everybody"].roc_auc is None
    assert found["everybody"].calibration_error == pytest.approx(0.5)
    assert found["anonymous"].own_calibration_error is None


def test_log_odds_and_probability_are_each_other_turned_round() -> None:
    log_odds = np.array([-20.0, -3.0, 0.0, 2.5, 20.0])
    assert log_odds_of(probability_of(log_odds)) == pytest.approx(log_odds, rel=1e-6)
    assert np.isfinite(log_odds_of(np.array([0.0, 1.0]))).all()


def test_each_article_left_out_is_calibrated_once_its_own_edits_are_followed() -> None:
    """Of the model that comes with the program, as its card says."""
    left_out = load_classifier().manifest.metrics["left_out"]
    assert len(left_out) == 4
    for one in left_out:
        everybody = one["own_calibration"]["everybody"]
        assert everybody["own_calibration_error"] <= 0.03 < everybody["calibration_error"], one["name"]
        assert everybody["own_roc_auc"] >= everybody["roc_auc"] - 0.005, one["name"]
