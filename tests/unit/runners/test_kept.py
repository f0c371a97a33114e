"""Which edits have stood for two days."""

from __future__ import annotations

from streams.runners.kept import KeptSweep
from streams.store.batch import KEPT_AFTER_S
from tests.core_world import DAY, START


class Log:
    def __init__(self, *times: float) -> None:
        self.rows = [(row, 1, time) for row, time in enumerate(times, 1)]
        self.looks = 0

    def rows_from(self, row: int, limit: int) -> list[tuple[int, int, float]]:
        self.looks += 1
        return [entry for entry in self.rows if entry[0] >= row][:limit]

    def kept_row(self) -> int:
        return 1


def test_rows_are_due_after_two_days_and_once() -> None:
    log = Log(START, START + 10, START + 20)
    sweep = KeptSweep(log)
    now = START + KEPT_AFTER_S
    assert sweep.due(lambda page: now - 1) is None
    assert sweep.due(lambda page: now) == (1, 2, START)
    assert sweep.due(lambda page: now + 9) is None
    assert sweep.due(lambda page: now + 20) == (2, 4, START + 20)
    assert sweep.due(lambda page: now + 99) is None


def test_what_waits_is_not_looked_for_again() -> None:
    log = Log(START)
    sweep = KeptSweep(log)
    for _ in range(50):
        assert sweep.due(lambda page: START + 5) is None
    assert log.looks == 1


def test_a_history_has_a_time_for_each_page() -> None:
    log = Log(START)
    log.rows = [(1, 7, START), (2, 8, START)]
    sweep = KeptSweep(log)
    assert sweep.due(lambda page: START + 3 * DAY if page == 7 else START) == (1, 2, START)
    assert sweep.due(lambda page: START + 3 * DAY) == (2, 3, START)


def test_one_clock_off_by_years_does_not_hold_up_the_others() -> None:
    sweep = KeptSweep(Log(START + 3_000 * DAY, START, START + 1))
    due = sweep.due(lambda page: START + 3 * DAY)
    assert due is not None
    assert due.below == 4
    assert due.latest == START + 1  # the wrong clock's own edit gets no label
