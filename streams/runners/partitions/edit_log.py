"""Edits as they were scored, in the changelog until what became of them has been told and counted: for two days,
and until the day that they were made on has been told of (`OwnEdits`)."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from models.own_calibration import DAY_S, LAG_DAYS
from streams.records import SeenFeatures
from streams.runners.partitions.wire import encode
from streams.state.page import EntryFlag, PageState
from streams.store.batch import KEPT_AFTER_S, Batch
from streams.store.changelog import (
    CHUNK,
    NOT_COUNTED,
    TOLD_KEPT,
    Change,
    LoggedEdit,
    Mark,
    key_of,
)
from streams.store.partitions import PartitionStore

#: Chunks looked at in one unit of work for whether they may go.
_DROPPED_AT_ONCE = 64


class UnitEdits:
    """Edits that one unit of work knows of: its own, those that come with pages moved here, and the log."""

    def __init__(
        self,
        store: PartitionStore,
        batch: Batch,
        arrived: Sequence[tuple[LoggedEdit, bool]] = (),
        not_counted: Collection[int] = (),
    ) -> None:
        """`arrived`, by their numbers here, and whether they have been reverted. `not_counted`: rows of the
        batch's edits."""
        self._store = store
        self.arrived = arrived
        self.scored = logged(batch, not_counted)
        self.reverted = {label.row: label.label is not None for label in batch.labels}
        """What the labels of the batch come to, by row."""
        self._arrived = {edit.row: (edit, reverted) for edit, reverted in arrived}
        self._found: dict[int, LoggedEdit | None] = {
            row: edit for row, (edit, _) in self._arrived.items()
        }

    def get(self, row: int) -> LoggedEdit | None:
        """None for one that is not in the log any more."""
        known = self.scored.get(row)
        if known is not None:
            return known
        if row not in self._found:
            self._found[row] = self._store.logged_edit(row)
        return self._found[row]

    def was_reverted(self, row: int) -> bool:
        """Before any label of the batch."""
        if row in self._arrived:
            return self._arrived[row][1]
        return row not in self.scored and self._store.mark(row) == Mark.REVERTED


class EditChunks:
    def __init__(self, store: PartitionStore) -> None:
        self._store = store
        self._arrived: dict[int, LoggedEdit] = {}
        """Few: edits of the last two days of pages that were moved here."""
        self._settled: dict[int, LoggedEdit] = {}
        """Those of them that have had their 48 hours, until their day has been told of."""
        for edit in store.arrived_edits():
            kept = store.mark(edit.row) == Mark.KEPT
            (self._settled if kept else self._arrived)[edit.row] = edit
        self._first = 0
        """No chunk begins before this row."""
        self._held_by = -math.inf
        """Day that the first chunk waits for."""

    def take_in(self, arrived: Sequence[tuple[LoggedEdit, bool]]) -> None:
        """Edits that come with a page, by their numbers here."""
        for edit, _ in arrived:
            stood = edit.flags & TOLD_KEPT
            (self._settled if stood else self._arrived)[edit.row] = edit

    def arrived_due(self, passed: float) -> list[LoggedEdit]:
        """Of those that came with moved pages: what has stood for so long."""
        return [edit for edit in self._arrived.values() if edit.event_time + KEPT_AFTER_S <= passed]

    def is_past(self, kept_row: int, row: int) -> bool:
        """Whether the edit has been looked at for having stood: those before `kept_row` were. Nobody does again."""
        return row in self._settled or (row < kept_row and row not in self._arrived)

    def changes(
        self,
        batch: Batch,
        unit: UnitEdits,
        gone: Collection[int],
        due: Sequence[LoggedEdit],
        kept: Sequence[LoggedEdit],
        told_day: int,
    ) -> list[Change]:
        """The batch's edits, what became of others, and what is kept no longer. `gone` are rows of edits
        that left with a page, `due` came with one long ago, `kept` are told to have stood. `told_day`: of it
        and of those before nothing is counted any more."""
        edits = list(unit.scored.values())
        changes: list[Change] = []
        for at in range(0, len(edits), CHUNK):
            chunk = edits[at : at + CHUNK]
            changes.append((key_of("l", chunk[0].row), encode(chunk)))
        for edit, reverted in unit.arrived:
            changes.append((key_of("a", edit.row), encode(edit)))
            if reverted or edit.row in self._settled:
                changes.append((key_of("r", edit.row), Mark.REVERTED if reverted else Mark.KEPT))
        for label in batch.labels:
            if unit.get(label.row) is None:
                continue
            taken_back = Mark.KEPT if label.row in self._settled else None
            changes.append(
                (key_of("r", label.row), taken_back if label.label is None else Mark.REVERTED)
            )
        for edit in due:
            self._settled[edit.row] = self._arrived.pop(edit.row)
        changes += [(key_of("r", edit.row), Mark.KEPT) for edit in kept if edit.row in self._settled]
        changes += [(key_of("r", row), Mark.GONE) for row in gone]
        if told_day >= self._held_by:
            changes += self._dropped(batch, told_day)
        return changes

    def _dropped(self, batch: Batch, told_day: int) -> list[Change]:
        """Of the log, from its beginning; and of what came with moved pages."""
        changes: list[Change] = []
        for row in [row for row, edit in self._settled.items() if edit.event_time // DAY_S <= told_day]:
            del self._settled[row]
            changes += [(key_of("a", row), None), (key_of("r", row), None)]
        looked_at = batch.kept_rows.below if batch.kept_rows is not None else self._store.meta.kept_row
        for count, (first, edits) in enumerate(self._store.chunks(self._first)):
            days = [edit.event_time // DAY_S for edit in edits]
            # For one that is dated days ahead nothing waits: a clock was wrong.
            newest = max((day for day in days if day <= told_day + LAG_DAYS + 1), default=told_day)
            if newest > told_day:
                self._held_by = newest
                break
            below = edits[-1].row + 1
            if below > looked_at or count == _DROPPED_AT_ONCE:
                break
            changes.append((key_of("l", first), None))
            changes += [(key_of("r", row), None) for row in self._store.labelled(first, below)]
            self._first = below
        return changes

    def kept(self, batch: Batch, gone: Collection[int], due: Sequence[LoggedEdit]) -> list[LoggedEdit]:
        """Edits that have stood long enough, and have no label yet."""
        rows = batch.kept_rows
        candidates = list(due)
        labelled = {edit.row for edit in due if self._store.mark(edit.row) is not None}
        if rows is not None:
            labelled.update(self._store.labelled(rows.first, rows.below))
            candidates += (
                edit
                for edit in self._store.logged_edits(rows.first, rows.below)
                if edit.event_time <= rows.latest
            )
        labelled.update(gone)
        labelled.update(label.row for label in batch.labels if label.label is not None)
        labelled.difference_update(label.row for label in batch.labels if label.label is None)
        return [edit for edit in candidates if edit.row not in labelled]

    def of_page(
        self, unit: UnitEdits, page: PageState, kept_row: int, passed: float
    ) -> list[tuple[LoggedEdit, bool]]:
        """Edits of a page that may still get or lose a label, and whether they have been reverted."""
        found = []
        for entry in page.entries:
            row = entry.row
            edit = unit.get(row) if not entry.flags & EntryFlag.FETCHED else None
            if edit is None:
                continue
            reverted = unit.reverted.get(row)
            if reverted is None:
                reverted = unit.was_reverted(row)
            # One dated far ahead was passed over before its time.
            stood = self.is_past(kept_row, row) and edit.event_time + KEPT_AFTER_S <= passed
            edit.flags = edit.flags | TOLD_KEPT if stood else edit.flags & ~TOLD_KEPT
            found.append((edit, reverted))
        return found


def logged(batch: Batch, not_counted: Collection[int] = ()) -> dict[int, LoggedEdit]:
    """The batch's edits, by row, each with what is to be learnt from it if it is in the sample."""
    seen = {
        one.row: SeenFeatures(one.weight, one.model, one.feature_set, one.features)
        for one in batch.training_rows
    }
    edits = {
        edit.row: LoggedEdit(
            edit.row,
            edit.key,
            edit.rev_id,
            edit.event_time,
            edit.risk,
            edit.flags,
            seen.get(edit.row),
            edit.model_risk,
        )
        for edit in batch.edits
    }
    for row in not_counted:
        if row in edits:
            edits[row].flags |= NOT_COUNTED
    return edits
