"""Posts in our own form, as `POST /v1/posts` and NDJSON files give them.

One JSON object: `platform`, `id` and `text` required; `author` (the platform's id of one, which is
hashed), `created` and `edited` (RFC 3339, or Unix seconds), `language`, `links`, `reply_to`,
`repost_of`, `quote_of`, `reach`, `url` optional. `{"platform": …, "id": …, "deleted": true}` takes a post
back, with `author` instead of `id` all posts of an author.
"""

from __future__ import annotations

from functools import lru_cache

import msgspec

from streams.posts import Post, PostsGone
from streams.reasons import DeadReason, SkipReason
from streams.records import Skip
from streams.stages.posts.authors import MAX_AUTHOR_CHARS, Authors
from streams.stages.posts.fields import (
    EARLIEST,
    MAX_AHEAD_S,
    MAX_PLATFORM_CHARS,
    PLATFORM,
    Malformed,
    clean_text,
    https_only,
    is_id,
    kept_links,
    language_tag,
    links_in,
    plausible,
    reach_of,
    seconds_of,
)

_NO_TEXT = Skip(SkipReason.NO_TEXT)


class SubmittedPost(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """An unknown field is an error: a misspelt `reply_to` would be lost without a word."""

    platform: str
    id: str | int | None = None
    text: str | None = None
    author: str | int | None = None
    created: str | float | None = None
    edited: str | float | None = None
    language: str | None = None
    links: list[str] | None = None
    reply_to: str | int | None = None
    repost_of: str | int | None = None
    quote_of: str | int | None = None
    reach: int | None = None
    url: str | None = None
    deleted: bool = False


_decode = msgspec.json.Decoder(SubmittedPost).decode


def of_submitted(
    raw: bytes, authors: Authors, arrival_time: float | None = None
) -> Post | PostsGone | Skip:
    """`arrival_time` is None for a file, whose `created` is trusted then. Raises `Malformed` or what
    msgspec raises."""
    body = _decode(raw)
    if len(body.platform) > MAX_PLATFORM_CHARS or not _is_platform(body.platform):
        raise Malformed(DeadReason.SCHEMA, "platform: wants 1 to 32 of a-z, 0-9, dot, dash, underscore")
    author = _author(body, authors)
    if body.deleted:
        return _gone(body, author, arrival_time)
    name = _id(body.id, "id")
    if name is None:
        raise Malformed(DeadReason.SCHEMA, "id: missing")
    # Most posts have none of these: they are not worth a call each.
    repost_of = None if body.repost_of is None else _id(body.repost_of, "repost_of")
    quote_of = None if body.quote_of is None else _id(body.quote_of, "quote_of")
    reply_to = None if body.reply_to is None else _id(body.reply_to, "reply_to")
    edited = None if body.edited is None else _time(body.edited, "edited")
    if body.text is None:
        raise Malformed(DeadReason.SCHEMA, 'text: missing; "" for a repost without words')
    text = clean_text(body.text)
    links = links_in(text) if body.links is None else kept_links(body.links)
    if not text and not links and repost_of is None and quote_of is None and edited is None:
        return _NO_TEXT
    event_time = _event_time(_time(body.created, "created"), "created", arrival_time)
    return Post(
        platform=body.platform,
        post_id=name,
        author=author,
        text=text,
        event_time=event_time,
        arrival_time=event_time if arrival_time is None else arrival_time,
        language=language_tag(body.language) if body.language else None,
        links=links,
        reply_to=reply_to,
        repost_of=repost_of,
        quote_of=quote_of,
        reach=reach_of(body.reach),
        url="" if body.url is None else https_only(body.url),
        edited_time=None if edited is None else _event_time(edited, "edited", arrival_time),
    )


@lru_cache(maxsize=1_024)
def _is_platform(text: str) -> bool:
    return PLATFORM.fullmatch(text) is not None


def _gone(body: SubmittedPost, author: str, arrival_time: float | None) -> PostsGone:
    name = _id(body.id, "id")
    if (name is None) == (not author):
        raise Malformed(DeadReason.SCHEMA, "deleted: wants either id or author")
    told = _time(body.created, "created")
    event_time = _event_time(told, "created", arrival_time, or_now=EARLIEST)
    return PostsGone(
        platform=body.platform,
        event_time=event_time,
        arrival_time=event_time if arrival_time is None else arrival_time,
        post_id=name,
        author=author if name is None else None,
    )


def _author(body: SubmittedPost, authors: Authors) -> str:
    if body.author is None or body.author == "":
        return ""
    told = str(body.author) if isinstance(body.author, str) else _digits(body.author, "author")
    if len(told) > MAX_AUTHOR_CHARS:
        raise Malformed(DeadReason.SCHEMA, f"author: longer than {MAX_AUTHOR_CHARS} characters")
    return authors(body.platform, told)


def _id(told: str | int | None, field: str) -> str | None:
    if told is None:
        return None
    text = told if isinstance(told, str) else _digits(told, field)
    if not is_id(text):
        raise Malformed(DeadReason.SCHEMA, f"{field}: wants 1 to 512 characters without spaces")
    return text


def _digits(number: int, field: str) -> str:
    if abs(number) >= 1 << 64:
        raise Malformed(DeadReason.SCHEMA, f"{field}: out of range")
    return str(number)


def _time(told: str | float | None, field: str) -> float | None:
    if told is None:
        return None
    seconds = seconds_of(told) if isinstance(told, str) else float(told)
    if seconds is None or not plausible(seconds):
        raise Malformed(
            DeadReason.BAD_TIME, f"{field}: wants an RFC 3339 time or Unix seconds, 1997 to 2200"
        )
    return seconds


def _event_time(
    told: float | None, field: str, arrival_time: float | None, or_now: float | None = None
) -> float:
    if arrival_time is not None:
        return arrival_time if told is None or told > arrival_time + MAX_AHEAD_S else told
    if told is None:
        if or_now is not None:
            return or_now
        raise Malformed(DeadReason.BAD_TIME, f"{field}: missing, and nothing else tells when it was")
    return told
