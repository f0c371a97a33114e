"""The trained model of pairs: the probability that a statement states one side of a fact."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import artifact_files
from models.artifact_files import Manifest
from models.classifier import probability_of
from models.trees import FIELDS, Trees
from streams.errors import BadArtifact
from streams.matching.grade import Thresholds
from streams.matching.pair_features import FEATURE_NAMES

PAIRS_DIR = Path(__file__).parent / "artifact" / "pairs"
SUGGESTED, CONFIRMED = "suggested", "confirmed"


class PairModel:
    """`probability` takes rows of `streams.matching.pair_features`."""

    def __init__(self, arrays: dict[str, NDArray[Any]], manifest: Manifest) -> None:
        self.version = manifest.version
        self.manifest = manifest
        self.thresholds = Thresholds(
            suggested=manifest.thresholds[SUGGESTED], confirmed=manifest.thresholds[CONFIRMED]
        )
        columns = {name: arrays[f"pairs_{name}"] for name in FIELDS}
        baseline = float(arrays["pairs_baseline"][0])
        self._trees = Trees(columns, arrays["pairs_sizes"], baseline, len(FEATURE_NAMES))
        self._slope, self._shift = (float(value) for value in arrays["calibration"].ravel())

    def probability(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrated, by row. Shape (n, features) -> (n,). A row's does not depend on those beside it."""
        if rows.ndim != 2 or rows.shape[1] != len(FEATURE_NAMES):
            raise ValueError(f"rows of {len(FEATURE_NAMES)} features wanted, got shape {rows.shape}")
        return probability_of(self._trees.log_odds(rows) * self._slope + self._shift)


def load_pair_model(directory: Path | str | None = None) -> PairModel:
    """The model of `directory`, by default the one that comes with the program. Raises `BadArtifact` if
    the file is not what its manifest says or was trained on other features."""
    arrays, manifest = artifact_files.read(Path(directory) if directory is not None else PAIRS_DIR)
    return from_arrays(arrays, manifest)


def from_arrays(arrays: dict[str, NDArray[Any]], manifest: Manifest) -> PairModel:
    if manifest.feature_names != FEATURE_NAMES:
        odd = sorted(set(manifest.feature_names) ^ set(FEATURE_NAMES))
        which = ", ".join(odd[:5]) if odd else "their order"
        raise BadArtifact(
            f"pair model {manifest.version} was trained on other features ({which}):"
            " train anew with `python -m models.train_pairs`"
        )
    try:
        return PairModel(arrays, manifest)
    except (LookupError, ValueError, TypeError, OverflowError) as err:
        raise BadArtifact(f"pair model {manifest.version} is incomplete ({err}): train anew") from err
