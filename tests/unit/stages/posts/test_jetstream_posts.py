"""Bluesky's frames to posts, of both protocols."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from streams.posts import Post, PostsGone
from streams.reasons import DeadReason, SkipReason
from streams.records import DeadLetter, Skip
from streams.stages.posts.authors import Authors
from streams.stages.posts.normalize import NormalizedPost, PostNormalizer
from tests.jetstream_world import START_US, Event, as_v2, deletion_of, made_post, recorded

AUTHORS = Authors(b"a key of tests..")
ARRIVAL = START_US / 1e6
DID = "did:plc:somebody"
BOTH = pytest.mark.parametrize("v2", [False, True], ids=["v1", "v2"])


def normalized(event: Event, v2: bool = False) -> NormalizedPost:
    raw = json.dumps(as_v2(event, 7) if v2 else event).encode()
    return PostNormalizer(AUTHORS)(raw, "here")


def post_with(v2: bool = False, operation: str = "create", **record: Any) -> NormalizedPost:
    event = made_post(1, time_us=START_US, did=DID)
    event["commit"]["operation"] = operation
    event["commit"]["record"] |= record
    return normalized(event, v2)


def a_post(v2: bool = False, operation: str = "create", **record: Any) -> Post:
    found = post_with(v2, operation, **record)
    assert isinstance(found, Post)
    return found


@BOTH
def test_recorded_frames(shared_data: Path, v2: bool) -> None:
    events = recorded(shared_data)
    found = [normalized(event, v2) for event in events]
    assert Counter(type(record) for record in found) == {Post: 32, PostsGone: 1, Skip: 119}
    for event, post in zip(events, found, strict=True):
        if not isinstance(post, Post):
            continue
        did, commit = event["did"], event["commit"]
        record = commit["record"]
        assert post.post_id == f"at://{did}/{commit['collection']}/{commit['rkey']}"
        assert post.author == AUTHORS("bluesky", did)
        assert post.arrival_time == pytest.approx(event["time_us"] / 1e6, abs=1e-6)
        assert post.event_time == datetime.fromisoformat(record["createdAt"]).timestamp()
        assert post.language == (record["langs"][0] if "langs" in record else None)
        assert post.reply_to == (record["reply"]["parent"]["uri"] if "reply" in record else None)
        if post.repost_of is not None:
            assert (post.repost_of, post.text) == (record["subject"]["uri"], "")
        else:
            assert post.text == record["text"].strip()
            assert set(post.links) == set(links_of(record))
            assert post.url == f"https://bsky.app/profile/{did}/post/{commit['rkey']}"
    posts = [record for record in found if isinstance(record, Post)]
    assert sum(post.repost_of is not None for post in posts) == 15
    assert any(post.reply_to is not None for post in posts)
    assert any(post.links for post in posts)


def links_of(body: Any) -> list[str]:
    """All addresses of the web that are anywhere in a record."""
    if isinstance(body, dict):
        own = [body["uri"]] if str(body.get("uri", "")).startswith("http") else []
        return own + [link for value in body.values() for link in links_of(value)]
    return [link for value in body for link in links_of(value)] if isinstance(body, list) else []


@BOTH
def test_a_post_names_its_links_its_parent_and_what_it_quotes(v2: bool) -> None:
    quoted = "at://did:plc:other/app.bsky.feed.post/3k"
    post = a_post(
        v2,
        text="Look here",
        facets=[
            {
                "index": {"byteStart": 0, "byteEnd": 4},
                "features": [
                    {"$type": "app.bsky.richtext.facet#link", "uri": "https://a.example/1"},
                    {"$type": "app.bsky.richtext.facet#link", "uri": "ftp://a.example/2"},
                    {"$type": "app.bsky.richtext.facet#mention", "did": "did:plc:m"},
                    {"$type": "app.bsky.richtext.facet#tag", "tag": "x"},
                ],
            }
        ],
        embed={
            "$type": "app.bsky.embed.recordWithMedia",
            "record": {"$type": "app.bsky.embed.record", "record": {"cid": "b", "uri": quoted}},
            "media": {
                "$type": "app.bsky.embed.external",
                "external": {"uri": "https://b.example/2", "title": "t", "description": ""},
            },
        },
        reply={"root": {"uri": "at://r"}, "parent": {"cid": "c", "uri": "at://did:plc:p/x/1"}},
    )
    assert post.links == ("https://a.example/1", "https://b.example/2")
    assert post.quote_of == quoted
    assert post.reply_to == "at://did:plc:p/x/1"


def test_a_quote_without_media() -> None:
    quoted = "at://did:plc:other/app.bsky.feed.post/3k"
    embed = {"$type": "app.bsky.embed.record", "record": {"cid": "b", "uri": quoted}}
    assert a_post(embed=embed).quote_of == quoted
    feed = {
        "$type": "app.bsky.embed.record",
        "record": {"uri": "at://did:plc:o/app.bsky.feed.generator/k"},
    }
    assert a_post(embed=feed).quote_of is None


@BOTH
def test_an_edit_keeps_when_it_was_made_and_tells_when_it_was_changed(v2: bool) -> None:
    post = a_post(v2, "update", createdAt="2024-01-01T00:00:00Z", text="other words")
    assert (post.event_time, post.edited_time) == (1_704_067_200.0, ARRIVAL)
    assert a_post(v2, "update", text="").text == ""  # what was said before must go


@BOTH
def test_a_repost_says_whose_and_nothing_itself(v2: bool) -> None:
    event = made_post(1, time_us=START_US, did=DID)
    subject = "at://did:plc:other/app.bsky.feed.post/3k"
    event["commit"] |= {
        "collection": "app.bsky.feed.repost",
        "record": {"createdAt": "2026-07-04T14:38:06.240Z", "subject": {"cid": "b", "uri": subject}},
    }
    post = normalized(event, v2)
    assert isinstance(post, Post)
    assert (post.repost_of, post.text) == (subject, "")
    assert post.url == "https://bsky.app/profile/did:plc:other/post/3k"
    gone = normalized(deletion_of(event, START_US), v2)
    assert isinstance(gone, PostsGone)
    assert gone.post_id == post.post_id == f"at://{DID}/app.bsky.feed.repost/3made00000001"


@BOTH
@pytest.mark.parametrize(
    ("account", "gone"),
    [
        ({"active": False, "status": "deleted"}, True),
        ({"active": False, "status": "takendown"}, True),
        ({"active": False, "status": "suspended"}, True),
        ({"active": False, "status": "deactivated"}, True),
        ({"active": False}, True),
        ({"active": False, "status": None}, True),
        ({"active": False, "status": "throttled"}, False),
        ({"active": False, "status": "desynchronized"}, False),
        ({"active": True}, False),
        ({"active": True, "status": "deleted"}, False),
    ],
)
def test_posts_of_an_account_that_may_not_be_shown_go(
    account: dict[str, Any], gone: bool, v2: bool
) -> None:
    event = {"did": DID, "time_us": START_US, "kind": "account", "account": {"did": DID, **account}}
    found = normalized(event, v2)
    if gone:
        author = AUTHORS("bluesky", DID)
        assert found == PostsGone(
            platform="bluesky", event_time=ARRIVAL, arrival_time=ARRIVAL, author=author
        )
        assert a_post().author == author
    else:
        assert found == Skip(SkipReason.NOT_A_POST)


@BOTH
@pytest.mark.parametrize(
    ("told", "event_time"),
    [
        ("2026-07-04T14:38:06.240Z", 1783175886.24),
        ("2026-07-04T16:38:06.240+02:00", 1783175886.24),
        ("2026-07-04T14:39:07Z", 1783175947.0),
        ("2026-07-04T14:39:09Z", ARRIVAL),
        ("2026-07-03T14:38:09Z", 1783089489.0),
        ("2026-07-03T14:38:07Z", ARRIVAL),
        ("2006-01-01T00:00:00Z", ARRIVAL),
        ("9999-12-31T23:59:59Z", ARRIVAL),
        ("0001-01-01T00:00:00+14:00", ARRIVAL),
        ("soon", ARRIVAL),
        ("", ARRIVAL),
        (None, ARRIVAL),
    ],
)
def test_a_post_is_of_its_arrival_where_its_time_cannot_be(
    told: str | None, event_time: float, v2: bool
) -> None:
    assert a_post(v2, createdAt=told).event_time == event_time


@BOTH
def test_pictures_alone_are_no_text(v2: bool) -> None:
    found = post_with(v2, text="", embed={"$type": "app.bsky.embed.images", "images": []})
    assert found == Skip(SkipReason.NO_TEXT)
    card = {"$type": "app.bsky.embed.external", "external": {"uri": "https://a.example/x"}}
    assert a_post(v2, text="", embed=card).links == ("https://a.example/x",)


@pytest.mark.parametrize(
    "odd",
    [
        {"facets": 5},
        {"facets": [{"features": [{"uri": 5}]}]},
        {"facets": [{"features": [{"$type": "app.bsky.richtext.facet#link", "uri": 5}]}]},
        {"embed": "x"},
        {"embed": {"record": 5}},
        {"embed": {"record": {"uri": "x" * 5_000}}},
        {"embed": {"external": {"uri": None}}},
        {"reply": []},
        {"reply": {"parent": {"uri": "a\nb"}}},
        {"langs": []},
        {"langs": ["<script>"]},
        {"langs": ["x" * 40]},
    ],
)
def test_an_odd_part_takes_nothing_from_the_text(odd: dict[str, Any]) -> None:
    post = a_post(**{"text": "still read", **odd})
    assert (post.text, post.links, post.reply_to, post.quote_of) == ("still read", (), None, None)


def test_one_odd_link_takes_nothing_from_the_others() -> None:
    link = {"$type": "app.bsky.richtext.facet#link"}
    features = [
        {**link, "uri": {}},
        {"$type": "of.tomorrow", "uri": 5},
        {**link, "uri": "https://a.example/"},
    ]
    assert a_post(facets=[{"features": features}]).links == ("https://a.example/",)


def test_text_is_bounded_and_without_control_characters_but_as_written() -> None:
    post = a_post(text="\u202eright to left\u200b\r\nsecond\x00\x1b[2J\u009b line\ud83d\ude00".encode(
        "utf-16", "surrogatepass").decode("utf-16"))  # fmt: skip
    assert post.text == "\u202eright to left\u200b\nsecond[2J line\U0001f600"
    assert len(a_post(text="x" * 1_000_000).text) == 20_000


def test_of_ten_thousand_links_the_first_64_are_kept() -> None:
    feature = {"$type": "app.bsky.richtext.facet#link"}
    facets = [{"features": [{**feature, "uri": f"https://a.example/{n}"}]} for n in range(10_000)]
    links = a_post(facets=facets).links
    assert links == tuple(f"https://a.example/{n}" for n in range(64))


def changed(path: str, value: Any) -> Event:
    event = made_post(1, time_us=START_US, did=DID)
    place: Any = event
    *parents, last = path.split(".")
    for name in parents:
        place = place[name]
    place[last] = value
    return event


@BOTH
@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("did", "did:plc:" + "x" * 300, DeadReason.SCHEMA),
        ("did", "not a did", DeadReason.SCHEMA),
        ("did", "did:plc:a/../b", DeadReason.SCHEMA),
        ("commit.rkey", "../x", DeadReason.SCHEMA),
        ("commit.rkey", "", DeadReason.SCHEMA),
        ("commit.rkey", "x" * 500, DeadReason.SCHEMA),
        ("commit.operation", "sing", DeadReason.SCHEMA),
        ("commit.record", None, DeadReason.SCHEMA),
        ("commit.record", {}, DeadReason.SCHEMA),
        ("commit.record", {"text": 5}, DeadReason.SCHEMA),
        ("time_us", 0, DeadReason.BAD_TIME),
    ],
)
def test_a_broken_post_is_a_dead_letter_with_its_bytes(
    path: str, value: Any, reason: DeadReason, v2: bool
) -> None:
    event = changed(path, value)
    found = normalized(event, v2)
    assert isinstance(found, DeadLetter)
    assert (found.reason, found.stage, found.position) == (reason, "normalize", "here")
    assert json.loads(found.raw) == (as_v2(event, 7) if v2 else event)


@BOTH
def test_what_is_no_post_is_skipped_whatever_it_holds(v2: bool) -> None:
    like = made_post(1)
    like["commit"] |= {"collection": "app.bsky.feed.like", "record": {"text": 5}, "rkey": "/"}
    identity = {"did": DID, "time_us": START_US, "kind": "identity", "identity": {"handle": "a.example"}}
    for event in (like, identity, {**identity, "kind": "sync", "sync": {}}):
        assert normalized(event, v2) == Skip(SkipReason.NOT_A_POST)


def test_frames_of_v2_that_are_no_messages() -> None:
    normalize = PostNormalizer(AUTHORS)
    info = b'{"$type":"message","payload":{"$type":"n#info","name":"OutdatedCursor"}}'
    assert normalize(info) == Skip(SkipReason.NOT_A_POST)
    broken = normalize(b'{"$type":"error","error":"ConsumerTooSlow"}')
    assert isinstance(broken, DeadLetter)


def test_fields_in_another_order_are_the_same_frame() -> None:
    event = made_post(1)
    turned = dict(reversed(event.items()))
    assert normalized(turned) == normalized(event)
    normalize = PostNormalizer(AUTHORS)
    frame = as_v2(event, 7)
    assert normalize(json.dumps(dict(reversed(frame.items()))).encode()) == normalized(event, v2=True)
