"""Bundles are cut without losing anything, and lanes keep their order and out of each other's way."""

from __future__ import annotations

import asyncio
import logging
from types import SimpleNamespace
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from streams.kafka.bundles import Bundle, Lanes, Progress, split
from streams.kafka.sparing_logs import Sparing

TP = ("changes", 0)


def record(offset: int, size: int = 1) -> Any:
    return SimpleNamespace(
        offset=offset, timestamp=offset * 1_000, serialized_key_size=-1, serialized_value_size=size
    )


def bundle(first: int, last: int, tp: tuple[str, int] = TP) -> Bundle:
    return Bundle(tp, [record(offset) for offset in range(first, last + 1)])


@given(st.lists(st.integers(-1, 300)), st.integers(1, 7), st.integers(1, 500))
def test_split_keeps_all_in_order_within_its_bounds(
    sizes: list[int], max_records: int, max_bytes: int
) -> None:
    records = [record(offset, size) for offset, size in enumerate(sizes)]
    bundles = list(split(TP, records, max_records, max_bytes))
    assert [kept for made in bundles for kept in made.records] == records
    for made in bundles:
        weight = sum(max(kept.serialized_value_size, 0) for kept in made.records)
        assert 1 <= len(made.records) <= max_records
        assert weight <= max_bytes or len(made.records) == 1


def test_split_makes_no_more_bundles_than_it_must() -> None:
    records = [record(offset, 10) for offset in range(10)]
    assert [len(made.records) for made in split(TP, records, 4, 1_000)] == [4, 4, 2]
    assert [len(made.records) for made in split(TP, records, 100, 30)] == [3, 3, 3, 1]


def test_progress_knows_what_is_open_until_it_is_taken_over_or_forgotten() -> None:
    progress = Progress()
    first, second = bundle(0, 9), bundle(10, 19)
    progress.deliver(first)
    progress.deliver(second)
    assert (progress.outstanding(TP), progress.oldest_open(TP)) == (2, 0)
    progress.finish(first)
    assert (progress.outstanding(TP), progress.oldest_open(TP)) == (1, 10)
    assert progress.newest_s == {TP: 9.0}
    assert not progress.knows(first)
    assert progress.knows(second)
    progress.forget()
    progress.finish(second)
    assert (progress.outstanding(TP), progress.oldest_open(TP), progress.newest_s) == (0, None, {})
    assert not progress.knows(second)


async def unexpected(error: BaseException) -> None:
    raise AssertionError(error)


def test_a_lane_keeps_its_order_and_a_waiting_one_holds_up_no_other() -> None:
    async def story() -> list[tuple[str, int]]:
        done: list[tuple[str, int]] = []
        gate = asyncio.Event()

        async def work(made: Bundle) -> None:
            if made.tp == ("edits", 0):
                await gate.wait()
            done.append((made.tp[0], made.first_offset))
            if len(done) == 3:
                gate.set()

        lanes = Lanes(work, unexpected)
        lanes.open()
        for offset in range(3):
            lanes.add(bundle(offset, offset, ("edits", 0)))
            lanes.add(bundle(offset, offset, ("performers", 0)))
        async with asyncio.timeout(5):
            while len(done) < 6:
                await asyncio.sleep(0)
        return done

    assert asyncio.run(story()) == [(topic, n) for topic in ("performers", "edits") for n in range(3)]


def test_work_that_never_waits_leaves_the_other_lanes_their_turn() -> None:
    async def story() -> list[int]:
        done: list[int] = []

        async def work(made: Bundle) -> None:
            done.append(made.tp[1])

        lanes = Lanes(work, unexpected)
        lanes.open()
        for number in range(2):
            for offset in range(3):
                lanes.add(bundle(offset, offset, ("edits", number)))
        async with asyncio.timeout(5):
            while len(done) < 6:
                await asyncio.sleep(0)
        return done

    assert asyncio.run(story()) == [0, 1, 0, 1, 0, 1]


def test_standing_still_finishes_what_is_begun_drops_the_rest_and_cuts_off_what_is_late() -> None:
    async def story() -> None:
        begun: list[int] = []
        ended: list[int] = []
        gate = asyncio.Event()

        async def work(made: Bundle) -> None:
            begun.append(made.first_offset)
            await gate.wait()
            ended.append(made.first_offset)

        lanes = Lanes(work, unexpected)
        lanes.add(bundle(0, 0))  # not open yet
        lanes.open()
        lanes.add(bundle(1, 1))
        lanes.add(bundle(2, 2))
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_later(0.05, gate.set)
        await lanes.stand_still(5)
        lanes.add(bundle(3, 3))
        await asyncio.sleep(0)
        assert (begun, ended) == ([1], [1])

        gate.clear()
        lanes.open()
        lanes.add(bundle(4, 4))
        await asyncio.sleep(0)
        await lanes.stand_still(0.01)
        assert (begun, ended) == ([1, 4], [1])

    asyncio.run(story())


def test_an_error_closes_the_lanes_and_is_told() -> None:
    async def story() -> None:
        told: list[BaseException] = []
        begun: list[int] = []

        async def work(made: Bundle) -> None:
            begun.append(made.first_offset)
            raise ValueError("bad")

        async def failed(error: BaseException) -> None:
            told.append(error)

        lanes = Lanes(work, failed)
        lanes.open()
        lanes.add(bundle(0, 0))
        lanes.add(bundle(1, 1))
        await asyncio.sleep(0.01)
        assert begun == [0]
        assert [str(error) for error in told] == ["bad"]

    asyncio.run(story())


def test_a_complaint_is_let_through_once_in_a_while() -> None:
    sparing = Sparing(every_s=30)

    def passes(text: str, at: float, number: int = 0) -> bool:
        made = logging.LogRecord("aiokafka.conn", logging.ERROR, "", 0, text, (number,), None)
        made.created = at
        return sparing.filter(made)

    assert passes("no answer from %s", 100)
    assert not passes("no answer from %s", 129.9, 2)
    assert passes("something else", 129.9)
    assert passes("no answer from %s", 130)
    for number in range(2_000):
        passes(cast(str, f"size {number}"), 131)
    assert len(sparing._said) <= 500
