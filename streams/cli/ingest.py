"""`factwatch ingest changes`: from a source to Kafka."""

from __future__ import annotations

import os
import signal
import threading
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click
from prometheus_client import CollectorRegistry

from streams.cli.output import print_json, safe, said_if_slow, say, set_up_logging, share_done
from streams.cli.without_extra import kafka_extra
from streams.clock import Clock, SystemClock
from streams.errors import BadInput, BrokerUnavailable
from streams.metrics import IngestMetrics, ProcessMetrics
from streams.settings import Settings, load_settings, variable_of
from streams.sources.base import Source
from streams.sources.history import HistorySource
from streams.sources.open import open_source
from streams.stages.normalize import Normalizer
from streams.web.operations import build_operations_app
from streams.web.server import WebServer
from streams.web.status import Part

if TYPE_CHECKING:
    from streams.runners.ingest import BatchMaker, IngestRunner

#: How long a flush may take to its end when we are told to stop; then Kafka is away.
DRAIN_S = 8.0
LOOK_EVERY_S = 0.25
PROGRESS_EVERY_S = 1.0


@click.group(short_help="Bring a source into Kafka.")
def ingest() -> None:
    """The first part of a distributed Factwatch: sources into Kafka, where workers read them."""


@ingest.command(short_help="Recent changes of wikis.")
@click.option(
    "--source",
    "spec",
    default="eventstreams",
    show_default=True,
    help="eventstreams, rcfeed://HOST:PORT or a FILE of recent changes.",
)
@click.option("--json", "as_json", is_flag=True, help="Progress as a JSON line each second.")
def changes(spec: str, as_json: bool) -> None:
    """Write what a source gives to factwatch.changes.v1 and factwatch.edits.v1.

    How far it has read is committed with it: a start goes on there, nothing is lost or written twice.
    One process at a time reads a source; another that is started takes over. Ends at a file's end, or
    by Ctrl-C or SIGTERM after the flush under way. While Kafka is away, it waits. Metrics and health
    are at FACTWATCH_HTTP_BIND.
    """
    settings = load_settings(os.environ)
    set_up_logging(settings.log_level)
    source = open_source(spec, settings)
    if isinstance(source, HistorySource):
        raise BadInput(f"{spec}: is a history, which has no recent changes: `factwatch replay` reads it")
    everything = spec != "eventstreams" and variable_of("wikis") not in os.environ
    wikis = () if everything or "*" in settings.wikis else tuple(settings.wikis)
    with kafka_extra():
        from streams.runners.ingest_batch import BatchMaker

    def normalizer_at(now: Callable[[], float]) -> Normalizer:
        return Normalizer(wikis, settings.namespaces, now=now)

    def make(partitions: int, clock: Clock) -> BatchMaker:
        return BatchMaker(normalizer_at, partitions, clock)

    _bring(settings, spec, source, source_name(spec, source), make, as_json=as_json)


@ingest.command(short_help="Public posts.")
@click.option(
    "--source",
    "spec",
    required=True,
    help="jetstream://HOST, mastodon://HOST or a FILE of posts.",
)
@click.option("--json", "as_json", is_flag=True, help="Progress as a JSON line each second.")
def posts(spec: str, as_json: bool) -> None:
    """Write what a source gives to factwatch.posts.v1, deletions included.

    Posts are normalized first: a platform's ids of authors are replaced by their keyed hash, unless
    FACTWATCH_HASH_AUTHORS is false. Give every ingest and api the same FACTWATCH_AUTHOR_KEY_FILE. How
    far it has read is committed with the posts, as by `ingest changes`. What can't be read goes to
    factwatch.dead-letters.v1 as it came.
    """
    from streams.cli.compose_posts import open_post_sources, post_normalizer

    settings = load_settings(os.environ)
    set_up_logging(settings.log_level)
    (source,) = open_post_sources([spec], settings)
    normalizer = post_normalizer(settings)
    with kafka_extra():
        from streams.runners.ingest_posts import PostBatchMaker

    def make(partitions: int, clock: Clock) -> PostBatchMaker:
        return PostBatchMaker(normalizer, partitions, clock)

    _bring(settings, spec, source, post_source_name(spec), make, as_json=as_json)


def _bring(
    settings: Settings,
    spec: str,
    source: Source,
    name: str,
    make: Callable[[int, Clock], BatchMaker],
    *,
    as_json: bool,
) -> None:
    metrics = IngestMetrics(CollectorRegistry())
    ProcessMetrics(metrics.registry)
    runner = _put_together(settings, source, name, metrics, make)
    server = WebServer(
        build_operations_app(metrics.registry, _Health(source, runner)), settings.http_bind
    )
    server.start()
    try:
        where = ",".join(settings.kafka_bootstrap)
        say(f"Factwatch brings {safe(spec)} into Kafka at {where}; metrics {server.url}/metrics")
        _run(runner, source, spec, as_json=as_json)
    finally:
        server.stop()


def source_name(spec: str, source: Source) -> str:
    """Its name in Kafka: files and feeds of other addresses each have a cursor of their own."""
    if spec.startswith("rcfeed:"):
        return spec
    return source.name if source.name == "eventstreams" else f"{source.name}:{Path(spec).resolve()}"


def post_source_name(spec: str) -> str:
    """As of a source of changes: each address and file has a cursor of its own."""
    return f"posts:{spec}" if "://" in spec else f"posts:{Path(spec).resolve()}"


def _put_together(
    settings: Settings,
    source: Source,
    name: str,
    metrics: IngestMetrics,
    make: Callable[[int, Clock], BatchMaker],
) -> IngestRunner:
    with kafka_extra():
        from streams.kafka.admin import shared_partitions
        from streams.kafka.complaints import listen
        from streams.kafka.security import connection_of
        from streams.kafka.writer import KafkaWriter
        from streams.runners.ingest import IngestRunner
    listen(shown=settings.log_level == "debug")
    connection = connection_of(settings)
    with said_if_slow(f"Asking Kafka at {connection.where} …"):
        partitions = shared_partitions(connection)
    clock = SystemClock()
    return IngestRunner(
        source=source,
        name=name,
        writer=KafkaWriter(connection, name),
        make=make(partitions, clock),
        metrics=metrics,
        clock=clock,
        owner=uuid.uuid4().hex,
    )


class _Health:
    def __init__(self, source: Source, runner: IngestRunner) -> None:
        self._source = source
        self._runner = runner

    def parts(self) -> Mapping[str, Part]:
        source = self._source.status()
        lost = self._runner.progress.outage
        return {
            "source": Part(source.state in ("connected", "ended"), source.state),
            "kafka": Part(not lost, "does not take what is written" if lost else "connected"),
        }


def _run(runner: IngestRunner, source: Source, spec: str, *, as_json: bool) -> None:
    """The runner in a thread of its own; this one shows how it goes and takes the signals."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            runner.run()
        except BaseException as err:  # noqa: BLE001  # handed to the thread that waits
            failed.append(err)

    stopping = threading.Event()

    def stop(signum: int, frame: object) -> None:
        stopping.set()
        runner.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    thread = threading.Thread(target=run, name="ingest", daemon=True)
    thread.start()
    _watch(runner, source, spec, thread, stopping, as_json=as_json)
    thread.join(DRAIN_S)
    if thread.is_alive():
        runner.abandon()
        raise BrokerUnavailable(
            "stopped while Kafka does not answer: the next start goes on from the last flush"
        )
    if failed:
        raise failed[0]
    done = runner.progress
    if as_json:
        _print_progress(runner, source)
    say(
        f"{'stopped' if stopping.is_set() else 'at its end'}: {done.records:,} records written, "
        f"{done.routed:,} of them ours to judge"
    )


def _watch(
    runner: IngestRunner,
    source: Source,
    spec: str,
    thread: threading.Thread,
    stopping: threading.Event,
    *,
    as_json: bool,
) -> None:
    """Until the thread has ended or is told to. What is lost, and what is back, is said once each."""
    kafka, feed = _Lost("Kafka"), _Lost(spec)
    looks = 0
    with share_done("ingest", shown=not as_json and source.status().position is not None) as bar:
        while not stopping.is_set() and thread.is_alive():
            thread.join(LOOK_EVERY_S)
            looks += 1
            status = source.status()
            kafka.look(runner.progress.outage)
            feed.look((status.detail or "unreachable") if status.state == "retrying" else "")
            bar.update(status.position, f"{runner.progress.records:,} records")
            if as_json and looks % round(PROGRESS_EVERY_S / LOOK_EVERY_S) == 0:
                _print_progress(runner, source)


class _Lost:
    def __init__(self, what: str) -> None:
        self._what = what
        self._lost = False

    def look(self, why: str) -> None:
        if why and not self._lost:
            say(f"{safe(self._what)} is lost, trying again until it answers: {safe(why, 500)}")
        elif self._lost and not why:
            say(f"{safe(self._what)} is back")
        self._lost = bool(why)


def _print_progress(runner: IngestRunner, source: Source) -> None:
    progress, status = runner.progress, source.status()
    print_json(
        {
            "records": progress.records,
            "routed": progress.routed,
            "flushes": progress.flushes,
            "source": status.state,
            "share_read": status.position,
            "kafka": "lost" if progress.outage else "connected",
        }
    )
