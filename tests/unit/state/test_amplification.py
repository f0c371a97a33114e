from __future__ import annotations

from hashlib import blake2b

import msgspec
import pytest

from streams.records import Grade, PostRef
from streams.state import distinct
from streams.state.amplification import (
    GROUPS_CAP,
    LET_GO,
    NAMED_CAP,
    POSTS_CAP,
    AmplificationState,
    CountedPost,
    key_digest,
)
from streams.state.event_windows import EventWindow
from streams.state.spread import authors_and_reach, spread

BUCKET_S = 300.0


def hashes(count: int, start: int = 0) -> list[int]:
    return [key_digest(f"author {n}") for n in range(start, start + count)]


def state_of(count: int, *, step_s: float = 1.0, authors: int = 10**9) -> AmplificationState:
    """Posts 1 to `count`, one every `step_s` from event time 0 on."""
    state = AmplificationState("h", EventWindow())
    for n in range(1, count + 1):
        state.time = n * step_s
        author = key_digest(f"author {n % authors}")
        state.count_in(n, CountedPost(author, n * step_s, reach=n), None)
    return state


# The window


def test_what_is_old_leaves_the_window_by_whole_buckets() -> None:
    window = EventWindow(BUCKET_S, 3)
    for when in (0.0, 299.9, 300.0, 899.9):
        window.add(when, 1, 900.0 - 0.1)
    assert window.posts(899.9) == 4
    assert window.posts(900.0) == 2
    assert window.posts(1_199.9) == 2
    assert window.posts(1_200.0) == 1
    assert window.posts(1_500.0) == 0
    assert window.start(900.0) == 300.0
    assert window.next_border(899.9) == 900.0
    assert window.next_border(900.0) == 1_200.0


def test_what_lies_before_the_window_is_not_counted_and_what_lies_ahead_only_then() -> None:
    window = EventWindow(BUCKET_S, 3)
    window.add(299.0, 1, 900.0)
    assert window.buckets == {}
    window.add(901.0, 1, 0.0)
    assert (window.posts(0.0), window.posts(901.0)) == (0, 1)


def test_a_window_holds_no_more_buckets_than_it_is_long() -> None:
    window = EventWindow(BUCKET_S, 12)
    for n in range(1_000):
        window.add(n * BUCKET_S, 1, n * BUCKET_S)
        assert len(window.buckets) <= 12
    assert window.posts(999 * BUCKET_S) == 12


def test_what_is_taken_back_counts_no_more() -> None:
    window = EventWindow(BUCKET_S, 3)
    window.add(10.0, 7, 10.0)
    window.add(20.0, 5, 20.0)
    window.take(10.0, 7)
    assert (window.posts(20.0), window.reach_bound(20.0)) == (1, 5)
    window.take(10_000.0, 1)  # left long ago
    assert window.posts(20.0) == 1


# How many authors


@pytest.mark.parametrize("count", [1, 10, 100, 1_000, 10_000, 100_000])
def test_authors_are_estimated_within_three_standard_errors(count: int) -> None:
    sketch = distinct.added(distinct.EMPTY, hashes(count))
    assert distinct.estimate(sketch) == pytest.approx(count, rel=3 * 0.065)
    assert len(sketch) == 256


def test_an_author_told_again_changes_no_estimate() -> None:
    once = distinct.added(distinct.EMPTY, hashes(50))
    assert distinct.added(once, hashes(50)) == once
    assert distinct.estimate(distinct.EMPTY) == 0


def test_a_union_is_the_sketch_of_all() -> None:
    first = distinct.added(distinct.EMPTY, hashes(300))
    second = distinct.added(distinct.EMPTY, hashes(300, 200))
    assert distinct.united([first, distinct.EMPTY, second]) == distinct.added(
        distinct.EMPTY, hashes(500)
    )
    assert distinct.united([]) == distinct.united([distinct.EMPTY]) == distinct.EMPTY


# What is kept of a fact


def test_each_author_counts_once_at_their_widest() -> None:
    state = state_of(9, authors=2)
    seen = spread(state, 9.0, None)
    assert (seen.posts, seen.authors, seen.reach) == (9, 2, 9 + 8)
    assert authors_and_reach(state, 9.0) == (2, 17)
    assert not seen.estimated


def test_posts_are_known_one_by_one_up_to_a_bound_and_counted_beyond_it() -> None:
    count = 3 * POSTS_CAP
    state = state_of(count)
    assert POSTS_CAP - LET_GO <= len(state.posts) <= POSTS_CAP
    assert state.total == count
    oldest = min(state.posts.values(), key=lambda post: post.when)
    assert state.horizon == (oldest.when - 1.0, int(oldest.when) - 1)
    seen = spread(state, float(count), None)
    assert (seen.posts, seen.total_posts) == (count, count)
    assert seen.total_reach == count * (count + 1) // 2
    assert seen.total_authors == pytest.approx(count, rel=0.2)
    assert seen.authors == pytest.approx(count, rel=0.2)
    assert seen.estimated


def test_authors_of_posts_let_go_leave_the_window_with_them() -> None:
    state = state_of(3 * POSTS_CAP)
    later = 3.0 * POSTS_CAP + 7_200.0
    seen = spread(state, later, None)
    assert (seen.posts, seen.authors, seen.reach) == (0, 0, 0)
    assert seen.total_posts == 3 * POSTS_CAP


def test_posts_let_go_are_told_before_and_after_the_correction() -> None:
    state = AmplificationState("h", EventWindow())
    for n in range(2 * POSTS_CAP):
        state.count_in(n + 1, CountedPost(n, float(n)), 100.0)
    seen = spread(state, 1_000.0, 100.0)
    assert (seen.posts_before, seen.posts_after) == (100, 2 * POSTS_CAP - 100)


def test_a_post_of_the_very_time_of_the_correction_is_after_it() -> None:
    seen = spread(state_of(9), 9.0, 4.0)
    assert (seen.posts_before, seen.posts_after) == (3, 6)


def test_what_is_named_is_bounded_the_widest_stay() -> None:
    state = AmplificationState("h", EventWindow())
    for n in range(200):
        state.name(n, ref(n, reach=(n * 37) % 200))
    assert len(state.named) == NAMED_CAP
    assert [r.reach for r in state.widest(3)] == [199, 198, 197]
    assert [r.reach for r in state.widest(99)] == list(range(199, 199 - NAMED_CAP, -1))


def ref(number: int, reach: int) -> PostRef:
    return PostRef(
        platform="x",
        post_id=str(number),
        author="",
        url="",
        event_time=0.0,
        grade=Grade.REPEATS_VANDALISED,
        probability=1.0,
        reach=reach,
    )


def test_groups_are_bounded_the_smallest_goes() -> None:
    state = AmplificationState("h", EventWindow())
    for n in range(1, GROUPS_CAP + 2):
        state.new_group(n, b"s")
        for copy in range(2 if n != 5 else 1):
            state.count_in(1_000 * n + copy, CountedPost(0, 0.0, group=n), None)
    assert len(state.groups) == GROUPS_CAP
    assert 5 not in state.groups
    state.take_out(5_000)  # of a group that is gone
    assert spread(state, 0.0, None).groups == GROUPS_CAP


def test_a_group_goes_with_its_last_post() -> None:
    state = AmplificationState("h", EventWindow())
    state.new_group(1, b"s")
    for key in (1, 2):
        state.count_in(key, CountedPost(0, 0.0, group=1), None)
    state.take_out(1)
    assert state.groups[1].posts == 1
    state.take_out(2)
    assert state.groups == {}
    assert state.take_out(2) is None


def test_a_state_is_small_and_goes_on_from_what_is_stored() -> None:
    state = state_of(POSTS_CAP)
    stored = msgspec.msgpack.encode(state)
    assert msgspec.msgpack.decode(stored, type=AmplificationState) == state
    assert len(stored) <= 50 * POSTS_CAP
    assert len(msgspec.msgpack.encode(AmplificationState("h", EventWindow()))) < 100


def test_keys_are_digests_that_every_store_and_process_agrees_on() -> None:
    key = key_digest("bluesky\x1fat://p/1")
    assert key == int.from_bytes(blake2b(b"bluesky\x1fat://p/1", digest_size=8).digest()) >> 1
    assert key < 2**63
    assert key_digest("\ud800") != key_digest("\ud801")
