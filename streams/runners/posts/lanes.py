"""What is read ahead of a source of posts, by a thread of its own."""

from __future__ import annotations

import threading
from collections import deque

import msgspec

from streams.runners.posts.post_processor import TakenPost
from streams.sources.base import Source, SourceItem

#: Posts read ahead of the work, of each source, and their bytes. When it is full the source waits.
QUEUE_POSTS = 4_096
QUEUE_BYTES = 16 << 20
FULL_WAIT_S = 0.01


class Waiting(msgspec.Struct, gc=False):
    taken: TakenPost
    since: float
    row: int = 0
    """Of the inbox."""
    size: int = 0


class Lane:
    """One source, read by a thread of its own."""

    def __init__(self, source: Source) -> None:
        self.source = source
        # Not a `Queue`: its lock would be taken twice a post, at a tenth of what a post costs in all.
        self.items: deque[SourceItem] = deque()
        self.waiting: deque[Waiting] = deque()
        self.failed: BaseException | None = None
        self.ended = False
        self.held = 0
        """Bytes in `waiting`."""
        self.bytes_in = self.bytes_out = 0
        """Of the queue: one thread writes the first, the other the second."""

    @property
    def holds_enough(self) -> bool:
        return self.held >= QUEUE_BYTES

    def read(self, cursor: str | None, stopping: threading.Event) -> None:
        items = self.items
        try:
            for item in self.source.items(cursor):
                while len(items) >= QUEUE_POSTS or self.bytes_in - self.bytes_out > QUEUE_BYTES:
                    if stopping.wait(FULL_WAIT_S):
                        break
                if stopping.is_set():
                    return
                self.bytes_in += size_of(item)
                items.append(item)
        except BaseException as err:  # noqa: BLE001  # handed to the thread that waits
            self.failed = err
        finally:
            self.ended = True


def size_of(item: SourceItem) -> int:
    return len(item.raw) if item.raw is not None else 0
