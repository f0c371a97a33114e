from __future__ import annotations

from streams.stages.deduplicate import RecentIds


def test_an_id_is_new_once() -> None:
    recent = RecentIds(known=["a"])
    assert [recent.add(one) for one in ("a", "b", "b", "c")] == [False, True, False, True]


def test_the_oldest_are_forgotten() -> None:
    recent = RecentIds(3)
    assert all(recent.add(str(number)) for number in range(100))
    assert len(recent) == 3
    assert recent.add("96")
    assert not recent.add("99")


def test_what_a_store_knew_is_bounded_too_as_new_ones_come() -> None:
    recent = RecentIds(3, known=["a", "b", "c"])
    recent.add("d")
    assert len(recent) == 3
    assert recent.add("a")
