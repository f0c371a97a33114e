"""What a worker tells of itself: metrics and health."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from streams.metrics import Metrics, WorkerMetrics
from streams.reasons import Stage
from streams.runners.group_member import GroupMember
from streams.runners.measures import observe_corrections
from streams.runners.partitions.fact_replica import FactReplica
from streams.runners.partitions.wire import Work
from streams.topics import CHANGES, EDITS, POSTS
from streams.web.status import Part

if TYPE_CHECKING:
    from streams.kafka.faust_app import WorkerApp

_READS = {"performers": CHANGES.name, "pages": EDITS.name, "posts": POSTS.name}
_SOURCE = {hop: topic.split(".")[1] for hop, topic in _READS.items()}
WATCH_EVERY_S = 1.0


class WorkerStatus:
    """Implements `Health` and `WorkDone`."""

    def __init__(
        self,
        metrics: Metrics,
        worker: WorkerMetrics,
        facts: FactReplica,
        now: Callable[[], float],
    ) -> None:
        self._metrics = metrics
        self._worker = worker
        self._facts = facts
        self._now = now
        self._partitions: int | None = None
        self._lagging: set[str] = set()

    def done(self, hop: str, partition: int, work: Work, seconds: float) -> None:
        figures, metrics = work.figures, self._metrics
        source = _SOURCE[hop]
        for outcome, n in figures.outcomes.items():
            metrics.events_consumed.labels(source, outcome).inc(n)
        for alert in figures.alerts:
            metrics.alerts.labels(alert.kind, alert.severity).inc()
        for label, n in figures.labels.items():
            metrics.labels.labels(label).inc(n)
        for stage, reason in figures.dead_letters:
            metrics.dead_letters.labels(stage, reason).inc()
        for stage, taken_s in figures.stage_seconds.items():
            metrics.stage_seconds.labels(stage).observe(taken_s)
        for grade, n in figures.matched.items():
            metrics.posts_matched.labels(grade).inc(n)
        if Stage.MATCH in figures.stage_seconds:
            metrics.match_seconds.observe(figures.stage_seconds[Stage.MATCH])
        if figures.newest_arrival is not None and hop == "pages":
            metrics.event_freshness.set(max(0.0, self._now() - figures.newest_arrival))
        if figures.arrivals:  # ingest's clock may be ahead of ours
            now = self._now()
            metrics.alert_ready.observe_all([max(0.0, now - at) for at in figures.arrivals])
        observe_corrections(metrics, figures.alerts)
        metrics.last_event_timestamp.labels(source).set(self._now())
        self._worker.unit_seconds.labels(hop).observe(seconds)
        self._worker.late.labels(hop).inc(figures.late)

    async def watch(self, app: WorkerApp, member: GroupMember) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(WATCH_EVERY_S)
            figures = app.figures()
            self._partitions = len(member.worker.partitions)  # recovered, not only assigned
            self._worker.partitions.set(self._partitions)
            self._worker.rebalances.set(figures.rebalances)
            self._metrics.hot_facts.set(len(self._facts))
            lag: dict[str, int] = {}
            for (topic, _), behind in figures.lag.items():
                lag[topic] = lag.get(topic, 0) + behind
            for (hop, _), unit in member.worker.units().items():
                topic = _READS[hop]
                lag[topic] = lag.get(topic, 0) + unit.waiting
            for topic in self._lagging - lag.keys():  # others have its partitions now
                lag[topic] = 0
            self._lagging = set(lag)
            for topic, behind in lag.items():
                self._worker.lag.labels(topic).set(behind)

    def parts(self) -> Mapping[str, Part]:
        if self._partitions is None:
            group = Part(False, "joining the group")
        else:
            group = Part(True, f"{self._partitions} partitions")
        facts = self._facts
        told = f"{len(facts)} hot" if facts.complete else "reading them from their beginning"
        return {"group": group, "facts": Part(facts.complete, told)}
