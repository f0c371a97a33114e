"""A wiki's own settled edits shift the model there: enough of them, and nothing that was not known yet."""

from __future__ import annotations

import numpy as np
import pytest

from models import figures
from models.classifier import log_odds_of, probability_of
from models.own_calibration import (
    CENTRE,
    DAY_S,
    LAG_DAYS,
    LEAST_SLOPE,
    NO_SHIFT,
    SHAPE,
    OwnHistory,
    Shift,
    bin_of,
    bins_of,
    followed,
    shift_of,
)

EDITS = 20_000


class Wiki:
    """Edits of a year, scored by a model that knows other wikis, and what became of each."""

    def __init__(self, truth: Shift, edits: int = EDITS, seed: int = 1) -> None:
        random = np.random.default_rng(seed)
        self.log_odds = random.normal(-2.5, 1.5, edits)
        self.anonymous = random.random(edits) < 0.4
        self.event_time = np.sort(random.random(edits)) * 365 * DAY_S
        chance = probability_of(truth.of(self.log_odds, self.anonymous))
        self.reverted = random.random(edits) < chance

    def error(
        self, log_odds: np.ndarray[tuple[int], np.dtype[np.float64]], since_days: int = 0
    ) -> float:
        late = self.event_time >= since_days * DAY_S
        return figures.calibration_error(self.reverted[late], probability_of(log_odds[late]))

    def followed(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return followed(self.log_odds, self.anonymous, self.reverted, self.event_time)


def cells(
    edits: int, reverted: int, log_odds: float = -2.0
) -> np.ndarray[tuple[int, int, int], np.dtype[np.float64]]:
    found = np.zeros(SHAPE)
    at = int(bins_of(np.array([log_odds]))[0])
    found[0, at] = edits - reverted, reverted
    return found


def test_a_wiki_that_reverts_more_than_the_model_thinks_is_followed() -> None:
    wiki = Wiki(Shift(0.8, 1.4, 0.0))
    assert wiki.error(wiki.log_odds) > 0.08
    assert wiki.error(wiki.followed(), since_days=60) < 0.02


def test_a_wiki_whose_reverts_are_less_sure_is_followed() -> None:
    wiki = Wiki(Shift(0.5, 0.5, -0.5))
    assert wiki.error(wiki.log_odds) > 0.03
    assert wiki.error(wiki.followed(), since_days=60) < 0.02


def test_a_wiki_like_those_learnt_from_is_left_nearly_as_it_is() -> None:
    wiki = Wiki(NO_SHIFT)
    assert np.abs(wiki.followed() - wiki.log_odds).mean() < 0.15
    assert wiki.error(wiki.followed()) < 0.015


def test_what_became_of_an_edit_is_not_known_before_its_48_hours_are_over() -> None:
    """Turning the outcome of a day's edits changes no score before the third day after."""
    wiki = Wiki(Shift(1.0, 1.0, 0.0), edits=2_000)
    before = wiki.followed()
    day = np.floor(wiki.event_time / DAY_S)
    wiki.reverted = np.where(day == 200, ~wiki.reverted, wiki.reverted)
    after = wiki.followed()
    changed = np.flatnonzero(before != after)
    assert len(changed)
    assert day[changed].min() == 200 + LAG_DAYS
    assert (LAG_DAYS - 1) * DAY_S >= 48 * 3_600


def test_few_reverts_shift_little_and_none_nothing() -> None:
    few, many = shift_of(cells(5, 2)), shift_of(cells(2_000, 800))
    assert 0 < few.registered < 0.5 * many.registered
    assert shift_of(cells(2_000, 0)) == NO_SHIFT
    assert shift_of(np.zeros(SHAPE)) == NO_SHIFT


def test_the_shift_found_is_the_one_that_makes_the_rate_right() -> None:
    log_odds = -1.75  # middle of a bin
    shift = shift_of(cells(90_000, 30_000, log_odds))
    told = probability_of(shift.of(np.array([log_odds]), np.array([False])))
    assert told[0] == pytest.approx(1 / 3, abs=0.005)


def test_what_is_seen_of_one_kind_of_editor_moves_the_other_less() -> None:
    shift = shift_of(cells(5_000, 2_000))
    assert 0 < shift.anonymous < shift.registered


@pytest.mark.parametrize("outcome", [0, 1])
@pytest.mark.parametrize("at", [0, 12, 23])
def test_outcomes_all_alike_give_finite_shifts_that_keep_the_order(outcome: int, at: int) -> None:
    found = np.zeros(SHAPE)
    found[:, at, outcome] = 1e9
    found[0, 3, 1] = 1.0
    shift = shift_of(found)
    assert np.isfinite(shift).all()
    assert shift.slope >= LEAST_SLOPE
    ordered = shift.of(np.linspace(-10, 10, 50), np.zeros(50, dtype=bool))
    assert (np.diff(ordered) > 0).all()


def test_outcomes_that_contradict_the_model_never_turn_the_order_round() -> None:
    found = np.zeros(SHAPE)
    found[:, 2, 1] = 10_000.0
    found[:, 20, 0] = 10_000.0
    assert shift_of(found).slope >= LEAST_SLOPE > -1


def test_a_slope_leaves_the_centre_where_it_is() -> None:
    shifted = Shift(0.1, 0.2, 0.5).of(np.array([CENTRE, CENTRE + 1]), np.array([False, True]))
    assert shifted == pytest.approx([CENTRE + 0.1, CENTRE + 1.7])


def test_the_recent_past_weighs_more() -> None:
    def after(first: int, second: int) -> Shift:
        history = OwnHistory()
        history.day(0)[0, 12] = 1_000 - first, first
        history.day(1_500)[0, 12] = 1_000 - second, second
        return history.shift(1_503)

    assert after(500, 100).registered < after(100, 500).registered


def test_what_is_remembered_is_bounded_so_that_a_busy_wiki_forgets_faster() -> None:
    def shifted(of_a_day: float, last: int) -> float:
        history = OwnHistory()
        for day in range(40):
            history.day(day)[0, 12] = (
                of_a_day * (0.5 if day < last else 0.9),
                of_a_day * (0.5 if day < last else 0.1),
            )
        return history.shift(43).registered

    busy, quiet = shifted(50_000, last=30), shifted(100, last=30)
    assert busy < quiet


def test_when_it_is_asked_changes_nothing() -> None:
    """A wiki that had no edits for some days closes all of them at once."""
    often, once = OwnHistory(), OwnHistory()
    for day in range(30):
        for history in (often, once):
            history.day(day)[day % 2, 10 + day % 5] = 20.0 + day, day % 7
        often.shift(day)
    assert often.shift(33) == once.shift(33)
    assert not often.open_days


def test_any_order_of_the_rows_gives_the_same() -> None:
    wiki = Wiki(Shift(1.0, 0.5, 0.2), edits=500)
    order = np.random.default_rng(3).permutation(500)
    mixed = followed(
        wiki.log_odds[order], wiki.anonymous[order], wiki.reverted[order], wiki.event_time[order]
    )
    assert (mixed == wiki.followed()[order]).all()


def test_one_edit_is_in_the_bin_it_has_among_many() -> None:
    risks = np.concatenate((np.random.default_rng(2).random(2_000), [0.0, 1e-15, 1e-6, 1.0 - 1e-9, 1.0]))
    assert [bin_of(risk) for risk in risks.tolist()] == bins_of(log_odds_of(risks)).tolist()


def test_no_edits_give_none() -> None:
    nothing = np.zeros(0)
    assert not len(followed(nothing, nothing.astype(bool), nothing.astype(bool), nothing))
