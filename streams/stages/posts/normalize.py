"""Bytes -> `Post | PostsGone | Skip | DeadLetter`, of every platform. Parsed once, here.

Which platform's bytes they are, they tell themselves, so that all go through one topic or queue: frames
of Jetstream as received, Mastodon's events as the source wraps them, submitted posts in our own form.
"""

from __future__ import annotations

import msgspec

from streams.posts import Post, PostsGone
from streams.reasons import DeadReason, Stage
from streams.records import DeadLetter, Skip
from streams.stages.normalize import quote_untrusted
from streams.stages.posts import jetstream, mastodon
from streams.stages.posts.authors import Authors
from streams.stages.posts.fields import Malformed
from streams.stages.posts.submitted import SubmittedPost, of_submitted
from streams.stages.wrong_json import in_words

#: 1 MB of text, as JSON with half of its characters escaped, and what goes with it.
MAX_POST_BYTES = 4 << 20

_NOTHING = msgspec.Raw(b"")

NormalizedPost = Post | PostsGone | Skip | DeadLetter


class _Shape(msgspec.Struct, gc=False):
    """By which fields the formats are told apart, where the first bytes don't."""

    did: msgspec.Raw = _NOTHING
    type: msgspec.Raw = msgspec.field(name="$type", default=_NOTHING)
    format: msgspec.Raw = _NOTHING
    platform: msgspec.Raw = _NOTHING


_shape = msgspec.json.Decoder(_Shape).decode


class PostNormalizer:
    """Turns what the sources of posts give into records."""

    def __init__(self, authors: Authors) -> None:
        self._authors = authors

    def __call__(self, raw: bytes, position: str = "") -> NormalizedPost:
        """Never raises for what is in `raw`."""
        return self._guarded(raw, position, None)

    def submitted(self, raw: bytes, arrival_time: float, position: str = "") -> NormalizedPost:
        """A post in our own form that came just now; other forms are dead letters."""
        return self._guarded(raw, position, arrival_time)

    def _guarded(self, raw: bytes, position: str, arrival_time: float | None) -> NormalizedPost:
        try:
            if len(raw) > MAX_POST_BYTES:
                raise Malformed(DeadReason.TOO_LARGE, f"{len(raw)} bytes")
            if arrival_time is not None:
                return of_submitted(raw, self._authors, arrival_time)
            return self._of_any(raw)
        except Malformed as err:
            reason, message = err.reason, err.message
        except msgspec.ValidationError as err:
            reason, message = DeadReason.SCHEMA, _told(err, arrival_time)
        except msgspec.DecodeError as err:
            reason = DeadReason.NOT_JSON if _is_utf8(raw) else DeadReason.INVALID_UTF8
            message = _told(err, arrival_time)
        except UnicodeDecodeError as err:
            reason, message = DeadReason.INVALID_UTF8, _told(err, arrival_time)
        except RecursionError:
            reason, message = DeadReason.TOO_DEEP, "nested too deeply"
        return DeadLetter(raw, reason, Stage.NORMALIZE, quote_untrusted(message), position)

    def _of_any(self, raw: bytes) -> Post | PostsGone | Skip:
        authors = self._authors
        if raw.startswith(b'{"platform":'):
            return of_submitted(raw, authors)
        if raw.startswith(b'{"did":'):
            return jetstream.of_v1(raw, authors)
        if raw.startswith(b'{"$type":'):
            return jetstream.of_v2(raw, authors)
        if raw.startswith(mastodon.PREFIX):
            return mastodon.of_event(raw, authors)
        shape = _shape(raw)
        if shape.platform:
            return of_submitted(raw, authors)
        if shape.did:
            return jetstream.of_v1(raw, authors)
        if shape.type:
            return jetstream.of_v2(raw, authors)
        if shape.format:
            return mastodon.of_event(raw, authors)
        raise Malformed(DeadReason.SCHEMA, "neither a Jetstream frame nor a post: no did, no platform")


def _told(err: msgspec.DecodeError | UnicodeDecodeError, arrival_time: float | None) -> str:
    """Of what was handed in, for who did; else for us, as the parser has it."""
    return in_words(err, SubmittedPost) if arrival_time is not None else str(err)


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True
