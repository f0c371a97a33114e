"""What posts of every platform have in common: how a text, a link, an id or a time is taken."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import urlsplit

from streams.reasons import DeadReason

#: Of a longer text the beginning is kept: the longest post that a platform allows and an answer of
#: some 3,000 words fit, and a stage downstream has a bound on its work.
MAX_TEXT_CHARS = 20_000
MAX_LINKS = 64
MAX_LINK_CHARS = 2_048
MAX_ID_CHARS = 512
MAX_LANGUAGE_CHARS = 35  # RFC 5646, 4.4.1
#: A live platform's own clock decides beyond these.
MAX_AHEAD_S = 60.0
MAX_BEHIND_S = 86_400.0
#: Nothing that is called a post is older than SixDegrees, the first network of its kind.
EARLIEST = datetime(1997, 1, 1, tzinfo=UTC).timestamp()
LATEST = datetime(2200, 1, 1, tzinfo=UTC).timestamp()
MAX_REACH = 1 << 40

MAX_PLATFORM_CHARS = 32
PLATFORM = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*")
#: Not zero-width and direction marks: they are folded where texts are compared, and kept to be shown.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_NOT_IN_ID = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029\ud800-\udfff]")
_NOT_IN_LINK = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029\ud800-\udfff<>\"]")
_LINK_IN_TEXT = re.compile(r"https?://[^\s<>\"\x00-\x1f]{1,2048}", re.IGNORECASE)
#: What ends a sentence or closes a bracket around a link rather than the link.
_AFTER_LINK = ".,;:!?'*)]}»”’"


class Malformed(Exception):
    """Not a post of this platform. The message may quote untrusted text: escape it where it is shown."""

    def __init__(self, reason: DeadReason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


def clean_text(text: str) -> str:
    """At most `MAX_TEXT_CHARS`, lines ended by one line feed, no control characters."""
    if len(text) > MAX_TEXT_CHARS:
        text = text[:MAX_TEXT_CHARS]
    if not text.isprintable() and _CONTROL.search(text) is not None:
        text = _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return text.strip()


def is_id(text: str) -> bool:
    if not 0 < len(text) <= MAX_ID_CHARS:
        return False
    # All that an id may not have is unprintable, but for the space; the other way round it does not hold.
    return (text.isprintable() and " " not in text) or _NOT_IN_ID.search(text) is None


def post_id(text: str) -> str:
    if not is_id(text):
        raise Malformed(DeadReason.SCHEMA, f"no usable id: {text[:80]!r}")
    return text


def language_tag(text: str | None) -> str | None:
    return text if text and len(text) <= MAX_LANGUAGE_CHARS and _is_language(text) else None


@lru_cache(maxsize=1_024)
def _is_language(text: str) -> bool:
    return _LANGUAGE.fullmatch(text) is not None


def kept_links(found: Iterable[str]) -> tuple[str, ...]:
    """The first `MAX_LINKS` of http and https, each once, as written."""
    kept: dict[str, None] = {}
    for link in found:
        if is_link(link):
            kept[link] = None
            if len(kept) == MAX_LINKS:
                break
    return tuple(kept)


def is_link(link: str) -> bool:
    if not 10 <= len(link) <= MAX_LINK_CHARS or _NOT_IN_LINK.search(link) is not None:
        return False
    if not link[:8].lower().startswith(("http://", "https://")):
        return False
    try:
        return bool(urlsplit(link).hostname)
    except ValueError:
        return False


def links_in(text: str) -> tuple[str, ...]:
    """Addresses written out in a plain text, without the punctuation after them."""
    if "://" not in text:
        return ()
    return kept_links(found[0].rstrip(_AFTER_LINK) for found in _LINK_IN_TEXT.finditer(text))


def https_only(url: str | None) -> str:
    """`url` if a person may be sent there, else ""."""
    return url if url and url[:8].lower() == "https://" and is_link(url) else ""


def reach_of(count: int | None) -> int | None:
    return count if count is not None and 0 <= count <= MAX_REACH else None


def seconds_of(moment: str | None) -> float | None:
    """Unix seconds of an ISO 8601 or RFC 3339 time; without a zone it is UTC. None: not one."""
    if not moment or len(moment) > 64:
        return None
    try:
        parsed = datetime.fromisoformat(moment)
        if parsed.tzinfo is None:
            parsed = parsed.replace(tzinfo=UTC)
        return parsed.timestamp()
    except (ValueError, OverflowError):
        return None


def plausible(seconds: float | None) -> bool:
    return seconds is not None and EARLIEST <= seconds <= LATEST  # no NaN is


def live_time(told: float | None, arrival_time: float) -> float:
    """When a post was made that came just now: as told, or its arrival where that can't be."""
    if told is None or not arrival_time - MAX_BEHIND_S <= told <= arrival_time + MAX_AHEAD_S:
        return arrival_time
    return told


def past_time(told: float | None, arrival_time: float) -> float:
    """When a post was made that may be old: an edited one, one fetched after an outage."""
    if told is None or not EARLIEST <= told <= arrival_time + MAX_AHEAD_S:
        return arrival_time
    return told
