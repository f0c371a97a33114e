"""Precision, recall and calibration of the edits whose 48 hours are over."""

from __future__ import annotations

import math
from typing import Any

import pytest

from streams.records import Label, LabelKind, Verdict
from streams.state import live_quality
from streams.state.live_quality import SETTLED_AFTER_S, LiveQuality
from streams.store.batch import KEPT_AFTER_S

DAY = 86_400.0
HOUR = 3_600.0
#: The beginning of an hour.
START = 1_767_225_600.0
#: When the first hour's edits count, and 23 hours before them.
SETTLED = START + HOUR + SETTLED_AFTER_S


def label(rev_id: int, kind: LabelKind | None, *, risk: float | None = 0.05, alerted: bool = False,
          at: float = START, wiki: str = "enwiki") -> Label:  # fmt: skip
    return Label(wiki=wiki, title="Tower", rev_id=rev_id, label=kind, event_time=at, labelled_time=at + 9,
                 revert_risk=risk, alerted=alerted)  # fmt: skip


def reverted(rev_id: int, **more: Any) -> Label:
    return label(rev_id, LabelKind.REVERTED, **more)


def kept(rev_id: int, **more: Any) -> Label:
    return label(rev_id, LabelKind.KEPT, **more)


def a_day(quality: LiveQuality) -> None:
    """2,000 edits: of 100 alerted 60 were reverted, and 20 more were that nobody had seen."""
    for rev_id in range(2_000):
        alerted = rev_id < 100
        bad = rev_id < 60 or 100 <= rev_id < 120
        fold = reverted if bad else kept
        quality.fold(fold(rev_id, alerted=alerted, risk=0.75 if alerted else 0.01))


def test_precision_recall_and_calibration_of_a_day() -> None:
    quality = LiveQuality()
    a_day(quality)
    figures = quality.figures(SETTLED, DAY)
    assert figures.judged_edits == 2_000
    assert figures.precision == 0.6
    assert figures.recall == 0.75
    # 100 edits at .75, of which .6 were reverted; 1,900 at .01, of which 20 were.
    expected = (100 * abs(0.75 - 0.6) + 1_900 * abs(0.01 - 20 / 1_900)) / 2_000
    assert figures.calibration_error == pytest.approx(expected, abs=1e-6)


def test_a_revert_counts_only_when_the_edits_beside_it_can_count_as_kept() -> None:
    quality = LiveQuality()
    a_day(quality)
    assert quality.figures(SETTLED - 1, DAY).judged_edits == 0
    assert quality.figures(SETTLED, DAY).judged_edits == 2_000


def test_edits_leave_a_window_by_whole_hours() -> None:
    quality = LiveQuality()
    a_day(quality)
    assert quality.figures(SETTLED + 24 * HOUR - 1, DAY).judged_edits == 2_000
    assert quality.figures(SETTLED + 24 * HOUR, DAY).judged_edits == 0
    assert quality.figures(SETTLED + 24 * HOUR, 7 * DAY).judged_edits == 2_000
    assert quality.figures(SETTLED + 7 * DAY, 7 * DAY).judged_edits == 0


def test_labels_told_again_change_nothing() -> None:
    once, twice = LiveQuality(), LiveQuality()
    a_day(once)
    a_day(twice)
    a_day(twice)
    assert twice.figures(SETTLED, DAY) == once.figures(SETTLED, DAY)


def test_a_label_taken_back_counts_no_more_and_another_takes_its_place() -> None:
    quality = LiveQuality()
    a_day(quality)
    for rev_id in range(10):
        quality.fold(label(rev_id, None, alerted=True))
    assert quality.figures(SETTLED, DAY).judged_edits == 1_990
    assert quality.figures(SETTLED, DAY).precision == pytest.approx(50 / 90)
    for rev_id in range(10):
        quality.fold(kept(rev_id, alerted=True))
    assert quality.figures(SETTLED, DAY).judged_edits == 2_000
    assert quality.figures(SETTLED, DAY).precision == 0.5


def test_a_persons_word_comes_before_the_label_whichever_came_first() -> None:
    early, late = LiveQuality(), LiveQuality()
    for quality, a_day_at in ((early, 1), (late, 0)):
        for step in range(2):
            if step == a_day_at:
                a_day(quality)
                continue
            for rev_id in range(60, 70):  # alerted, kept
                quality.fold_verdict("enwiki", rev_id, START, Verdict.DAMAGING)
            for rev_id in range(5):  # alerted, reverted
                quality.fold_verdict("enwiki", rev_id, START, Verdict.GOOD)
    assert early.figures(SETTLED, DAY) == late.figures(SETTLED, DAY)
    figures = late.figures(SETTLED, DAY)
    assert figures.judged_edits == 2_000
    assert figures.precision == 0.65
    assert figures.recall == pytest.approx(65 / 85)


def test_who_is_not_sure_leaves_it_to_the_community_again() -> None:
    quality = LiveQuality()
    a_day(quality)
    before = quality.figures(SETTLED, DAY)
    for rev_id in range(60, 70):
        quality.fold_verdict("enwiki", rev_id, START, Verdict.DAMAGING)
    assert quality.figures(SETTLED, DAY).precision == 0.7
    for rev_id in range(60, 70):
        quality.fold_verdict("enwiki", rev_id, START, Verdict.UNSURE)
    assert quality.figures(SETTLED, DAY) == before


def test_a_verdict_stands_though_the_label_is_taken_back() -> None:
    quality = LiveQuality()
    quality.fold(reverted(1, alerted=True))
    quality.fold_verdict("enwiki", 1, START, Verdict.GOOD)
    quality.fold(label(1, None, alerted=True))
    assert quality.figures(SETTLED, DAY).judged_edits == 1
    quality.fold_verdict("enwiki", 1, START, Verdict.UNSURE)
    assert quality.figures(SETTLED, DAY).judged_edits == 0


def test_one_number_on_two_wikis_is_two_edits() -> None:
    quality = LiveQuality()
    quality.fold(kept(1))
    quality.fold(kept(1, wiki="dewiki"))
    assert quality.figures(SETTLED, DAY).judged_edits == 2


def test_nothing_is_said_of_too_few() -> None:
    quality = LiveQuality()
    for rev_id in range(49):
        quality.fold(reverted(rev_id, alerted=True))
    few = quality.figures(SETTLED, DAY)
    assert all(math.isnan(value) for value in few[:3])
    assert few.judged_edits == 49
    quality.fold(reverted(49, alerted=True))
    enough = quality.figures(SETTLED, DAY)
    assert (enough.precision, enough.recall) == (1.0, 1.0)
    assert math.isnan(enough.calibration_error)


@pytest.mark.parametrize("risk", [None, math.nan, -1.0, 7.0])
def test_an_edit_without_a_score_is_judged_but_says_nothing_of_calibration(risk: float | None) -> None:
    quality = LiveQuality()
    a_day(quality)
    before = quality.figures(SETTLED, DAY)
    for rev_id in range(5_000, 6_000):
        quality.fold(reverted(rev_id, risk=risk))
    after = quality.figures(SETTLED, DAY)
    assert after.judged_edits == 3_000
    assert after.recall == pytest.approx(60 / 1_080)
    assert after.calibration_error == before.calibration_error


def test_an_hour_of_more_edits_than_are_kept_gives_the_same_figures_within_chance() -> None:
    quality = LiveQuality()
    edits = 5 * live_quality.EDITS_OF_HOUR
    for rev_id in range(edits):
        alerted, bad = rev_id % 10 == 0, rev_id % 20 == 0
        quality.fold((reverted if bad else kept)(rev_id, alerted=alerted, risk=0.5 if alerted else 0.02))
    figures = quality.figures(SETTLED, DAY)
    assert figures.judged_edits == pytest.approx(edits, rel=0.1)
    assert figures.precision == pytest.approx(0.5, abs=0.1)
    assert figures.recall == 1.0
    assert len(quality._hours[int(START // HOUR)]._keys) <= live_quality.EDITS_OF_HOUR
    # What was left out then is left out now: told again, nothing changes.
    for rev_id in range(edits):
        alerted, bad = rev_id % 10 == 0, rev_id % 20 == 0
        quality.fold((reverted if bad else kept)(rev_id, alerted=alerted, risk=0.5 if alerted else 0.02))
    assert quality.figures(SETTLED, DAY) == figures


def test_old_hours_leave_and_what_is_told_of_them_later_is_passed_over() -> None:
    quality = LiveQuality()
    quality.fold(kept(1))
    for hour in range(1, live_quality.HOURS + 5):
        quality.fold(kept(hour + 1, at=START + hour * HOUR))
        quality.figures(START, DAY)
    assert len(quality._hours) == live_quality.HOURS
    quality.fold(kept(1))
    assert quality.figures(SETTLED, DAY).judged_edits == 0


def test_a_time_that_is_no_number_is_passed_over() -> None:
    quality = LiveQuality()
    quality.fold(kept(1, at=math.nan))
    quality.fold(kept(2, at=math.inf))
    quality.fold(kept(3))
    assert quality.figures(SETTLED, DAY).judged_edits == 1


def test_an_edit_is_settled_when_it_is_labelled_as_kept() -> None:
    assert SETTLED_AFTER_S == KEPT_AFTER_S
