"""What `factwatch run` and `factwatch demo` do: the program put together in one process, from its start
to its end."""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import click
from prometheus_client import CollectorRegistry

from streams.cli.compose import (
    build_content,
    build_histories,
    build_processor,
    build_shadow,
    load_model,
    measured,
    training_sample,
)
from streams.cli.compose_pager import build_pager
from streams.cli.compose_posts import accept_into, build_posts, open_post_sources, post_normalizer
from streams.cli.output import alert_lines, say, set_up_logging
from streams.cli.places import store_path
from streams.cli.run_lines import greet, tell_outages
from streams.clock import SystemClock
from streams.content.wiki_facts import WikiFacts
from streams.errors import FactwatchError
from streams.metrics import Metrics, PagerMetrics, ProcessMetrics, QualityMetrics
from streams.runners.embedded import IDLE_S, EmbeddedRunner
from streams.runners.live_labels import LiveLabels
from streams.runners.live_status import LiveStatus
from streams.settings import Settings
from streams.sinks.alert_json import alert_json
from streams.sinks.ndjson import NdjsonSink
from streams.sinks.signature import load_key
from streams.sinks.webhook import WebhookSink
from streams.sources.history import HistorySource
from streams.sources.open import open_source
from streams.store.facts_reader import SqliteFactsReader
from streams.store.reader import StoredAlert
from streams.store.retention import Retention, TrainingBounds
from streams.store.sqlite import SqliteStore
from streams.store.verdicts import Verdicts
from streams.web.app import build_app
from streams.web.check import check_route
from streams.web.facts import facts_route
from streams.web.post_intake import PostIntake
from streams.web.server import WebServer
from streams.web.tokens import load_tokens
from streams.web.verdicts import verdict_route

log = logging.getLogger("factwatch")

#: How long the webhook may go on delivering when the program is told to stop.
DRAIN_S = 3.0


def serve(
    settings: Settings,
    spec: str,
    alerts: Path | None,
    *,
    as_json: bool,
    all_wikis: bool = False,
    post_specs: Sequence[str] = (),
    is_kept: bool = True,
) -> None:
    """Put the program together, run it until it is told to stop, and take it apart again. `is_kept`: the
    next start goes on from there."""
    set_up_logging(settings.log_level)
    source = open_source(spec, settings)
    post_sources = open_post_sources(post_specs, settings)
    model = load_model(settings)
    shadow = build_shadow(settings, model)
    store = SqliteStore(store_path(settings))
    clock, facts = SystemClock(), WikiFacts()
    metrics = Metrics(CollectorRegistry())
    metrics.model_info.labels(model.version).set(1)
    ProcessMetrics(metrics.registry, settings.data_dir)
    quality = QualityMetrics(metrics.registry)
    is_history = isinstance(source, HistorySource)
    content = None if is_history else build_content(settings, metrics, facts)
    histories = build_histories(settings, metrics, facts, content)
    matching = threading.Lock()
    transport = content.transport if content is not None else None
    posts, checker = build_posts(settings, store, post_sources, matching, transport)
    webhook = _webhook(settings, store, metrics)
    pager, pager_feed = build_pager(
        settings, store, PagerMetrics(metrics.registry), clock, lambda: server.url
    )
    status = LiveStatus(
        source=source,
        store=store,
        clock=clock,
        model_version=model.version,
        wikis=("*",) if all_wikis else tuple(settings.wikis),
        stale_after_s=settings.stall_after_s if spec == "eventstreams" else None,
        content=content.status if content is not None else None,
        webhook=webhook.status if webhook is not None else None,
        pager=pager.parts,
        post_sources=post_sources,
    )
    hot_facts = SqliteFactsReader(store.path)
    tokens = load_tokens(Path(settings.api_tokens_file)) if settings.api_tokens_file else None
    intake = PostIntake(post_normalizer(settings), accept_into(posts), tokens, clock.now)
    more = [intake.route(), check_route(checker.check), facts_route(hot_facts)]
    more.append(verdict_route(Verdicts(store).keep, tokens, clock.now))
    server = WebServer(
        build_app(store, metrics.registry, status, status, tokens, more=more), settings.http_bind
    )
    sink = NdjsonSink(alerts, store) if alerts is not None else None
    processor = build_processor(
        settings,
        store,
        measured(settings, model, metrics.registry, source.name),
        facts,
        history=is_history,
        all_wikis=all_wikis,
        live=spec == "eventstreams" or spec.startswith("rcfeed:"),
        histories=histories,
        rescorer=model,
        sample=None if is_history else training_sample(settings, model),
        shadow=shadow,
    )
    runner = EmbeddedRunner(
        source=source,
        store=store,
        processor=processor,
        metrics=metrics,
        clock=clock,
        content=content,
        retention=None
        if is_history
        else Retention(
            store,
            settings.retention_days,
            settings.post_retention_days,
            TrainingBounds(settings.training_days, settings.training_mb * 1e6),
        ),
        dead_letter_limit=settings.dead_letter_limit,
        posts=posts,
        labels=None
        if is_history
        else LiveLabels(
            store,
            quality,
            time.monotonic,
            challenger=shadow.version if shadow is not None else None,
        ),
    )

    def committed(alerts: Sequence[StoredAlert]) -> None:
        status.committed(runner.progress)
        pager_feed.passed(processor.final_time)
        if sink is not None and alerts:
            sink.write_new()
        for stored in alerts:
            click.echo(alert_json(stored) if as_json else alert_lines(stored.alert))
        if alerts:
            sys.stdout.flush()

    runner.on_commit = committed
    stopping = threading.Event()

    def stop(signum: int, frame: object) -> None:
        stopping.set()
        runner.stop()

    server.start()
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, stop)
        if webhook is not None:
            webhook.start()
        pager.start()
        if sink is not None:
            sink.write_new()
        greet(settings, spec, post_specs, server.url, model.version, status.status().wikis, pager.told())
        for watched, name in [(source, spec), *zip(post_sources, post_specs, strict=True)]:
            threading.Thread(
                target=tell_outages, args=(watched, name, stopping, watched is source), daemon=True
            ).start()
        runner.take_requeued()
        try:
            runner.run_live()
        except FactwatchError as err:
            status.failed = str(err)
            raise
        if not stopping.is_set():
            say(f"{spec}: at its end. The page stays at {server.url} until Ctrl-C.")
            while not stopping.wait(IDLE_S):
                runner.idle()
        say("stopping" + (": what came is stored, the next start goes on from there" if is_kept else ""))
    finally:
        stopping.set()
        runner.close()
        if webhook is not None:
            webhook.stop(DRAIN_S)
        pager.stop(DRAIN_S)
        server.stop()
        if content is not None:
            content.close()
        if histories is not None:
            histories.close()
        if sink is not None:
            sink.close()
        hot_facts.close()
        store.close()


def _webhook(settings: Settings, store: SqliteStore, metrics: Metrics) -> WebhookSink | None:
    if not settings.webhook_url:
        return None
    secret = settings.webhook_secret_file
    key = load_key(Path(secret)) if secret else None
    if key is None:
        log.warning("the webhook's bodies are not signed: set FACTWATCH_WEBHOOK_SECRET_FILE")
    return WebhookSink(store, store, metrics, settings.webhook_url, key, user_agent=settings.user_agent)
