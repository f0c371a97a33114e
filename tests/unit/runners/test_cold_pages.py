"""Suspicious edits on pages that were never seen: the history is asked for, and decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pytest

from streams.records import Edit, Reason
from streams.runners.cold_pages import BATCH_WAIT_S, ColdPages
from streams.sources.base import SourceItem
from streams.stages.diff import TextDelta
from streams.state.page import EntryFlag, PageView
from streams.state.performer import PerformerView
from streams.state.words import WordMemory
from streams.store.keys import state_id
from tests.core_world import POLICY, Core, EditWorld, Record, ToldHistories, told

Floats = npt.NDArray[np.float64]
GOOD = "The tower stands in Port Alder. It is 187 metres high."
PAST = 12


class ByReverts:
    """The risk that the story gave, or .95 where a word that came in was thrown out of the page before.
    The threshold is .8 (`POLICY`), so .6 asks."""

    version = "by reverts"

    def __init__(self, world: EditWorld) -> None:
        self._risks = world.risks
        self.scored = 0

    def row(
        self,
        edit: Edit,
        delta: TextDelta | None,
        page: PageView | None,
        performer: PerformerView | None,
        words: WordMemory | None,
    ) -> list[float]:
        thrown = 0
        if delta is not None and words is not None:
            thrown = sum(words.thrown[words.index[word]] for word in delta.gained if word in words.index)
        assert page is not None
        return [self._risks.get(edit.rev_id, 0.1), float(thrown), float(page.seen)]

    def matrix(self, rows: Sequence[list[float]]) -> npt.NDArray[np.float64]:
        return np.array(rows)

    def score(self, matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        self.scored += len(matrix)
        return np.where(matrix[:, 1] > 0, 0.95, matrix[:, 0])

    def thresholds(self, matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.full(len(matrix), 0.5)

    def asked_thresholds(
        self, met: npt.NDArray[np.float64], known: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        return self.thresholds(known)

    def reasons_of(self, rows: Sequence[list[float]]) -> list[tuple[Reason, ...]]:
        return [(Reason("thrown", row[1], 1.0, f"thrown out {row[1]:.0f} times"),) for row in rows]


def vandalised(world: EditWorld) -> list[Record]:
    """What happened before anybody watched."""
    good = world.edit("Zoe", GOOD)
    for turn in range(PAST // 2):
        world.edit(f"203.0.113.{turn}", f"{GOOD.replace('187', 'zork')} {turn}")
        world.revert("Ann", to=good)
    return list(world.records)


class Story:
    """`past` was made before anybody watched, the rest is met. Nothing is had of pages of the edits in
    `gone`."""

    gone: tuple[int, ...] = ()

    def __init__(self, directory: Path) -> None:
        self.world = EditWorld()
        self.past = vandalised(self.world)
        self.histories = ToldHistories(self.past)
        self.scorer = ByReverts(self.world)
        self.directory = directory

    @property
    def met(self) -> list[Record]:
        return self.world.records[len(self.past) :]

    def core(self) -> Core:
        self.histories = ToldHistories(self.world.records, self.gone)
        return Core(self.directory, self.scorer, histories=self.histories)


@pytest.fixture
def story(tmp_path: Path) -> Story:
    return Story(tmp_path)


def zork(story: Story, risk: float = 0.7, performer: str = "203.0.113.99") -> Edit:
    return story.world.edit(performer, GOOD.replace("187", "zork"), risk=risk)


def test_a_word_that_was_thrown_out_before_alerts_by_the_history_that_was_fetched(story: Story) -> None:
    bad = zork(story)
    with story.core() as core:
        (alert,) = core.take(story.met)
    assert story.histories.asked == [bad.rev_id]
    assert alert.revert_risk == 0.95
    assert [reason.text for reason in alert.reasons] == [f"thrown out {PAST // 2} times"]


def test_a_harmless_edit_asks_for_nothing(story: Story) -> None:
    zork(story, risk=0.3)
    with story.core() as core:
        assert core.take(story.met) == []
    assert story.histories.asked == []


def test_a_page_is_asked_about_once_and_is_warm_from_then_on(story: Story) -> None:
    first = zork(story)
    story.world.revert("Ann", to=story.past[0], risk=0.1)
    second = zork(story, performer="203.0.113.7")
    for cut in (1, 2, 3):
        with story.core() as core:
            for at in range(0, 3, cut):
                core.take(story.met[at : at + cut])
            page = core.page()
            risks = [row[4] for row in core.edit_rows()]
        assert story.histories.asked == [first.rev_id]
        assert page.history_known
        assert page.entries[-1].rev_id == second.rev_id
        assert risks == [0.95, 0.1, 0.95]
        story.directory /= "again"
        story.directory.mkdir()


def test_after_a_restart_it_is_still_warm(story: Story) -> None:
    zork(story)
    story.world.revert("Ann", to=story.past[0], risk=0.1)
    zork(story, performer="203.0.113.7")
    for record in story.met:
        with story.core() as core:
            alerts = core.take([record])
            asked = story.histories.asked
    assert asked == []
    assert told(alerts) == ["edit.suspect open"]


def test_a_page_that_was_followed_is_not_asked_about(story: Story) -> None:
    story.past = []
    bad = zork(story)
    with story.core() as core:
        core.take(story.met)
    assert story.histories.asked == []
    assert bad.rev_id not in story.histories.asked


@pytest.mark.parametrize("cut", [1, 100])
def test_a_history_that_can_not_be_had_leaves_the_decision_to_what_is_known(
    story: Story, cut: int
) -> None:
    bad, worse = zork(story, risk=0.85), zork(story, risk=0.3)
    story.gone = (bad.rev_id, worse.rev_id)
    with story.core() as core:
        for at in range(0, 2, cut):
            core.take(story.met[at : at + cut])
        alerts = core.alerts()
        assert core.outcomes()["processed"] == 2
        assert not core.page().history_known
    assert [alert.revert_risk for alert in alerts if alert.rev_id == bad.rev_id] == [0.85]
    assert story.histories.asked == [bad.rev_id]


def test_the_history_can_clear_an_edit_that_looked_suspicious(story: Story) -> None:
    """Decided by the second score alone."""
    calm = zork(story, risk=0.9)
    story.scorer.score = lambda matrix: np.where(matrix[:, 2] > 0, 0.1, matrix[:, 0])  # type: ignore[method-assign]  # this one only
    with story.core() as core:
        assert core.take(story.met) == []
        (row,) = core.edit_rows()
    assert story.histories.asked == [calm.rev_id]
    assert row[4] == 0.1


@pytest.mark.parametrize(("asked", "alerts"), [(0.94, 1), (0.96, 0)])
def test_the_threshold_is_that_of_pages_asked_about(story: Story, asked: float, alerts: int) -> None:
    """Told of the edit as it was met and with what was fetched; the risk is .95."""
    zork(story)
    policy = msgspec.structs.replace(POLICY, threshold=None)
    seen: list[list[float]] = []

    def asked_thresholds(met: Floats, known: Floats) -> Floats:
        seen.append([met[0, 2], known[0, 2]])
        return np.full(len(met), asked)

    story.scorer.thresholds = lambda matrix: np.full(len(matrix), 0.9)  # type: ignore[method-assign]  # this one only
    story.scorer.asked_thresholds = asked_thresholds  # type: ignore[method-assign]  # the same
    histories = ToldHistories(story.world.records)
    with Core(story.directory, story.scorer, policy=policy, histories=histories) as core:
        assert len(core.take(story.met)) == alerts
    assert seen == [[0.0, PAST + 1]]


def test_nothing_is_told_or_counted_of_what_was_fetched(story: Story) -> None:
    zork(story)
    story.world.revert("Ann", to=story.past[0], risk=0.1)
    with story.core() as core:
        core.take(story.met)
        labels = core.labels()
        alerts = core.alerts()
        assert core.outcomes() == {"processed": 2}
    met = {record.rev_id for record in story.met if isinstance(record, Edit)}
    assert set(labels) == met
    assert {alert.rev_id for alert in alerts} <= met


def test_reverting_a_fetched_revision_labels_no_edit_of_the_log(story: Story) -> None:
    """The last vandal of the history stands; what is met first brings the text before it back."""
    last = story.world.edit("203.0.113.50", GOOD + " zork zork")
    story.past = list(story.world.records)
    story.world.edit("Ben", GOOD + " zork zork It is red.", risk=0.7)
    story.world.revert("Ann", to=story.past[0], risk=0.1)
    with story.core() as core:
        items = [SourceItem("c", edit=one) for one in story.met if isinstance(one, Edit)]
        batch = core.processor.process("ndjson", core.processor.intake(items), None)
        (page,) = batch.pages.values()
        (undone,) = [entry for entry in page.entries if entry.rev_id == last.rev_id]
    assert undone.flags & EntryFlag.FETCHED
    assert undone.reverted_by == story.world.records[-1].rev_id  # type: ignore[union-attr]  # an edit
    assert last.rev_id not in {label.rev_id for label in batch.labels}
    assert {label.rev_id for label in batch.labels} == {story.met[0].rev_id}  # type: ignore[union-attr]  # an edit
    assert state_id(f"enwiki\n{last.performer}") not in batch.performers


def test_an_edit_that_comes_late_and_was_fetched_already_is_met_once(story: Story) -> None:
    late = story.world.edit("Ben", GOOD + " It is red.")
    bad = zork(story)
    with story.core() as core:
        core.take([bad])
        seen = core.page().seen
        core.take([late])
        page = core.page()
        assert core.outcomes() == {"processed": 2}
        assert {row[2] for row in core.edit_rows()} == {bad.rev_id, late.rev_id}
    assert (page.seen, [entry.rev_id for entry in page.entries].count(late.rev_id)) == (seen, 1)
    assert len([entry for entry in page.entries if not entry.flags & EntryFlag.FETCHED]) == 2


class Histories:
    def __init__(self, answer: Callable[[Edit], Sequence[Edit]]) -> None:
        self._answer = answer

    def before(self, edits: Sequence[Edit], wait_s: float) -> Mapping[str, Sequence[Edit]]:
        return {edit.event_id: self._answer(edit) for edit in edits}


def test_a_history_that_breaks_the_fold_changes_nothing(story: Story) -> None:
    bad = zork(story, risk=0.85)
    broken = msgspec.structs.replace(bad, rev_id=1, content=7)
    with Core(story.directory, story.scorer, histories=Histories(lambda edit: [broken])) as core:
        (alert,) = core.take(story.met)
        page = core.page()
        assert core.outcomes() == {"processed": 1}
    assert alert.revert_risk == 0.85
    assert [entry.rev_id for entry in page.entries] == [bad.rev_id]


def test_a_batch_waits_for_histories_only_so_long_in_all(story: Story) -> None:
    """Each question takes three seconds: the second gets what is left, the third edit is not asked about."""
    clock = [0.0]
    waits: list[float] = []

    class Slow:
        def before(self, edits: Sequence[Edit], wait_s: float) -> Mapping[str, Sequence[Edit]]:
            clock[0] += 3.0
            waits.append(wait_s)
            return {}

    for _ in range(4):
        zork(story)
    with Core(story.directory, story.scorer) as core:
        processor = core.processor
        processor._cold = ColdPages(
            Slow(),
            story.scorer,
            match_revert=lambda wiki, comment: None,
            threshold_of=lambda threshold, wiki: threshold,
            states=core.states,
            timer=lambda: clock[0],
        )
        core.take(story.met)
        assert core.outcomes() == {"processed": 4}
    assert waits == [BATCH_WAIT_S, BATCH_WAIT_S - 3.0]


def test_what_is_scored_again_is_scored_by_the_one_that_measures_nothing(story: Story) -> None:
    zork(story)
    again = ByReverts(story.world)
    with story.core() as core:
        assert core.processor._cold is not None
        core.processor._cold._scorer = again
        core.take(story.met)
    assert (story.scorer.scored, again.scored) == (1, 1)


@pytest.mark.parametrize("cut", [1, 100])
def test_a_page_is_settled_before_another_is_moved_over_it(story: Story, cut: int) -> None:
    """Both at once, or one after the other: the page that came is not given the history of what it
    replaced."""
    zork(story)
    story.world.edit("Cy", "A spire.", title="Spire")
    story.world.edit("Cy", "A tall spire.", title="Spire")
    story.world.log("move", "move", title="Spire", target="Tower")
    with story.core() as core:
        for at in range(0, len(story.met), cut):
            core.take(story.met[at : at + cut])
        page = core.page("Tower")
        risks = [row[4] for row in core.edit_rows()]
    assert [entry.performer for entry in page.entries] == ["Cy", "Cy"]
    assert not page.history_known
    assert risks == [0.95, 0.1, 0.1]
