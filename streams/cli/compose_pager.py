"""Puts the pager together from settings: who is told of incidents, and by which policy."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from streams.clock import Clock
from streams.metrics import PagerMetrics
from streams.runners.pager import Pager
from streams.settings import Settings
from streams.sinks.alertmanager import AlertmanagerSink
from streams.sinks.cursors import SinkCursors
from streams.sinks.pager_feed import StoreFeed
from streams.sinks.pager_receiver import PagerReceiver
from streams.sinks.pager_webhook import PagerWebhook
from streams.sinks.signature import load_key
from streams.stages.paging_policy import PagingPolicy
from streams.state.incident_book import IncidentBook
from streams.store.sqlite import SqliteStore

log = logging.getLogger("factwatch.pager")
POLL_S = 0.2


def build_book(settings: Settings) -> IncidentBook:
    return IncidentBook(PagingPolicy(pages_per_day=settings.pages_per_day))


def build_receivers(
    settings: Settings,
    metrics: PagerMetrics,
    cursors: SinkCursors | None,
    public_url: Callable[[], str],
) -> list[PagerReceiver]:
    """Every Alertmanager of the settings; without one the webhook, if there are `cursors` to keep how
    far it was told. Nobody where neither is set."""
    if settings.alertmanager_url:
        if settings.pager_webhook_url:
            log.warning("FACTWATCH_PAGER_WEBHOOK_URL is not used: an Alertmanager is told")
        return [
            AlertmanagerSink(url, metrics, public_url=public_url, user_agent=settings.user_agent)
            for url in settings.alertmanager_url
        ]
    if not settings.pager_webhook_url or cursors is None:
        return []
    secret = settings.webhook_secret_file
    key = load_key(Path(secret)) if secret else None
    if key is None:
        log.warning("the pager's bodies are not signed: set FACTWATCH_WEBHOOK_SECRET_FILE")
    return [
        PagerWebhook(
            settings.pager_webhook_url, key, cursors, metrics,
            public_url=public_url, user_agent=settings.user_agent,
        )
    ]  # fmt: skip


def build_pager(
    settings: Settings, store: SqliteStore, metrics: PagerMetrics, clock: Clock, page: Callable[[], str]
) -> tuple[Pager, StoreFeed]:
    """Behind the log of alerts of this process, and its feed, which wants to know what time has passed.
    `page`: where this process serves its page."""
    stopping = threading.Event()
    feed = StoreFeed(store, lambda: stopping.wait(POLL_S))
    receivers = build_receivers(settings, metrics, store, lambda: settings.public_url or page())
    return Pager(feed, build_book(settings), receivers, metrics, clock.now, stopping=stopping), feed
