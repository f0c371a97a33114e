"""Screenshots made small: at most 256 colours, which charts on a plain ground hardly show."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
#: Channels of colour type 2 (RGB) and 6 (with alpha, which a screenshot has no use for).
_CHANNELS = {2: 3, 6: 4}


def shrunk(png: bytes) -> bytes:
    pixels = _decoded(png)
    colors, index, counts = np.unique(
        pixels.reshape(-1, 3).astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32),
        return_inverse=True,
        return_counts=True,
    )
    parts = np.stack([colors >> 16, colors >> 8 & 255, colors & 255], axis=1).astype(np.int32)
    kept = np.argsort(counts)[::-1][:256]
    nearest = np.array(
        [np.argmin(((parts[kept] - color) ** 2).sum(axis=1)) for color in parts], np.uint8
    )
    return _encoded(nearest[index].reshape(pixels.shape[:2]), parts[kept].astype(np.uint8))


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_SIGNATURE)
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        at += 12 + length


def _decoded(png: bytes) -> Pixels:
    chunks = list(_chunks(png))
    width, height, _, color_type = struct.unpack(">IIBB", chunks[0][1][:10])
    channels = _CHANNELS[color_type]
    raw = zlib.decompress(b"".join(data for kind, data in chunks if kind == b"IDAT"))
    rows = np.frombuffer(raw, np.uint8).reshape(height, 1 + width * channels)
    above = np.zeros((width, channels), np.uint8)
    found = np.empty((height, width, channels), np.uint8)
    for y, row in enumerate(rows):
        above = _unfiltered(int(row[0]), row[1:].reshape(width, channels), above)
        found[y] = above
    return found[:, :, :3]


def _unfiltered(kind: int, row: Pixels, above: Pixels) -> Pixels:
    """PNG 1.2, 6: a row is written as its difference from what is left of it or above it."""
    if kind == 0:
        return row
    if kind == 1:
        return np.add.accumulate(row, axis=0, dtype=np.uint8)
    if kind == 2:
        return row + above
    out = np.zeros_like(row)
    left = corner = [0] * row.shape[1]
    for x, (values, ups) in enumerate(zip(row.tolist(), above.tolist(), strict=True)):
        guess = _mean if kind == 3 else _paeth
        left = [
            (value + guess(a, b, c)) & 255
            for value, a, b, c in zip(values, left, ups, corner, strict=True)
        ]
        corner = ups
        out[x] = left
    return out


def _mean(left: int, above: int, corner: int) -> int:
    return (left + above) // 2


def _paeth(left: int, above: int, corner: int) -> int:
    guess = left + above - corner
    return min((left, above, corner), key=lambda each: abs(guess - each))


def _encoded(index: Pixels, palette: Pixels) -> bytes:
    height, width = index.shape
    rows = np.concatenate([np.zeros((height, 1), np.uint8), index], axis=1).tobytes()
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        (b"PLTE", palette.tobytes()),
        (b"IDAT", zlib.compress(rows, 9)),
        (b"IEND", b""),
    )
    return _SIGNATURE + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )
