"""Edits as they were scored, in the changelog until two days have shown what became of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from streams.records import SeenFeatures
from streams.runners.partitions.wire import encode
from streams.state.page import EntryFlag, PageState
from streams.store.batch import KEPT_AFTER_S, Batch
from streams.store.changelog import CHUNK, Change, LoggedEdit, key_of
from streams.store.partitions import PartitionStore


class EditChunks:
    def __init__(self, store: PartitionStore) -> None:
        self._store = store
        self._arrived = {edit.row: edit for edit in store.arrived_edits()}
        """Few: edits of the last two days of pages that were moved here."""

    def arrived_due(self, passed: float) -> list[LoggedEdit]:
        """Of those that came with moved pages: what has stood for so long."""
        return [edit for edit in self._arrived.values() if edit.event_time + KEPT_AFTER_S <= passed]

    def changes(
        self,
        batch: Batch,
        arrived: Sequence[tuple[LoggedEdit, bool]],
        gone: Collection[int],
        due: Sequence[LoggedEdit],
    ) -> list[Change]:
        """The batch's edits, which of them all have a label, and what is kept no longer. `arrived` came
        with a page, `gone` are rows of edits that left with one, `due` came with one long ago."""
        edits = list(logged(batch).values())
        changes: list[Change] = []
        for at in range(0, len(edits), CHUNK):
            chunk = edits[at : at + CHUNK]
            changes.append((key_of("l", chunk[0].row), encode(chunk)))
        for edit, labelled in arrived:
            self._arrived[edit.row] = edit
            changes.append((key_of("a", edit.row), encode(edit)))
            if labelled:
                changes.append((key_of("r", edit.row), b""))
        changes += [
            (key_of("r", label.row), None if label.label is None else b"") for label in batch.labels
        ]
        changes += [(key_of("r", row), b"") for row in gone]
        for edit in due:
            del self._arrived[edit.row]
            changes += [(key_of("a", edit.row), None), (key_of("r", edit.row), None)]
        if batch.kept_rows is not None:
            below = batch.kept_rows.below
            changes += [(key_of("l", first), None) for first in self._store.chunks(below)]
            labelled_rows = self._store.labelled(batch.kept_rows.first, below)
            changes += [(key_of("r", row), None) for row in labelled_rows]
        return changes

    def kept(self, batch: Batch, gone: Collection[int], due: Sequence[LoggedEdit]) -> list[LoggedEdit]:
        """Edits that have stood long enough, and have no label yet."""
        rows = batch.kept_rows
        candidates = list(due)
        labelled = {edit.row for edit in due if self._store.labelled(edit.row, edit.row + 1)}
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

    def of_page(self, batch: Batch, page: PageState) -> list[tuple[LoggedEdit, bool]]:
        """Edits of a page that may still get or lose a label, and whether they have one."""
        scored = logged(batch)
        said = {label.row: label.label is not None for label in batch.labels}
        found = []
        for entry in page.entries:
            if entry.flags & EntryFlag.FETCHED:
                continue
            edit = scored.get(entry.row) or self._store.logged_edit(entry.row)
            if edit is None:
                continue
            labelled = said.get(entry.row)
            if labelled is None:
                labelled = bool(self._store.labelled(entry.row, entry.row + 1))
            found.append((edit, labelled))
        return found


def logged(batch: Batch) -> dict[int, LoggedEdit]:
    """The batch's edits, by row, each with what is to be learnt from it if it is in the sample."""
    seen = {
        one.row: SeenFeatures(one.weight, one.model, one.feature_set, one.features)
        for one in batch.training_rows
    }
    return {
        edit.row: LoggedEdit(
            edit.row,
            edit.key,
            edit.rev_id,
            edit.event_time,
            edit.risk,
            edit.flags,
            seen.get(edit.row),
        )
        for edit in batch.edits
    }
