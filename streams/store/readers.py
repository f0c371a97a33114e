"""A few connections for reading, shared by any number of threads."""

from __future__ import annotations

import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from streams.errors import BadSetting

#: Connections for reading, 4 MiB of cache each. Further readers wait for one: all reads are short.
READERS = 8


class Readers:
    """Connections for reading, made when wanted and lent to one thread at a time. Not one a thread:
    threads come and go, and what they held would stay open."""

    def __init__(self, connect: Callable[[], sqlite3.Connection], path: Path) -> None:
        self._connect = connect
        self._path = path
        self._closed = False
        self._lock = threading.Lock()
        # Last in, first out: the places without a connection yet are taken last.
        self._free: queue.LifoQueue[sqlite3.Connection | None] = queue.LifoQueue(READERS)
        for _ in range(READERS):
            self._free.put(None)

    @contextmanager
    def borrowed(self) -> Iterator[sqlite3.Connection]:
        reader = self._free.get()
        intact = False
        try:
            if self._closed:
                raise BadSetting(f"{self._path}: closed already")
            if reader is None:
                reader = self._connect()
            yield reader
            intact = True
        finally:
            with self._lock:
                if reader is not None and (self._closed or not intact):
                    reader.close()
                    reader = None
                self._free.put(reader)

    def close(self) -> None:
        """Those that are lent are closed when they come back."""
        with self._lock:
            self._closed = True
            free = []
            with contextlib.suppress(queue.Empty):
                while True:
                    free.append(self._free.get_nowait())
            for reader in free:
                if reader is not None:
                    reader.close()
                self._free.put(None)
