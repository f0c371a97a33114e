"""A challenger in shadow: it scores every edit that the model in use scores, and alerts on none. What each of
the two would alert on is kept with the edit, as it was at the time, to be counted when the label is there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from streams.store.batch import CHALLENGER_ALERTS, CHAMPION_ALERTS, EditRow

Matrix = npt.NDArray[np.float64]


class Model(Protocol):
    version: str

    def matrix(self, rows: Sequence[list[float]]) -> Matrix: ...

    def score(self, matrix: Matrix) -> Matrix: ...

    def thresholds(self, matrix: Matrix) -> Matrix: ...


class Shadow:
    def __init__(
        self, champion: Model, challenger: Model, may_alert: Callable[[Matrix], npt.NDArray[np.bool_]]
    ) -> None:
        """Both read the same rows. `may_alert`: which rows' edits can alert at all."""
        self.version = challenger.version
        self._champion = champion
        self._challenger = challenger
        self._may_alert = may_alert

    def beside(self, edits: Sequence[EditRow], rows: Sequence[list[float]]) -> list[EditRow]:
        """The edits with what the challenger says of each. `rows` are their features, in the same order.
        Both are held to their own thresholds, so that neither is judged by what an operator set for one."""
        if not edits:
            return []
        matrix = self._champion.matrix(rows)
        risks = self._challenger.score(matrix)
        may_alert = self._may_alert(matrix)
        given = np.array([edit.by_model for edit in edits])
        flags = np.where(may_alert & (given >= self._champion.thresholds(matrix)), CHAMPION_ALERTS, 0)
        flags |= np.where(
            may_alert & (risks >= self._challenger.thresholds(matrix)), CHALLENGER_ALERTS, 0
        )
        return [
            msgspec.structs.replace(edit, flags=edit.flags | more, challenger_risk=risk)
            for edit, more, risk in zip(edits, flags.tolist(), risks.tolist(), strict=True)
        ]
