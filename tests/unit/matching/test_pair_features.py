"""One row a side, of agreement only: what is learnt on one article holds on another."""

from __future__ import annotations

import math
import time

import pytest

from streams.matching.pair_features import FALLING, FEATURE_NAMES, RISING, pair_of
from streams.matching.readings import read_statement, sides_of
from streams.stages.episode_facts import mirrored
from tests.unit.matching.facts import BORN_AFTER, BORN_BEFORE, hot


def row(
    said: str, before: str = BORN_BEFORE, after: str = BORN_AFTER, named: bool = True
) -> dict[str, float]:
    sides = sides_of(hot(before, after))
    pair = pair_of(read_statement(said, sides.language), sides, named)
    return dict(zip(FEATURE_NAMES, pair.after_row, strict=True))


def test_both_rows_have_a_value_for_each_name() -> None:
    sides = sides_of(hot())
    pair = pair_of(read_statement(BORN_AFTER, "en"), sides, True)
    assert len(pair.before_row) == len(pair.after_row) == len(FEATURE_NAMES) == len(set(FEATURE_NAMES))
    assert set(FEATURE_NAMES) >= RISING | FALLING
    assert not RISING & FALLING


def test_the_sides_exchanged_exchange_the_rows() -> None:
    fact = hot()
    turned = hot(before=mirrored(fact.fact).before, after=mirrored(fact.fact).after)
    said = read_statement("lincoln was born in 1808", "en")
    one, other = pair_of(said, sides_of(fact), True), pair_of(said, sides_of(turned), True)
    assert one.before_row == pytest.approx(other.after_row, nan_ok=True)
    assert one.after_row == pytest.approx(other.before_row, nan_ok=True)


def test_the_side_that_is_stated_leads() -> None:
    states, contradicts = row(BORN_AFTER), row(BORN_BEFORE)
    assert states["evidence_lead"] == 1.0
    assert contradicts["evidence_lead"] == -1.0
    assert states["near_lead"] > 0 > contradicts["near_lead"]


def test_numbers_that_neither_side_has_are_counted() -> None:
    assert row("Abraham Lincoln was born in 1807")["numbers_foreign"] == 1.0
    assert row("Abraham Lincoln was born in 1808")["numbers_foreign"] == 0.0


def test_what_a_side_does_not_have_is_missing_not_zero() -> None:
    values = row("Lincoln hunted vampires", before="", after="Lincoln hunted vampires.")
    assert math.isnan(values["words_other"])
    assert math.isnan(values["numbers"])
    assert values["evidence_other"] == 0.0


def test_an_empty_statement_or_side_gives_finite_likeness() -> None:
    for values in (row("…"), row("Lincoln", before="Lincoln is here.", after="")):
        assert all(math.isnan(value) or math.isfinite(value) for value in values.values())
        assert values["token_set"] == 0.0


def test_a_pair_is_quick_even_of_the_longest_texts() -> None:
    long = " ".join(f"word{number % 97} in {1000 + number}" for number in range(200))
    sides = sides_of(hot(long[:590], long[:560] + " else 77"))
    said = read_statement(long[:500], "en")
    started = time.process_time()
    for _ in range(50):
        pair_of(said, sides, True)
    assert (time.process_time() - started) / 50 < 0.02
