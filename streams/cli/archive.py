"""`factwatch archive`: alerts, labels and page status from their topics into a database."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click
from prometheus_client import CollectorRegistry

from streams.cli.output import say, set_up_logging
from streams.cli.without_extra import kafka_extra
from streams.clock import SystemClock
from streams.errors import FactwatchError
from streams.metrics import ArchiveMetrics, ProcessMetrics
from streams.settings import Settings, load_settings
from streams.web.operations import build_operations_app
from streams.web.server import WebServer

if TYPE_CHECKING:
    from streams.archive.database import Database

_LIBRARIES = ("sqlalchemy", "alembic", "psycopg")


@click.command(short_help="Keep alerts, labels and page status in a database.")
@click.option("--migrate", "only_migrate", is_flag=True, help="Only bring the tables to this version.")
def archive(only_migrate: bool) -> None:
    """Write what the topics say to FACTWATCH_DATABASE_URL (SQLite or PostgreSQL), for `factwatch api`
    and for SQL of your own.

    The tables are made and brought to this version at each start. While the database or the broker is
    away it waits and tries again, and nothing is lost: positions are committed with the rows. /metrics
    and /readyz are at FACTWATCH_HTTP_BIND. Ctrl-C or SIGTERM ends it after the batch under way.
    """
    settings = load_settings(os.environ)
    set_up_logging(settings.log_level)
    quiet_libraries()
    with archive_extra():
        from streams.archive.migrate import migrate
    database = database_of(settings)
    if only_migrate:
        say(f"{database.place}: tables of version {migrate(database)}")
        return
    _serve(settings, database)


def _serve(settings: Settings, database: Database) -> None:
    with archive_extra(), kafka_extra():
        from streams.archive.archiver import Archiver
        from streams.archive.delivered import TOPICS
        from streams.archive.migrate import migrate
        from streams.archive.topic_reader import TopicReader
        from streams.archive.training_rows import Bounds
        from streams.archive.writer import ArchiveWriter
        from streams.kafka.security import connection_of, for_kafka_python
    connection = connection_of(settings)
    metrics = ArchiveMetrics(CollectorRegistry())
    ProcessMetrics(metrics.registry, settings.data_dir if database.is_sqlite else None)
    writer = ArchiveWriter(
        database,
        settings.post_retention_days * 86_400.0,
        training=Bounds(settings.training_days, settings.training_mb * 1e6),
    )
    archiver = Archiver(
        TopicReader(for_kafka_python(connection), TOPICS),
        writer,
        metrics,
        SystemClock(),
        prepare=lambda: migrate(database),
        say=say,
    )
    server = WebServer(build_operations_app(metrics.registry, archiver), settings.http_bind)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda signum, frame: archiver.stop())
    server.start()
    try:
        say(f"Factwatch archives {', '.join(TOPICS)}")
        say(f"  from    {connection.where}")
        say(f"  to      {database.place}")
        say(f"  metrics {server.url}/metrics")
        archiver.run()
        say("stopped: the next start goes on from the positions in the database")
    finally:
        server.stop()
        writer.close()


def database_of(settings: Settings) -> Database:
    """The archive of the settings: by default a file in the data directory."""
    with archive_extra():
        from streams.archive.database import Database, read_password
    url = settings.database_url or f"sqlite:///{settings.data_dir.absolute()}/archive.sqlite"
    return Database(url, read_password(settings.database_password_file))


@contextmanager
def archive_extra() -> Iterator[None]:
    """Around the imports of what wants a database."""
    try:
        yield
    except ModuleNotFoundError as err:
        if (err.name or "").partition(".")[0] not in _LIBRARIES:
            raise  # our own mistake
        raise FactwatchError(
            f"this command wants the archive's libraries ({err.name} is missing): pip install"
            " 'factwatch[kafka,archive]'"
        ) from None


def quiet_libraries() -> None:
    """An outage is told once, by us; they tell of every connection they try."""
    for name in ("kafka", "sqlalchemy"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
