"""For whoever follows how facts spread: which are hot, who repeats them, what is read and how fast."""

from __future__ import annotations

from grafana.definitions.dashboard import Row, dashboard
from grafana.definitions.episodes import COLUMNS, spreading
from grafana.definitions.panels import GRADES, KINDS, OUTCOMES, stat, table, timeseries
from grafana.definitions.queries import (
    age,
    field,
    happening,
    in_range,
    prometheus,
    prometheus_now,
    quantile,
    rate,
    total,
    worst,
)

POST_SOURCES = 'source=~"jetstream|mastodon|posts|http"'

_NOW = Row(
    "Now",
    5,
    [
        stat(
            "Hot facts",
            "How many facts are posts held against?",
            prometheus(worst("factwatch_hot_facts")),
            unit="short",
        ),
        stat(
            "Facts that spread",
            "How many facts do many posts repeat right now?",
            prometheus(total("factwatch_open_alerts", 'kind="fact.amplified"')),
            unit="short",
            steps=((None, "green"), (1, "red")),
        ),
        stat(
            "Posts that repeat one",
            "How many posts repeated a changed or disputed fact in the time shown?",
            prometheus_now(in_range("factwatch_posts_matched_total", 'grade=~"repeats-.+"')),
            unit="short",
            decimals=0,
            course=False,
        ),
        stat(
            "Posts read",
            "How many posts are taken in each second?",
            prometheus(rate("factwatch_events_consumed_total", f'{POST_SOURCES}, outcome="processed"')),
            unit="ops",
        ),
        stat(
            "Bear on a fact",
            "Which share of all posts has to do with a hot fact?",
            prometheus(
                rate("factwatch_posts_matched_total")
                + " / "
                + rate("factwatch_events_consumed_total", f'{POST_SOURCES}, outcome="processed"')
            ),
            unit="percentunit",
        ),
        stat(
            "Post sources heard",
            "How long ago did the quietest source of posts last give a sign of life?",
            prometheus(
                "time() - "
                + f"min({worst('factwatch_last_event_timestamp_seconds', POST_SOURCES, by='source')})"
            ),
            unit="s",
            decimals=0,
            steps=((None, "green"), (300, "orange"), (3600, "red")),
        ),
    ],
)

_SPREAD = Row(
    "Spread",
    8,
    [
        table(
            "Facts that spread now",
            "Which facts do many repeat, how many see them, and how much of it came after the revert? From "
            "the archive.",
            spreading("n.kind = 'fact.amplified' AND n.status <> 'resolved'"),
            *COLUMNS,
            width=12,
        ),
        table(
            "Corrected, and still repeated",
            "Who still passes on what was corrected in the time shown, so that somebody can follow up? From "
            "the archive.",
            spreading(
                f"n.kind = 'fact.corrected' AND {field('posts_after')} > 0 "
                "AND $__unixEpochFilter(n.event_time)"
            ),
            *COLUMNS,
            width=12,
        ),
    ],
)

_MATCHING = Row(
    "Matching",
    8,
    [
        timeseries(
            "Posts by what they do with a fact",
            "Do posts repeat the vandalised statement, one side of a dispute, or what is good?",
            prometheus(rate("factwatch_posts_matched_total", by="grade"), "{{grade}}"),
            unit="ops",
            width=8,
            stacked=True,
            colors=GRADES,
        ),
        timeseries(
            "Alerts about posts",
            "How much of it is told: single posts, and facts that spread?",
            prometheus(
                rate("factwatch_alerts_total", 'kind=~"post.repeats|fact.amplified"', by="kind"),
                "{{kind}}",
            ),
            unit="ops",
            width=8,
            colors=KINDS,
        ),
        timeseries(
            "Time to match a batch",
            "How long does it take to hold a batch of posts against all hot facts?",
            prometheus(quantile(0.5, "factwatch_match_seconds"), "half"),
            prometheus(quantile(0.99, "factwatch_match_seconds"), "99 of 100"),
            unit="s",
            width=8,
        ),
    ],
)

_INTAKE = Row(
    "Intake",
    8,
    [
        timeseries(
            "Posts by outcome",
            "What becomes of the posts that are read?",
            prometheus(
                happening("factwatch_events_consumed_total", POST_SOURCES, by="outcome"), "{{outcome}}"
            ),
            unit="ops",
            width=8,
            stacked=True,
            colors=OUTCOMES,
        ),
        timeseries(
            "Posts by source",
            "Does each platform still deliver? On Kafka these are what a worker reads, whatever they "
            "came from.",
            prometheus(
                happening("factwatch_events_consumed_total", POST_SOURCES, by="source"), "{{source}}"
            ),
            prometheus(
                happening("factwatch_ingested_records_total", POST_SOURCES, by="source"),
                "{{source}} to Kafka",
            ),
            unit="ops",
            width=8,
        ),
        timeseries(
            "Last sign of life",
            "How long has each source been silent?",
            prometheus(age("factwatch_last_event_timestamp_seconds", by="source"), "{{source}}"),
            unit="s",
            width=8,
        ),
    ],
)

DASHBOARD = dashboard(
    "factwatch-posts",
    "Factwatch: facts and posts",
    "For whoever follows how changed facts spread: which are hot, who repeats them, what is read.",
    [_NOW, _SPREAD, _MATCHING, _INTAKE],
    shows="24h",
)
