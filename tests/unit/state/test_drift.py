"""How far the edits of now are from those of training."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from streams.state.drift import (
    Against,
    Distribution,
    Drift,
    DriftReference,
    distribution_of,
    stability_index,
)

TRAINING, FIRST = Against.TRAINING, Against.FIRST
NAMES = ("size", "known", "rare")


def normal(count: int, *, seed: int = 1, mean: float = 0.0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(mean, 1.0, count)


def test_the_index_is_that_of_the_formula() -> None:
    reference = Distribution((0.5,), (0.8, 0.2))
    values = np.array([0.1] * 60 + [0.9] * 40)
    expected = (0.6 - 0.8) * math.log(0.6 / 0.8) + (0.4 - 0.2) * math.log(0.4 / 0.2)
    assert stability_index(reference, values) == pytest.approx(expected)


def test_a_value_at_an_edge_is_behind_it() -> None:
    spread = distribution_of(np.array([0.0] * 80 + [1.0] * 20))
    assert dict(zip((-math.inf, *spread.edges), spread.shares, strict=True)) == {
        -math.inf: 0.0,
        0.0: 0.8,
        1.0: 0.2,
    }
    assert stability_index(spread, np.array([0.0] * 8 + [1.0] * 2)) == pytest.approx(0.0, abs=1e-12)


def test_the_same_spread_gives_next_to_nothing_and_a_shift_gives_much() -> None:
    reference = distribution_of(normal(20_000))
    assert stability_index(reference, normal(10_000, seed=2)) < 0.01
    assert 0.1 < stability_index(reference, normal(10_000, seed=2, mean=0.5)) < 0.4
    assert stability_index(reference, normal(10_000, seed=2, mean=3.0)) > 2


def test_texts_that_stop_coming_show_as_missing_values() -> None:
    before = normal(10_000)
    before[:500] = math.nan
    reference = distribution_of(before)
    assert reference.missing == pytest.approx(0.05)
    now = normal(10_000, seed=3)
    now[:500] = math.nan
    assert stability_index(reference, now) < 0.01
    now[:8_000] = math.nan
    assert stability_index(reference, now) > 1
    assert stability_index(reference, np.full(10, math.nan)) > 1


def test_what_never_was_there_before_is_no_infinity() -> None:
    reference = Distribution((), (0.0,), 1.0)
    index = stability_index(reference, np.ones(100))
    assert math.isfinite(index)
    assert index > 1


def reference_with(**spreads: Distribution) -> DriftReference:
    return DriftReference(distribution_of(np.linspace(0, 1, 1_000)), spreads)


def rows(count: int, seed: int, *, size: float = 0.0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(count, 3))
    matrix[:, 0] += size
    return matrix, rng.random(count)


def test_only_the_last_edits_count_whatever_batches_they_came_in() -> None:
    reference = reference_with(size=distribution_of(normal(20_000)))
    whole, pieces = (Drift(NAMES, reference, window=3_000, enough=1_000) for _ in range(2))
    old, new = rows(5_000, 1, size=4.0), rows(3_000, 2)
    matrix, scores = np.concatenate((old[0], new[0])), np.concatenate((old[1], new[1]))
    whole.add(matrix, scores)
    for at in range(0, len(scores), 700):
        pieces.add(matrix[at : at + 700], scores[at : at + 700])
    assert whole.of_feature("size", TRAINING) == pytest.approx(
        stability_index(reference.features["size"], new[0][:, 0])
    )
    assert pieces.of_feature("size", TRAINING) == pytest.approx(whole.of_feature("size", TRAINING))
    assert pieces.of_score(TRAINING) == pytest.approx(stability_index(reference.score, new[1]))


def test_the_column_is_found_by_name() -> None:
    drift = Drift(NAMES, reference_with(rare=distribution_of(normal(20_000))), enough=100)
    matrix, scores = rows(2_000, 1, size=50.0)
    drift.add(matrix, scores)
    assert drift.features == ("rare",)
    assert drift.of_feature("rare", TRAINING) < 0.05


def test_nothing_is_said_of_too_few_edits() -> None:
    drift = Drift(NAMES, reference_with(size=distribution_of(normal(100))), enough=100)
    drift.add(*rows(99, 1))
    assert math.isnan(drift.of_score(TRAINING))
    assert math.isnan(drift.of_feature("size", TRAINING))
    drift.add(*rows(1, 2))
    assert math.isfinite(drift.of_score(TRAINING))
    assert math.isfinite(drift.of_feature("size", TRAINING))


def test_a_model_without_a_reference_has_no_drift_from_its_training() -> None:
    drift = Drift(NAMES, None)
    drift.add(*rows(5_000, 1))
    assert drift.features == ()
    assert math.isnan(drift.of_score(TRAINING))


def test_the_first_full_window_is_what_later_ones_are_held_against() -> None:
    drift = Drift(NAMES, None, window=3_000, enough=1_000)
    drift.add(*rows(2_999, 1))
    assert drift.first is None
    assert math.isnan(drift.of_score(FIRST))
    drift.add(*rows(1, 2))
    first = drift.first
    assert first is not None
    assert drift.of_score(FIRST) == pytest.approx(0.0, abs=1e-9)
    matrix, scores = rows(3_000, 3)
    drift.add(matrix, scores)
    assert 0 < drift.of_score(FIRST) < 0.02
    drift.add(matrix, scores / 2)
    assert drift.of_score(FIRST) > 0.25
    assert drift.first is first


def test_a_decline_among_low_scores_shows_against_the_first_edits_alone() -> None:
    """Live scores share the first bin of training's."""
    drift = Drift(NAMES, reference_with(), window=3_000)
    matrix, scores = rows(3_000, 1)
    drift.add(matrix, scores / 20)
    before = drift.of_score(TRAINING)
    drift.add(matrix, scores / 40)
    assert drift.of_score(TRAINING) == pytest.approx(before)
    assert drift.of_score(FIRST) > 1


def test_features_are_held_against_the_first_edits_too() -> None:
    drift = Drift(NAMES, reference_with(size=distribution_of(normal(9))), window=3_000)
    drift.add(*rows(3_000, 1, size=7.0))
    drift.add(*rows(3_000, 2, size=7.0))
    assert drift.of_feature("size", FIRST) < 0.02
    assert drift.of_feature("size", TRAINING) > 1


def test_what_an_earlier_run_found_goes_on() -> None:
    earlier = Drift(NAMES, None, window=3_000)
    earlier.add(*rows(3_000, 1))
    drift = Drift(NAMES, None, earlier.first, window=3_000)
    matrix, scores = rows(3_000, 2)
    drift.add(matrix, scores / 2)
    assert drift.first == earlier.first
    assert drift.of_score(FIRST) > 0.25


def test_first_edits_of_other_features_are_none_of_this_model() -> None:
    earlier = Drift(NAMES, None, window=3_000)
    earlier.add(*rows(3_000, 1))
    drift = Drift(NAMES, reference_with(size=distribution_of(normal(9))), earlier.first)
    assert drift.first is None


@pytest.mark.parametrize(
    "spread",
    [
        {"edges": [1.0], "shares": [1.0]},
        {"edges": [1.0, 1.0], "shares": [0.5, 0.25, 0.25]},
        {"edges": [2.0, 1.0], "shares": [0.5, 0.25, 0.25]},
        {"edges": [1.0], "shares": [0.5, 0.4]},
        {"edges": [1.0], "shares": [1.5, -0.5]},
        {"edges": [1.0], "shares": [0.5, 0.5], "missing": 0.5},
    ],
)
def test_a_spread_that_can_not_be_is_refused(spread: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(spread, Distribution)
