"""Partitions read one after the other come out as if they had been read at once."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from streams.kafka.by_time import ByTime


def test_a_week_of_one_partition_waits_for_the_first_day_of_the_next() -> None:
    merged: ByTime[str, int] = ByTime(["a", "b"])
    for day in (1, 3, 5):
        merged.add("a", day, day)
    assert merged.take(10) == [], "b may begin before"
    merged.add("b", 2, 2)
    assert merged.take(10) == [1, 2]
    merged.add("b", 6, 6)
    assert merged.take(10) == [3, 5]
    merged.end("a")
    assert not merged.done
    assert merged.take(10) == [6]
    merged.end("b")
    assert merged.done


def test_a_partition_keeps_its_order_whatever_its_times_say() -> None:
    merged: ByTime[str, str] = ByTime(["a", "b"])
    for time, record in ((5, "first"), (1, "second")):
        merged.add("a", time, record)
    merged.add("b", 3, "other")
    merged.end("a")
    merged.end("b")
    assert merged.take(1) == ["other"]
    assert merged.take(5) == ["first", "second"]


def test_an_empty_partition_holds_nobody_up_once_it_has_ended() -> None:
    merged: ByTime[str, int] = ByTime(["a", "b"])
    merged.end("b")
    merged.add("a", 1, 1)
    assert merged.take(5) == [1]
    assert not merged.done
    merged.end("a")
    assert merged.done


@given(
    st.lists(st.lists(st.integers(0, 50), max_size=20).map(sorted), min_size=1, max_size=4),
    st.randoms(use_true_random=False),
    st.integers(1, 7),
)
def test_however_it_is_read_it_comes_out_by_time(
    parts: list[list[int]], rng: random.Random, limit: int
) -> None:
    merged: ByTime[int, int] = ByTime(range(len(parts)))
    left = {where: list(times) for where, times in enumerate(parts)}
    out: list[int] = []
    while not merged.done:
        for where in list(left):
            for _ in range(rng.randint(0, 3)):
                if left[where]:
                    time = left[where].pop(0)
                    merged.add(where, time, time)
            if not left[where]:
                merged.end(where)
                del left[where]
        out += merged.take(limit)
    assert out == sorted(time for times in parts for time in times)
