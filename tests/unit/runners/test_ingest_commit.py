"""A writer that Kafka fenced goes on by itself, unless another has taken over: then one of them does."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Sequence

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from streams.errors import BrokerUnavailable, Fenced
from streams.kafka.cursors import Position
from streams.kafka.writer import Sending
from streams.metrics import IngestMetrics
from streams.runners import ingest_commit
from streams.runners.ingest import IngestRunner
from streams.runners.ingest_batch import BatchMaker
from streams.stages.normalize import Normalizer
from streams.topics import CHANGES, CURSORS, EDITS
from tests.core_world import ListSource, StillClock
from tests.unit.runners.test_ingest_runner import NoWait, items, raws

NAME = "ndjson:test"


class Kafka:
    """What was committed, and which of the writers of one name may write."""

    def __init__(self) -> None:
        self.records: list[Sending] = []
        self.epoch = 0
        self.changed = threading.Condition()

    def values(self, topic: str) -> list[bytes | None]:
        return [record.value for record in self.records if record.topic == topic and record.value]

    def position(self) -> Position | None:
        values = self.values(CURSORS.name)
        return msgspec.json.decode(values[-1] or b"", type=Position) if values else None

    def add_position(self, flush: int, owner: str) -> None:
        """As another process commits it."""
        value = msgspec.json.encode(Position(cursor="7", flush=flush, owner=owner))
        self.records.append(Sending(CURSORS.name, 0, NAME.encode(), value, []))


class Handle:
    """A process's writer. `faults` are taken one by one, a write each: "late" is ended by Kafka before the
    commit, "told late" was committed before it was fenced."""

    def __init__(self, kafka: Kafka, *faults: str) -> None:
        self.kafka = kafka
        self.faults = list(faults)
        self.opened = 0
        self.looks = 0
        self.on_look: Callable[[], None] = lambda: None
        self._epoch = -1

    def position(self, *, wait: bool = True) -> Position | None:
        if self.opened and not wait:
            self.looks += 1
            self.on_look()
        return self.kafka.position()

    def open(self) -> None:
        with self.kafka.changed:
            self.kafka.epoch += 1
            self._epoch = self.kafka.epoch
            self.opened += 1
            self.kafka.changed.notify_all()

    def write(self, sendings: Sequence[Sending]) -> None:
        fault = self.faults.pop(0) if self.faults else ""
        with self.kafka.changed:
            if fault == "late":
                self.kafka.epoch += 1
            if not self.mine:
                raise Fenced("fenced")
            self.kafka.records += sendings
            if fault == "told late":
                self.kafka.epoch += 1
                raise Fenced("fenced")

    @property
    def mine(self) -> bool:
        return self._epoch == self.kafka.epoch

    def close(self) -> None: ...

    def discard(self) -> None: ...


class Longest(random.Random):
    """Waits are as long as they may be."""

    def uniform(self, a: float, b: float) -> float:
        return b


class Ticking:
    """A second passes between two looks at it."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


def runner(
    writer: Handle, count: int, owner: str = "me", *, rng: object = None, ticking: bool = False
) -> IngestRunner:
    clock = StillClock()
    timer = {"timer": Ticking()} if ticking else {}
    return IngestRunner(
        source=ListSource(items(count)),
        name=NAME,
        writer=writer,
        make=BatchMaker(lambda now: Normalizer(now=now), 3, clock),
        metrics=IngestMetrics(CollectorRegistry()),
        clock=clock,
        owner=owner,
        rng=rng or NoWait(),  # type: ignore[arg-type]  # all that is asked of it
        **timer,
    )


@pytest.fixture(autouse=True)
def _quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest_commit, "LOOK_EVERY_S", 0.001)


@pytest.mark.parametrize(
    "faults",
    [
        ("late",),
        ("told late",),
        ("", "late"),
        ("", "told late"),
        ("", "late", "late", "told late", "late"),
    ],
    ids="+".join,
)
def test_one_that_stood_still_goes_on_with_each_flush_written_once(
    faults: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    kafka = Kafka()
    writer = Handle(kafka, *faults)
    with caplog.at_level(logging.WARNING, "factwatch.ingest"):
        runner(writer, 2_500).run()
    assert kafka.values(CHANGES.name) == raws(2_500)
    assert kafka.values(EDITS.name) == raws(2_500)
    assert not writer.faults
    times = sum(fault != "" for fault in faults)
    assert writer.opened == 1 + times
    assert [f"{NAME}: stood still" in line for line in caplog.messages] == [True] * times


def test_one_that_was_overtaken_ends_as_soon_as_the_new_owner_tells() -> None:
    kafka = Kafka()
    writer = Handle(kafka, "", "late")

    def third_time_there() -> None:
        if writer.looks == 3:
            kafka.add_position(99, "other")

    writer.on_look = third_time_there
    with pytest.raises(Fenced, match=f"{NAME} was started and has taken over"):
        runner(writer, 5, rng=Longest(), ticking=True).run()
    assert (writer.looks, writer.opened) == (3, 1)
    assert kafka.values(CHANGES.name) == []


def test_a_new_owner_has_the_whole_wait_after_kafka_is_there_again() -> None:
    kafka = Kafka()
    writer = Handle(kafka, "", "late")

    def away_for_long() -> None:
        if writer.looks < 20:
            raise BrokerUnavailable("gone")
        if writer.looks == 22:
            kafka.add_position(99, "other")

    writer.on_look = away_for_long
    ingest = runner(writer, 5, rng=Longest(), ticking=True)
    with pytest.raises(Fenced, match="has taken over"):
        ingest.run()
    assert (writer.looks, writer.opened) == (22, 1)


def test_told_to_stop_while_it_looks_for_a_new_owner_it_stops() -> None:
    kafka = Kafka()
    writer = Handle(kafka, "", "late")
    ingest = runner(writer, 5, rng=Longest())  # eight seconds, for somebody who does not look
    writer.on_look = ingest.stop
    with pytest.raises(BrokerUnavailable, match="goes on from the last flush"):
        ingest.run()
    assert (writer.looks, writer.opened) == (1, 1)
    assert kafka.values(CHANGES.name) == []
    runner(Handle(kafka), 5, owner="next").run()
    assert kafka.values(CHANGES.name) == raws(5)


def test_one_that_finds_a_new_owner_only_after_it_opened_ends_too() -> None:
    """The owner commits between the last look and the opening, and is fenced for nothing: it will find
    that nobody took over."""
    kafka = Kafka()
    writer = Handle(kafka, "", "late")
    open_ = writer.open

    def overtaken_first() -> None:
        if writer.opened:
            runner(Handle(kafka), 20, "owner").run()
        open_()

    writer.open = overtaken_first  # type: ignore[method-assign]
    with pytest.raises(Fenced, match="has taken over"):
        runner(writer, 30).run()
    assert writer.opened == 2
    assert kafka.values(CHANGES.name) == raws(20)


class Contested(Handle):
    """`rounds` times it does not get to its write before the other has opened too."""

    def __init__(self, kafka: Kafka, rounds: int) -> None:
        super().__init__(kafka)
        self.rounds = rounds

    def write(self, sendings: Sequence[Sending]) -> None:
        if self.rounds and self.mine:
            self.rounds -= 1
            with self.kafka.changed:
                assert self.kafka.changed.wait_for(lambda: not self.mine, 10)
        super().write(sendings)


@pytest.mark.parametrize("rounds", [(1, 0), (1, 1), (4, 4), (3, 4)])
def test_of_two_that_fence_each_other_one_stays(rounds: tuple[int, int]) -> None:
    kafka = Kafka()
    ends: dict[str, Fenced | None] = {}

    def run(owner: str, writer: Handle) -> None:
        try:
            runner(writer, 2_500, owner).run()
            ends[owner] = None
        except Fenced as err:
            ends[owner] = err

    both = [
        threading.Thread(target=run, args=(owner, Contested(kafka, times)), daemon=True)
        for owner, times in zip(("a", "b"), rounds, strict=True)
    ]
    for number, one in enumerate(both, 1):
        one.start()
        with kafka.changed:
            assert kafka.changed.wait_for(lambda opened=number: kafka.epoch >= opened, 10)
    for one in both:
        one.join(20)
    assert sorted(type(end).__name__ for end in ends.values()) == ["Fenced", "NoneType"]
    assert kafka.values(CHANGES.name) == raws(2_500)
    assert kafka.values(EDITS.name) == raws(2_500)
