"""What a unit of work of a page partition sends: alerts, page status, labels, dead letters, pages that
move, and what the first hop is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from streams.kafka.cloud_events import to_event
from streams.kafka.records import InRecord, OutRecord
from streams.partitions import key_bytes, partition_of_page, partition_of_performer
from streams.records import Alert, Label, LabelKind
from streams.runners.partitions.dead import dead_letter_of
from streams.runners.partitions.edit_log import UnitEdits
from streams.runners.partitions.remote import Leaving
from streams.runners.partitions.wire import Moved, Progress, Reverted, encode
from streams.stages.status import status_of
from streams.state.episode import EpisodeState
from streams.state.page import Entry
from streams.store.batch import ALERTED, ANONYMOUS, KEPT_AFTER_S, WITH_CONTENT, Batch, LabelRow
from streams.store.changelog import LoggedEdit
from streams.store.keys import state_id
from streams.store.partitions import PartitionStore
from streams.topics import ALERTS, FEEDBACK, LABELS, PAGE_STATUS, PERFORMERS


class PageOutputs:
    """Makes the records that one page partition writes. Reads what was from its store, changes nothing."""

    def __init__(self, store: PartitionStore, *, partition: int, partitions: int) -> None:
        self._store = store
        self._partition = partition
        self._partitions = partitions

    def of_batch(
        self,
        batch: Batch,
        unit: UnitEdits,
        records: Mapping[str, InRecord],
        episodes: Mapping[str, EpisodeState],
        is_past: Callable[[int], bool],
    ) -> list[OutRecord]:
        """`records` by their positions, `episodes` that were touched. `is_past`: whether an edit, by its number, has
        been looked at for having stood."""
        outputs = [self._alert(alert) for alert in batch.alerts]
        outputs += self._statuses(episodes)
        for label in batch.labels:
            edit = unit.get(label.row)
            if label.label is None and is_past(label.row):
                label = _kept(label.row, label.key, label.rev_id, label.event_time)
            outputs.append(self._label(label, edit))
        for dead in batch.dead_letters:
            outputs.append(dead_letter_of(records[dead.position], dead, self._partitions))
        return outputs

    def _alert(self, alert: Alert) -> OutRecord:
        event = to_event(alert)
        partition = partition_of_page(alert.wiki, alert.title, self._partitions)
        return OutRecord(ALERTS.name, partition, event.key, event.value, event.headers)

    def _statuses(self, episodes: Mapping[str, EpisodeState]) -> list[OutRecord]:
        """Of the pages whose status is another than before this unit of work."""
        outputs = []
        for key, episode in episodes.items():
            status = status_of(episode)
            before = self._store.load_episode(state_id(key))
            if status != (status_of(before) if before is not None else None):
                value = msgspec.json.encode(status) if status is not None else None
                outputs.append(OutRecord(PAGE_STATUS.name, self._partition, key_bytes(key), value, []))
        return outputs

    def _label(self, row: LabelRow, edit: LoggedEdit | None) -> OutRecord:
        wiki, _, title = row.key.partition(":")
        flags = edit.flags if edit is not None else 0
        label = Label(
            wiki=wiki,
            title=title,
            rev_id=row.rev_id,
            label=row.label,
            event_time=row.event_time,
            labelled_time=row.labelled_time,
            reverted_by=row.reverted_by,
            evidence=row.evidence,
            revert_risk=edit.risk if edit is not None else None,
            model_risk=edit.model_risk if edit is not None else None,
            alerted=bool(flags & ALERTED),
            anonymous=bool(flags & ANONYMOUS),
            with_content=bool(flags & WITH_CONTENT),
            seen=edit.seen if edit is not None else None,
        )
        value = msgspec.json.encode(label)
        return OutRecord(LABELS.name, self._partition, key_bytes(row.key), value, [])

    def of_leaving(
        self, leaving: Sequence[Leaving], edits: Mapping[str, list[tuple[LoggedEdit, bool]]]
    ) -> list[OutRecord]:
        """Pages that have moved, to where they belong now; `edits` of each, by the move's event id, with
        whether they have been reverted, go along."""
        outputs: list[OutRecord] = []
        for one in leaving:
            words = one.words.pack() if one.words is not None else None
            going = edits.get(one.event_id, [])
            moved = Moved(one.event_id, one.page, words, one.episode, going)
            place = state_id(one.new) % self._partitions
            outputs.append(OutRecord(PERFORMERS.name, place, key_bytes(one.new), encode(moved), []))
        return outputs

    def of_kept(self, edits: Sequence[LoggedEdit]) -> list[OutRecord]:
        """Labels of edits that have stood long enough."""
        return [
            self._label(_kept(edit.row, edit.key, edit.rev_id, edit.event_time), edit) for edit in edits
        ]

    def of_reverted(self, reverted: Sequence[tuple[str, Entry, float]]) -> list[OutRecord]:
        """To the performers' partitions: `(page key, edit, passed)`."""
        outputs = []
        for key, entry, seen in reverted:
            wiki = key.partition(":")[0]
            is_address = bool(entry.flags & ANONYMOUS)
            place = partition_of_performer(
                wiki, entry.performer, self._partitions, is_address=is_address
            )
            value = encode(Reverted(wiki, entry.performer, is_address, seen))
            outputs.append(
                OutRecord(FEEDBACK.name, place, key_bytes(f"{wiki}:{entry.performer}"), value, [])
            )
        return outputs

    def of_progress(self, told: float) -> list[OutRecord]:
        """To all performers' partitions: reverts seen before `told` have been told."""
        value = encode(Progress(self._partition, told))
        return [OutRecord(FEEDBACK.name, place, b"", value, []) for place in range(self._partitions)]


def _kept(row: int, key: str, rev_id: int, event_time: float) -> LabelRow:
    return LabelRow(row, LabelKind.KEPT, event_time + KEPT_AFTER_S, 0, "", key, rev_id, event_time)
