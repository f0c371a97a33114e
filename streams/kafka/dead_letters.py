"""The dead letters topic for its operator: read from its end, and written back to where they came from."""

from __future__ import annotations

import contextlib
import heapq
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

import msgspec
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError

from streams.errors import BrokerUnavailable, NoTopics
from streams.kafka.admin import REACH_S, unavailable
from streams.kafka.clients import connected
from streams.kafka.records import Headers, OutRecord, header
from streams.kafka.security import Connection, for_kafka_python
from streams.topics import CHANGES, DEAD_LETTERS, MIB, POSTS, Header

#: Of the headers that say why.
PREFIX = "factwatch.error."
#: Nothing read for so long: the broker is not well, or somebody's transaction is open.
PATIENCE_S = 30.0
#: Records sent together, and then waited for.
AT_ONCE = 500
#: What only held where and when the record was first.
_GONE = frozenset({Header.ROUTED, Header.WATERMARK, Header.REQUEUED})

Place = Callable[[bytes], tuple[bytes | None, int]]
"""Key and partition in `changes` of a value; no key where it tells none."""


class KafkaDeadLetter(msgspec.Struct, frozen=True):
    partition: int
    offset: int
    time: float
    """At which it became a dead letter, Unix seconds."""
    key: bytes | None
    value: bytes | None
    """In a list: the first 200 bytes."""
    size: int
    """Bytes of the whole value."""
    headers: Headers

    @property
    def id(self) -> str:
        return f"{self.partition}:{self.offset}"

    def told(self, name: str) -> str:
        """What its header `factwatch.error.…` says: untrusted text."""
        return (header(self.headers, PREFIX + name) or b"").decode("utf-8", "replace")

    @property
    def origin(self) -> str:
        """`topic:partition:offset` of the record."""
        return ":".join(self.told(name) for name in ("topic", "partition", "offset"))

    @property
    def requeued(self) -> bool:
        """It had been sent back, and failed again."""
        return header(self.headers, Header.REQUEUED) is not None


class DeadLetterTopic:
    """As it is when this is made: what becomes a dead letter later is not seen."""

    def __init__(self, consumer: KafkaConsumer) -> None:
        """Raises `NoTopics`."""
        self._consumer = consumer
        numbers = consumer.partitions_for_topic(DEAD_LETTERS.name)
        if not numbers:
            raise NoTopics(
                f"Kafka has no topic {DEAD_LETTERS.name}: run `factwatch topics create` first"
            )
        self._places = [TopicPartition(DEAD_LETTERS.name, number) for number in sorted(numbers)]
        self._begins: dict[TopicPartition, int] = consumer.beginning_offsets(self._places)
        self._ends: dict[TopicPartition, int] = consumer.end_offsets(self._places)

    def newest(self, limit: int) -> list[KafkaDeadLetter]:
        """The newest first."""
        found: list[KafkaDeadLetter] = []
        for place in self._places:
            found += self._last(place, limit)
            found = heapq.nlargest(limit, found, key=lambda letter: (letter.time, letter.offset))
        return found

    def get(self, partition: int, offset: int) -> KafkaDeadLetter | None:
        place = TopicPartition(DEAD_LETTERS.name, partition)
        if not self._begins.get(place, 0) <= offset < self._ends.get(place, 0):
            return None
        found = next(self._between(place, offset, offset + 1), None)
        return found if found is not None and found.offset == offset else None

    def all(self) -> Iterator[KafkaDeadLetter]:
        """Those of a partition in order."""
        for place in self._places:
            yield from self._between(place, self._begins[place], self._ends[place])

    def _last(self, place: TopicPartition, limit: int) -> list[KafkaDeadLetter]:
        """From the end backwards, in growing steps: transactions' ends take offsets too."""
        found: list[KafkaDeadLetter] = []
        end, begin, step = self._ends[place], self._begins[place], 2 * limit + 100
        while end > begin and len(found) < limit:
            start = max(begin, end - step)
            read = map(_beginning, self._between(place, start, end))
            found = [*deque(read, limit - len(found)), *found]
            end, step = start, 4 * step
        return found

    def _between(self, place: TopicPartition, start: int, end: int) -> Iterator[KafkaDeadLetter]:
        self._consumer.assign([place])
        self._consumer.seek(place, start)
        deadline = time.monotonic() + PATIENCE_S
        while (position := self._consumer.position(place)) < end:
            records = self._consumer.poll(timeout_ms=500).get(place, ())
            for record in records:
                if record.offset >= end:
                    return
                yield _letter(record)
            if records:
                deadline = time.monotonic() + PATIENCE_S
            elif time.monotonic() > deadline:
                raise BrokerUnavailable(
                    f"{place.topic} {place.partition}: nothing can be read from offset {position} on, of "
                    f"{end}: the broker is not well, or a transaction is open"
                )


@contextmanager
def dead_letter_topic(connection: Connection) -> Iterator[DeadLetterTopic]:
    """Raises `BrokerUnavailable`, also of what is done with it, and `NoTopics`."""
    try:
        consumer = connected(
            KafkaConsumer,
            **for_kafka_python(connection),
            client_id="factwatch-dead-letters",
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            bootstrap_timeout_ms=int(REACH_S * 1_000),
            request_timeout_ms=10_000,
        )
        try:
            yield DeadLetterTopic(consumer)
        finally:
            consumer.close(autocommit=False)
    except KafkaError as err:
        raise unavailable(connection, err) from None


def is_of_posts(letter: KafkaDeadLetter) -> bool:
    return letter.told("topic") == POSTS.name


def original(letter: KafkaDeadLetter, place: Place) -> OutRecord:
    """The record as it goes back to `changes`. One from `edits` is keyed by its page: there it gets the
    key that it has here."""
    key, partition = place(letter.value or b"")
    headers = [
        (name, value)
        for name, value in letter.headers
        if not name.startswith(PREFIX) and name not in _GONE
    ]
    headers.append((Header.REQUEUED, b"1"))
    key = letter.key or b"" if key is None else key
    return OutRecord(CHANGES.name, partition, key, letter.value, headers)


def send_back(connection: Connection, records: Iterable[OutRecord]) -> int:
    """Gives how many, all acknowledged. Raises `BrokerUnavailable`, which tells how many were before."""
    sent = 0
    try:
        producer = connected(KafkaProducer, **_producer_arguments(connection))
        try:
            source = iter(records)
            while piece := list(islice(source, AT_ONCE)):
                waiting = [
                    producer.send(r.topic, r.value, r.key, list(r.headers), r.partition) for r in piece
                ]
                for one in waiting:
                    one.get(timeout=PATIENCE_S)
                    sent += 1
        finally:
            with contextlib.suppress(KafkaError):
                producer.close(timeout=1.0)
    except KafkaError as err:
        raise BrokerUnavailable(
            f"{sent:,} were sent back, then: {unavailable(connection, err)}"
        ) from None
    return sent


def _producer_arguments(connection: Connection) -> dict[str, Any]:
    return {
        **for_kafka_python(connection),
        "client_id": "factwatch-requeue",
        "enable_idempotence": True,
        "acks": "all",
        "compression_type": "zstd",
        "max_request_size": 8 * MIB,
        "delivery_timeout_ms": int(PATIENCE_S * 1_000),
        "request_timeout_ms": 10_000,
        "max_block_ms": int(PATIENCE_S * 1_000),
        "bootstrap_timeout_ms": int(REACH_S * 1_000),
        "allow_auto_create_topics": False,
        "metrics_enabled": False,
    }


def wanted(
    topic: DeadLetterTopic, ids: Collection[tuple[int, int]] | None, reason: str | None
) -> Iterator[KafkaDeadLetter]:
    """Those with these ids, as far as they are there; None: all, or all of one reason. What was sent back
    and failed again is then left out: its first dead letter is there too, and stands for both."""
    if ids is not None:
        for partition, offset in sorted(set(ids)):
            letter = topic.get(partition, offset)
            if letter is not None:
                yield letter
        return
    for letter in topic.all():
        if not letter.requeued and (reason is None or letter.told("reason") == reason):
            yield letter


def _letter(record: Any) -> KafkaDeadLetter:
    return KafkaDeadLetter(
        record.partition,
        record.offset,
        record.timestamp / 1_000,
        record.key,
        record.value,
        len(record.value or b""),
        list(record.headers),
    )


def _beginning(letter: KafkaDeadLetter) -> KafkaDeadLetter:
    return msgspec.structs.replace(letter, value=(letter.value or b"")[:200])
