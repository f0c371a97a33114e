"""How `factwatch worker` starts and ends, as an operator and a supervisor see it: an exit code and a line
that says what to do."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kafka import KafkaAdminClient
from kafka.admin import NewTopic

from streams.topics import CHANGES, EDITS
from tests.benchmarks.events import recent_changes
from tests.integration.kafka_broker import KafkaBroker
from tests.integration.kafka_records import make_topics_anew
from tests.integration.test_topics import delete_topics, factwatch
from tests.kafka_world import Process, Topics, run_to_end, wait_until


def environ(bootstrap: str, directory: Path) -> dict[str, str]:
    return {
        "FACTWATCH_KAFKA_BOOTSTRAP": bootstrap,
        "FACTWATCH_WIKIS": "*",
        "FACTWATCH_CONTENT": "false",
        "FACTWATCH_FEEDBACK_DELAY_S": "36000",
        "FACTWATCH_DATA_DIR": str(directory / "data"),
    }


@contextmanager
def working(bootstrap: str, directory: Path) -> Iterator[Process]:
    """A worker that has its partitions."""
    process = Process(["worker"], environ(bootstrap, directory), directory / "worker.log")
    try:
        wait_until(
            lambda: "changelog records read" in process.told() or not process.running,
            60,
            process.told,
            0.1,
        )
        assert process.running, process.told()
        yield process
    finally:
        if process.running:
            process.kill()


def ingest(bootstrap: str, directory: Path, lines: list[bytes]) -> None:
    file = directory / "changes.ndjson"
    file.write_bytes(b"\n".join(lines) + b"\n")
    run_to_end(
        ["ingest", "changes", "--source", str(file)],
        environ(bootstrap, directory / "ingest"),
        directory / "ingest.log",
    )


def last_line(process: Process) -> str:
    return process.told().splitlines()[-1]


def no_noise(process: Process) -> None:
    told = process.told()
    assert "Traceback" not in told, told
    assert "aiokafka" not in told, told
    assert "Crashed" not in told, told


def test_no_broker_is_one_line(tmp_path: Path) -> None:
    done = factwatch("127.0.0.1:1", "worker", FACTWATCH_DATA_DIR=str(tmp_path))
    assert done.returncode == 4
    assert done.stderr.startswith("factwatch: no Kafka broker can be used at 127.0.0.1:1: ")
    assert done.stderr.count("\n") == 1


def test_no_topics_is_one_line(kafka: str, tmp_path: Path) -> None:
    make_topics_anew(kafka, 2)
    delete_topics(kafka, EDITS.name)
    done = factwatch(kafka, "worker", FACTWATCH_DATA_DIR=str(tmp_path))
    assert done.returncode == 1
    assert f"no topic {EDITS.name}: run `factwatch topics create` first" in done.stderr
    assert done.stderr.count("\n") == 1


def test_topics_that_do_not_go_together_are_one_line(kafka: str, tmp_path: Path) -> None:
    make_topics_anew(kafka, 2)
    delete_topics(kafka, EDITS.name)
    admin = KafkaAdminClient(bootstrap_servers=kafka)
    admin.create_topics([NewTopic(EDITS.name, 3, 1)])
    admin.close()
    done = factwatch(kafka, "worker", FACTWATCH_DATA_DIR=str(tmp_path))
    assert done.returncode == 1
    assert f"{EDITS.name} has 3 partitions, {CHANGES.name} has 2: they must agree" in done.stderr
    assert done.stderr.count("\n") == 1


def test_one_worker_a_directory(kafka: str, tmp_path: Path) -> None:
    make_topics_anew(kafka, 2)
    with working(kafka, tmp_path) as worker:
        done = factwatch(kafka, "worker", FACTWATCH_DATA_DIR=str(tmp_path / "data"))
        assert done.returncode == 2
        assert "another factwatch works there" in done.stderr
        assert done.stderr.count("\n") == 1
        assert worker.stop() == 0
    no_noise(worker)


def test_ctrl_c_while_it_looks_for_its_broker(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(30)
        port = silent.getsockname()[1]
        worker = Process(["worker"], environ(f"127.0.0.1:{port}", tmp_path), tmp_path / "worker.log")
        try:
            connection, _ = silent.accept()
            worker.process.send_signal(signal.SIGINT)
            code = worker.process.wait(timeout=40)
            connection.close()
        finally:
            worker.process.kill()
    assert code == 130
    assert worker.told().strip() == "factwatch: interrupted"


def test_ctrl_c_while_it_joins_the_group(kafka: str, tmp_path: Path) -> None:
    make_topics_anew(kafka, 2)
    worker = Process(["worker"], environ(kafka, tmp_path), tmp_path / "worker.log")
    try:
        wait_until(lambda: "metrics http" in worker.told(), 60, worker.told, 0.01)
        worker.process.send_signal(signal.SIGINT)
        code = worker.process.wait(timeout=40)
    finally:
        worker.process.kill()
    assert code == 0, worker.told()
    no_noise(worker)


def test_it_ends_within_seconds_under_load(kafka: str, tmp_path: Path) -> None:
    make_topics_anew(kafka, 2)
    ingest(kafka, tmp_path, list(recent_changes(60_000, events_per_s=0.5, seed=3)))
    topics = Topics(kafka)
    with working(kafka, tmp_path) as worker:
        wait_until(lambda: topics.worked_on() > 0, 60, worker.told, 0.1)
        assert worker.stop() == 0
    no_noise(worker)
    assert 0 < topics.worked_on() < 60_000
    assert last_line(worker).startswith("stopped: others go on")


def test_too_many_dead_letters_stop_it(kafka: str, tmp_path: Path) -> None:
    make_topics_anew(kafka, 2)
    ingest(kafka, tmp_path, [b"no change %d" % number for number in range(400)])
    worker = Process(["worker"], environ(kafka, tmp_path), tmp_path / "worker.log")
    try:
        code = worker.process.wait(timeout=60)
    finally:
        worker.process.kill()
    assert code == 7, worker.told()
    assert "records could not be processed, more than the limit of 5%" in last_line(worker)
    assert "factwatch dead-letters list --kafka" in last_line(worker)
    no_noise(worker)
    dead = Topics(kafka).dead_letters()
    assert len(dead) >= 200, "what stopped it is there to be looked at"
    assert len({record.value for record in dead}) == len(dead)


def test_what_is_sent_back_does_not_stop_it(kafka: str, tmp_path: Path) -> None:
    make_topics_anew(kafka, 2)
    lines = list(recent_changes(5_000, events_per_s=0.5, seed=3))
    for number in range(240):
        lines.insert(number * 21, b"no change %d" % number)
    ingest(kafka, tmp_path, lines)
    topics = Topics(kafka)
    with working(kafka, tmp_path) as worker:
        wait_until(lambda: len(topics.dead_letters()) == 240, 60, worker.told)
        for times in (2, 3):
            done = factwatch(kafka, "dead-letters", "requeue", "--kafka", "--all")
            assert "240 sent back" in done.stderr
            wait_until(
                lambda wanted=240 * times: len(topics.dead_letters()) == wanted,  # type: ignore[misc]  # mypy infers no lambda with a default
                60,
                worker.told,
            )
        assert worker.stop() == 0, worker.told()


def test_it_outlives_its_broker(own_kafka: KafkaBroker, tmp_path: Path) -> None:
    make_topics_anew(own_kafka.bootstrap, 2)
    topics = Topics(own_kafka.bootstrap)
    with working(own_kafka.bootstrap, tmp_path) as worker:
        ingest(own_kafka.bootstrap, tmp_path, list(recent_changes(500, seed=3)))
        wait_until(lambda: topics.worked_on() == 500, 60, worker.told)
        own_kafka.kill()
        wait_until(lambda: "Kafka does not answer, trying again" in worker.told(), 30, worker.told)
        time.sleep(10)  # longer than the session
        assert worker.running, worker.told()
        own_kafka.start()
        (tmp_path / "more").mkdir()
        ingest(own_kafka.bootstrap, tmp_path / "more", list(recent_changes(700, seed=5)))
        wait_until(lambda: topics.worked_on() == 1_200, 90, worker.told)
        no_noise(worker)
        assert worker.told().count("Kafka does not answer") == 1
        own_kafka.kill()
        wait_until(lambda: worker.told().count("Kafka does not answer") >= 1, 30, worker.told)
        code = worker.stop()
        assert code in (0, 4), worker.told()
        no_noise(worker)
