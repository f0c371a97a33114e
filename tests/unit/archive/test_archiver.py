"""The archive's loop: whatever is away is waited for, said once, shown in the metrics, and made up for."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from streams.archive import archiver as archiver_module
from streams.archive.archiver import Archiver
from streams.archive.database import ArchiveUnavailable, Database, TroubleKind
from streams.archive.delivered import TOPICS, Delivered, Partition
from streams.archive.migrate import migrate
from streams.archive.writer import ArchiveWriter, Outcome, Position
from streams.clock import SystemClock
from streams.errors import StoreCorrupt
from streams.metrics import ARCHIVE_ERRORS, ArchiveMetrics
from streams.records import LabelKind
from streams.topics import ALERTS
from tests.archive_world import Logs, MemoryTopics, label, rows, status
from tests.sample_alerts import resolved, sample_alert
from tests.web_world import eventually


class FlakyWriter:
    """An `ArchiveWriter` whose database is away while `away` is set, or for the next `lost_answers`
    writes only says so after it has written."""

    def __init__(self, database: Database) -> None:
        self.whole = ArchiveWriter(database)
        self.away = threading.Event()
        self.lost_answers = 0
        self.tries = 0
        self.error: Exception = ArchiveUnavailable(TroubleKind.UNREACHABLE, "db: gone; is it up?")

    def positions(self) -> dict[Partition, Position]:
        self._refuse_when_away()
        return self.whole.positions()

    def write(
        self,
        records: list[Delivered],
        before: Mapping[Partition, Position],
        after: Mapping[Partition, Position],
        now: float,
    ) -> Counter[Outcome]:
        self.tries += 1
        self._refuse_when_away()
        outcomes = self.whole.write(records, before, after, now)
        if self.lost_answers:
            self.lost_answers -= 1
            raise self.error
        return outcomes

    def _refuse_when_away(self) -> None:
        if self.away.is_set():
            raise self.error


class World:
    """An archiver in a thread of its own."""

    def __init__(self, directory: Path, logs: Logs, database: Database | None = None) -> None:
        self.database = database or Database(f"sqlite:///{directory}/archive.sqlite")
        self.topics = MemoryTopics(logs)
        self.writer = FlakyWriter(self.database)
        self.registry = CollectorRegistry()
        self.metrics = ArchiveMetrics(self.registry)
        self.said: list[str] = []
        self.archiver = Archiver(
            self.topics,
            self.writer,
            self.metrics,
            SystemClock(),
            prepare=lambda: migrate(self.database),
            say=self.said.append,
        )

    @contextmanager
    def running(self) -> Iterator[World]:
        thread = threading.Thread(target=self.archiver.run)
        thread.start()
        try:
            yield self
        finally:
            self.archiver.stop()
            thread.join(10)
            assert not thread.is_alive()
            self.writer.whole.close()

    def value(self, name: str, **labels: str) -> float:
        found = self.registry.get_sample_value(f"factwatch_archive_{name}", labels)
        assert found is not None, (name, labels)
        return found

    def lag(self) -> float:
        return sum(self.value("lag", topic=topic) for topic in TOPICS)

    def written(self) -> float:
        return sum(self.value("records_total", topic=topic, outcome="written") for topic in TOPICS)


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archiver_module, "FIRST_WAIT_S", 0.02)
    monkeypatch.setattr(archiver_module, "MAX_WAIT_S", 0.05)
    monkeypatch.setattr(archiver_module, "MEASURE_EVERY_S", 0.01)


def some_logs(pages: int = 20) -> Logs:
    logs = Logs()
    for number in range(1, pages + 1):
        alert = sample_alert(number, title=f"Page {number}")
        logs.alert(alert, number % 3)
        logs.status(status(alert.title, alert.alert_id), number % 3)
        logs.alert(resolved(alert), number % 3)
        logs.label(label(alert.rev_id, LabelKind.REVERTED, alert.title), number % 3)
        logs.nothing_open(alert.title, partition=number % 3)
    return logs


def expected(directory: Path, logs: Logs) -> dict[str, list[tuple[Any, ...]]]:
    """Of an archive that nothing happened to."""
    directory.mkdir()
    world = World(directory, logs)
    with world.running():
        eventually(lambda: world.written() == len(logs.all()))
    return rows(world.database)


def test_it_writes_all_that_is_there_and_what_comes(tmp_path: Path) -> None:
    logs = some_logs()
    world = World(tmp_path, logs)
    with world.running():
        eventually(lambda: world.written() == 100)
        logs.alert(sample_alert(999))
        eventually(lambda: world.written() == 101)
        eventually(lambda: world.lag() == 0)
        assert world.value("last_write_timestamp_seconds") > 1.7e9
    assert world.topics.closed
    assert world.said == []
    assert all(part.ok for part in world.archiver.parts().values())


def test_markers_of_transactions_are_no_lag(tmp_path: Path) -> None:
    logs = some_logs()
    for where in logs.records:
        logs.markers[where] = 3
    world = World(tmp_path, logs)
    with world.running():
        eventually(lambda: world.written() == 100)
        eventually(lambda: world.lag() == 0, within_s=30)


def test_a_database_that_is_away_shows_is_said_once_and_made_up_for(tmp_path: Path) -> None:
    logs = some_logs()
    plain = expected(tmp_path / "plain", logs)
    world = World(tmp_path, logs)
    world.writer.away.set()
    with world.running():
        eventually(lambda: world.value("errors_total", reason="unreachable") >= 5)
        assert world.said == [
            "archive: db: gone; is it up?; trying again until it works, alerts wait in their topic"
        ]
        assert not world.archiver.parts()["database"].ok
        world.writer.away.clear()
        eventually(lambda: world.written() >= 10)
        world.writer.away.set()
        tries = world.writer.tries
        for number in range(1_000, 1_010):
            logs.alert(sample_alert(number))
        eventually(lambda: world.writer.tries >= tries + 3)
        eventually(lambda: world.lag() >= 10)
        waiting = world.archiver.parts()["database"].detail
        assert re.fullmatch(r"db: gone; is it up\?; [0-9]+ offsets behind the topics", waiting)
        world.writer.away.clear()
        eventually(lambda: world.lag() == 0)
    assert len([line for line in world.said if "gone" in line]) == 2
    assert world.said[-1] == "archive: the database can be used again"
    found = rows(world.database)
    assert len(found["alerts"]) == len(plain["alerts"]) + 10
    assert found["labels"] == plain["labels"]


def test_a_broker_that_is_away_is_waited_for(tmp_path: Path) -> None:
    world = World(tmp_path, some_logs())
    world.topics.away = True
    with world.running():
        eventually(lambda: world.value("errors_total", reason="topics") >= 3)
        world.topics.away = False
        eventually(lambda: world.written() == 100)
        world.topics.away = True
        eventually(lambda: not world.archiver.parts()["topics"].ok)
        world.topics.away = False
        eventually(lambda: world.archiver.parts()["topics"].ok)
    assert [line.rpartition("topics ")[2] for line in world.said if "again" in line][-1] == (
        "can be used again"
    )


@pytest.mark.parametrize("trouble", ["a poll that breaks off", "an answer that is lost"])
def test_nothing_is_passed_over(tmp_path: Path, trouble: str) -> None:
    """A poll that failed may have moved the consumer; a write that failed may have been done."""
    logs = some_logs()
    plain = expected(tmp_path / "plain", logs)
    world = World(tmp_path, logs)
    if trouble == "an answer that is lost":
        world.writer.lost_answers = 5
    else:
        world.topics.broken_polls = 5
    with world.running():
        eventually(lambda: world.topics.read >= 100 and world.lag() == 0 and world.written() > 0)
        eventually(lambda: rows(world.database) == plain)
    assert world.topics.broken_polls == world.writer.lost_answers == 0  # they have happened


def test_a_restart_goes_on_from_the_database(tmp_path: Path) -> None:
    logs = some_logs()
    first = World(tmp_path, logs)
    with first.running():
        eventually(lambda: first.written() >= 20)
    second = World(tmp_path, logs)
    with second.running():
        eventually(lambda: first.written() + second.written() == 100)
    assert len(rows(second.database)["alerts"]) == 40


def test_two_archives_on_one_database_do_no_harm(tmp_path: Path) -> None:
    logs = some_logs()
    plain = expected(tmp_path / "plain", logs)
    one, two = World(tmp_path, logs), World(tmp_path, logs)
    with one.running(), two.running():
        eventually(lambda: one.written() + two.written() == 100)
        assert rows(one.database) == plain
        logs.alert(sample_alert(999))
        eventually(lambda: one.written() + two.written() == 101)


def test_it_stops_at_once_while_the_database_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archiver_module, "FIRST_WAIT_S", 60.0)
    monkeypatch.setattr(archiver_module, "MAX_WAIT_S", 60.0)
    world = World(tmp_path, some_logs())
    world.writer.away.set()
    with world.running():
        eventually(lambda: world.said)
    assert world.topics.closed


def test_without_records_it_gives_a_sign_of_life(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archiver_module, "ALIVE_EVERY_S", 0.01)
    world = World(tmp_path, Logs())
    with world.running():
        eventually(lambda: world.writer.tries >= 3)
        assert world.value("last_write_timestamp_seconds") > 1.7e9


def test_what_retention_took_is_counted(tmp_path: Path) -> None:
    logs = Logs()
    logs.alert(sample_alert(1))
    world = World(tmp_path, logs)
    world.topics.expired = {ALERTS.name: 17}
    with world.running():
        eventually(lambda: world.written() == 1)
    assert world.value("records_total", topic=ALERTS.name, outcome="expired") == 17


def test_a_database_that_is_corrupt_ends_it_loudly(tmp_path: Path) -> None:
    world = World(tmp_path, some_logs())
    world.writer.away.set()
    world.writer.error = StoreCorrupt("broken")
    with pytest.raises(StoreCorrupt):
        world.archiver.run()
    assert world.topics.closed
    world.writer.whole.close()


def test_reasons_of_errors_are_a_closed_set() -> None:
    assert {*TroubleKind, "topics"} == set(ARCHIVE_ERRORS)
