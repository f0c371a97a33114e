"""A record as the topics delivered it, and what it means to the archive."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from streams.kafka.cloud_events import MAX_VALUE_BYTES, NotAnAlert, from_event
from streams.partitions import key_bytes, page_key
from streams.posts import PostsGone, decode_record
from streams.records import Alert, EditsVerdict, Label, PageStatus
from streams.topics import ALERTS, LABELS, PAGE_STATUS, POSTS_GONE, VERDICTS

TOPICS = (ALERTS.name, LABELS.name, PAGE_STATUS.name, POSTS_GONE.name, VERDICTS.name)
#: An index takes no longer text; titles of the pipeline are bounded by it too.
MAX_TITLE_CHARS = 600
MAX_ID_CHARS = 128
#: Of what comes with a verdict, as the API takes it.
MAX_VERDICT_ID_CHARS, MAX_NOTE_CHARS = 200, 2_000
#: Of the sample to learn from: more features than there are, and a weight beyond any.
MAX_FEATURE_BYTES, MAX_WEIGHT = 4_096, 1e6
_INT64 = 1 << 63

_label = msgspec.json.Decoder(Label).decode
_status = msgspec.json.Decoder(PageStatus).decode
_verdict = msgspec.json.Decoder(EditsVerdict).decode
_encode = msgspec.json.Encoder().encode


class Partition(NamedTuple):
    topic: str
    partition: int


class Delivered(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One record of one partition. Its place is where; `written_ms` is the time that it carries."""

    where: Partition
    position: int
    written_ms: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]] = []


class NothingOpen(msgspec.Struct, frozen=True, gc=False):
    """A tombstone of the page-status topic."""

    wiki: str
    title: str


Record = Alert | Label | PageStatus | NothingOpen | PostsGone | EditsVerdict


class NotStorable(Exception):
    """A record that is not what its topic should hold."""


def read(record: Delivered) -> Record:
    """What it says. What comes back can be stored: no NUL, no integer beyond 64 bits, no text beyond
    what an index takes. Raises `NotStorable` with one line."""
    try:
        found: Record = _READERS[record.where.topic](record)
    except NotAnAlert as err:
        raise NotStorable(str(err)) from None
    except (msgspec.DecodeError, UnicodeError) as err:
        raise NotStorable(ascii(str(err))[:300]) from None
    if not isinstance(found, PostsGone):  # of that only digests are stored
        _check(found)
    return found


def body_of(record: Alert | PageStatus) -> str:
    """As the archive keeps it: a NUL in it stays escaped."""
    return _encode(record).decode()


def headers_of(record: Delivered) -> bytes:
    """Of a reject, for a person: JSON with the values in base64."""
    return _encode(record.headers)


def _alert(record: Delivered) -> Alert:
    return from_event(record.key, record.value, record.headers)


def _read_label(record: Delivered) -> Label:
    label = _label(_bounded(record))
    if record.key is not None and record.key != key_bytes(page_key(label.wiki, label.title)):
        raise NotStorable("the key is not the page of the value")
    return label


def _page_status(record: Delivered) -> PageStatus | NothingOpen:
    if record.key is None:
        raise NotStorable("no key: which page it is of is not told")
    if record.value is None:
        wiki, colon, title = record.key.decode().partition(":")
        if not (wiki and colon and title):
            raise NotStorable("the key names no page")
        return NothingOpen(wiki, title)
    status = _status(_bounded(record))
    if record.key != key_bytes(page_key(status.wiki, status.title)):
        raise NotStorable("the key is not the page of the value")
    return status


def _posts_gone(record: Delivered) -> PostsGone:
    found = decode_record(_bounded(record))
    if not isinstance(found, PostsGone) or (found.post_id is None) == (found.author is None):
        raise NotStorable("not a deletion")
    return found


def _read_verdict(record: Delivered) -> EditsVerdict:
    verdict = _verdict(_bounded(record))
    if record.key != key_bytes(page_key(verdict.wiki, verdict.title)):
        raise NotStorable("the key is not the page of the value")
    return verdict


def _bounded(record: Delivered) -> bytes:
    if not record.value or len(record.value) > MAX_VALUE_BYTES:
        raise NotStorable(f"the value has {len(record.value or b'')} bytes, not 1 to {MAX_VALUE_BYTES}")
    return record.value


_READERS: dict[str, Any] = dict(
    zip(TOPICS, (_alert, _read_label, _page_status, _posts_gone, _read_verdict), strict=True)
)


def _check(found: Alert | Label | PageStatus | NothingOpen | EditsVerdict) -> None:
    texts = [found.wiki, found.title]
    numbers: list[int] = []
    if isinstance(found, Alert):
        texts += [found.alert_id, found.ce_id]
        numbers = [found.rev_id]
    elif isinstance(found, Label):
        texts += [found.evidence]
        numbers = [found.rev_id, found.reverted_by]
        if found.seen is not None:
            texts += [found.seen.model, found.seen.feature_set]
            if not 0 < found.seen.weight <= MAX_WEIGHT or len(found.seen.features) > MAX_FEATURE_BYTES:
                raise NotStorable("features that no worker sends")
    elif isinstance(found, EditsVerdict):
        texts += [found.alert_id]
        numbers = [edit.rev_id for edit in found.edits]
        _check_words(found)
    if any("\0" in text for text in texts):
        raise NotStorable("a NUL in a name")
    if len(found.title) > MAX_TITLE_CHARS or len(found.wiki) > MAX_ID_CHARS:
        raise NotStorable("a title or wiki longer than any")
    if any(len(text) > MAX_ID_CHARS for text in texts[2:]):
        raise NotStorable("an id longer than any")
    if any(not -_INT64 <= number < _INT64 for number in numbers):
        raise NotStorable("a revision id beyond 64 bits")


def _check_words(verdict: EditsVerdict) -> None:
    if not verdict.edits:
        raise NotStorable("a verdict on no edit")
    if any("\0" in text for text in (verdict.verdict_id, verdict.given_by, verdict.note)):
        raise NotStorable("a NUL in what came with a verdict")
    if max(len(verdict.verdict_id), len(verdict.given_by)) > MAX_VERDICT_ID_CHARS:
        raise NotStorable("an id or a name longer than any")
    if len(verdict.note) > MAX_NOTE_CHARS:
        raise NotStorable("a note longer than any")
