"""Posts in our own form out of files, where nothing but the post tells when it was made."""

from __future__ import annotations

import json
from typing import Any

import pytest

from streams.posts import Post, PostsGone
from streams.reasons import DeadReason, SkipReason
from streams.records import DeadLetter, Skip
from streams.stages.posts.authors import Authors
from streams.stages.posts.fields import EARLIEST
from streams.stages.posts.normalize import MAX_POST_BYTES, PostNormalizer

NORMALIZE = PostNormalizer(Authors(b"k" * 16))
TOLD = {"platform": "forum", "id": "1", "text": "words", "created": "2024-01-01T00:00:00Z"}


def normalized(**fields: Any) -> Any:
    return NORMALIZE(json.dumps({**TOLD, **fields}).encode(), "3:1")


def test_its_time_is_trusted_within_the_years_there_are() -> None:
    for created, seconds in (("1998-01-01T00:00:00Z", 883_612_800.0), (4_000_000_000, 4_000_000_000.0)):
        post = normalized(created=created)
        assert isinstance(post, Post)
        assert (post.event_time, post.arrival_time) == (seconds, seconds)


@pytest.mark.parametrize("created", [None, "1970-01-01T00:00:00Z", 0, 1e300, "x"])
def test_without_a_time_that_can_be_it_is_a_dead_letter(created: Any) -> None:
    found = normalized(created=created)
    assert isinstance(found, DeadLetter)
    assert (found.reason, found.position) == (DeadReason.BAD_TIME, "3:1")


def test_a_post_is_taken_back_whenever_that_was() -> None:
    found = NORMALIZE(b'{"platform":"forum","id":"1","deleted":true}')
    assert found == PostsGone(platform="forum", event_time=EARLIEST, arrival_time=EARLIEST, post_id="1")


def test_an_edit_and_a_repost_without_words() -> None:
    edit = normalized(text="", edited="2024-01-02T00:00:00Z")
    assert isinstance(edit, Post)
    assert edit.edited_time == edit.event_time + 86_400
    repost = normalized(text="", repost_of="7")
    assert isinstance(repost, Post)
    assert repost.repost_of == "7"
    assert normalized(text="") == Skip(SkipReason.NO_TEXT)


def test_links_are_those_told_or_else_those_written() -> None:
    text = "see https://a.example/x."
    assert normalized(text=text).links == ("https://a.example/x",)
    assert normalized(text=text, links=["https://b.example/"]).links == ("https://b.example/",)
    assert normalized(text=text, links=[]).links == ()


def test_the_greatest_line_and_one_byte_more() -> None:
    room = MAX_POST_BYTES - len(json.dumps({**TOLD, "text": ""}).encode())
    assert isinstance(normalized(text="x" * room), Post)
    found = normalized(text="x" * (room + 1))
    assert isinstance(found, DeadLetter)
    assert found.reason is DeadReason.TOO_LARGE


def test_what_is_of_no_known_form_is_a_dead_letter() -> None:
    for raw in (b"{}", b'{"text":"x"}', b"5", b"null", b"[]"):
        found = NORMALIZE(raw)
        assert isinstance(found, DeadLetter)
        assert found.reason is DeadReason.SCHEMA
