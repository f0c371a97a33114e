"""A challenger scores along, alerts on nothing, and is judged on the edits that both scored."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from models.classifier import ARTIFACT_DIR, load_classifier
from models.retrain import retrain
from streams.cli.compose import build_shadow
from streams.errors import BadSetting
from streams.runners.shadow import Shadow
from streams.settings import Settings
from streams.sources.base import SourceItem
from streams.store.batch import CHALLENGER_ALERTS, CHAMPION_ALERTS, EditRow
from tests.core_world import Core, EditWorld, ListSource, MarkedScorer, raw_of
from tests.model.test_retrain import seen
from tests.unit.runners.test_live_labels import PAGES, Judge, later, story

Matrix = npt.NDArray[np.float64]


class Contrary:
    """Says the opposite of the story, and is sure of it from .7 on."""

    def __init__(self, version: str = "contrary") -> None:
        self.version = version

    def score(self, matrix: Matrix) -> Matrix:
        return 1 - matrix[:, 0]

    def thresholds(self, matrix: Matrix) -> Matrix:
        return np.full(len(matrix), 0.7)


class Same(Contrary):
    def score(self, matrix: Matrix) -> Matrix:
        return matrix[:, 0]


def everything(matrix: Matrix) -> npt.NDArray[np.bool_]:
    return np.ones(len(matrix), dtype=bool)


def shadow_of(challenger: Contrary) -> Shadow:
    return Shadow(MarkedScorer({}), challenger, everything)


def played(core: Core, world: EditWorld, judge: Judge, records: int | None = None) -> None:
    items = [SourceItem("", raw=raw_of(record)) for record in world.records[:records]]
    core.runner(ListSource(items), labels=judge.labels).run_file()
    judge.look(world.now)


def test_both_are_held_to_their_own_thresholds_and_an_edit_that_never_alerts_is_none_of_either() -> None:
    edits = [
        EditRow(number, 1, number, 0.0, risk, 4) for number, risk in enumerate((0.9, 0.5, 0.2, 0.9, 0.2))
    ]
    rows = [[edit.risk] for edit in edits]
    shadow = Shadow(MarkedScorer({}), Contrary(), lambda matrix: np.arange(len(matrix)) < 3)
    found = shadow.beside(edits, rows)
    assert [edit.flags for edit in found] == [
        4 | CHAMPION_ALERTS, 4 | CHAMPION_ALERTS, 4 | CHALLENGER_ALERTS, 4, 4,
    ]  # fmt: skip
    assert [edit.challenger_risk for edit in found] == pytest.approx([0.1, 0.5, 0.8, 0.1, 0.8])
    assert [edit.risk for edit in found] == [edit.risk for edit in edits]
    assert shadow.beside([], []) == []


def test_it_changes_no_alert_and_no_score(tmp_path: Path) -> None:
    world = story()
    told = []
    for name, shadow in (("alone", None), ("beside", shadow_of(Contrary()))):
        (tmp_path / name).mkdir()
        with Core(tmp_path / name, MarkedScorer(world.risks), shadow=shadow) as core:
            played(core, world, Judge(core))
            scores = core.store.query("SELECT row, risk, label, flags & 7 FROM edits ORDER BY row")
            told.append((core.alerts(), scores))
            kept = core.store.query("SELECT DISTINCT challenger_risk + risk FROM edits")
            assert kept == ([(1.0,)] if shadow is not None else [(None,)])
    assert told[0] == told[1]


def test_its_quality_and_the_difference_are_told_of_the_same_edits(tmp_path: Path) -> None:
    """60 of 80 bad edits look bad, and 16 good ones. What looks good is the challenger's suspicion."""
    world = later(story(), 0.9, 0.9, 0.4)
    with Core(tmp_path, MarkedScorer(world.risks), shadow=shadow_of(Contrary())) as core:
        judge = Judge(core, challenger="contrary")
        played(core, world, judge)
        suspected = 3 * PAGES + 2 * 16 - 60 - 16
        assert judge.sample("challenger_judged_edits") == 3 * PAGES + 2 * 16
        assert judge.sample("challenger_precision") == pytest.approx(20 / suspected)
        assert judge.sample("challenger_recall") == pytest.approx(20 / 80)
        assert judge.sample("challenger_precision_difference") == pytest.approx(20 / suspected - 60 / 76)
        assert judge.sample("challenger_recall_difference") == pytest.approx(20 / 80 - 60 / 80)


def test_without_one_there_is_nothing_to_tell(tmp_path: Path) -> None:
    world = later(story(), 0.9, 0.9, 0.4)
    with Core(tmp_path, MarkedScorer(world.risks)) as core:
        judge = Judge(core)
        played(core, world, judge)
        assert math.isnan(judge.sample("challenger_precision"))
        assert judge.sample("challenger_judged_edits") == 0


def test_another_challenger_begins_with_the_next_edit_and_the_same_one_goes_on(tmp_path: Path) -> None:
    world = later(story(), 0.9, 0.9, 0.4)
    half = 2 * PAGES
    versions = []
    for version, records in (("first", half), ("first", half + 20), ("second", None)):
        with Core(tmp_path, MarkedScorer(world.risks), shadow=shadow_of(Same(version))) as core:
            judge = Judge(core, challenger=version)
            since = core.store.challenger_since(version)
            versions.append(since)
            played(core, world, judge, records)
    assert versions == [1, 1, half + 20 + 1]
    assert judge.sample("challenger_judged_edits") == 3 * PAGES + 2 * 16 - half - 20


def test_a_setting_names_it(tmp_path: Path) -> None:
    model = load_classifier()
    assert build_shadow(Settings(), model) is None
    retrain(ARTIFACT_DIR, tmp_path / "new", seen(), lambda what, share: None)
    shadow = build_shadow(Settings(challenger=str(tmp_path / "new")), model)
    assert shadow is not None
    assert shadow.version == load_classifier(tmp_path / "new").version


def test_one_that_reads_words_otherwise_is_refused_by_name(tmp_path: Path) -> None:
    model = load_classifier()
    model.text.weights = model.text.weights + np.float32(1)
    with pytest.raises(BadSetting, match="FACTWATCH_CHALLENGER"):
        build_shadow(Settings(challenger=str(ARTIFACT_DIR)), model)
