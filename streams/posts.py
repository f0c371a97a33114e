"""The records of posts: what is said where, the facts it is held against, and what came of that.

Times are Unix seconds: `event_time` is when a post was made, `arrival_time` when its platform sent it.
Everything textual is untrusted.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from streams.records import FactChange, Grade


class Post(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One public post as it stands. `(platform, post_id)` names it; a later one of that name with other
    text is its edit."""

    platform: str
    """bluesky, mastodon, or what a client of `POST /v1/posts` calls its own: `[a-z0-9][a-z0-9._-]{0,31}`."""
    post_id: str
    """The platform's own: an `at://` address, a Mastodon server and the status's number there, as deletions
    name it; at most 512 characters."""
    author: str
    """By default a keyed hash of the platform's author id: the same author, the same word, and no way
    back without the key. "" where the platform does not tell."""
    text: str
    """Plain, without markup; of an answer written by a machine, the answer."""
    event_time: float
    """As the platform says; its arrival where that lies in the future or implausibly far back."""
    arrival_time: float
    language: str | None = None
    """BCP 47 tag, as its author or platform says; often wrong."""
    links: tuple[str, ...] = ()
    """Addresses of http and https only, at most 64."""
    reply_to: str | None = None
    """post_id this one answers."""
    repost_of: str | None = None
    """post_id this one repeats without a word of its own; `text` is then empty unless the platform sent
    it along."""
    quote_of: str | None = None
    reach: int | None = None
    """How many may see it: followers of its author, where the platform tells; None is unknown."""
    url: str = ""
    """Where a person reads it; https only."""
    edited_time: float | None = None
    """Of its newest edit; None if it was never edited."""

    @property
    def version_time(self) -> float:
        """When it became what it is."""
        return self.edited_time if self.edited_time is not None else self.event_time

    @property
    def key(self) -> str:
        return post_key(self.platform, self.post_id)


class PostsGone(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A post was deleted by its author or its platform, or an author's account was: whatever is stored
    of it goes. Exactly one of `post_id` and `author` is set."""

    platform: str
    event_time: float
    arrival_time: float
    post_id: str | None = None
    author: str | None = None
    """As in `Post.author`: all posts of this author."""


class PostRecord(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Either as it travels and waits, as JSON: exactly one is set."""

    post: Post | None = None
    gone: PostsGone | None = None


def encode_record(record: Post | PostsGone) -> bytes:
    return _encode(PostRecord(post=record) if isinstance(record, Post) else PostRecord(gone=record))


def decode_record(raw: bytes) -> Post | PostsGone:
    """Raises `msgspec.DecodeError`, of which `ValidationError` is one."""
    record = _decode(raw)
    known = record.post or record.gone
    if known is None:
        raise msgspec.ValidationError("neither a post nor a deletion")
    return known


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(PostRecord).decode


def post_key(platform: str, post_id: str) -> str:
    return f"{platform}\x1f{post_id}"


class HotKind(StrEnum):
    VANDALISED = "vandalised"
    """A suspect edit made the statement what it is after."""
    CONTESTED = "contested"
    """The statement is being fought over: neither side is the good one."""


class HotFact(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A fact change that posts are held against while it is open, and some time after it settled."""

    hot_id: str
    """Digest of alert_id and fact_key."""
    alert_id: str
    """The alert that says so."""
    kind: HotKind
    wiki: str
    server_name: str
    title: str
    names: tuple[str, ...]
    """The title, then what redirects to it and its aliases: how a post may name the page."""
    fact: FactChange
    rev_id: int
    """The revision that made it so."""
    since: float
    """Event time of the edit."""
    page_url: str = ""
    last_good_rev_id: int | None = None
    last_good_url: str = ""
    corrected_time: float | None = None
    """Event time of the revert; None while it stands."""
    expires: float | None = None
    """Event time from which it is hot no more; None while its alert is open."""


class Match(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One hot fact that a text bears on. At most one a fact and text: its best statement."""

    hot_id: str
    grade: Grade
    probability: float
    """Calibrated, that the statement repeats `fact.after` (of a contested fact: either side), 0 to 1."""
    similarity: float
    """Of the statement and the nearer of the fact's two sides, 0 to 1."""
    statement: str
    """The sentence of the text, as written; at most 500 characters. Untrusted: escape where shown."""
    reasons: tuple[str, ...] = ()
    """Why, in words, the most telling first."""
