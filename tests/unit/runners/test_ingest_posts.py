"""What `ingest posts` and `POST /v1/posts` write: normalized, in its place, with the time."""

from __future__ import annotations

import msgspec
import pytest

from streams.kafka.cursors import Position
from streams.kafka.writer import Sending
from streams.partitions import places_in_posts
from streams.posts import Post, PostsGone, decode_record
from streams.runners.ingest_posts import HandedIn, PostBatchMaker, sent_back
from streams.sources.base import SourceItem
from streams.stages.posts.authors import Authors
from streams.stages.posts.normalize import PostNormalizer
from streams.state.watermark import Watermark
from streams.topics import CURSORS, DEAD_LETTERS, POSTS, Header
from tests.core_world import START, StillClock

P = 3
NORMALIZER = PostNormalizer(Authors(b"0123456789abcdef"))


def maker() -> PostBatchMaker:
    return PostBatchMaker(NORMALIZER, P, StillClock())


def item(post_id: str, at: float = START, **fields: object) -> SourceItem:
    body = {"platform": "chat", "id": post_id, "author": "did:plc:me", "text": "Hi.", "created": at}
    return SourceItem(post_id, msgspec.json.encode({**body, **fields}))


def stamps(sendings: list[Sending]) -> list[float]:
    return [float(dict(sending.headers)[Header.WATERMARK]) for sending in sendings]


def test_what_is_said_of_a_post_meets_and_an_account_is_told_everywhere() -> None:
    gone = b'{"platform":"chat","id":"a","deleted":true,"created":%d}' % START
    account = b'{"platform":"chat","author":"did:plc:me","deleted":true,"created":%d}' % START
    edited = item("a", text="Ho.", edited=START + 1)
    batch = maker()([item("a"), edited, SourceItem("x", gone), SourceItem("y", account)])
    assert {sending.topic for sending in batch.sendings} == {POSTS.name}
    places = [sending.partition for sending in batch.sendings]
    assert len(set(places[:3])) == 1
    assert sorted(places[3:]) == [0, 1, 2]
    assert batch.outcomes == {"written": 4}
    known = [decode_record(sending.value or b"") for sending in batch.sendings]
    assert isinstance(known[0], Post)
    assert isinstance(known[3], PostsGone)
    assert known[3].author == known[0].author != ""


def test_the_id_of_an_author_goes_no_further() -> None:
    batch = maker()([item("a")])
    assert not [s for s in batch.sendings if b"did:plc:me" in (s.value or b"") + (s.key or b"")]


def test_what_can_not_be_read_is_kept_as_it_came() -> None:
    items = [SourceItem("7", b"garbage"), SourceItem("8", b"{" * 9, too_large=True), item("a", text="")]
    batch = maker()([*items, SourceItem("9")])
    assert batch.outcomes == {"dead_lettered": 2, "skipped": 1}
    assert (batch.records, batch.routed, batch.cursor) == (3, 0, "9")
    assert [(s.topic, s.value) for s in batch.sendings] == [
        (DEAD_LETTERS.name, b"garbage"),
        (DEAD_LETTERS.name, b"{" * 9),
    ]
    told = [dict(sending.headers) for sending in batch.sendings]
    assert [told[0][f"factwatch.error.{n}"] for n in ("reason", "topic", "offset")] == [
        b"not_json", POSTS.name.encode(), b"7",
    ]  # fmt: skip
    assert told[1]["factwatch.error.reason"] == b"too_large"


def test_time_only_goes_forward_and_all_are_told() -> None:
    make = maker()
    batch = make([item("a", START + 100), item("b", START + 40), item("c", START + 160)], heartbeat=True)
    assert stamps(batch.sendings) == [START + 40, START + 40, *[START + 100] * (1 + P)]
    assert [(s.partition, s.value) for s in batch.sendings[3:]] == [(n, None) for n in range(P)]
    again = maker()
    again.go_on_from(batch.watermark)
    assert stamps(again([item("d", START)]).sendings) == [START + 100]


def test_the_cursor_goes_with_the_posts() -> None:
    make = maker()
    sending = make.position("posts:x", Position(cursor="c", watermark=Watermark(newest=5.0), flush=3))
    assert (sending.topic, sending.key) == (CURSORS.name, b"posts:x")


def test_a_dead_letter_that_can_be_read_now_is_normalized_first() -> None:
    raw = item("a").raw or b""
    (record,) = sent_back(raw, NORMALIZER, P, was_in_posts=False)
    known = decode_record(record.value or b"")
    assert record.partition == places_in_posts(known, P)[0][1]
    assert b"did:plc:me" not in (record.value or b"")
    assert record.headers == [(Header.REQUEUED, b"1")]
    (again,) = sent_back(record.value or b"", NORMALIZER, P, was_in_posts=True)
    assert again.value == record.value
    (broken,) = sent_back(b"garbage", NORMALIZER, P, was_in_posts=True)
    assert broken.value == b"garbage"


def test_nobody_passes_his_own_record_off_as_ours() -> None:
    """A line of a file that looks like what travels is no post of a platform."""
    forged = b'{"post":{"platform":"chat","post_id":"a","author":"raw","text":"x","event_time":1,"arrival_time":1}}'
    batch = maker()([SourceItem("1", forged)])
    assert batch.outcomes == {"dead_lettered": 1}
    assert sent_back(forged, NORMALIZER, P, was_in_posts=False) == []


@pytest.mark.parametrize("apart_s", [0.5, 2.0])
def test_posts_handed_in_tell_everybody_of_time_once_a_second(apart_s: float) -> None:
    make = HandedIn(StillClock())
    first = NORMALIZER(item("a", START).raw or b"")
    second = NORMALIZER(item("b", START + apart_s).raw or b"")
    assert isinstance(first, Post)
    assert isinstance(second, Post)
    assert len(make([first], P)) == 1 + P
    assert len(make([second], P)) == (1 if apart_s < 1 else 1 + P)
