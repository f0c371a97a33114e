"""What travels between the hops, and what a unit of work leaves behind.

Internal topics carry MessagePack: `performers` from a performer partition to the page partition of the
edit, `feedback` from there back to the performer partition of whoever was reverted, `matches` from a
post partition to the page partitions, `own-edits` between page partitions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from streams.kafka.records import OutRecord
from streams.posts import Match, Post, PostsGone
from streams.records import Alert, Grade
from streams.state.episode import EpisodeState
from streams.state.page import PageState
from streams.state.performer import PerformerView
from streams.state.words import PackedWords
from streams.store.changelog import Change, LoggedEdit
from streams.store.own_rows import OwnDay
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
    arrivals: list[float] = []
    """Of the edits in it: when ingest had read each, Unix seconds by the clock there."""
    stage_seconds: dict[str, float] = {}
    late: int = 0
    """Records that went on without what another partition had to say."""
    matched: dict[Grade, int] = {}
    """Posts by what they do with a hot fact."""
    gone: bool = False
    """A post was deleted of which something was known: nothing of it may stay in what was overwritten."""


class Answer(msgspec.Struct, array_like=True, gc=False):
    """What was known of an edit's performer."""

    event_id: str
    view: PerformerView


class Answers(msgspec.Struct, array_like=True, tag="b", gc=False):
    """Those of one unit of work to one page partition: a record each would cost more than the answers."""

    answers: list[Answer]


class Moved(msgspec.Struct, array_like=True, tag="m"):
    """All that is kept of a page whose new title is another partition's; None where nothing was."""

    event_id: str
    page: PageState | None
    words: PackedWords | None
    episode: EpisodeState | None
    edits: list[tuple[LoggedEdit, bool]]
    """Those that may still get or lose a label, and whether they have one."""


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


class Said(msgspec.Struct, array_like=True, gc=False):
    """A post, with how it bears on facts of the partition it is sent to; or a deletion. Exactly one of
    the two is set."""

    newest: float
    """Newest event time of posts when it came in: by that it is put in order with what other partitions
    say. It never goes back in what one partition says."""
    post: Post | None = None
    gone: PostsGone | None = None
    matches: list[Match] = []


class PostsSaid(msgspec.Struct, array_like=True, tag="p", gc=False):
    """From one post partition to one page partition, of one unit of work."""

    partition: int
    newest: float
    """What is said from now on came in with this newest event time of posts, or a later one."""
    said: list[Said] = []


class AlertsOfMoved(msgspec.Struct, array_like=True, tag="a"):
    """State changes of alerts that the sender knows nothing of: their pages came to it by a move. To all
    page partitions; the facts stay with the one that the alert became known in."""

    alerts: list[Alert]


class OwnPart(msgspec.Struct, array_like=True, tag="d", gc=False):
    """What a page partition counted of its own edits, of days since its last one."""

    partition: int
    until: int
    """The last of those days."""
    model: str
    """Version of who scored them."""
    days: list[tuple[int, str, OwnDay]]
    """By day and wiki."""


class OwnSums(msgspec.Struct, array_like=True, tag="s", gc=False):
    """What all page partitions counted up to `day`, as `OwnHistory.past` weighs it: it takes the place of
    their parts."""

    day: int
    model: str
    wikis: dict[str, OwnDay]


def again(event_id: str, sent_back: str) -> str:
    """What a record that was sent back is asked about by: it was asked about before."""
    return f"{event_id} {sent_back}" if sent_back else event_id


encode = msgspec.msgpack.Encoder().encode
decode_said = msgspec.msgpack.Decoder(Answers | Moved).decode
decode_feedback = msgspec.msgpack.Decoder(Reverted | Progress).decode
decode_own = msgspec.msgpack.Decoder(OwnPart | OwnSums).decode
decode_matches = msgspec.msgpack.Decoder(PostsSaid | AlertsOfMoved).decode


class Marks(msgspec.Struct, gc=False):
    """What a record's headers say to us."""

    passed: float | None = None
    """Event time that had passed at it; None where its producer didn't say."""
    routed: bool = False
    requeued: str = ""
    """Not empty: an operator sent it back; in edits, which time that was."""
    too_large: bool = False


def marks_of(headers: Sequence[tuple[str, bytes]]) -> Marks:
    marks = Marks()
    for name, value in headers:
        if name == Header.WATERMARK:
            try:
                passed = float(value)
            except ValueError:
                continue
            marks.passed = passed if math.isfinite(passed) else None
        elif name == Header.ROUTED:
            marks.routed = True
        elif name == Header.REQUEUED:
            marks.requeued = value.decode("ascii", "replace") or "1"
        elif name == Header.TOO_LARGE:
            marks.too_large = True
    return marks
