"""Micro-batches: what they count, what a failing stage does to them, and what they leave alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest

from streams.errors import StoreCorrupt
from streams.reasons import DeadReason
from streams.records import Alert, Edit, FactChange, Reason
from streams.runners import evidence as evidence_module
from streams.sources.base import SourceItem
from streams.stages.decide import Decider
from streams.store.keys import state_id
from tests.core_world import (
    DAY,
    HOUR,
    START,
    Core,
    EditWorld,
    MarkedScorer,
    TouchyScorer,
    raw_change,
    raw_of,
    replay,
    told,
)


def test_each_record_counts_once(tmp_path: Path) -> None:
    with Core(tmp_path, MarkedScorer({})) as core:
        core.take([raw_change(), raw_change(), raw_change(meta={"id": "b"}, type="log"), b"{",
                   raw_change(meta={"domain": "canary", "id": "c"}), raw_change(meta={"id": "d"})])  # fmt: skip
        assert core.outcomes() == {
            "processed": 1,
            "skipped_duplicate": 1,
            "skipped_not_an_edit": 1,
            "dead_lettered": 1,
            "skipped_canary": 1,
            "skipped_stale": 1,
        }


def test_a_sign_of_life_counts_as_nothing_and_a_cut_line_as_too_large(tmp_path: Path) -> None:
    with Core(tmp_path, MarkedScorer({})) as core:
        taken = core.processor.intake(
            [SourceItem("1"), SourceItem("2", b"{" * 99, too_large=True), SourceItem("3")]
        )
        (pair,) = taken
        assert getattr(pair[1], "reason", None) is DeadReason.TOO_LARGE
        batch = core.processor.process("ndjson", taken, "3")
        assert batch.outcomes == {"dead_lettered": 1}
        assert batch.dead_letters[0].stage == "source"


class Failing(MarkedScorer):
    def __init__(self, rev_id: int, error: Exception) -> None:
        super().__init__({})
        self.rev_id = rev_id
        self.error = error

    def row(self, edit: Edit, *args: Any, **named: Any) -> list[float]:
        if edit.rev_id == self.rev_id:
            raise self.error
        return [0.1]


def test_a_stage_that_raises_makes_a_dead_letter_and_the_rest_goes_on(tmp_path: Path) -> None:
    world = EditWorld()
    for number in range(3):
        world.edit("Ann", f"text {number}")
    with Core(tmp_path, Failing(1_002, ValueError("no\nsuch thing"))) as core:
        core.take(world.records)
        assert core.outcomes() == {"processed": 2, "dead_lettered": 1}
        ((reason, stage, message, raw),) = core.store.query(
            "SELECT reason, stage, message, raw FROM dead_letters"
        )
        assert (reason, stage, message) == (
            "stage_failed",
            "track",
            "ValueError: no\\u000asuch thing",
        )
        assert isinstance(raw, bytes)
        assert msgspec.json.decode(raw, type=Edit).rev_id == 1_002


def test_the_second_pass_is_guarded_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The edit that can't be told of is a dead letter, what was open stays open, the rest goes on."""
    world = EditWorld()
    good = world.edit("Alice", "The tower is 300 m high.")
    world.edit("192.0.2.7", "The tower is 3 m high.", risk=0.95)
    odd = world.edit("192.0.2.8", "The tower is 2 m high.", risk=0.95)
    world.revert("Bob", good)
    real = Decider.decide

    def fails(decider: Decider, episode: Any, edit: Edit, *args: Any) -> list[Alert]:
        if edit.rev_id == odd.rev_id:
            raise RuntimeError("odd")
        return real(decider, episode, edit, *args)

    monkeypatch.setattr(Decider, "decide", fails)
    with Core(tmp_path, MarkedScorer(world.risks)) as core:
        alerts = core.take(world.records)
        assert told(alerts) == ["edit.suspect open", "edit.suspect resolved", "fact.corrected resolved"]
        assert core.outcomes() == {"processed": 3, "dead_lettered": 1}
        assert core.store.query("SELECT stage, reason FROM dead_letters") == [("decide", "stage_failed")]
        assert [label for label, _ in core.labels().values()] == [None, "reverted", "reverted", None]


def test_an_edit_whose_sentences_cant_be_worked_out_still_alerts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Else whoever finds a text that breaks them could vandalise unseen."""
    world = EditWorld()
    world.edit("Alice", "The tower is 300 m high.")
    world.edit("192.0.2.7", "The tower is 3 m high.", risk=0.95)

    def fails(*args: object) -> tuple[FactChange, ...]:
        raise RuntimeError("odd")

    monkeypatch.setattr(evidence_module, "fact_changes", fails)
    with Core(tmp_path, MarkedScorer(world.risks)) as core:
        (alert,) = core.take(world.records)
        assert (alert.kind, alert.fact_changes) == ("edit.suspect", ())
        assert core.outcomes() == {"processed": 2}
    assert "no fact changes of revision 1002" in caplog.text


def test_our_own_corruption_is_no_dead_letter(tmp_path: Path) -> None:
    world = EditWorld()
    world.edit("Ann", "text")
    with Core(tmp_path, Failing(1_001, StoreCorrupt("broken"))) as core:
        with pytest.raises(StoreCorrupt):
            core.take(world.records)
        assert core.outcomes() == {}


def test_a_stale_edit_changes_no_state_at_all(tmp_path: Path) -> None:
    world = EditWorld()
    for number in range(30):
        world.edit(f"Editor {number}", f"text number {number} of them")
    old = world.records[2]
    assert isinstance(old, Edit)
    with Core(tmp_path, TouchyScorer()) as core:
        core.take(world.records)
        tables = [f"SELECT * FROM {table} ORDER BY 1" for table in ("pages", "page_words", "performers")]
        core.store.settle_states()
        before = [core.store.query(sql) for sql in tables]
        core.take([msgspec.structs.replace(old, event_id="again")])
        assert core.outcomes() == {"processed": 30, "skipped_stale": 1}
        core.store.settle_states()
        assert [core.store.query(sql) for sql in tables] == before


def test_the_time_of_an_alert_does_not_depend_on_what_came_with_it(tmp_path: Path) -> None:
    """Deadlines are met in their order, by one big step of time or by many, restarted or not."""
    world = EditWorld()
    for title in "BAC":
        world.edit("Alice", "good", title=title)
    for title, wait_h in (("B", 5), ("A", 1), ("B", 1), ("C", 0)):  # B's moves behind A's
        world.edit("Vic", f"bad {world.now}", title=title, risk=0.9)
        world.wait(wait_h * HOUR)
    for number in range(5):
        world.wait((16, 16, 7, 16, 16)[number] * HOUR)  # all three are due within one step
        world.edit("Ann", f"elsewhere {number}", title="Other")
    whole = replay(world, tmp_path / "whole")
    assert [alert.title for alert in whole if alert.status == "resolved"] == ["A", "B", "C"]
    for restart in (False, True):
        assert replay(world, tmp_path / f"{restart}", batch=1, restart=restart) == whole


def history_of_two_pages() -> EditWorld:
    """As an export has it: one page from its beginning to its end, then another, older one."""
    world = EditWorld(title="Newer")
    world.edit("Zoe", "newer")
    world.now = START - 1_000 * DAY
    world.title = "Older"
    world.war(reverts=3)
    settled_at = world.now - 60 + DAY
    world.now = settled_at + HOUR
    world.war("Cy", "Dan", reverts=3)
    return world


@pytest.mark.parametrize("batch", [1, 3, 100])
def test_a_history_cools_down_by_its_pages_time(tmp_path: Path, batch: int) -> None:
    world = history_of_two_pages()
    with Core(tmp_path, MarkedScorer({}), history=True, source="history") as core:
        for at in range(0, len(world.records), batch):
            core.take(world.records[at : at + batch])
        assert told(core.alerts()) == ["page.contested open", "page.contested resolved"]


def test_a_moved_page_is_one_page(tmp_path: Path) -> None:
    world = EditWorld()
    world.edit("Alice", "The tower is 300 m high.")
    world.edit("Ann", "The tower is 300 m high. It is old.")
    world.move("Spire")
    world.edit("Bob", "The tower is 300 m high. It is very old.")
    with Core(tmp_path, MarkedScorer({})) as core:
        core.take(world.records)
        assert (core.page("Spire").seen, core.page("Spire").key) == (3, "enwiki:Spire")
        assert (core.page("Tower").seen, core.page("Tower").entries) == (0, [])


def test_what_no_text_proves_the_summary_tells(tmp_path: Path) -> None:
    world = EditWorld()
    world.edit("Zoe", None)
    bad = world.edit("Vic", None)
    back = world.undo("Bob", bad)
    with Core(tmp_path, MarkedScorer({})) as core:
        core.take([raw_of(record) for record in world.records[:3]])
        assert core.labels()[bad.rev_id] == ("reverted", back.rev_id)


def test_a_summarys_word_counts_for_nothing_against_the_texts(tmp_path: Path) -> None:
    world = EditWorld()
    world.edit("Zoe", "base")
    world.edit("Ann", "good")
    world.edit("Vic", "lies", comment="Undid revision 1002 by [[Special:Contributions/Ann|Ann]]")
    with Core(tmp_path, MarkedScorer({})) as core:
        core.take(world.records)
        assert core.labels()[1_002] == (None, None)


def test_a_revert_after_two_days_labels_nothing(tmp_path: Path) -> None:
    world = EditWorld()
    base = world.edit("Zoe", "base")
    world.edit("Vic", "bad")
    world.wait(48 * HOUR)
    world.revert("Bob", base)
    with Core(tmp_path, MarkedScorer({})) as core:
        core.take(world.records)
        assert core.labels()[1_002] == (None, None)
        assert core.page().entries[1].reverted_by == 1_003
    assert state_id("a") != state_id("b")


@pytest.mark.parametrize("batch", [1, 3, 100])
def test_reasons_are_those_of_the_alerts_own_row_whatever_came_with_it(
    tmp_path: Path, batch: int
) -> None:
    """They are asked for together; an edit that joins an episode below the threshold asks too."""
    world = EditWorld()
    risks: dict[int, float] = {}
    for number, risk in enumerate((0.1, 0.95, 0.6, 0.2, 0.97, 0.99, 0.1, 0.96)):
        edit = world.edit("Vandal", f"text {number}")
        risks[edit.rev_id] = risk
    with Core(tmp_path, MarkedScorer(risks)) as core:
        for start in range(0, len(world.records), batch):
            core.take(world.records[start : start + batch])
        alerts = [alert for alert in core.alerts() if alert.reasons]
    assert [(alert.rev_id, alert.reasons[0].value) for alert in alerts] == [
        (rev_id, risk) for rev_id, risk in risks.items() if risk >= 0.5
    ]


def test_a_batchs_reasons_are_asked_for_together(tmp_path: Path) -> None:
    class Counting(MarkedScorer):
        asked: ClassVar[list[int]] = []

        def reasons_of(self, rows: Sequence[list[float]]) -> list[tuple[Reason, ...]]:
            self.asked.append(len(rows))
            return super().reasons_of(rows)

    world = EditWorld()
    world.edit("Ann", "a tower")
    edits = [world.edit(f"Vandal {number}", f"text {number}") for number in range(5)]
    scorer = Counting({edit.rev_id: 0.95 for edit in edits})
    with Core(tmp_path, scorer) as core:
        core.take(world.records)
        assert len([alert for alert in core.alerts() if alert.reasons]) == 5
    assert scorer.asked == [5]
