"""More workers when there is more work: one that comes takes its share, with all that is known there."""

from __future__ import annotations

import urllib.request
from pathlib import Path

import pytest

from tests.benchmarks.events import recent_changes
from tests.chaos.test_workers import ENVIRON, EVENTS_PER_S, SETTINGS, Outcome, differing, settle
from tests.integration.kafka_broker import KafkaBroker
from tests.integration.ports import free_ports
from tests.kafka_world import Process, Topics, fleet, per_page, run_to_end, wait_until

EVENTS = 150_000


def metric(port: int, name: str) -> float:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
    except OSError:
        return 0.0
    return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(name + " ")), 0.0)


@pytest.mark.timeout(400)
def test_a_worker_that_comes_under_load_takes_its_share(own_kafka: KafkaBroker, tmp_path: Path) -> None:
    assert SETTINGS.feedback_delay_s
    file = tmp_path / "changes.ndjson"
    with file.open("wb") as out:
        out.writelines(line + b"\n" for line in recent_changes(EVENTS, events_per_s=EVENTS_PER_S))
    environ = {**ENVIRON, "FACTWATCH_KAFKA_BOOTSTRAP": own_kafka.bootstrap}
    run_to_end(["topics", "create", "--partitions", "6"], environ, tmp_path / "topics.log")
    run_to_end(["ingest", "changes", "--source", str(file)], environ, tmp_path / "ingest.log", 120)
    topics = Topics(own_kafka.bootstrap)
    first, second = free_ports(2)
    processed = 'factwatch_events_consumed_total{outcome="processed",source="edits"}'
    with fleet(tmp_path, environ, 0) as workers:
        for number, port in enumerate((first, second)):
            own = tmp_path / f"worker-{number}"
            own.mkdir()
            workers.workers[number] = Process(
                ["worker", "--session-timeout", "6"],
                {
                    **environ,
                    "FACTWATCH_DATA_DIR": str(own),
                    "FACTWATCH_HTTP_BIND": f"127.0.0.1:{port}",
                },
                own / "worker.log",
            )
            if number == 0:
                wait_until(lambda: topics.worked_on() > 2_000, 60, workers.told, every_s=0.2)
        wait_until(
            lambda: metric(second, "factwatch_worker_partitions") == 3, 60, workers.told, every_s=0.2
        )
        assert topics.worked_on() < EVENTS, "all was done before the second had come"
        wait_until(lambda: metric(second, processed) > 1_000, 60, workers.told)
        assert metric(first, "factwatch_worker_partitions") == 3
        wait_until(lambda: topics.worked_on() >= EVENTS, 120, workers.told, every_s=1)
        settle(topics, workers)
        assert [worker.stop() for worker in workers.workers.values()] == [0, 0]
    expected = Outcome(tmp_path, file)
    assert differing(per_page(topics.alerts()), expected.alerts) == {}
    assert differing(topics.labels(), expected.labels) == {}
    assert differing(topics.statuses(), expected.statuses) == {}
