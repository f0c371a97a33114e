"""Which threshold an edit meets: by what is known of its page, and by what it changes."""

from __future__ import annotations

from math import log1p, nan

import msgspec
import numpy as np
import pytest

from models import artifact_files
from models.classifier import ARTIFACT_DIR, Classifier, from_arrays, load_classifier
from models.features import FEATURE_NAMES
from models.situations import BUDGET, SITUATIONS, AskedAbout, Situation, situations
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
    assert set(classifier.manifest.thresholds) - set(AskedAbout) == set(SITUATIONS) == set(BUDGET)
    matrix = np.array([row(added_words=nan), row(number_swaps=log1p(1))])
    expected = [classifier.manifest.thresholds[name] for name in ("metadata", "quiet, fact")]
    assert classifier.thresholds(matrix).tolist() == expected
    assert all(0 < threshold < 1 for threshold in expected)


def with_thresholds(**asked: float) -> Classifier:
    arrays, manifest = artifact_files.read(ARTIFACT_DIR)
    thresholds = {"cold, fact": 0.2, "cold, other": 0.5, "busy, fact": 0.8, "busy, other": 0.9, **asked}
    return from_arrays(arrays, msgspec.structs.replace(manifest, thresholds=thresholds))


BUSY = {"page_reverted_share": 0.5}
SWAP = {"number_swaps": log1p(1)}


def test_where_a_page_was_asked_about_what_was_learnt_of_such_decides() -> None:
    classifier = with_thresholds(**{"asked, fact": 0.3, "asked, other": 0.6})
    met = np.array([row(**NO_HISTORY, **SWAP), row(**NO_HISTORY), row(**SWAP)])
    known = np.array([row(**BUSY, **SWAP), row(), row()])
    assert classifier.asked_thresholds(met, known).tolist() == [0.3, 0.6, 0.3]


def test_an_artifact_that_has_learnt_nothing_of_such_goes_a_third_of_the_way() -> None:
    met = np.array([row(**NO_HISTORY, **SWAP), row(**NO_HISTORY)])
    known = np.array([row(**BUSY, **SWAP), row(**BUSY)])
    asked = with_thresholds().asked_thresholds(met, known).tolist()
    assert asked == pytest.approx([0.2 + 0.6 / 3, 0.5 + 0.4 / 3])
