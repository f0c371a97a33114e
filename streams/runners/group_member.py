"""Between the consumer group and the partitions: what Faust assigns, revokes and delivers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

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
        await self.worker.take(topic, partition, records)

    def durable(self, topic: str, partition: int) -> int | None:
        return self.worker.durable(topic, partition)
