"""For trust and safety: what is going on, what to look at first, whether it gets corrected."""

from __future__ import annotations

from grafana.definitions.dashboard import Row, dashboard
from grafana.definitions.episodes import COLUMNS, open_episodes, told
from grafana.definitions.panels import (
    GRADES,
    KINDS,
    LABELS,
    SEVERITIES,
    bar_gauge,
    stat,
    table,
    timeseries,
)
from grafana.definitions.queries import (
    age,
    in_range,
    prometheus,
    prometheus_now,
    quantile_in_range,
    rate,
    total,
    worst,
)

#: Of a process of its own and of workers, in this order.
EDIT_SOURCES = 'source=~"eventstreams|rcfeed|ndjson|edits"'

_NOW = Row(
    "Now",
    5,
    [
        stat(
            "Pages open",
            "How many incidents have somebody paged who is not done yet?",
            prometheus(total("factwatch_incidents", 'severity="critical"')),
            unit="short",
            width=3,
            steps=((None, "green"), (1, "red")),
        ),
        stat(
            "Tickets open",
            "How many incidents wait for office hours?",
            prometheus(total("factwatch_incidents", 'severity="warning"')),
            unit="short",
            width=3,
        ),
        stat(
            "Hot facts",
            "How many changed or disputed facts are held against posts now?",
            prometheus(worst("factwatch_hot_facts")),
            unit="short",
            width=3,
        ),
        bar_gauge(
            "Open alerts by kind",
            "What is open now, and of which kind?",
            prometheus_now(f"sort_desc({total('factwatch_open_alerts', by='kind')})", "{{kind}}"),
            unit="short",
            width=6,
        ),
        stat(
            "Half corrected in",
            "How long did half of the suspect edits that were corrected stand?",
            prometheus_now(quantile_in_range(0.5, "factwatch_correction_seconds")),
            unit="s",
            width=3,
            decimals=1,
            course=False,
        ),
        stat(
            "Alerts that were right",
            "Of the edits alerted that have had their 48 hours, how many did the community revert? Of the "
            "last 7 such days.",
            prometheus_now(worst("factwatch_live_precision", 'window="7d"')),
            unit="percentunit",
            width=3,
            decimals=0,
            course=False,
        ),
        stat(
            "As of",
            "How old is what this page shows: since when is there silence, and how long did the newest edit "
            "take? Above a minute, ask whoever is on call.",
            prometheus(
                f"{age('factwatch_last_event_timestamp_seconds', EDIT_SOURCES)}"
                f" + {worst('factwatch_event_freshness_seconds')}"
            ),
            unit="s",
            width=3,
            decimals=0,
            steps=((None, "green"), (60, "red")),
        ),
    ],
)

_EPISODES = Row(
    "Open episodes",
    9,
    [
        table(
            "Open episodes",
            "Which pages should a person look at, worst first? A click on a page leads to its card on the "
            "triage page, to the diff and to the revision to quote meanwhile. From the archive.",
            open_episodes(),
            *COLUMNS,
        ),
    ],
)

_ALERTS = Row(
    "Alerts",
    8,
    [
        timeseries(
            "Alerts by kind",
            "What kind of thing happens, and is today like other days? Each alert counts once, at its "
            "newest state. From the archive.",
            told("kind"),
            unit="short",
            width=8,
            bars=True,
            stacked=True,
            interval="15m",
            colors=KINDS,
        ),
        timeseries(
            "Alerts by wiki",
            "Is it one wiki or all of them? Each alert counts once, at its newest state. From the archive.",
            told("wiki"),
            unit="short",
            width=8,
            bars=True,
            stacked=True,
            interval="15m",
        ),
        timeseries(
            "Incidents opened",
            "How many pages and tickets did this make an hour? At most five pages a day are the default.",
            prometheus(
                in_range("factwatch_incidents_opened_total", by="severity", over="1h"), "{{severity}}"
            ),
            unit="short",
            width=8,
            stacked=True,
            colors=SEVERITIES,
        ),
    ],
)

_AMPLIFICATION = Row(
    "Amplification and correction",
    8,
    [
        timeseries(
            "Facts that spread",
            "How many facts do many posts repeat right now?",
            prometheus(total("factwatch_open_alerts", 'kind="fact.amplified"'), "fact.amplified"),
            unit="short",
            width=6,
            colors=KINDS,
        ),
        timeseries(
            "Posts that bear on a hot fact",
            "Do posts repeat what was changed, or what is good?",
            prometheus(rate("factwatch_posts_matched_total", by="grade"), "{{grade}}"),
            unit="ops",
            width=6,
            stacked=True,
            colors=GRADES,
        ),
        timeseries(
            "What became of edits",
            "How much is reverted, how much is left to stand?",
            prometheus(rate("factwatch_labels_total", by="label"), "{{label}}"),
            unit="ops",
            width=6,
            colors=LABELS,
        ),
        timeseries(
            "Time to correction",
            "How long did suspect edits stand that were corrected in the last hour: half of them, and nine of ten?",
            prometheus(quantile_in_range(0.5, "factwatch_correction_seconds", over="1h"), "half"),
            prometheus(quantile_in_range(0.9, "factwatch_correction_seconds", over="1h"), "nine of ten"),
            unit="s",
            width=6,
            limits=((3600, "orange"),),
        ),
    ],
)

DASHBOARD = dashboard(
    "factwatch-overview",
    "Factwatch: overview",
    "For trust and safety: which facts are contested or were vandalised, who repeats them, what is "
    "corrected.",
    [_NOW, _EPISODES, _ALERTS, _AMPLIFICATION],
    shows="24h",
)
