"""One partition of posts: what it waits for, what it counts, whom it tells."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from streams.kafka.hot_facts import hot_facts_record, progress_record
from streams.matching.matcher import PostText
from streams.posts import HotFact, Match, Post, PostsGone, decode_record, encode_record
from streams.records import Grade
from streams.runners.partitions.fact_replica import FactReplica
from streams.runners.partitions.post_partition import PostPartition
from streams.runners.partitions.wire import PostsSaid, Said, Work, decode_matches
from streams.runners.posts.post_runner import QUIET_S
from streams.stages.posts.authors import Authors
from streams.stages.posts.normalize import PostNormalizer
from streams.state.watermark import LATENESS_S
from streams.store.partitions import PartitionFile
from streams.topics import DEAD_LETTERS, HOT_FACTS, MATCHES, POSTS, POSTS_GONE, Header
from tests.amplify_world import FACT, T0, post
from tests.partition_world import Record

PARTITIONS = 3
LONG_AFTER = T0 + 1e6
PLACE = 2
"""Of the fact's page."""


class Facts(dict[str, HotFact]):
    """In place of the index."""

    def put(self, fact: HotFact) -> None:
        self[fact.hot_id] = fact

    def remove(self, hot_id: str) -> None:
        del self[hot_id]


class Matching:
    """Whoever says 1808 repeats the fact, and 1809 that it was so before; "boom" breaks the stage."""

    def match_many(self, posts: Sequence[PostText]) -> list[tuple[Match, ...]]:
        if any("boom" in one.text for one in posts):
            raise RuntimeError("boom")
        grades = {"1808": Grade.REPEATS_VANDALISED, "1809": Grade.STATES_GOOD}
        return [
            tuple(
                Match(hot_id=FACT.hot_id, grade=grade, probability=1, similarity=1, statement=one.text)
                for word, grade in grades.items()
                if word in one.text
            )
            for one in posts
        ]


class World:
    def __init__(self, directory: Path) -> None:
        self.now = 100.0
        self.facts = Facts()
        self.replica = FactReplica(self.facts, PARTITIONS)
        self.replica.complete = True
        self.store = PartitionFile(directory / "rocks").store("po", 0)
        self.unit = self.start()
        self._offset = 0
        self._changelog = 0

    def start(self) -> PostPartition:
        return PostPartition(
            self.store,
            partition=0,
            partitions=PARTITIONS,
            replica=self.replica,
            matcher=Matching(),
            normalizer=PostNormalizer(Authors(None)),
            now=lambda: self.now,
        )

    def hot(self, *facts: HotFact) -> None:
        out = hot_facts_record("enwiki:Abraham Lincoln", facts, PLACE)
        self.replica.take(PLACE, [Record(out.topic, PLACE, 0, 0, out.key, out.value, out.headers)])

    def edits(self, newest: float, *, but: int | None = None) -> None:
        """Have been decided up to then; all partitions `but` one have told so."""
        for place in range(PARTITIONS):
            if place != but:
                out = progress_record(newest - LATENESS_S, place)
                record = Record(HOT_FACTS.name, place, 0, 0, out.key, out.value, out.headers)
                self.replica.take(place, [record])

    def take(self, *what: Post | PostsGone | bytes | None, newest: float | None = None) -> None:
        stamp = [] if newest is None else [(Header.WATERMARK, repr(newest - LATENESS_S).encode())]
        records = []
        for one in what:
            value = one if isinstance(one, bytes | None) else encode_record(one)
            records.append(Record(POSTS.name, 0, self._offset, 0, b"k", value, list(stamp)))
            self._offset += 1
        self.unit.take(POSTS.name, records)

    def work(self) -> Work | None:
        work = self.unit.work(1_000)
        if work is not None:
            self._changelog += len(work.changes)
            self.store.apply(work.changes, self._changelog)
            self.unit.done()
        return work


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def bundle_of(value: bytes | None) -> PostsSaid:
    bundle = decode_matches(value or b"")
    assert isinstance(bundle, PostsSaid)
    return bundle


def said(work: Work | None) -> dict[int, list[Said]]:
    """By page partition."""
    assert work is not None
    found: dict[int, list[Said]] = {}
    for out in work.outputs:
        if out.topic == MATCHES.name:
            found.setdefault(out.partition, []).extend(bundle_of(out.value).said)
    return {place: saids for place, saids in found.items() if saids}


def other(number: int) -> Post:
    return msgspec.structs.replace(post(number, T0), text="Nothing of the kind.")


def repeats(number: int, at: float, **fields: object) -> Post:
    return msgspec.structs.replace(post(number, at), **{"text": f"Born in 1808. {number}", **fields})


def test_a_post_waits_for_the_edits_of_its_time_everywhere(world: World) -> None:
    world.take(repeats(1, T0 + 10))
    world.hot(FACT)
    world.edits(T0 + 10, but=1)
    assert world.work() is None
    world.edits(T0 + 9.9)
    assert world.work() is None
    assert world.unit.waiting == 1
    world.edits(T0 + 10)
    assert list(said(world.work())) == [PLACE]
    assert world.unit.late == 0


def test_nothing_is_matched_before_the_facts_are_all_here(world: World) -> None:
    world.replica.complete = False
    world.edits(LONG_AFTER)
    world.take(repeats(1, T0 + 10))
    world.now += 1_000
    assert world.work() is None
    world.hot(FACT)
    world.replica.complete = True
    assert list(said(world.work())) == [PLACE]


def test_it_waits_as_long_as_edits_get_on_and_no_longer(world: World) -> None:
    """After an outage edits may be hours behind posts: they are caught up with, not passed over."""
    world.take(repeats(1, T0 + 1_000))
    for second in range(60):
        world.edits(T0 + second)
        world.now += 1
        assert world.work() is None
    world.now += 4.9
    assert world.work() is None
    world.now += 0.2
    world.hot(FACT)
    assert list(said(world.work())) == [PLACE]
    assert world.unit.late == 1


def test_each_record_is_counted_once(world: World) -> None:
    world.edits(LONG_AFTER)
    world.hot(FACT)
    gone = PostsGone(platform="bluesky", post_id="at://p/00009", event_time=T0, arrival_time=T0)
    world.take(
        repeats(1, T0), repeats(1, T0), other(2), msgspec.structs.replace(post(3, T0), text="boom"),
        gone, post(9, T0), b"garbage", None, b'{"platform":"chat","id":"x","text":"","created":1764000000}',
    )  # fmt: skip
    work = world.work()
    assert work is not None
    assert work.figures.outcomes == {
        "processed": 3, "skipped_duplicate": 2, "dead_lettered": 2, "skipped_no_text": 1,
    }  # fmt: skip
    assert world.store.meta.outcomes == work.figures.outcomes
    assert sorted(reason for _, reason in work.figures.dead_letters) == ["not_json", "stage_failed"]
    dead = [out for out in work.outputs if out.topic == DEAD_LETTERS.name]
    assert b"garbage" in [out.value for out in dead]
    assert work.figures.matched == {Grade.REPEATS_VANDALISED: 1}


def test_what_was_seen_is_known_after_a_restart(world: World) -> None:
    world.edits(LONG_AFTER)
    world.take(repeats(1, T0))
    world.work()
    world.unit = world.start()
    assert world.unit.positions == {POSTS.name: 1}
    world.take(repeats(1, T0), repeats(1, T0, edited_time=T0 + 5))
    work = world.work()
    assert work is not None
    assert work.figures.outcomes == {"processed": 1, "skipped_duplicate": 1}


def test_whom_it_tells(world: World) -> None:
    """A post the page of its fact; an edit, a repost without words and a deletion all pages."""
    world.edits(LONG_AFTER)
    world.hot(FACT)
    everyone = list(range(PARTITIONS))

    def told(*what: Post | PostsGone) -> list[int]:
        world.take(*what)
        return sorted(said(world.work()))

    assert told(repeats(1, T0)) == [PLACE]
    assert told(msgspec.structs.replace(post(2, T0), text="It was 1809.")) == []
    assert told(other(3)) == []
    edited = msgspec.structs.replace(post(4, T0), text="Nothing.", edited_time=T0 + 1)
    assert told(edited) == everyone
    assert told(repeats(5, T0, edited_time=T0 + 1)) == everyone
    repost = msgspec.structs.replace(post(6, T0), text="", repost_of="at://p/00001")
    assert told(repost) == everyone
    assert told(PostsGone(platform="bluesky", post_id="p", event_time=T0, arrival_time=T0)) == everyone
    assert told(PostsGone(platform="bluesky", author="a", event_time=T0, arrival_time=T0)) == everyone


def test_words_go_only_where_they_repeat_something(world: World) -> None:
    world.edits(LONG_AFTER)
    world.hot(FACT)
    world.take(repeats(5, T0, edited_time=T0 + 1, links=("https://a.example/",)))
    found = said(world.work())
    texts = {place: [one.post.text for one in saids if one.post] for place, saids in found.items()}
    assert texts == {0: [""], 1: [""], PLACE: ["Born in 1808. 5"]}
    assert {one.post.links for saids in found.values() for one in saids if one.post} == {()}


def test_one_partition_tells_the_archive_of_an_account(tmp_path: Path) -> None:
    gone = PostsGone(platform="bluesky", author="a", event_time=T0, arrival_time=T0)
    told = []
    for partition in range(PARTITIONS):
        world = World(tmp_path / str(partition))
        world.unit._partition = partition
        world.edits(LONG_AFTER)
        world.take(gone)
        work = world.work()
        assert work is not None
        told += [decode_record(o.value or b"") for o in work.outputs if o.topic == POSTS_GONE.name]
    assert told == [gone]


def test_time_goes_on_with_heartbeats_and_without_posts_with_edits(world: World) -> None:
    world.edits(T0)
    world.take(None, newest=T0)
    work = world.work()
    assert work is not None
    assert [(o.topic, o.partition) for o in work.outputs] == [(MATCHES.name, n) for n in range(3)]
    assert {bundle_of(o.value).newest for o in work.outputs} == {T0}
    assert world.work() is None
    world.edits(T0 + 500)
    world.now += 9.9
    assert world.work() is None
    world.now += 0.2
    work = world.work()
    assert work is not None
    assert {bundle_of(o.value).newest for o in work.outputs} == {T0 + 500}


def test_edits_that_are_caught_up_with_are_told_of_once_a_second(world: World) -> None:
    """They bring hours in seconds; what there are posts of is told at once."""
    world.edits(T0)
    world.now += QUIET_S
    assert world.work() is not None
    for hour in range(1, 4):
        world.edits(T0 + 3600 * hour)
        world.now += 0.2
        assert world.work() is None
    world.take(None, newest=T0 + 3600 * 3 + 1)
    assert world.work() is not None
    world.edits(T0 + 3600 * 9)
    world.now += QUIET_S
    work = world.work()
    assert work is not None
    assert {bundle_of(out.value).newest for out in work.outputs} == {T0 + 3600 * 9}


def test_a_long_bundle_is_cut_and_only_its_end_tells_the_time(world: World) -> None:
    world.edits(LONG_AFTER)
    world.hot(FACT)
    posts = [repeats(n, T0, text=f"1808 {n} " + "x" * 60_000) for n in range(10)]
    world.take(*posts, newest=T0)
    work = world.work()
    assert work is not None
    bundles = [bundle_of(o.value) for o in work.outputs if o.partition == PLACE]
    assert len(bundles) > 3
    assert [bundle.newest for bundle in bundles[:-1]] == [0.0] * (len(bundles) - 1)
    assert bundles[-1].newest == T0
    assert max(len(o.value or b"") for o in work.outputs) < 1 << 20


def test_a_fact_told_by_another_page_since_stays_when_the_first_lets_it_go(world: World) -> None:
    """It was moved: both say it is hot, for a while."""
    world.hot(FACT)
    other = hot_facts_record("enwiki:Lincoln", (FACT,), 1)
    world.replica.take(1, [Record(HOT_FACTS.name, 1, 0, 0, other.key, other.value, [])])
    assert world.replica.partition_of(FACT.hot_id) == 1
    world.hot()
    assert world.replica.partition_of(FACT.hot_id) == 1
    assert FACT.hot_id in world.facts
    gone = hot_facts_record("enwiki:Lincoln", (), 1)
    assert gone.value is None
    world.replica.take(1, [Record(HOT_FACTS.name, 1, 1, 0, gone.key, gone.value, [])])
    assert not world.facts
