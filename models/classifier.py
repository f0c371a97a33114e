"""The trained classifier: calibrated revert risk for a batch of rows, and the reasons of one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models import artifact_files
from models.artifact_files import Manifest
from models.calibration import Calibration
from models.embedding import EmbeddingWeights
from models.features import FEATURE_NAMES, KNOWN_WITH_CONTENT, extract, matrix_of, metadata_features
from models.reasons import explain
from models.situations import SITUATIONS, AskedAbout, changes_facts, situations
from models.text import BUCKETS, TextModel
from models.trees import FIELDS, Trees
from models.word_vectors import DIMENSIONS
from streams.errors import BadArtifact
from streams.records import Edit, Reason
from streams.stages.diff import TextDelta
from streams.state.page import PageView
from streams.state.performer import PerformerView
from streams.state.words import WordMemory

_CONTENT_AT = FEATURE_NAMES.index(KNOWN_WITH_CONTENT)
_NEW_WORDS_AT, _CAME_AT = FEATURE_NAMES.index("new_words"), FEATURE_NAMES.index("net_added")
SMALLEST = 1e-12
"""Probability that still has its log-odds."""
TOWARDS = 1 / 3
"""Where an artifact has no thresholds of pages asked about: how far it goes from that of the first score to
that of a page which was followed. The latter keeps pages quiet that are vandalised daily."""
ARTIFACT_DIR = Path(__file__).parent / "artifact"


class _Part(NamedTuple):
    trees: Trees
    calibration: Calibration

    def of(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.calibration.of(self.trees.log_odds(matrix), matrix)


class Classifier:
    """`score` takes a `matrix` of rows, of `row` or of `extract`."""

    def __init__(self, arrays: dict[str, NDArray[Any]], manifest: Manifest) -> None:
        self.version = manifest.version
        self.feature_names = manifest.feature_names
        self.threshold = manifest.threshold
        self._thresholds = np.array([manifest.thresholds.get(name, 1.0) for name in SITUATIONS])
        self._asked = [manifest.thresholds.get(name) for name in AskedAbout]
        self.manifest = manifest
        embedding = EmbeddingWeights(
            arrays["embedding_came"], arrays["embedding_went"], float(arrays["embedding_bias"][0])
        )
        self.text = TextModel(arrays["text_weights"], float(arrays["text_bias"][0]), embedding)
        full, bare, difference = (Calibration(*one) for one in arrays["calibration"].tolist())
        width = len(self.feature_names)
        self._full = _Part(_trees(arrays, "trees", width), full)
        self._difference = _Part(_trees(arrays, "difference", width), difference)
        self._bare = _Part(_trees(arrays, "bare", width), bare)
        self.reference: NDArray[np.float64] = np.asarray(arrays["reference"], dtype=np.float64)

    def row(
        self,
        edit: Edit,
        delta: TextDelta | None,
        page: PageView | None,
        performer: PerformerView | None,
        words: WordMemory | None,
    ) -> list[float]:
        """One row, with the part on words; without a `delta` only the columns that need none. `words`
        stands at the parent revision."""
        if delta is None:
            return metadata_features(edit, page, performer)
        return extract(edit, delta, page, performer, words, self.text)

    def matrix(self, rows: Sequence[list[float]]) -> NDArray[np.float64]:
        """Shape (n, features)."""
        return matrix_of(rows)

    def score(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrated probability of being reverted, by row. Shape (n, features) -> (n,)."""
        return probability_of(self.log_odds(matrix))

    def thresholds(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """revert_risk from which each row's edit is suspect, by what is known of it."""
        found: NDArray[np.float64] = self._thresholds[situations(matrix)]
        return found

    def asked_thresholds(
        self, met: NDArray[np.float64], known: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """The same of edits whose page's recent history was asked for: their rows as they were met, and
        with it."""
        fact, other = self._asked
        if fact is not None and other is not None:
            return np.where(changes_facts(met), fact, other)
        first = self.thresholds(met)
        return first + TOWARDS * (self.thresholds(known) - first)

    def log_odds(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrated log-odds. Rows without content go to a small model of their own, those of which only
        the difference is known to trees of their own."""
        if matrix.ndim != 2 or matrix.shape[1] != len(self.feature_names):
            raise ValueError(
                f"rows of {len(self.feature_names)} features wanted, got shape {matrix.shape}"
            )
        if not len(matrix):
            return np.zeros(0)
        bare = np.isnan(matrix[:, _CONTENT_AT])
        alone = is_difference_alone(matrix)
        scores = np.empty(len(matrix))
        for part, rows in (
            (self._full, ~(bare | alone)),
            (self._difference, alone),
            (self._bare, bare),
        ):
            if rows.all():
                return part.of(matrix)
            if rows.any():
                scores[rows] = part.of(matrix[rows])
        return scores

    def reasons_of(self, rows: Sequence[list[float]] | NDArray[np.float64]) -> list[tuple[Reason, ...]]:
        """Of each row, three to five features that raised its score most, strongest first; fewer where
        fewer did. Each contribution is the log-odds lost when the feature is set to its usual value."""
        return explain(self.log_odds, matrix_of(rows), self.reference)


def is_difference_alone(matrix: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Of which rows nothing is known of the page, not its words as they were before the edit either: how many
    of those that came are new to it is always known else. Shape (n, features) -> (n,)."""
    return np.isnan(matrix[:, _NEW_WORDS_AT]) & ~np.isnan(matrix[:, _CAME_AT])


def _trees(arrays: dict[str, NDArray[Any]], prefix: str, features: int) -> Trees:
    columns = {name: arrays[f"{prefix}_{name}"] for name in FIELDS}
    return Trees(columns, arrays[f"{prefix}_sizes"], float(arrays[f"{prefix}_baseline"][0]), features)


def probability_of(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logistic function, finite for any input."""
    probability: NDArray[np.float64] = 1.0 / (1.0 + np.exp(-np.clip(log_odds, -40.0, 40.0)))
    return probability


def log_odds_of(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """The other way round; finite for 0 and 1 too."""
    inside = np.clip(probability, SMALLEST, 1.0 - SMALLEST)
    found: NDArray[np.float64] = np.log(inside / (1.0 - inside))
    return found


def load_classifier(directory: Path | str | None = None) -> Classifier:
    """The classifier of `directory`, by default the one that comes with the program. Raises
    `BadArtifact` if the file is not what its manifest says or was trained on other features."""
    arrays, manifest = artifact_files.read(Path(directory) if directory is not None else ARTIFACT_DIR)
    return from_arrays(arrays, manifest)


def from_arrays(arrays: dict[str, NDArray[Any]], manifest: Manifest) -> Classifier:
    if manifest.feature_names != FEATURE_NAMES:
        odd = sorted(set(manifest.feature_names) ^ set(FEATURE_NAMES))
        which = ", ".join(odd[:5]) if odd else "their order"
        raise BadArtifact(
            f"model {manifest.version} was trained on other features ({which}): train anew"
        )
    try:
        if arrays["text_weights"].shape != (BUCKETS,):
            raise BadArtifact(f"model {manifest.version} hashes words otherwise: train anew")
        if not arrays["embedding_came"].shape == arrays["embedding_went"].shape == (DIMENSIONS,):
            raise BadArtifact(f"model {manifest.version} weighs word vectors otherwise: train anew")
        if arrays["reference"].shape != (len(FEATURE_NAMES),):
            raise BadArtifact(
                f"model {manifest.version} has reference values of other features: train anew"
            )
        return Classifier(arrays, manifest)
    except (LookupError, ValueError, TypeError, OverflowError) as err:
        raise BadArtifact(f"model {manifest.version} is incomplete ({err}): train anew") from err
