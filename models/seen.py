"""Edits as they were when a live model scored them, with what became of each: what to train anew from."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SETTLED_AFTER_S = 48 * 3_600.0
"""Nobody's silence says anything before. Edits younger than this are left out, those already reverted too:
alone they would make every young edit look bad."""


class SeenRows(NamedTuple):
    """Settled edits, oldest first. All arrays of one length."""

    matrix: NDArray[np.float64]
    """A row of `FEATURE_NAMES` each, text scores included."""
    damaging: NDArray[np.bool_]
    """Reverted by another user within 48 h, or so called by a person."""
    weight: NDArray[np.float64]
    """How many edits each stands for."""
    event_time: NDArray[np.float64]
    page: NDArray[np.int64]
    wiki: NDArray[np.str_]
    risk: NDArray[np.float64]
    """As given at the time, by the model alone."""
    model: NDArray[np.str_]
    """Version of who gave it."""
    other_features: int = 0
    """Edits left out, as their rows mean something else than those of the model in use."""
    not_settled: int = 0
    """Edits left out, as nobody knows yet."""

    @property
    def edits(self) -> int:
        return len(self.damaging)

    def at(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> SeenRows:
        """Only these."""
        columns = {name: getattr(self, name)[chosen] for name in _COLUMNS}
        return self._replace(**columns)


_COLUMNS = [name for name in SeenRows._fields if name not in SeenRows._field_defaults]
