"""What one flush of `ingest posts` writes. Pure but for the clock it is given: what a platform sent in,
records for Kafka out. Normalized here, so that the platform's id of an author goes no further."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from streams.clock import Clock
from streams.kafka.cursors import Position
from streams.kafka.records import OutRecord
from streams.kafka.writer import Sending
from streams.partitions import key_bytes, partition_of_bytes, places_in_posts
from streams.posts import Post, PostsGone, decode_record, encode_record
from streams.reasons import DeadReason, Stage
from streams.records import DeadLetter, Skip
from streams.runners.ingest_batch import FlushBatch, position_record
from streams.runners.partitions.dead import reason_headers
from streams.sources.base import SourceItem
from streams.stages.deduplicate import RecentIds
from streams.stages.posts.normalize import NormalizedPost, PostNormalizer
from streams.state.watermark import Watermark
from streams.topics import DEAD_LETTERS, HEARTBEAT_KEY, POSTS, Header

#: Event time of posts handed in after which all partitions are told of it.
HEARTBEAT_S = 1.0


class PostBatchMaker:
    def __init__(self, normalizer: PostNormalizer, partitions: int, clock: Clock) -> None:
        self._normalize = normalizer
        self._partitions = partitions
        self._clock = clock
        self._timestamp_ms = 0
        self._recent: RecentIds[str] = RecentIds()
        self._watermark = Watermark()

    def go_on_from(self, watermark: Watermark) -> None:
        self._watermark = msgspec.structs.replace(watermark)

    def __call__(self, items: Sequence[SourceItem], *, heartbeat: bool = False) -> FlushBatch:
        """`heartbeat`: tell every partition how far time has passed."""
        self._timestamp_ms = int(self._clock.now() * 1_000)
        sendings: list[Sending] = []
        outcomes: dict[str, int] = {}
        for item in items:
            if item.raw is not None:  # else a sign of life: only the cursor moves
                outcome = self._add(sendings, item, item.raw)
                outcomes[outcome] = outcomes.get(outcome, 0) + 1
        if heartbeat:
            sendings += heartbeats(self._watermark, self._partitions, self._timestamp_ms)
        cursor = items[-1].cursor if items else None
        watermark = msgspec.structs.replace(self._watermark)
        written = outcomes.get("written", 0)
        return FlushBatch(sendings, cursor, watermark, sum(outcomes.values()), written, outcomes)

    def position(self, source: str, position: Position) -> Sending:
        return position_record(source, position, self._timestamp_ms)

    def _add(self, sendings: list[Sending], item: SourceItem, raw: bytes) -> str:
        if item.too_large:
            known: NormalizedPost = DeadLetter(
                raw, DeadReason.TOO_LARGE, Stage.SOURCE, "cut", item.cursor[:200]
            )
        else:
            known = self._normalize(raw, item.cursor)
        if isinstance(known, Skip):
            return "skipped"
        if isinstance(known, DeadLetter):
            sendings.append(self._dead(known))
            return "dead_lettered"
        # One that comes again tells nothing new of the time: three make a clock that is off believed.
        if isinstance(known, PostsGone) or self._recent.add(known.key):
            self._watermark.advance(known.event_time)
        sendings += post_sendings(known, self._watermark, self._partitions, self._timestamp_ms)
        return "written"

    def _dead(self, dead: DeadLetter) -> Sending:
        headers = reason_headers(dead, POSTS.name, "", dead.position, self._timestamp_ms / 1_000)
        place = partition_of_bytes(dead.raw, self._partitions)
        return Sending(DEAD_LETTERS.name, place, b"", dead.raw, headers, self._timestamp_ms)


class HandedIn:
    """What is written for posts that were handed in. Where nothing else is ingested, only these tell
    the partitions that time passes: all of them are told, once a second of it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._watermark = Watermark()
        self._told = 0.0

    def __call__(self, records: Sequence[Post | PostsGone], partitions: int) -> list[Sending]:
        timestamp_ms = int(self._clock.now() * 1_000)
        sendings: list[Sending] = []
        for record in records:
            self._watermark.advance(record.event_time)
            sendings += post_sendings(record, self._watermark, partitions, timestamp_ms)
        if self._watermark.newest - self._told >= HEARTBEAT_S:
            self._told = self._watermark.newest
            sendings += heartbeats(self._watermark, partitions, timestamp_ms)
        return sendings


def post_sendings(
    record: Post | PostsGone, watermark: Watermark, partitions: int, timestamp_ms: int
) -> list[Sending]:
    headers = [_told(watermark)]
    value = encode_record(record)
    return [
        Sending(POSTS.name, place, key_bytes(key), value, headers, timestamp_ms)
        for key, place in places_in_posts(record, partitions)
    ]


def sent_back(
    raw: bytes, normalizer: PostNormalizer, partitions: int, *, was_in_posts: bool
) -> list[OutRecord]:
    """A dead letter, for those who work on posts: normalized if it was not and can be now. One that
    never was a post, and still is none, stays where it is: nothing, or it could pass for a record of
    ours."""
    try:
        known: NormalizedPost = decode_record(raw) if was_in_posts else normalizer(raw)
    except msgspec.DecodeError:
        known = normalizer(raw)
    again = [(Header.REQUEUED, b"1")]
    if isinstance(known, Post | PostsGone):
        value = encode_record(known)
        return [
            OutRecord(POSTS.name, place, key_bytes(key), value, list(again))
            for key, place in places_in_posts(known, partitions)
        ]
    if not was_in_posts:
        return []
    return [OutRecord(POSTS.name, partition_of_bytes(raw, partitions), b"", raw, again)]


def heartbeats(watermark: Watermark, partitions: int, timestamp_ms: int) -> list[Sending]:
    """To every partition: how far the time of posts has passed."""
    told = _told(watermark)
    return [
        Sending(POSTS.name, place, HEARTBEAT_KEY, None, [told], timestamp_ms)
        for place in range(partitions)
    ]


def _told(watermark: Watermark) -> tuple[str, bytes]:
    return Header.WATERMARK, repr(watermark.time).encode()
