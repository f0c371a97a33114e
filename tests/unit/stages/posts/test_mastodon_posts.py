"""Mastodon's events, as the source wraps them, to posts."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import lxml.html
import pytest

from streams.posts import Post, PostsGone
from streams.reasons import DeadReason, SkipReason
from streams.records import DeadLetter, Skip
from streams.stages.posts.authors import Authors
from streams.stages.posts.mastodon import BACKFILL, wrapped
from streams.stages.posts.normalize import NormalizedPost, PostNormalizer
from tests.mastodon_world import made_status, recorded_statuses

AUTHORS = Authors(b"a key of tests..")
ARRIVAL = datetime(2026, 10, 15, 20, 0, tzinfo=UTC).timestamp()
HOST = "social.example"


def normalized(status: Any, event: str = "update", arrival: float = ARRIVAL) -> NormalizedPost:
    data = status if isinstance(status, bytes) else json.dumps(status).encode()
    return PostNormalizer(AUTHORS)(wrapped(HOST, event, data, arrival), "here")


def a_post(event: str = "update", **fields: Any) -> Post:
    status = made_status(1, created_at="2026-10-15T19:59:00.000Z", **fields)
    found = normalized(status, event)
    assert isinstance(found, Post)
    return found


def test_recorded_statuses(shared_data: Path) -> None:
    statuses = recorded_statuses(shared_data)
    found = [normalized(status) for status in statuses]
    public = sum(status["visibility"] in ("public", "unlisted") for status in statuses)
    assert Counter(type(record) for record in found)[DeadLetter] == 0
    skipped = Counter(record.reason for record in found if isinstance(record, Skip))
    assert skipped[SkipReason.NOT_PUBLIC] == len(statuses) - public
    posts = [record for record in found if isinstance(record, Post)]
    assert len(posts) + skipped[SkipReason.NO_TEXT] == public
    for status, post in zip(statuses, found, strict=True):
        if not isinstance(post, Post):
            continue
        assert post.post_id == f"{HOST}/{status['id']}"
        assert post.reach == status["account"]["followers_count"]
        assert post.author == AUTHORS("mastodon", status["account"]["uri"])
        parent = status["in_reply_to_id"]
        assert post.reply_to == (parent and f"{HOST}/{parent}")
        if post.repost_of is None:
            text, links = read_by_lxml(status["content"])
            assert squeezed(post.text) == squeezed(status["spoiler_text"] + text)
            assert list(post.links) == list(dict.fromkeys(links))


def read_by_lxml(content: str) -> tuple[str, list[str]]:
    if not content:
        return "", []
    tree = lxml.html.fromstring(f"<div>{content}</div>")
    anchors = [a for a in tree.iter("a") if not {"mention", "hashtag"} & set(a.get("class", "").split())]
    return tree.text_content(), [a.get("href") for a in anchors]


def squeezed(text: str) -> str:
    return "".join(text.split())


def test_a_post_is_named_so_that_a_deletion_finds_it() -> None:
    post = a_post()
    gone = normalized(made_status(1)["id"].encode(), "delete")
    assert gone == PostsGone(
        platform="mastodon", event_time=ARRIVAL, arrival_time=ARRIVAL, post_id=post.post_id
    )
    assert post.post_id == f"{HOST}/{made_status(1)['id']}"


def test_an_author_is_one_whatever_server_tells_of_him() -> None:
    raw = json.dumps(made_status(1, created_at="2026-10-15T19:59:00Z")).encode()
    one, other = (
        PostNormalizer(AUTHORS)(wrapped(host, "update", raw, ARRIVAL))
        for host in ("a.example", "b.example")
    )
    assert isinstance(one, Post)
    assert isinstance(other, Post)
    assert one.post_id != other.post_id
    assert one.author == other.author == AUTHORS("mastodon", "https://elsewhere.example/users/somebody")


@pytest.mark.parametrize(
    ("account", "author"),
    [
        ({"url": "https://a.example/@b"}, "https://a.example/@b"),
        ({"acct": "b"}, f"b@{HOST}"),
        ({"acct": "b@a.example"}, "b@a.example"),
    ],
)
def test_older_servers_name_an_author_otherwise(account: dict[str, str], author: str) -> None:
    assert a_post(account=account).author == AUTHORS("mastodon", author)


@pytest.mark.parametrize("visibility", ["private", "direct", "local", "", None])
def test_what_is_not_public_is_not_read(visibility: str | None) -> None:
    status = made_status(1, visibility=visibility)
    assert normalized(status) == Skip(SkipReason.NOT_PUBLIC)
    assert normalized(status, "status.update") == Skip(SkipReason.NOT_PUBLIC)


def test_unlisted_is_public() -> None:
    assert a_post(visibility="unlisted").text == "Status number 1"


def test_a_boost_says_whose_and_keeps_nothing_that_outlives_the_original() -> None:
    post = a_post(content="<p>another's words</p>", reblog={"id": "77", "content": "another's words"})
    assert (post.repost_of, post.text, post.links) == (f"{HOST}/77", "", ())


@pytest.mark.parametrize(
    "quote",
    [
        {"state": "accepted", "quoted_status": {"id": "88", "content": "x"}},
        {"state": "accepted", "quoted_status_id": "88"},
        {"id": "88", "content": "x"},
    ],
)
def test_a_quote_in_every_form(quote: dict[str, Any]) -> None:
    assert a_post(quote=quote).quote_of == f"{HOST}/88"
    assert a_post(quote={"state": "revoked", "quoted_status": None}).quote_of is None


def test_an_edit_keeps_when_it_was_made_and_tells_when_it_was_changed() -> None:
    status = made_status(1, created_at="2024-01-01T00:00:00Z", edited_at="2026-10-15T19:00:00Z")
    edit = normalized(status, "status.update")
    assert isinstance(edit, Post)
    assert (edit.event_time, edit.edited_time) == (1_704_067_200.0, ARRIVAL - 3_600)


def test_a_live_post_is_of_its_arrival_where_its_time_cannot_be_and_a_fetched_one_may_be_old() -> None:
    status = made_status(1, created_at="2026-10-13T20:00:00Z")
    live, fetched = normalized(status), normalized(status, BACKFILL)
    assert isinstance(live, Post)
    assert isinstance(fetched, Post)
    assert (live.event_time, fetched.event_time) == (ARRIVAL, ARRIVAL - 2 * 86_400)
    future = normalized(made_status(1, created_at="2026-10-15T20:01:01Z"), BACKFILL)
    assert isinstance(future, Post)
    assert future.event_time == ARRIVAL


def test_only_an_address_over_https_is_one_for_a_person() -> None:
    assert a_post(url="javascript:alert(1)", uri="https://a.example/1").url == "https://a.example/1"
    assert a_post(url="http://a.example", uri="tag:x").url == ""
    assert a_post(url=None, uri=None).url == ""


@pytest.mark.parametrize(
    ("count", "reach"), [(0, 0), (41, 41), (-1, None), (1 << 70, None), (None, None)]
)
def test_reach_is_the_followers_where_that_is_a_number_of_them(
    count: int | None, reach: int | None
) -> None:
    assert a_post(account={"uri": "https://a.example/b", "followers_count": count}).reach == reach


def test_other_events_are_no_posts() -> None:
    for event in (
        "notification",
        "filters_changed",
        "conversation",
        "announcement",
        "encrypted_message",
    ):
        assert normalized(b"whatever", event) == Skip(SkipReason.NOT_A_POST)


def test_pictures_alone_are_no_text() -> None:
    assert normalized(made_status(1, "<p></p>")) == Skip(SkipReason.NO_TEXT)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"not json", DeadReason.NOT_JSON),
        (b"\xff\xfe", DeadReason.INVALID_UTF8),
        (b"[]", DeadReason.SCHEMA),
        (b'{"id":5}', DeadReason.SCHEMA),
        (b'{"id":"../x","visibility":"public"}', DeadReason.SCHEMA),
        (b'{"id":"1","visibility":"public"}', DeadReason.SCHEMA),
        (b'{"id":"1","visibility":"public","account":5}', DeadReason.SCHEMA),
        (b'{"id":"1","mentions":' + b"[" * 50_000, DeadReason.TOO_DEEP),
    ],
)
def test_a_broken_status_is_a_dead_letter(data: bytes, reason: DeadReason) -> None:
    found = normalized(data)
    assert isinstance(found, DeadLetter)
    assert found.reason == reason
    assert data[:20] in found.raw or json.loads(found.raw)["data"] == data.decode()


def test_a_status_cannot_say_that_it_is_of_another_host() -> None:
    status = made_status(1, host="evil.example", format="x", event="delete", data="1")
    found = normalized(status)
    assert isinstance(found, Post)
    assert found.post_id.startswith(f"{HOST}/")
    broken = normalized(b'"},"host":"evil.example","data":"\xff')
    assert isinstance(broken, DeadLetter)


def test_the_bounds_of_a_wrapping() -> None:
    normalize = PostNormalizer(AUTHORS)
    for host, arrival in (("a b", ARRIVAL), ("", ARRIVAL), (HOST, -5.0), (HOST, 1e300)):
        found = normalize(wrapped(host, "delete", b"5", arrival))
        assert isinstance(found, DeadLetter)
