"""How far a source has been read: the newest record of its key in the cursors topic."""

from __future__ import annotations

import time
from typing import Any

import msgspec
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from streams.errors import BrokerUnavailable, StoreCorrupt
from streams.kafka.admin import REACH_S, unavailable
from streams.kafka.clients import connected
from streams.kafka.security import Connection, for_kafka_python
from streams.state.watermark import Watermark
from streams.topics import CURSORS

#: Records read at first, from the topic's end backwards: a source that is running is among them.
LOOK_BACK = 1_000
#: Somebody else's open transaction holds the end back at most as long as Kafka lets it be open.
SETTLED_WITHIN_S = 60.0

_PARTITION = TopicPartition(CURSORS.name, 0)


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """The value of a cursors record."""

    cursor: str | None = None
    """The source's own; None before its first item."""
    watermark: Watermark = msgspec.field(default_factory=Watermark)
    """As it was after that item: a restart goes on with it."""
    flush: int = 0
    """Counts the transactions of this source: says whether one whose answer was lost is there."""
    owner: str = ""
    """The process that wrote it."""


_decode = msgspec.json.Decoder(Position).decode


def read_position(connection: Connection, source: str, *, wait: bool = True) -> Position | None:
    """The last committed one; None for a source that was never read. `wait`: until it is decided what
    becomes of transactions that are open; else only what is decided by now is read. Raises
    `BrokerUnavailable`."""
    try:
        end = _end(connection, open_too=wait)
        consumer = connected(
            KafkaConsumer,
            **_arguments(connection),
            isolation_level="read_committed",
            auto_offset_reset="earliest",
        )
        try:
            consumer.assign([_PARTITION])
            value = _newest(consumer, source.encode(), end)
        finally:
            consumer.close(autocommit=False)
    except KafkaError as err:
        raise unavailable(connection, err) from None
    if value is None:
        return None
    try:
        return _decode(value)
    except msgspec.DecodeError as err:
        raise StoreCorrupt(f"{CURSORS.name}: the cursor of {source} can't be read: {err}") from None


def _newest(consumer: KafkaConsumer, key: bytes, end: int) -> bytes | None:
    begin = consumer.beginning_offsets([_PARTITION])[_PARTITION]
    step = LOOK_BACK
    while end > begin:
        start = max(begin, end - step)
        value = _newest_between(consumer, key, start, end)
        if value is not None:
            return value
        end, step = start, step * 4
    return None


def _newest_between(consumer: KafkaConsumer, key: bytes, start: int, end: int) -> bytes | None:
    """Of the records from `start` to before `end`. They are there, but the last of them may not be
    settled yet: it is waited for, since an older one would be read in its place."""
    found: bytes | None = None
    deadline = time.monotonic() + SETTLED_WITHIN_S
    consumer.seek(_PARTITION, start)
    while (position := consumer.position(_PARTITION)) < end:
        if time.monotonic() > deadline:
            raise BrokerUnavailable(
                f"{CURSORS.name}: only {position} of {end} offsets can be read: an open transaction, or "
                "a broker that is not well"
            )
        for record in consumer.poll(timeout_ms=500).get(_PARTITION, ()):
            if record.offset >= end:
                break
            if record.key == key and record.value is not None:
                found = record.value
    return found


def _end(connection: Connection, *, open_too: bool) -> int:
    """Where the next record would go, open transactions counted; or how far all is decided."""
    consumer = connected(
        KafkaConsumer,
        **_arguments(connection),
        isolation_level="read_uncommitted" if open_too else "read_committed",
    )
    try:
        end: int = consumer.end_offsets([_PARTITION])[_PARTITION]
        return end
    finally:
        consumer.close(autocommit=False)


def _arguments(connection: Connection) -> dict[str, Any]:
    return {
        **for_kafka_python(connection),
        "client_id": "factwatch-cursors",
        "group_id": None,
        "enable_auto_commit": False,
        "bootstrap_timeout_ms": int(REACH_S * 1_000),
        "request_timeout_ms": 10_000,
    }
