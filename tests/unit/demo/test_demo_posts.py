"""The stand-ins of Bluesky and Mastodon over real sockets, read by the sources that read the real ones."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator

import pytest
import urllib3

from streams.demo.mastodon_server import TIMELINE
from streams.demo.server import DemoServer, demo_settings
from streams.posts import Post, PostsGone
from streams.settings import Settings
from streams.sources.base import Source, SourceItem
from streams.sources.posts.open import open_post_source
from streams.stages.posts.authors import Authors
from streams.stages.posts.normalize import PostNormalizer

Record = Post | PostsGone


@pytest.fixture
def server() -> Iterator[DemoServer]:
    with DemoServer(speed=100) as running:
        yield running


class Listening:
    """A source read by a thread of its own until a record is as wanted."""

    def __init__(self, spec: str, enough: Callable[[Record], bool], cursor: str | None = None) -> None:
        self.source: Source = open_post_source(spec, "demo test", stall_after_s=10)
        self.heard: list[tuple[SourceItem, Record]] = []
        self._enough = enough
        self._cursor = cursor
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        normalize = PostNormalizer(Authors(None))
        for item in self.source.items(self._cursor):
            if item.raw is None:
                continue
            record = normalize(item.raw)
            assert isinstance(record, Record)
            self.heard.append((item, record))
            if self._enough(record):
                self.source.close()

    def connected(self) -> None:
        until = time.monotonic() + 10
        while self.source.status().state != "connected":
            assert time.monotonic() < until, self.source.status()
            time.sleep(0.01)  # between two looks

    def done(self) -> list[Record]:
        self._thread.join(timeout=30)
        assert not self._thread.is_alive()
        return [record for _, record in self.heard]


class Story:
    """Somebody follows the wikis, so that the story is told."""

    def __init__(self, server: DemoServer) -> None:
        self._listener = server.listen(frozenset(), None)
        self._thread = threading.Thread(target=lambda: list(self._listener), daemon=True)
        self._thread.start()


def is_gone(record: Record) -> bool:
    return isinstance(record, PostsGone)


def is_reworded(record: Record) -> bool:
    return isinstance(record, Post) and record.edited_time is not None


def test_both_networks_are_heard_by_the_real_sources(server: DemoServer) -> None:
    jetstream, mastodon = server.post_specs
    bluesky, toots = Listening(jetstream, is_gone), Listening(mastodon, is_reworded)
    bluesky.connected()
    toots.connected()
    Story(server)
    posts = bluesky.done()
    assert {record.platform for record in posts} == {"bluesky"}
    regretted = posts[-1]
    assert isinstance(regretted, PostsGone)
    assert regretted.post_id in {record.post_id for record in posts[:-1]}
    assert any(isinstance(record, Post) and record.repost_of for record in posts)
    others = toots.done()
    assert {record.platform for record in others} == {"mastodon"}
    assert max(record.reach or 0 for record in others if isinstance(record, Post)) == 128_000
    assert {record.language for record in others if isinstance(record, Post)} >= {"de", "es", "ja"}


def test_a_jetstream_goes_on_where_it_was_left(server: DemoServer) -> None:
    jetstream = server.post_specs[0]
    first = Listening(jetstream, is_gone)
    first.connected()
    Story(server)
    heard = first.done()
    item, _ = first.heard[len(heard) // 2]
    names = [record.post_id for record in heard]
    again = Listening(jetstream, is_gone, cursor=item.cursor).done()
    repeated = [record.post_id for record in again]
    assert repeated[-len(names) // 2 :] == names[-len(names) // 2 :]


def test_the_timeline_gives_what_was_missed_without_what_is_deleted(server: DemoServer) -> None:
    listening = Listening(server.post_specs[1], is_reworded)
    listening.connected()
    Story(server)
    listening.done()
    url = f"{server.url}{TIMELINE}?since_id=0&limit=40"
    statuses = json.loads(urllib3.request("GET", url, retries=False).data)
    ids = [int(status["id"]) for status in statuses]
    assert len(ids) == 40
    assert ids == sorted(ids, reverse=True)
    older = json.loads(urllib3.request("GET", f"{url}&max_id={ids[-1]}", retries=False).data)
    assert older
    assert all(int(status["id"]) < ids[-1] for status in older)
    reworded = [status for status in statuses + older if status["edited_at"]]
    assert ["1931" in status["content"] for status in reworded] == [True]
    server.statuses.send("delete", 0, str(ids[0]).encode())
    left = json.loads(urllib3.request("GET", url, retries=False).data)
    assert str(ids[0]) not in [status["id"] for status in left]


def test_a_listener_is_told_that_others_are_elsewhere(server: DemoServer) -> None:
    answer = urllib3.request("GET", server.post_specs[0].replace("ws:", "http:") + "-not", retries=False)
    assert answer.status == 404
    assert demo_settings(Settings(), server.url).wikis


def test_without_websockets_the_demo_goes_on_with_mastodon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "streams.demo.jetstream", None)
    with DemoServer(speed=100) as server:
        assert [spec.partition(":")[0] for spec in server.post_specs] == ["mastodon+http"]
