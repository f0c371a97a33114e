"""What a run has done, counted when it is durable: as metrics, and as `Progress` for people."""

from __future__ import annotations

import msgspec

from streams.clock import Clock
from streams.metrics import Metrics
from streams.reasons import Stage
from streams.runners.measures import observe_corrections
from streams.store.batch import Batch


class Progress(msgspec.Struct):
    """What has happened since the start, for whoever shows it. Written by the runner's thread."""

    records: int = 0
    alerts: int = 0
    newest_arrival: float | None = None
    outcomes: dict[str, int] = {}
    posts: int = 0
    posts_matched: int = 0
    """With a hot fact, whatever they do with it."""
    hot_facts: int = 0


class Figures:
    def __init__(self, metrics: Metrics, clock: Clock) -> None:
        self._metrics = metrics
        self._clock = clock
        self.progress = Progress()

    def committed(self, batch: Batch, kept: int, *, of_posts: bool, hot: int | None) -> None:
        """`kept`: edits that stood until they were labelled so. `hot`: facts that posts are held against
        now; None where no posts are read."""
        metrics, progress = self._metrics, self.progress
        for outcome, n in batch.outcomes.items():
            if not batch.requeued:
                metrics.events_consumed.labels(batch.source, outcome).inc(n)
                if of_posts:
                    progress.posts += n
                    continue
                progress.records += n
                progress.outcomes[outcome] = progress.outcomes.get(outcome, 0) + n
        for alert in batch.alerts:
            metrics.alerts.labels(alert.kind, alert.severity).inc()
        observe_corrections(metrics, batch.alerts)
        for dead in batch.dead_letters:
            metrics.dead_letters.labels(dead.stage, dead.reason).inc()
        reverted = sum(1 for label in batch.labels if label.label is not None)
        metrics.labels.labels("reverted").inc(reverted)
        metrics.labels.labels("kept").inc(kept)
        progress.alerts += len(batch.alerts)
        for grade, n in batch.matched.items():
            metrics.posts_matched.labels(grade).inc(n)
            progress.posts_matched += n
        if hot is not None:
            progress.hot_facts = hot
            metrics.hot_facts.set(hot)
        if of_posts:
            metrics.match_seconds.observe(batch.stage_seconds.get(Stage.MATCH, 0.0))
            if batch.newest_arrival is not None:
                metrics.last_event_timestamp.labels(batch.source).set(self._clock.now())
        elif batch.newest_arrival is not None:
            progress.newest_arrival = batch.newest_arrival
            metrics.event_freshness.set(max(0.0, self._clock.now() - batch.newest_arrival))
        for stage, seconds in batch.stage_seconds.items():
            metrics.stage_seconds.labels(stage).observe(seconds)
