"""The lowest threshold that keeps to what was asked, and what to expect of it."""

from __future__ import annotations

import numpy as np
import pytest

from models.features import FEATURE_NAMES
from models.threshold_question import DAY_S, NEVER, Outcomes, answer, may_alert
from streams.errors import BadInput

AT = {name: at for at, name in enumerate(FEATURE_NAMES)}


def outcomes(days: int = 10, a_day: int = 100, seed: int = 1) -> Outcomes:
    random = np.random.default_rng(seed)
    count = days * a_day
    reverted = random.random(count) < 0.1
    score = np.clip(random.normal(0.2 + 0.4 * reverted, 0.15), 0.001, 0.999)
    return Outcomes("testwiki", np.linspace(0, days * DAY_S, count), score, reverted)


@pytest.mark.parametrize("asked", [0.0, 0.5, 2.0, 7.0])
def test_no_more_false_alarms_than_asked_and_no_higher_a_threshold_than_needed(asked: float) -> None:
    known = outcomes()
    found = answer(known, "1-a", false_alarms_a_day=asked)
    wrong = (known.score >= found.threshold) & ~known.reverted
    assert wrong.sum() <= asked * found.days
    lower = (known.score >= found.threshold - 2e-6) & ~known.reverted
    stood = np.sort(known.score[~known.reverted])[::-1]
    assert lower.sum() > asked * found.days or stood[int(asked * 10)] < found.threshold
    assert found.false_alarms_a_day.value == pytest.approx(wrong.sum() / found.days, abs=1e-3)
    caught = (known.score >= found.threshold) & known.reverted
    assert found.catches_a_day.value == pytest.approx(caught.sum() / found.days, abs=1e-3)
    assert found.recall.value == pytest.approx(caught.sum() / known.reverted.sum(), abs=1e-4)
    assert found.catches_a_day.low <= found.catches_a_day.value <= found.catches_a_day.high


def test_a_rate_is_kept_to_as_well() -> None:
    found = answer(outcomes(), "1-a", false_positive_rate=0.01)
    assert found.false_positive_rate.value <= 0.01
    assert found.false_positive_rate.value > 0.008


def test_scores_that_are_equal_are_flagged_together_or_not_at_all() -> None:
    known = Outcomes("w", np.arange(10.0), np.full(10, 0.7), np.zeros(10, dtype=bool))
    assert answer(known, "1-a", false_alarms_a_day=9).threshold > 0.7
    assert answer(known, "1-a", false_alarms_a_day=10).threshold < 0.7


def test_where_even_the_surest_are_wrong_nothing_alerts() -> None:
    known = Outcomes("w", np.arange(4.0), np.full(4, 1.0), np.zeros(4, dtype=bool))
    assert answer(known, "1-a", false_alarms_a_day=0).threshold == NEVER


def test_more_days_give_narrower_intervals() -> None:
    few = answer(outcomes(days=5), "1-a", false_alarms_a_day=2).catches_a_day
    many = answer(outcomes(days=80), "1-a", false_alarms_a_day=2).catches_a_day
    assert many.high - many.low < few.high - few.low


@pytest.mark.parametrize(
    "question",
    [
        {},
        {"false_alarms_a_day": 1.0, "false_positive_rate": 0.1},
        {"false_alarms_a_day": -1.0},
        {"false_alarms_a_day": float("nan")},
        {"false_positive_rate": 1.5},
    ],
)
def test_a_question_without_sense_is_refused(question: dict[str, float]) -> None:
    with pytest.raises(BadInput):
        answer(outcomes(), "1-a", **question)


def test_no_edits_give_no_answer() -> None:
    empty = Outcomes("w", np.zeros(0), np.zeros(0), np.zeros(0, dtype=bool))
    with pytest.raises(BadInput, match="no edits"):
        answer(empty, "1-a", false_alarms_a_day=1)


def test_what_never_alerts_does_not_count() -> None:
    matrix = np.zeros((5, len(FEATURE_NAMES)))
    matrix[1, AT["bot"]] = 1
    matrix[2, AT["new_page"]] = 1
    matrix[3, AT["restores_back"]] = 2
    matrix[4, AT["restores_back"]] = 2
    matrix[4, AT["restores_reverted"]] = 1
    assert may_alert(matrix).tolist() == [True, False, False, False, True]


@pytest.mark.parametrize("asked", [0.0, 3.0, 20.0])
def test_edits_that_stand_for_several_count_as_so_many(asked: float) -> None:
    known = outcomes(a_day=30)
    times = np.random.default_rng(2).integers(1, 5, len(known.score))
    weighted = Outcomes("w", known.event_time, known.score, known.reverted, times.astype(float))
    each = np.repeat(np.arange(len(times)), times)
    repeated = Outcomes("w", known.event_time[each], known.score[each], known.reverted[each])
    for question in ({"false_alarms_a_day": asked}, {"false_positive_rate": asked / 100}):
        assert answer(weighted, "1-a", **question) == answer(repeated, "1-a", **question)
