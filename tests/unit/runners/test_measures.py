"""What both runners measure: how long edits wait for their alerts, how long facts for their correction,
and how far scores have drifted."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from streams.cli.worker_status import WorkerStatus
from streams.matching.index import HotFactIndex
from streams.metrics import DriftMetrics, Metrics, WorkerMetrics
from streams.records import AlertKind
from streams.runners import embedded
from streams.runners.measures import MeasuredScorer, observe_corrections, show_drift
from streams.runners.partitions.fact_replica import FactReplica
from streams.runners.partitions.wire import Work
from streams.sources.base import SourceItem
from streams.stages.post_alerts import correction_follow_up
from streams.state.drift import Distribution, Drift, DriftReference
from streams.state.spread import Spread
from streams.store.batch import Batch
from streams.topics import CHANGES, Header
from tests.amplify_world import corrected_at
from tests.core_world import (
    HOUR,
    POLICY,
    Core,
    EditWorld,
    ListSource,
    MarkedScorer,
    raw_change,
    raw_of,
)
from tests.partition_world import Cluster


def shown(registry: CollectorRegistry) -> dict[str, float]:
    lines = generate_latest(registry).decode().splitlines()
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if line[0] != "#"}


READY = "factwatch_alert_ready_seconds"
CORRECTION = "factwatch_correction_seconds"


class Ticking:
    """In place of `time`: nothing hangs on the machine."""

    def __init__(self) -> None:
        self._now = 0.0

    def monotonic(self) -> float:
        return self._now

    def pass_time(self, seconds: float) -> None:
        self._now += seconds


def vandalised() -> EditWorld:
    world = EditWorld()
    world.edit("Alice", "The tower is 300 m high.")
    bad = world.edit("192.0.2.7", "The tower is 3 m high.", risk=0.95)
    world.wait(2 * HOUR)
    world.undo("Bob", bad)
    return world


def live(core: Core, items: list[SourceItem], name: str) -> dict[str, float]:
    runner = core.runner(ListSource(items, name))
    runner.run_live()
    return shown(runner._metrics.registry)


LIVE_ITEMS = [
    SourceItem("", raw=raw_change(meta={"id": "one"}, revision={"new": 1})),
    SourceItem(""),  # a sign of life
    SourceItem("", raw=b"not JSON"),
    SourceItem("", raw=raw_change(meta={"id": "one"}, revision={"new": 1})),  # told again
    SourceItem("", raw=raw_change(meta={"id": "two"}, revision={"new": 2}, title="Other")),
    SourceItem("", raw=raw_change(meta={"id": "new user"}, type="log", log_type="newusers")),
]


@pytest.mark.parametrize("name", ["eventstreams", "rcfeed"])
def test_each_edit_of_a_live_feed_is_observed_once(tmp_path: Path, name: str) -> None:
    with Core(tmp_path, MarkedScorer({}), source=name) as core:
        metrics = live(core, LIVE_ITEMS, name)
    assert metrics[f"{READY}_count"] == 2
    assert metrics[f'{READY}_bucket{{le="60.0"}}'] == 2


def test_the_wait_is_from_the_reading_to_behind_the_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Ticking()
    with Core(tmp_path, MarkedScorer({}), source="rcfeed") as core:
        runner = core.runner(ListSource(LIVE_ITEMS, "rcfeed"))
        commit = core.store.commit

        def slow(batch: Batch, arrived: float) -> int:
            clock.pass_time(7.0)
            return commit(batch, arrived)

        monkeypatch.setattr(core.store, "commit", slow)
        monkeypatch.setattr(embedded, "time", clock)
        clock.pass_time(100.0)
        runner._take(LIVE_ITEMS, [clock.monotonic() - 4.0] * 4 + [clock.monotonic()] * 2)
    metrics = shown(runner._metrics.registry)
    assert metrics[f"{READY}_sum"] == (4.0 + 7.0) + 7.0
    assert metrics[f'{READY}_bucket{{le="5.0"}}'] == 0
    assert metrics[f'{READY}_bucket{{le="10.0"}}'] == 1


def test_what_is_read_from_a_file_did_not_arrive(tmp_path: Path) -> None:
    with Core(tmp_path, MarkedScorer({})) as core:
        metrics = live(core, LIVE_ITEMS, "ndjson")
    assert metrics['factwatch_events_consumed_total{outcome="processed",source="ndjson"}'] == 2
    assert metrics[f"{READY}_count"] == 0


def test_a_correction_is_as_late_as_its_suspect_edit_is_old(tmp_path: Path) -> None:
    world = vandalised()
    with Core(tmp_path, MarkedScorer(world.risks)) as core:
        runner = core.runner(ListSource([SourceItem("", raw=raw_of(r)) for r in world.records]))
        runner.run_file()
    metrics = shown(runner._metrics.registry)
    assert metrics[f"{CORRECTION}_count"] == 1
    assert metrics[f"{CORRECTION}_sum"] == 2 * HOUR + 60


def test_a_correction_told_again_with_its_posts_counts_no_more(tmp_path: Path) -> None:
    world = vandalised()
    with Core(tmp_path, MarkedScorer(world.risks)) as core:
        core.take(world.records)
        told = [alert for alert in core.alerts() if alert.kind is AlertKind.FACT_CORRECTED]
    metrics = Metrics(CollectorRegistry())
    fact = corrected_at(told[0].event_time)
    again = [
        correction_follow_up(
            fact,
            Spread(3, 3, 0, 3, 3, 0, 1, 0, 0, 0, estimated=False),
            correction=told[0],
            number=number,
            event_time=told[0].event_time + HOUR,
            related=(),
            posts=(),
        )
        for number in (1, 2)
    ]
    assert {alert.kind for alert in again} == {AlertKind.FACT_CORRECTED}
    observe_corrections(metrics, [*told, *again])
    assert shown(metrics.registry)[f"{CORRECTION}_count"] == 1


class Watched(Cluster):
    """Tells a worker's status of each unit of work, some seconds of processing time after it began."""

    def watch(self, seconds: float) -> Metrics:
        self.metrics = Metrics(CollectorRegistry())
        self.status = WorkerStatus(
            self.metrics,
            WorkerMetrics(self.metrics.registry),
            FactReplica(HotFactIndex(), self.partitions),
            lambda: self.now + seconds,
        )
        return self.metrics

    def write(self, place: tuple[str, int], work: Work) -> None:
        super().write(place, work)
        self.status.done(*place, work, 0.0)


def test_on_kafka_the_wait_is_from_ingest_to_the_commit_of_the_page_hop(tmp_path: Path) -> None:
    world = vandalised()
    cluster = Watched(tmp_path, MarkedScorer(world.risks), policy=POLICY)
    metrics = cluster.watch(3.0)
    cluster.now = 1_000.0
    cluster.ingest(raw_of(record) for record in world.records)
    cluster.now = 1_004.0
    cluster.ingest([raw_of(world.records[0])])  # told again
    cluster.heartbeat()
    cluster.run()
    cluster.close()
    seen = shown(metrics.registry)
    assert seen[f"{READY}_count"] == len(world.records)
    assert seen[f"{READY}_sum"] == len(world.records) * 7.0
    assert seen[f'{READY}_bucket{{le="5.0"}}'] == 0
    assert seen[f"{CORRECTION}_count"] == 1
    assert seen[f"{CORRECTION}_sum"] == 2 * HOUR + 60


def test_on_kafka_what_an_operator_sends_back_did_not_wait_for_us(tmp_path: Path) -> None:
    world = vandalised()
    cluster = Watched(tmp_path, MarkedScorer(world.risks))
    metrics = cluster.watch(3.0)
    raw = raw_of(world.records[0])
    cluster.append(CHANGES.name, 0, b"", raw, [(Header.REQUEUED, b"1")])
    cluster.run()
    cluster.close()
    assert shown(metrics.registry)[f"{READY}_count"] == 0
    assert cluster.outcomes("pages") == {"processed": 1}


def test_a_clock_of_ingest_that_is_ahead_gives_no_wait_below_zero(tmp_path: Path) -> None:
    world = vandalised()
    cluster = Watched(tmp_path, MarkedScorer(world.risks))
    metrics = cluster.watch(-60.0)
    cluster.now = 1_000.0
    cluster.ingest(raw_of(record) for record in world.records)
    cluster.heartbeat()
    cluster.run()
    cluster.close()
    assert shown(metrics.registry)[f"{READY}_sum"] == 0
    assert shown(metrics.registry)[f"{READY}_count"] == len(world.records)


def test_a_scorer_that_is_measured_scores_as_before_and_its_drift_shows() -> None:
    registry = CollectorRegistry()
    plain = MarkedScorer({})
    spread = Distribution((0.5,), (0.5, 0.5))
    drift = Drift(("risk",), DriftReference(spread, {"risk": spread}), window=200, enough=100)
    show_drift(DriftMetrics(registry, drift.features), drift)
    kept: list[DriftReference] = []
    scorer = MeasuredScorer(plain, drift, kept.append)
    matrix = np.array([[0.1], [0.9]] * 49)
    assert scorer.score(matrix).tolist() == plain.score(matrix).tolist()
    assert scorer.thresholds(matrix).tolist() == plain.thresholds(matrix).tolist()
    assert scorer.reasons_of([[0.9]]) == plain.reasons_of([[0.9]])
    assert scorer.version == plain.version
    training, first = (f'factwatch_score_drift{{reference="{name}"}}' for name in ("training", "first"))
    assert math.isnan(shown(registry)[training])
    scorer.score(matrix)
    assert shown(registry)[training] == pytest.approx(0.0, abs=1e-9)
    assert math.isnan(shown(registry)[first])
    assert not kept
    scorer.score(matrix)
    assert shown(registry)[first] == pytest.approx(0.0, abs=1e-9)
    for _ in range(10):
        scorer.score(np.full((98, 1), 0.95))
    assert kept == [drift.first]
    seen = shown(registry)
    assert seen[training] > 0.5
    assert seen[first] > 0.5
    for name in ("training", "first"):
        assert seen[f'factwatch_feature_drift{{feature="risk",reference="{name}"}}'] > 0.5
