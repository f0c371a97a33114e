"""What a source is: items in order, each with the cursor that covers it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import msgspec

from streams.records import Edit


class SourceItem(msgspec.Struct, frozen=True, gc=False):
    """One thing read. `raw` is a recent change (or tags-change) as JSON bytes, for `normalize`; a
    history gives an `edit` ready made, with its texts. Both None: a sign of life (heartbeat, canary
    comment, idle tick) that moves the watermark of silence, not of events."""

    cursor: str
    """Resuming with it repeats nothing before this item and loses nothing after it, as far as the
    source can (EventStreams repeats some)."""
    raw: bytes | None = None
    edit: Edit | None = None
    too_large: bool = False
    """The item passed the source's byte bound: `raw` is its first bytes, to be dead-lettered."""


class Source(Protocol):
    """Resumable input. Iterating blocks; `close` from another thread ends it soon and for good."""

    name: str
    """Metric label `source`: eventstreams, rcfeed, ndjson or history."""

    def items(self, cursor: str | None) -> Iterator[SourceItem]:
        """Everything after `cursor` (None: from the source's beginning, or from now for a live one).
        Files end; live sources reconnect for ever and never raise for an outage."""
        ...

    def status(self) -> SourceStatus:
        """What a person sees on the page and in /readyz. Thread-safe."""
        ...

    def close(self) -> None: ...


class SourceStatus(msgspec.Struct, frozen=True, gc=False):
    state: str
    """connecting, connected, retrying, ended or closed."""
    detail: str = ""
    """One line for a person: the error, the wait until the next try."""
    last_item_time: float | None = None
    """Processing time of the last item or sign of life."""
    position: float | None = None
    """Share read, 0 to 1, for files; None for live sources."""
