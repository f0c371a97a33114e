"""Spread of a fact: order within the lateness, repeats, restarts and steps of the watermark change
nothing, and what is counted is what a plain count of the posts that stand gives."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.posts import Post, PostsGone
from streams.records import Alert
from streams.stages.amplification_policy import AmplificationPolicy
from streams.state.amplification import AmplificationState
from streams.state.spread import spread
from streams.state.watermark import LATENESS_S
from tests.amplify_world import HOUR_S, T0, Spreading, post

#: Low thresholds, so that short plans open, double, close and open again.
POLICY = AmplificationPolicy(
    bucket_s=60.0,
    buckets=5,
    posts=4,
    authors=2,
    reach=1_000,
    quiet_s=120.0,
    told_first=2,
    told_every_s=90.0,
    post_open_s=900.0,
)
TEXTS = (
    "Did you know that Lincoln was born in 1808? It says so in the encyclopedia, look it up!",
    "Lincoln was born in 1808",
    "1808: the year of the birth of Abraham Lincoln, sixteenth president of the United States",
)

#: Post by post: seconds after the one before, author, text, reach, and what it reposts, if anything.
PLANS = st.lists(
    st.tuples(
        st.sampled_from((0.0, 0.0, 1.0, 7.0, 29.0, 61.0, 200.0, 1_000.0)),
        st.integers(0, 5),
        st.integers(0, len(TEXTS) - 1),
        st.sampled_from((None, 1, 300, 900, 5_000)),
        st.sampled_from((0, 0, 0, 1, 2)),
    ),
    min_size=1,
    max_size=60,
)
Plan = list[tuple[float, int, int, int | None, int]]


def posts_of(plan: Plan) -> list[Post]:
    found: list[Post] = []
    at = T0 + 10.0
    for number, (step_s, author, text, reach, back) in enumerate(plan):
        at += step_s
        original = found[-back] if back and len(found) >= back else None
        reposted = (original.repost_of or original.post_id) if original is not None else None
        found.append(
            post(
                number,
                at,
                author=f"author {author}",
                text=TEXTS[text],
                reach=reach,
                repost_of=reposted,
            )
        )
    return found


def end_of(posts: Sequence[Post]) -> float:
    return posts[-1].event_time + HOUR_S


def told(
    posts: Sequence[Post], *, correct_at: int = -1, steps: bool = False
) -> tuple[list[Alert], AmplificationState]:
    """What comes of it. Corrected before anything of the hour, or when all posts are in: the revert is
    another stream's, and comes at one place in this one."""
    world = Spreading(POLICY)
    if correct_at == 0:
        world.correct(T0 + 1.0)
    for one in posts:
        world.fold(one)
        if steps:
            world.until(world.watermark.time)
            world.restart()
    end = end_of(sorted(posts, key=lambda one: one.event_time))
    if steps:
        at = world.watermark.time
        while at < end:
            at += 23.0
            world.until(min(at, end))
    world.until(end)
    return world.alerts, world.state


@settings(max_examples=150, deadline=None)
@given(PLANS, st.lists(st.floats(0.0, LATENESS_S - 1.0), min_size=60, max_size=60), st.integers(-1, 0))
def test_any_order_within_the_lateness_gives_the_same_state_and_alerts(
    plan: Plan, late_s: list[float], correct_at: int
) -> None:
    posts = posts_of(plan)
    order = sorted(
        range(len(posts)), key=lambda number: (posts[number].event_time + late_s[number], number)
    )
    shuffled = [posts[number] for number in order]
    assert told(shuffled, correct_at=correct_at) == told(posts, correct_at=correct_at)


@settings(max_examples=100, deadline=None)
@given(PLANS, st.data())
def test_posts_told_again_change_nothing(plan: Plan, data: st.DataObject) -> None:
    posts = posts_of(plan)
    again = list(posts)
    for one in posts:
        if data.draw(st.booleans()):
            at = again.index(one) + 1
            again.insert(data.draw(st.integers(at, min(len(again), at + 9))), one)
    assert told(again) == told(posts)


@settings(max_examples=60, deadline=None)
@given(PLANS)
def test_restarts_and_steps_of_the_watermark_change_nothing(plan: Plan) -> None:
    posts = posts_of(plan)
    assert told(posts, steps=True) == told(posts)


@settings(max_examples=100, deadline=None)
@given(PLANS, st.data())
def test_after_deletions_what_is_left_is_counted_as_if_it_were_all_there_was(
    plan: Plan, data: st.DataObject
) -> None:
    posts = posts_of(plan)
    world = Spreading(POLICY)
    world.fold_all(posts)
    world.until(end_of(posts))
    authors = {one.author for one in posts if data.draw(st.integers(0, 9)) == 0}
    ids = {one.post_id for one in posts if data.draw(st.integers(0, 4)) == 0}
    now = end_of(posts)
    for author in sorted(authors):
        gone = PostsGone(platform="bluesky", author=author, event_time=now, arrival_time=now)
        world.amplifier.gone(world.state, world.fact, gone, now)
    for post_id in sorted(ids):
        gone = PostsGone(platform="bluesky", post_id=post_id, event_time=now, arrival_time=now)
        world.amplifier.gone(world.state, world.fact, gone, now)

    standing: dict[str, Post] = {}
    for one in posts:
        stands = one.author not in authors and one.post_id not in ids
        if stands and (one.repost_of is None or one.repost_of in standing):
            standing[one.post_id] = one
    seen = spread(world.state, now, None)
    reach: dict[str, int] = {}
    for one in standing.values():
        reach[one.author] = max(reach.get(one.author, 0), one.reach or 0)
    assert seen.total_posts == len(standing)
    assert (seen.total_authors, seen.total_reach) == (len(reach), sum(reach.values()))
    assert seen.reposts == sum(1 for one in standing.values() if one.repost_of)
    stored = msgspec.msgpack.encode(world.state)
    assert not any(post_id.encode() in stored for post_id in ids)
    assert not any(author.encode() in stored for author in authors)


@settings(max_examples=100, deadline=None)
@given(PLANS)
def test_every_alert_that_opens_is_closed_in_the_end_and_no_state_is_told_twice(plan: Plan) -> None:
    alerts, state = told(posts_of(plan))
    last = {alert.alert_id: alert.status for alert in alerts}
    assert set(last.values()) <= {"resolved"}
    assert len({alert.ce_id for alert in alerts}) == len(alerts)
    assert state.episode is None
    opened: set[str] = set()
    for alert in alerts:
        assert (alert.alert_id in opened) == (alert.status != "open")
        opened.add(alert.alert_id)
        assert alert.evidence.get("authors", 0) <= alert.evidence.get("posts", 0)  # type: ignore[operator]  # numbers, where they are there
