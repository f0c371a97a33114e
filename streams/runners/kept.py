"""Which edits have stood long enough to count as kept, found by one look at the oldest unlabelled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from streams.state.watermark import STEP_S
from streams.store.batch import KEPT_AFTER_S, KeptRows

#: Rows looked at in one commit: more wait for the next.
SCAN = 4_096


class EditLog(Protocol):
    def rows_from(self, row: int, limit: int) -> list[tuple[int, int, float]]: ...

    def kept_row(self) -> int: ...


class KeptSweep:
    """Follows the log of edits in the order they were scored, and stops at the first that is not due:
    event times in it lie at most hours apart, and being late by that much costs nothing. One that lies
    implausibly far ahead is passed over and never labelled: a clock was wrong."""

    def __init__(self, log: EditLog) -> None:
        self._log = log
        self._row = log.kept_row()
        self._next: tuple[int, float] | None = None

    def due(self, time_of_page: Callable[[int], float]) -> KeptRows | None:
        """What to label now; None when there is nothing. `time_of_page` is the event time that has
        passed for a page, by its id."""
        if self._next is not None:
            page, event_time = self._next
            if event_time + KEPT_AFTER_S > time_of_page(page):
                return None
        below = self._row
        latest = 0.0
        self._next = None
        for row, page, event_time in self._log.rows_from(self._row, SCAN):
            passed = time_of_page(page)
            if event_time + KEPT_AFTER_S <= passed:
                latest = max(latest, event_time)
            elif event_time <= passed + STEP_S:
                self._next = (page, event_time)
                break
            below = row + 1
        if below == self._row:
            return None
        first, self._row = self._row, below
        return KeptRows(first, below, latest)
