"""Bytes of a file, whatever it is packed with, in bounded memory: `.gz .bz2 .xz .7z` or plain.

The kind is told by the file's first bytes, not by its name. gzip, bz2 and xz may be several streams
one after the other (Wikimedia's multistream dumps are).
"""

from __future__ import annotations

import bz2
import lzma
import os
import select
import stat
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, Self

from streams.errors import BadInput

#: At most this much is unpacked at once. It is also what a damaged place can cost.
READ_BYTES = 1 << 16
#: `xz -9` wants 65 MiB to unpack; a header that asks for far more is damaged or hostile.
XZ_MEMORY_BYTES = 512 << 20
#: How often a read that waits for a pipe or a thread looks whether it was stopped.
POLL_S = 0.2

GZIP, BZIP2, XZ = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00"
SEVEN_ZIP, ZSTD = b"7z\xbc\xaf\x27\x1c", b"\x28\xb5\x2f\xfd"


class ByteStream:
    """Unpacked bytes. One thread reads and closes; `stop` may be called from any."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.given = 0
        """Unpacked bytes given so far."""
        self._stopped = False
        self._left_over = b""

    def read(self) -> bytes:
        """The next bytes as soon as there are any; empty at the end and once stopped. Raises
        `BadInput` at damage, after everything before it was given."""
        if self.stopped():
            return b""
        data, self._left_over = self._left_over or self._read(), b""
        self.given += len(data)
        return data

    def skip_to(self, offset: int) -> bool:
        """Moves on to `offset` of the unpacked bytes; False if they end before."""
        while self.given < offset:
            data = self.read()
            if not data:
                return False
            if self.given > offset:
                keep = self.given - offset
                self._left_over = data[-keep:]
                self.given = offset
        return True

    def stop(self) -> None:
        self._stopped = True

    def stopped(self) -> bool:
        return self._stopped

    def share_read(self) -> float | None:
        """0 to 1; None where the size is not known."""
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError

    def _read(self) -> bytes:
        raise NotImplementedError

    def _damaged(self, why: str) -> BadInput:
        if not self.given:
            return BadInput(f"{self.name}: damaged at its beginning: nothing of it can be unpacked")
        return BadInput(f"{self.name}: damaged after {self.given:,} unpacked bytes: {why}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_bytes(path: str | Path) -> ByteStream:
    """Opens `path` for reading; `-` is standard input. Raises `BadInput` with a line that says why
    it can't be read."""
    name = str(path)
    if name == "-":
        return _Packed("standard input", os.dup(sys.stdin.fileno()), None)
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_CLOEXEC)
    except (OSError, ValueError) as err:
        raise BadInput(f"{name}: {_why(err)}") from None
    try:
        found = os.fstat(descriptor)
        if stat.S_ISDIR(found.st_mode):
            raise BadInput(f"{name}: is a directory, wants a file")
        if not stat.S_ISREG(found.st_mode):
            return _Packed(name, descriptor, None)
        head = os.pread(descriptor, len(SEVEN_ZIP), 0)
        if head.startswith(ZSTD):
            raise BadInput(f"{name}: zstd is not read: unpack it first with `zstd -d`")
        if head != SEVEN_ZIP:
            return _Packed(name, descriptor, found.st_size)
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    try:
        from streams.sources.seven_zip import SevenZip  # an extra, and heavy: seven compiled codecs
    except ImportError:
        raise BadInput(f"{name}: .7z needs the package py7zr: pip install 'factwatch[7z]'") from None
    return SevenZip(name)


class _Decoder(Protocol):
    def decompress(self, data: bytes, max_length: int) -> bytes: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...


class _Gzip:
    """zlib's decompressor with the interface of those of bz2 and lzma."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        self._full = False

    def decompress(self, data: bytes, max_length: int) -> bytes:
        unpacked = self._inner.decompress(self._inner.unconsumed_tail + data, max_length)
        # zlib may hold more output than it was allowed to give although it took all input.
        self._full = len(unpacked) == max_length
        return unpacked

    @property
    def needs_input(self) -> bool:
        return not self._full and not self._inner.unconsumed_tail

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data


def _xz() -> _Decoder:
    return lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=XZ_MEMORY_BYTES)


_DECODERS: dict[bytes, Callable[[], _Decoder]] = {GZIP: _Gzip, BZIP2: bz2.BZ2Decompressor, XZ: _xz}
_DAMAGE = (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError)


class _Packed(ByteStream):
    """A plain, gzip, bz2 or xz file (`size` known) or pipe."""

    def __init__(self, name: str, descriptor: int, size: int | None) -> None:
        super().__init__(name)
        self._descriptor = descriptor
        self._size = size
        self._taken = 0
        self._pending = b""
        self._start: bytes | None = None
        """The first bytes that name the codec: None until read, empty for a plain file."""
        self._decoder: _Decoder | None = None

    def skip_to(self, offset: int) -> bool:
        self._detect()
        if self._start or self._size is None:
            return super().skip_to(offset)
        self._pending = self._left_over = b""
        self._taken = self.given = os.lseek(self._descriptor, min(offset, self._size), os.SEEK_SET)
        return self.given == offset

    def share_read(self) -> float | None:
        if self._size is None:
            return None
        return min(1.0, self._taken / self._size) if self._size else 1.0

    def close(self) -> None:
        self.stop()
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _read(self) -> bytes:
        start = self._detect()
        if start:
            return self._unpack(start)
        data, self._pending = self._pending or self._take(), b""
        return data

    def _detect(self) -> bytes:
        if self._start is None:
            self._fill(len(XZ))
            self._start = next((start for start in _DECODERS if self._pending.startswith(start)), b"")
        return self._start

    def _unpack(self, start: bytes) -> bytes:
        while not self.stopped():
            decoder = self._decoder
            data = b""
            if decoder is None:
                while self._fill(1):
                    self._pending = self._pending.lstrip(b"\x00")  # padding between or after streams
                    if self._pending:
                        break
                else:
                    return b""
                if not self._fill(len(start)) or not self._pending.startswith(start):
                    if self.stopped():
                        return b""
                    raise self._damaged("something else follows the packed data")
                decoder = self._decoder = _DECODERS[start]()
                data, self._pending = self._pending, b""
            elif decoder.needs_input:
                data = self._take()
                if not data:
                    if self.stopped():
                        return b""
                    raise self._damaged("the file ends too early")
            try:
                unpacked = decoder.decompress(data, READ_BYTES)
            except _DAMAGE as err:
                raise self._damaged(str(err)) from None
            if decoder.eof:
                self._pending = decoder.unused_data
                self._decoder = None
            if unpacked:
                return unpacked
        return b""

    def _fill(self, count: int) -> bool:
        while len(self._pending) < count:
            more = self._take()
            if not more:
                return False
            self._pending += more
        return True

    def _take(self) -> bytes:
        try:
            while self._size is None and not self.stopped():
                if select.select([self._descriptor], [], [], POLL_S)[0]:
                    break
            if self.stopped():
                return b""
            data = os.read(self._descriptor, READ_BYTES)
        except OSError as err:
            raise BadInput(f"{self.name}: {_why(err)}") from None
        self._taken += len(data)
        return data


def _why(err: Exception) -> str:
    if isinstance(err, FileNotFoundError):
        return "no such file"
    if isinstance(err, OSError) and err.strerror:
        return err.strerror.lower()
    return str(err)
