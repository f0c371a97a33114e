"""What the evidence allows to say, and no more."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from streams.matching.grade import Evidence, Graded, Thresholds, grade_of
from streams.posts import HotKind
from streams.records import Grade
from tests.unit.matching.facts import BORN_AFTER, BORN_BEFORE, agreement

THRESHOLDS = Thresholds(suggested=0.2, confirmed=0.7)
BEFORE, AFTER = agreement(f"{BORN_AFTER} {BORN_BEFORE}", BORN_BEFORE, BORN_AFTER)
V, C = HotKind.VANDALISED, HotKind.CONTESTED


def graded(
    kind: HotKind, before: float, after: float, doubt: str = "", weight: float = 5.0, **changed: Any
) -> Graded | None:
    agreed = msgspec.structs.replace(AFTER, **{"evidence": 1.0, "denied": False, **changed})
    other = msgspec.structs.replace(BEFORE, evidence=1.0, denied=False)
    return grade_of(
        kind, Evidence(other, before, weight), Evidence(agreed, after, weight), doubt, THRESHOLDS
    )


@pytest.mark.parametrize(
    ("kind", "before", "after", "grade"),
    [
        (V, 0.01, 0.70, Grade.REPEATS_VANDALISED),
        (V, 0.01, 0.69, Grade.SUGGESTED),
        (V, 0.90, 0.01, Grade.STATES_GOOD),
        (V, 0.60, 0.01, None),
        (V, 0.01, 0.19, None),
        (C, 0.01, 0.70, Grade.REPEATS_CONTESTED),
        (C, 0.90, 0.01, Grade.REPEATS_CONTESTED),
        (C, 0.60, 0.01, Grade.SUGGESTED),
        (C, 0.10, 0.01, None),
    ],
)
def test_the_grade_hangs_on_the_kind_of_fact_and_the_side_stated(
    kind: HotKind, before: float, after: float, grade: Grade | None
) -> None:
    found = graded(kind, before, after)
    assert (found.grade if found else None) == grade


def test_the_nearer_side_wins_where_both_are_likely() -> None:
    found = graded(V, 0.95, 0.90)
    assert found is not None
    assert found.grade is Grade.STATES_GOOD


@pytest.mark.parametrize("kind", [V, C])
def test_who_doubts_or_asks_is_suggested_at_most(kind: HotKind) -> None:
    found = graded(kind, 0.01, 0.99, doubt="debunked")
    assert found is not None
    assert found.grade is Grade.SUGGESTED


@pytest.mark.parametrize("changed", [{"denied": True}, {"evidence": 0.1}])
def test_without_evidence_or_denied_it_is_suggested_at_most(changed: dict[str, Any]) -> None:
    found = graded(V, 0.01, 0.99, **changed)
    assert found is not None
    assert found.grade is Grade.SUGGESTED


def test_a_word_in_common_is_small_talk() -> None:
    found = graded(V, 0.01, 0.99, weight=1.0)
    assert found is not None
    assert found.grade is Grade.SUGGESTED


def test_the_probability_is_of_repeating_what_is_bad() -> None:
    good, fought = graded(V, 0.9, 0.02), graded(C, 0.9, 0.02)
    assert good is not None
    assert fought is not None
    assert (good.probability, fought.probability) == (0.02, 0.9)
