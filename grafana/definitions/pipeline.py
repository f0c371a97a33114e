"""For whoever is on call: is it well, what should not be, where does it wait?"""

from __future__ import annotations

from grafana.definitions.dashboard import Row, dashboard
from grafana.definitions.panels import (
    FETCHES,
    KINDS,
    OUTCOMES,
    bar_gauge,
    should_be_zero,
    stat,
    timeseries,
)
from grafana.definitions.queries import (
    Json,
    age,
    happening,
    in_range,
    prometheus,
    prometheus_now,
    quantile,
    rate,
    series,
    total,
    worst,
)

#: What the SLO promises: alert-ready within 2 s of arrival, for 99.5 % of edits.
READY = "factwatch_alert_ready_seconds"
IN_TIME = 'le="2.0"'
PROMISED = 0.995


def _missed(over: str) -> str:
    """How many times faster than promised the error budget is spent."""
    good = in_range(f"{READY}_bucket", IN_TIME, over=over)
    return f"(1 - {good} / {in_range(f'{READY}_count', over=over)}) / {round(1 - PROMISED, 4)}"


_NOW = Row(
    "Is it well?",
    5,
    [
        stat(
            "Freshness",
            "How old is the newest edit that has been worked on? It is to stay below a minute.",
            prometheus(worst("factwatch_event_freshness_seconds")),
            unit="s",
            decimals=1,
            steps=((None, "green"), (30, "orange"), (60, "red")),
        ),
        stat(
            "Alert-ready within 2 s",
            "Which share of edits could be read as an alert two seconds after they arrived? 99.5 % are "
            "promised.",
            prometheus(f"{rate(f'{READY}_bucket', IN_TIME)} / {rate(f'{READY}_count')}"),
            unit="percentunit",
            decimals=2,
            steps=((None, "red"), (PROMISED, "green")),
        ),
        stat(
            "Silent for",
            "How long has the quietest source given no sign of life? A quiet wiki still sends canary events.",
            prometheus(f"time() - min({worst('factwatch_last_event_timestamp_seconds', by='source')})"),
            unit="s",
            decimals=0,
            steps=((None, "green"), (120, "orange"), (300, "red")),
        ),
        stat(
            "Waiting on Kafka",
            "How many records are in the topics and not worked on? It should not grow.",
            prometheus(total("factwatch_consumer_lag")),
            unit="short",
            decimals=0,
        ),
        stat(
            "Not archived yet",
            "How many records has the database still to get? It should not grow.",
            prometheus(total("factwatch_archive_lag")),
            unit="short",
            decimals=0,
        ),
        stat(
            "Records a second",
            "How much is taken in?",
            prometheus(rate("factwatch_events_consumed_total")),
            unit="ops",
            decimals=1,
        ),
    ],
)

_ZERO = Row(
    "Should be zero, in the time shown",
    4,
    [
        should_be_zero(
            "Dead letters",
            "Which records could nobody read? `factwatch dead-letters list` shows them.",
            prometheus_now(in_range("factwatch_dead_letters_total")),
        ),
        should_be_zero(
            "Programs down",
            "Does a program not answer Prometheus?",
            prometheus_now(f"sum(1 - {series('up')})"),
        ),
        should_be_zero(
            "Kafka refuses",
            "Does an ingest not get rid of what it reads?",
            prometheus_now(f"sum(1 - {series('factwatch_ingest_broker_up')})"),
        ),
        should_be_zero(
            "Without answer",
            "Did edits go on without what another partition had to say?",
            prometheus_now(in_range("factwatch_edits_without_answer_total")),
        ),
        should_be_zero(
            "Pages given up",
            "Did Alertmanager or the webhook refuse incidents for good?",
            prometheus_now(in_range("factwatch_pager_deliveries_total", 'outcome="given_up"')),
        ),
        should_be_zero(
            "Alerts given up",
            "Did the webhook refuse alerts for good?",
            prometheus_now(in_range("factwatch_webhook_deliveries_total", 'outcome="given_up"')),
        ),
        should_be_zero(
            "Archive errors",
            "Did the archive fail to use the database or the topics?",
            prometheus_now(in_range("factwatch_archive_errors_total")),
        ),
        should_be_zero(
            "Archive losses",
            "Did records leave their topic unread, or were they not what the topic should hold?",
            prometheus_now(in_range("factwatch_archive_records_total", 'outcome=~"expired|rejected"')),
        ),
    ],
)

_FLOW = Row(
    "Flow",
    8,
    [
        timeseries(
            "Records by outcome",
            "Does each record end as it should?",
            prometheus(happening("factwatch_events_consumed_total", by="outcome"), "{{outcome}}"),
            unit="ops",
            width=8,
            stacked=True,
            colors=OUTCOMES,
        ),
        timeseries(
            "Records by source",
            "Does each source deliver? `changes` and `edits` are the hops of the workers.",
            prometheus(happening("factwatch_events_consumed_total", by="source"), "{{source}}"),
            prometheus(
                happening("factwatch_ingested_records_total", by="source, outcome"),
                "ingest: {{source}}, {{outcome}}",
            ),
            unit="ops",
            width=8,
        ),
        timeseries(
            "Dead letters by stage and reason",
            "What can't be read, and who says so?",
            prometheus(
                happening("factwatch_dead_letters_total", by="stage, reason"), "{{stage}}: {{reason}}"
            ),
            unit="ops",
            width=8,
        ),
    ],
)


def _halves(histogram: str, name: str = "", by: str = "") -> tuple[Json, Json]:
    return (
        prometheus(quantile(0.5, histogram, by=by), f"{name}half"),
        prometheus(quantile(0.99, histogram, by=by), f"{name}99 of 100"),
    )


_LATENCY = Row(
    "Latency",
    8,
    [
        timeseries(
            "Arrival to alert-ready",
            "How long until an edit that arrived could be read as an alert?",
            *_halves(READY),
            unit="s",
            width=6,
            limits=((2, "red"),),
        ),
        timeseries(
            "Error budget",
            "How many times faster than promised are edits late? 14.4 for an hour or 6 for six hours page.",
            prometheus(_missed("1h"), "1 hour"),
            prometheus(_missed("6h"), "6 hours"),
            unit="none",
            width=6,
            limits=((6, "orange"), (14.4, "red")),
        ),
        timeseries(
            "Stages",
            "Which stage takes the time of a batch? The slowest of 100.",
            prometheus(quantile(0.99, "factwatch_stage_seconds", by="stage"), "{{stage}}"),
            unit="s",
            width=6,
            logarithmic=True,
            least=None,
        ),
        timeseries(
            "Units of work and flushes",
            "How long from taking records up to their durable outputs? The slowest of 100. On Kafka.",
            prometheus(quantile(0.99, "factwatch_unit_of_work_seconds", by="hop"), "{{hop}}"),
            prometheus(quantile(0.99, "factwatch_ingest_flush_seconds"), "ingest, flush"),
            unit="s",
            width=6,
        ),
    ],
)

_WAITING = Row(
    "What waits",
    8,
    [
        timeseries(
            "Lag of the workers",
            "Which topic grows faster than it is worked on?",
            prometheus(total("factwatch_consumer_lag", by="topic"), "{{topic}}"),
            unit="short",
            width=6,
        ),
        timeseries(
            "Lag of the archive",
            "Does the database get what the topics say?",
            prometheus(total("factwatch_archive_lag", by="topic"), "{{topic}}"),
            unit="short",
            width=6,
        ),
        timeseries(
            "Not delivered yet",
            "Do alerts and incidents leave us?",
            prometheus(total("factwatch_sink_backlog_alerts", by="sink"), "alerts to {{sink}}"),
            prometheus(total("factwatch_pager_backlog_incidents"), "incidents"),
            unit="short",
            width=6,
        ),
        timeseries(
            "Last signs of life",
            "Who has been silent for how long?",
            prometheus(age("factwatch_last_event_timestamp_seconds", by="source"), "{{source}}"),
            prometheus(age("factwatch_archive_last_write_timestamp_seconds"), "archive wrote"),
            prometheus(age("factwatch_pager_last_delivery_timestamp_seconds"), "pager delivered"),
            unit="s",
            width=6,
        ),
    ],
)

_EDGES = Row(
    "Content API and deliveries",
    8,
    [
        timeseries(
            "Texts asked of the wikis",
            "Do the wikis answer? `refused`: too many calls, or they want us to wait. `limited`: past our own bound.",
            prometheus(happening("factwatch_content_fetch_total", by="outcome"), "{{outcome}}"),
            prometheus(
                happening("factwatch_page_histories_total", by="outcome"), "page histories: {{outcome}}"
            ),
            unit="ops",
            width=6,
            stacked=True,
            colors=FETCHES,
        ),
        timeseries(
            "Edits without their text",
            "Which share was scored without text, because it was refused, late or in error?",
            prometheus(
                rate("factwatch_content_fetch_total", 'outcome=~"refused|deadline|error"')
                + " / "
                + rate("factwatch_content_fetch_total")
            ),
            unit="percentunit",
            width=6,
            most=1,
        ),
        timeseries(
            "Deliveries",
            "Do receivers take what we send?",
            prometheus(
                happening("factwatch_pager_deliveries_total", by="receiver, outcome"),
                "incidents: {{receiver}}, {{outcome}}",
            ),
            prometheus(
                happening("factwatch_webhook_deliveries_total", by="outcome"), "alerts: {{outcome}}"
            ),
            unit="ops",
            width=6,
        ),
        timeseries(
            "Incidents held back",
            "What would have paged, had the day's pages not been used up? It became a ticket.",
            prometheus(
                in_range("factwatch_incidents_held_back_total", by="kind", over="1h"), "{{kind}}"
            ),
            unit="short",
            width=6,
            colors=KINDS,
        ),
    ],
)

_SATURATION = Row(
    "Saturation",
    8,
    [
        timeseries(
            "Processor",
            "Which program is at its limit? 1 is one core, and one worker has one thread that counts.",
            prometheus(rate("process_cpu_seconds_total", by="job, instance"), "{{job}} {{instance}}"),
            unit="percentunit",
            width=6,
        ),
        timeseries(
            "Memory",
            "Which program grows? The compose file gives a worker 1 GB, ingest, archive and api half of it.",
            prometheus(
                worst("process_resident_memory_bytes", by="job, instance"), "{{job}} {{instance}}"
            ),
            unit="bytes",
            width=6,
        ),
        bar_gauge(
            "Disk in use",
            "Whose disk is nearly full?",
            prometheus_now(
                "1 - "
                + worst("factwatch_disk_free_bytes", by="job, instance")
                + " / "
                + worst("factwatch_disk_bytes", by="job, instance"),
                "{{job}} {{instance}}",
            ),
            unit="percentunit",
            width=6,
            decimals=0,
            most=1,
            steps=((None, "green"), (0.8, "orange"), (0.9, "red")),
        ),
        timeseries(
            "Workers",
            "Is every partition worked on, and does the group come to rest?",
            prometheus(
                total("factwatch_worker_partitions", by="instance"), "partitions of {{instance}}"
            ),
            prometheus(worst("factwatch_worker_rebalances"), "rebalances"),
            unit="short",
            width=6,
        ),
    ],
)

DASHBOARD = dashboard(
    "factwatch-pipeline",
    "Factwatch: pipeline",
    "For whoever is on call: freshness, lag, throughput, dead letters, latency, saturation.",
    [_NOW, _ZERO, _FLOW, _LATENCY, _WAITING, _EDGES, _SATURATION],
    shows="6h",
    with_archive=False,
)
