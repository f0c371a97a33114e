"""Between the consumer group and the partitions: what Faust assigns, revokes and delivers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from streams.kafka.records import InRecord
from streams.runners.worker import Worker

if TYPE_CHECKING:
    from aiokafka import ConsumerRecord


class GroupMember:
    """Implements `PartitionWork`. The worker is made inside the running event loop."""

    def __init__(self, make_worker: Callable[[], Worker]) -> None:
        self._make_worker = make_worker
        self._worker: Worker | None = None

    @property
    def worker(self) -> Worker:
        if self._worker is None:
            self._worker = self._make_worker()
        return self._worker

    async def on_assigned(
        self, numbers: frozenset[int], kept: frozenset[int]
    ) -> Mapping[tuple[str, int], int]:
        return await self.worker.assigned(sorted(numbers))

    def on_standing_still(self) -> None:
        """A rebalance or the end has begun: what waits for room is not waited for."""
        self.worker.release()

    async def on_revoked(self, numbers: frozenset[int]) -> None:
        await self.worker.revoked(sorted(numbers))

    async def on_bundle(self, topic: str, partition: int, records: Sequence[ConsumerRecord]) -> None:
        worker = self.worker
        if worker.failed.done():
            worker.failed.result()
        await worker.take(topic, partition, [_in_record(record) for record in records])

    def durable(self, topic: str, partition: int) -> int | None:
        return self.worker.durable(topic, partition)


def _in_record(record: ConsumerRecord) -> InRecord:
    return InRecord(
        record.topic,
        record.partition,
        record.offset,
        record.timestamp / 1_000,
        record.key,
        record.value,
        list(record.headers),
    )
