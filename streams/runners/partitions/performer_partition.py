"""The first hop: one partition of `changes`, with what is known of its performers.

Every edit is answered with what was known of its performer. A record that nobody put into `edits` goes
there from here. Reverts come back as feedback; an edit waits until every page partition has told all of
those that count for it (see `streams.runners.performers`), so that workers' speeds change nothing.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence

import msgspec

from streams.kafka.records import InRecord, OutRecord
from streams.partitions import key_bytes, page_key, partition_of_page, places_in_edits
from streams.reasons import DeadReason, Stage
from streams.records import DeadLetter, Edit, Skip
from streams.runners.partitions.dead import dead_letter_of
from streams.runners.partitions.ids import RememberedIds
from streams.runners.partitions.retention import OldStates, performer_last_time
from streams.runners.partitions.wire import (
    Answer,
    Answers,
    Figures,
    Progress,
    Work,
    again,
    decode_feedback,
    encode,
    marks_of,
)
from streams.runners.performers import FEEDBACK_DELAY_S, LocalPerformers
from streams.runners.states import PERFORMERS_IN_MEMORY, by_key
from streams.stages.normalize import Normalized, Normalizer
from streams.state.cache import StateCache
from streams.state.performer import PerformerState
from streams.state.watermark import LATENESS_S
from streams.store.changelog import META, Change, key_of
from streams.store.partitions import PartitionStore
from streams.topics import CHANGES, EDITS, FEEDBACK, PERFORMERS, Header

#: Processing time that an edit waits for feedback at most: then a lost partition must not stop all.
PATIENCE_S = 30.0
#: Outcome of a record that the second hop goes on with.
FORWARDED = "forwarded"


class _Waiting(msgspec.Struct, gc=False):
    record: InRecord
    known: Normalized
    passed: float
    routed: bool
    sent_back: str
    """Not empty: an operator did, and this names it."""


class PerformerPartition:
    """`take` records in any batches, then `work` until it gives None. What `work` gave must be made
    durable before `done` is called; if that fails, the partition must be thrown away."""

    def __init__(
        self,
        store: PartitionStore,
        *,
        partition: int,
        partitions: int,
        normalizer: Normalizer,
        now: Callable[[], float],
        delay_s: float = FEEDBACK_DELAY_S,
        retention_s: float = math.inf,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """`now`: processing time, monotonic seconds."""
        self._store = store
        self._partition = partition
        self._partitions = partitions
        self._normalize = normalizer
        self._now = now
        self._delay_s = delay_s
        self._patience_s = patience_s
        self._meta = msgspec.structs.replace(store.meta)
        self._meta.passed = dict(store.meta.passed)
        self._ids = RememberedIds(store, self._meta, partitions)
        self._states = StateCache(
            PERFORMERS_IN_MEMORY // partitions + 1_000,
            by_key(store.load_performers),
            lambda key: PerformerState(),
        )
        self._performers = LocalPerformers(
            self._states, by_page=False, retention_s=retention_s, delay_s=delay_s
        )
        self._old = OldStates(store, "f", performer_last_time, retention_s)
        self._waiting: deque[_Waiting] = deque()
        self._positions = dict(store.meta.positions)
        self._head_since: float | None = None
        self.late = 0
        """Edits that went on without all feedback."""

    @property
    def positions(self) -> dict[str, int]:
        """Where to go on reading, by topic; a topic that is absent, from its beginning."""
        return dict(self._positions)

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def take(self, topic: str, records: Sequence[InRecord]) -> None:
        """Records of one topic, in the order of their offsets; older ones than were taken are passed
        over."""
        expected = self._positions.get(topic, 0)
        fresh = [record for record in records if record.offset >= expected]
        if not fresh:
            return
        self._positions[topic] = fresh[-1].offset + 1
        if topic == FEEDBACK.name:
            for record in fresh:
                self._take_feedback(record)
        else:
            self._waiting.extend(self._received(record) for record in fresh)

    def _received(self, record: InRecord) -> _Waiting:
        marks = marks_of(record.headers)
        raw, position = record.value or b"", f"{record.partition}:{record.offset}"
        known: Normalized
        if marks.too_large:
            known = DeadLetter(raw, DeadReason.TOO_LARGE, Stage.SOURCE, "cut", position)
        else:
            known = self._normalize(raw, position)
        passed = marks.passed
        if passed is None:
            if not isinstance(known, Skip | DeadLetter):
                self._meta.watermark.advance(known.event_time)
            passed = self._meta.watermark.time
        else:
            self._meta.watermark.newest = max(self._meta.watermark.newest, passed + LATENESS_S)
        sent_back = position if marks.requeued else ""
        return _Waiting(record, known, passed, marks.routed, sent_back)

    def _take_feedback(self, record: InRecord) -> None:
        feedback = decode_feedback(record.value or b"")
        if isinstance(feedback, Progress):
            self._meta.passed[feedback.partition] = feedback.passed
        else:
            self._performers.reverted_by_name(
                feedback.wiki, feedback.performer, is_address=feedback.is_address, seen=feedback.seen
            )

    def work(self, most: int) -> Work | None:
        """At most `most` records, as far as they need not wait. None when there is nothing to do."""
        ready = self._ready(most)
        if not ready and not self._states.dirty and not self._moved_on():
            return None
        outputs: list[OutRecord] = []
        edits = [
            (page_key(one.known.wiki, one.known.title), one.known)
            for one in ready
            if isinstance(one.known, Edit)
        ]
        self._performers.prefetch(edits)
        ids: list[str] = []
        figures, self.late = Figures(late=self.late), 0
        answers: dict[int, list[Answer]] = {}
        for one in ready:
            outcome = self._send_on(one, outputs, answers, ids)
            figures.outcomes[outcome] = figures.outcomes.get(outcome, 0) + 1
            if isinstance(one.known, DeadLetter):
                figures.dead_letters.append((one.known.stage, one.known.reason))
            elif one.known.arrival_time is not None:
                figures.newest_arrival = max(figures.newest_arrival or 0.0, one.known.arrival_time)
        outputs.extend(
            OutRecord(PERFORMERS.name, place, b"", encode(Answers(said)), [])
            for place, said in answers.items()
        )
        self._meta.count(figures.outcomes)
        return Work(outputs, self._changes(ids), figures)

    def _send_on(
        self,
        one: _Waiting,
        outputs: list[OutRecord],
        answers: dict[int, list[Answer]],
        ids: list[str],
    ) -> str:
        known, record = one.known, one.record
        if isinstance(known, Skip):
            return f"skipped_{known.reason}"
        if isinstance(known, DeadLetter):
            outputs.append(dead_letter_of(record, known, self._partitions))
            return "dead_lettered"
        if self._ids.add(known.event_id) or one.sent_back:
            ids.append(known.event_id)
            if isinstance(known, Edit):
                key = page_key(known.wiki, known.title)
                view = self._performers.meet(key, known, one.passed)
                place = partition_of_page(known.wiki, known.title, self._partitions)
                answers.setdefault(place, []).append(Answer(again(known.event_id, one.sent_back), view))
        if not one.routed:
            headers = [(Header.WATERMARK, repr(one.passed).encode())]
            if one.sent_back:
                headers.append((Header.REQUEUED, one.sent_back.encode()))
            outputs.extend(
                OutRecord(EDITS.name, place, key_bytes(key), record.value, headers)
                for key, place in places_in_edits(known, self._partitions)
            )
        return FORWARDED

    def _ready(self, most: int) -> list[_Waiting]:
        """Those at the head that need not wait for feedback. What was not put into `edits` by somebody
        who also tells every page partition that time passes can't wait for them."""
        ready: list[_Waiting] = []
        waiting = self._waiting
        told = self._told_by_all()
        while waiting and len(ready) < most:
            head = waiting[0]
            if head.routed and isinstance(head.known, Edit) and head.passed - self._delay_s >= told:
                if ready or not self._lost_patience():
                    break
                self.late += 1
            self._head_since = None
            ready.append(waiting.popleft())
        return ready

    def _told_by_all(self) -> float:
        """Reverts seen before this event time have all been told. Not those at it: event time stands
        still between two records."""
        passed = self._meta.passed
        if len(passed) < self._partitions:
            return -math.inf
        return min(passed.values())

    def _lost_patience(self) -> bool:
        now = self._now()
        if self._head_since is None:
            self._head_since = now
        return now - self._head_since >= self._patience_s

    def _moved_on(self) -> bool:
        """Feedback alone, marks of progress mostly, is worth a commit only now and then."""
        durable = self._store.meta.positions.get(FEEDBACK.name, 0)
        return self._positions.get(FEEDBACK.name, 0) - durable >= 1_000

    def _changes(self, ids: list[str]) -> list[Change]:
        meta = self._meta
        meta.number += 1
        changed = self._performers.changed()
        changes: list[Change] = [
            (key_of("f", key_id), encode(state)) for key_id, state in changed.items()
        ]
        passed = meta.watermark.time
        changes += [(key_of("f", key_id), None) for key_id in self._old.found(passed, changed)]
        changes += self._ids.changes(ids)
        meta.positions = dict(self._positions)
        if self._waiting:
            meta.positions[CHANGES.name] = self._waiting[0].record.offset
        changes.append((META, encode(meta)))
        return changes

    def done(self) -> None:
        """What `work` gave is durable, and the store has it."""
        self._performers.committed()
