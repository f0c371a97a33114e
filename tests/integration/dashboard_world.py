"""What Grafana would ask, without Grafana: its variables and macros filled in, a real Prometheus that
scrapes a real `factwatch run`, and a PostgreSQL with what the archive would have made of its alerts."""

from __future__ import annotations

import re
import sqlite3
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import sqlalchemy as sa

from streams.archive.database import Database
from streams.archive.migrate import migrate
from streams.archive.writer import ArchiveWriter
from streams.demo.server import DemoServer
from streams.records import Alert, LabelKind
from tests.archive_world import Logs, deliver, label
from tests.conftest import CHECKOUT
from tests.integration.deployment import Deployment, demo_environ
from tests.integration.kafka_records import make_topics_anew
from tests.integration.program import Program
from tests.integration.prometheus import Prometheus

Json = dict[str, Any]

#: That of `running_prometheus`.
SCRAPE_S = 1
#: Of the archive: as many records in one transaction.
BATCH = 500
READER = "factwatch_reader"
PARTITIONS = 4
PASSWORD = "read-only"


@contextmanager
def distributed(
    demo: DemoServer,
    kafka: str,
    database_url: str,
    alertmanager_url: str,
    directory: Path,
    workers: int = 1,
) -> Iterator[dict[str, list[str]]]:
    """The programs on Kafka with an archive in `database_url`: HOST:PORT of what Prometheus reads, by
    job."""
    make_topics_anew(kafka, PARTITIONS)
    directory.mkdir()
    key = directory / "author_key"
    key.write_text("a key of authors, for tests\n")
    environ = demo_environ(demo.url) | {
        "FACTWATCH_KAFKA_BOOTSTRAP": kafka,
        "FACTWATCH_DATABASE_URL": database_url,
        "FACTWATCH_ALERTMANAGER_URL": alertmanager_url,
        "FACTWATCH_AUTHOR_KEY_FILE": str(key),
    }
    programs = [
        *((job, (job,)) for job in ("archive", "api", "pager")),
        *[("worker", ("worker",))] * workers,
        ("ingest", ("ingest", "changes")),
        *(("ingest-posts", ("ingest", "posts", "--source", spec)) for spec in demo.post_specs),
    ]
    deployment = Deployment(directory, environ)
    names: dict[str, list[str]] = {}
    try:
        for job, arguments in programs:
            of_job = names.setdefault(job, [])
            of_job.append(f"{job}-{len(of_job) + 1}" if of_job else job)
            deployment.start(of_job[-1], *arguments)
        deployment.until_serving()
        yield {job: [deployment.jobs[name][0] for name in of_job] for job, of_job in names.items()}
    finally:
        deployment.stop()


def course(prometheus: Prometheus, expr: str, *, start: float, end: float, step_s: float) -> list[Json]:
    """`metric` and `values` of each series. Fails with what Prometheus says of a query it can't evaluate."""
    asked = {"query": expr, "start": start, "end": end, "step": step_s}
    try:
        data = prometheus.get("/api/v1/query_range", **{key: str(value) for key, value in asked.items()})
    except urllib.error.HTTPError as err:
        raise AssertionError(f"{expr}\n{err.read().decode()}") from None
    found: list[Json] = data["result"]
    return found


def promql(expr: str, *, shown_s: float, step_s: float) -> str:
    """As Grafana fills it in, with all jobs and instances chosen."""
    rate_interval = max(step_s + SCRAPE_S, 4 * SCRAPE_S)
    for name, seconds in {"rate_interval": rate_interval, "interval": step_s, "range": shown_s}.items():
        expr = re.sub(rf"\$__{name}\b", f"{max(1, round(seconds))}s", expr)
    return re.sub(r"\$(job|instance)\b", ".+", expr)


def plain_sql(text: str, *, start: float, end: float, step_s: float) -> str:
    """As Grafana's PostgreSQL data source fills in its macros."""
    text = text.replace("$__interval", f"{round(step_s)}")
    text = re.sub(r"\$__unixEpochGroupAlias\(([^),]+),\s*(\d+)\)", r'floor((\1)/\2)*\2 AS "time"', text)
    return re.sub(
        r"\$__unixEpochFilter\(([^)]+)\)", rf"\1 >= {int(start)} AND \1 <= {int(end) + 1}", text
    )


class Archive:
    """A database with the archive's tables, read as Grafana reads it."""

    def __init__(self, url: str, reader: str) -> None:
        """`url`: its owner's address, as `factwatch archive` takes it."""
        self.url = url
        self._reader = reader

    def store(self, logs: Logs) -> None:
        writer = ArchiveWriter(Database(self.url))
        try:
            records = logs.all()
            for first in range(0, len(records), BATCH):
                deliver(writer, *records[first : first + BATCH])
        finally:
            writer.close()

    def rows(self, text: str) -> list[Json]:
        with psycopg.connect(self._reader, row_factory=psycopg.rows.dict_row) as db:
            return db.execute(text.encode()).fetchall()


@contextmanager
def archive_in(postgres: str, name: str) -> Iterator[Archive]:
    """A database of its own in the server at `postgres`, with a role that has the rights which reader.sh
    gives Grafana's."""
    server = sa.make_url(postgres)
    own, reader = server.set(database=name), f"{name}_reader"
    with psycopg.connect(_psycopg(server), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
        try:
            with psycopg.connect(_psycopg(own), autocommit=True) as db:
                for statement in _reader_statements(reader):
                    db.execute(statement.encode())
            url = own.render_as_string(hide_password=False)
            migrate(Database(url))
            yield Archive(url, _psycopg(own.set(username=reader, password=PASSWORD)))
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
            admin.execute(f"DROP ROLE IF EXISTS {reader}".encode())


def _psycopg(url: sa.URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def _reader_statements(reader: str) -> list[str]:
    """Of grafana/postgres/reader.sh, with a name and a password of ours: roles are the server's."""
    script = (CHECKOUT / "grafana" / "postgres" / "reader.sh").read_text("utf-8")
    text = script.split("<<'SQL'\n")[1].split("SQL\n")[0]
    lines = [line for line in text.splitlines() if not line.startswith("\\")]
    whole = "\n".join(lines).replace(":'password'", f"'{PASSWORD}'").replace(READER, reader)
    return [statement.strip() for statement in whole.split(";") if statement.strip()]


def archived(program: Program, store: Path) -> Logs:
    """What the topics would hold of a `factwatch run`: its alerts, and its labels out of its store."""
    logs = Logs()
    titles: dict[int, tuple[str, str]] = {}
    for newest in sorted(program.alerts(), key=lambda alert: int(alert["seq"])):
        for change in program.get(f"/v1/alerts/{newest['alert_id']}")["changes"]:
            alert = msgspec.convert(change, Alert)
            logs.alert(alert)
            titles.setdefault(alert.rev_id, (alert.wiki, alert.title))
    with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as db:
        edits = db.execute(
            "SELECT rev_id, event_time, risk, label, labelled_time FROM edits WHERE label IS NOT NULL"
        ).fetchall()
    for rev_id, event_time, risk, kind, labelled_time in edits:
        wiki, title = titles.get(rev_id, ("demowiki", "A page without an alert"))
        given = label(rev_id, LabelKind(kind), title, event_time=event_time,
                      labelled_time=labelled_time, revert_risk=risk, alerted=rev_id in titles)  # fmt: skip
        logs.label(msgspec.structs.replace(given, wiki=wiki))
    return logs
