"""What a running program says of its posts beside its edits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.runners.live_status import RATE_SPAN_S, LiveStatus
from streams.runners.run_figures import Progress
from streams.sources.base import Source, SourceItem, SourceStatus
from streams.store.sqlite import SqliteStore


class Clock:
    time = 1_000.0

    def now(self) -> float:
        return self.time


class Still(Source):
    """A source that says how it is."""

    def __init__(self, name: str, state: str, detail: str = "") -> None:
        self.name = name
        self._status = SourceStatus(state, detail)

    def items(self, cursor: str | None) -> Iterator[SourceItem]:
        yield from ()

    def status(self) -> SourceStatus:
        return self._status

    def close(self) -> None: ...


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "factwatch.sqlite")
    yield opened
    opened.close()


def live(store: SqliteStore, clock: Clock, *of_posts: Source) -> LiveStatus:
    return LiveStatus(
        source=Still("eventstreams", "connected"),
        store=store,
        clock=clock,
        model_version="m",
        wikis=("enwiki",),
        stale_after_s=60,
        content=None,
        post_sources=of_posts,
    )


def test_rates_of_edits_and_of_posts_are_apart(store: SqliteStore) -> None:
    clock = Clock()
    status = live(store, clock)
    assert status.status().hot_facts is None
    clock.time += 10
    status.committed(Progress(records=20, posts=500, hot_facts=7))
    told = status.status()
    assert (told.events_per_s, told.posts_per_s) == (2.0, 50.0)
    assert (told.posts, told.hot_facts) == (500, 7)
    clock.time += RATE_SPAN_S + 1
    assert status.status().posts_per_s == 0.0


def test_a_source_of_posts_that_is_lost_is_told_but_edits_go_on(store: SqliteStore) -> None:
    status = live(
        store, Clock(), Still("jetstream", "connected"), Still("mastodon", "retrying", "no network")
    )
    told = status.status()
    assert [(source.name, source.source.state) for source in told.post_sources] == [
        ("jetstream", "connected"),
        ("mastodon", "retrying"),
    ]
    parts = status.parts()
    assert parts["posts_jetstream"].ok
    lost = parts["posts_mastodon"]
    assert (lost.ok, lost.needed, lost.detail) == (False, False, "retrying: no network")
