"""`factwatch run`, the main job, and `factwatch demo`, the same on a scripted scenario."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import msgspec
from prometheus_client import CollectorRegistry

from streams.cli.compose import (
    build_content,
    build_histories,
    build_processor,
    build_shadow,
    load_model,
    measured,
    store_path,
    training_sample,
)
from streams.cli.compose_pager import build_pager
from streams.cli.compose_posts import accept_into, build_posts, open_post_sources, post_normalizer
from streams.cli.output import alert_lines, say, set_up_logging
from streams.cli.run_lines import greet, tell_outages
from streams.clock import SystemClock
from streams.content.wiki_facts import WikiFacts
from streams.demo.scenario import PAUSE_S, STORY_S
from streams.demo.server import DemoServer, demo_settings
from streams.errors import FactwatchError
from streams.metrics import Metrics, PagerMetrics, ProcessMetrics, QualityMetrics
from streams.runners.embedded import IDLE_S, EmbeddedRunner
from streams.runners.live_labels import LiveLabels
from streams.runners.live_status import LiveStatus
from streams.settings import Settings, load_settings, variable_of
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


@click.command(short_help="Watch Wikimedia now: alerts, page, API and metrics.")
@click.option(
    "--source",
    "spec",
    default="eventstreams",
    show_default=True,
    help="eventstreams, rcfeed://HOST:PORT or a FILE of recent changes or of a history.",
)
@click.option(
    "--posts",
    "post_specs",
    multiple=True,
    metavar="SOURCE",
    help="Also read posts: jetstream://HOST, mastodon://HOST or a FILE; may be given several times.",
)
@click.option("--alerts", type=click.Path(path_type=Path), help="Append every alert as a JSON line.")
@click.option("--json", "as_json", is_flag=True, help="Print alerts as JSON lines.")
def run(spec: str, post_specs: tuple[str, ...], alerts: Path | None, as_json: bool) -> None:
    """Watch a source, print alerts as they come and serve the page, the API and /metrics.

    Goes on where it stopped: cursor, state and alerts are in one file below FACTWATCH_DATA_DIR.
    Ctrl-C ends it after the batch under way.
    """
    settings = load_settings(os.environ)
    explicit = variable_of("wikis") in os.environ
    serve(
        settings,
        spec,
        alerts,
        post_specs=post_specs,
        as_json=as_json,
        all_wikis=spec != "eventstreams" and not explicit,
    )


@click.command(short_help="See everything at work on a scripted scenario, without a network.")
@click.option(
    "--speed",
    type=click.FloatRange(0.1, 1000),
    default=1.0,
    show_default=True,
    help="Run the script so many times faster.",
)
@click.option("--json", "as_json", is_flag=True, help="Print alerts as JSON lines.")
def demo(speed: float, as_json: bool) -> None:
    """The same program on invented articles and posts: vandalism, who repeats it, its reverts, an edit
    war, a protection, served by stand-ins for Wikimedia, Bluesky and Mastodon on this machine. It takes five
    minutes and begins again. Links lead to the articles' wiki, which is invented too."""
    settings = load_settings(os.environ)
    # A directory of its own each time: a demo that runs already keeps its.
    with TemporaryDirectory(prefix="factwatch-demo-") as directory, DemoServer(speed=speed) as server:
        settings = msgspec.structs.replace(settings, data_dir=Path(directory))
        say("Demo: invented articles, editors and posts, served by stand-ins on this machine.")
        again_s = (STORY_S + PAUSE_S) / speed
        say(
            f"  Its story begins again every {again_s:,.0f} s. Links lead nowhere: the wiki is invented too."
        )
        serve(
            demo_settings(settings, server.url),
            "eventstreams",
            None,
            post_specs=server.post_specs,
            as_json=as_json,
            is_kept=False,
        )


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
