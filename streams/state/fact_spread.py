"""How far a hot fact has spread, for whoever shows it: what was counted of the posts that repeat it."""

from __future__ import annotations

import msgspec

from streams.posts import HotFact
from streams.records import PostRef
from streams.state.amplification import AmplificationState
from streams.state.spread import spread

#: Steps of a course: what a small chart can show.
STEPS = 24


class Course(msgspec.Struct, frozen=True, gc=False):
    """Posts over event time, in steps of equal length."""

    start: float
    step_s: float
    posts: tuple[int, ...]
    after: tuple[int, ...]
    """Those of them made at or after the correction."""


class FactSpread(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What was counted of the posts that repeat a fact; see `streams.state.spread`."""

    counted_until: float
    """Event time of posts that has passed: later ones wait."""
    posts: int
    authors: int
    reach: int
    """These three in the window of `window_s`."""
    window_s: float
    total_posts: int
    total_authors: int
    total_reach: int
    posts_before: int
    posts_after: int
    """Before the correction, and since."""
    reposts: int
    copied_groups: int
    largest_group: int
    estimated: bool
    course: Course | None
    """Of the posts that are known one by one, the newest 512; None where there is none."""
    named: tuple[PostRef, ...]
    """The widest reach first, at most 50. Untrusted."""


def fact_spread(fact: HotFact, state: AmplificationState | None) -> FactSpread | None:
    """None where no post repeated it."""
    if state is None or state.total == 0:
        return None
    seen = spread(state, state.time, fact.corrected_time)
    return FactSpread(
        counted_until=state.time,
        posts=seen.posts,
        authors=seen.authors,
        reach=seen.reach,
        window_s=state.window.width_s,
        total_posts=seen.total_posts,
        total_authors=seen.total_authors,
        total_reach=seen.total_reach,
        posts_before=seen.posts_before,
        posts_after=seen.posts_after,
        reposts=seen.reposts,
        copied_groups=seen.groups,
        largest_group=seen.largest_group,
        estimated=seen.estimated,
        course=course_of([post.when for post in state.posts.values()], state.time, fact.corrected_time),
        named=state.widest(len(state.named)),
    )


def course_of(times: list[float], end: float, corrected_time: float | None) -> Course | None:
    """Up to `end`, so that a chart shows whether it goes on."""
    if not times:
        return None
    start = min(times)
    step_s = max(1.0, (max(end, max(times)) - start) / STEPS)
    posts, after = [0] * STEPS, [0] * STEPS
    for when in times:
        step = min(int((when - start) / step_s), STEPS - 1)
        posts[step] += 1
        after[step] += corrected_time is not None and when >= corrected_time
    return Course(start, step_s, tuple(posts), tuple(after))
