"""`factwatch topics create` on a real Kafka."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType

from streams.topics import TOPICS, Partitions
from tests.integration.kafka_records import make_topics_anew

FACTWATCH = str(Path(sys.executable).parent / "factwatch")


def factwatch(bootstrap: str, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FACTWATCH_")}
    return subprocess.run(
        [FACTWATCH, *arguments],
        env={
            **kept,
            "FACTWATCH_KAFKA_BOOTSTRAP": bootstrap,
            "FACTWATCH_HTTP_BIND": "127.0.0.1:0",
            **environ,
        },
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        timeout=60,
    )


def delete_topics(bootstrap: str, *names: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    admin.delete_topics(list(names))
    while set(names) & set(admin.list_topics()):
        time.sleep(0.05)  # between two looks
    admin.close()


def test_topics_are_made_once_with_what_the_table_says(kafka: str) -> None:
    make_topics_anew(kafka, 3)
    delete_topics(kafka, "factwatch.changes.v1", "factwatch.page-state.v1")

    done = factwatch(kafka, "topics", "create", "--partitions", "3", "--json")
    assert done.returncode == 0, done.stderr
    states = {report["name"]: report["state"] for report in map(json.loads, done.stdout.splitlines())}
    assert list(states) == [topic.name for topic in TOPICS]
    assert {name for name, state in states.items() if state == "created"} == {
        "factwatch.changes.v1",
        "factwatch.page-state.v1",
    }
    assert set(states.values()) == {"created", "there already"}

    admin = KafkaAdminClient(bootstrap_servers=kafka)
    counts = {topic["name"]: len(topic["partitions"]) for topic in admin.describe_topics()}
    asked = [ConfigResource(ConfigResourceType.TOPIC, topic.name) for topic in TOPICS]
    configs = admin.describe_configs(asked, config_filter="all")["topic"]
    admin.close()
    for topic in TOPICS:
        assert counts[topic.name] == (3 if topic.partitions is Partitions.SHARED else 1)
    week, month = str(7 * 86_400_000), str(30 * 86_400_000)
    of = {name: {o: e["value"] for o, e in entries.items()} for name, entries in configs.items()}
    assert of["factwatch.changes.v1"]["retention.ms"] == week
    assert of["factwatch.alerts.v1"]["retention.ms"] == month
    assert of["factwatch.page-status.v1"]["cleanup.policy"] == "compact"
    assert of["factwatch.page-state.v1"]["max.message.bytes"] == str(8 << 20)


def test_what_differs_is_told_and_left_alone(kafka: str) -> None:
    make_topics_anew(kafka, 3)
    alter(kafka, "factwatch.alerts.v1", {"retention.ms": "31536000000"})
    alter(kafka, "factwatch.page-state.v1", {"max.message.bytes": "16777216"})

    done = factwatch(kafka, "topics", "create", "--partitions", "3")
    assert done.returncode == 0, done.stderr  # an operator may keep more: compose waits for this
    assert (
        "factwatch.alerts.v1            differs\n  retention.ms: 31536000000, wanted 2592000000"
        in done.stdout
    )
    assert done.stderr.startswith("2 topics differ")
    assert done.stderr.count("\n") == 1

    done = factwatch(kafka, "topics", "create", "--partitions", "4", "--json")
    assert done.returncode == 1
    reports = {report["name"]: report for report in map(json.loads, done.stdout.splitlines())}
    assert reports["factwatch.edits.v1"]["differences"] == ["partitions: 3, wanted 4"]
    assert reports["factwatch.edits.v1"]["unusable"]
    assert reports["factwatch.cursors.v1"]["state"] == "there already"


@pytest.mark.parametrize(
    ("topic", "config"),
    [
        ("factwatch.page-state.v1", {"cleanup.policy": "delete"}),
        ("factwatch.page-state.v1", {"max.message.bytes": "1048588"}),
    ],
)
def test_what_makes_workers_wrong_is_an_error(kafka: str, topic: str, config: dict[str, str]) -> None:
    make_topics_anew(kafka, 3)
    alter(kafka, topic, config)
    done = factwatch(kafka, "topics", "create", "--partitions", "3")
    assert done.returncode == 1
    assert done.stderr.startswith("1 topics are not as workers need them")


def alter(bootstrap: str, topic: str, config: dict[str, str]) -> None:
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, config)])
    admin.close()


def test_a_broker_that_is_not_there_is_one_line() -> None:
    done = factwatch("127.0.0.1:1", "topics", "create")
    assert done.returncode == 4
    assert done.stdout == ""
    says = "factwatch: no Kafka broker can be used at 127.0.0.1:1: nothing listens there"
    assert done.stderr.startswith(says)
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("missing", ["factwatch.changes.v1", "factwatch.cursors.v1"])
def test_ingest_without_topics_says_how_to_make_them(kafka: str, missing: str, tmp_path: Path) -> None:
    make_topics_anew(kafka, 3)
    delete_topics(kafka, missing)
    (tmp_path / "x.ndjson").touch()
    done = factwatch(kafka, "ingest", "changes", "--source", str(tmp_path / "x.ndjson"))
    assert done.returncode == 1
    assert f"no topic {missing}: run `factwatch topics create` first" in done.stderr
    assert done.stderr.count("\n") == 1
