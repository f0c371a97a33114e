"""Every program through a broker that wants TLS and a password, with all that they log: the password is in
none of it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.benchmarks.events import recent_changes
from tests.integration.test_kafka_security import (
    PASSWORD,
    Guarded,
    environ,
    environ_of_wrong,
    guarded,
    refuses,
    run,
)
from tests.integration.test_topics import factwatch
from tests.kafka_world import Process, Topics, wait_until

__all__ = ["guarded"]


def test_all_of_them_get_in_and_show_no_password(guarded: Guarded, tmp_path: Path) -> None:
    broker = guarded.broker
    settings = environ(guarded) | {
        "FACTWATCH_WIKIS": "*",
        "FACTWATCH_CONTENT": "false",
        "FACTWATCH_FEEDBACK_DELAY_S": "36000",
        "FACTWATCH_DATA_DIR": str(tmp_path / "data"),
    }
    said = []

    def done(*arguments: str) -> str:
        code, text = run(broker, settings, *arguments)
        assert code == 0, text
        said.append(text)
        return text

    done("topics", "create", "--partitions", "2")
    lines = [*recent_changes(400, seed=3, events_per_s=0.001), b"no change"]
    (tmp_path / "changes.ndjson").write_bytes(b"\n".join(lines) + b"\n")
    done("ingest", "changes", "--source", str(tmp_path / "changes.ndjson"))
    debugging = settings | {"FACTWATCH_LOG_LEVEL": "debug"}
    worker = Process(["worker"], debugging, tmp_path / "worker.log")
    archive = Process(["archive"], debugging, tmp_path / "archive.log")
    topics = Topics(broker.internal)
    try:
        wait_until(lambda: topics.worked_on() >= 400, 60, worker.told)
        wait_until(lambda: bool(topics.dead_letters()), 30, worker.told)
        wait_until(lambda: archived(tmp_path) >= len(topics.labels()) > 0, 30, archive.told)
        assert "not_json" in done("dead-letters", "list", "--kafka")
        assert "1 sent back" in done("dead-letters", "requeue", "--kafka", "--all")
        wait_until(lambda: len(topics.dead_letters()) == 2, 30, worker.told)
        assert worker.stop() == 0, worker.told()
        assert archive.stop() == 0, archive.told()
    finally:
        for process in (worker, archive):
            if process.running:
                process.kill()
    said += [worker.log.read_text(), archive.log.read_text()]
    _, checked = run(broker, settings, "doctor")
    assert "SASL_SSL as factwatch" in line_of(checked, "kafka")
    assert "as they should be" in line_of(checked, "topics")
    _, listed = run(broker, settings, "doctor", "--settings")
    assert "FACTWATCH_KAFKA_SASL_PASSWORD_FILE" in listed
    assert not [text for text in [*said, checked, listed] if PASSWORD in text]


def line_of(checked: str, name: str) -> str:
    (line,) = [line for line in checked.splitlines() if line[5:].startswith(f"{name} ")]
    return line


def test_the_doctor_tells_a_wrong_password_and_does_not_show_it(
    guarded: Guarded, tmp_path: Path
) -> None:
    settings = environ_of_wrong(guarded) | {"FACTWATCH_DATA_DIR": str(tmp_path)}
    done = factwatch(guarded.broker.bootstrap, "doctor", **settings)
    assert done.returncode == 1
    assert line_of(done.stdout, "kafka").startswith("FAIL")
    assert refuses(line_of(done.stdout, "kafka")), done.stdout
    assert "not-the-password" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def archived(directory: Path) -> int:
    file = directory / "data" / "archive.sqlite"
    if not file.exists():
        return 0
    db = sqlite3.connect(file)
    try:
        return int(db.execute("SELECT count(*) FROM labels").fetchone()[0])
    except sqlite3.OperationalError:
        return 0  # no tables yet
    finally:
        db.close()


@pytest.mark.parametrize(
    "arguments",
    [["worker"], ["dead-letters", "list", "--kafka"], ["dead-letters", "requeue", "--kafka", "--all"]],
)
def test_a_wrong_password_is_one_line_without_it(
    guarded: Guarded, tmp_path: Path, arguments: list[str]
) -> None:
    broker = guarded.broker
    settings = environ_of_wrong(guarded)
    done = factwatch(broker.bootstrap, *arguments, FACTWATCH_DATA_DIR=str(tmp_path), **settings)
    assert done.returncode == 4
    assert done.stderr.count("\n") == 1, done.stderr
    assert refuses(done.stderr), done.stderr
    assert "not-the-password" not in done.stdout + done.stderr
