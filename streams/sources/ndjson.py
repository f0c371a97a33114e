"""Recent changes, one JSON a line; also what `curl` saved of the SSE stream."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from streams.errors import BadInput
from streams.sources.base import SourceItem, SourceStatus
from streams.sources.compressed import ByteStream, open_bytes
from streams.stages.normalize import MAX_EVENT_BYTES

#: Of an oversized line this much is kept, for the dead letter.
KEPT_BYTES = 64 << 10
#: Lines are cut out of pieces of at least this size: cutting each small read would cost more.
PIECE_BYTES = 1 << 18
_BOM = b"\xef\xbb\xbf"
_SSE_FIELDS = (b"event:", b"id:", b"retry:", b":")


class NdjsonSource:
    """Lines of a file (`.gz .bz2 .xz` too) or, as `-`, of standard input.

    The cursor is `BYTES:LINES`, unpacked bytes and lines read. A file is resumed there; standard
    input can't be, and is read as it comes (what was seen before is found by deduplication).
    """

    def __init__(self, path: str | Path, max_bytes: int = MAX_EVENT_BYTES, name: str = "ndjson") -> None:
        self.name = name
        self._path = str(path)
        self._max_bytes = max_bytes
        self._stream: ByteStream | None = None
        self._closed = False
        self._state = "connecting"
        self._last_item_time: float | None = None

    def items(self, cursor: str | None) -> Iterator[SourceItem]:
        """Blank lines and SSE fields other than `data:` are passed over; now and then a sign of life tells that
        many were. Ends at the file's end.
        Raises `BadInput` for a file that can't be read, is damaged, or is not the one that `cursor`
        came from; at damage, everything before it has come out."""
        offset, line_number = _parse_cursor(self._path, cursor)
        try:
            with open_bytes(self._path) as stream:
                self._stream = stream
                if self._closed:
                    return
                if self._path == "-":
                    offset = line_number = 0
                elif not stream.skip_to(offset):
                    raise BadInput(f"{self._path}: shorter than where it was left, {offset:,} bytes in")
                self._state = "connected"
                yield from self._lines(stream, offset, line_number)
                self._state = "ended"
        finally:
            if self._closed or self._state != "ended":
                self._state = "closed"

    def status(self) -> SourceStatus:
        stream = self._stream
        if stream is not None:
            position = stream.share_read()
        else:  # not opened yet: a file, if it is one
            position = 0.0 if Path(self._path).is_file() else None
        if self._state == "ended":
            position = 1.0
        return SourceStatus(self._state, self._path, self._last_item_time, position)

    def close(self) -> None:
        self._closed = True
        if self._stream is not None:
            self._stream.stop()

    def _lines(self, stream: ByteStream, offset: int, number: int) -> Iterator[SourceItem]:
        most = self._max_bytes
        carry = b""
        kept: bytes | None = None
        """First bytes of a line found too large whose end has not come."""
        cursor = f"{offset}:{number}"
        for piece in _pieces(stream):
            self._last_item_time = time.time()
            lines = piece.split(b"\n")
            if len(lines) == 1 and kept is not None:
                offset += len(piece)
                yield SourceItem(cursor)
                continue
            given = False
            if kept is not None:
                offset += len(lines[0]) + 1
                number += 1
                yield SourceItem(f"{offset}:{number}", raw=kept, too_large=True)
                given, kept = True, None
                del lines[0]
            elif carry:
                lines[0] = carry + lines[0]
            carry = lines.pop()
            for line in lines:
                offset += len(line) + 1
                number += 1
                if len(line) > most:
                    given = True
                    yield SourceItem(f"{offset}:{number}", raw=line[:KEPT_BYTES], too_large=True)
                    continue
                if line[:1] != b"{":
                    line = _payload(line, number)
                    if not line:
                        continue
                given = True
                yield SourceItem(f"{offset}:{number}", line)
            if self._closed:
                return
            cursor = f"{offset}:{number}"
            if not given and len(piece) >= PIECE_BYTES:
                yield SourceItem(cursor)
            if len(carry) > most:
                kept = carry[:KEPT_BYTES]
                offset += len(carry)
                carry = b""
        if self._closed:
            return
        if kept is not None:
            yield SourceItem(f"{offset}:{number + 1}", raw=kept, too_large=True)
        elif last := _payload(carry, number + 1):
            yield SourceItem(f"{offset + len(carry)}:{number + 1}", last)


def _pieces(stream: ByteStream) -> Iterator[bytes]:
    """Big pieces where the bytes are at hand, small ones as they come where they are waited for."""
    if stream.share_read() is None:
        while data := stream.read():
            yield data
        return
    held: list[bytes] = []
    size = 0
    damage: BadInput | None = None
    while True:
        try:
            data = stream.read()
        except BadInput as err:
            damage, data = err, b""
        if data:
            held.append(data)
            size += len(data)
        if held and (size >= PIECE_BYTES or not data):
            yield b"".join(held)
            held, size = [], 0
        if not data:
            break
    if damage is not None:
        raise damage


def _payload(line: bytes, number: int) -> bytes:
    """A line that begins otherwise than a JSON object: with a mark, spaces, or as an SSE field."""
    if number == 1:
        line = line.removeprefix(_BOM)
    line = line.strip()
    if line.startswith(b"data:"):
        return line[5:].lstrip()
    return b"" if line.startswith(_SSE_FIELDS) else line


def _parse_cursor(path: str, cursor: str | None) -> tuple[int, int]:
    if cursor is None:
        return 0, 0
    offset, _, number = cursor.partition(":")
    if not (offset.isdecimal() and number.isdecimal()):
        raise BadInput(
            f"{path}: {cursor!r} is no place in a file of lines: it was left by another source"
        )
    return int(offset), int(number)
