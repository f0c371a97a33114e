"""Mastodon and what speaks its API: streamed events, wrapped by the source, to posts.

Formats: https://docs.joinmastodon.org/methods/streaming/ and /entities/Status/.
"""

from __future__ import annotations

import re

import msgspec

from streams.posts import Post, PostsGone
from streams.reasons import DeadReason, SkipReason
from streams.records import Skip
from streams.stages.posts.authors import Authors
from streams.stages.posts.fields import (
    Malformed,
    clean_text,
    https_only,
    is_id,
    kept_links,
    language_tag,
    live_time,
    past_time,
    plausible,
    post_id,
    reach_of,
    seconds_of,
)
from streams.stages.posts.html_text import text_of_html

PLATFORM = "mastodon"
FORMAT = "mastodon"
#: How a wrapped event begins, so that it is told apart without being decoded.
PREFIX = b'{"format":"mastodon",'
#: An event of ours: a status that was fetched after an outage.
BACKFILL = "backfill"
PUBLIC = frozenset({"public", "unlisted"})
_HOST = re.compile(r"[a-z0-9.:\[\]_-]{1,260}")
_LOCAL_ID = re.compile(r"[0-9A-Za-z_-]{1,128}")
_SKIP = Skip(SkipReason.NOT_A_POST)
_NOT_PUBLIC = Skip(SkipReason.NOT_PUBLIC)
_NO_TEXT = Skip(SkipReason.NO_TEXT)


class WrappedEvent(msgspec.Struct, gc=False):
    """One event as it goes through queues and topics. `data` is the event's own, unread: that a
    status is its host's can't be said by the status itself."""

    host: str
    event: str
    arrival: float
    data: str
    format: str = FORMAT


class _Account(msgspec.Struct, gc=False):
    uri: str | None = None
    url: str | None = None
    acct: str | None = None
    followers_count: int | None = None


class _Ref(msgspec.Struct, gc=False):
    id: str | None = None


class _Quote(msgspec.Struct, gc=False):
    """Mastodon's own (`quoted_status`, or only its id) and that of others, a status itself."""

    quoted_status: _Ref | None = None
    quoted_status_id: str | None = None
    id: str | None = None


class _Status(msgspec.Struct, gc=False):
    id: str
    created_at: str | None = None
    visibility: str | None = None
    uri: str | None = None
    url: str | None = None
    language: str | None = None
    content: str | None = None
    spoiler_text: str | None = None
    in_reply_to_id: str | None = None
    edited_at: str | None = None
    account: _Account | None = None
    reblog: _Ref | None = None
    quote: _Quote | None = None


_decode = msgspec.json.Decoder(WrappedEvent).decode
_decode_status = msgspec.json.Decoder(_Status).decode
_encode = msgspec.json.Encoder().encode


def wrapped(host: str, event: str, data: bytes, arrival_time: float) -> bytes:
    """`data` as received, with what it does not say of itself. Bytes that are no UTF-8 stay as they
    are, so that what comes out is a dead letter of them."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        head = _encode({"format": FORMAT, "host": host, "event": event, "arrival": arrival_time})
        return head[:-1] + b',"data":"' + data + b'"}'
    return _encode(
        {"format": FORMAT, "host": host, "event": event, "arrival": arrival_time, "data": text}
    )


def of_event(raw: bytes, authors: Authors) -> Post | PostsGone | Skip:
    """Raises `Malformed` or what msgspec raises.

    A post is named `HOST/ID` by the server whose stream told of it, not by its `uri`: a deletion gives
    that server's own id and nothing else. The same post streamed from two servers is two posts;
    their author is one, and so is a count of authors."""
    event = _decode(raw)
    if not _HOST.fullmatch(event.host):
        raise Malformed(DeadReason.SCHEMA, f"no host: {event.host[:80]!r}")
    if not plausible(event.arrival):
        raise Malformed(DeadReason.BAD_TIME, "arrival out of range")
    if event.event == "delete":
        gone = event.data.strip().strip('"')
        return PostsGone(
            platform=PLATFORM,
            event_time=event.arrival,
            arrival_time=event.arrival,
            post_id=_name(event.host, gone),
        )
    if event.event not in ("update", "status.update", BACKFILL):
        return _SKIP
    return _post(event, _decode_status(event.data), authors)


def _post(event: WrappedEvent, status: _Status, authors: Authors) -> Post | Skip:
    host, arrival = event.host, event.arrival
    name = _name(host, status.id)
    if status.visibility not in PUBLIC:
        return _NOT_PUBLIC
    account = status.account
    if account is None:
        raise Malformed(DeadReason.SCHEMA, "a status without its account")
    repost_of = _ref(host, status.reblog.id) if status.reblog is not None else None
    # Of a repost nothing is kept: the text is another's, and goes when that is deleted.
    text, links = _text(status) if repost_of is None else ("", ())
    quoted = _quoted(host, status.quote)
    edited = event.event == "status.update" or bool(status.edited_at)
    if not text and not links and repost_of is None and quoted is None and not edited:
        return _NO_TEXT
    told = seconds_of(status.created_at)
    old = edited or event.event == BACKFILL
    return Post(
        platform=PLATFORM,
        post_id=name,
        author=authors(PLATFORM, _author_id(host, account)),
        text=text,
        event_time=past_time(told, arrival) if old else live_time(told, arrival),
        arrival_time=arrival,
        language=language_tag(status.language),
        links=links,
        reply_to=_ref(host, status.in_reply_to_id),
        repost_of=repost_of,
        quote_of=quoted,
        reach=reach_of(account.followers_count),
        url=https_only(status.url) or https_only(status.uri),
        edited_time=past_time(seconds_of(status.edited_at), arrival) if edited else None,
    )


def _text(status: _Status) -> tuple[str, tuple[str, ...]]:
    """A content warning is part of what is said. Not read: the preview card, which the linked page's
    owner wrote."""
    text, links = text_of_html(status.content or "")
    if status.spoiler_text:
        text = f"{status.spoiler_text}\n\n{text}"
    return clean_text(text), kept_links(links)


def _author_id(host: str, account: _Account) -> str:
    """Of the whole network: `uri`, which servers before 4.2 don't give, or `url`, or name and host."""
    found = account.uri or account.url
    if not found and account.acct:
        found = account.acct if "@" in account.acct else f"{account.acct}@{host}"
    return found if found and is_id(found) else ""


def _quoted(host: str, quote: _Quote | None) -> str | None:
    if quote is None:
        return None
    if quote.quoted_status is not None:
        return _ref(host, quote.quoted_status.id)
    return _ref(host, quote.quoted_status_id or quote.id)


def _ref(host: str, local_id: str | None) -> str | None:
    return f"{host}/{local_id}" if local_id and _LOCAL_ID.fullmatch(local_id) else None


def _name(host: str, local_id: str) -> str:
    if not _LOCAL_ID.fullmatch(local_id):
        raise Malformed(DeadReason.SCHEMA, f"no id of a status: {local_id[:80]!r}")
    return post_id(f"{host}/{local_id}")
