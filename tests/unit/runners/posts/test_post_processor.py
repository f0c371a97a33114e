"""Posts held against hot facts, told of, and forgotten: one story at a time, with the real matcher."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import msgspec
import pytest

from streams.matching.matcher import Matcher, PostText
from streams.posts import Match
from streams.records import AlertKind, Grade
from streams.runners.posts.post_processor import LATENESS_S
from streams.stages.amplification_policy import AmplificationPolicy
from streams.store.retention import EVERY, Retention
from tests.core_world import START, told
from tests.post_core_world import ABOUT_POSTS, GOOD, PostCore, bad_year, gone, pair_model, says

REPEATS = AlertKind.POST_REPEATS
#: Of the revision with the wrong year.
HOT_SINCE = START + 60.0


def test_a_post_that_repeats_what_was_just_vandalised_is_told_of(tmp_path: Path) -> None:
    world = bad_year()
    with PostCore(tmp_path, world) as core:
        core.edits(world.records)
        core.posts(
            says("bad", "Did you know the tower was opened in 1961?! By Mira Valdane", world.now),
            says("bad too", "The Tower was opened in 1961 by the engineer Mira Valdane.", world.now),
            says("good", "The Tower was opened in 1931 by the engineer Mira Valdane.", world.now),
            says("other", "My cat was born in 1961 and is 300 metres long.", world.now),
        )
        assert told(core.alerts(*ABOUT_POSTS)) == []  # their time has not passed yet
        core.pass_time()
        alerts = core.alerts(*ABOUT_POSTS)
        (suspect,) = core.alerts(AlertKind.EDIT_SUSPECT)
        assert told(alerts) == ["post.repeats open"] * 2
        assert {post.post_id for alert in alerts for post in alert.posts} == {"bad", "bad too"}
        (ref,) = alerts[0].posts
        assert ref.grade is Grade.REPEATS_VANDALISED
        assert alerts[0].related == (suspect.alert_id,)
        assert alerts[0].last_good_rev_id == 1_001


def test_batch_borders_and_restarts_change_nothing(tmp_path: Path) -> None:
    def run(name: str, batch: int, *, restart: bool) -> list[bytes]:
        world = bad_year()
        at = world.now
        posts = [
            says(f"p{n}", f"The tower was opened in {1961 if n % 3 else 1931} by Mira Valdane, {n}",
                 at + n, reach=n * 100)
            for n in range(24)
        ]  # fmt: skip
        posts[7] = msgspec.structs.replace(posts[4], text=GOOD, edited_time=at + 7)
        core = PostCore(tmp_path / name, world)
        core.edits(world.records)
        for first in range(0, len(posts), batch):
            if restart:
                core.close()
                core = PostCore(tmp_path / name, world)
            core.posts(*posts[first : first + batch])
        core.edits([world.revert("Bob", to=world.records[0])])
        core.pass_time(3_600.0)
        core.pass_time(30 * 3_600.0)
        alerts = [msgspec.json.encode(alert) for alert in core.alerts(*ABOUT_POSTS)]
        core.close()
        return sorted(alerts)

    whole = run("whole", 100, restart=False)
    assert any(b"fact.amplified" in alert for alert in whole)
    assert run("single", 1, restart=False) == whole
    assert run("restarted", 5, restart=True) == whole


def test_a_revert_is_followed_by_the_posts_that_it_touches(tmp_path: Path) -> None:
    world = bad_year()
    with PostCore(tmp_path, world) as core:
        core.edits(world.records)
        core.posts(says("early", "The tower was opened in 1961 by Mira Valdane.", world.now - 30))
        core.pass_time()
        core.edits([world.revert("Bob", to=world.records[0])])
        core.posts(says("late", "The tower was opened in 1961, says Mira Valdane.", world.now + 60))
        core.pass_time()
        corrected = core.alerts(AlertKind.FACT_CORRECTED)
        assert len({alert.alert_id for alert in corrected}) == 1
        assert [sorted(ref.post_id for ref in alert.posts) for alert in corrected] == [
            [], ["early"], ["early", "late"],
        ]  # fmt: skip
        last = corrected[-1].evidence
        assert (last["posts_before"], last["posts_after"]) == (1, 1)


def test_what_was_kept_by_the_wiki_is_held_against_nobody(tmp_path: Path) -> None:
    world = bad_year()
    with PostCore(tmp_path, world) as core:
        core.edits(world.records)
        assert len(core.index) == 1
        world.wait(49 * 3_600.0)
        core.edits([world.edit("Ann", f"{n}", title="Other") for n in range(4)])
        assert len(core.index) == 0
        core.posts(says("p", "The tower was opened in 1961 by Mira Valdane.", world.now))
        core.pass_time()
        assert core.alerts(*ABOUT_POSTS) == []
    with PostCore(tmp_path, world) as core:
        assert len(core.index) == 0


def test_an_alert_of_a_page_that_moved_ends_its_facts_all_the_same(tmp_path: Path) -> None:
    world = bad_year()
    with PostCore(tmp_path, world) as core:
        core.edits(world.records)
        core.edits([world.move("Tower of Selwyn")])
        core.edits([world.edit("192.0.2.7", "A tower of lies.", risk=0.95)])
        core.edits([world.edit("Bob", GOOD)])
        assert len(core.index) > 0
        assert all(fact.corrected_time is not None for fact in core.index)


def test_a_post_edited_so_that_it_repeats_nothing_is_forgotten(tmp_path: Path) -> None:
    world = bad_year()
    with PostCore(tmp_path, world) as core:
        core.edits(world.records)
        post = says("p", "The tower was opened in 1961 by Mira Valdane.", world.now)
        core.posts(post)
        core.pass_time()
        core.posts(msgspec.structs.replace(post, text=GOOD, edited_time=world.now + 30))
        core.posts(post)  # the older state, told again
        core.pass_time()
        assert told(core.alerts(*ABOUT_POSTS)) == ["post.repeats open", "post.repeats resolved"]
        resolved = core.alerts(REPEATS)[-1]
        assert resolved.evidence["outcome"] == "edited"


def bytes_of(directory: Path) -> bytes:
    """Everything that lies in the directory of the store, the write-ahead log included."""
    return b"".join(path.read_bytes() for path in sorted(directory.iterdir()) if path.is_file())


@pytest.mark.parametrize("how", ["post", "author", "handed in", "unmatched", "retention"])
def test_nothing_of_a_deleted_post_is_left_in_the_file(tmp_path: Path, how: str) -> None:
    marks = (b"zanzibar-mark", b"very-own-post-id", b"author-under-test")
    world = bad_year()
    text = "The tower was opened in 1961 by Mira Valdane. zanzibar-mark"
    post = says("very-own-post-id", text if how != "unmatched" else "zanzibar-mark", world.now,
                author="author-under-test", reach=200_000)  # fmt: skip
    with PostCore(tmp_path, world, policy=AmplificationPolicy(posts=2, authors=1)) as core:
        core.edits(world.records)
        if how in ("handed in", "unmatched"):
            told_durable = core.runner.hand_in([post])
            core.pump()
            assert told_durable.done()
            core.now += 10
            core.pump()
        else:
            core.posts(post)
        core.posts(says("other", "The tower was opened in 1961, by Mira Valdane!", world.now + 1))
        core.pass_time()
        core.edits([world.revert("Bob", to=world.records[0])])
        core.pass_time()
        if how != "unmatched":
            kinds = {alert.kind for alert in core.alerts() if alert.posts}
            assert kinds == {REPEATS, AlertKind.FACT_AMPLIFIED, AlertKind.FACT_CORRECTED}
        assert all(mark in bytes_of(tmp_path) for mark in marks)
        if how == "retention":
            world.wait(26 * 3_600.0)  # the fact is hot no more, and nobody counts its posts
            core.edits([world.edit("Ann", f"{n}", title="Other") for n in range(4)])
            retention = Retention(core.store, 30, post_retention_days=1)
            for _ in range(EVERY):
                retention.committed(world.now + 86_400.0, 0.0)
        elif how == "author":
            core.posts(gone(world.now, author="author-under-test"))
        else:
            core.posts(gone(world.now, post_id="very-own-post-id"))
        left = bytes_of(tmp_path)
        assert [mark for mark in marks if mark in left] == []
        if how != "retention":
            named = {ref.post_id for alert in core.alerts() for ref in alert.posts}
            assert named == {"other"}
    assert not any(mark in bytes_of(tmp_path) for mark in marks)


def test_a_deletion_that_comes_before_its_post_holds(tmp_path: Path) -> None:
    world = bad_year()
    with PostCore(tmp_path, world) as core:
        core.edits(world.records)
        core.posts(gone(world.now, post_id="p"))
        core.posts(says("p", "The tower was opened in 1961 by Mira Valdane.", world.now))
        core.pass_time()
        assert core.alerts(*ABOUT_POSTS) == []


def test_reposts_count_and_go_with_their_original(tmp_path: Path) -> None:
    world = bad_year()
    with PostCore(tmp_path, world, policy=AmplificationPolicy(posts=4, authors=3)) as core:
        core.edits(world.records)
        core.posts(
            says("p", "The tower was opened in 1961 by Mira Valdane.", world.now),
            *(says(f"r{n}", "", world.now + 1 + n, repost_of="p") for n in range(4)),
        )
        core.pass_time()
        (amplified,) = core.alerts(AlertKind.FACT_AMPLIFIED)
        assert (amplified.evidence["posts"], amplified.evidence["reposts"]) == (4, 3)
        core.posts(gone(world.now, post_id="p"))
        core.pass_time(7_200.0)
        last = core.alerts(AlertKind.FACT_AMPLIFIED)[-1]
        assert last.status == "resolved"
        assert last.posts == ()


class Choosy:
    """A matcher that some posts are too much for."""

    def __init__(self, matcher: Matcher) -> None:
        self._matcher = matcher

    def match_many(self, posts: list[PostText]) -> list[tuple[Match, ...]]:
        if any("poison" in post.text for post in posts):
            raise ZeroDivisionError("poison")
        return self._matcher.match_many(posts)


def test_a_post_that_a_stage_can_not_take_is_a_dead_letter_with_its_bytes(tmp_path: Path) -> None:
    world = bad_year()
    core = PostCore(tmp_path, world)
    core.processor._matcher = Choosy(Matcher(core.index, pair_model()))  # type: ignore[assignment]  # of its one method
    core.edits(world.records)
    core.posts(
        says("p", "The tower was opened in 1961 by Mira Valdane.", world.now),
        says("q", "poison", world.now),
        b"{not a post",
        says("p", "The tower was opened in 1961 by Mira Valdane.", world.now),
        says("r", "nothing", world.now),
    )
    core.pass_time()
    assert told(core.alerts(*ABOUT_POSTS)) == ["post.repeats open"]
    assert core.store.outcomes() == {
        ("ndjson", "processed"): 2,
        ("posts", "processed"): 2,
        ("posts", "skipped_duplicate"): 1,
        ("posts", "dead_lettered"): 2,
    }
    core.close()
    with sqlite3.connect(tmp_path / "core.sqlite") as db:
        letters = db.execute("SELECT stage, reason, raw FROM dead_letters ORDER BY reason").fetchall()
    assert [(stage, reason) for stage, reason, _ in letters] == [
        ("normalize", "not_json"), ("match", "stage_failed"),
    ]  # fmt: skip
    assert letters[0][2] == b"{not a post"
    assert b"poison" in letters[1][2]


def test_what_waits_for_its_time_is_told_after_a_restart_too(tmp_path: Path) -> None:
    world = bad_year()
    with PostCore(tmp_path, world) as core:
        core.edits(world.records)
        core.posts(says("p", "The tower was opened in 1961 by Mira Valdane.", world.now))
    with PostCore(tmp_path, world) as core:
        assert core.processor.passed == world.now - LATENESS_S
        core.pass_time()
        assert told(core.alerts(*ABOUT_POSTS)) == ["post.repeats open"]


def test_nothing_is_kept_of_a_fact_that_is_hot_no_more(tmp_path: Path) -> None:
    world = bad_year()
    with PostCore(tmp_path, world) as core:
        core.edits(world.records)
        core.posts(says("p", "The tower was opened in 1961 by Mira Valdane.", world.now))
        core.pass_time()
        core.edits([world.revert("Bob", to=world.records[0])])
        assert core.store.query("SELECT count(*) FROM spreads") == [(1,)]
        world.wait(25 * 3_600.0)
        core.edits([world.edit("Ann", f"{n}", title="Other") for n in range(4)])
        assert core.alerts(*ABOUT_POSTS)[-1].status == "resolved"
        core.pass_time(8 * 86_400.0)
        for table in ("spreads", "hot_pages"):
            assert core.store.query(f"SELECT count(*) FROM {table}") == [(0,)], table
