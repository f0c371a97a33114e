"""Nothing of a deleted post is left: not in the topics that are compacted, not on a worker's disk."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from rocksdict import DBCompressionType, Options

from streams.posts import Post, PostsGone
from streams.records import AlertKind, AlertStatus
from streams.topics import HOT_FACTS, PAGE_STATE, POST_STATE, SPREADS
from tests.contract.test_posts_on_both_runners import BAD, Story, texts_of
from tests.core_world import Edit, MarkedScorer, raw_of
from tests.partition_world import Cluster

SECRETS = (b"post of hers", b"her account", b"quoth the raven", b"her.example")


def hers(now: float) -> Post:
    return Post(
        platform="chat", post_id="post of hers", author="her account",
        text="Nevermore, quoth the raven: " + BAD.format("Tower"), url="https://her.example/1",
        event_time=now, arrival_time=now,
    )  # fmt: skip


@pytest.fixture
def spread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Cluster, float]:
    """A vandalised fact that she and others have repeated."""
    monkeypatch.setattr("streams.store.partitions.Options", uncompressed)
    story = Story()
    story.goes_on(0, 0, 0, 1, 0)
    cluster = Cluster(
        tmp_path, MarkedScorer(story.world.risks), partitions=2, attach=texts_of(story.world)
    )
    cluster.ingest(raw_of(event) for event in story.events if isinstance(event, Edit))
    now = story.world.now + 5
    others = [
        msgspec.structs.replace(
            hers(now), post_id=f"p{n}", author=f"a{n}", url="", text=BAD.format("Tower")
        )
        for n in range(3)
    ]
    repost = Post(
        platform="chat", post_id="her repost", author="her account", text="", repost_of="p0",
        event_time=now, arrival_time=now,
    )  # fmt: skip
    cluster.ingest_posts([hers(now), *others, repost])
    cluster.watermark.newest = now
    cluster.heartbeat()
    cluster.post_heartbeat(now + 60)
    cluster.run()
    repeats = [a for a in cluster.alerts() if a.kind is AlertKind.POST_REPEATS]
    assert len(repeats) == 4
    return cluster, now + 60


def uncompressed(raw_mode: bool) -> Options:
    """As what is on disk is, but that it can be searched."""
    options = Options(raw_mode)
    options.set_compression_type(DBCompressionType.none())
    return options


def kept(cluster: Cluster) -> bytes:
    """The compacted topics, after compaction."""
    found = b""
    for topic in (PAGE_STATE.name, POST_STATE.name, HOT_FACTS.name, SPREADS.name):
        for partition in range(cluster.partitions):
            log = cluster.topics.get((topic, partition), [])
            newest = {record.key: record.value for record in log}
            found += b"".join((key or b"") + value for key, value in newest.items() if value)
    return found


def on_disk(directory: Path) -> bytes:
    return b"".join(file.read_bytes() for file in directory.glob("rocks-*/*") if file.is_file())


def erase(cluster: Cluster) -> None:
    for store in cluster.stores.values():
        store.erase()


@pytest.mark.parametrize("whole_account", [False, True])
def test_nothing_is_left_of_a_deleted_post(
    spread: tuple[Cluster, float], tmp_path: Path, whole_account: bool
) -> None:
    cluster, now = spread
    erase(cluster)  # puts it into a file first
    for before in (kept(cluster), on_disk(tmp_path)):
        assert b"quoth the raven" in before
        assert b"her.example" in before
    what = {"author": "her account"} if whole_account else {"post_id": "post of hers"}
    cluster.ingest_posts([PostsGone(platform="chat", event_time=now, arrival_time=now, **what)])
    cluster.post_heartbeat(now + 60)
    cluster.run()
    erase(cluster)
    left = kept(cluster)
    assert not [secret for secret in SECRETS if secret in left]
    assert b"1961" in left
    cluster.close()  # or else the newest are only in its log
    left = on_disk(tmp_path)
    assert not [secret for secret in SECRETS if secret in left]
    assert b"1961" in left
    (settled,) = [
        a for a in cluster.alerts()
        if a.kind is AlertKind.POST_REPEATS and a.status is AlertStatus.RESOLVED
    ]  # fmt: skip
    assert settled.evidence["outcome"] == "deleted"
    assert not settled.posts


def test_a_post_that_comes_after_its_deletion_is_none(spread: tuple[Cluster, float]) -> None:
    cluster, now = spread
    late = msgspec.structs.replace(hers(now), post_id="comes too soon")
    gone = PostsGone(platform="chat", post_id="comes too soon", event_time=now, arrival_time=now)
    cluster.ingest_posts([gone])
    cluster.run()
    for place in list(cluster.units):
        cluster.take_over(place, lost_disk=True)
    cluster.ingest_posts([late])
    cluster.watermark.newest = now
    cluster.heartbeat()
    cluster.post_heartbeat(now + 60)
    cluster.run()
    assert b"comes too soon" not in kept(cluster)
    assert cluster.outcomes("posts")["skipped_duplicate"] == 1
    cluster.close()
