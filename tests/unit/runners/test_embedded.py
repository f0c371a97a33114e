"""The loop around the stages: it ends, stops, refuses and fails as it says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.errors import BadInput, TooManyDeadLetters
from streams.runners import micro_batches
from streams.sources.base import SourceItem
from tests.core_world import (
    HOUR,
    Core,
    EditWorld,
    ListSource,
    MarkedScorer,
    StillClock,
    items_of_edits,
    raw_change,
    raw_of,
    told,
)


def items_of(world: EditWorld) -> list[SourceItem]:
    return [SourceItem("", raw=raw_of(record)) for record in world.records]


def bad_items(count: int) -> list[SourceItem]:
    return [SourceItem("", raw=b"{" + str(number).encode()) for number in range(count)]


def good_items(count: int) -> list[SourceItem]:
    return [
        SourceItem("", raw=raw_change(meta={"id": f"good {number}"}, revision={"new": number + 1},
                                      title=f"Page {number}"))
        for number in range(count)
    ]  # fmt: skip


def test_a_file_ends_with_what_its_own_time_makes_due(tmp_path: Path) -> None:
    world = EditWorld()
    world.edit("Alice", "good")
    world.edit("Vic", "bad", risk=0.95)
    world.wait(23 * HOUR)
    world.edit("Ann", "x", title="Other")
    world.wait(23 * HOUR)
    world.edit("Ann", "y", title="Other")
    world.wait(3 * HOUR)
    world.edit("Ann", "z", title="Other")
    with Core(tmp_path, MarkedScorer(world.risks)) as core:
        runner = core.runner(ListSource(items_of(world)))
        runner.run_file()
        assert told(core.alerts()) == ["edit.suspect open", "edit.suspect resolved"]
        assert [label for label, _ in core.labels().values()] == ["kept", "kept", None, None, None]
        assert core.store.cursor("ndjson") == "5"
        assert runner.progress.records == 5
        assert runner.progress.outcomes == {"processed": 5}


def test_the_kept_of_a_long_file_are_all_labelled_at_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.runners.kept.SCAN", 10)
    world = EditWorld(step_s=2)
    for number in range(95):
        world.edit("Ann", f"text {number}", title=f"Page {number}")
    with Core(tmp_path, MarkedScorer({}), history=True, source="history") as core:
        world.now += 80 * HOUR
        world.edit("Ann", "last", title="Last")
        edits = items_of_edits(world.records)
        core.runner(ListSource(edits, "history")).run_file()
        labels = [label for label, _ in core.labels().values()]
        assert labels == ["kept"] * 95 + [None]


def test_stopping_finishes_the_batch_and_goes_on_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(micro_batches, "BATCH_ITEMS", 10)
    with Core(tmp_path, MarkedScorer({})) as core:
        source = ListSource(good_items(100))
        runner = core.runner(source)
        runner.on_commit = lambda alerts: runner.stop()
        runner.run_file()
        assert source.closed
        assert core.store.cursor("ndjson") == "10"
    with Core(tmp_path, MarkedScorer({})) as core:
        core.runner(ListSource(good_items(100))).run_file()
        assert core.outcomes() == {"processed": 100}


def test_what_lies_before_damage_is_committed(tmp_path: Path) -> None:
    class Damaged(ListSource):
        def items(self, cursor: str | None) -> Iterator[SourceItem]:
            yield from super().items(cursor)
            raise BadInput("torn")

    with Core(tmp_path, MarkedScorer({})) as core:
        with pytest.raises(BadInput, match="torn"):
            core.runner(Damaged(good_items(7))).run_file()
        assert core.outcomes() == {"processed": 7}
        assert core.store.cursor("ndjson") == "7"


def test_a_source_of_nothing_but_rubbish_stops_the_program(tmp_path: Path) -> None:
    with Core(tmp_path, MarkedScorer({})) as core:
        runner = core.runner(ListSource(bad_items(9_999)), dead_letter_limit=0.05)
        with pytest.raises(TooManyDeadLetters, match=r"is the source one of recent changes\?"):
            runner.run_file()
        assert core.outcomes() == {"dead_lettered": micro_batches.BATCH_ITEMS}
        assert core.store.query("SELECT count(*) FROM dead_letters") == [(micro_batches.BATCH_ITEMS,)]


@pytest.mark.parametrize(("limit", "stops"), [(0.05, False), (0.045, True)])
def test_the_limit_is_a_share_of_what_came_lately(tmp_path: Path, limit: float, stops: bool) -> None:
    items = good_items(5_000)
    for number, item in enumerate(bad_items(240)):
        items.insert(number * 21, item)
    with Core(tmp_path, MarkedScorer({})) as core:
        runner = core.runner(ListSource(items), dead_letter_limit=limit)
        if stops:
            with pytest.raises(TooManyDeadLetters):
                runner.run_file()
        else:
            runner.run_file()


def test_a_few_dead_letters_stop_nothing(tmp_path: Path) -> None:
    with Core(tmp_path, MarkedScorer({})) as core:
        core.runner(ListSource(bad_items(199)), dead_letter_limit=0.05).run_file()


def test_letters_sent_back_do_not_stop_the_program(tmp_path: Path) -> None:
    with Core(tmp_path, MarkedScorer({})) as core:
        core.runner(ListSource(bad_items(400))).run_file()
        core.store.query("UPDATE dead_letters SET requeued = 1")
        runner = core.runner(ListSource([]), dead_letter_limit=0.05)
        runner.take_requeued()
        assert core.outcomes() == {"dead_lettered": 400}
        assert core.store.requeued(10) == []
        assert core.store.query("SELECT count(*) FROM dead_letters") == [(400,)]


def test_a_source_that_breaks_is_loud(tmp_path: Path) -> None:
    """A thread that dies without a word would leave a program that watches nothing."""

    class Breaking(ListSource):
        def items(self, cursor: str | None) -> Iterator[SourceItem]:
            yield from super().items(cursor)
            raise KeyError("our own mistake")

    with Core(tmp_path, MarkedScorer({})) as core:
        with pytest.raises(KeyError, match="our own mistake"):
            core.runner(Breaking(good_items(3)), clock=StillClock()).run_live()
        assert core.outcomes() == {"processed": 3}


def test_metrics_and_counters_tell_the_same(tmp_path: Path) -> None:
    with Core(tmp_path, MarkedScorer({})) as core:
        runner = core.runner(ListSource(good_items(5) + bad_items(3)))
        runner.run_file()
        registry = runner._metrics.registry
        counted = {
            outcome: registry.get_sample_value(
                "factwatch_events_consumed_total", {"source": "ndjson", "outcome": outcome}
            )
            for outcome in ("processed", "dead_lettered", "skipped_stale")
        }
        assert counted == {"processed": 5, "dead_lettered": 3, "skipped_stale": 0}
        not_json = {"stage": "normalize", "reason": "not_json"}
        assert registry.get_sample_value("factwatch_dead_letters_total", not_json) == 3
