"""When a page partition goes on with the records of a day: when all have told of the days before, or when it
has waited long enough for one that stands still."""

from __future__ import annotations

import pytest

from models.own_calibration import DAY_S, LAG_DAYS
from streams.runners.partitions.own_sums import OwnSumsReplica
from streams.runners.partitions.waiting_edits import DayGate
from streams.store.changelog import Meta

TOLD = 20_000


class World:
    def __init__(self, *, waits: bool = True) -> None:
        self.now = 1_000.0
        self.slowest = 50.0
        self.meta = Meta(own_told=TOLD)
        self.sums = OwnSumsReplica("story", 2, lambda: self.slowest)
        self.sums.complete = True
        self.gate = DayGate(self.meta, self.sums, waits=waits, now=lambda: self.now, patience_s=60.0)

    def after(self, seconds: float) -> bool:
        self.now += seconds
        return self.gate.may_go_on()


@pytest.fixture
def world() -> World:
    return World()


def test_a_day_ends_where_another_has_to_be_told_of() -> None:
    assert World().gate.end == (TOLD + LAG_DAYS + 1) * DAY_S


def test_it_opens_when_all_have_told_and_stays_open_until_the_next_day(world: World) -> None:
    assert not world.after(0)
    world.sums.closed = TOLD
    assert world.after(0)
    world.meta.own_told += 1
    assert not world.after(0)
    world.sums.closed += 1
    assert world.after(0)
    assert world.gate.late == 0


def test_a_start_waits_until_it_has_read_what_was_told(world: World) -> None:
    world.sums.complete, world.sums.closed = False, TOLD
    assert not world.after(0)
    world.sums.complete = True
    assert world.after(0)


def test_the_slowest_is_waited_for_as_long_as_it_gets_on(world: World) -> None:
    assert not world.after(0)
    for _ in range(10):
        world.slowest += 1.0
        assert not world.after(59)
    assert not world.after(59)
    assert world.after(1)
    assert world.gate.late == 1
    assert world.after(0)
    assert world.gate.late == 1


def test_one_that_still_stands_where_it_was_given_up_is_not_waited_for_again(world: World) -> None:
    world.after(0)
    assert world.after(60)
    world.meta.own_told += 1
    assert world.after(0)
    assert world.gate.late == 2
    world.slowest += 1.0  # it is back
    world.meta.own_told += 1
    assert not world.after(0)
    assert not world.after(59)


def test_who_shifts_nothing_waits_for_nobody() -> None:
    world = World(waits=False)
    assert world.after(0)
    assert world.gate.late == 0
