"""Unit of work on Kafka: all its records in one transaction, and reading back what was so committed."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import (
    IllegalOperation,
    InvalidProducerEpoch,
    InvalidTxnState,
    KafkaError,
    ProducerFenced,
)

from streams.errors import BrokerUnavailable, StoreCorrupt
from streams.errors import Fenced as Fenced  # what `commit` raises goes with it
from streams.kafka.records import OutRecord
from streams.kafka.security import Connection, for_aiokafka

if TYPE_CHECKING:
    from aiokafka import ConsumerRecord
    from aiokafka.producer.message_accumulator import BatchBuilder

log = logging.getLogger("factwatch.kafka")

#: One record may be so large, with what is around it; the topics' `max.message.bytes` must allow it.
MAX_RECORD_BYTES = 8 << 20
#: Below what a broker takes by default (1 MiB); a larger record makes a batch of its own.
_BATCH_BYTES = 512 << 10
_ABORT_WITHIN_S = 3.0
_CLOSE_WITHIN_S = 3.0
_FENCED = (ProducerFenced, InvalidProducerEpoch, InvalidTxnState)


class TransactionFailed(BrokerUnavailable):
    """Not committed, as far as this process can know; see the partition's changelog."""


class TransactionalWriter:
    """Writes for one owner of `transactional_id`, a transaction at a time.

    After an exception out of `commit` it is of no use any more: close it, make another, and learn from the
    changelog what was committed (when the broker goes away during the commit itself, either may be)."""

    def __init__(
        self, connection: Connection, transactional_id: str, *, transaction_timeout_s: float = 60.0
    ) -> None:
        self.transactional_id = transactional_id
        self._producer = AIOKafkaProducer(
            **for_aiokafka(connection),
            client_id=transactional_id,
            transactional_id=transactional_id,
            transaction_timeout_ms=int(transaction_timeout_s * 1000),
            max_batch_size=_BATCH_BYTES,
            # `send_batch` goes round the check that this is for; it is no limit of ours.
            max_request_size=MAX_RECORD_BYTES,
            retry_backoff_ms=20,  # a transaction right after another is told to try again
        )
        self._usable = False

    async def start(self) -> None:
        """Fences the former owner and aborts what he had open: when this returns, all of it is decided."""
        try:
            await self._producer.start()
        except _FENCED as error:
            await self.close()
            raise self._fenced() from error
        except KafkaError as error:
            await self.close()
            raise TransactionFailed(f"{self.transactional_id}: can't be written for: {error}") from error
        self._usable = True

    async def commit(self, records: Sequence[OutRecord]) -> dict[tuple[str, int], int]:
        """All of them or none; gives, by topic and partition, the offset after the last record there.
        Nothing to write is no transaction.

        Raises `Fenced` when there is a newer owner, `TransactionFailed` for what else Kafka says. Cancelled
        or failed, the transaction is aborted as far as it can be reached."""
        if not records:
            return {}
        if not self._usable:
            raise TransactionFailed(f"{self.transactional_id}: a transaction failed before; start again")
        self._usable = False
        try:
            await self._producer.begin_transaction()
            ends = await self._send(records)
            await self._producer.commit_transaction()
        except _FENCED as error:
            raise self._fenced() from error
        except (KafkaError, IllegalOperation, AssertionError) as error:  # aiokafka asserts its states
            # Of one batch's refusal the next one to be handed over hears only that there is no transaction.
            if isinstance(self._ended_by(), _FENCED):
                raise self._fenced() from error
            await self._abort()
            raise TransactionFailed(f"{self.transactional_id}: not committed: {error!r}") from error
        except BaseException:
            await self._abort()
            raise
        self._usable = True
        return ends

    async def close(self) -> None:
        """Not committing anything; an open transaction is aborted by the next owner or its timeout."""
        self._usable = False
        producer = self._producer
        try:
            await asyncio.wait_for(producer.stop(), _CLOSE_WITHIN_S)
        except (TimeoutError, KafkaError) as error:
            # It waits for the broker as long as that takes. What it may still do, the next owner fences.
            log.warning("%s: closed without the broker: %r", self.transactional_id, error)
            if producer._sender.sender_task is not None:
                producer._sender.sender_task.cancel()
            await producer.client.close()
        self._ended_by()  # known from `commit`; asyncio would log it as never retrieved

    def _ended_by(self) -> BaseException | None:
        """What Kafka said that ended the transaction, whoever heard it."""
        ended = self._producer._txn_manager.wait_for_transaction_end()
        return (
            ended.exception() if ended is not None and ended.done() and not ended.cancelled() else None
        )

    async def _send(self, records: Sequence[OutRecord]) -> dict[tuple[str, int], int]:
        by_partition: dict[tuple[str, int], list[OutRecord]] = {}
        for record in records:
            by_partition.setdefault((record.topic, record.partition), []).append(record)
        # Together: so all partitions are added to the transaction by one request.
        ends = await asyncio.gather(
            *(self._send_partition(*tp, part) for tp, part in by_partition.items())
        )
        return dict(zip(by_partition, ends, strict=True))

    async def _send_partition(self, topic: str, partition: int, records: Sequence[OutRecord]) -> int:
        batches = list(self._batches(records))
        acks = [await self._producer.send_batch(batch, topic, partition=partition) for batch in batches]
        delivered = await asyncio.gather(*acks)
        return int(delivered[-1].offset) + int(batches[-1].record_count())

    def _batches(self, records: Sequence[OutRecord]) -> Iterator[BatchBuilder]:
        batch = self._producer.create_batch()
        for record in records:
            if not _appended(batch, record):
                batch.close()
                yield batch
                batch = self._producer.create_batch()
                if not _appended(batch, record):
                    raise ValueError(f"a record for {record.topic} does not fit into a batch")
        batch.close()
        yield batch

    async def _abort(self) -> None:
        """So that readers need not wait for its timeout. Where it can't be reached the broker does it."""
        aborting = asyncio.ensure_future(self._producer.abort_transaction())
        await asyncio.wait({aborting}, timeout=_ABORT_WITHIN_S)
        aborting.cancel()
        await asyncio.gather(aborting, return_exceptions=True)

    def _fenced(self) -> Fenced:
        return Fenced(
            f"{self.transactional_id}: another worker has this partition now (or the transaction timed out)"
        )


def _appended(batch: BatchBuilder, record: OutRecord) -> bool:
    added = batch.append(
        timestamp=None, key=record.key, value=record.value, headers=list(record.headers)
    )
    return added is not None


async def read_partition(
    connection: Connection,
    topic: str,
    partition: int,
    from_offset: int,
    on_records: Callable[[Sequence[ConsumerRecord]], Awaitable[None] | None],
) -> int:
    """Give all committed records from there to the end as it is now, in order; returns that end.

    Raises `StoreCorrupt` if `from_offset` is beyond the end: that topic is not the one it was read from."""
    tp = TopicPartition(topic, partition)
    async with _reader(connection) as consumer:
        consumer.assign([tp])
        end: int = (await consumer.end_offsets([tp]))[tp]
        if from_offset > end:
            raise StoreCorrupt(
                f"local state is at offset {from_offset} of {topic}/{partition}, which ends at {end}: "
                "another topic of that name; delete the local state and start again"
            )
        consumer.seek(tp, from_offset)
        while await consumer.position(tp) < end:
            for records in (await consumer.getmany(tp, timeout_ms=100)).values():
                given = on_records(_before(records, end))
                if inspect.isawaitable(given):
                    await given
            await asyncio.sleep(0)
    return end


def _before(records: Sequence[ConsumerRecord], end: int) -> Sequence[ConsumerRecord]:
    if records[-1].offset < end:
        return records
    return [record for record in records if record.offset < end]


@asynccontextmanager
async def _reader(connection: Connection) -> AsyncIterator[Any]:
    consumer = AIOKafkaConsumer(
        **for_aiokafka(connection),
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",  # compaction may have taken what was there
        isolation_level="read_committed",
        max_partition_fetch_bytes=4 << 20,
        fetch_max_wait_ms=50,
    )
    try:
        await consumer.start()
        yield consumer
    finally:  # its own `async with` leaves one open that could not start
        await consumer.stop()
