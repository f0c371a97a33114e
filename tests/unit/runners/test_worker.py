"""A worker without Kafka: how much it takes in, and what ends it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from streams.errors import BrokerUnavailable, Fenced, TooManyDeadLetters
from streams.kafka.records import OutRecord
from streams.runners.partitions.task import FULL, PerformerHop
from streams.runners.partitions.wire import Figures, Work
from streams.runners.worker import Worker
from streams.store.changelog import META, Change, Meta
from streams.store.partitions import PartitionFile, PartitionStore
from streams.topics import CHANGES, DEAD_LETTERS, FEEDBACK, PERFORMER_STATE, Header
from tests.partition_world import Record

WAIT_S = 10


class Unit:
    """Every record becomes a dead letter."""

    def __init__(self) -> None:
        self._records: list[Record] = []
        self.positions: dict[str, int] = {}

    @property
    def waiting(self) -> int:
        return len(self._records)

    def take(self, topic: str, records: Sequence[Record]) -> None:
        if any(record.value == b"breaks" for record in records):
            raise RuntimeError("ours")
        self._records += records

    def work(self, most: int) -> Work | None:
        records, self._records = self._records, []
        if not records:
            return None
        outputs = [
            OutRecord(DEAD_LETTERS.name, 0, b"", record.value, list(record.headers))
            for record in records
        ]
        changes: list[Change] = [(META, msgspec.msgpack.encode(Meta()))]
        return Work(outputs, changes, Figures(outcomes={"dead_lettered": len(records)}))

    def done(self) -> None:
        pass


class Kafka:
    """Implements `Log` and `Writer`."""

    def __init__(self) -> None:
        self.committed: list[OutRecord] = []
        self.refuses: Exception | None = None
        self.away: Exception | None = None
        self.refused = asyncio.Event()
        self.commits = 0
        self.goes_on = asyncio.Event()
        self.goes_on.set()

    async def writer(self, transactional_id: str) -> Kafka:
        if self.away is not None:
            raise self.away
        return self

    async def read(
        self,
        topic: str,
        partition: int,
        offset: int,
        take: Callable[[list[Change], int], Awaitable[None]],
    ) -> int:
        return 0

    async def commit(self, records: Sequence[OutRecord]) -> Mapping[tuple[str, int], int]:
        if self.refuses is not None:
            self.refused.set()
            raise self.refuses
        self.commits += 1
        await self.goes_on.wait()
        self.committed += records
        return {(PERFORMER_STATE.name, 0): len(self.committed)}

    async def close(self) -> None:
        pass


@asynccontextmanager
async def at_work(directory: Path, kafka: Kafka, **options: float) -> AsyncIterator[Worker]:
    file = PartitionFile(directory)

    def make(partition: int, store: PartitionStore) -> Any:
        return Unit()

    with ThreadPoolExecutor(1) as executor:
        worker = Worker([PerformerHop(make)], file, kafka, executor, lambda *told: None, **options)
        try:
            yield worker
        finally:
            await worker.close()
            file.close()


def records(count: int, *, first: int = 0, requeued: bool = False, value: bytes = b"x") -> list[Record]:
    headers = [(Header.REQUEUED, b"1")] if requeued else []
    return [
        Record(CHANGES.name, 0, offset, 0, b"", value, headers) for offset in range(first, first + count)
    ]


async def until(holds: Callable[[], object]) -> None:
    while not holds():
        await asyncio.sleep(0.001)  # between two looks


def run(story: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(cast(Any, story()), WAIT_S))


def test_too_many_dead_letters_end_it_once_they_are_durable(tmp_path: Path) -> None:
    async def story() -> None:
        kafka = Kafka()
        async with at_work(tmp_path, kafka, dead_letter_limit=0.05) as worker:
            await worker.assigned([0])
            await worker.take(CHANGES.name, 0, records(250))
            with pytest.raises(TooManyDeadLetters, match="dead-letters list --kafka"):
                await asyncio.shield(worker.failed)
            assert sum(record.topic == DEAD_LETTERS.name for record in kafka.committed) == 250

    run(story)


def test_what_was_sent_back_is_not_counted(tmp_path: Path) -> None:
    async def story() -> None:
        kafka = Kafka()
        async with at_work(tmp_path, kafka, dead_letter_limit=0.05) as worker:
            await worker.assigned([0])
            await worker.take(CHANGES.name, 0, records(250, requeued=True))
            while not kafka.committed:
                await asyncio.sleep(0.01)  # between two looks
            await worker.revoked([0])
            assert not worker.failed.done()

    run(story)


def test_a_lost_broker_ends_it(tmp_path: Path) -> None:
    async def story() -> None:
        kafka = Kafka()
        async with at_work(tmp_path, kafka) as worker:
            await worker.assigned([0])
            kafka.refuses = BrokerUnavailable("not committed")
            await worker.take(CHANGES.name, 0, records(1))
            with pytest.raises(BrokerUnavailable):
                await asyncio.shield(worker.failed)

    run(story)


def test_what_comes_while_a_transaction_is_under_way_makes_one_more(tmp_path: Path) -> None:
    async def story() -> None:
        kafka = Kafka()
        kafka.goes_on.clear()
        async with at_work(tmp_path, kafka) as worker:
            await worker.assigned([0])
            await worker.take(CHANGES.name, 0, records(5))
            await until(lambda: kafka.commits)
            for first in range(5, 50, 5):
                await worker.take(CHANGES.name, 0, records(5, first=first))
            kafka.goes_on.set()
            await until(lambda: len(kafka.committed) >= 52)
            assert kafka.commits == 2

    run(story)


@pytest.mark.parametrize("topic", [CHANGES.name, FEEDBACK.name])
def test_no_more_is_read_than_is_worked_on(tmp_path: Path, topic: str) -> None:
    """Until there is room again, or what was brought is to be read again anyway."""

    async def story() -> None:
        kafka = Kafka()
        kafka.goes_on.clear()
        async with at_work(tmp_path, kafka) as worker:
            await worker.assigned([0])
            await worker.take(topic, 0, records(1))
            await until(lambda: kafka.commits)
            more = asyncio.create_task(worker.take(topic, 0, records(FULL, first=1)))
            await asyncio.sleep(0)  # it begins
            assert not more.done()
            kafka.goes_on.set()
            await more
            kafka.goes_on.clear()
            again = asyncio.create_task(worker.take(topic, 0, records(FULL, first=FULL + 1)))
            await until(lambda: kafka.commits >= 2)
            third = asyncio.create_task(worker.take(topic, 0, records(FULL, first=2 * FULL + 1)))
            await asyncio.sleep(0)  # it begins
            assert not third.done()
            worker.release()
            await asyncio.gather(again, third)
            kafka.goes_on.set()

    run(story)


def test_what_goes_wrong_taking_records_in_ends_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with at_work(tmp_path, Kafka()) as worker:
            await worker.assigned([0])
            await worker.take(CHANGES.name, 0, records(1, value=b"breaks"))
            with pytest.raises(RuntimeError, match="ours"):
                await asyncio.shield(worker.failed)
            await worker.take(CHANGES.name, 0, records(1, first=1))  # passed over: not durable

    run(story)


def test_a_partition_that_can_not_be_recovered_ends_it_in_order(tmp_path: Path) -> None:
    """`assigned` does not raise into the consumer group's machinery; the end cancels it."""

    async def story() -> None:
        kafka = Kafka()
        kafka.away = BrokerUnavailable("away")
        async with at_work(tmp_path, kafka) as worker:
            assigned = asyncio.create_task(worker.assigned([0]))
            with pytest.raises(BrokerUnavailable):
                await asyncio.shield(worker.failed)
            assert not assigned.done()
            assigned.cancel()
            with pytest.raises(asyncio.CancelledError):
                await assigned

    run(story)


def test_a_partition_taken_over_by_nobody_ends_it(tmp_path: Path) -> None:
    """Our transaction took too long and was aborted: the group still counts on us."""

    async def story() -> None:
        kafka = Kafka()
        async with at_work(tmp_path, kafka, fenced_grace_s=0.1) as worker:
            await worker.assigned([0])
            kafka.refuses = Fenced("timed out")
            await worker.take(CHANGES.name, 0, records(1))
            with pytest.raises(Fenced):
                await asyncio.shield(worker.failed)

    run(story)


def test_a_partition_taken_over_by_another_worker_does_not(tmp_path: Path) -> None:
    async def story() -> None:
        kafka = Kafka()
        async with at_work(tmp_path, kafka, fenced_grace_s=0.1) as worker:
            await worker.assigned([0])
            kafka.refuses = Fenced("another has it")
            await worker.take(CHANGES.name, 0, records(1))
            await kafka.refused.wait()
            await worker.revoked([0])
            await asyncio.sleep(0.3)  # longer than the grace
            assert not worker.failed.done()

    run(story)
