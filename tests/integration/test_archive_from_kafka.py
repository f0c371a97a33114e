"""`factwatch archive` between a real Kafka and a real PostgreSQL: through kills of all three, nothing is
lost and nothing is written twice."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import kafka
import pytest
from kafka.admin import NewTopic

from streams.archive.database import Database
from streams.archive.delivered import TOPICS
from streams.records import LabelKind
from streams.topics import ALERTS, LABELS, PAGE_STATUS
from tests.archive_world import Logs, label, rows, status
from tests.integration.kafka_broker import KafkaBroker
from tests.integration.postgres_server import PASSWORD, PostgresServer
from tests.sample_alerts import resolved, sample_alert
from tests.unit.archive.test_archiver import World
from tests.web_world import eventually

PARTITIONS = 3
#: Where a record lay is the broker's business: it is not the same as in `Logs`.
PLACES = ("position", "written_ms", "generation")
METRICS_OF_LAG = re.compile(r'^factwatch_archive_lag\{topic="[a-z0-9.-]+"\} (\S+)$', re.MULTILINE)


class Archive:
    """A `factwatch archive` as its user starts it."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self.process = process
        self.log = log
        self.url = ""

    def metrics(self) -> str:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{self.url}/metrics", timeout=10) as answer:
            text: str = answer.read().decode()
        return text

    def lag(self) -> float:
        return sum(map(float, METRICS_OF_LAG.findall(self.metrics())))

    def value(self, name: str) -> float:
        found = re.search(rf"^{re.escape(name)} (\S+)$", self.metrics(), re.MULTILINE)
        return float(found[1]) if found else 0.0

    def has_written(self, records: int) -> bool:
        written = re.findall(r'records_total\{outcome="(?:written|known)",[^}]*\} (\S+)', self.metrics())
        return sum(map(float, written)) >= records

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=40)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(timeout=40)


@contextmanager
def archive(bootstrap: str, database_url: str, directory: Path) -> Iterator[Archive]:
    log = directory / "archive.log"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FACTWATCH_")}
    with log.open("a") as output:
        start = output.tell()
        process = subprocess.Popen(
            [str(Path(sys.executable).parent / "factwatch"), "archive"],
            env=kept | {
                "FACTWATCH_KAFKA_BOOTSTRAP": bootstrap,
                "FACTWATCH_DATABASE_URL": database_url,
                "FACTWATCH_HTTP_BIND": "127.0.0.1:0",
                "FACTWATCH_DATA_DIR": str(directory / "data"),
            },
            stdout=output, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
    running = Archive(process, log)

    def address() -> bool:
        assert process.poll() is None, log.read_text()
        found = re.search(r"metrics (http://\S+)/metrics", log.read_text()[start:])
        running.url = found[1] if found else ""
        return found is not None

    try:
        eventually(address, within_s=60)
        yield running
    finally:
        process.kill()
        process.wait(15)


class Producer:
    """Puts what `Logs` has into the broker, in transactions, with some that are aborted between."""

    def __init__(self, broker: KafkaBroker) -> None:
        self._producer = kafka.KafkaProducer(
            bootstrap_servers=broker.bootstrap, transactional_id="test", retry_backoff_ms=10
        )
        self._producer.init_transactions()
        self._sent = 0

    def send(self, logs: Logs) -> None:
        records = logs.all()[self._sent :]
        self._sent += len(records)
        for at in range(0, len(records), 50):
            self._producer.begin_transaction()
            for record in records[at : at + 50]:
                self._producer.send(
                    record.where.topic,
                    key=record.key,
                    value=record.value,
                    headers=[(name, value or b"") for name, value in record.headers],
                    partition=record.where.partition,
                )
            self._producer.commit_transaction()
            if at % 100 == 0:
                self._producer.begin_transaction()
                self._producer.send(ALERTS.name, key=b"x", value=b"never committed", partition=0)
                self._producer.flush()
                self._producer.abort_transaction()

    def close(self) -> None:
        self._producer.close(timeout=2)


def make_topics(broker: KafkaBroker, *names: str) -> None:
    admin = kafka.KafkaAdminClient(bootstrap_servers=broker.bootstrap)
    admin.create_topics([NewTopic(name, PARTITIONS, 1) for name in names])
    admin.close()


def more(logs: Logs, first: int, last: int) -> None:
    for number in range(first, last):
        alert = sample_alert(number, title=f"Page {number % 30}")
        at = number % PARTITIONS
        logs.alert(alert, at)
        logs.status(status(alert.title, alert.alert_id), at)
        logs.label(label(alert.rev_id, LabelKind.REVERTED, alert.title), at)
        logs.alert(resolved(alert), at)
        if number % 2:
            logs.nothing_open(alert.title, partition=at)
        if number % 50 == 0:
            logs.put(LABELS.name, b"enwiki:x", b"\xff no label", partition=at)


def of_memory(directory: Path, logs: Logs) -> dict[str, list[tuple[Any, ...]]]:
    """What an archive to which nothing happens makes of it."""
    directory.mkdir()
    world = World(directory, logs)
    with world.running():
        eventually(lambda: world.topics.read == len(logs.all()) and world.lag() == 0, within_s=150)
    return rows(world.database, but=PLACES)


def within(wanted: Callable[[], bool], within_s: float, archive: Archive) -> None:
    try:
        eventually(wanted, within_s)
    except AssertionError:
        raise AssertionError(f"{archive.log.read_text()[-3000:]}\n{archive.metrics()}") from None


def test_through_kills_of_archive_database_and_broker(
    own_kafka: KafkaBroker, own_postgres: PostgresServer, tmp_path: Path
) -> None:
    make_topics(own_kafka, *TOPICS)
    producer, logs, url = Producer(own_kafka), Logs(), own_postgres.url
    more(logs, 1, 2_000)
    producer.send(logs)
    for written in (1, 2_000):  # killed while it writes
        with archive(own_kafka.bootstrap, url, tmp_path) as running:
            within(lambda running=running, n=written: running.has_written(n), 30, running)  # type: ignore[misc]  # mypy infers no lambda with a default
            running.kill()
    with archive(own_kafka.bootstrap, url, tmp_path) as running:
        within(lambda: running.has_written(1) and running.lag() == 0, 60, running)
        assert running.value("factwatch_archive_last_write_timestamp_seconds") > time.time() - 60

        own_postgres.stop()
        more(logs, 2_000, 2_100)
        waiting = len(logs.all())
        producer.send(logs)
        within(lambda: running.lag() >= 400, 30, running)
        within(
            lambda: running.value('factwatch_archive_errors_total{reason="unreachable"}') >= 2,
            30,
            running,
        )
        assert readiness(running) == 503
        own_postgres.start()
        within(lambda: running.lag() == 0, 60, running)
        assert readiness(running) == 200
        assert waiting == len(logs.all())

        own_kafka.kill()
        own_kafka.start()
        more(logs, 2_100, 2_200)
        producer.send(logs)
        plain = of_memory(tmp_path / "plain", logs)
        within(lambda: rows(Database(url), but=PLACES) == plain, 60, running)
        within(lambda: running.lag() == 0, 30, running)
        assert len(plain["alerts"]) == 2 * 2_199
        assert running.end() == 0
    producer.close()
    text = running.log.read_text()
    assert text.count("is the database up?") == 1
    assert "archive: the database can be used again" in text
    assert "Traceback" not in text
    assert PASSWORD not in text
    assert "Zauberwort" not in text


def readiness(running: Archive) -> int:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{running.url}/readyz", timeout=10) as answer:
            code: int = answer.status
            return code
    except urllib.error.HTTPError as err:
        return err.code


def test_a_topic_made_anew_and_one_that_retention_cut(own_kafka: KafkaBroker, tmp_path: Path) -> None:
    url, logs = f"sqlite:///{tmp_path}/archive.sqlite", Logs()
    with archive(own_kafka.bootstrap, url, tmp_path) as running:
        text = eventually(lambda: re.search("no topic .*", running.log.read_text()))
        assert "`factwatch topics create` makes it" in text[0]
        make_topics(own_kafka, *TOPICS)
        producer = Producer(own_kafka)
        more(logs, 1, 40)
        producer.send(logs)
        within(lambda: running.lag() == 0 and running.has_written(150), 60, running)
        producer.close()
        assert running.end() == 0

    admin = kafka.KafkaAdminClient(bootstrap_servers=own_kafka.bootstrap)
    admin.delete_topics([PAGE_STATUS.name])
    eventually(lambda: PAGE_STATUS.name not in admin.list_topics(), within_s=20)
    eventually(lambda: _made(own_kafka, PAGE_STATUS.name), within_s=20)
    producer = Producer(own_kafka)
    anew = Logs()
    anew.status(status("Page 1", "of the new topic"), 1)
    producer.send(anew)
    producer.close()
    # Some that were read already: nothing is missed.
    admin.delete_records({kafka.TopicPartition(ALERTS.name, 0): 20})
    admin.close()
    with archive(own_kafka.bootstrap, url, tmp_path) as running:
        within(lambda: "of the new topic" in str(rows(Database(url))["page_status"]), 30, running)
        assert "the topic was made anew" in running.log.read_text()
        assert f'{{outcome="expired",topic="{ALERTS.name}"}} 0.0' in running.metrics()
        assert len(rows(Database(url))["alerts"]) == 2 * 39
        assert running.end() == 0

    producer = Producer(own_kafka)
    unseen = Logs()
    for number in range(1_000, 1_010):
        unseen.alert(sample_alert(number), 0)
    producer.send(unseen)
    producer.close()
    admin = kafka.KafkaAdminClient(bootstrap_servers=own_kafka.bootstrap)
    end = kafka.TopicPartition(ALERTS.name, 0)
    admin.delete_records({end: _end_of(own_kafka, end)})
    admin.close()
    with archive(own_kafka.bootstrap, url, tmp_path) as running:
        within(
            lambda: running.value(
                f'factwatch_archive_records_total{{outcome="expired",topic="{ALERTS.name}"}}'
            ) >= 10, 30, running,
        )  # fmt: skip
        assert "left by retention before they were archived" in running.log.read_text()
        assert running.end() == 0


def _made(broker: KafkaBroker, name: str) -> bool:
    try:
        make_topics(broker, name)
    except kafka.errors.KafkaError:
        return False
    return True


def _end_of(broker: KafkaBroker, partition: Any) -> int:
    consumer = kafka.KafkaConsumer(bootstrap_servers=broker.bootstrap, isolation_level="read_committed")
    end: int = consumer.end_offsets([partition])[partition]
    consumer.close()
    return end


def test_a_broker_that_is_not_there_is_said_and_waited_for(tmp_path: Path) -> None:
    with archive("127.0.0.1:1", f"sqlite:///{tmp_path}/archive.sqlite", tmp_path) as running:
        eventually(lambda: "trying again until it works" in running.log.read_text(), within_s=30)
        assert readiness(running) == 503
        assert running.end() == 0
    assert "Traceback" not in running.log.read_text()
    with pytest.raises(ProcessLookupError):
        os.kill(running.process.pid, 0)
