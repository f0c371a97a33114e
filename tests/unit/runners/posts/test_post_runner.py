"""Posts beside edits: what is waited for, what is durable when, and that nothing is read twice or lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.errors import BadInput, TooManyDeadLetters
from streams.posts import Post, encode_record
from streams.records import AlertKind
from streams.runners.posts import lanes, post_runner
from streams.runners.posts.post_processor import LATENESS_S
from streams.runners.posts.post_runner import JOIN_S, QUIET_S, InboxFull, PostRunner
from streams.sources.base import SourceItem
from tests.core_world import ListSource, StillClock, items_of_edits, raw_of, told
from tests.post_core_world import ABOUT_POSTS, BAD, GOOD, PostCore, bad_year, says, submitted

REPEATS = AlertKind.POST_REPEATS


def items_of(*posts: Post) -> list[SourceItem]:
    return [SourceItem("", raw=submitted(post)) for post in posts]


def until_read(core: PostCore) -> None:
    """The thread that reads the source has read all of it."""
    for lane in core.runner._lanes:
        assert lane._thread is not None
        lane._thread.join(timeout=30)
        assert not lane._thread.is_alive()


def test_a_post_waits_for_the_edits_of_its_time(tmp_path: Path) -> None:
    world = bad_year()
    post = says("p", "The tower was opened in 1961 by Mira Valdane.", world.now)
    with PostCore(tmp_path, world, sources=[ListSource(items_of(post), "posts")]) as core:
        core.runner.start()
        until_read(core)
        assert not core.pump()
        assert core.store.cursor("posts") is None
        core.edits(world.records)  # the newest is older than the post
        assert not core.pump()
        core.edits([world.edit("Ann", "x", title="Other")])
        assert core.pump()
        assert core.store.cursor("posts") == "1"
        core.pass_time()
        assert told(core.alerts(*ABOUT_POSTS)) == ["post.repeats open"]


def test_where_the_wiki_is_quiet_it_waits_some_seconds(tmp_path: Path) -> None:
    world = bad_year()
    posts = [says(f"p{n}", "The tower was opened in 1961 by Mira Valdane.", world.now) for n in range(3)]
    with PostCore(tmp_path, world, sources=[ListSource(items_of(*posts), "posts")]) as core:
        core.edits(world.records)
        core.runner.start()
        until_read(core)
        assert not core.pump()
        core.now += JOIN_S - 0.1
        assert not core.pump()
        core.now += 0.2
        assert core.pump()
        assert core.store.outcomes()["posts", "processed"] == 3


def test_without_posts_their_time_goes_on_with_that_of_the_edits(tmp_path: Path) -> None:
    world = bad_year()
    with PostCore(tmp_path, world) as core:
        core.edits(world.records)
        core.posts(says("p", "The tower was opened in 1961 by Mira Valdane.", world.now - 30))
        core.edits([world.edit("Ann", "x", title="Other")])
        core.pump()
        assert core.alerts(*ABOUT_POSTS) == []
        core.now += QUIET_S + 1
        core.pump()
        assert told(core.alerts(*ABOUT_POSTS)) == ["post.repeats open"]


def test_what_was_handed_in_is_durable_before_it_is_worked_on(tmp_path: Path) -> None:
    world = bad_year()
    posts = [says(f"p{n}", "The tower was opened in 1961 by Mira Valdane.", world.now) for n in range(3)]
    with PostCore(tmp_path, world) as core:
        core.edits(world.records)
        first, second = core.runner.hand_in(posts[:2]), core.runner.hand_in(posts[2:])
        assert not first.done()
        core.pump()
        assert first.done()
        assert second.done()
        assert core.store.outcomes().get(("http", "processed")) is None
    with PostCore(tmp_path, world) as core:  # it was killed then
        core.pump()
        core.now += JOIN_S + 1
        core.pump()
        assert core.store.outcomes()["http", "processed"] == 3
        assert core.store.handed_in(0, 10) == []
        core.pass_time()
        assert len(core.alerts(REPEATS)) == 3
    with PostCore(tmp_path, world) as core:
        core.pump()
        assert core.store.outcomes()["http", "processed"] == 3


def test_a_full_inbox_refuses_and_takes_again_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(post_runner, "INBOX_POSTS", 3)
    world = bad_year()
    posts = [says(f"p{n}", "hello", world.now) for n in range(4)]
    with PostCore(tmp_path, world) as core:
        core.edits(world.records)
        core.runner.hand_in(posts[:3])
        with pytest.raises(InboxFull):
            core.runner.hand_in(posts[3:])
        core.pump()
        with pytest.raises(InboxFull):
            core.runner.hand_in(posts[3:])  # durable, but not worked on
        core.now += JOIN_S + 1
        core.pump()
        core.pump()
        told_durable = core.runner.hand_in(posts[3:])
        core.pump()
        assert told_durable.done()


def test_who_waits_for_a_commit_that_fails_is_told(tmp_path: Path) -> None:
    world = bad_year()
    with PostCore(tmp_path, world) as core:
        told_durable = core.runner.hand_in([says("p", "hello", world.now)])

        def fail(batch: object) -> None:
            raise OSError("no space")

        with pytest.raises(OSError, match="no space"):
            core.runner.pump(0.0, 0.0, fail)
        assert isinstance(told_durable.exception(timeout=0), OSError)


def test_stopping_refuses_who_still_waits(tmp_path: Path) -> None:
    world = bad_year()
    with PostCore(tmp_path, world) as core:
        told_durable = core.runner.hand_in([says("p", "hello", world.now)])
        core.runner.stop()
        assert isinstance(told_durable.exception(timeout=0), InboxFull)
        with pytest.raises(InboxFull):
            core.runner.hand_in([says("p", "hello", world.now)])


class Broken(ListSource):
    def items(self, cursor: str | None) -> Iterator[SourceItem]:
        yield from super().items(cursor)
        raise BadInput("posts.ndjson is damaged")


def test_a_source_that_is_damaged_ends_the_program_with_what_it_says(tmp_path: Path) -> None:
    world = bad_year()
    with PostCore(tmp_path, world, sources=[Broken([], "posts")]) as core:
        core.runner.start()
        until_read(core)
        with pytest.raises(BadInput, match="damaged"):
            core.pump()


def test_a_source_that_is_mostly_unreadable_stops_the_program(tmp_path: Path) -> None:
    world = bad_year()
    items = [SourceItem("", raw=b"{") for _ in range(400)]
    with PostCore(tmp_path, world, sources=[ListSource(items, "posts")]) as core:
        core.runner = PostRunner(
            sources=[ListSource(items, "posts")],
            store=core.store,
            processor=core.processor,
            dead_letter_limit=0.05,
        )
        core.runner.start()
        until_read(core)
        with pytest.raises(TooManyDeadLetters):
            core.pump()


def test_the_embedded_runner_takes_both_to_their_ends_and_adds_up(tmp_path: Path) -> None:
    world = bad_year()
    world.revert("Bob", to=world.records[0])
    for n in range(3):
        world.edit("Ann", f"{n}", title="Other")
    posts = [
        says(f"p{n}", BAD if n % 2 else GOOD, world.records[1].event_time + n, author=f"a{n}")
        for n in range(30)
    ]
    source = ListSource(items_of(*posts, posts[3]), "posts")
    with PostCore(tmp_path, world, sources=[source]) as core:
        edits = items_of_edits(world.records)
        runner = core.core.runner(ListSource(edits), posts=core.runner, clock=StillClock())
        working = threading.Thread(target=runner.run_live)
        working.start()
        working.join(timeout=30)
        assert not working.is_alive()
        assert core.store.outcomes() == {
            ("ndjson", "processed"): len(world.records),
            ("posts", "processed"): 30,
            ("posts", "skipped_duplicate"): 1,
        }
        assert runner.progress.records == len(world.records)
        assert (runner.progress.posts, runner.progress.posts_matched) == (31, 30)
        assert (core.store.cursor("ndjson"), core.store.cursor("posts")) == (
            str(len(world.records)), "31",
        )  # fmt: skip
        core.pass_time()
        amplified = core.alerts(AlertKind.FACT_AMPLIFIED)
        assert (amplified[0].status, amplified[0].evidence["total_posts"]) == ("open", 10)


def test_a_source_that_is_quiet_but_tells_that_it_lives_does_not_look_lost(tmp_path: Path) -> None:
    def newest(source: str) -> float | None:
        name = "factwatch_last_event_timestamp_seconds"
        return runner._metrics.registry.get_sample_value(name, {"source": source})

    quiet, lost = ListSource([SourceItem("")], "mastodon"), ListSource([], "jetstream")
    with PostCore(tmp_path, bad_year(), sources=[quiet, lost]) as core:
        clock = StillClock(5_000.0)
        runner = core.core.runner(ListSource([]), posts=core.runner, clock=clock)
        core.runner.start()
        until_read(core)
        assert newest("mastodon") is None
        runner.pump()
        clock.time = 6_000.0
        runner.pump()
        assert (newest("mastodon"), newest("jetstream")) == (5_000.0, None)
        assert core.store.outcomes() == {}


def test_dead_letters_of_posts_are_sent_back_to_where_they_came_from(tmp_path: Path) -> None:
    world = bad_year()
    with PostCore(tmp_path, world, sources=[ListSource([], "posts")]) as core:
        core.posts(b"{")
        core.core.take([b"{"])
        assert raw_of(world.records[0])
        with core.store.transaction() as db:
            db.execute("UPDATE dead_letters SET requeued = 1")
            db.execute(
                "UPDATE dead_letters SET raw = ? WHERE source = 'posts'",
                (submitted(says("p", "hello", world.now)),),
            )
        runner = core.core.runner(ListSource([]), posts=core.runner)
        runner.take_requeued()
        assert core.store.outcomes() == {
            ("posts", "processed"): 1,
            ("posts", "dead_lettered"): 0,
            ("ndjson", "dead_lettered"): 1,
        }


def test_large_posts_are_read_ahead_by_their_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "QUEUE_BYTES", 5_000)
    world = bad_year()
    posts = [says(f"p{n}", f"{n} " + "x" * 1_000, world.now) for n in range(40)]
    with PostCore(tmp_path, world, sources=[ListSource(items_of(*posts), "posts")]) as core:
        core.edits(world.records)
        core.runner.start()
        lane = core.runner._lanes[0]
        core.pump()
        assert len(lane.waiting) <= 6
        assert len(lane.items) <= 6
        for _ in range(40):
            core.now += JOIN_S + 1
            core.pump()
            if core.runner.ended:
                break
            time.sleep(0.02)  # for the thread that reads
        assert core.store.outcomes() == {("ndjson", "processed"): 2, ("posts", "processed"): 40}
        assert lane.held == 0
        assert lane._bytes_in == lane._bytes_out > 0


def test_bytes_of_a_platform_that_look_like_ours_are_not_taken_as_ours(tmp_path: Path) -> None:
    world = bad_year()
    forged = encode_record(says("p", "The tower was opened in 1961 by Mira Valdane.", world.now))
    source = ListSource([SourceItem("", raw=forged), SourceItem("", raw=b"", too_large=True)], "posts")
    with PostCore(tmp_path, world, sources=[source]) as core:
        core.edits(world.records)
        core.runner.start()
        until_read(core)
        core.now += JOIN_S + 1
        core.pump()
        assert core.store.outcomes()["posts", "dead_lettered"] == 2
        reasons = core.store.query("SELECT reason, raw FROM dead_letters ORDER BY reason")
        assert reasons == [("schema", forged), ("too_large", b"")]


def test_at_the_end_of_a_file_posts_are_still_taken(tmp_path: Path) -> None:
    world = bad_year()
    with PostCore(tmp_path, world) as core:
        edits = items_of_edits(world.records)
        runner = core.core.runner(ListSource(edits), posts=core.runner, clock=StillClock())
        runner.run_live()
        told_durable = core.runner.hand_in([says("p", "hello", world.now + 9_999)])
        runner.idle()
        assert told_durable.done()
        assert core.store.outcomes()["http", "processed"] == 1
        core.now += QUIET_S + 1
        runner.idle()
        assert core.processor.passed == world.now + 9_999 - LATENESS_S
        runner.close()
        with pytest.raises(InboxFull):
            core.runner.hand_in([says("q", "hello", world.now)])
