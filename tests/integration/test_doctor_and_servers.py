"""`factwatch doctor` beside a real Kafka, PostgreSQL and Alertmanager: all there, otherwise, gone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaAdminClient

from streams.archive.database import Database
from streams.archive.migrate import migrate, newest
from streams.topics import ALERTS, EDITS, LABELS, TOPICS
from tests.integration.alertmanager import AlertmanagerServer
from tests.integration.kafka_broker import KafkaBroker
from tests.integration.kafka_records import make_topics_anew
from tests.integration.postgres_server import PASSWORD, PostgresServer
from tests.integration.test_topics import delete_topics, factwatch
from tests.unit.cli.test_doctor import http, server


@pytest.fixture
def alertmanager(tmp_path: Path) -> Iterator[AlertmanagerServer]:
    nobody = {"route": {"receiver": "none"}, "receivers": [{"name": "none"}]}
    running = AlertmanagerServer(tmp_path / "alertmanager", nobody)
    running.start()
    yield running
    running.stop()


class Doctor:
    def __init__(self, bootstrap: str, **environ: str) -> None:
        self._bootstrap = bootstrap
        self._environ = environ
        self.code = 0
        self.said = ""

    def __call__(self) -> dict[str, tuple[bool, str]]:
        """What it found, by name."""
        done = factwatch(self._bootstrap, "doctor", "--json", **self._environ)
        assert "Traceback" not in done.stderr
        assert PASSWORD not in done.stdout + done.stderr
        assert "Zauberwort" not in done.stdout + done.stderr
        self.code = done.returncode
        checks = map(json.loads, done.stdout.splitlines())
        return {check["name"]: (check["ok"], check["detail"]) for check in checks}


def test_all_there_then_otherwise_then_gone(
    own_kafka: KafkaBroker,
    own_postgres: PostgresServer,
    alertmanager: AlertmanagerServer,
    tmp_path: Path,
) -> None:
    with server(lambda asked: http()) as wikimedia:
        doctor = Doctor(
            own_kafka.bootstrap,
            FACTWATCH_DATA_DIR=str(tmp_path),
            FACTWATCH_CONTENT="false",
            FACTWATCH_EVENTSTREAMS_URL=f"http://{wikimedia}/",
            FACTWATCH_DATABASE_URL=own_postgres.url,
            FACTWATCH_ALERTMANAGER_URL=alertmanager.url,
        )
        found = doctor()
        assert found["topics"] == (False, "none is there: `factwatch topics create` makes them")
        assert "will make its tables" in found["archive"][1]

        make_topics_anew(own_kafka.bootstrap, 3)
        migrate(Database(own_postgres.url))
        found = doctor()
        assert [name for name, (ok, _) in found.items() if not ok] == []
        assert doctor.code == 0
        assert "one broker" in found["kafka"][1]
        assert found["topics"][1] == f"{len(TOPICS)} are there, as they should be"
        assert f"tables of version {newest()}" in found["archive"][1]
        assert "is ready: Alertmanager 0." in found["alertmanager"][1]
        for whose in ("eventstreams", "the archive's database", "alertmanager"):
            assert whose in found["clocks"][1]

        set_option(own_kafka, ALERTS.name, "retention.ms", "3600000")
        ok, told = doctor()["topics"]
        assert ok
        assert f"{ALERTS.name} retention.ms: 3600000, wanted {ALERTS.config['retention.ms']}" in told
        assert doctor.code == 0

        set_option(own_kafka, LABELS.name, "cleanup.policy", "compact")
        ok, told = doctor()["topics"]
        assert not ok
        assert f"{LABELS.name} cleanup.policy: compact, wanted delete" in told
        assert ALERTS.name not in told
        assert doctor.code == 1

        delete_topics(own_kafka.bootstrap, EDITS.name)
        assert doctor()["topics"] == (
            False, f"missing: {EDITS.name}: `factwatch topics create` makes them",
        )  # fmt: skip

        own_kafka.kill()
        own_postgres.stop()
        alertmanager.stop()
        found = doctor()
        assert [name for name, (ok, _) in found.items() if not ok] == [
            "kafka", "topics", "archive", "alertmanager",
        ]  # fmt: skip
        assert "is it running?" in found["kafka"][1]
        assert "is the database up?" in found["archive"][1]
        assert f"{alertmanager.url} can't be reached" in found["alertmanager"][1]


def set_option(broker: KafkaBroker, topic: str, option: str, value: str) -> None:
    from kafka.admin import ConfigResource, ConfigResourceType

    admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
    admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {option: value})])
    admin.close()
