"""Keys and values of a changelog: what a partition of work changed, as records of a compacted topic.

A worker keeps nothing that is not in its changelog. A key is one letter for the table and eight bytes,
big-endian, for the id; a value is MessagePack, None drops the key.

| table | id | value |
| --- | --- | --- |
| p, w, e | `state_id` of the page | PageState, PackedWords, EpisodeState |
| f | `state_id` of the performer | PerformerState |
| l | number of the first edit in it | edits as scored, at most `CHUNK` |
| a | number of an edit | one that came with a moved page, out of the order of time |
| r | number of an edit | a `Mark`: what became of it |
| h | `state_id` of the page | HotPage |
| s | `state_id` of the hot_id | AmplificationState, and when to look at it again |
| k | `key_digest` of the post | KnownPost |
| i | number of the unit of work | ids of the events taken in |
| m | 0 | `Meta` |
"""

from __future__ import annotations

from typing import Literal

import msgspec

from streams.records import SeenFeatures
from streams.state.watermark import Watermark

Table = Literal["p", "w", "e", "f", "l", "a", "r", "h", "s", "k", "i", "m"]

Change = tuple[bytes, bytes | None]

#: Edits in one value: a label reads the one that its edit is in.
CHUNK = 64
#: Bits of a `LoggedEdit`, beside those of `EditRow`: it is not counted for its wiki's own shift; it was told as
#: kept before it came with a moved page.
NOT_COUNTED, TOLD_KEPT = 1 << 8, 1 << 9


class Meta(msgspec.Struct, array_like=True):
    """What a partition of work knows of itself. Written with every unit of work: with what else the
    unit changed, or not at all."""

    number: int = 0
    """Units of work committed."""
    positions: dict[str, int] = {}
    """By topic: the offset of the first record not worked on yet."""
    watermark: Watermark = msgspec.field(default_factory=Watermark)
    next_row: int = 1
    kept_row: int = 1
    """Edits before it were looked at for being kept."""
    first_ids: int = 1
    """Unit of work whose event ids are the oldest remembered."""
    ids: int = 0
    """Event ids remembered."""
    outcomes: dict[str, int] = {}
    """Records taken in, by outcome."""
    passed: dict[int, float] = {}
    """Event time up to which each page partition has told its reverts: of a performer partition."""
    told: float = 0.0
    """Event time up to which reverts were told: of a page partition."""
    decided: float = 0.0
    """Event time up to which posts were told that edits have been decided: of a page partition. Of a post
    partition: newest event time of posts that pages were told."""
    worked_on: dict[str, int] = {}
    """By topic: of the records from `positions` on, those before this offset only hold something that
    waits; the rest of them has been worked on."""
    posts_told: dict[int, float] = {}
    """Newest event time of posts that each post partition has told of: of a page partition."""
    posts_done: float = 0.0
    """What post partitions said of posts that came in before this newest event time has been worked on:
    of a page partition."""
    own_model: str = ""
    """Version of the model whose scores are counted for each wiki's own shift: of a page partition."""
    own_row: int = 1
    """Edits from it on were scored by that model."""
    own_told: int = -1
    """Day up to which it was told how often own edits were reverted."""

    def count(self, outcomes: dict[str, int]) -> None:
        total = dict(self.outcomes)
        for outcome, n in outcomes.items():
            total[outcome] = total.get(outcome, 0) + n
        self.outcomes = total


class KnownPost(msgspec.Struct, array_like=True, gc=False):
    """A post that bears on facts that are hot: what its edit or deletion has to undo."""

    key: int
    author: int
    version: float
    """Event time of its newest edit, or of itself."""
    event_time: float
    hot_ids: list[str]


class Mark:
    """What became of an edit; none: nobody reverted it yet."""

    REVERTED = b""
    KEPT = b"k"
    """It was said that it is kept: of those that came with a moved page."""
    GONE = b"g"
    """Its page is in another partition now."""


class LoggedEdit(msgspec.Struct, array_like=True, gc=False):
    """An edit as scored at the time, until its day is over and has had its 48 hours."""

    row: int
    key: str
    rev_id: int
    event_time: float
    risk: float
    flags: int
    seen: SeenFeatures | None = None
    """To go with its label, of a sample."""
    model_risk: float | None = None
    """Before the wiki's own shift; None: the same as `risk`."""

    @property
    def by_model(self) -> float:
        return self.risk if self.model_risk is None else self.model_risk


def key_of(table: Table, number: int) -> bytes:
    return table.encode() + number.to_bytes(8, "big")


META = key_of("m", 0)
