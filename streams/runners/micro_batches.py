"""How a stream is cut into micro-batches: what is decided together and committed together. Where the borders
lie changes nothing but the cost."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator
from typing import TypeAlias

from streams.errors import FactwatchError
from streams.records import Edit
from streams.sources.base import SourceItem

#: The more, the fewer states are written twice and the fewer commits; more than this gains little.
BATCH_ITEMS = 2_048
#: Texts held by one batch: each is held with its lines until the batch is decided.
BATCH_TEXT_BYTES = 8 << 20
#: How long a live batch waits for more once it has something. Part of the time from edit to alert.
GATHER_S = 0.05
#: An item, and when it was read, in monotonic seconds.
Arrived: TypeAlias = tuple[SourceItem, float]


def of_file(items: Iterator[SourceItem]) -> Iterator[list[SourceItem]]:
    """One that ends in an error is given before the error goes on."""
    batch: list[SourceItem] = []
    text_bytes = 0
    try:
        for item in items:
            batch.append(item)
            if item.edit is not None:
                text_bytes += _text_bytes(item.edit)
            if len(batch) >= BATCH_ITEMS or text_bytes >= BATCH_TEXT_BYTES:
                yield batch
                batch, text_bytes = [], 0
    except FactwatchError:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


def of_queue(items: queue.Queue[Arrived], wait_s: float) -> list[Arrived]:
    """The next one of a live source; empty when nothing comes within `wait_s`."""
    batch: list[Arrived] = []
    try:
        batch.append(items.get(timeout=wait_s) if wait_s > 0 else items.get_nowait())
        until = time.monotonic() + GATHER_S  # a clock that is set must not hold a batch
        while len(batch) < BATCH_ITEMS:
            left_s = until - time.monotonic()
            batch.append(items.get(timeout=left_s) if left_s > 0 else items.get_nowait())
    except queue.Empty:
        pass
    return batch


def _text_bytes(edit: Edit) -> int:
    content = edit.content
    if content is None or content.revision.text is None:
        return 0
    return len(content.revision.text)
