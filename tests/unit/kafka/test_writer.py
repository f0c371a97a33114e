"""All of a flush or nothing, whatever the client says of its commit."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from kafka.errors import (
    IllegalStateError,
    InvalidProducerEpochError,
    KafkaError,
    KafkaTimeoutError,
    OutOfOrderSequenceNumberError,
    ProducerFencedError,
)

from streams.errors import BrokerUnavailable, Fenced
from streams.kafka import writer
from streams.kafka.security import Connection
from streams.kafka.writer import KafkaWriter, Sending


class Client:
    """kafka-python's producer as it is: its commit has no word of the records that were given up. `ends`:
    of the records in order, None for one that Kafka has."""

    def __init__(self, *ends: KafkaError | None) -> None:
        self._ends = list(ends)
        self.refuses_after: int | None = None
        self.sent = 0
        self.flushed = 0
        self.committed = False
        self._closed = False
        self._sender = SimpleNamespace(force_close=lambda: None)

    def init_transactions(self) -> None: ...

    def begin_transaction(self) -> None: ...

    def send(self, *_: object) -> SimpleNamespace:
        if self.refuses_after is not None and self.sent >= self.refuses_after:
            raise IllegalStateError("Cannot call send in state BUMPING_PRODUCER_EPOCH")
        self.sent += 1
        return SimpleNamespace(exception=self._ends[self.sent - 1])

    def flush(self) -> None:
        self.flushed = self.sent

    def commit_transaction(self) -> None:
        self.committed = True

    def close(self, timeout: float) -> None: ...

    def _unregister_cleanup(self) -> None: ...


def opened(client: Client, monkeypatch: pytest.MonkeyPatch) -> KafkaWriter:
    monkeypatch.setattr(writer, "connected", lambda *_, **__: client)
    made = KafkaWriter(Connection(bootstrap=("127.0.0.1:1",)), "ndjson:test")
    made.open()
    return made


def sendings(count: int) -> list[Sending]:
    return [Sending("changes", 0, b"", b"", []) for _ in range(count)]


def test_what_kafka_has_all_of_is_committed(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(None, None)
    opened(client, monkeypatch).write(sendings(2))
    assert client.committed
    assert client.flushed == 2, "the answers are there before they are asked for"


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (KafkaTimeoutError("Expiring 1 record(s)"), BrokerUnavailable),
        # kafka-python then begins a new epoch, in which the commit of the one before does nothing.
        (OutOfOrderSequenceNumberError(), BrokerUnavailable),
        (InvalidProducerEpochError(), Fenced),
        (ProducerFencedError(), Fenced),
    ],
)
def test_with_one_record_given_up_nothing_is_committed_then_or_later(
    error: KafkaError, raised: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client(None, error, None)
    given_up = opened(client, monkeypatch)
    with pytest.raises(raised):
        given_up.write(sendings(3))
    assert not client.committed
    assert client._closed, "its thread is not to go on"
    with pytest.raises(BrokerUnavailable, match="not connected"):
        given_up.write(sendings(1))


@pytest.mark.parametrize(
    ("error", "raised"), [(InvalidProducerEpochError(), Fenced), (None, BrokerUnavailable)]
)
def test_what_was_refused_says_why_the_next_can_not_be_sent(
    error: KafkaError | None, raised: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client(error, None)
    client.refuses_after = 1
    with pytest.raises(raised):
        opened(client, monkeypatch).write(sendings(2))
    assert not client.committed
