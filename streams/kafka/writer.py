"""kafka-python's transactional producer, so that it either did all of it, says that it may not have, or
says that it was fenced. It never waits for ever."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple

from kafka import KafkaProducer
from kafka.errors import InvalidProducerEpochError, KafkaError, ProducerFencedError
from kafka.producer.future import FutureRecordMetadata

from streams.errors import BrokerUnavailable, Fenced
from streams.kafka.admin import REACH_S, unavailable
from streams.kafka.clients import connected
from streams.kafka.cursors import Position, read_position
from streams.kafka.security import Connection, for_kafka_python
from streams.topics import MIB

log = logging.getLogger("factwatch.kafka")

#: A transaction that was not ended for so long is aborted by Kafka; readers wait for that.
TRANSACTION_S = 30.0
#: A flush takes milliseconds. The producer is then given up, and the next finds out what is there.
GIVE_UP_S = 20.0
#: For one request. Less than the above, or kafka-python refuses.
ANSWER_S = 10.0
#: Records of one partition that go out together: below the 1 MiB that a broker takes by default.
BATCH_BYTES = 256 << 10


class Sending(NamedTuple):
    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]
    timestamp_ms: int | None = None


class KafkaWriter:
    """Writes what a source gave, with the source's position in the same transaction. `source` names
    the source; of all writers of one name only the last that was opened can write."""

    def __init__(self, connection: Connection, source: str) -> None:
        self._connection = connection
        self._source = source
        self._producer: KafkaProducer | None = None
        self._doubtful = False
        """The last `write` failed: there may be records that will never be sent."""

    def position(self, *, wait: bool = True) -> Position | None:
        """`wait`: for transactions that are open. Raises `BrokerUnavailable`."""
        return read_position(self._connection, self._source, wait=wait)

    def open(self) -> None:
        """Fence all writers of this name: what they had begun is aborted, or seen to its end. Raises
        `BrokerUnavailable`."""
        self.close()
        try:
            self._producer = connected(
                KafkaProducer,
                **for_kafka_python(self._connection),
                client_id="factwatch-ingest",
                transactional_id=f"factwatch-ingest-{self._source}",
                transaction_timeout_ms=int(TRANSACTION_S * 1_000),
                acks="all",
                compression_type="zstd",
                batch_size=BATCH_BYTES,
                max_request_size=8 * MIB,
                linger_ms=100,  # the commit sends what waits: until then batches fill
                retry_backoff_ms=10,  # a transaction begun right after another waits this long
                delivery_timeout_ms=int(GIVE_UP_S * 1_000),
                request_timeout_ms=int(ANSWER_S * 1_000),
                max_block_ms=int(GIVE_UP_S * 1_000),
                bootstrap_timeout_ms=int(REACH_S * 1_000),
                allow_auto_create_topics=False,
                metrics_enabled=False,
            )
            self._producer.init_transactions()
            self._doubtful = False
        except KafkaError as err:
            self._doubtful = True
            self.close()
            raise unavailable(self._connection, err) from None

    def write(self, sendings: Sequence[Sending]) -> None:
        """In one transaction, all or nothing. Raises `BrokerUnavailable` when it is not known to be
        committed (`open` again, and `position` tells), `Fenced` when another writer of this name was
        opened, or Kafka ended the transaction as it took longer than `TRANSACTION_S`: it tells no
        difference."""
        producer = self._producer
        if producer is None:
            raise BrokerUnavailable("not connected to Kafka")
        failed: list[BaseException] = []
        acks: list[FutureRecordMetadata] = []

        def transaction() -> None:
            try:
                producer.begin_transaction()
                for sending in sendings:
                    acks.append(  # noqa: PERF401  # what was sent counts when the next can't be
                        producer.send(
                            sending.topic,
                            sending.value,
                            sending.key,
                            sending.headers,
                            sending.partition,
                            sending.timestamp_ms,
                        )
                    )
                producer.flush()
                # kafka-python itself commits without what was given up, and with no word of it.
                for ack in acks:
                    if ack.exception is not None:
                        raise ack.exception
                producer.commit_transaction()
            except BaseException as err:  # noqa: BLE001  # handed to the thread that waits
                # The record that was refused says why; the next can't be sent, "in this state".
                failed.extend(ack.exception for ack in acks if ack.exception is not None)
                failed.append(err)

        if not _done_within(GIVE_UP_S, transaction):
            self.discard()
            raise BrokerUnavailable(f"Kafka at {self._connection.where} does not answer")
        if failed:
            self.discard()
            raise self._named(failed)

    def close(self) -> None:
        producer, self._producer = self._producer, None
        if producer is None:
            return
        try:
            if not self._doubtful:
                producer.close(timeout=2.0)  # all was acknowledged: nothing to wait for
        except KafkaError as err:
            log.debug("closing the producer: %s", err)
        _discard(producer)

    def discard(self) -> None:
        """It is not to commit any more. Also for another thread, when `write` has not come back and the
        process is to end."""
        self._doubtful = True
        self.close()

    def _named(self, failed: Sequence[BaseException]) -> BaseException:
        if any(
            isinstance(_cause(err), ProducerFencedError | InvalidProducerEpochError) for err in failed
        ):
            return fenced(self._source)
        if not isinstance(failed[-1], KafkaError):
            return failed[-1]
        why = next(err for err in failed if isinstance(err, KafkaError))
        return unavailable(self._connection, why)


def _cause(err: BaseException) -> BaseException:
    return err.args[1] if len(err.args) > 1 and isinstance(err.args[1], Exception) else err


def fenced(source: str) -> Fenced:
    return Fenced(
        f"another `factwatch ingest` of {source} was started and has taken over; this one ends (one at a "
        "time reads a source)"
    )


def _done_within(seconds: float, call: Callable[[], None]) -> bool:
    """kafka-python waits without a bound for the end of a transaction: that is left to a thread."""
    thread = threading.Thread(target=call, name="kafka-transaction", daemon=True)
    thread.start()
    thread.join(seconds)
    return not thread.is_alive()


def _discard(producer: KafkaProducer) -> None:
    """kafka-python's own `close` waits for what can't be sent and then raises, at the interpreter's end
    too; its thread would go on trying. It has no public way to be given up."""
    if not producer._closed:
        producer._unregister_cleanup()
        producer._sender.force_close()
        producer._closed = True
