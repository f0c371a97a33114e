"""What a model's manifest says of the edits it was fitted on, for live edits to be held against."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.features import FEATURE_NAMES
from streams.state.drift import Distribution, DriftReference, distribution_of

#: Enough to tell spreads apart; keeps a manifest short to read.
_DIGITS = 6


def reference_of(
    matrix: NDArray[np.float64], scores: NDArray[np.float64], names: Sequence[str]
) -> DriftReference:
    """`matrix` has a row of `FEATURE_NAMES` for each edit, `scores` their revert_risk, best out of fold:
    that of edits a model has seen lies further out than live ones ever will. `names` are the features to
    keep. Raises `ValueError` for one that is no feature, or without any edit."""
    if not len(scores) or matrix.shape != (len(scores), len(FEATURE_NAMES)):
        raise ValueError(f"wants rows of {len(FEATURE_NAMES)} features, got shape {matrix.shape}")
    return DriftReference(
        _rounded(distribution_of(scores)),
        {name: _rounded(distribution_of(matrix[:, FEATURE_NAMES.index(name)])) for name in names},
    )


def _rounded(spread: Distribution) -> Distribution:
    """Edges as they are: what equals one must stay on its side."""
    shares = tuple(round(share, _DIGITS) for share in spread.shares)
    return Distribution(spread.edges, shares, round(spread.missing, _DIGITS))
