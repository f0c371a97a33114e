"""The part of a manifest that live edits are held against."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from models.classifier import load_classifier
from models.features import FEATURE_NAMES
from models.reference import reference_of
from streams.state.drift import Against, Drift, DriftReference

NAMES = FEATURE_NAMES[3:13]


def edits(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Some features with many values, some with two, some often missing."""
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(count, len(FEATURE_NAMES)))
    matrix[:, ::3] = matrix[:, ::3] > 1
    matrix[rng.random(count) < 0.2, 4] = np.nan
    return matrix, rng.beta(0.4, 6, count)


def test_more_of_the_same_edits_show_no_drift_even_by_way_of_a_manifest() -> None:
    reference = reference_of(*edits(20_000, 1), NAMES)
    read = msgspec.json.decode(msgspec.json.encode(reference), type=DriftReference)
    assert read == reference
    drift = Drift(FEATURE_NAMES, read)
    drift.add(*edits(10_000, 2))
    assert set(drift.features) == set(NAMES)
    assert drift.of_score(Against.TRAINING) < 0.01
    assert all(drift.of_feature(name, Against.TRAINING) < 0.01 for name in NAMES)


def test_a_model_that_scores_everything_lower_shows_drift() -> None:
    reference = reference_of(*edits(20_000, 1), NAMES)
    drift = Drift(FEATURE_NAMES, reference)
    matrix, scores = edits(10_000, 2)
    drift.add(matrix, scores / 2)
    assert drift.of_score(Against.TRAINING) > 0.1
    assert all(drift.of_feature(name, Against.TRAINING) < 0.01 for name in NAMES)


def test_what_is_no_feature_is_refused() -> None:
    with pytest.raises(ValueError, match="not in"):
        reference_of(*edits(10, 1), ["no such feature"])
    with pytest.raises(ValueError, match="rows of"):
        reference_of(np.empty((0, len(FEATURE_NAMES))), np.empty(0), NAMES)
    with pytest.raises(ValueError, match="rows of"):
        reference_of(np.ones((5, 3)), np.ones(5), NAMES)


def test_the_model_in_use_loads_with_a_reference_or_without() -> None:
    manifest = load_classifier().manifest
    if manifest.reference is not None:
        assert set(manifest.reference.features) <= set(FEATURE_NAMES)
