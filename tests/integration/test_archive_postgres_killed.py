"""kill -9 of PostgreSQL while the archive writes: every row is there once, in the end."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from streams.archive import archiver as archiver_module
from streams.archive.database import Database
from streams.records import LabelKind
from tests.archive_world import Logs, label, rows, status
from tests.integration.postgres_server import PASSWORD, PostgresServer
from tests.sample_alerts import resolved, sample_alert
from tests.unit.archive.test_archiver import World
from tests.web_world import eventually

KILLS = 5


def test_postgres_killed_while_writing(
    own_postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archiver_module, "FIRST_WAIT_S", 0.05)
    monkeypatch.setattr(archiver_module, "MAX_WAIT_S", 0.2)
    monkeypatch.setattr(archiver_module, "MEASURE_EVERY_S", 0.05)
    logs = Logs()
    for number in range(1, 1_501):
        alert = sample_alert(number, title=f"Page {number % 40}")
        logs.alert(alert, number % 4)
        logs.label(label(alert.rev_id, LabelKind.REVERTED, alert.title), number % 4)
        logs.status(status(alert.title, alert.alert_id), number % 4)
        logs.alert(resolved(alert), number % 4)
    plain = World(tmp_path, logs)
    with plain.running():
        eventually(lambda: plain.written() == len(logs.all()), within_s=60)

    world = World(tmp_path, logs, Database(own_postgres.url))
    killed_at = []
    with world.running():
        for kill in range(KILLS):
            wanted = (kill + 0.5) / KILLS * len(logs.all())
            eventually(lambda wanted=wanted: world.written() >= wanted, within_s=60)  # type: ignore[misc]  # mypy infers no lambda with a default
            own_postgres.kill()
            killed_at.append(world.written())
            time.sleep(0.2 if kill % 2 else 0.0)  # long enough to be noticed, or not
            own_postgres.start()
        eventually(lambda: world.lag() == 0 and world.topics.read >= len(logs.all()), within_s=60)
        eventually(lambda: rows(world.database) == rows(plain.database), within_s=30)
    assert killed_at[0] < killed_at[-1] < len(logs.all())  # it did write between and after
    assert world.value("errors_total", reason="unreachable") > 0
    assert PASSWORD not in "".join(world.said)
    assert all("is the database up?" in line or "again" in line for line in world.said)
