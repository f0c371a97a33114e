"""A page partition's own edits, counted by wiki and day: what it tells all partitions of a day when it is
over, and what their sums shift the scores of its edits by.

Counts are those of the partition's log of edits, from which a start makes them anew: an edit is counted where it
is logged, by its mark. So with a page that moves, they move.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import numpy as np

from models.classifier import log_odds_of
from models.own_calibration import DAY_S, LAG_DAYS, SHAPE, Cells, bin_of, bins_of
from streams.runners.own_counts import (
    WIKIS,
    BatchEdits,
    Floats,
    cells_of,
    counts_of,
    numbered,
    sparse,
)
from streams.runners.partitions.edit_log import UnitEdits
from streams.runners.partitions.own_sums import OwnSumsReplica
from streams.runners.partitions.wire import OwnPart
from streams.runners.step import Step
from streams.store.batch import ANONYMOUS, LabelRow
from streams.store.changelog import NOT_COUNTED, LoggedEdit, Mark, Meta
from streams.store.own_rows import Key, OwnDay
from streams.store.partitions import PartitionStore

#: Edits of the log that a start counts at once.
_COUNTED_AT_ONCE = 65_536


class OwnEdits:
    """Implements `FollowsOwn` for batches whose records all came on one day; beside that, it is told of their
    labels and of pages that move. A day is told once, before anything of the day `LAG_DAYS` later is met."""

    def __init__(
        self, store: PartitionStore, meta: Meta, sums: OwnSumsReplica, *, partition: int, shifts: bool
    ) -> None:
        """`meta` is the one that will be written. `shifts`: whether any score is shifted."""
        self._meta = meta
        self._sums = sums
        self._partition = partition
        self._shifts = shifts
        self._days: dict[int, dict[str, Cells]] = {}
        self.too_far_ahead: set[int] = set()
        """Of the batch that was followed last: rows of edits that are not counted."""
        if meta.own_model != sums.model:
            meta.own_model, meta.own_row = sums.model, meta.next_row
        self._count_log(store)

    @property
    def model(self) -> str:
        return self._sums.model

    # -- as the stages meet it ---------------------------------------------------------------------

    def follow(self, steps: Sequence[Step], risks: Floats, labels: Sequence[LabelRow]) -> Floats:
        self.too_far_ahead.clear()
        added = np.zeros(len(risks))
        if not steps:
            return added
        edits, now = BatchEdits(steps, risks), slice(0, len(steps))
        today = int(steps[0].passed // DAY_S)
        if self._shifts:
            added = edits.shifts(now, partial(self._sums.shift, today))
        for wiki, day, cells in edits.counts(now, today):
            self._cells(day, wiki)[:] += cells
        self.too_far_ahead.update(edits.too_far_ahead(now, today))
        return added

    def changed(self) -> dict[Key, OwnDay | None]:
        """Nothing: it is all in the log of edits."""
        return {}

    def committed(self) -> None:
        pass

    # -- what became of edits ----------------------------------------------------------------------

    def take_labels(self, labels: Iterable[LabelRow], unit: UnitEdits) -> None:
        """Of one unit of work."""
        reverted: dict[int, bool] = {}
        for label in sorted(labels, key=lambda label: label.passed):
            edit = unit.get(label.row)
            if edit is None or not self._is_counted(edit):
                continue
            before = reverted.get(label.row)
            if before is None:
                before = unit.was_reverted(label.row)
            reverted[label.row] = after = label.label is not None
            if before != after:
                self._count(edit, before, -1.0)
                self._count(edit, after, 1.0)

    def leave(self, edits: Iterable[tuple[LoggedEdit, bool]]) -> list[tuple[LoggedEdit, bool]]:
        """With a page that moves, and whether they were reverted: as they are told on."""
        told = []
        for edit, reverted in edits:
            if self._is_counted(edit):
                self._count(edit, reverted, -1.0)
            elif edit.row < self._meta.own_row:
                edit.flags |= NOT_COUNTED
            told.append((edit, reverted))
        return told

    def arrive(self, edits: Iterable[tuple[LoggedEdit, bool]]) -> None:
        """With a page that was moved here, by their numbers here."""
        for edit, reverted in edits:
            if self._is_counted(edit):
                self._count(edit, reverted, 1.0)

    def part(self, today: int) -> OwnPart:
        """What is to be told before anything of `today` is met."""
        until = today - LAG_DAYS
        over = sorted(day for day in self._days if day <= until)
        counts = [
            (day, wiki, sparse(np.maximum(cells, 0.0)))
            for day in over
            for wiki, cells in self._days.pop(day).items()
        ]
        self._meta.own_told = until
        return OwnPart(self._partition, until, self.model, counts)

    # -- counting ----------------------------------------------------------------------------------

    def _is_counted(self, edit: LoggedEdit) -> bool:
        """And may still change: its day was not told."""
        return (
            edit.event_time // DAY_S > self._meta.own_told
            and edit.row >= self._meta.own_row
            and not edit.flags & NOT_COUNTED
        )

    def _count(self, edit: LoggedEdit, reverted: bool, times: float) -> None:  # an outcome
        cells = self._cells(int(edit.event_time // DAY_S), edit.key.partition(":")[0])
        cells[edit.flags & ANONYMOUS, bin_of(edit.by_model), int(reverted)] += times

    def _cells(self, day: int, wiki: str) -> Cells:
        wikis = self._days.setdefault(day, {})
        found = wikis.get(wiki)
        if found is None:
            found = np.zeros(SHAPE)
            if len(wikis) < WIKIS:
                wikis[wiki] = found
        return found

    def _count_log(self, store: PartitionStore) -> None:
        marks = store.marks()
        waiting: list[LoggedEdit] = []
        for _, chunk in store.chunks(self._meta.own_row):
            waiting += chunk
            if len(waiting) >= _COUNTED_AT_ONCE:
                self._count_all(waiting, marks)
                waiting = []
        self._count_all([*waiting, *store.arrived_edits()], marks)

    def _count_all(self, edits: Iterable[LoggedEdit], marks: Mapping[int, bytes]) -> None:
        counted = [edit for edit in edits if self._is_counted(edit) and marks.get(edit.row) != Mark.GONE]
        if not counted:
            return
        wikis, of = numbered([edit.key.partition(":")[0] for edit in counted])
        days = np.array([edit.event_time // DAY_S for edit in counted], dtype=np.intp)
        flags = np.array([edit.flags for edit in counted], dtype=np.intp) & ANONYMOUS
        reverted = [marks.get(edit.row) == Mark.REVERTED for edit in counted]
        bins = bins_of(log_odds_of(np.array([edit.by_model for edit in counted])))
        cells = cells_of(flags, bins, np.array(reverted, dtype=np.intp))
        for number, day, counts in counts_of(of, days, cells):
            self._cells(day, wikis[number])[:] += counts
