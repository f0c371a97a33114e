"""Whichever of the two streams is faster, however they are cut and wherever the program is killed: the same
alerts, each once."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.posts import Post, PostsGone
from streams.runners.posts import post_runner
from streams.sources.base import SourceItem, SourceStatus
from streams.store.batch import Batch
from tests.core_world import EditWorld
from tests.post_core_world import BAD, GOOD, PostCore, gone, says, submitted

YEARS = ("1931", "1961", "1871")


def story() -> tuple[EditWorld, list[Post | PostsGone]]:
    """Two pages are vandalised and mended, one of them twice, and people talk of it meanwhile."""
    world = EditWorld()
    rng = random.Random(5)
    good = world.edit("Alice", GOOD)
    other = world.edit("Cy", "The lake is 48 km long and has two islands.", title="Lake Orrin")
    world.edit("192.0.2.7", BAD, risk=0.95)
    world.edit(
        "192.0.2.9", "The lake is 480 km long and has two islands.", title="Lake Orrin", risk=0.95
    )
    world.revert("Bob", to=good)
    world.edit("192.0.2.8", BAD.replace("1961", "1871"), risk=0.95)
    world.revert("Bob", to=other)
    world.revert("Bob", to=good)
    for n in range(4):
        world.edit("Ann", f"quiet {n}", title="Other")
    first, last = world.records[0].event_time, world.records[-1].event_time
    posts: list[Post | PostsGone] = []
    for n in range(40):
        at = first + (last - first) * n / 40 + rng.random()
        text = (
            f"The tower was opened in {rng.choice(YEARS)} by Mira Valdane, number {n}"
            if n % 3
            else f"Lake Orrin is {rng.choice(('48', '480'))} km long and has two islands, number {n}"
        )
        posts.append(says(f"p{n}", text, at, author=f"a{n % 11}", reach=n * 1_000))
        if n % 9 == 5:
            posts.append(says(f"r{n}", "", at + 0.2, author=f"b{n}", repost_of=f"p{n}"))
        if n % 10 == 7:
            posts.append(gone(at + 0.4, post_id=f"p{n - 4}"))
        if n % 12 == 11:
            old = posts[n - 3]
            if isinstance(old, Post):
                posts.append(msgspec.structs.replace(old, text="never mind", edited_time=at + 0.6))
    posts.append(gone(last, author="a3"))
    return world, posts


class Patient:
    """A source of posts that gives, to whoever reads it, no more than the test lets through."""

    name = "posts"

    def __init__(self, posts: list[Post | PostsGone]) -> None:
        self._items = [SourceItem(str(at + 1), submitted(post)) for at, post in enumerate(posts)]

    def items(self, cursor: str | None) -> Iterator[SourceItem]:
        yield from self._items[int(cursor or 0) :]

    def status(self) -> SourceStatus:
        return SourceStatus("connected")

    def close(self) -> None:
        pass


def told(core: PostCore) -> list[bytes]:
    return sorted(msgspec.json.encode(alert) for alert in core.alerts())


class Killed(Exception):
    pass


def run(directory: Path, plan: list[tuple[str, int]]) -> list[bytes]:
    world, posts = story()
    core = open_at(directory, world, posts)
    edits_done = 0
    for what, many in [*plan, *[("edits", 3)] * 8]:
        if what == "edits":
            batch = world.records[edits_done : edits_done + many]
            if batch:
                core.edits(batch)
                edits_done += len(batch)
        elif what == "posts":
            core.pump()
        else:  # in the middle of a commit, or between two
            try:
                core.runner.pump(
                    core.core.processor.final_time, core.core.processor.newest, killed(core, many)
                )
            except Killed:
                core.runner.stop()
                core.close()
                core = open_at(directory, world, posts)
    core.now += post_runner.JOIN_S + 1
    while not core.runner.ended:
        core.pump()
    core.pass_time(7 * 3_600.0)
    alerts = told(core)
    core.runner.stop()
    core.close()
    return alerts


def killed(core: PostCore, many: int) -> Callable[[Batch], None]:
    """A commit that is durable (`many` odd) or not when the program dies."""

    def commit(batch: Batch) -> None:
        if many % 2:
            core.commit(batch)
        raise Killed

    return commit


def open_at(directory: Path, world: EditWorld, posts: list[Post | PostsGone]) -> PostCore:
    core = PostCore(directory, world, sources=[Patient(posts)])
    core.runner.start()
    for lane in core.runner._lanes:
        assert lane._thread is not None
        lane._thread.join(timeout=30)
    return core


def test_the_story_tells_of_what_it_should(tmp_path: Path) -> None:
    alerts = run(tmp_path, [])
    kinds = {
        kind: sum(kind in alert for alert in alerts) for kind in (b'"post.repeats"', b'"fact.amplified"')
    }
    assert kinds[b'"post.repeats"'] > 10
    assert kinds[b'"fact.amplified"'] > 0


STEPS = st.tuples(st.sampled_from(["edits", "posts", "killed"]), st.integers(1, 4))


@settings(max_examples=12, deadline=None)
@given(st.lists(STEPS, max_size=14))
def test_neither_speed_nor_kills_change_what_is_told(plan: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as whole, tempfile.TemporaryDirectory() as cut:
        assert run(Path(cut), plan) == run(Path(whole), [])
