"""One partition of one hop at work: fed with what was read, it writes one Kafka transaction for every
unit of work.

In this order: the transaction (outputs, changelog, positions: all or nothing), then the copy on disk,
then the offsets of the consumer group, which are only a lower bound of what has been worked on.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Executor
from typing import NamedTuple, Protocol, TypeVar

from streams.kafka.records import InRecord, OutRecord
from streams.runners.partitions.page_partition import PagePartition
from streams.runners.partitions.performer_partition import PerformerPartition
from streams.runners.partitions.post_partition import PostPartition
from streams.runners.partitions.wire import Work
from streams.store.changelog import Change
from streams.store.partitions import PartitionStore
from streams.topics import (
    CHANGES,
    EDITS,
    FEEDBACK,
    MATCHES,
    PAGE_STATE,
    PERFORMER_STATE,
    PERFORMERS,
    POST_STATE,
    POSTS,
)

T = TypeVar("T")

#: Records worked on at once, and how long a unit of work waits for more: part of the time to an alert.
#: Less makes more transactions, and those wait for one another at the broker.
MOST = 2_048
GATHER_S = 0.02
#: Records waiting in a partition from which no more are taken in.
FULL = MOST
#: Bytes of deleted posts stay on disk so long at most, if it takes no longer to erase them: each time
#: costs, however many were deleted.
ERASE_EVERY_S = 600.0
#: How often those that wait for another partition are looked at without anything new.
IDLE_S = 1.0

Unit = PerformerPartition | PagePartition | PostPartition


class Hop(Protocol):
    """One of the hops: what it reads, what it writes, how its partitions are made."""

    @property
    def name(self) -> str: ...

    @property
    def reads(self) -> tuple[str, ...]: ...

    @property
    def changelog(self) -> str: ...

    def make(self, partition: int, store: PartitionStore) -> Unit: ...


class PerformerHop(NamedTuple):
    make: Callable[[int, PartitionStore], PerformerPartition]
    name: str = "performers"
    reads: tuple[str, ...] = (CHANGES.name, FEEDBACK.name)
    changelog: str = PERFORMER_STATE.name


class PageHop(NamedTuple):
    make: Callable[[int, PartitionStore], PagePartition]
    name: str = "pages"
    reads: tuple[str, ...] = (EDITS.name, PERFORMERS.name, MATCHES.name)
    changelog: str = PAGE_STATE.name


class PostHop(NamedTuple):
    make: Callable[[int, PartitionStore], PostPartition]
    name: str = "posts"
    reads: tuple[str, ...] = (POSTS.name,)
    changelog: str = POST_STATE.name


class Writer(Protocol):
    """One transactional id. Making one fences whoever had it before."""

    async def commit(self, records: Sequence[OutRecord]) -> Mapping[tuple[str, int], int]:
        """All or nothing. Gives the next offset of each partition written to. Raises `Fenced`."""
        ...

    async def close(self) -> None: ...


class Log(Protocol):
    """What a worker wants of Kafka beside the records it is fed with."""

    async def writer(self, transactional_id: str) -> Writer: ...

    async def read(
        self,
        topic: str,
        partition: int,
        offset: int,
        take: Callable[[list[Change], int], Awaitable[None]],
    ) -> int:
        """Committed records from `offset` to the end, in pieces with the offset after each. Gives the
        end's; less than `offset` where the topic holds less: it is another one than before."""
        ...


class WorkDone(Protocol):
    """Told after each unit of work that is durable."""

    def __call__(self, hop: str, partition: int, work: Work, seconds: float) -> None: ...


class PartitionTask:
    """One partition of one hop at work, until `stop` or an error."""

    def __init__(
        self,
        hop: Hop,
        partition: int,
        unit: Unit,
        store: PartitionStore,
        writer: Writer,
        executor: Executor,
        done: WorkDone,
    ) -> None:
        self.unit = unit
        self._hop = hop
        self._partition = partition
        self._store = store
        self._writer = writer
        self._executor = executor
        self._done = done
        self._news = asyncio.Event()
        self._brought: list[tuple[str, Sequence[InRecord]]] = []
        """What the unit has not been given yet, and how many records that are."""
        self._brought_records = 0
        self._fetched = asyncio.Event()
        """The unit is about to be given it."""
        self._room = asyncio.Event()
        self._room.set()
        self._stopping = False
        self._to_erase = False
        self._erased_s = -math.inf

    def durable(self, topic: str) -> int | None:
        """Offset before which all records of `topic` have been worked on durably."""
        return self._store.meta.positions.get(topic)

    async def take(self, topic: str, records: Sequence[InRecord]) -> None:
        """Returns when there is room again, so that the reading goes no faster than the work. What comes
        from another hop waits for no room in the unit: it is what makes room there."""
        if self._stopping:
            return  # it will be read again
        self._brought.append((topic, records))
        self._brought_records += len(records)
        self._look_for_room()
        self._news.set()
        if self._brought_records >= FULL:
            await self._fetched.wait()
        if topic in (CHANGES.name, EDITS.name, POSTS.name):
            await self._room.wait()

    async def work(self) -> None:
        """Until `stop`. Raises what went wrong: `Fenced` when another worker has the partition."""
        while not self._stopping:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), IDLE_S)
            await self._gather()
            self._news.clear()
            while not self._stopping and await self._work_once():
                await self._gather()
            await self._erase()

    async def _gather(self) -> None:
        """A transaction costs the same for one record as for a thousand."""
        if not self._stopping and self.unit.waiting + self._brought_records < MOST:
            await asyncio.sleep(GATHER_S)

    async def _work_once(self) -> bool:
        started = time.perf_counter()
        brought, self._brought, self._brought_records = self._brought, [], 0
        self._fetched.set()
        self._fetched.clear()
        work: Work | None = await self._run(self._next_work, brought)
        self._look_for_room()
        if work is None:
            return False
        changelog = [
            OutRecord(self._hop.changelog, self._partition, key, value, [])
            for key, value in work.changes
        ]
        ends = await self._writer.commit([*work.outputs, *changelog])
        await self._run(self._durable, work, ends[self._hop.changelog, self._partition])
        self._to_erase |= work.figures.gone
        self._done(self._hop.name, self._partition, work, time.perf_counter() - started)
        return True

    def _next_work(self, brought: Sequence[tuple[str, Sequence[InRecord]]]) -> Work | None:
        for topic, records in brought:
            self.unit.take(topic, records)
        return self.unit.work(MOST)

    def _durable(self, work: Work, end: int) -> None:
        self._store.apply(work.changes, end)
        self.unit.done()

    def _look_for_room(self) -> None:
        if self.unit.waiting + self._brought_records < FULL:
            self._room.set()
        else:
            self._room.clear()

    async def _erase(self) -> None:
        if self._to_erase and time.monotonic() - self._erased_s >= ERASE_EVERY_S:
            self._to_erase, self._erased_s = False, time.monotonic()
            await asyncio.to_thread(self._store.erase)

    async def _run(self, call: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, call, *arguments)

    def look(self) -> None:
        """Something else than records has come that may be waited for."""
        self._news.set()

    def release(self) -> None:
        """Let those go on that wait for room."""
        self._fetched.set()
        self._room.set()

    def stop(self) -> None:
        """Finish the unit of work under way, and no other."""
        self._stopping = True
        self.release()
        self._news.set()

    async def close(self) -> None:
        await self._writer.close()
