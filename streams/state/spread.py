"""How far a fact has spread, read off what is known of its posts."""

from __future__ import annotations

import msgspec

from streams.state import distinct
from streams.state.amplification import AmplificationState


class Spread(msgspec.Struct, frozen=True, gc=False):
    """How far one fact has spread. `reach` counts each author once, at their widest."""

    posts: int
    authors: int
    reach: int
    """These three in the window."""
    total_posts: int
    total_authors: int
    total_reach: int
    posts_after: int
    """At or after the correction."""
    reposts: int
    groups: int
    """Of two near-duplicate posts or more."""
    largest_group: int
    estimated: bool
    """Authors are counted exactly up to `POSTS_CAP` posts, then estimated by HyperLogLog (6.5 %); reach
    is then an upper bound."""

    @property
    def posts_before(self) -> int:
        return self.total_posts - self.posts_after


def spread(state: AmplificationState, now: float, corrected_time: float | None) -> Spread:
    window, start = state.window, state.window.start(now)
    in_window: dict[int, int] = {}
    ever: dict[int, int] = {}
    after = reposts = 0
    for post in state.posts.values():
        author, reach = post.author, post.reach
        if reach > ever.get(author, -1):
            ever[author] = reach
        if post.when >= start and reach > in_window.get(author, -1):
            in_window[author] = reach
        if corrected_time is not None and post.when >= corrected_time:
            after += 1
        if post.original:
            reposts += 1
    sizes = [group.posts for group in state.groups.values() if group.posts > 1]
    return Spread(
        posts=window.posts(now),
        authors=_authors(in_window, window.older_authors(now)),
        reach=sum(in_window.values()) + window.older_reach(now),
        total_posts=state.total,
        total_authors=_authors(ever, state.older_authors),
        total_reach=sum(ever.values()) + state.older_reach,
        posts_after=after + state.older_after,
        reposts=reposts + state.older_reposts,
        groups=len(sizes),
        largest_group=max(sizes, default=0),
        estimated=state.older_posts > 0,
    )


def authors_and_reach(state: AmplificationState, now: float) -> tuple[int, int]:
    """Of the window: what an episode is opened and closed by."""
    start = state.window.start(now)
    reach_of: dict[int, int] = {}
    for post in state.posts.values():
        if post.when >= start and post.reach > reach_of.get(post.author, -1):
            reach_of[post.author] = post.reach
    authors = _authors(reach_of, state.window.older_authors(now))
    return authors, sum(reach_of.values()) + state.window.older_reach(now)


def _authors(known: dict[int, int], older: bytes) -> int:
    if not older:
        return len(known)
    return max(len(known), distinct.estimate(distinct.added(older, known)))
