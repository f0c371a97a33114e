"""The disk of a real PostgreSQL, or of SQLite's file, fills up under `factwatch archive`: it waits, says so, and when there is
room again nothing is lost and nothing is there twice. The alerts topic goes on meanwhile."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from streams.archive.database import Database
from streams.archive.delivered import TOPICS
from streams.topics import ALERTS
from tests.archive_world import Logs, rows
from tests.integration import postgres_server
from tests.integration.kafka_broker import KafkaBroker
from tests.integration.kafka_records import committed
from tests.integration.postgres_server import PASSWORD, PostgresServer, running_postgres
from tests.integration.small_disk import SmallDisk, small_disk
from tests.integration.test_archive_from_kafka import (
    PLACES,
    Archive,
    Producer,
    archive,
    make_topics,
    more,
    of_memory,
    within,
)
from tests.requirements import require_or_skip
from tests.web_world import eventually

DISK_FULL = 'factwatch_archive_errors_total{reason="disk_full"}'
UNREACHABLE = 'factwatch_archive_errors_total{reason="unreachable"}'
#: What `more` makes of one number: two alerts, a label, a status, sometimes a tombstone.
AT_LEAST_EACH = 4


@contextmanager
def postgres_with(on_small_disk: str, size_mb: int) -> Iterator[tuple[PostgresServer, SmallDisk]]:
    """Its tables (`data`) or its write-ahead log (`wal`) are on a disk that can be filled; the other is
    not."""
    require_or_skip(postgres_server.installed(), postgres_server.HOW)
    with small_disk(size_mb) as disk, running_postgres(**{on_small_disk: disk.directory}) as server:
        yield server, disk


@pytest.mark.parametrize("database", ["postgres", "sqlite"])
def test_tables_that_can_not_grow_are_waited_for(
    own_kafka: KafkaBroker, tmp_path: Path, database: str
) -> None:
    make_topics(own_kafka, *TOPICS)
    logs = Logs()
    with closing(Producer(own_kafka)) as producer, place(database) as (url, disk):
        more(logs, 1, 200)
        producer.send(logs)
        with archive(own_kafka.bootstrap, url, tmp_path) as running:
            within(lambda: running.has_written(1) and running.lag() == 0, 60, running)
            with disk.filled(but_bytes=256 << 10):
                more(logs, 200, 1_200)
                producer.send(logs)
                within(lambda: running.value(DISK_FULL) >= 3, 90, running)
                stands_and_says_so(running)
                lag = running.lag()
                assert lag > 0
                more(logs, 1_200, 1_300)
                producer.send(logs)  # the topic takes what comes
                within(lambda: running.lag() >= lag + 100 * AT_LEAST_EACH, 30, running)
            has_caught_up(running, Database(url), logs, own_kafka, tmp_path)


@contextmanager
def place(database: str) -> Iterator[tuple[str, SmallDisk]]:
    if database == "postgres":
        with postgres_with("data", 100) as (server, disk):
            yield server.url, disk
            assert "No space left on device" in server.log.read_text()
    else:
        with small_disk(30) as disk:
            yield f"sqlite:///{disk.directory}/archive.sqlite", disk


def test_a_server_that_panics_over_its_full_log_is_waited_for(
    own_kafka: KafkaBroker, tmp_path: Path
) -> None:
    """It comes down and does not come up again until there is room and somebody starts it."""
    make_topics(own_kafka, *TOPICS)
    logs = Logs()
    with closing(Producer(own_kafka)) as producer, postgres_with("wal", 32) as (server, disk):
        more(logs, 1, 200)
        producer.send(logs)
        with archive(own_kafka.bootstrap, server.url, tmp_path) as running:
            within(lambda: running.has_written(1) and running.lag() == 0, 60, running)
            with disk.filled():
                more(logs, 200, 2_000)
                producer.send(logs)
                within(lambda: not server.running, 90, running)
                told = server.log.read_text()
                assert "PANIC" in told
                assert "No space left on device" in told
                within(lambda: running.value(UNREACHABLE) >= 2, 30, running)
                assert running.process.poll() is None
                assert readiness(running)[0] == 503
                assert running.lag() > 0
            server.start()
            has_caught_up(running, Database(server.url), logs, own_kafka, tmp_path)


def stands_and_says_so(running: Archive) -> None:
    """Neither dead nor ready, and the reason and the lag are there to be read."""
    assert running.process.poll() is None
    code, parts = readiness(running)
    assert code == 503
    assert not parts["database"]["ok"]
    detail = parts["database"]["detail"]
    assert "free some space" in detail
    assert "offsets behind the topics" in detail
    assert parts["topics"]["ok"]


def has_caught_up(
    running: Archive, database: Database, logs: Logs, broker: KafkaBroker, directory: Path
) -> None:
    """The same rows as of an archive to which nothing happened: none lost, none twice."""
    plain = of_memory(directory / "plain", logs)
    within(lambda: running.lag() == 0, 90, running)
    assert rows(database, but=PLACES) == plain
    sent = [record for record in logs.all() if record.where.topic == ALERTS.name]
    assert sum(map(len, committed(broker.bootstrap, ALERTS.name).values())) == len(sent)
    assert len(plain["alerts"]) == len(sent)
    eventually(lambda: readiness(running)[0] == 200)
    assert running.end() == 0
    said = running.log.read_text()
    assert "trying again until it works" in said
    assert "the database can be used again" in said
    assert "Traceback" not in said
    assert PASSWORD not in said


def readiness(running: Archive) -> tuple[int, dict[str, Any]]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{running.url}/readyz", timeout=10) as answer:
            return answer.status, json.load(answer)["parts"]
    except urllib.error.HTTPError as err:
        with err:
            return err.code, json.load(err)["parts"]
