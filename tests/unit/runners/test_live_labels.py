"""One process's own figures of how good its alerts are, from the labels that its commits give."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from streams.metrics import QualityMetrics
from streams.records import AlertKind, AlertStatus, Verdict
from streams.runners import live_labels
from streams.runners.live_labels import LOOK_EVERY_S, LiveLabels
from streams.sources.base import SourceItem
from streams.store.batch import Batch, LabelRow
from streams.store.verdicts import GivenVerdict, Verdicts
from tests.core_world import DAY, Core, EditWorld, ListSource, MarkedScorer, raw_of

PAGES = 80


class Judge:
    def __init__(self, core: Core, **options: Any) -> None:
        self.now = 0.0
        self.registry = CollectorRegistry()
        self.labels = LiveLabels(core.store, QualityMetrics(self.registry), lambda: self.now, **options)

    def look(self, watermark: float) -> None:
        self.now += LOOK_EVERY_S
        self.labels.look(watermark)

    def __getitem__(self, name: str) -> float:
        return self.of(name, "1d")

    def of(self, name: str, window: str) -> float:
        return self.sample(f"live_{name}", window)

    def sample(self, name: str, window: str = "1d") -> float:
        value = self.registry.get_sample_value(f"factwatch_{name}", {"window": window})
        assert value is not None
        return value


def story() -> EditWorld:
    """80 pages are vandalised: all is seen but 20 that look harmless, and 16 that look bad were good.
    Everything that is bad is undone."""
    world = EditWorld(step_s=10.0)
    for number in range(PAGES):
        title = f"Page {number}"
        world.edit("Alice", "It is 300 m high.", title=title)
        bad = world.edit("192.0.2.7", "It is 3 m high.", title=title, risk=0.1 if number < 20 else 0.9)
        world.undo("Bob", bad)
    for number in range(16):
        title = f"Good page {number}"
        world.edit("Alice", "It is 300 m high.", title=title)
        world.edit("192.0.2.7", "It is 301 m high.", title=title, risk=0.9)
    return world


def later(world: EditWorld, *days: float) -> EditWorld:
    """Someone edits elsewhere, so that time passes."""
    for number, wait_days in enumerate(days):
        world.wait(wait_days * DAY)
        world.edit("Zoe", "x", title=f"Elsewhere {len(world.records)} {number}")
    return world


def played(core: Core, world: EditWorld, judge: Judge, records: int | None = None) -> None:
    items = [SourceItem("", raw=raw_of(record)) for record in world.records[:records]]
    core.runner(ListSource(items), labels=judge.labels).run_file()


def test_a_run_tells_what_the_community_did_with_its_alerts(tmp_path: Path) -> None:
    world = later(story(), 0.9, 0.9, 0.4)
    with Core(tmp_path, MarkedScorer(world.risks)) as core:
        judge = Judge(core)
        assert math.isnan(judge["precision"])
        played(core, world, judge)
        judge.look(world.now)
        assert judge["judged_edits"] == 3 * PAGES + 2 * 16
        assert judge["precision"] == pytest.approx(60 / 76)
        assert judge["recall"] == pytest.approx(60 / 80)
        assert judge.of("precision", "7d") == judge["precision"]


def test_nothing_counts_before_its_two_days_are_over(tmp_path: Path) -> None:
    world = later(story(), 0.9)
    with Core(tmp_path, MarkedScorer(world.risks)) as core:
        judge = Judge(core)
        played(core, world, judge)
        judge.look(world.now)
        assert judge["judged_edits"] == 0
        assert math.isnan(judge["precision"])


def test_a_restart_goes_on_with_the_labels_of_the_store(tmp_path: Path) -> None:
    world = later(story(), 0.9, 0.9, 0.4)
    with Core(tmp_path, MarkedScorer(world.risks)) as core:
        first = Judge(core)
        played(core, world, first, len(world.records) - 1)
    with Core(tmp_path, MarkedScorer(world.risks)) as core:
        again = Judge(core)
        played(core, world, again)  # the last edit makes the rest due
        again.look(world.now)
        whole = Judge(core)
        for judge in (again, whole):
            judge.look(world.now)
            assert judge["judged_edits"] == 3 * PAGES + 2 * 16
            assert judge["precision"] == pytest.approx(60 / 76)
            assert judge["recall"] == pytest.approx(60 / 80)


def test_figures_are_there_at_once_after_a_restart(tmp_path: Path) -> None:
    world = later(story(), 0.9, 0.9, 0.4)
    with Core(tmp_path, MarkedScorer(world.risks)) as core:
        played(core, world, Judge(core))
    with Core(tmp_path, MarkedScorer(world.risks)) as core:
        assert Judge(core)["judged_edits"] == 3 * PAGES + 2 * 16


def test_a_label_that_becomes_another_is_counted_as_what_it_is_now(tmp_path: Path) -> None:
    world = later(story(), 0.9, 0.9, 0.4)
    with Core(tmp_path, MarkedScorer(world.risks)) as core:
        judge = Judge(core)
        played(core, world, judge)
        judge.look(world.now)
        before = judge["precision"]
        reverted = core.store.query(
            "SELECT row FROM edits WHERE label = 'reverted' AND flags & 4 LIMIT 10"
        )
        with core.store.transaction() as db:
            db.executemany("UPDATE edits SET label = 'kept' WHERE row = ?", reverted)
        batch = Batch("ndjson")
        batch.labels = [LabelRow(int(str(row)), None, 0.0, 0, "") for (row,) in reverted]
        judge.labels.committed(batch)
        judge.look(world.now)
        assert judge["precision"] == pytest.approx(before - 10 / 76)


def said(core: Core, of: str, verdict: Verdict, most: int) -> int:
    """A person looks at some alerts of edits with a label; how many edits it was."""
    verdicts, edits = Verdicts(core.store), 0
    for stored in core.store.log(0, 10_000):
        alert = stored.alert
        if (
            alert.kind is not AlertKind.EDIT_SUSPECT
            or alert.status is not AlertStatus.OPEN
            or edits >= most
        ):
            continue
        found = core.store.query("SELECT label FROM edits WHERE rev_id = ?", (alert.rev_id,))
        if found == [(of,)]:
            edits += verdicts.keep(
                GivenVerdict(f"{alert.alert_id} {verdict}", alert.alert_id, verdict, None, "me", 0.0, "")
            )
    return edits


def test_what_people_say_counts_before_what_the_community_did(tmp_path: Path) -> None:
    world = later(story(), 0.9, 0.9, 0.4)
    with Core(tmp_path, MarkedScorer(world.risks)) as core:
        judge = Judge(core)
        played(core, world, judge)
        judge.look(world.now)
        assert judge["precision"] == pytest.approx(60 / 76)
        assert said(core, "kept", Verdict.DAMAGING, 10) == 10
        judge.look(world.now)
        assert judge["precision"] == pytest.approx(70 / 76)
        assert judge["recall"] == pytest.approx(70 / 90)
        assert said(core, "reverted", Verdict.GOOD, 5) == 5
        judge.look(world.now)
        assert judge["precision"] == pytest.approx(65 / 76)
        assert judge["recall"] == pytest.approx(65 / 85)
        assert judge["judged_edits"] == 3 * PAGES + 2 * 16
        assert Judge(core)["precision"] == pytest.approx(65 / 76)  # a restart knows it too
        assert said(core, "kept", Verdict.UNSURE, 10) == 10
        judge.look(world.now)
        assert judge["precision"] == pytest.approx(55 / 76)


def test_a_verdict_brings_no_edit_into_a_window_before_its_two_days_are_over(tmp_path: Path) -> None:
    world = later(story(), 0.9)
    with Core(tmp_path, MarkedScorer(world.risks)) as core:
        judge = Judge(core)
        played(core, world, judge)
        assert said(core, "reverted", Verdict.GOOD, 60) == 60
        judge.look(world.now)
        assert judge["judged_edits"] == 0


def test_looks_are_seconds_apart_however_often_batches_are_committed(tmp_path: Path) -> None:
    world = later(story(), 0.9, 0.9, 0.4)
    with Core(tmp_path, MarkedScorer(world.risks)) as core:
        judge = Judge(core)
        judge.look(0.0)
        played(core, world, judge)
        judge.now += LOOK_EVERY_S - 0.1
        judge.labels.look(world.now)
        assert judge["judged_edits"] == 0
        judge.now += 0.1
        judge.labels.look(world.now)
        assert judge["judged_edits"] > 0


def test_a_store_of_many_edits_is_read_in_part_and_tells_the_same_within_chance(tmp_path: Path) -> None:
    world = later(story(), 0.9, 0.9, 0.4)
    with Core(tmp_path, MarkedScorer(world.risks)) as core:
        played(core, world, Judge(core))
        rows = len(core.edit_rows())
        judge = Judge(core, read_at_start=rows // 2)
        judge.look(world.now)
        assert judge.labels._step == 2
        assert judge["judged_edits"] == pytest.approx(3 * PAGES + 2 * 16, abs=2)


def test_rows_to_be_read_do_not_pile_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_labels, "_ROWS", 50)
    world = later(story(), 0.9, 0.9, 0.4)
    with Core(tmp_path, MarkedScorer(world.risks)) as core:
        judge = Judge(core)
        played(core, world, judge)
        assert len(judge.labels._rows) < 50
        judge.look(world.now)
        assert judge["judged_edits"] == 3 * PAGES + 2 * 16


def test_only_the_last_days_of_a_long_log_are_read(tmp_path: Path) -> None:
    world = later(story(), *[0.5] * 40)
    with Core(tmp_path, MarkedScorer(world.risks)) as core:
        played(core, world, Judge(core))
        read: list[int] = []
        query = core.store.query

        def watched(sql: str, values: Any = ()) -> list[tuple[object, ...]]:
            found = query(sql, values)
            if "label" in sql:
                read.append(len(found))
            return found

        core.store.query = watched  # type: ignore[method-assign]  # counts, and passes on
        judge = Judge(core)
        assert 18 <= sum(read) <= 22  # of ten days, two a day
        judge.look(world.now)
        assert judge.of("judged_edits", "7d") in (13, 14)
