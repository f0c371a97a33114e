"""A post folded into how far the facts have spread that it bears on: what came before of it, or of the post
that it repeats, is in the store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from streams.posts import Match, Post, PostsGone, post_key
from streams.runners.posts.hot_facts import HotFacts
from streams.stages.amplify import Amplifier
from streams.store.batch import Batch, StoredPost
from streams.store.keys import state_id


class StoredPosts(Protocol):
    def load_posts(self, ids: Sequence[int]) -> dict[int, StoredPost]: ...

    def posts_of_author(self, author: int) -> dict[int, StoredPost]: ...


class PostFolding:
    """What changes is in the batch: its alerts, and `of_posts`."""

    def __init__(self, facts: HotFacts, store: StoredPosts, amplifier: Amplifier) -> None:
        self._facts = facts
        self._store = store
        self._amplifier = amplifier

    def told_before(self, posts: Iterable[Post]) -> dict[int, StoredPost]:
        """What is stored of them and of those they repost, in one look."""
        ids: dict[int, None] = {}
        for post in posts:
            ids[state_id(post.key)] = None
            if post.repost_of is not None:
                ids[state_id(post_key(post.platform, post.repost_of))] = None
        return self._store.load_posts(list(ids)) if ids else {}

    def fold(
        self,
        batch: Batch,
        post: Post,
        matches: tuple[Match, ...],
        told: Mapping[int, StoredPost],
        passed: float,
    ) -> None:
        """`told`: what was stored before the batch. `passed`: event time of posts that has passed."""
        changed = batch.of_posts.posts
        post_id = state_id(post.key)
        before = changed[post_id] if post_id in changed else told.get(post_id)
        if before is not None and before.post.version_time > post.version_time:
            return
        held = {match.hot_id: match for match in matches if self._was_hot(match.hot_id, post)}
        affected = list(held)
        if post.repost_of is not None and not held:
            original_id = state_id(post_key(post.platform, post.repost_of))
            original = changed[original_id] if original_id in changed else told.get(original_id)
            if original is not None:  # it counts where that one does; its words are that one's
                matches = original.matches
                affected = [match.hot_id for match in matches]
        if before is not None:
            affected += [match.hot_id for match in before.matches if match.hot_id not in affected]
        for hot_id in affected:
            fact = self._facts.get(hot_id)
            if fact is not None:
                state = self._facts.spread(hot_id)
                batch.alerts += self._amplifier.fold(state, fact, post, held.get(hot_id), passed)
        for match in held.values():
            batch.matched[match.grade] = batch.matched.get(match.grade, 0) + 1
        kept = tuple(held.values()) or (matches if post.repost_of is not None else ())
        if kept:
            changed[post_id] = StoredPost(post, kept)
        elif before is not None:
            changed[post_id] = None

    def _was_hot(self, hot_id: str, post: Post) -> bool:
        fact = self._facts.get(hot_id)
        return fact is not None and (fact.expires is None or post.event_time < fact.expires)

    def _stored(self, batch: Batch, post_id: int) -> StoredPost | None:
        if post_id in batch.of_posts.posts:
            return batch.of_posts.posts[post_id]
        return self._store.load_posts((post_id,)).get(post_id)

    def forget(self, batch: Batch, gone: PostsGone, passed: float) -> None:
        posts = batch.of_posts.posts
        batch.of_posts.gone = True
        found: dict[int, StoredPost | None]
        if gone.post_id is not None:
            post_id = state_id(post_key(gone.platform, gone.post_id))
            found = {post_id: self._stored(batch, post_id)}
        else:
            author = gone.author or ""
            found = dict(self._store.posts_of_author(state_id(post_key(gone.platform, author))))
            found |= {
                post_id: stored
                for post_id, stored in posts.items()
                if stored is None
                or (stored.post.platform, stored.post.author) == (gone.platform, author)
            }
        affected: dict[str, None] = {}
        for post_id, stored in found.items():
            if stored is not None:
                affected.update((match.hot_id, None) for match in stored.matches)
                posts[post_id] = None
        for hot_id in affected:
            fact = self._facts.get(hot_id)
            if fact is not None:
                state = self._facts.spread(hot_id)
                batch.alerts += self._amplifier.gone(state, fact, gone, passed).alerts
