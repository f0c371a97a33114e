"""Posts that bear on hot facts, of one page partition: by their digests, in memory and in its changelog."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import TypeVar

from streams.runners.partitions.wire import encode
from streams.store.changelog import Change, KnownPost, key_of

T = TypeVar("T")

#: In one partition; some 500 bytes each. The oldest is let go: its edit or deletion then takes nothing
#: back, as that of a post which is only in the sums of its fact.
KNOWN_CAP = 100_000
#: How many of the oldest are looked at for one to let go.
TRIES = 64


class KnownPosts:
    def __init__(self, posts: Iterable[KnownPost], capacity: int = KNOWN_CAP) -> None:
        self._capacity = capacity
        self._posts: OrderedDict[int, KnownPost] = OrderedDict()
        self._of_author: dict[int, set[int]] = {}
        self._of_fact: dict[str, set[int]] = {}
        self._changed: set[int] = set()
        for post in sorted(posts, key=lambda post: post.event_time):
            self._add(post)

    def __len__(self) -> int:
        return len(self._posts)

    def __contains__(self, key: object) -> bool:
        return key in self._posts

    @property
    def changed(self) -> bool:
        return bool(self._changed)

    def get(self, key: int) -> KnownPost | None:
        return self._posts.get(key)

    def of_author(self, author: int) -> list[int]:
        return list(self._of_author.get(author, ()))

    def put(self, post: KnownPost, named: Callable[[KnownPost], bool]) -> None:
        """`named`: whether something that is kept names it, which its deletion must find."""
        self.pop(post.key)
        self._add(post)
        self._changed.add(post.key)
        tries = 0
        while len(self._posts) > self._capacity and tries < TRIES:
            oldest = next(iter(self._posts.values()))
            tries += 1
            if named(oldest):
                self._posts.move_to_end(oldest.key)
            else:
                self.pop(oldest.key)

    def pop(self, key: int) -> KnownPost | None:
        post = self._posts.pop(key, None)
        if post is None:
            return None
        self._changed.add(key)
        _discard(self._of_author, post.author, key)
        for hot_id in post.hot_ids:
            _discard(self._of_fact, hot_id, key)
        return post

    def fact_left(self, hot_id: str) -> None:
        """It is hot no more: posts that bear on nothing else are forgotten."""
        for key in self._of_fact.pop(hot_id, ()):
            post = self._posts[key]
            post.hot_ids.remove(hot_id)
            self._changed.add(key)
            if not post.hot_ids:
                self.pop(key)

    def changes(self) -> list[Change]:
        """Since it was last asked."""
        keys, self._changed = self._changed, set()
        found: list[Change] = []
        for key in sorted(keys):
            post = self._posts.get(key)
            found.append((key_of("k", key), encode(post) if post is not None else None))
        return found

    def _add(self, post: KnownPost) -> None:
        self._posts[post.key] = post
        self._of_author.setdefault(post.author, set()).add(post.key)
        for hot_id in post.hot_ids:
            self._of_fact.setdefault(hot_id, set()).add(post.key)


def _discard(table: dict[T, set[int]], name: T, key: int) -> None:
    keys = table.get(name)
    if keys is not None:
        keys.discard(key)
        if not keys:
            del table[name]
