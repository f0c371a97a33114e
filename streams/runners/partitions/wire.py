"""What travels between the two hops, and what a unit of work leaves behind.

Internal topics carry MessagePack: `performers` from a performer partition to the page partition of the
edit, `feedback` from there back to the performer partition of whoever was reverted.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from streams.kafka.records import Headers, InRecord, OutRecord, header
from streams.records import Alert
from streams.sources.base import SourceItem
from streams.state.performer import PerformerView
from streams.store.changelog import Change
from streams.topics import Header


class Work(NamedTuple):
    """One unit of work: `outputs` for other topics, `changes` for the changelog. The last of those is
    the partition's `Meta`, with the positions of what it read."""

    outputs: list[OutRecord]
    changes: list[Change]
    figures: Figures


class Figures(msgspec.Struct):
    """What a unit of work did, for the metrics."""

    outcomes: dict[str, int] = {}
    alerts: list[Alert] = []
    labels: dict[str, int] = {}
    dead_letters: list[tuple[str, str]] = []
    """`(stage, reason)`."""
    newest_arrival: float | None = None
    """Arrival time of the newest record in it."""
    stage_seconds: dict[str, float] = {}
    late: int = 0
    """Edits that went on without what another partition had to say."""


class Answer(msgspec.Struct, array_like=True, gc=False):
    """What was known of an edit's performer."""

    event_id: str
    view: PerformerView


class Reverted(msgspec.Struct, array_like=True, tag="r", gc=False):
    """Somebody's edit was reverted by another user, seen when `seen` had passed."""

    wiki: str
    performer: str
    is_address: bool
    seen: float


class Progress(msgspec.Struct, array_like=True, tag="p", gc=False):
    """Every revert that a page partition saw before `passed` has been told."""

    partition: int
    passed: float


def source_item_of(record: InRecord) -> SourceItem:
    """As a source would have given it; its cursor is partition and offset."""
    return SourceItem(
        f"{record.partition}:{record.offset}",
        record.value or b"",
        too_large=header(record.headers, Header.TOO_LARGE) is not None,
    )


def is_requeued(record: InRecord) -> bool:
    return header(record.headers, Header.REQUEUED) is not None


encode = msgspec.msgpack.Encoder().encode
decode_answer = msgspec.msgpack.Decoder(Answer).decode
decode_feedback = msgspec.msgpack.Decoder(Reverted | Progress).decode


def passed_of(headers: Headers) -> float | None:
    """Event time that had passed at the record; None where its producer didn't say."""
    value = header(headers, Header.WATERMARK)
    if value is None:
        return None
    try:
        return float(value)
    except ValueError:
        return None
