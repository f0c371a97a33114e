"""Bytes -> `Edit | LogEvent | TagsChange | Skip | DeadLetter`. Parsed once, here; only `meta` is
required in a recent change, everything else may be absent or null."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b

import msgspec

from streams.reasons import DeadReason, SkipReason, Stage
from streams.records import DeadLetter, Edit, LogEvent, PerformerKind, Skip, TagsChange
from streams.stages.performer_kinds import performer_kind
from streams.stages.protection import restrictions
from streams.stages.recent_change import Meta, RecentChange, decode, move_target

#: A recent change is 1 to 4 KB; Kafka's own default bound is 1 MiB.
MAX_EVENT_BYTES = 1 << 20
#: MediaWiki's bound is 255 bytes, with a namespace in front; a log's may be a little longer.
MAX_TITLE_CHARS = 600
MAX_NAME_CHARS = 600
MAX_COMMENT_CHARS = 2_000
MAX_WIKI_CHARS = 64
#: Clocks agree within minutes, but feeds put together from several sources were seen hours apart;
#: events may be sent again weeks later.
MAX_AHEAD_S = 86_400.0
MAX_BEHIND_S = 120 * 86_400.0
#: Wikipedia's first edit was made in January 2001.
EARLIEST = datetime(2001, 1, 1, tzinfo=UTC).timestamp()
LATEST = datetime(2200, 1, 1, tzinfo=UTC).timestamp()

LOG_TYPES = frozenset({"protect", "move", "delete"})

_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\ud800-\udfff]")
_WIKI = re.compile(r"[A-Za-z0-9_-]+")
#: What a terminal obeys or doesn't show. Not U+200C and U+200D, which belong to words and emoji.
_UNSHOWN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff"
    r"\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)

Normalized = Edit | LogEvent | TagsChange | Skip | DeadLetter

_CANARY = SkipReason.CANARY
_SKIPS = {reason: Skip(reason) for reason in SkipReason}


class Normalizer:
    """Turns recent changes into records. `wikis` and `namespaces` are those watched; empty means
    all."""

    def __init__(
        self,
        wikis: Collection[str] = (),
        namespaces: Collection[int] = (),
        is_temporary: Callable[[str, str], bool] | None = None,
        now: Callable[[], float] | None = None,
    ) -> None:
        """`now` (Unix seconds) is given for a live feed: nothing there is made tomorrow."""
        self._wikis = frozenset(wikis)
        self._namespaces = frozenset(namespaces)
        self._is_temporary = is_temporary
        self._now = now

    def __call__(self, raw: bytes, position: str = "") -> Normalized:
        """Never raises for what is in `raw`."""
        try:
            if len(raw) > MAX_EVENT_BYTES:
                return _dead(raw, DeadReason.TOO_LARGE, f"{len(raw)} bytes", position)
            body = decode(raw)
            return self._of_body(body, raw, position)
        except msgspec.ValidationError as err:
            return _dead(raw, DeadReason.SCHEMA, str(err), position)
        except msgspec.DecodeError as err:
            if not _is_utf8(raw):
                return _dead(raw, DeadReason.INVALID_UTF8, str(err), position)
            return _dead(raw, DeadReason.NOT_JSON, str(err), position)
        except UnicodeDecodeError as err:
            return _dead(raw, DeadReason.INVALID_UTF8, str(err), position)
        except RecursionError:
            return _dead(raw, DeadReason.TOO_DEEP, "nested too deeply", position)

    def _of_body(self, body: RecentChange, raw: bytes, position: str) -> Normalized:
        meta = body.meta
        arrival = _seconds(meta.dt)
        if meta.domain == "canary":
            return Skip(_CANARY, arrival)
        if body.rev_id is not None and body.type is None:
            return self._tags_change(body, raw, position, arrival)
        kind = body.type
        if kind not in ("edit", "new", "log"):
            return _SKIPS[SkipReason.NOT_AN_EDIT]
        wiki = body.wiki
        if not wiki or not _is_wiki(wiki):
            return _dead(raw, DeadReason.SCHEMA, "no wiki", position)
        if self._wikis and wiki not in self._wikis:
            return _SKIPS[SkipReason.OTHER_WIKI]
        namespace = body.namespace
        if namespace is None:
            namespace = 0
        elif not -64 <= namespace < 1 << 20:
            return _dead(raw, DeadReason.SCHEMA, "namespace out of range", position)
        if self._namespaces and namespace not in self._namespaces:
            return _SKIPS[SkipReason.OTHER_NAMESPACE]
        title = body.title
        if not title or len(title) > MAX_TITLE_CHARS or _is_broken(title):
            return _dead(raw, DeadReason.BAD_TITLE, "title absent, too long or broken", position)
        event_time = float(body.timestamp) if body.timestamp is not None else arrival
        if event_time is None:
            return _dead(raw, DeadReason.BAD_TIME, "neither timestamp nor meta.dt", position)
        if arrival is None:
            arrival = event_time
        if self._now is not None and event_time > self._now() + MAX_AHEAD_S:
            return _dead(raw, DeadReason.BAD_TIME, "more than a day ahead of our clock", position)
        if not _plausible(event_time, arrival):
            return _dead(raw, DeadReason.BAD_TIME, "timestamp and meta.dt disagree", position)
        if kind == "log":
            return self._log_event(body, raw, wiki, title, namespace, event_time, arrival)
        revision = body.revision
        if revision is None or not revision.new:
            return _SKIPS[SkipReason.NO_REVISION]
        length = body.length
        performer = body.user or ""
        comment = body.comment or ""
        return Edit(
            event_id=_event_id(meta, raw),
            wiki=wiki,
            server_name=(body.server_name or "")[:255],
            title=title,
            namespace=namespace,
            rev_id=revision.new,
            parent_id=revision.old or None,
            performer=performer if len(performer) <= MAX_NAME_CHARS else performer[:MAX_NAME_CHARS],
            performer_kind=self._kind(wiki, performer),
            event_time=event_time,
            arrival_time=arrival,
            comment=comment if len(comment) <= MAX_COMMENT_CHARS else comment[:MAX_COMMENT_CHARS],
            minor=body.minor or False,
            bot=body.bot or False,
            is_new=kind == "new",
            old_len=length.old if length is not None else None,
            new_len=length.new if length is not None else None,
            script_path=_script_path(body.server_script_path),
        )

    def _log_event(
        self,
        body: RecentChange,
        raw: bytes,
        wiki: str,
        title: str,
        namespace: int,
        event_time: float,
        arrival: float,
    ) -> LogEvent | Skip:
        if body.log_type not in LOG_TYPES:
            return _SKIPS[SkipReason.NOT_AN_EDIT]
        return LogEvent(
            event_id=_event_id(body.meta, raw),
            wiki=wiki,
            server_name=(body.server_name or "")[:255],
            title=title,
            namespace=namespace,
            log_type=body.log_type,
            log_action=(body.log_action or "")[:64],
            performer=(body.user or "")[:MAX_NAME_CHARS],
            performer_kind=self._kind(wiki, body.user or ""),
            event_time=event_time,
            arrival_time=arrival,
            comment=(body.comment or "")[:MAX_COMMENT_CHARS],
            target_title=_move_target(body) if body.log_type == "move" else None,
            restrictions=_restrictions(body) if body.log_type == "protect" else (),
            log_id=body.log_id,
        )

    def _tags_change(
        self, body: RecentChange, raw: bytes, position: str, arrival: float | None
    ) -> Normalized:
        wiki, title = body.database, body.page_title
        if not wiki or not _is_wiki(wiki) or not body.rev_id or not title or arrival is None:
            return _dead(raw, DeadReason.SCHEMA, "a tags change without its revision", position)
        if self._wikis and wiki not in self._wikis:
            return _SKIPS[SkipReason.OTHER_WIKI]
        if len(title) > MAX_TITLE_CHARS or _is_broken(title):
            return _dead(raw, DeadReason.BAD_TITLE, "title too long or broken", position)
        if not EARLIEST <= arrival <= LATEST:
            return _dead(raw, DeadReason.BAD_TIME, "meta.dt out of range", position)
        return TagsChange(
            event_id=_event_id(body.meta, raw),
            wiki=wiki,
            rev_id=body.rev_id,
            title=title.replace("_", " "),
            tags=tuple(tag[:64] for tag in (body.tags or ())[:64]),
            event_time=arrival,
            arrival_time=arrival,
        )

    def _kind(self, wiki: str, name: str) -> PerformerKind:
        own = self._is_temporary
        if own is None:
            return performer_kind(name)
        return performer_kind(name, lambda candidate: own(wiki, candidate))


def _event_id(meta: Meta, raw: bytes) -> str:
    """`meta.id`, or a digest of the bytes where it is absent or no id at all."""
    found = meta.id
    if found and len(found) <= 64 and found.isascii() and found.isprintable():
        return found
    return blake2b(raw, digest_size=16).hexdigest()


def _seconds(moment: datetime | None) -> float | None:
    """A time without a zone is UTC, as in all of Wikimedia's events."""
    if moment is None:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    try:
        return moment.timestamp()
    except (OverflowError, ValueError):
        return None


def _is_wiki(name: str) -> bool:
    """A database name. No colon: it ends the wiki's part of a page's key."""
    return len(name) <= MAX_WIKI_CHARS and _is_wiki_name(name)


@lru_cache(maxsize=1_024)  # there are about a thousand
def _is_wiki_name(name: str) -> bool:
    return _WIKI.fullmatch(name) is not None


def _is_broken(title: str) -> bool:
    # Whatever is printable holds nothing of what is looked for; asking that is quicker.
    return not title.isprintable() and _CONTROL.search(title) is not None


def _plausible(event_time: float, arrival: float) -> bool:
    return (
        EARLIEST <= event_time <= LATEST
        and EARLIEST <= arrival <= LATEST
        and -MAX_BEHIND_S <= event_time - arrival <= MAX_AHEAD_S
    )


def _script_path(path: str | None) -> str:
    """Part of a link for a person: kept only if it looks like one. A wiki at its host's root says
    `/` or nothing."""
    if path is None or path == "/w":
        return "/w"
    path = path.rstrip("/")
    if len(path) <= 32 and re.fullmatch(r"(/[A-Za-z0-9_-]+)*", path):
        return path
    return "/w"


def _restrictions(body: RecentChange) -> tuple[str, ...]:
    return tuple(f"{found.action}={found.level}" for found in restrictions(bytes(body.log_params))[:8])


def _move_target(body: RecentChange) -> str | None:
    target = move_target(bytes(body.log_params))
    if not target or len(target) > MAX_TITLE_CHARS or _is_broken(target):
        return None
    return target


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def quote_untrusted(text: str, limit: int = 500) -> str:
    """For a log line or an error message: one line, bounded, what is not to be seen escaped."""
    return _UNSHOWN.sub(_escaped, text[:limit])


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _dead(raw: bytes, reason: DeadReason, message: str, position: str) -> DeadLetter:
    return DeadLetter(raw, reason, Stage.NORMALIZE, quote_untrusted(message), position)
