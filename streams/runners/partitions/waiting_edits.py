"""Records of a page partition that came in and wait to be worked on: for what another partition has to say of
them, and for what all partitions have to say of the days before theirs."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TypeGuard

import msgspec

from models.own_calibration import DAY_S, LAG_DAYS
from streams.kafka.records import InRecord
from streams.partitions import page_key
from streams.records import Edit, LogEvent
from streams.runners.partitions.ids import RememberedIds
from streams.runners.partitions.inbox import Inbox
from streams.runners.partitions.own_sums import OwnSumsReplica
from streams.runners.partitions.wire import Answer, Moved, again, marks_of
from streams.runners.processor import Processor
from streams.sources.base import SourceItem
from streams.stages.normalize import Normalized
from streams.store.changelog import Meta


class Waiting(msgspec.Struct, gc=False):
    record: InRecord
    item: SourceItem
    known: Normalized | None
    """None: a heartbeat."""
    passed: float
    asked_by: str = ""
    """What it waits to be told about by; empty: it waits for nothing."""


class WaitingEdits:
    """`take` in their order, then `ready`, as far as they need not wait."""

    def __init__(
        self,
        processor: Processor,
        inbox: Inbox[Answer | Moved],
        ids: RememberedIds,
        days: DayGate,
        *,
        owns: Callable[[str], bool],
        now: Callable[[], float],
        patience_s: float,
    ) -> None:
        self._processor = processor
        self._inbox = inbox
        self._ids = ids
        self._days = days
        self._owns = owns
        self._now = now
        self._patience_s = patience_s
        self._waiting: deque[Waiting] = deque()
        self._head_since: float | None = None
        self._late = 0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def head(self) -> Waiting | None:
        return self._waiting[0] if self._waiting else None

    def take(self, record: InRecord) -> None:
        marks = marks_of(record.headers)
        position, raw = f"{record.partition}:{record.offset}", record.value
        item = SourceItem(position, raw or b"", too_large=marks.too_large)
        known: Normalized | None = None
        asked_by = ""
        if raw is not None:
            take = self._processor.take_again if marks.requeued else self._processor.take
            known = take(item)
            if self._waits(known):
                asked_by = again(known.event_id, marks.requeued)
                self._inbox.expect(asked_by)
                self._ids.add(asked_by)
        newest = self._waiting[-1].passed if self._waiting else self._processor.final_time
        passed = newest if marks.passed is None else max(newest, marks.passed)
        self._waiting.append(Waiting(record, item, known, passed, asked_by))

    def ready(self, most: int) -> list[Waiting]:
        """At most `most`, all of one day."""
        ready: list[Waiting] = []
        waiting, end_of_day = self._waiting, self._days.end
        if not waiting or not self._days.may_go_on():
            return ready
        while waiting and len(ready) < most:
            head = waiting[0]
            if head.passed >= end_of_day:
                break
            if head.asked_by and head.asked_by not in self._inbox:
                if ready or not self._lost_patience():
                    break
                self._late += 1
            self._head_since = None
            ready.append(waiting.popleft())
        return ready

    @property
    def next_day(self) -> int | None:
        """The day of the next record, where all before it are done with another."""
        if not self._waiting or self._waiting[0].passed < self._days.end:
            return None
        return int(self._waiting[0].passed // DAY_S)

    def take_late(self) -> int:
        """How many went on without an answer, or without all that is told of the days before, since it was
        last asked."""
        late, self._late = self._late + self._days.late, 0
        self._days.late = 0
        return late

    def is_arrival(self, known: Normalized | None) -> bool:
        """A move to a title of ours."""
        return isinstance(known, LogEvent) and not self._owns(page_key(known.wiki, known.title))

    def _waits(self, known: Normalized | None) -> TypeGuard[Edit | LogEvent]:
        """For an answer; or, a move to a title of ours, for the page."""
        return isinstance(known, Edit) or self.is_arrival(known)

    def _lost_patience(self) -> bool:
        now = self._now()
        if self._head_since is None:
            self._head_since = now
        return now - self._head_since >= self._patience_s


class DayGate:
    """Before anything of a day is met, this partition tells of the day `LAG_DAYS` before, and waits until
    all have. So no partition is a day ahead of another; where one stands still, the others go on."""

    def __init__(
        self,
        meta: Meta,
        sums: OwnSumsReplica,
        *,
        waits: bool,
        now: Callable[[], float],
        patience_s: float,
    ) -> None:
        """`meta.own_told` is the day told last. `waits`: else it only tells."""
        self._meta = meta
        self._sums = sums
        self._waits = waits
        self._now = now
        self._patience_s = patience_s
        self._opened_for: int | None = None
        self._since: tuple[float, float] | None = None
        """How far the slowest was, and since when it has been there, as far as we have waited."""
        self._given_up_at: float | None = None
        self.late = 0
        """Days that began without all that was to be told before."""

    @property
    def end(self) -> float:
        """Event time that passes with the day we are in."""
        return (self._meta.own_told + LAG_DAYS + 1) * DAY_S

    def may_go_on(self) -> bool:
        """Whether records of the day we are in are worked on."""
        told = self._meta.own_told
        if self._opened_for == told or not self._waits:
            return True
        if (self._sums.complete and self._sums.closed >= told) or self._lost_patience():
            self._opened_for, self._since = told, None
        return self._opened_for == told

    def _lost_patience(self) -> bool:
        now, slowest = self._now(), self._sums.slowest()
        if self._since is None or self._since[0] != slowest:
            self._since = slowest, now
        if slowest != self._given_up_at and now - self._since[1] < self._patience_s:
            return False
        self._given_up_at = slowest
        self.late += 1
        return True
