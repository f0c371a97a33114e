"""Requests to Kafka, or its answers, are lost or late in the middle of a flush: every record is there once."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from kafka import KafkaConsumer, TopicPartition
from prometheus_client import CollectorRegistry

from streams.errors import Fenced
from streams.kafka import writer
from streams.kafka.cursors import Position
from streams.kafka.security import Connection
from streams.kafka.writer import KafkaWriter, Sending
from streams.metrics import IngestMetrics
from streams.runners import ingest, ingest_commit
from streams.runners.ingest import IngestRunner
from streams.runners.ingest_batch import BatchMaker
from streams.sources.base import SourceItem
from streams.stages.normalize import Normalizer
from streams.topics import CHANGES, CURSORS, EDITS
from tests.benchmarks.events import recent_changes
from tests.core_world import ListSource, StillClock
from tests.integration import kafka_broker
from tests.integration.kafka_records import make_topics_anew
from tests.integration.kafka_wire import END_TXN, PRODUCE, KafkaWire, kafka_wire
from tests.integration.test_ingest import assert_all_of_it_once_in_order, until
from tests.requirements import require_or_skip

PARTITIONS = 3
LINES = list(recent_changes(900, seed=21))
POSITION, RECORDS = "position", "records"


@pytest.fixture
def wire() -> Iterator[KafkaWire]:
    with kafka_wire() as wire:
        yield wire


@pytest.fixture
def inside(wire: KafkaWire, tmp_path: Path) -> Iterator[str]:
    """Address, for the test, of a broker which others reach by the wire."""
    require_or_skip(kafka_broker.installed(), kafka_broker.HOW)
    broker = kafka_broker.KafkaBroker(
        tmp_path / "kafka",
        told_port=wire.port,
        properties={
            "transaction.abort.timed.out.transaction.cleanup.interval.ms": "500",
            # What the still clock writes is older than is kept: half a minute after the start it is removed.
            "log.initial.task.delay.ms": "600000",
        },
    )
    wire.broker = broker.bootstrap
    try:
        broker.start()
        make_topics_anew(broker.internal, PARTITIONS)
        yield broker.internal
    finally:
        broker.stop()


class InTwoParts(list[Sending]):
    """Of a flush, the records and the position: those that `last` names come when Kafka has the others."""

    def __init__(self, sendings: Sequence[Sending], last: str, inside: str) -> None:
        super().__init__(sendings)
        self._last = last
        self._inside = inside

    def __iter__(self) -> Iterator[Sending]:
        sendings = list(super().__iter__())
        last = [
            sending
            for sending in sendings
            if (sending.topic == CURSORS.name) == (self._last == POSITION)
        ]
        first = [sending for sending in sendings if sending not in last]
        before = appended(self._inside, first)
        yield from first
        if len(sendings) > 1:  # the first tells only whose turn it is
            until(lambda: appended(self._inside, first) >= before + len(first))
        yield from last


def appended(inside: str, sendings: Sequence[Sending]) -> int:
    """Records where these go to, of which it is not decided yet too."""
    consumer = KafkaConsumer(bootstrap_servers=inside, group_id=None)
    try:
        places = {TopicPartition(sending.topic, sending.partition) for sending in sendings}
        return sum(consumer.end_offsets(list(places)).values()) if places else 0
    finally:
        consumer.close()


def all_appended(inside: str) -> int:
    """Records of all kinds, and the markers at which transactions end."""
    consumer = KafkaConsumer(bootstrap_servers=inside, group_id=None)
    try:
        places = [
            TopicPartition(topic.name, partition)
            for topic in (CHANGES, EDITS, CURSORS)
            for partition in consumer.partitions_for_topic(topic.name) or ()
        ]
        return sum(consumer.end_offsets(places).values())
    finally:
        consumer.close()


class CutOffWriter(KafkaWriter):
    """The real one. It looks for what is there when the producer of before has done all that it would."""

    def __init__(self, wire: KafkaWire, inside: str, last: str) -> None:
        super().__init__(Connection(bootstrap=(f"127.0.0.1:{wire.port}",)), "ndjson:test")
        self._wire = wire
        self._inside = inside
        self._last = last

    def write(self, sendings: Sequence[Sending]) -> None:
        if not self._wire.lost.is_set():
            sendings = InTwoParts(sendings, self._last, self._inside)
        super().write(sendings)

    def position(self, *, wait: bool = True) -> Position | None:
        if self._wire.lost.is_set():
            until(self._at_rest)
            self._wire.mend()
        return super().position(wait=wait)

    def _at_rest(self) -> bool:
        return self._producer is None or not self._producer._transaction_manager.is_completing()


def cut_off(wire: KafkaWire, inside: str, last: str = POSITION) -> IngestRunner:
    return ingest_with(CutOffWriter(wire, inside, last))


def ingest_with(writer: KafkaWriter) -> IngestRunner:
    clock = StillClock()
    return IngestRunner(
        source=ListSource([SourceItem("", line) for line in LINES]),
        name="ndjson:test",
        writer=writer,
        make=BatchMaker(lambda now: Normalizer(now=now), PARTITIONS, clock),
        metrics=IngestMetrics(CollectorRegistry()),
        clock=clock,
        owner="me",
    )


@pytest.mark.parametrize("late", [POSITION, RECORDS])
def test_a_flush_of_which_kafka_got_a_part_is_not_committed(
    wire: KafkaWire, inside: str, late: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """kafka-python commits what did arrive when the rest has waited too long. Without the position, the
    same was sent again and stood there twice; with it alone, the records were nowhere."""
    monkeypatch.setattr(writer, "GIVE_UP_S", 4.0)
    monkeypatch.setattr(writer, "ANSWER_S", 3.0)
    names = [CURSORS.name.encode()] if late == POSITION else [CHANGES.name.encode(), EDITS.name.encode()]
    flushes = []

    def late_part(api: int, body: bytes) -> bool:
        if api != PRODUCE:
            return False
        flushes.append(body)
        return len(flushes) > 2 and any(name in body for name in names)  # the first is a position alone

    wire.lose_requests(late_part)
    cut_off(wire, inside, late).run()
    assert wire.lost.is_set()
    assert_all_of_it_once_in_order(inside, LINES)


def test_a_commit_whose_answer_is_lost_is_not_made_again(wire: KafkaWire, inside: str) -> None:
    commits = []

    def second_commit(api: int, _: bytes) -> bool:
        if api == END_TXN:
            commits.append(api)
        return len(commits) == 2  # the first tells only whose turn it is

    wire.lose_answer(second_commit)
    cut_off(wire, inside).run()
    assert wire.lost.is_set()
    assert_all_of_it_once_in_order(inside, LINES)


@pytest.mark.parametrize("late", [PRODUCE, END_TXN], ids=["records", "commit"])
def test_a_flush_that_stood_still_until_kafka_ended_it_is_written_again(
    wire: KafkaWire,
    inside: str,
    late: int,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """As if the process were stopped there: Kafka then fences it as if another had taken over."""
    monkeypatch.setattr(writer, "TRANSACTION_S", 1.0)
    monkeypatch.setattr(ingest, "FLUSH_ITEMS", 300)
    monkeypatch.setattr(ingest_commit, "OWNER_TELLS_WITHIN_S", 1.0)
    commits = []

    def of_third_flush(api: int, _: bytes) -> bool:
        third = len(commits) == 2  # the first tells only whose turn it is
        if api == END_TXN:
            commits.append(api)
        return third and api == late

    wire.hold_request(of_third_flush)
    fenced = []

    class Watched(KafkaWriter):
        def write(self, sendings: Sequence[Sending]) -> None:
            try:
                super().write(sendings)
            except Fenced:
                fenced.append(sendings)
                raise

    runner = ingest_with(Watched(Connection(bootstrap=(f"127.0.0.1:{wire.port}",)), "ndjson:test"))
    running = threading.Thread(target=runner.run, name="ingest", daemon=True)
    running.start()
    assert wire.held.wait(20)
    before = all_appended(inside)
    until(
        lambda: all_appended(inside) > before
    )  # nothing gets through: it is where the transaction ends
    wire.go_on()
    running.join(40)
    assert not running.is_alive()
    assert len(fenced) == 1
    assert "nobody took over" in caplog.text
    assert_all_of_it_once_in_order(inside, LINES)
