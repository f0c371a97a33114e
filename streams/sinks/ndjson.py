"""Every alert state change as one line of a file, whatever kills the program: none lost, none twice."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import msgspec

from streams.errors import BadInput, FactwatchError
from streams.sinks.alert_json import alert_json
from streams.store.reader import AlertReader

BATCH = 1000
BLOCK = 64 * 1024


class NdjsonWriteFailed(FactwatchError):
    """The disk is full or broken. Nothing is lost: the store has what the file lacks."""

    exit_code = 8


class _Line(msgspec.Struct):
    seq: int
    ce_id: str


class NdjsonSink:
    """Appends to `path`. The file is its own cursor: its last whole line says where the log goes on. A
    torn tail, left by a kill, is cut off when it is opened.

    Raises `BadInput` for a file that can't be continued: of another store, of another kind, or open in
    another Factwatch."""

    def __init__(self, path: Path, reader: AlertReader) -> None:
        self._path = path
        self._reader = reader
        is_new = not path.exists()
        if not is_new and not path.is_file():
            raise BadInput(f"{path} is no file that lines could be added to: name another")
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        except OSError as err:
            raise BadInput(f"{path} can't be opened: {err.strerror}") from None
        try:
            self._lock()
            self._length = self._cut_torn_tail()
            self.seq = self._last_seq()
            if is_new:
                _sync_directory(path)
        except BaseException:
            os.close(self._file)
            raise

    def write_new(self) -> int:
        """Appends what the log has beyond the file, durably; the number of lines. To be called after a
        commit. Raises `NdjsonWriteFailed`, with the file as it was before the batch that failed."""
        written = 0
        while batch := self._reader.log(self.seq, BATCH):
            self._append(b"".join(alert_json(stored) + b"\n" for stored in batch))
            self.seq = batch[-1].seq
            written += len(batch)
        return written

    def close(self) -> None:
        os.close(self._file)

    def _append(self, lines: bytes) -> None:
        try:
            offset = self._length
            left = memoryview(lines)
            while left:
                count = os.pwrite(self._file, left, offset)
                offset += count
                left = left[count:]
            os.fsync(self._file)
        except OSError as err:
            os.ftruncate(self._file, self._length)
            raise NdjsonWriteFailed(
                f"{self._path}: {err.strerror}. Make room or name another file, and start again: the "
                "store has every alert, the file goes on where it ends"
            ) from None
        self._length = offset

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BadInput(f"{self._path} is written by another factwatch: name another file") from None

    def _cut_torn_tail(self) -> int:
        """The length up to the last line end."""
        length = os.fstat(self._file).st_size
        whole = self._after_line_end_before(length)
        if whole != length:
            os.ftruncate(self._file, whole)
            os.fsync(self._file)
        return whole

    def _after_line_end_before(self, position: int) -> int:
        """The offset behind the last line end in the first `position` bytes; 0 when there is none."""
        while position > 0:
            begin = max(position - BLOCK, 0)
            found = os.pread(self._file, position - begin, begin).rfind(b"\n")
            if found >= 0:
                return begin + found + 1
            position = begin
        return 0

    def _last_seq(self) -> int:
        if self._length == 0:
            return 0
        begin = self._after_line_end_before(self._length - 1)
        try:
            last = msgspec.json.decode(os.pread(self._file, self._length - begin, begin), type=_Line)
        except msgspec.DecodeError:
            raise BadInput(
                f"{self._path} ends with a line that is no alert of ours: name another file"
            ) from None
        stored = self._reader.log(last.seq - 1, 1)
        if not stored or (stored[0].seq == last.seq and stored[0].alert.ce_id != last.ce_id):
            raise BadInput(
                f"{self._path} holds alerts of another store (its last is number {last.seq}): name "
                "another file, or move it away"
            )
        return last.seq


def _sync_directory(path: Path) -> None:
    """So that the new file's name is durable too."""
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
