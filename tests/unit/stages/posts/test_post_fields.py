"""Bounds of texts, links, ids and times, and how authors are named."""

from __future__ import annotations

import pytest

from streams.stages.posts.authors import Authors
from streams.stages.posts.fields import (
    clean_text,
    is_id,
    is_link,
    kept_links,
    language_tag,
    links_in,
    seconds_of,
)


@pytest.mark.parametrize(
    ("link", "kept"),
    [
        ("https://en.wikipedia.org/wiki/Holy_Grail", True),
        ("HTTP://EXAMPLE.ORG", True),
        ("https://例え.jp/ページ", True),
        ("https://[::1]/x", True),
        ("https://", False),
        ("https:///path", False),
        ("https://[::1", False),
        ("javascript:alert(1)//https://", False),
        ("ftp://example.org", False),
        ("//example.org", False),
        ("https://a.example/ b", False),
        ("https://a.example/\x00", False),
        ("https://a.example/\u2028", False),
        ("https://a.example/<b>", False),
        ("https://a.example/" + "x" * 2_048, False),
        ("", False),
    ],
)
def test_links_are_of_http_and_https_and_nothing_else(link: str, kept: bool) -> None:
    assert is_link(link) is kept


def test_links_are_kept_once_in_order_and_at_most_64() -> None:
    many = [f"https://a.example/{number // 2}" for number in range(400)]
    assert kept_links(many) == tuple(f"https://a.example/{number}" for number in range(64))


def test_links_written_in_a_text_end_before_its_punctuation() -> None:
    text = "See (https://a.example/x), https://b.example/y. “http://c.example” and http:// or HTTPS://d.example/z?"
    assert links_in(text) == (
        "https://a.example/x",
        "https://b.example/y",
        "http://c.example",
        "HTTPS://d.example/z",
    )


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("  a\r\nb\rc\n ", "a\nb\nc"),
        ("a\x00b\r\nc", "ab\nc"),
        ("\x1b[31mred", "[31mred"),
        ("tab\there", "tab\there"),
        ("\ud800x", "x"),
        ("\u202e\u200b\ufeff", "\u202e\u200b\ufeff"),
    ],
)
def test_control_characters_go_and_what_a_language_needs_stays(text: str, clean: str) -> None:
    assert clean_text(text) == clean


def test_ids_are_words() -> None:
    assert is_id("at://did:plc:x/app.bsky.feed.post/3k")
    assert not any(map(is_id, ("", "a b", "a\n", "\x1f", "x" * 513, "a\u2028", "\ud800")))


@pytest.mark.parametrize(
    ("tag", "kept"),
    [("en", True), ("zh-Hant-TW", True), ("en_US", False), ("", False), ("-", False), ("x" * 9, False)],
)
def test_a_language_is_a_tag(tag: str, kept: bool) -> None:
    assert language_tag(tag) == (tag if kept else None)


@pytest.mark.parametrize(
    ("moment", "seconds"),
    [
        ("1970-01-01T00:00:00Z", 0.0),
        ("1970-01-01T01:00:00+01:00", 0.0),
        ("1970-01-01T00:00:00", 0.0),
        ("1970-01-01", 0.0),
        ("1969-12-31T23:59:59.5Z", -0.5),
        ("1970-13-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+14:00", -62135647200.0),
        ("x" * 100_000, None),
        ("", None),
        (None, None),
    ],
)
def test_times_are_read_or_are_none(moment: str | None, seconds: float | None) -> None:
    assert seconds_of(moment) == seconds


def test_an_author_is_one_word_by_the_key_and_another_by_another_key_or_platform() -> None:
    one, other = Authors(b"0123456789abcdef"), Authors(b"fedcba9876543210")
    name = one("bluesky", "did:plc:x")
    assert name == one("bluesky", "did:plc:x") == Authors(b"0123456789abcdef")("bluesky", "did:plc:x")
    assert (
        len({name, other("bluesky", "did:plc:x"), one("mastodon", "did:plc:x"), one("bluesky", "did")})
        == 4
    )
    assert len(name) == 32
    assert "plc" not in name
    assert one("bluesky", "") == one("bluesky", None) == ""
    assert len(one("bluesky", "\ud800")) == 32


def test_without_a_key_an_author_is_as_the_platform_says_but_bounded() -> None:
    raw = Authors(None)
    assert raw("bluesky", "did:plc:x") == "did:plc:x"
    assert raw("x", "a\nb\x00" + "c" * 9_999) == "ab" + "c" * 508


@pytest.mark.parametrize("key", [b"", b"short", b"x" * 65])
def test_a_key_that_is_none_is_refused(key: bytes) -> None:
    with pytest.raises(ValueError, match="16 to 64 bytes"):
        Authors(key)
