"""Which threshold an edit meets: by what is known of its page, and by what it changes."""

from __future__ import annotations

from math import log1p, nan

import numpy as np
import pytest

from models.classifier import load_classifier
from models.features import FEATURE_NAMES
from models.situations import BUDGET, SITUATIONS, Situation, situations
from models.word_features import WORD_HISTORY_NAMES

AT = {name: at for at, name in enumerate(FEATURE_NAMES)}


def row(**known: float) -> list[float]:
    """A row of an edit with texts on a page whose history is known, unless `known` says otherwise."""
    values = dict.fromkeys(FEATURE_NAMES, 0.0)
    values.update(known)
    return [values[name] for name in FEATURE_NAMES]


def of(**known: float) -> Situation:
    return SITUATIONS[situations(np.array([row(**known)]))[0]]


NO_HISTORY = dict.fromkeys(WORD_HISTORY_NAMES, nan)


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({"added_words": nan}, Situation.METADATA),
        ({"page_reverted_share": nan}, Situation.COLD_OTHER),
        (NO_HISTORY, Situation.COLD_OTHER),
        ({**NO_HISTORY, "number_swaps": log1p(1)}, Situation.COLD_FACT),
        ({}, Situation.QUIET_OTHER),
        ({"name_swaps": log1p(1)}, Situation.QUIET_FACT),
        ({"page_reverted_share": 2 / 15}, Situation.QUIET_OTHER),
        ({"page_reverted_share": 3 / 15}, Situation.BUSY_OTHER),
        ({"page_reverted_share": 3 / 15, "number_swaps": log1p(2)}, Situation.BUSY_FACT),
        ({"delete_only": 1.0, "removed_characters": log1p(101)}, Situation.QUIET_FACT),
        ({"delete_only": 1.0, "removed_characters": log1p(99)}, Situation.QUIET_OTHER),
        ({"removed_characters": log1p(101)}, Situation.QUIET_OTHER),
    ],
)
def test_situations(known: dict[str, float], expected: Situation) -> None:
    assert of(**known) is expected


def test_rows_are_told_apart_each_for_itself() -> None:
    matrix = np.array([row(added_words=nan), row(), row(page_reverted_share=0.2)])
    together = [SITUATIONS[at] for at in situations(matrix)]
    assert together == [Situation.METADATA, Situation.QUIET_OTHER, Situation.BUSY_OTHER]


def test_the_committed_model_has_a_threshold_for_each() -> None:
    classifier = load_classifier()
    assert set(classifier.manifest.thresholds) == set(SITUATIONS) == set(BUDGET)
    matrix = np.array([row(added_words=nan), row(number_swaps=log1p(1))])
    expected = [classifier.manifest.thresholds[name] for name in ("metadata", "quiet, fact")]
    assert classifier.thresholds(matrix).tolist() == expected
    assert all(0 < threshold < 1 for threshold in expected)
