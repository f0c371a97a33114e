"""A flush is written once, whatever becomes of the answer; who comes later takes over."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from streams.errors import BadInput, BrokerUnavailable, Fenced
from streams.kafka.cursors import Position
from streams.kafka.writer import Sending
from streams.metrics import IngestMetrics
from streams.runners.ingest import IngestRunner
from streams.runners.ingest_batch import BatchMaker
from streams.sources.base import SourceItem
from streams.stages.normalize import Normalizer
from streams.state.watermark import Watermark
from streams.topics import CHANGES, CURSORS, EDITS, Header
from tests.core_world import START, ListSource, StillClock, raw_change


class Broker:
    """Keeps what was committed. `faults` are taken one by one, a write each: "lost" fails before the
    commit, "unanswered" after it."""

    def __init__(self, *faults: str) -> None:
        self.records: list[Sending] = []
        self.faults = list(faults)
        self.opened = 0

    def position(self, *, wait: bool = True) -> Position | None:
        values = [record.value for record in self.records if record.topic == CURSORS.name]
        return msgspec.json.decode(values[-1] or b"", type=Position) if values else None

    def open(self) -> None:
        self.opened += 1

    def write(self, sendings: Sequence[Sending]) -> None:
        fault = self.faults.pop(0) if self.faults else ""
        if fault != "lost":
            self.records += sendings
        if fault:
            raise BrokerUnavailable(fault)

    def close(self) -> None: ...

    def discard(self) -> None: ...

    def values(self, topic: str) -> list[bytes | None]:
        return [record.value for record in self.records if record.topic == topic and record.value]


class NoWait:
    """In place of a random wait."""

    def uniform(self, low: float, high: float) -> float:
        return 0.0


def runner(broker: Broker, source: ListSource, owner: str = "me") -> IngestRunner:
    clock = StillClock()
    return IngestRunner(
        source=source,
        name="ndjson:test",
        writer=broker,
        make=BatchMaker(lambda now: Normalizer(now=now), 3, clock),
        metrics=IngestMetrics(CollectorRegistry()),
        clock=clock,
        owner=owner,
        rng=NoWait(),  # type: ignore[arg-type]  # all that is asked of it
    )


def raws(count: int) -> list[bytes]:
    return [raw_change(meta={"id": f"event {n}"}, revision={"new": n + 1}) for n in range(count)]


def items(count: int) -> list[SourceItem]:
    return [SourceItem("", raw) for raw in raws(count)]


@pytest.mark.parametrize(
    "faults",
    [
        (),
        ("lost",),
        ("unanswered",),
        ("", "lost", "lost"),
        ("", "unanswered"),
        ("", "lost", "unanswered"),
    ],
    ids=lambda faults: "+".join(faults) or "none",
)
def test_a_flush_is_written_once(faults: tuple[str, ...]) -> None:
    broker = Broker(*faults)
    runner(broker, ListSource(items(2_500))).run()
    assert broker.values(CHANGES.name) == raws(2_500)
    assert broker.values(EDITS.name) == raws(2_500)
    assert not broker.faults
    assert broker.opened == 1 + sum(fault != "" for fault in faults)


def test_it_goes_on_where_it_was_with_the_time_that_had_passed() -> None:
    broker = Broker()
    runner(broker, ListSource(items(10))).run()
    first = broker.position()
    assert first is not None
    assert first.cursor == "10"
    assert first.watermark.newest > 0
    runner(broker, ListSource(items(15)), owner="next").run()
    assert broker.values(CHANGES.name) == raws(15)
    last = broker.position()
    assert last is not None
    assert (last.cursor, last.owner) == ("15", "next")
    assert last.flush > first.flush


def test_the_time_that_passed_is_told_to_every_partition_at_the_end() -> None:
    broker = Broker()
    runner(broker, ListSource(items(1))).run()
    beats = [record for record in broker.records if record.topic == EDITS.name and not record.value]
    assert {record.partition for record in beats} == {0, 1, 2}
    told = [record for record in broker.records if record.topic == CHANGES.name][-1]
    assert {dict(beat.headers)[Header.WATERMARK] for beat in beats[-3:]} == {
        dict(told.headers)[Header.WATERMARK]
    }


def test_another_that_took_over_meanwhile_is_not_fenced_off() -> None:
    class Overtaken(Broker):
        def write(self, sendings: Sequence[Sending]) -> None:
            if len(self.records) > 1:
                other = Position(cursor="7", watermark=Watermark(), flush=99, owner="other")
                self.records.append(
                    Sending(CURSORS.name, 0, b"ndjson:test", msgspec.json.encode(other), [])
                )
                raise BrokerUnavailable("cut")
            super().write(sendings)

    broker = Overtaken()
    broker.write([Sending(CURSORS.name, 0, b"", msgspec.json.encode(Position(owner="before")), [])])
    with pytest.raises(Fenced, match="ndjson:test"):
        runner(broker, ListSource(items(5))).run()
    assert broker.opened == 1


def test_what_came_before_damage_is_written() -> None:
    class Damaged(ListSource):
        def items(self, cursor: str | None) -> Iterator[SourceItem]:
            yield from super().items(cursor)
            raise BadInput("damaged")

    broker = Broker()
    with pytest.raises(BadInput, match="damaged"):
        runner(broker, Damaged(items(30))).run()
    assert broker.values(CHANGES.name) == raws(30)


def test_told_to_stop_while_kafka_is_away_it_says_so() -> None:
    class Away(Broker):
        def position(self, *, wait: bool = True) -> Position | None:
            if self.opened:
                stopping.stop()
            return super().position(wait=wait)

        def write(self, sendings: Sequence[Sending]) -> None:
            raise BrokerUnavailable("gone")

        def open(self) -> None:
            if self.opened:
                raise BrokerUnavailable("gone")
            super().open()

    stopping = runner(Away(), ListSource(items(5)))
    with pytest.raises(BrokerUnavailable, match="goes on from the last flush"):
        stopping.run()
    assert threading.active_count() < 20


def test_what_is_not_ours_goes_to_changes_only_by_its_performer() -> None:
    canary = raw_change(meta={"domain": "canary", "dt": "2026-01-01T00:00:00Z"}, user="Ann")
    cut = b'{"meta": {'
    broker = Broker()
    source = ListSource([SourceItem("", canary), SourceItem("", cut, too_large=True), SourceItem("")])
    runner(broker, source).run()
    assert broker.values(EDITS.name) == []
    (told, poison) = [record for record in broker.records if record.topic == CHANGES.name]
    assert (told.key, poison.key) == (b"enwiki:Ann", None)
    assert Header.TOO_LARGE in dict(poison.headers)
    assert Header.ROUTED not in dict(told.headers)
    last = broker.position()
    assert last is not None
    assert last.cursor == "3"  # a sign of life moves it too


def test_an_event_is_judged_by_the_time_on_its_record() -> None:
    clock = StillClock(1_000_000_000.123456)
    make = BatchMaker(lambda now: Normalizer(now=now), 3, clock)
    day_after = 1_000_000_000 + 2 * 86_400
    ahead = raw_change(timestamp=day_after, meta={"id": "x", "dt": "2001-09-11T01:46:40Z"})
    batch = make([SourceItem("1", ahead)])
    assert (batch.records, batch.routed) == (1, 0)
    assert {sending.timestamp_ms for sending in batch.sendings} == {1_000_000_000_123}


def test_an_event_that_comes_again_tells_nothing_of_the_time() -> None:
    make = BatchMaker(lambda now: Normalizer(now=now), 3, StillClock(4_000_000_000.0))
    near = [raw_change(meta={"id": f"near {n}"}) for n in range(3)]
    far_time = int(START) + 150 * 86_400
    far = raw_change(meta={"id": "far", "dt": "2026-05-31T00:00:00Z"}, timestamp=far_time)
    batch = make([SourceItem("", raw) for raw in (*near, far, far, far)])
    assert batch.routed == 6
    assert batch.watermark.newest == START


@pytest.mark.parametrize(
    "names",
    [{"user": "x" * 500_000}, {"wiki": "x" * 500_000}, {"user": 7}, {"wiki": None}],
    ids=["user", "wiki", "no text", "none"],
)
def test_a_hostile_name_makes_no_large_key(names: dict[str, object]) -> None:
    make = BatchMaker(lambda now: Normalizer(now=now), 3, StillClock())
    raw = raw_change(type="categorize", **names)
    (sending,) = make([SourceItem("1", raw)]).sendings
    assert sending.value == raw
    assert len(sending.key or b"") < 2_000
