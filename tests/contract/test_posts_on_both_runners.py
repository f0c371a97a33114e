"""Posts give the same in one process and in the partitions of Kafka: the same alerts, the same spread of
each fact. Whatever the schedule, the batches and the crashes."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.posts import Post, PostsGone
from streams.records import AlertKind, Edit
from streams.sources.base import SourceItem
from streams.stages.normalize import Normalized
from streams.state.amplification import AmplificationState
from streams.store.facts_query import FactNow, FactsQuery
from streams.store.facts_reader import SqliteFactsReader
from tests.contract.test_both_runners import SHM
from tests.core_world import EditWorld, MarkedScorer, raw_of
from tests.partition_world import AMPLIFICATION, Cluster
from tests.post_core_world import PostCore

TITLES = ("Tower", "Spire", "Mast")
GOOD = "The {} was opened in 1931 by the engineer Mira Valdane and is 300 metres high."
BAD = "The {} was opened in 1961 by the engineer Mira Valdane and is 300 metres high."
STEPS_S = (1.0, 5.0, 30.0, 400.0)

Event = Edit | Post | PostsGone
#: What happens next: what, where, who, how long after, to which of the last posts.
Plan = list[tuple[int, int, int, int, int]]
PLANS = st.lists(
    st.tuples(
        st.integers(0, 11), st.integers(0, 2), st.integers(0, 3), st.integers(0, 3), st.integers(0, 7)
    ),
    min_size=1,
    max_size=60,
)


class Story:
    """A page is vandalised and reverted in turns, and people talk of it."""

    def __init__(self) -> None:
        self.world = EditWorld(step_s=0.0)
        self.events: list[Event] = []
        self._good: dict[str, Edit] = {}
        self._bad: set[str] = set()
        self._posts: list[Post] = []
        for title in TITLES:
            self._good[title] = self._edited("Alice", GOOD.format(title), 0.1, title)
        self.events += self._good.values()

    def goes_on(self, what: int, where: int, who: int, step: int, which: int) -> None:
        self.world.now += STEPS_S[step]
        title, now = TITLES[where], self.world.now
        known = self._posts[-8:][which % len(self._posts[-8:])] if self._posts else None
        if what <= 1:
            self._toggle(title)
        elif what <= 5 or known is None:
            text = (BAD, BAD, GOOD, "Nice day in the park, {}.")[which % 4].format(title)
            self._say(Post(
                platform="chat", post_id=f"p{len(self._posts)}", author=f"a{who}", text=text,
                event_time=now, arrival_time=now, reach=who * 200,
            ))  # fmt: skip
        elif what == 6:
            self._say(Post(
                platform="chat", post_id=f"p{len(self._posts)}", author=f"a{who}", text="",
                event_time=now, arrival_time=now, repost_of=known.post_id,
            ))  # fmt: skip
        elif what == 7 and known.repost_of is not None:
            self.events.append(known)  # of a repost no platform gives a text, edited or not
        elif what == 7:
            self._somebody_else()
            text = (BAD, GOOD)[which % 2].format(title)
            self._say(msgspec.structs.replace(known, text=text, edited_time=now))
        elif what == 8:
            self.events.append(known)
        elif what <= 10:
            self._gone(post_id=known.post_id)
        else:
            self._gone(author=f"a{who}")

    def _toggle(self, title: str) -> None:
        if title in self._bad:
            self._bad.remove(title)
            self.events.append(self.world.revert("Bob", self._good[title], risk=0.1))
        else:
            self._bad.add(title)
            self.events.append(self._edited("192.0.2.7", BAD.format(title), 0.95, title))

    def _edited(self, who: str, text: str, risk: float, title: str) -> Edit:
        self.world.now += 1
        return self.world.edit(who, text, risk=risk, title=title)

    def _say(self, post: Post) -> None:
        self._posts.append(post)
        self.events.append(post)

    def _somebody_else(self) -> None:
        """Says something, so that all know what time it is. Posts tell that when they are made, not when
        they are edited; and of one moment there is no order between partitions."""
        now = self.world.now
        self.events.append(Post(
            platform="chat", post_id=f"at {now}", author="", text="Hm.", event_time=now, arrival_time=now,
        ))  # fmt: skip

    def _gone(self, **what: str) -> None:
        now = self.world.now
        self.events.append(PostsGone(platform="chat", event_time=now, arrival_time=now, **what))


def story_of(plan: Plan) -> Story:
    story = Story()
    for step in plan:
        story.goes_on(*step)
    return story


def texts_of(world: EditWorld) -> Callable[..., list[tuple[SourceItem, Normalized]]]:
    """As the Action API gives them."""
    contents = {record.rev_id: record.content for record in world.records if isinstance(record, Edit)}

    def attach(
        records: Sequence[tuple[SourceItem, Normalized]],
    ) -> list[tuple[SourceItem, Normalized]]:
        return [
            (item, msgspec.structs.replace(known, content=contents[known.rev_id]))
            if isinstance(known, Edit)
            else (item, known)
            for item, known in records
        ]

    return attach


def one_process(directory: Path, story: Story, end: float) -> PostCore:
    """Takes what happens when it happens."""
    core = PostCore(directory, story.world, policy=AMPLIFICATION)
    attach, edits = texts_of(story.world), core.core.processor
    for event in story.events:
        if isinstance(event, Edit):
            items = edits.intake([SourceItem("c", raw_of(event))])
            batch = edits.process(core.core.source, attach(items), None)
            core.processor.edits_decided(batch, edits.final_time)
            core.commit(batch)
        else:
            core.posts(event)
    core.pass_time(end - core.processor.passed - 10.0)
    return core


def seen_of(state: AmplificationState) -> tuple[object, ...]:
    """All of it that a later post, or a person, could see."""
    return (
        state.posts, state.pending, state.named, state.told, state.told_ever, state.folded,
        {key: group.posts for key, group in state.groups.items()}, state.episode and state.episode.alert_id,
        state.episodes, state.follow_up and state.follow_up.sent, state.ended,
    )  # fmt: skip


def of_posts(spreads: dict[str, AmplificationState]) -> dict[str, tuple[object, ...]]:
    """Of the facts that any post repeated."""
    return {
        hot_id: seen_of(state)
        for hot_id, state in spreads.items()
        if state.total or state.told_ever or state.pending
    }


def assert_same(cluster: Cluster, core: PostCore) -> None:
    told = cluster.alerts()
    assert {(a.alert_id, a.ce_id, a.kind, a.status) for a in told} == {
        (a.alert_id, a.ce_id, a.kind, a.status) for a in core.alerts()
    }
    assert len(told) == len({alert.ce_id for alert in told})
    spreads = cluster.spreads()
    expected = core.store.load_spreads([hot_id for _, hot_id in core.store.spread_deadlines()])
    assert of_posts(spreads) == of_posts(expected)
    reader = SqliteFactsReader(core.store.path)
    assert as_told(cluster.facts()) == as_told(reader.facts(FactsQuery(1_000_000)).facts)
    reader.close()


def as_told(facts: list[FactNow]) -> dict[str, FactNow]:
    """By hot_id, but for how far posts had been counted when it was told."""
    told = {}
    for fact in facts:
        spread = fact.spread
        if spread is not None:
            spread = msgspec.structs.replace(spread, counted_until=0.0, course=None)
        assert fact.hot.hot_id not in told
        told[fact.hot.hot_id] = FactNow(hot=fact.hot, spread=spread)
    return told


def run(
    plan: Plan, seed: int, partitions: int, *, crashes: bool, check: Callable[..., None] = assert_same
) -> None:
    story, chance = story_of(plan), random.Random(seed)
    with tempfile.TemporaryDirectory(dir=SHM) as name:
        end = story.world.now + 1_000.0
        core = one_process(Path(name), story, end)
        scorer = MarkedScorer(story.world.risks)
        cluster = Cluster(Path(name), scorer, partitions=partitions, attach=texts_of(story.world))
        for event in story.events:
            if isinstance(event, Edit):
                cluster.ingest([raw_of(event)])
            else:
                cluster.ingest_posts([event])
            if chance.random() < 0.2:
                chance.choice((cluster.heartbeat, cluster.post_heartbeat))()
            for _ in range(chance.randrange(6)):
                place = chance.choice(list(cluster.units))
                cluster.feed(place, chance.choice((1, 2, 100)))
                crash = chance.choice(("", "", "before", "between")) if crashes else ""
                cluster.work(place, chance.choice((1, 3, 100)), crash=crash)
                if crashes and chance.random() < 0.1:
                    cluster.take_over(
                        chance.choice(list(cluster.units)), lost_disk=chance.random() < 0.5
                    )
        # Whoever posts last may wait for the edits of that time.
        cluster.watermark.newest = max(cluster.watermark.newest, story.world.now)
        cluster.heartbeat()
        cluster.run()
        cluster.post_heartbeat(end)
        cluster.run()
        check(cluster, core)
        core.close()
        cluster.close()


@settings(max_examples=60, deadline=None)
@given(PLANS, st.integers(0, 2**32), st.integers(1, 4), st.booleans())
def test_partitions_tell_of_posts_what_one_process_tells(
    plan: Plan, seed: int, partitions: int, crashes: bool
) -> None:
    run(plan, seed, partitions, crashes=crashes)


def test_the_story_has_all_that_is_compared() -> None:
    """Enough happens in it for every kind of alert to be told."""
    kinds: set[AlertKind] = set()

    def look(cluster: Cluster, core: PostCore) -> None:
        assert_same(cluster, core)
        kinds.update(alert.kind for alert in cluster.alerts())

    plan = [(0, 0, 0, 1, 0), *[(2, 0, who, 1, 0) for who in range(4)], (6, 0, 3, 1, 0)]
    plan += [(0, 0, 0, 2, 0), (2, 0, 1, 2, 0), (9, 0, 0, 1, 0), (11, 0, 1, 1, 0)]
    run(plan, 1, 3, crashes=True, check=look)
    assert kinds >= {
        AlertKind.EDIT_SUSPECT, AlertKind.POST_REPEATS, AlertKind.FACT_AMPLIFIED,
        AlertKind.FACT_CORRECTED,
    }  # fmt: skip
