"""However a stream is cut, everything comes, in order; v2 repeats nothing, v1 some seconds a cut."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.sources.backoff import Backoff
from streams.sources.posts.jetstream import JetstreamSource
from tests.jetstream_world import JetstreamWorld, Plan, finish, made_posts, take

PLANS = st.builds(
    Plan,
    most=st.integers(0, 12),
    mid_frame=st.booleans(),
    meanwhile=st.integers(0, 12),
    goodbye=st.sampled_from([None, None, 1000, 1012]),
)


@settings(max_examples=25)
@given(v2=st.booleans(), plans=st.lists(PLANS, max_size=6), restart_after=st.integers(1, 40))
def test_any_cuts_and_a_restart_lose_nothing(v2: bool, plans: list[Plan], restart_after: int) -> None:
    # Who has no place yet is told what happens from then on: the first connection gives one.
    plans = [Plan(most=1), *plans]
    with JetstreamWorld(made_posts(40), v2=v2, plans=plans) as world:
        expected = [world.frame(index) for index in range(40)]
        found: list[bytes] = []
        cursor = None
        for count in (restart_after, 1_000):
            if expected[-1] in found:
                break
            backoff = Backoff(random.Random(1), first_s=0.001, max_s=0.002)
            source = JetstreamSource(world.spec, "t", stall_after_s=5, packed=False, backoff=backoff)
            items = source.items(cursor)
            taken = 0
            while taken < count and expected[-1] not in found:
                (item,) = take(source, items, 1)
                found.append(item.raw or b"")
                cursor = item.cursor
                taken += 1
            finish(source, items)
        cuts = len(world.visits) - 1
    assert list(dict.fromkeys(found)) == expected
    if v2:
        assert found == expected
    else:
        assert len(found) - len(expected) <= 3 * cuts  # frames are two seconds apart, five are repeated
