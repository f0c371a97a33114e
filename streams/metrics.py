"""Every metric, declared once. Labels come from closed sets only, registered at start so that zero is
visible; `wiki` only from the configured list, never a title or a user."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from streams.reasons import DeadReason, SkipReason, Stage
from streams.records import AlertKind, LabelKind, Severity

SOURCES = ("eventstreams", "rcfeed", "ndjson", "history")
OUTCOMES = ("processed", *(f"skipped_{reason}" for reason in SkipReason), "dead_lettered")
FETCH_OUTCOMES = (
    "fetched", "cached", "hidden", "missing", "too_large", "deadline", "refused", "error", "not_listed",
)  # fmt: skip


class Metrics:
    """Counters and gauges on the registry given. The counters of `events_consumed_total` add up to
    the records taken in: each ends as processed, skipped with a reason or dead-lettered."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.events_consumed = Counter(
            "factwatch_events_consumed_total",
            "Records taken in, by source and outcome.",
            ["source", "outcome"],
            registry=registry,
        )
        self.event_freshness = Gauge(
            "factwatch_event_freshness_seconds",
            "Processing time minus arrival time of the newest event committed.",
            registry=registry,
        )
        self.stage_seconds = Histogram(
            "factwatch_stage_seconds",
            "Time a micro-batch spent in a stage.",
            ["stage"],
            buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
            registry=registry,
        )
        self.alerts = Counter(
            "factwatch_alerts_total",
            "Alert state changes committed.",
            ["kind", "severity"],
            registry=registry,
        )
        self.dead_letters = Counter(
            "factwatch_dead_letters_total",
            "Records kept as dead letters.",
            ["stage", "reason"],
            registry=registry,
        )
        self.last_event_timestamp = Gauge(
            "factwatch_last_event_timestamp_seconds",
            "Processing time of the last event or sign of life.",
            ["source"],
            registry=registry,
        )
        self.content_fetch = Counter(
            "factwatch_content_fetch_total",
            "Revisions asked of the Action API, by outcome.",
            ["outcome"],
            registry=registry,
        )
        self.labels = Counter(
            "factwatch_labels_total",
            "Labels given by what the wiki's community did.",
            ["label"],
            registry=registry,
        )
        self.model_info = Gauge(
            "factwatch_model_info", "1 for the model in use.", ["version"], registry=registry
        )
        self.webhook_deliveries = Counter(
            "factwatch_webhook_deliveries_total",
            "Alert state changes offered to the webhook, by outcome.",
            ["outcome"],
            registry=registry,
        )
        self.sink_backlog = Gauge(
            "factwatch_sink_backlog_alerts",
            "Alert state changes committed but not yet delivered.",
            ["sink"],
            registry=registry,
        )
        for source in SOURCES:
            for outcome in OUTCOMES:
                self.events_consumed.labels(source, outcome)
        for kind in AlertKind:
            for severity in Severity:
                self.alerts.labels(kind, severity)
        for stage in Stage:
            self.stage_seconds.labels(stage)
            for reason in DeadReason:
                self.dead_letters.labels(stage, reason)
        for outcome in FETCH_OUTCOMES:
            self.content_fetch.labels(outcome)
        for label in LabelKind:
            self.labels.labels(label)
        for outcome in ("delivered", "retried", "given_up"):
            self.webhook_deliveries.labels(outcome)
        for sink in ("webhook", "ndjson"):
            self.sink_backlog.labels(sink)
