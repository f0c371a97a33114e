"""The second hop: one partition of `edits`, with all that is known of its pages.

Records are worked on in their order. An edit waits for its answer from the first hop: what was known of
its performer. What came of it goes to alerts, page status and labels, and reverts back to the first hop.
What alerts make hot is told to the hop of posts, and what comes back from there is `page_posts`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from streams.kafka.hot_facts import progress_record
from streams.kafka.records import InRecord
from streams.records import Edit
from streams.runners.kept import KeptSweep
from streams.runners.partitions.edit_log import EditChunks, UnitEdits
from streams.runners.partitions.ids import RememberedIds
from streams.runners.partitions.inbox import Inbox
from streams.runners.partitions.own_edits import OwnEdits
from streams.runners.partitions.own_sums import OwnSumsReplica, part_record
from streams.runners.partitions.page_outputs import PageOutputs
from streams.runners.partitions.page_posts import PagePosts
from streams.runners.partitions.remote import RemoteMoves, RemotePerformers
from streams.runners.partitions.retention import OldStates, page_last_time
from streams.runners.partitions.waiting_edits import DayGate, WaitingEdits
from streams.runners.partitions.wire import (
    Answer,
    Answers,
    Figures,
    Moved,
    Work,
    decode_said,
    encode,
)
from streams.runners.processor import Processor
from streams.runners.states import States
from streams.sources.base import SourceItem
from streams.stages.amplify import Amplifier
from streams.stages.normalize import Normalized
from streams.store.batch import Batch
from streams.store.changelog import META, Change, key_of
from streams.store.keys import state_id
from streams.store.partitions import PartitionStore
from streams.topics import EDITS, MATCHES, PERFORMERS

#: Processing time that an edit waits for its answer at most.
PATIENCE_S = 60.0
#: Event time after which posts are told again how far edits have been decided: they wait for it.
DECIDED_EVERY_S = 0.25

MakeProcessor = Callable[
    [States, RemotePerformers, RemoteMoves, RememberedIds, OwnEdits, PartitionStore], Processor
]
Attach = Callable[[Sequence[tuple[SourceItem, Normalized]]], list[tuple[SourceItem, Normalized]]]


class PagePartition:
    """`take` records in any batches, then `work` until it gives None. What `work` gave must be made
    durable before `done` is called; if that fails, the partition must be thrown away."""

    def __init__(
        self,
        store: PartitionStore,
        *,
        partition: int,
        partitions: int,
        make_processor: MakeProcessor,
        amplifier: Amplifier,
        own_sums: OwnSumsReplica,
        now: Callable[[], float],
        shifts: bool = True,
        attach: Attach = list,
        progress_s: float = 1.0,
        decided_every_s: float = DECIDED_EVERY_S,
        retention_s: float = math.inf,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """`own_sums` of all partitions; `shifts`: the risk that is told is shifted by them, and waits for them.
        `attach` gives edits their texts. `progress_s`: event time after which the first hop is told
        again how far reverts have been told; `decided_every_s` posts, how far edits have been decided.
        `retention_s`: pages not edited for so long leave. `now`: processing time, monotonic seconds."""
        self._store = store
        self._partition = partition
        self._partitions = partitions
        self._now = now
        self._attach = attach
        self._progress_s = progress_s
        self._decided_every_s = decided_every_s
        self._meta = msgspec.structs.replace(store.meta)
        self._ids = RememberedIds(store, self._meta, partitions)
        self._inbox: Inbox[Answer | Moved] = Inbox(self._ids.recent)
        self._performers = RemotePerformers(self._inbox)
        self._moves = RemoteMoves(self._inbox, self.owns)
        self._states = States(store, partitions)
        self._sums = own_sums
        self._own = OwnEdits(store, self._meta, own_sums, partition=partition, shifts=shifts)
        self._processor = make_processor(
            self._states, self._performers, self._moves, self._ids, self._own, store
        )
        self._sweep = KeptSweep(store)
        self._chunks = EditChunks(store)
        self._outputs = PageOutputs(store, partition=partition, partitions=partitions)
        self._posts = PagePosts(
            store,
            self._meta,
            partition=partition,
            partitions=partitions,
            amplifier=amplifier,
            now=now,
            patience_s=patience_s,
        )
        self._old = OldStates(store, "p", page_last_time, retention_s)
        self._waiting = WaitingEdits(
            self._processor,
            self._inbox,
            self._ids,
            DayGate(self._meta, own_sums, waits=shifts, now=now, patience_s=patience_s),
            owns=self.owns,
            now=now,
            patience_s=patience_s,
        )
        self._positions = dict(store.meta.positions)

    @property
    def positions(self) -> dict[str, int]:
        """Where to go on reading, by topic; a topic that is absent, from its beginning."""
        return dict(self._positions)

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def passed(self) -> float:
        """Event time that has passed."""
        return self._processor.final_time

    @property
    def hot(self) -> int:
        """Facts of this partition's pages."""
        return self._posts.hot

    def owns(self, key: str) -> bool:
        return state_id(key) % self._partitions == self._partition

    def take(self, topic: str, records: Sequence[InRecord]) -> None:
        """Records of one topic, in the order of their offsets; older ones than were taken are passed
        over."""
        expected = self._positions.get(topic, 0)
        fresh = [record for record in records if record.offset >= expected]
        if not fresh:
            return
        self._positions[topic] = fresh[-1].offset + 1
        if topic == MATCHES.name:
            self._posts.take(fresh)
            return
        if topic == PERFORMERS.name:
            for record in fresh:
                said = decode_said(record.value or b"")
                for one in said.answers if isinstance(said, Answers) else (said,):
                    self._inbox.put(one.event_id, one, record.offset)
            return
        for record in fresh:
            self._waiting.take(record)

    def work(self, most: int) -> Work | None:
        """At most `most` records, as far as their answers have come. None when there is nothing to
        do."""
        ready = self._waiting.ready(most)
        passed = ready[-1].passed if ready else self.passed
        records = [(one.item, one.known) for one in ready if one.known is not None]
        times = [one.passed for one in ready if one.known is not None]
        kept = self._sweep.due(lambda page: passed)
        head = self._waiting.head
        told = head.passed if head is not None else passed
        due = self._chunks.arrived_due(passed)
        decided = passed - self._meta.decided >= self._decided_every_s
        next_day = self._waiting.next_day
        idle = not records and kept is None and not due and not decided and next_day is None
        if idle and not self._worth_telling(told):
            return self._of_posts_alone(passed) if self._posts.waiting else None
        sent_back = {
            one.known.event_id: one.asked_by
            for one in ready
            if isinstance(one.known, Edit) and one.asked_by != one.known.event_id
        }
        self._performers.asked_by = dict(sent_back)
        batch = self._processor.process("kafka", self._attach(records), None, times)
        batch.event_ids.extend(sent_back.values())
        later = self._processor.expire_all("kafka", passed)
        batch = _joined(batch, later)
        batch.kept_rows = kept
        arrivals = sum(self._waiting.is_arrival(known) for _, known in records)
        if arrivals:  # those are counted where their pages came from
            batch.outcomes["processed"] -= arrivals
        self._meta.count(batch.outcomes)
        self._posts.work(batch, passed)
        unit = UnitEdits(self._store, batch, self._moves.take_arrived(), self._own.too_far_ahead)
        self._chunks.take_in(unit.arrived)
        self._own.arrive(unit.arrived)
        self._own.take_labels(batch.labels, unit)
        by_position = {one.item.cursor: one.record for one in ready}
        out = self._outputs
        kept_row = self._meta.kept_row
        is_past = partial(self._chunks.is_past, kept_row)
        outputs = out.of_batch(batch, unit, by_position, self._states.episodes, is_past)
        leaving = self._moves.take_leaving()
        going = {
            one.event_id: self._own.leave(self._chunks.of_page(unit, one.page, kept_row, passed))
            for one in leaving
            if one.page is not None
        }
        gone = {edit.row for edits in going.values() for edit, _ in edits}
        stood = self._chunks.kept(batch, gone, due)
        outputs += out.of_leaving(leaving, going) + out.of_kept(stood)
        outputs += out.of_reverted(self._performers.take_reverted())
        if self._worth_telling(told):
            self._meta.told = told
            outputs += out.of_progress(told)
        outputs += self._posts.outputs(batch)
        if decided:  # after what is hot of it
            self._meta.decided = passed
            outputs.append(progress_record(passed, self._partition))
        if self._partition == 0 and self._sums.worth_summing:
            outputs += self._sums.summed()
        if next_day is not None:
            outputs.append(part_record(self._own.part(next_day)))
        changes = self._chunks.changes(batch, unit, gone, due, stood, self._meta.own_told)
        changes += self._changes(batch)
        # Not of what an operator sent back: that waited for the operator.
        arrived = [
            one.record.timestamp / 1_000
            for one in ready
            if isinstance(one.known, Edit) and one.asked_by == one.known.event_id
        ]
        return Work(outputs, changes, self._figures(batch, len(stood), arrived))

    def _of_posts_alone(self, passed: float) -> Work | None:
        """None where only time went on: who would write that for each of a thousand marks?"""
        batch = Batch("kafka")
        self._posts.work(batch, passed)
        if not self._posts.worth_a_commit(batch):
            return None
        unit = UnitEdits(self._store, batch)
        outputs = self._outputs.of_batch(batch, unit, {}, {}, lambda row: False)
        outputs += self._posts.outputs(batch)
        return Work(outputs, self._changes(batch), self._figures(batch, 0, []))

    def _worth_telling(self, told: float) -> bool:
        """How far reverts have been told: up to the record that is next, which may itself be waiting for
        them."""
        return told - self._meta.told >= self._progress_s

    def _figures(self, batch: Batch, kept: int, arrived: list[float]) -> Figures:
        return Figures(
            outcomes=batch.outcomes,
            alerts=batch.alerts,
            labels={
                "reverted": sum(1 for label in batch.labels if label.label is not None),
                "kept": kept,
            },
            dead_letters=[(dead.stage, dead.reason) for dead in batch.dead_letters],
            newest_arrival=batch.newest_arrival,
            arrivals=arrived,
            stage_seconds=batch.stage_seconds,
            late=self._waiting.take_late(),
            gone=batch.of_posts.gone,
        )

    def _changes(self, batch: Batch) -> list[Change]:
        meta = self._meta
        meta.number += 1
        changes: list[Change] = [(key_of("p", key), encode(page)) for key, page in batch.pages.items()]
        changes += [(key_of("w", key), encode(words.pack())) for key, words in batch.words.items()]
        changes += [
            (key_of("e", key), encode(episode) if episode is not None else None)
            for key, episode in batch.episodes.items()
        ]
        for key in self._old.found(self.passed, batch.pages):
            changes += [(key_of("p", key), None), (key_of("w", key), None)]
        changes += self._ids.changes(batch.event_ids)
        if batch.watermark is not None:
            meta.watermark = batch.watermark
        meta.next_row = self._processor.next_row
        meta.positions = dict(self._positions)
        head = self._waiting.head
        if head is not None:
            meta.positions[EDITS.name] = head.record.offset
        held = self._inbox.first_held
        if held is not None:
            meta.positions[PERFORMERS.name] = held
        if batch.kept_rows is not None:
            meta.kept_row = batch.kept_rows.below
        changes += self._posts.changes(batch)
        changes.append((META, encode(meta)))
        return changes

    def done(self) -> None:
        """What `work` gave is durable, and the store has it."""
        self._processor.committed()
        self._posts.done()


def _joined(batch: Batch, later: Batch) -> Batch:
    """`later` came of time alone: its states are all that there are, with those of `batch`."""
    batch.alerts += later.alerts
    batch.pages, batch.words, batch.episodes = later.pages, later.words, later.episodes
    batch.watermark, batch.next_row = later.watermark, later.next_row
    return batch
