"""Bluesky: frames of Jetstream, v1 and v2, to posts.

Formats: https://github.com/bluesky-social/jetstream (v1 `/subscribe`; v2 the lexicon
`network.bsky.jetstream.subscribeEvents`), records `app.bsky.feed.post` and `.repost`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import msgspec

from streams.posts import Post, PostsGone
from streams.reasons import DeadReason, SkipReason
from streams.records import Skip
from streams.stages.posts.authors import Authors
from streams.stages.posts.bluesky_records import (
    DID,
    POST,
    POST_ADDRESS,
    RECORD_KEY,
    REPOST,
    PostContent,
    RepostContent,
    decode_post,
    decode_repost,
    links_and_quote,
    parent_of,
)
from streams.stages.posts.fields import (
    MAX_ID_CHARS,
    Malformed,
    clean_text,
    is_id,
    language_tag,
    live_time,
    past_time,
    plausible,
    seconds_of,
)

PLATFORM = "bluesky"
#: What becomes of the posts of an account by its status. A post of an account that is taken down,
#: suspended or deactivated may not be shown or passed on (https://atproto.com/specs/account), and what we
#: store is there to be shown; when the account comes back, its old posts don't: a loss, not a leak. The
#: other statuses (desynchronized, throttled) tell of a host's trouble. No status at all is taken as gone.
GONE_STATUSES = frozenset({"deleted", "takendown", "suspended", "deactivated", ""})

_SKIP = Skip(SkipReason.NOT_A_POST)
_NO_TEXT = Skip(SkipReason.NO_TEXT)
_NOTHING = msgspec.Raw(b"")


_Microseconds = Annotated[int, msgspec.Meta(ge=0, le=1 << 62)]


class _Account(msgspec.Struct, gc=False):
    active: bool = True
    status: str | None = None


class _Commit(msgspec.Struct, gc=False):
    operation: str
    collection: str
    rkey: str
    record: msgspec.Raw = _NOTHING


class _FrameV1(msgspec.Struct, gc=False):
    did: str
    time_us: _Microseconds
    kind: str
    commit: _Commit | None = None
    account: _Account | None = None


class _Payload(msgspec.Struct, gc=False):
    type: str = msgspec.field(name="$type")
    did: str = ""
    time: datetime | None = None
    witnessed: datetime | None = msgspec.field(name="witnessedAt", default=None)
    operation: str = ""
    collection: str = ""
    rkey: str = ""
    record: msgspec.Raw = _NOTHING
    account: _Account | None = None


class _FrameV2(msgspec.Struct, gc=False):
    type: str = msgspec.field(name="$type")
    payload: _Payload | None = None


_decode_v1 = msgspec.json.Decoder(_FrameV1).decode
_decode_v2 = msgspec.json.Decoder(_FrameV2).decode


def of_v1(raw: bytes, authors: Authors) -> Post | PostsGone | Skip:
    """Raises `Malformed` or what msgspec raises."""
    frame = _decode_v1(raw)
    arrival = frame.time_us / 1e6
    if frame.kind == "commit" and frame.commit is not None:
        commit = frame.commit
        return _commit(
            frame.did, commit.operation, commit.collection, commit.rkey, commit.record, arrival, authors
        )
    if frame.kind == "account" and frame.account is not None:
        return _account(frame.did, frame.account, arrival, authors)
    return _SKIP


def of_v2(raw: bytes, authors: Authors) -> Post | PostsGone | Skip:
    """Raises `Malformed` or what msgspec raises."""
    frame = _decode_v2(raw)
    payload = frame.payload
    if frame.type != "message" or payload is None:
        raise Malformed(DeadReason.SCHEMA, f"a frame of type {frame.type[:40]!r}")
    kind = payload.type.rpartition("#")[2]
    if kind not in ("commit", "account"):
        return _SKIP
    if kind == "commit" and payload.collection not in (POST, REPOST):
        return _SKIP
    arrival = _seconds(payload.witnessed or payload.time)
    if kind == "commit":
        return _commit(
            payload.did,
            payload.operation,
            payload.collection,
            payload.rkey,
            payload.record,
            arrival,
            authors,
        )
    if payload.account is None:
        return _SKIP
    return _account(payload.did, payload.account, arrival, authors)


def _seconds(moment: datetime | None) -> float:
    if moment is None:
        raise Malformed(DeadReason.BAD_TIME, "no time")
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()


def _commit(
    did: str,
    operation: str,
    collection: str,
    rkey: str,
    record: msgspec.Raw,
    arrival: float,
    authors: Authors,
) -> Post | PostsGone | Skip:
    if collection not in (POST, REPOST):
        return _SKIP
    _check(did, arrival)
    name = f"at://{did}/{collection}/{rkey}"
    if not RECORD_KEY.fullmatch(rkey) or len(name) > MAX_ID_CHARS:
        raise Malformed(DeadReason.SCHEMA, f"no record key: {rkey[:80]!r}")
    if operation == "delete":
        return PostsGone(platform=PLATFORM, event_time=arrival, arrival_time=arrival, post_id=name)
    if operation not in ("create", "update"):
        raise Malformed(DeadReason.SCHEMA, f"no operation on a record: {operation[:40]!r}")
    if not record:
        raise Malformed(DeadReason.SCHEMA, "a record without its content")
    author = authors(PLATFORM, did)
    if collection == REPOST:
        return _repost(name, author, decode_repost(record), arrival)
    return _post(name, author, did, rkey, decode_post(record), arrival, operation == "update")


def _post(
    name: str, author: str, did: str, rkey: str, record: PostContent, arrival: float, edited: bool
) -> Post | Skip:
    text = clean_text(record.text)
    links, quoted = links_and_quote(record)
    if not text and not links and quoted is None and not edited:
        return _NO_TEXT
    told = seconds_of(record.created)
    return Post(
        platform=PLATFORM,
        post_id=name,
        author=author,
        text=text,
        event_time=past_time(told, arrival) if edited else live_time(told, arrival),
        arrival_time=arrival,
        language=language_tag(record.langs[0]) if record.langs else None,
        links=links,
        reply_to=parent_of(record.reply) if record.reply else None,
        quote_of=quoted,
        url=f"https://bsky.app/profile/{did}/post/{rkey}",
        edited_time=arrival if edited else None,
    )


def _repost(name: str, author: str, record: RepostContent, arrival: float) -> Post:
    """Its address for a person is that of the post it repeats: a repost has no page."""
    subject = record.subject.uri
    if not is_id(subject):
        raise Malformed(DeadReason.SCHEMA, f"reposts no record: {subject[:80]!r}")
    found = POST_ADDRESS.fullmatch(subject)
    return Post(
        platform=PLATFORM,
        post_id=name,
        author=author,
        text="",
        event_time=live_time(seconds_of(record.created), arrival),
        arrival_time=arrival,
        repost_of=subject,
        url=f"https://bsky.app/profile/{found[1]}/post/{found[2]}" if found else "",
    )


def _account(did: str, account: _Account, arrival: float, authors: Authors) -> PostsGone | Skip:
    if account.active or (account.status or "") not in GONE_STATUSES:
        return _SKIP
    _check(did, arrival)
    return PostsGone(
        platform=PLATFORM, event_time=arrival, arrival_time=arrival, author=authors(PLATFORM, did)
    )


def _check(did: str, arrival: float) -> None:
    if not DID.fullmatch(did):
        raise Malformed(DeadReason.SCHEMA, f"no DID: {did[:80]!r}")
    if not plausible(arrival):
        raise Malformed(DeadReason.BAD_TIME, "the frame's time is out of range")
