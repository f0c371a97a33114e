"""What is shown of a run is what was committed, of edits and of posts apart."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from streams.metrics import Metrics
from streams.runners.run_figures import Figures
from streams.store.batch import Batch
from tests.core_world import StillClock


def figures() -> tuple[Figures, Metrics]:
    metrics = Metrics(CollectorRegistry())
    return Figures(metrics, StillClock(1_000.0)), metrics


def test_edits_and_posts_are_told_apart() -> None:
    told, _ = figures()
    told.committed(Batch("ndjson", outcomes={"processed": 5}), 0, of_posts=False, hot=None)
    told.committed(
        Batch("posts", outcomes={"processed": 3}, matched={"confirmed": 2}), 0, of_posts=True, hot=7
    )
    progress = told.progress
    assert (progress.records, progress.outcomes) == (5, {"processed": 5})
    assert (progress.posts, progress.posts_matched, progress.hot_facts) == (3, 2, 7)


def test_what_an_operator_sent_back_is_not_consumed_again() -> None:
    told, metrics = figures()
    told.committed(Batch("ndjson", outcomes={"processed": 1}, requeued=[4]), 0, of_posts=False, hot=None)
    assert told.progress.records == 0
    labels = {"source": "ndjson", "outcome": "processed"}
    assert metrics.registry.get_sample_value("factwatch_events_consumed_total", labels) == 0


def test_freshness_is_of_edits_and_never_below_zero() -> None:
    told, metrics = figures()
    for arrival, shown in ((990.0, 10.0), (1_001.0, 0.0)):
        told.committed(Batch("ndjson", newest_arrival=arrival), 0, of_posts=False, hot=None)
        assert told.progress.newest_arrival == arrival
        assert metrics.registry.get_sample_value("factwatch_event_freshness_seconds") == shown
    told.committed(Batch("posts", newest_arrival=500.0), 0, of_posts=True, hot=0)
    assert told.progress.newest_arrival == 1_001.0
