"""Edits as they were scored, in the changelog until two days have shown what became of them."""

from __future__ import annotations

from streams.runners.partitions.wire import encode
from streams.store.batch import Batch
from streams.store.changelog import CHUNK, Change, LoggedEdit, key_of
from streams.store.partitions import PartitionStore


class EditChunks:
    def __init__(self, store: PartitionStore) -> None:
        self._store = store

    def changes(self, batch: Batch) -> list[Change]:
        """The batch's edits, which of them all have a label, and what is kept no longer."""
        edits = [
            LoggedEdit(edit.row, edit.key, edit.rev_id, edit.event_time, edit.risk, edit.flags)
            for edit in batch.edits
        ]
        changes: list[Change] = []
        for at in range(0, len(edits), CHUNK):
            chunk = edits[at : at + CHUNK]
            changes.append((key_of("l", chunk[0].row), encode(chunk)))
        changes += [
            (key_of("r", label.row), None if label.label is None else b"") for label in batch.labels
        ]
        if batch.kept_rows is not None:
            below = batch.kept_rows.below
            changes += [(key_of("l", first), None) for first in self._store.chunks(below)]
            labelled = self._store.labelled(batch.kept_rows.first, below)
            changes += [(key_of("r", row), None) for row in labelled]
        return changes

    def kept(self, batch: Batch) -> list[LoggedEdit]:
        """Edits that have stood long enough, and have no label yet."""
        rows = batch.kept_rows
        if rows is None:
            return []
        labelled = set(self._store.labelled(rows.first, rows.below))
        labelled.update(label.row for label in batch.labels if label.label is not None)
        labelled.difference_update(label.row for label in batch.labels if label.label is None)
        return [
            edit
            for edit in self._store.logged_edits(rows.first, rows.below)
            if edit.row not in labelled and edit.event_time <= rows.latest
        ]
