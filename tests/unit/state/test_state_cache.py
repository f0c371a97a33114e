from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from streams.state.cache import StateCache


class Shelf:
    """A store of lists; remembers what it was asked for."""

    def __init__(self) -> None:
        self.written: dict[str, list[int]] = {}
        self.asked: list[str] = []

    def load(self, keys: Sequence[str]) -> dict[str, list[int]]:
        self.asked += keys
        return {key: list(self.written[key]) for key in keys if key in self.written}

    def cache(self, capacity: int, **more: Any) -> StateCache[list[int]]:
        return StateCache(capacity, self.load, lambda key: [0], **more)

    def commit(self, cache: StateCache[list[int]]) -> None:
        self.written.update({key: list(state) for key, state in cache.dirty.items()})
        cache.committed()


def test_nothing_dirty_leaves_and_the_oldest_clean_ones_do() -> None:
    shelf = Shelf()
    cache = shelf.cache(2)
    for key in "abcd":
        cache.touch(key).append(1)
    assert len(cache) == 4
    shelf.commit(cache)
    assert len(cache) == 2
    assert cache.touch("a") == [0, 1]
    cache.touch("c")
    shelf.commit(cache)
    cache.touch("d")
    assert shelf.asked == ["a", "b", "c", "d", "a", "d"]


def test_many_are_fetched_by_one_look() -> None:
    shelf = Shelf()
    shelf.written = {"a": [5], "b": [6]}
    cache = shelf.cache(10)
    cache.prefetch(["a", "b", "a", "new"])
    assert shelf.asked == ["a", "b", "new"]
    assert [cache.touch(key) for key in ("a", "b", "new")] == [[5], [6], [0]]
    assert set(cache.dirty) == {"a", "b", "new"}
    assert shelf.asked == ["a", "b", "new"]


def test_a_weighed_cache_is_bounded_by_weight() -> None:
    shelf = Shelf()
    cache = shelf.cache(10, size_of=len)
    for key in "abc":
        cache.touch(key).extend([1] * 5)
        shelf.commit(cache)
    assert len(cache) == 1
    cache.replace("c", [9])
    cache.touch("d")
    shelf.commit(cache)
    assert len(cache) == 2


def test_what_is_not_worth_its_room_leaves_with_its_commit_and_not_before() -> None:
    shelf = Shelf()
    cache = shelf.cache(10, worth_keeping=lambda state: len(state) > 2)
    cache.touch("once").append(1)
    cache.touch("twice").extend([1, 2])
    assert cache.touch("once") == [0, 1]
    shelf.commit(cache)
    assert len(cache) == 1
    assert cache.touch("once") == [0, 1]
    cache.touch("once").append(2)
    shelf.commit(cache)
    cache.prefetch(["once", "twice"])
    assert shelf.asked == ["once", "twice", "once"]


def test_what_leaves_no_longer_weighs() -> None:
    shelf = Shelf()
    cache = shelf.cache(10, size_of=len, worth_keeping=lambda state: 0 in state)
    cache.touch("a").extend([1] * 8)
    shelf.commit(cache)
    cache.replace("a", [1] * 9)
    shelf.commit(cache)
    for key in "bc":
        cache.touch(key).extend([1] * 4)
        shelf.commit(cache)
    assert len(cache) == 2
