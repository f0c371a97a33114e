"""Bundles of records: how they are cut, how far they are done, and the lanes that they are worked on in.

Nothing here knows Faust; it is what makes one Faust message of a thousand Kafka records safe.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from aiokafka import ConsumerRecord

TopicPartition: TypeAlias = tuple[str, int]
"""Topic and partition number. What aiokafka and Faust call so is a tuple of the two too."""


class Bundle:
    """Consecutive records of one partition, at least one, delivered and taken over as one."""

    __slots__ = ("records", "tp")

    def __init__(self, tp: TopicPartition, records: Sequence[ConsumerRecord]) -> None:
        self.tp = tp
        self.records = records

    @property
    def first_offset(self) -> int:
        return int(self.records[0].offset)

    @property
    def last_offset(self) -> int:
        return int(self.records[-1].offset)

    @property
    def newest_s(self) -> float:
        """Kafka's time of its last record, in seconds."""
        return float(self.records[-1].timestamp) / 1000


def split(
    tp: TopicPartition, records: Sequence[ConsumerRecord], max_records: int, max_bytes: int
) -> Iterator[Bundle]:
    """In order, nothing left out. One record larger than `max_bytes` makes a bundle of its own."""
    begin = size = 0
    for at, record in enumerate(records):
        weight = max(record.serialized_key_size, 0) + max(record.serialized_value_size, 0)
        if at > begin and (at - begin == max_records or size + weight > max_bytes):
            yield Bundle(tp, records[begin:at])
            begin, size = at, 0
        size += weight
    if begin < len(records):
        yield Bundle(tp, records[begin:])


class Progress:
    """Which bundles were delivered and not taken over yet, by partition; bounded by who delivers."""

    def __init__(self) -> None:
        self._open: dict[TopicPartition, deque[Bundle]] = {}
        self.newest_s: dict[TopicPartition, float] = {}
        """Kafka's time of the newest record taken over."""

    def deliver(self, bundle: Bundle) -> None:
        self._open.setdefault(bundle.tp, deque()).append(bundle)

    def knows(self, bundle: Bundle) -> bool:
        """Whether it is delivered and neither taken over nor forgotten."""
        return any(bundle is known for known in self._open.get(bundle.tp, ()))

    def finish(self, bundle: Bundle) -> None:
        """In the order of delivery. A bundle that was forgotten meanwhile changes nothing."""
        waiting = self._open.get(bundle.tp)
        if waiting and waiting[0] is bundle:
            waiting.popleft()
            self.newest_s[bundle.tp] = bundle.newest_s

    def outstanding(self, tp: TopicPartition) -> int:
        return len(self._open.get(tp, ()))

    def oldest_open(self, tp: TopicPartition) -> int | None:
        """First offset that is delivered and not taken over."""
        waiting = self._open.get(tp)
        return waiting[0].first_offset if waiting else None

    def forget(self) -> None:
        """The partitions went away, or are about to be read from another offset."""
        self._open.clear()
        self.newest_s.clear()


class Lanes:
    """One lane per topic and partition: bundles of a lane one after another, lanes in turn. (Lead: not one
    a partition number: a page's edits wait for what comes on another topic of the same number.)"""

    def __init__(
        self,
        work: Callable[[Bundle], Awaitable[None]],
        failed: Callable[[BaseException], Awaitable[None]],
    ) -> None:
        self._work = work
        self._failed = failed
        self._waiting: dict[TopicPartition, deque[Bundle]] = {}
        self._tasks: dict[TopicPartition, asyncio.Task[None]] = {}
        self._closed = True

    def open(self) -> None:
        self._closed = False

    def add(self, bundle: Bundle) -> None:
        """While the lanes stand still a bundle is dropped: it will be delivered again."""
        if self._closed:
            return
        lane = bundle.tp
        self._waiting.setdefault(lane, deque()).append(bundle)
        if lane not in self._tasks:
            self._tasks[lane] = asyncio.create_task(self._run(lane), name=f"lane-{lane[0]}-{lane[1]}")

    async def stand_still(self, within_s: float) -> None:
        """Drop what waits, let what is begun finish; what takes longer than that is cancelled."""
        self._closed = True
        self._waiting.clear()
        begun = set(self._tasks.values()) - {asyncio.current_task()}
        if not begun:
            return
        _, late = await asyncio.wait(begun, timeout=within_s)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _run(self, lane: TopicPartition) -> None:
        try:
            while not self._closed and (waiting := self._waiting.get(lane)):
                await self._work(waiting.popleft())
                await asyncio.sleep(0)  # work that never waits must not starve the other lanes
        except Exception as error:  # noqa: BLE001 - not swallowed: it stops the worker
            self._closed = True
            await self._failed(error)
        finally:
            del self._tasks[lane]


def numbers_of(partitions: Iterable[TopicPartition]) -> frozenset[int]:
    return frozenset(number for _, number in partitions)
