"""Reads the topic of hot facts, or another one, into a worker's replica: every partition, from its beginning,
for as long as the worker runs. Every process has all of them, so no consumer group has a part in it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from streams.errors import BrokerUnavailable
from streams.kafka.security import Connection, for_aiokafka
from streams.topics import HOT_FACTS

if TYPE_CHECKING:
    from aiokafka import ConsumerRecord

#: Taken over at once: the thread that does it also does the work on partitions.
TAKEN_AT_ONCE = 200
_WAIT_MS = 500


class Replica(Protocol):
    """`streams.runners.partitions.fact_replica.FactReplica`."""

    complete: bool

    def take(self, partition: int, records: Sequence[ConsumerRecord]) -> None: ...


class HotFactsReader:
    def __init__(
        self,
        connection: Connection,
        replica: Replica,
        partitions: int,
        executor: Executor,
        news: Callable[[], None],
        topic: str = HOT_FACTS.name,
    ) -> None:
        """`executor`: the one thread that the replica belongs to. `news` is called after each change."""
        self._topic = topic
        self._connection = connection
        self._replica = replica
        self._places = [TopicPartition(topic, number) for number in range(partitions)]
        self._executor = executor
        self._news = news

    async def run(self) -> None:
        """Until cancelled. Raises `BrokerUnavailable`, and what the replica raises."""
        consumer = AIOKafkaConsumer(
            **for_aiokafka(self._connection),
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            max_partition_fetch_bytes=4 << 20,
            fetch_max_wait_ms=100,
        )
        try:
            try:
                await consumer.start()
                consumer.assign(self._places)
                await consumer.seek_to_beginning(*self._places)
                await self._read(consumer)
            finally:
                await consumer.stop()
        except KafkaError as err:
            raise BrokerUnavailable(f"{self._topic} can't be read: {err}") from None

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        ends: dict[TopicPartition, int] = await consumer.end_offsets(self._places)
        while True:
            found = await consumer.getmany(timeout_ms=_WAIT_MS)
            for place, records in found.items():
                for at in range(0, len(records), TAKEN_AT_ONCE):
                    await self._take(place.partition, records[at : at + TAKEN_AT_ONCE])
            if not self._replica.complete:
                # Positions, not records: behind the last may be markers of transactions.
                left = [place for place in ends if await consumer.position(place) < ends[place]]
                ends = {place: ends[place] for place in left}
                self._replica.complete = not ends
            if found:
                self._news()

    async def _take(self, partition: int, records: Sequence[ConsumerRecord]) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._executor, self._replica.take, partition, records)
