"""What a worker wants of Kafka beside the records it is fed with: writers, and changelogs to read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from streams.errors import StoreCorrupt
from streams.kafka.security import Connection
from streams.kafka.transactions import TransactionalWriter, read_partition
from streams.store.changelog import Change

if TYPE_CHECKING:
    from aiokafka import ConsumerRecord


class KafkaLog:
    """Implements `Log`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def writer(self, transactional_id: str) -> TransactionalWriter:
        writer = TransactionalWriter(self._connection, transactional_id)
        await writer.start()
        return writer

    async def read(
        self,
        topic: str,
        partition: int,
        offset: int,
        take: Callable[[list[Change], int], Awaitable[None]],
    ) -> int:
        async def on_records(records: Sequence[ConsumerRecord]) -> None:
            await take([(record.key, record.value) for record in records], records[-1].offset + 1)

        try:
            return await read_partition(self._connection, topic, partition, offset, on_records)
        except StoreCorrupt:
            return -1
