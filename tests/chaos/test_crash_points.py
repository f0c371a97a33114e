"""Named crash points: between any two steps of a batch the program may end and start again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from streams.runners import embedded, micro_batches
from streams.runners.embedded import EmbeddedRunner
from streams.runners.processor import Processor
from streams.sinks.ndjson import NdjsonSink
from streams.sources.base import SourceItem
from streams.store.sqlite import SqliteStore
from tests.chaos.replayed import story
from tests.core_world import Core, ListSource, TouchyScorer, raw_change, raw_of


class Crash(BaseException):
    """No `except Exception` stops it, like a kill."""


ITEMS = [SourceItem("", raw=raw_of(record)) for record in story(300, 8).records]


def run_through(directory: Path) -> None:
    """One start of the program, up to the end of the file or a crash."""
    with Core(directory, TouchyScorer()) as core:
        sink = NdjsonSink(directory / "alerts.ndjson", core.store)
        try:
            runner = core.runner(ListSource(ITEMS))
            runner.on_commit = lambda alerts: sink.write_new()
            sink.write_new()
            runner.run_file()
            sink.write_new()
        finally:
            sink.close()


def seen(directory: Path) -> tuple[bytes, object]:
    with Core(directory, TouchyScorer()) as core:
        return (directory / "alerts.ndjson").read_bytes(), (core.edit_rows(), core.outcomes())


def before(owner: type, name: str) -> tuple[type, str, bool]:
    return owner, name, True


def after(owner: type, name: str) -> tuple[type, str, bool]:
    return owner, name, False


POINTS: dict[str, tuple[type, str, bool]] = {
    "between taking in and processing": after(Processor, "intake"),
    "between processing and the commit": after(Processor, "process"),
    "inside the commit": before(SqliteStore, "_write_ids"),
    "at the end inside the commit": after(SqliteStore, "_write"),
    "between the commit and the sink": after(SqliteStore, "commit"),
    "inside the sink": before(NdjsonSink, "_append"),
    "behind the sink": after(NdjsonSink, "_append"),
    "while the end is settled": before(EmbeddedRunner, "_finish"),
}


@pytest.mark.parametrize("point", POINTS)
def test_a_crash_at_a_named_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str) -> None:
    monkeypatch.setattr(micro_batches, "BATCH_ITEMS", 37)
    (tmp_path / "whole").mkdir()
    (tmp_path / "crashed").mkdir()
    run_through(tmp_path / "whole")
    owner, name, first = POINTS[point]
    real: Callable[..., object] = getattr(owner, name)
    passed = 0
    crash_at = {1, 2, 5, 9}

    def crashing(*args: object, **kwargs: object) -> object:
        nonlocal passed
        passed += 1
        if first and passed in crash_at:
            raise Crash(point)
        result = real(*args, **kwargs)
        if not first and passed in crash_at:
            raise Crash(point)
        return result

    crashes = 0
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, crashing)
        while True:
            try:
                run_through(tmp_path / "crashed")
                break
            except Crash:
                crashes += 1
    assert crashes >= (1 if name == "_finish" else 3)
    assert seen(tmp_path / "crashed") == seen(tmp_path / "whole")


def test_a_torn_line_of_the_sink_is_mended(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    run_through(tmp_path / "a")
    path = tmp_path / "a" / "alerts.ndjson"
    whole = path.read_bytes()
    for cut in (1, 70, 1_500, len(whole) - 3, len(whole)):
        path.write_bytes(whole[:-cut])
        run_through(tmp_path / "a")
        assert path.read_bytes() == whole


class Endless(ListSource):
    """Gives as fast as it is taken, until it is closed."""

    def __init__(self) -> None:
        super().__init__([])

    def items(self, cursor: str | None) -> Iterator[SourceItem]:
        number = int(cursor or 0)
        while not self.closed:
            number += 1
            self.given = number
            raw = raw_change(meta={"id": f"e{number}"}, title=f"Page {number % 50}",
                             revision={"old": None, "new": number})  # fmt: skip
            yield SourceItem(str(number), raw=raw)


def test_a_slow_sink_slows_the_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read but not committed is never more than the queue and one batch."""
    monkeypatch.setattr(embedded, "QUEUE_ITEMS", 100)
    monkeypatch.setattr(micro_batches, "BATCH_ITEMS", 50)
    waits: list[int] = []
    with Core(tmp_path, TouchyScorer()) as core:
        source = Endless()
        runner = core.runner(source)

        def slow(alerts: object) -> None:
            time.sleep(0.02)
            waits.append(source.given - runner.progress.records)
            if len(waits) == 30:
                runner.stop()

        runner.on_commit = slow
        runner.run_live()
        assert max(waits) <= 100 + 50 + 2
        assert max(waits) >= 90
        done = core.outcomes()["processed"]
        assert core.store.cursor("ndjson") == str(done) == str(sum(core.outcomes().values()))
    assert not [one for one in threading.enumerate() if one.name == "source"]
