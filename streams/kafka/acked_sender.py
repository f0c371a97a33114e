"""What was handed in over HTTP, posts or verdicts, written to its topic: returns when the brokers have it, or
says that they may not. From any thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from kafka import KafkaProducer
from kafka.errors import KafkaError

from streams.errors import BrokerUnavailable
from streams.kafka.admin import REACH_S, shared_partitions, unavailable
from streams.kafka.clients import connected
from streams.kafka.security import Connection, for_kafka_python
from streams.kafka.writer import Sending
from streams.topics import MIB

#: A client waits for its answer; then it is told to try again.
GIVE_UP_S = 10.0

Record = TypeVar("Record")


class AckedSender(Generic[Record]):
    """Connects at the first record, and anew after a failure: the program serves alerts without Kafka."""

    def __init__(
        self, connection: Connection, make: Callable[[Sequence[Record], int], list[Sending]]
    ) -> None:
        """`make` gives what is written for some records, for so many partitions."""
        self._connection = connection
        self._make = make
        self._lock = threading.Lock()
        self._producer: KafkaProducer | None = None
        self._partitions = 0

    def send(self, records: Sequence[Record]) -> None:
        """Raises `BrokerUnavailable`, also when only some are there: sent again they change nothing."""
        if not self._lock.acquire(timeout=GIVE_UP_S):  # while the broker is away, others may wait before
            raise BrokerUnavailable(f"no Kafka broker answered yet at {self._connection.where}")
        try:
            try:
                producer = self._connected()
                # In one go: records of two requests don't mix, so that their time only goes forward.
                waiting = [
                    producer.send(s.topic, s.value, s.key, s.headers, s.partition, s.timestamp_ms)
                    for s in self._make(records, self._partitions)
                ]
            finally:
                self._lock.release()
            for one in waiting:
                one.get(timeout=GIVE_UP_S)
        except KafkaError as err:
            self.close()
            raise unavailable(self._connection, err) from None
        except BrokerUnavailable:
            self.close()
            raise

    def close(self) -> None:
        with self._lock:
            producer, self._producer = self._producer, None
        if producer is not None:
            try:
                producer.close(timeout=1.0)
            except KafkaError:
                return  # what could not be sent was told to whoever waited for it

    def _connected(self) -> KafkaProducer:
        if self._producer is None:
            self._partitions = shared_partitions(self._connection)
            self._producer = connected(
                KafkaProducer,
                **for_kafka_python(self._connection),
                client_id="factwatch-api",
                enable_idempotence=True,
                acks="all",
                compression_type="zstd",
                max_request_size=8 * MIB,
                linger_ms=5,
                delivery_timeout_ms=int(GIVE_UP_S * 1_000),
                request_timeout_ms=int(GIVE_UP_S * 900),
                max_block_ms=int(GIVE_UP_S * 1_000),
                bootstrap_timeout_ms=int(REACH_S * 1_000),
                allow_auto_create_topics=False,
                metrics_enabled=False,
            )
        return self._producer
