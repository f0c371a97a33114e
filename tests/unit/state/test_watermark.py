from __future__ import annotations

from streams.state.watermark import LATENESS_S, STEP_S, Watermark
from tests.core_world import DAY, START

YEARS = 3_000 * DAY


def after(*times: float) -> Watermark:
    watermark = Watermark()
    for time in times:
        watermark.advance(time)
    return watermark


def test_it_is_behind_the_newest_by_the_lateness() -> None:
    assert after(START, START + 100, START + 50).time == START + 100 - LATENESS_S


def test_it_never_goes_back_for_a_late_event() -> None:
    assert after(START, START + 50, START + 100, START - 90 * DAY).newest == START + 100


def test_one_clock_off_by_years_does_not_move_it_and_three_do() -> None:
    assert after(START, START + YEARS).newest == START
    assert after(START, START + YEARS, START + YEARS).newest == START
    assert after(START, *[START + YEARS + n for n in (5, 0, 9)]).newest == START + YEARS


def test_the_three_must_come_in_a_row() -> None:
    off = START + YEARS
    assert after(START, off, off, START + 1, off, off, START - 5, off).newest == START + 1


def test_a_step_of_a_day_is_believed_at_once() -> None:
    assert after(START, START + STEP_S).newest == START + STEP_S
    assert after(START, START + STEP_S + 1).newest == START


def test_a_first_event_off_by_years_does_not_set_it_for_good() -> None:
    """A watermark years ahead would settle every suspect at once, and retention would empty the store."""
    assert after(START + YEARS, START, START + 1).newest == START + 1
    assert after(START + YEARS, START + YEARS, START, START + 1).newest == START + 1
    assert after(START - 90 * DAY, START, START + 1, START + 2).newest == START


def test_what_three_events_told_stays() -> None:
    watermark = after(START, START + 1, START + 2)
    for late in (START - 30 * DAY, START - 31 * DAY, START - 32 * DAY, START - 33 * DAY):
        watermark.advance(late)
    assert watermark.newest == START + 2
