"""What an alert says of its edit, worked out only when an alert asks."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence

from streams.records import Edit, FactChange, Reason
from streams.runners.scorer import Scorer
from streams.stages.diff import TextDelta
from streams.stages.facts import fact_changes

#: Log-odds from which the wiki's own shift is told: odds by two thirds more, or by two fifths less.
STRONG_SHIFT = 0.5
log = logging.getLogger("factwatch.processor")


class BatchReasons:
    """Worked out when an alert first asks, together with those that later alerts will likely ask for:
    a call costs more than the rows in it."""

    def __init__(self, scorer: Scorer, rows: Sequence[list[float]], likely: Sequence[int]) -> None:
        self._scorer = scorer
        self._rows = rows
        self._likely = likely
        self._known: dict[int, tuple[Reason, ...]] = {}

    def of(self, row: int) -> tuple[Reason, ...]:
        if row not in self._known:
            asked = [row, *(at for at in self._likely if at > row)]
            self._likely = ()
            found = self._scorer.reasons_of([self._rows[at] for at in asked])
            self._known.update(zip(asked, found, strict=True))
        return self._known[row]


class EditEvidence:
    """Implements `Evidence` of `decide` for one edit; `row` is its index in the batch."""

    def __init__(
        self,
        reasons: BatchReasons,
        row: int,
        edit: Edit,
        delta: TextDelta | None,
        own_shift: float = 0.0,
    ) -> None:
        self._reasons = reasons
        self._row = row
        self._edit = edit
        self._delta = delta
        self._own_shift = own_shift

    def reasons(self) -> tuple[Reason, ...]:
        """Strongest first: the model's, and what the wiki's own reverts add or take, where that is much: the
        difference between the log-odds of the two risks."""
        found = self._reasons.of(self._row)
        if abs(self._own_shift) < STRONG_SHIFT:
            return found
        odds = math.exp(self._own_shift)
        how = "oftener" if odds > 1 else "more rarely"
        text = f"edits scored like this one are reverted {how} on this wiki than elsewhere (odds × {odds:.2g})"
        own = Reason("own_reverts", odds, self._own_shift, text)
        return tuple(sorted((*found, own), key=lambda reason: -abs(reason.contribution)))

    @property
    def with_content(self) -> bool:
        return self._delta is not None

    def fact_changes(self) -> tuple[FactChange, ...]:
        try:
            delta = self._delta
            return fact_changes(self._edit, delta if delta is not None else TextDelta([], [], ()))
        except Exception:  # an alert without its sentences is better than no alert
            log.exception("no fact changes of revision %d", self._edit.rev_id)
            return ()
