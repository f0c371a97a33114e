"""What the runners want of a classifier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from streams.records import Edit, Reason
from streams.stages.diff import TextDelta
from streams.state.page import PageView
from streams.state.performer import PerformerView
from streams.state.words import WordMemory


class Scorer(Protocol):
    version: str

    def row(
        self,
        edit: Edit,
        delta: TextDelta | None,
        page: PageView | None,
        performer: PerformerView | None,
        words: WordMemory | None,
    ) -> list[float]:
        """The features of an edit, before it is folded into those states."""
        ...

    def matrix(self, rows: Sequence[list[float]]) -> npt.NDArray[np.float64]:
        """What `score` and `thresholds` take, of these rows."""
        ...

    def score(self, matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """revert_risk of each row."""
        ...

    def thresholds(self, matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """revert_risk from which each row's edit is suspect."""
        ...

    def asked_thresholds(
        self, met: npt.NDArray[np.float64], known: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        """The same of edits whose page's recent history was asked for: their rows as they were met, and
        with it."""
        ...

    def reasons_of(self, rows: Sequence[list[float]]) -> Sequence[tuple[Reason, ...]]:
        """Why each row's risk is what it is. A row's reasons do not depend on the rows beside it."""
        ...
