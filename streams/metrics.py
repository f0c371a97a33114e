"""Every metric, declared once. Labels come from closed sets only, registered at start so that zero is
visible; `wiki` only from the configured list, never a title or a user."""

from __future__ import annotations

import contextlib
import math
import shutil
from collections.abc import Sequence
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from streams.bulk_histogram import BulkHistogram
from streams.incidents import IncidentKind
from streams.reasons import DeadReason, SkipReason, Stage
from streams.records import AlertKind, Grade, LabelKind, Severity
from streams.state.drift import Against
from streams.topics import ALERTS, LABELS, PAGE_STATUS, POSTS_GONE, VERDICTS

#: The last two are the hops of a worker, each by the topic that it reads.
SOURCES = (
    "eventstreams", "rcfeed", "ndjson", "history", "jetstream", "mastodon", "posts", "http", "changes", "edits",
)  # fmt: skip
OUTCOMES = ("processed", "forwarded", *(f"skipped_{reason}" for reason in SkipReason), "dead_lettered")
FETCH_OUTCOMES = (
    "fetched", "cached", "hidden", "missing", "too_large", "deadline", "refused", "error", "not_listed",
)  # fmt: skip

HISTORY_OUTCOMES = ("fetched", "missing", "limited", "deadline", "refused", "error", "not_listed")


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
        self.page_histories = Counter(
            "factwatch_page_histories_total",
            "Pages met cold whose recent history a suspicious edit asked for, by outcome.",
            ["outcome"],
            registry=registry,
        )
        self.labels = Counter(
            "factwatch_labels_total",
            "Labels given by what the wiki's community did.",
            ["label"],
            registry=registry,
        )
        self.posts_matched = Counter(
            "factwatch_posts_matched_total",
            "Posts that bear on a hot fact, by what they do with it.",
            ["grade"],
            registry=registry,
        )
        self.match_seconds = Histogram(
            "factwatch_match_seconds",
            "Time to hold a micro-batch of posts against all hot facts.",
            buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
            registry=registry,
        )
        self.hot_facts = Gauge(
            "factwatch_hot_facts", "Facts that posts are held against now.", registry=registry
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
        self.alert_ready = BulkHistogram(
            "factwatch_alert_ready_seconds",
            "From the arrival of an edit on a live feed to the commit after which its alert can be read.",
            buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60),
            registry=registry,
        )
        self.correction = Histogram(
            "factwatch_correction_seconds",
            "Event time from a suspect edit to its correction.",
            buckets=(60, 300, 900, 3_600, 14_400, 86_400, 172_800),
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
        for outcome in HISTORY_OUTCOMES:
            self.page_histories.labels(outcome)
        for grade in Grade:
            self.posts_matched.labels(grade)
        for label in LabelKind:
            self.labels.labels(label)
        for outcome in ("delivered", "retried", "given_up"):
            self.webhook_deliveries.labels(outcome)
        self.sink_backlog.labels("webhook")


#: By the label `window`: edits made in a span of so many seconds.
QUALITY_WINDOWS = {"1d": 86_400.0, "7d": 7 * 86_400.0}


class QualityMetrics:
    """Of whoever sees all labels: `factwatch run` and `factwatch pager`. NaN without enough edits."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.precision = Gauge(
            "factwatch_live_precision",
            "Share of the edits alerted that were reverted, or called damaging by a person, 48 hours on.",
            ["window"],
            registry=registry,
        )
        self.recall = Gauge(
            "factwatch_live_recall",
            "Share of the edits reverted, or called damaging, that had been alerted, 48 hours on.",
            ["window"],
            registry=registry,
        )
        self.calibration_error = Gauge(
            "factwatch_live_calibration_error",
            "Mean distance of revert_risk from the share reverted, over ten bins.",
            ["window"],
            registry=registry,
        )
        self.judged_edits = Gauge(
            "factwatch_live_judged_edits",
            "Edits of the window that have a label.",
            ["window"],
            registry=registry,
        )
        self.challenger_precision = Gauge(
            "factwatch_challenger_precision",
            "The same as factwatch_live_precision of what a challenger in shadow would alert on.",
            ["window"],
            registry=registry,
        )
        self.challenger_recall = Gauge(
            "factwatch_challenger_recall",
            "The same as factwatch_live_recall of what a challenger in shadow would alert on.",
            ["window"],
            registry=registry,
        )
        self.challenger_precision_difference = Gauge(
            "factwatch_challenger_precision_difference",
            "Its precision less that of the model in use, on the same edits, each by its own thresholds.",
            ["window"],
            registry=registry,
        )
        self.challenger_recall_difference = Gauge(
            "factwatch_challenger_recall_difference",
            "Its recall less that of the model in use, on the same edits, each by its own thresholds.",
            ["window"],
            registry=registry,
        )
        self.challenger_judged_edits = Gauge(
            "factwatch_challenger_judged_edits",
            "Edits of the window that have a label and that a challenger in shadow scored.",
            ["window"],
            registry=registry,
        )
        of_challenger = (
            self.challenger_precision,
            self.challenger_recall,
            self.challenger_precision_difference,
            self.challenger_recall_difference,
        )
        for window in QUALITY_WINDOWS:
            self.challenger_judged_edits.labels(window)
            for gauge in of_challenger:
                gauge.labels(window).set(math.nan)
            for gauge in (self.precision, self.recall, self.calibration_error):
                gauge.labels(window).set(math.nan)
            self.judged_edits.labels(window)


class DriftMetrics:
    """Of whoever scores: `factwatch run` and `factwatch worker`. NaN until enough edits were scored."""

    def __init__(self, registry: CollectorRegistry, features: Sequence[str]) -> None:
        """`features` are those that the model's manifest has a reference of."""
        self.score = Gauge(
            "factwatch_score_drift",
            "Population stability index of the last edits' scores against those of training, or of the first"
            " edits that this model scored here.",
            ["reference"],
            registry=registry,
        )
        self.feature = Gauge(
            "factwatch_feature_drift",
            "The same of a feature.",
            ["feature", "reference"],
            registry=registry,
        )
        for reference in Against:
            self.score.labels(reference).set(math.nan)
            for name in features:
                self.feature.labels(name, reference).set(math.nan)


class ProcessMetrics:
    """Of every program: what it takes of the machine, looked at when it is scraped."""

    def __init__(self, registry: CollectorRegistry, data_dir: Path | None = None) -> None:
        """`data_dir`: where the program keeps something on disk, if it does."""
        ProcessCollector(registry=registry)
        if data_dir is None:
            return
        free = Gauge(
            "factwatch_disk_free_bytes",
            "Free on the file system of the data directory.",
            registry=registry,
        )
        size = Gauge(
            "factwatch_disk_bytes", "Size of the file system of the data directory.", registry=registry
        )
        free.set_function(lambda: _disk(data_dir)[0])
        size.set_function(lambda: _disk(data_dir)[1])


def _disk(directory: Path) -> tuple[float, float]:
    """Free for this program and in all; NaN where the directory can't be looked at (not made yet, or
    gone)."""
    with contextlib.suppress(OSError):
        usage = shutil.disk_usage(directory)
        return float(usage.free), float(usage.total)
    return math.nan, math.nan


HOPS = ("performers", "pages", "posts")


class WorkerMetrics:
    """Of `factwatch worker`, beside `Metrics`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.lag = Gauge(
            "factwatch_consumer_lag",
            "Records of a topic that are not worked on yet, over this worker's partitions.",
            ["topic"],
            registry=registry,
        )
        self.partitions = Gauge(
            "factwatch_worker_partitions", "Partitions that this worker has.", registry=registry
        )
        self.rebalances = Gauge(
            "factwatch_worker_rebalances", "Rebalances of the group since the start.", registry=registry
        )
        self.unit_seconds = Histogram(
            "factwatch_unit_of_work_seconds",
            "From taking records up to their durable outputs, by hop.",
            ["hop"],
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
            registry=registry,
        )
        self.late = Counter(
            "factwatch_edits_without_answer_total",
            "Edits that went on without what another partition had to say, by hop. Should be zero.",
            ["hop"],
            registry=registry,
        )
        for hop in HOPS:
            self.unit_seconds.labels(hop)
            self.late.labels(hop)


ARCHIVED_TOPICS = (ALERTS.name, LABELS.name, PAGE_STATUS.name, POSTS_GONE.name, VERDICTS.name)
ARCHIVE_OUTCOMES = ("written", "known", "rejected", "expired")
ARCHIVE_ERRORS = ("unreachable", "disk_full", "no_tables", "refused", "topics")


class ArchiveMetrics:
    """Of `factwatch archive`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.lag = Gauge(
            "factwatch_archive_lag",
            "Offsets that the database is behind the end of a topic; NaN until it is known.",
            ["topic"],
            registry=registry,
        )
        self.records = Counter(
            "factwatch_archive_records_total",
            "Records of a topic by what became of them; expired: left by retention before they were read.",
            ["topic", "outcome"],
            registry=registry,
        )
        self.errors = Counter(
            "factwatch_archive_errors_total",
            "Failed tries to use the database or the topics; each is tried again.",
            ["reason"],
            registry=registry,
        )
        self.last_write = Gauge(
            "factwatch_archive_last_write_timestamp_seconds",
            "Processing time of the last commit; without records there is one every 10 s.",
            registry=registry,
        )
        for topic in ARCHIVED_TOPICS:
            self.lag.labels(topic).set(math.nan)
            for outcome in ARCHIVE_OUTCOMES:
                self.records.labels(topic, outcome)
        for reason in ARCHIVE_ERRORS:
            self.errors.labels(reason)


class IngestMetrics:
    """Of `factwatch ingest`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.records = Counter(
            "factwatch_ingested_records_total",
            "Records taken in for Kafka; changes_only: not ours to judge, or unreadable.",
            ["source", "outcome"],
            registry=registry,
        )
        self.flush_seconds = Histogram(
            "factwatch_ingest_flush_seconds",
            "Time until a flush was committed, outages of Kafka included.",
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60, 600),
            registry=registry,
        )
        self.broker_up = Gauge(
            "factwatch_ingest_broker_up", "1 while Kafka takes what is written.", registry=registry
        )
        self.last_event_timestamp = Gauge(
            "factwatch_last_event_timestamp_seconds",
            "Processing time of the last event or sign of life.",
            ["source"],
            registry=registry,
        )
        for source in ("eventstreams", "rcfeed", "ndjson"):
            for outcome in ("routed", "changes_only"):
                self.records.labels(source, outcome)
        for source in ("jetstream", "mastodon", "posts"):
            for outcome in ("written", "skipped", "dead_lettered"):
                self.records.labels(source, outcome)


#: Of incidents: a page, a ticket.
INCIDENT_SEVERITIES = (Severity.CRITICAL, Severity.WARNING)


class PagerMetrics:
    """Of `factwatch run` and `factwatch pager`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.open_alerts = Gauge(
            "factwatch_open_alerts", "Alerts that are open now.", ["kind"], registry=registry
        )
        self.incidents = Gauge(
            "factwatch_incidents",
            "Incidents that are open now; critical is a page, warning a ticket.",
            ["kind", "severity"],
            registry=registry,
        )
        self.incidents_opened = Counter(
            "factwatch_incidents_opened_total",
            "Incidents opened since the start.",
            ["kind", "severity"],
            registry=registry,
        )
        self.incidents_held_back = Counter(
            "factwatch_incidents_held_back_total",
            "Incidents that became a ticket because the day's pages were used up.",
            ["kind"],
            registry=registry,
        )
        self.deliveries = Counter(
            "factwatch_pager_deliveries_total",
            "States of incidents offered to a receiver; retried: tries that failed.",
            ["receiver", "outcome"],
            registry=registry,
        )
        self.backlog = Gauge(
            "factwatch_pager_backlog_incidents",
            "States of incidents that no receiver has taken yet.",
            registry=registry,
        )
        self.last_delivery = Gauge(
            "factwatch_pager_last_delivery_timestamp_seconds",
            "Processing time when a receiver last took something, if only an empty check; of a webhook, when "
            "nothing waited for it. NaN before.",
            registry=registry,
        )
        self.last_delivery.set(math.nan)
        for alert_kind in AlertKind:
            self.open_alerts.labels(alert_kind)
        for kind in IncidentKind:
            self.incidents_held_back.labels(kind)
            for severity in INCIDENT_SEVERITIES:
                self.incidents.labels(kind, severity)
                self.incidents_opened.labels(kind, severity)
        for receiver in ("alertmanager", "webhook"):
            for outcome in ("delivered", "retried", "given_up"):
                self.deliveries.labels(receiver, outcome)
