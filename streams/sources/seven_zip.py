"""`.7z` as a stream: py7zr pushes what it unpacks, so a thread runs it into a bounded pipe."""

from __future__ import annotations

import threading
from queue import Empty, Full, Queue
from typing import Any

import py7zr
from py7zr.io import Py7zIO, WriterFactory

from streams.errors import BadInput
from streams.sources.compressed import POLL_S, ByteStream

#: Pieces in the pipe; py7zr unpacks up to 1 MiB at a time.
PIPE_PIECES = 16


class _Stopped(Exception):
    """The reader wants no more."""


class SevenZip(ByteStream):
    """The one file in an archive."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        try:
            self._archive = py7zr.SevenZipFile(name)
        except Exception:  # noqa: BLE001  # py7zr has no base of what a damaged header raises
            raise BadInput(f"{name}: not a 7z archive that can be read: its header is damaged") from None
        inside = [entry for entry in self._archive.list() if not entry.is_directory]
        if len(inside) != 1 or self._archive.needs_password():
            self._archive.close()
            raise BadInput(
                f"{name}: wants an archive of one file without a password, holds {len(inside)}"
            )
        self._size = inside[0].uncompressed
        self._pipe: Queue[bytes | Exception | None] = Queue(PIPE_PIECES)
        self._thread: threading.Thread | None = None
        self._ended = False

    def share_read(self) -> float | None:
        return min(1.0, self.given / self._size) if self._size else 1.0

    def close(self) -> None:
        self.stop()
        if self._thread is not None:
            self._thread.join()
        self._archive.close()

    def _read(self) -> bytes:
        if self._thread is None:
            self._thread = threading.Thread(target=self._unpack, name="unpack-7z", daemon=True)
            self._thread.start()
        while not self._ended and not self.stopped():
            try:
                piece = self._pipe.get(timeout=POLL_S)
            except Empty:
                continue
            if isinstance(piece, bytes):
                return piece
            self._ended = True
            if piece is not None:
                raise self._damaged(_one_line(piece))
        return b""

    def push(self, piece: bytes | Exception | None) -> None:
        while not self.stopped():
            try:
                return self._pipe.put(piece, timeout=POLL_S)
            except Full:
                continue
        raise _Stopped

    def _unpack(self) -> None:
        ended: Exception | None = None
        try:
            self._archive.extractall(factory=_Factory(self))
        except _Stopped:
            return
        except Exception as err:  # noqa: BLE001  # handed to the reader, who raises it
            ended = err
        try:
            self.push(ended)
        except _Stopped:
            return


class _Factory(WriterFactory):
    def __init__(self, to: SevenZip) -> None:
        self._to = to

    def create(self, filename: str) -> Py7zIO:
        return _Writer(self._to)


class _Writer(Py7zIO):
    def __init__(self, to: SevenZip) -> None:
        self._to = to
        self._written = 0

    def write(self, s: bytes | bytearray) -> int:
        if s:
            self._to.push(bytes(s))
            self._written += len(s)
        return len(s)

    def read(self, size: int | None = None) -> bytes:
        return b""

    def seek(self, offset: int, whence: int = 0) -> int:
        return offset

    def flush(self) -> None: ...

    def size(self) -> int:
        return self._written


def _one_line(err: Any) -> str:
    return " ".join(f"{type(err).__name__}: {err}".split())[:200]
