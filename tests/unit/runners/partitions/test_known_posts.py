"""What is known of posts that bear on hot facts, as long as they do."""

from __future__ import annotations

import msgspec

from streams.runners.partitions.known_posts import KnownPosts
from streams.store.changelog import KnownPost, key_of


def known(key: int, *hot_ids: str, author: int = 7) -> KnownPost:
    return KnownPost(key, author, float(key), float(key), list(hot_ids))


def never(post: KnownPost) -> bool:
    return False


def test_a_post_is_forgotten_with_the_last_fact_that_it_bears_on() -> None:
    posts = KnownPosts([])
    posts.put(known(1, "a", "b"), never)
    posts.put(known(2, "b"), never)
    posts.changes()
    posts.fact_left("b")
    assert 2 not in posts
    assert posts.of_author(7) == [1]
    kept, gone = posts.changes()
    assert kept[0] == key_of("k", 1)
    assert msgspec.msgpack.decode(kept[1] or b"", type=KnownPost).hot_ids == ["a"]
    assert gone == (key_of("k", 2), None)
    posts.fact_left("a")
    assert len(posts) == 0
    assert posts.of_author(7) == []
    assert not KnownPosts([]).changed


def test_a_newer_version_takes_the_place_of_the_older() -> None:
    posts = KnownPosts([known(1, "a")])
    posts.put(known(1, "b"), never)
    posts.fact_left("a")
    assert posts.get(1) == known(1, "b")


def test_the_oldest_leave_but_for_those_that_are_named() -> None:
    posts = KnownPosts([], capacity=3)
    for key in range(1, 6):
        posts.put(known(key, "a"), lambda post: post.key == 1)
    assert [key for key in range(1, 6) if key in posts] == [1, 4, 5]
