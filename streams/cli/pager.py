"""`factwatch pager`: incidents from the alerts of the topics to Alertmanager."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import click
from prometheus_client import CollectorRegistry

from streams.cli.compose_pager import build_book, build_receivers
from streams.cli.output import say, set_up_logging
from streams.cli.without_extra import kafka_extra
from streams.clock import SystemClock
from streams.errors import BadSetting
from streams.metrics import PagerMetrics, ProcessMetrics, QualityMetrics
from streams.runners.live_labels import set_live_quality
from streams.runners.pager import Pager
from streams.settings import Settings, load_settings
from streams.sinks.pager_feed import Fetched
from streams.stages.deduplicate import RecentIds
from streams.state.live_quality import LiveQuality
from streams.state.watermark import Watermark
from streams.web.operations import build_operations_app
from streams.web.server import WebServer

if TYPE_CHECKING:
    from streams.kafka.security import Connection

#: How long Alertmanagers may go on being told when the program is told to stop.
DRAIN_S = 3.0
LOOK_EVERY_S = 5.0
#: Verdicts on edits whose ids are remembered, as each counts once: more than people give in ten days.
HEARD_CAP = 50_000


@click.command(short_help="Tell Alertmanager of incidents, from the topics.")
def pager() -> None:
    """Make incidents of the alerts in Kafka and tell FACTWATCH_ALERTMANAGER_URL of them until they are
    over: a fact that spreads, a burst of one performer, a contested page that many see.

    Keeps nothing: each start reads the last 7 days of alerts anew. Two at once are harmless, Alertmanager
    takes what they tell for the same, so for high availability run two. While the broker or Alertmanager
    is away it waits and tries again. /metrics and /readyz are at FACTWATCH_HTTP_BIND. Ctrl-C or SIGTERM
    ends it.
    """
    settings = load_settings(os.environ)
    set_up_logging(settings.log_level)
    logging.getLogger("kafka").setLevel(logging.CRITICAL)  # an outage is told once, by us
    if not settings.alertmanager_url:
        raise BadSetting(
            "FACTWATCH_ALERTMANAGER_URL is not set: on Kafka only Alertmanager is told of incidents"
            " (FACTWATCH_PAGER_WEBHOOK_URL is for `factwatch run`)"
        )
    with kafka_extra():
        from streams.kafka.security import connection_of
    _serve(settings, connection_of(settings))


def _serve(settings: Settings, connection: Connection) -> None:
    from streams.kafka.pager_topics import ALERTS_BACK_S, PagerTopics

    clock = SystemClock()
    registry = CollectorRegistry()
    metrics = PagerMetrics(registry)
    ProcessMetrics(registry)
    # Not server.url: what this program serves is no page.
    public_url = settings.public_url or "http://127.0.0.1:8080"
    running = Pager(
        PagerTopics(connection, clock.now),
        build_book(settings),
        build_receivers(settings, metrics, None, lambda: public_url),
        metrics,
        clock.now,
        fold_quality=live_quality(QualityMetrics(registry), time.monotonic),
        say=say,
    )
    server = WebServer(build_operations_app(registry, running), settings.http_bind)

    def stop(signum: int, frame: object) -> None:
        say("stopping")
        running.end()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    server.start()
    try:
        say(f"Factwatch pages from the alerts of the last {ALERTS_BACK_S / 86_400:.0f} days")
        say(f"  from    {connection.where}")
        for part in running.told():
            say(f"  to      {part}")
        say(f"  at most {settings.pages_per_day} pages in 24 hours, the rest are tickets")
        say(f"  metrics {server.url}/metrics")
        running.run()
        say("stopped: what is open is told again at the next start, else it ends in a few minutes")
    finally:
        running.stop(DRAIN_S)
        server.stop()


def live_quality(metrics: QualityMetrics, timer: Callable[[], float]) -> Callable[[Fetched], None]:
    """Folds labels and verdicts, and now and then brings the gauges up to date."""
    quality, watermark = LiveQuality(), Watermark()
    heard: RecentIds[tuple[str, str, int]] = RecentIds(HEARD_CAP)
    look_at = timer()

    def fold(fetched: Fetched) -> None:
        nonlocal look_at
        for label in fetched.labels:
            quality.fold(label)
            watermark.advance(label.labelled_time)
        for said in fetched.verdicts:
            for edit in said.edits:
                if heard.add((said.verdict_id, said.wiki, edit.rev_id)):
                    quality.fold_verdict(said.wiki, edit.rev_id, edit.event_time, said.verdict)
        if timer() >= look_at:
            look_at = timer() + LOOK_EVERY_S
            set_live_quality(metrics, quality, watermark.time)

    return fold
