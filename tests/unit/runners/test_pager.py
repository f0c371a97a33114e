"""The pager's loop: silent about what was told, loud from there on, and in nobody's way."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from streams.errors import BrokerUnavailable
from streams.incidents import Incident, IncidentStatus
from streams.metrics import PagerMetrics
from streams.records import Alert, Label, LabelKind
from streams.runners import pager as module
from streams.runners.pager import Pager
from streams.sinks.pager_feed import Fetched, StoreFeed
from streams.sinks.pager_receiver import PagerPosition
from streams.stages.paging_policy import PagingPolicy
from streams.state.incident_book import IncidentBook
from streams.store.reader import StoredAlert
from streams.web.status import Part
from tests.memory_alerts import MemoryAlerts
from tests.pager_world import PagerWorld, amplified, ended
from tests.web_world import eventually


class Told:
    """A `PagerReceiver` that notes what it is told."""

    name = "webhook"
    place = "https://told.example"

    def __init__(self, resume: PagerPosition | None = None) -> None:
        self.resume = resume
        self.backlog = 0
        self.begun: list[Incident] | None = None
        self.states: list[Incident] = []
        self.upto = PagerPosition()
        self.stopped = False

    def begin(self, known: Sequence[Incident], upto: PagerPosition) -> None:
        self.begun, self.upto = list(known), upto

    def tell(self, states: Sequence[Incident], upto: PagerPosition) -> None:
        self.states += states
        self.upto = upto

    def start(self) -> None: ...

    def stop(self, drain_s: float) -> None:
        self.stopped = True

    def status(self) -> Part:
        return Part(not self.backlog, "", needed=False)


def ids(states: Sequence[Incident] | None) -> list[tuple[IncidentStatus, str]]:
    return [(one.status, one.alert_ids[0].lstrip("0")) for one in states or ()]


FIRING, RESOLVED = IncidentStatus.FIRING, IncidentStatus.RESOLVED


def test_who_remembers_nothing_hears_what_is_open_and_what_has_just_ended() -> None:
    world, now = PagerWorld(), time.time()
    long_over, just_over, standing = (
        amplified(n, now - ago) for n, ago in ((1, 9_000), (2, 90), (3, 80))
    )
    world.alerts.commit(long_over, ended(long_over), just_over, ended(just_over), standing)
    told = Told()
    with world.running([told]):
        assert ids(told.begun) == [(RESOLVED, "2"), (FIRING, "3")]
        world.alerts.commit(ended(standing))
        eventually(lambda: ids(told.states) == [(RESOLVED, "3")])
    assert told.stopped


def test_who_remembers_hears_all_behind_its_place_and_nothing_before() -> None:
    world, now = PagerWorld(), time.time()
    first, second = amplified(1, now - 90), amplified(2, now - 80)
    world.alerts.commit(first, second, ended(first))
    told = Told(PagerPosition(2, 0.0))
    with world.running([told]):
        assert ids(told.begun) == [(FIRING, "1"), (FIRING, "2")]
        eventually(lambda: ids(told.states) == [(RESOLVED, "1")])
        eventually(lambda: told.upto.seq == 3)


def test_a_place_that_retention_has_left_behind_is_reached_all_the_same() -> None:
    world = PagerWorld()
    told = Told(PagerPosition(50, 0.0))
    with world.running([told]):
        assert told.begun == []
        assert told.upto.seq == 50


def test_what_was_committed_when_it_is_told_to_stop_is_still_told() -> None:
    world, now = PagerWorld(), time.time()
    told = Told()
    with world.running([told]):
        world.alerts.commit(*(amplified(number, now - 60) for number in range(1, 4)))
    assert len(told.states) == 3


def test_what_is_counted_is_what_began_while_it_ran() -> None:
    world, now = PagerWorld(), time.time()
    world.alerts.commit(amplified(1, now - 60))
    with world.running([], PagingPolicy(pages_per_day=2)):
        world.alerts.commit(*(amplified(number, now - 50) for number in range(2, 6)))

        def opened(severity: str) -> float:
            return world.value(
                "factwatch_incidents_opened_total", kind="fact.amplified", severity=severity
            )

        eventually(lambda: (opened("critical"), opened("warning")) == (1, 3))
        assert world.value("factwatch_incidents_held_back_total", kind="fact.amplified") == 3
        assert world.value("factwatch_incidents", kind="fact.amplified", severity="critical") == 2
        eventually(lambda: world.value("factwatch_open_alerts", kind="fact.amplified") == 5)
        world.alerts.commit(amplified(5, now - 50, ce_id="5b", event_time=now - 40))
        world.alerts.commit(ended(amplified(2, now - 50)))
        eventually(lambda: world.value("factwatch_open_alerts", kind="fact.amplified") == 4)
        assert (opened("critical"), opened("warning")) == (1, 3)
        assert world.value("factwatch_incidents_held_back_total", kind="fact.amplified") == 3


def test_with_nobody_to_tell_the_metrics_are_there() -> None:
    world = PagerWorld()
    with world.running([]) as pager:
        world.alerts.commit(amplified(1, time.time() - 60))
        eventually(
            lambda: world.value("factwatch_incidents", kind="fact.amplified", severity="critical") == 1
        )
        assert pager.parts()["pager"].detail == "nobody is to be told of incidents"
        assert world.value("factwatch_pager_backlog_incidents") == 0


def test_told_to_one_of_a_cluster_is_no_backlog() -> None:
    world = PagerWorld()
    down, up = Told(), Told()
    down.backlog = 7
    with world.running([down, up]) as pager:
        world.alerts.commit(amplified(1, time.time() - 60))
        eventually(lambda: up.states)
        assert world.value("factwatch_pager_backlog_incidents") == 0
        assert set(pager.parts()) == {"pager_webhook_1", "pager_webhook_2", "pager"}
        up.backlog = 3
        eventually(lambda: world.value("factwatch_pager_backlog_incidents") == 3)


def test_it_folds_no_further_than_what_may_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BACKLOG_CAP", 1)
    monkeypatch.setattr(module, "MEASURE_EVERY_S", 0.01)
    world, now = PagerWorld(), time.time()

    class Slow(Told):
        def tell(self, states: Sequence[Incident], upto: PagerPosition) -> None:
            super().tell(states, upto)
            self.backlog = max(self.backlog, len(states))

    told = Slow()
    with world.running([told]):
        world.alerts.commit(amplified(1, now - 60))
        eventually(lambda: len(told.states) == 1)
        world.alerts.commit(amplified(2, now - 60))
        for waiting in (2, 3, 4):  # it goes on being measured, and nothing else
            told.backlog = waiting
            eventually(lambda n=waiting: world.value("factwatch_pager_backlog_incidents") == n)  # type: ignore[misc]  # mypy infers no lambda with a default
        assert len(told.states) == 1
        told.backlog = 0
        eventually(lambda: len(told.states) == 2)
        told.backlog = 0


class Broken:
    """A `PagerFeed` that fails at each second call of `poll`."""

    def __init__(self, alerts: Sequence[Alert], labels: Sequence[Label]) -> None:
        self.left = list(alerts)
        self.labels = list(labels)
        self.starts = self.polls = self.taken = 0
        self.closed = False

    def start(self) -> None:
        self.starts += 1
        if self.starts == 1:
            raise BrokerUnavailable("no broker at 127.0.0.1:1")

    def poll(self, most: PagerPosition | None) -> Fetched:
        self.polls += 1
        if self.polls % 2 == 0:
            raise BrokerUnavailable("the broker is away")
        alerts, self.left = self.left[:1], self.left[1:]
        labels, self.labels = self.labels, []
        self.taken += len(alerts)
        return Fetched(alerts, labels, PagerPosition(self.taken, 0.0), caught_up=not self.left)

    def close(self) -> None:
        self.closed = True


def test_a_broker_that_comes_and_goes_is_said_and_nothing_is_missed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "FIRST_WAIT_S", 0.01)
    monkeypatch.setattr(module, "MAX_WAIT_S", 0.02)
    now = time.time()
    label = Label(
        wiki="enwiki", title="T", rev_id=1, label=LabelKind.KEPT, event_time=now, labelled_time=now
    )
    feed = Broken([amplified(number, now - 60) for number in range(1, 6)], [label])
    told, said, labels = Told(), list[str](), list[Label]()
    pager = Pager(
        feed, IncidentBook(PagingPolicy()), [told], PagerMetrics(CollectorRegistry()), time.time,
        fold_quality=lambda fetched: labels.extend(fetched.labels), say=said.append,
    )  # fmt: skip
    thread = threading.Thread(target=pager.run)
    thread.start()
    eventually(lambda: told.begun is not None and len(told.begun) == 5)
    eventually(lambda: feed.polls > 12)
    pager.end()
    thread.join(10)
    pager.stop(0.5)
    assert not thread.is_alive()
    assert feed.closed
    assert labels == [label]
    assert said[0].startswith("pager: no broker at 127.0.0.1:1; trying again")
    assert said[1] == "pager: Kafka can be used again"


def test_a_log_that_can_not_be_read_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Corrupt(MemoryAlerts):
        def log(self, *arguments: Any, **named: Any) -> list[StoredAlert]:
            raise RuntimeError("not to be read")

    monkeypatch.setattr(threading, "excepthook", lambda args: None)
    pager = Pager(
        StoreFeed(Corrupt(), lambda: None), IncidentBook(PagingPolicy()), [],
        PagerMetrics(CollectorRegistry()), time.time,
    )  # fmt: skip
    pager.start()
    eventually(lambda: not pager.parts()["pager"].ok)
    assert pager.parts()["pager"].needed
    pager.stop(0.1)
