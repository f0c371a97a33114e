"""What is read of a source of posts and was not worked on yet."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator, Iterator

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
    """One source: a file is read in between by who works on its posts, anything else by a thread of its
    own. With the two on two processors each post would go from the caches of one to the other's, at a sixth
    of what it costs in all."""

    def __init__(self, source: Source) -> None:
        self.source = source
        # Not a `Queue`: its lock would be taken twice a post, at a tenth of what a post costs in all.
        self.items: deque[SourceItem] = deque()
        self.waiting: deque[Waiting] = deque()
        self.failed: BaseException | None = None
        self.ended = False
        self.held = 0
        """Bytes in `waiting`."""
        self._bytes_in = self._bytes_out = 0
        """Of `items`: one thread writes the first, the other the second."""
        self._file: Iterator[SourceItem] | None = None
        self._thread: threading.Thread | None = None

    def open(self, cursor: str | None, stopping: threading.Event) -> None:
        """Begin to read behind `cursor`."""
        if self.source.status().position is not None:
            self._file = self.source.items(cursor)
            return
        self._thread = threading.Thread(
            target=self._read, args=(cursor, stopping), name=self.source.name, daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """From the thread that takes; `stopping` is set. Then `join`."""
        self.source.close()
        if isinstance(self._file, Generator):
            self._file.close()

    def join(self) -> None:
        if self._thread is not None:
            self._thread.join(timeout=5)

    @property
    def has_items(self) -> bool:
        """Or may have some, in a file."""
        return bool(self.items) or (self._file is not None and not self.ended)

    @property
    def done(self) -> bool:
        """At its end, and all was worked on."""
        return self.ended and self.failed is None and not self.items and not self.waiting

    def take(self, limit: int) -> list[SourceItem]:
        """What was read, at most so many; fewer where they are large. Raises what the source raised, once
        all before it was taken."""
        if self._file is not None and not self.ended:
            self._read_file(self._file, limit)
        if self.failed is not None and not self.items and not self.waiting:
            raise self.failed
        taken: list[SourceItem] = []
        items = self.items
        while items and len(taken) < limit and self.held < QUEUE_BYTES:
            item = items.popleft()
            size = size_of(item)
            self._bytes_out += size
            self.held += size
            taken.append(item)
        return taken

    def _read_file(self, file: Iterator[SourceItem], limit: int) -> None:
        try:
            while len(self.items) < limit and self._bytes_in - self._bytes_out <= QUEUE_BYTES:
                item = next(file, None)
                if item is None:
                    break
                self._put(item)
                if item.raw is None:  # only that it goes on: the rest of the program does too
                    return
            else:
                return
        except Exception as err:  # noqa: BLE001  # raised when what came before it was worked on
            self.failed = err
        self.ended = True

    def _read(self, cursor: str | None, stopping: threading.Event) -> None:
        items = self.items
        try:
            for item in self.source.items(cursor):
                while len(items) >= QUEUE_POSTS or self._bytes_in - self._bytes_out > QUEUE_BYTES:
                    if stopping.wait(FULL_WAIT_S):
                        break
                if stopping.is_set():
                    return
                self._put(item)
        except BaseException as err:  # noqa: BLE001  # handed to the thread that waits
            self.failed = err
        finally:
            self.ended = True

    def _put(self, item: SourceItem) -> None:
        self._bytes_in += size_of(item)
        self.items.append(item)


def size_of(item: SourceItem) -> int:
    return len(item.raw) if item.raw is not None else 0
