"""`factwatch worker`."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import click
from prometheus_client import CollectorRegistry

from streams.cli.output import said_if_slow, say, set_up_logging
from streams.cli.without_extra import kafka_extra
from streams.content.wiki_facts import WikiFacts
from streams.errors import BrokerUnavailable
from streams.metrics import Metrics, ProcessMetrics, WorkerMetrics
from streams.settings import Settings, load_settings
from streams.web.operations import build_operations_app
from streams.web.server import WebServer

if TYPE_CHECKING:
    from streams.kafka.faust_app import WorkerApp
    from streams.kafka.security import Connection
    from streams.runners.worker import Worker

GROUP = "factwatch-workers"

CLOSE_READER_S = 2.0


@click.command(short_help="Work on the partitions of a distributed Factwatch.")
@click.option("--session-timeout", type=click.FloatRange(3, 300), default=8.0, show_default=True,
              help="Seconds without a sign of life after which others take over.")  # fmt: skip
def worker(session_timeout: float) -> None:
    """Take a share of the partitions at FACTWATCH_KAFKA_BOOTSTRAP, and give it back when more workers
    come: start as many as there is work for, each with a FACTWATCH_DATA_DIR of its own. A lost
    directory is made anew from Kafka.

    /metrics and /readyz are at FACTWATCH_HTTP_BIND. Ctrl-C or SIGTERM finishes what is under way and
    leaves the group.
    """
    settings = load_settings(os.environ)
    set_up_logging(settings.log_level)
    with kafka_extra():
        from streams.cli.worker_logs import quiet_libraries
        from streams.kafka.admin import shared_partitions
        from streams.kafka.security import connection_of
    quiet_libraries(settings.log_level)
    connection = connection_of(settings)
    with said_if_slow(f"Asking Kafka at {connection.where} …"):
        partitions = shared_partitions(connection)
    asyncio.run(_serve(settings, connection, partitions, session_timeout))


async def _serve(
    settings: Settings, connection: Connection, partitions: int, session_timeout_s: float
) -> None:
    from streams.cli.compose import (
        build_content,
        build_histories,
        load_model,
        measured,
        training_sample,
    )
    from streams.cli.compose_worker import WorkerParts
    from streams.cli.worker_status import WorkerStatus
    from streams.kafka.faust_app import build_app
    from streams.kafka.hot_facts_reader import HotFactsReader
    from streams.kafka.log import KafkaLog
    from streams.runners.group_member import GroupMember
    from streams.runners.worker import Worker
    from streams.store.partitions import PartitionFile
    from streams.topics import OWN_EDITS

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    model = load_model(settings)
    facts = WikiFacts()
    metrics = Metrics(CollectorRegistry())
    metrics.model_info.labels(model.version).set(1)
    ProcessMetrics(metrics.registry, settings.data_dir)
    file = PartitionFile(settings.data_dir / "partitions")
    content = build_content(settings, metrics, facts)
    histories = build_histories(settings, metrics, facts, content)
    # One thread for all partitions: what it does holds Python's lock nearly always, and an event loop
    # that it leaves free answers the broker in time.
    with ThreadPoolExecutor(1, "partitions") as executor:
        scorer = measured(settings, model, metrics.registry, "edits")
        sample = training_sample(settings, model)
        parts = WorkerParts(
            settings, partitions, scorer, facts, content, histories, rescorer=model, sample=sample
        )
        hops = parts.hops()
        status = WorkerStatus(metrics, WorkerMetrics(metrics.registry), parts.replica, time.time)
        worker = Worker(
            hops,
            file,
            KafkaLog(connection),
            executor,
            status.done,
            dead_letter_limit=settings.dead_letter_limit,
        )
        member = GroupMember(lambda: worker)
        app = build_app(
            connection=connection,
            group=GROUP,
            topics=[topic for hop in hops for topic in hop.reads],
            data_dir=settings.data_dir,
            work=member,
            session_timeout_s=session_timeout_s,
        )
        server = WebServer(build_operations_app(metrics.registry, status), settings.http_bind)
        server.start()
        facts_reader = HotFactsReader(
            connection, parts.replica, partitions, executor, lambda: worker.look("posts")
        )
        own_reader = HotFactsReader(
            connection, parts.own_sums, 1, executor, lambda: worker.look("pages"), OWN_EDITS.name
        )
        watching = asyncio.create_task(status.watch(app, member))
        reading = [asyncio.create_task(reader.run()) for reader in (facts_reader, own_reader)]
        for task in reading:
            task.add_done_callback(lambda task: _fail_with(worker, task))
        try:
            say(f"Factwatch works on {partitions} partitions with whoever else is in {GROUP}.")
            say(f"  Kafka   {connection.where}")
            say(f"  state   {settings.data_dir / 'partitions'}")
            say(f"  metrics {server.url}/metrics")
            await _run(app, worker, connection, stop)
            say("stopped: others go on with these partitions, or the next start does")
        finally:
            watching.cancel()
            for task in reading:
                task.cancel()
            # With the broker away, closing its consumer can take longer than there is: what is cancelled once
            # more when the loop ends, ends.
            await asyncio.wait(reading, timeout=CLOSE_READER_S)
            server.stop()
            if content is not None:
                content.close()
            if histories is not None:
                histories.close()
            file.close()


def _fail_with(worker: Worker, task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (err := task.exception()) is not None:
        worker.fail(err)


async def _run(app: WorkerApp, worker: Worker, connection: Connection, stop: asyncio.Event) -> None:
    """Until `stop`, which a failure of the worker sets too: then it is raised, after an orderly end that
    gives the partitions to others at once."""
    from aiokafka.errors import KafkaError

    from streams.cli.worker_logs import silence
    from streams.kafka.admin import unavailable
    from streams.kafka.faust_app import serve

    worker.failed.add_done_callback(lambda _: stop.set())
    try:
        try:
            await serve(app, stop)
        except TimeoutError:
            silence()  # what is given up here has much to say of it
            if not worker.failed.done():
                raise app.crash_reason or _cut_short(connection) from None
        if worker.failed.done():
            worker.failed.result()
    except KafkaError as err:
        raise unavailable(connection, err) from None


def _cut_short(connection: Connection) -> BrokerUnavailable:
    return BrokerUnavailable(
        f"stopped, but Kafka at {connection.where} did not answer: others go on with these partitions when"
        " the session has timed out"
    )
