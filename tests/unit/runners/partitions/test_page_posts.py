"""What a page partition makes of posts, whatever comes in which order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from streams.kafka.hot_facts import read_hot_facts
from streams.posts import Post, PostsGone
from streams.records import AlertKind, Edit
from streams.runners.partitions.page_posts import GO_ON_EVERY_S
from streams.topics import HEARTBEAT_KEY, HOT_FACTS, SPREADS
from tests.contract.test_posts_on_both_runners import BAD, GOOD, Story, texts_of
from tests.core_world import DAY, MarkedScorer, raw_of
from tests.partition_world import Cluster, Record


class Told:
    """A story whose first page was vandalised, on partitions."""

    def __init__(self, directory: Path) -> None:
        self.story = Story()
        self.world = self.story.world
        self.story.goes_on(0, 0, 0, 1, 0)
        self.cluster = Cluster(
            directory, MarkedScorer(self.world.risks), partitions=3, attach=texts_of(self.world)
        )
        self._told = 0
        self.edits()

    def edits(self) -> None:
        """Those that happened since."""
        events, self._told = self.story.events[self._told :], len(self.story.events)
        self.cluster._attach = texts_of(self.world)
        for place in self.cluster.units:
            self.cluster.take_over(place)  # with the texts of now
        self.cluster.ingest(raw_of(event) for event in events if not isinstance(event, Post | PostsGone))
        self.cluster.heartbeat()
        self.cluster.run()

    def posts(self, *posts: Post, then_s: float = 60.0) -> None:
        self.cluster.ingest_posts(posts)
        self.pass_time(then_s)

    def pass_time(self, seconds: float) -> None:
        now = self.world.now = self.world.now + seconds
        self.cluster.watermark.newest = now
        self.cluster.heartbeat()
        self.cluster.post_heartbeat(now)
        self.cluster.run()

    def post(self, text: str = BAD, **fields: Any) -> Post:
        now = self.world.now
        return Post(**{
            "platform": "chat", "post_id": "p", "author": "a", "text": text.format("Tower"),
            "event_time": now, "arrival_time": now, **fields,
        })  # fmt: skip

    def hot(self) -> dict[bytes, int]:
        """How many facts are hot, by page, as the topic says; each page is told of by one partition."""
        records = [one for one in self.cluster.values(HOT_FACTS.name) if one.key != HEARTBEAT_KEY]
        newest = {(record.partition, record.key or b""): record.value for record in records}
        assert len({key for _, key in newest}) == len(newest)
        return {key: len(read_hot_facts(value).facts) for (_, key), value in newest.items() if value}

    def counted(self) -> int:
        return sum(state.total for state in self.cluster.spreads().values())


@pytest.fixture
def told(tmp_path: Path) -> Told:
    return Told(tmp_path)


def test_an_older_version_that_comes_later_changes_nothing(told: Told) -> None:
    first = told.post(GOOD)
    told.posts(
        msgspec.structs.replace(first, text=BAD.format("Tower"), edited_time=first.event_time + 9)
    )
    assert told.counted() == 1
    told.posts(first, msgspec.structs.replace(first, text="Nothing.", edited_time=first.event_time + 4))
    assert told.counted() == 1
    told.posts(msgspec.structs.replace(first, text="Nothing.", edited_time=first.event_time + 20))
    assert told.counted() == 0


def test_a_fact_leaves_when_its_time_is_over_for_edits_and_posts(told: Told) -> None:
    assert told.hot() == {b"enwiki:Tower": 1}
    told.world.now += 600
    told.story.goes_on(0, 0, 0, 1, 0)  # put right
    told.edits()
    told.posts(told.post())
    assert told.hot() == {b"enwiki:Tower": 1}
    told.cluster.watermark.newest = told.world.now + 2 * DAY
    told.cluster.heartbeat()
    told.cluster.run()
    assert told.hot() == {b"enwiki:Tower": 1}  # posts of that day may still come
    told.pass_time(2 * DAY)
    assert told.hot() == {}
    assert told.cluster.spreads() == {}
    known = [post for store in told.cluster.stores.values() for post in store.known_posts()]
    assert known == []
    (settled,) = [
        alert for alert in told.cluster.alerts()
        if alert.kind is AlertKind.POST_REPEATS and "outcome" in alert.evidence
    ]  # fmt: skip
    assert settled.evidence["outcome"] == "old"


def test_what_is_told_of_a_page_is_told_once(told: Told) -> None:
    before = [record for record in told.cluster.values(HOT_FACTS.name) if record.key]
    told.posts(told.post())
    told.pass_time(300)
    assert [record for record in told.cluster.values(HOT_FACTS.name) if record.key] == before


def test_how_far_a_fact_has_spread_is_told_when_it_changes_and_taken_back_when_no_post_says_it(
    told: Told,
) -> None:
    def spread_records() -> list[Record]:
        return [one for one in told.cluster.values(SPREADS.name) if one.key != HEARTBEAT_KEY]

    told.pass_time(300)
    assert spread_records() == []  # nobody has repeated it
    said = told.post()
    told.posts(said)
    (fact,) = told.cluster.facts()
    assert fact.spread is not None
    assert (fact.spread.total_posts, fact.spread.named[0].post_id) == (1, "p")
    before = spread_records()
    told.posts(told.post("Nice day.", post_id="other"))
    told.edits()  # by those who take over, from what is in the changelog
    assert spread_records() == before
    told.posts(msgspec.structs.replace(said, text="Nothing.", edited_time=said.event_time + 20))
    (fact,) = told.cluster.facts()
    assert fact.spread is None
    assert spread_records()[-1].value is None


def test_what_was_told_of_posts_comes_to_be_compacted_while_time_goes_on(told: Told) -> None:
    """Where posts go on, and where edits alone do."""
    told.posts(told.post())
    (place,) = {record.partition for record in told.cluster.values(SPREADS.name) if record.key}
    log = told.cluster.topics[SPREADS.name, place]
    for go_on in (told.cluster.heartbeat, lambda: told.posts(told.post(post_id="q"))):
        before = len(log)
        told.cluster.watermark.newest += 10
        told.cluster.now += GO_ON_EVERY_S
        go_on()
        told.cluster.run()
        assert len(log) > before


def test_time_alone_is_not_written_down_each_time(told: Told) -> None:
    """Every post partition tells every second how far it is."""
    store = told.cluster.stores["pages", 0]
    number = store.meta.number
    for second in range(50):
        told.cluster.post_heartbeat(told.world.now + 2 * second)
        told.cluster.run()
    assert store.meta.number == number


@pytest.mark.parametrize("target", [f"Tower {n}" for n in range(4)])
def test_a_page_that_is_moved_keeps_its_posts(told: Told, target: str) -> None:
    """To whichever partition: who repeated the statement is told when it is put right there."""
    posts = [told.post(post_id=f"p{n}", author=f"a{n}") for n in range(2)]
    told.posts(*posts)
    title = told.world.title
    told.story.events.append(told.world.move(target, title))  # type: ignore[arg-type]  # as good an event
    told.edits()
    told.posts(told.post(post_id="p2", author="a2"))
    told.world.now += 600
    good = next(e for e in told.world.records if isinstance(e, Edit) and e.title == title)
    assert good.content is not None
    told.story.events.append(told.world.edit("Bob", good.content.revision.text, title=target))
    told.edits()
    told.posts(told.post("Nothing."), then_s=3_600)
    told.pass_time(60)
    corrected = [a for a in told.cluster.alerts() if a.kind is AlertKind.FACT_CORRECTED and a.posts]
    assert {post.post_id for alert in corrected for post in alert.posts} == {"p0", "p1", "p2"}
    assert len(told.cluster.spreads()) == 1
    assert sum(told.hot().values()) == 1
