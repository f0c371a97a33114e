"""What the second pass needs of one record of the first, in order."""

from __future__ import annotations

import msgspec

from streams.records import Edit, LogEvent
from streams.sources.base import SourceItem
from streams.stages.diff import TextDelta
from streams.stages.track import LabelUpdate, Observation
from streams.state.page import PageView
from streams.state.performer import PerformerView


class Step(msgspec.Struct):
    key: str
    time: float
    passed: float = 0.0
    """Event time that had passed at the record."""
    page_id: int = 0
    edit: Edit | None = None
    view: PageView | None = None
    observation: Observation | None = None
    delta: TextDelta | None = None
    row: int = 0
    """Index into the matrix."""
    disputes: tuple[str, ...] = ()
    log: LogEvent | None = None
    tag: LabelUpdate | None = None
    performer: PerformerView | None = None
    """What was known of an edit's performer."""
    item: SourceItem | None = None
    """What it was read from, for a dead letter."""
