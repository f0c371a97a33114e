"""Its topics, read from the positions that the database keeps.

Partitions are assigned by hand, without a consumer group. A group's offsets would be a second truth
beside the positions that are committed with the rows; and there is nothing to share out: one process
writes thousands of records a second, the topics carry a few. A second archive beside the first costs
nothing but its reading (`PositionsMoved`), and takes over by just going on.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError, KafkaTimeoutError, OffsetOutOfRangeError

from streams.archive.delivered import Delivered, Partition
from streams.archive.feed import Fetched, Start, TopicsUnavailable
from streams.archive.writer import Position
from streams.kafka.clients import connected

log = logging.getLogger("factwatch.archive")

BATCH = 500
POLL_S = 0.5
ANSWER_MS = 5_000
#: The position is known here. kafka-python else waits up to 30 s, for each partition, for a new leader to
#: agree with it, which `poll` sees to by itself; `stop` would have to wait along.
NO_WAIT_MS = 0
#: Bytes that the consumer holds at most, beside the batch under way.
FETCH_BYTES = 8 << 20
#: How often an end before our position is looked at again before it is believed: a broker that has just
#: started may not know yet how far its log was acknowledged.
LOOKS, LOOK_EVERY_S = 5, 1.0


class TopicReader:
    """`Topics` on a broker. `connection`: arguments of kafka-python."""

    def __init__(self, connection: Mapping[str, Any], topics: Sequence[str]) -> None:
        self._connection = dict(connection)
        self._topics = list(topics)
        self._where = ",".join(self._connection["bootstrap_servers"])
        self._consumer: Any = None
        self._partitions: list[TopicPartition] = []
        self._seen: dict[Partition, int] = {}

    def start(self, stored: Mapping[Partition, Position]) -> Start:
        self.close()  # a new one knows of topics as they are now, and its making has a time limit
        with self._told():
            self._open()
            begins = _by_partition(self._consumer.beginning_offsets(self._partitions, ANSWER_MS))
            ends = self._ends_past(stored)
            positions: dict[Partition, Position] = {}
            expired: dict[str, int] = {}
            for where in map(_partition, self._partitions):
                position, lost = _begin_at(where, stored.get(where), begins[where], ends[where])
                positions[where] = position
                if lost:
                    expired[where.topic] = expired.get(where.topic, 0) + lost
                self._consumer.seek(TopicPartition(*where), position.offset)
            self._seen = {where: position.offset for where, position in positions.items()}
        return Start(positions, expired)

    def poll(self) -> Fetched | None:
        with self._told():
            try:
                batches = self._consumer.poll(round(POLL_S * 1_000), max_records=BATCH)
            except OffsetOutOfRangeError:
                return None
            records = [_delivered(record) for batch in batches.values() for record in batch]
            after: dict[Partition, int] = {}
            for partition in self._partitions:
                where, offset = _partition(partition), self._consumer.position(partition, NO_WAIT_MS)
                if offset is not None and offset != self._seen[where]:
                    self._seen[where] = after[where] = offset
            return Fetched(records, after)

    def lag(self, done: Mapping[Partition, int]) -> dict[str, int]:
        with self._told():
            ends = _by_partition(self._consumer.end_offsets(self._partitions, ANSWER_MS))
        lag = dict.fromkeys(self._topics, 0)
        for where, end in ends.items():
            lag[where.topic] += max(end - done.get(where, 0), 0)
        return lag

    def has_new_partitions(self) -> bool:
        with self._told():
            return self._known() != {_partition(partition) for partition in self._partitions}

    def close(self) -> None:
        if self._consumer is not None:
            with contextlib.suppress(KafkaError):
                self._consumer.close(timeout_ms=2_000)
            self._consumer = None

    def _open(self) -> None:
        self._consumer = connected(
            KafkaConsumer,
            **self._connection,
            client_id="factwatch-archive",
            group_id=None,
            enable_auto_commit=False,
            isolation_level="read_committed",
            auto_offset_reset="none",  # a position outside of the log is looked into, not skipped
            fetch_max_bytes=FETCH_BYTES,
            metadata_max_age_ms=60_000,
            allow_auto_create_topics=False,
            bootstrap_timeout_ms=ANSWER_MS,
        )
        known = self._known()
        missing = [topic for topic in self._topics if topic not in {where.topic for where in known}]
        if missing:
            raise TopicsUnavailable(
                f"Kafka at {self._where}: no topic {', '.join(missing)}: `factwatch topics create` makes it"
            )
        self._partitions = sorted(TopicPartition(*where) for where in known)
        self._consumer.assign(self._partitions)

    def _known(self) -> set[Partition]:
        return {
            Partition(topic, partition)
            for topic in self._topics
            for partition in self._consumer.partitions_for_topic(topic)
        }

    def _ends_past(self, stored: Mapping[Partition, Position]) -> dict[Partition, int]:
        for look in range(LOOKS):
            ends = _by_partition(self._consumer.end_offsets(self._partitions, ANSWER_MS))
            if all(where not in stored or stored[where].offset <= end for where, end in ends.items()):
                break
            if look < LOOKS - 1:
                time.sleep(LOOK_EVERY_S)
        return ends

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except KafkaTimeoutError:
            raise TopicsUnavailable(
                f"Kafka at {self._where}: no answer within {ANSWER_MS // 1_000} s; is the broker up?"
            ) from None
        except (KafkaError, OSError) as err:
            said = " ".join(str(err).split())[:200]
            raise TopicsUnavailable(f"Kafka at {self._where}: {said or type(err).__name__}") from None


def _begin_at(where: Partition, stored: Position | None, begin: int, end: int) -> tuple[Position, int]:
    """Where to begin, and how many offsets are gone that were never read."""
    if stored is None:
        return Position(0, begin), 0
    if stored.offset > end:
        log.warning(
            "%s partition %d ends at %d, before our position %d: the topic was made anew; read from its"
            " beginning", where.topic, where.partition, end, stored.offset,
        )  # fmt: skip
        return Position(stored.generation + 1, begin), 0
    if stored.offset < begin:
        lost = begin - stored.offset
        log.error(
            "%s partition %d begins at %d: %d offsets left by retention before they were archived",
            where.topic, where.partition, begin, lost,
        )  # fmt: skip
        return Position(stored.generation, begin), lost
    return stored, 0


def _partition(partition: TopicPartition) -> Partition:
    return Partition(partition.topic, partition.partition)


def _by_partition(offsets: Mapping[TopicPartition, int]) -> dict[Partition, int]:
    return {_partition(partition): offset for partition, offset in offsets.items()}


def _delivered(record: Any) -> Delivered:
    return Delivered(
        where=Partition(record.topic, record.partition),
        position=record.offset,
        written_ms=record.timestamp,
        key=record.key,
        value=record.value,
        headers=list(record.headers),
    )
