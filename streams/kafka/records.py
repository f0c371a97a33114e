"""Records as they are consumed and produced, whatever library does it."""

from __future__ import annotations

from typing import NamedTuple

Headers = list[tuple[str, bytes]]


class InRecord(NamedTuple):
    """A record as it was consumed. `timestamp` is Unix seconds."""

    topic: str
    partition: int
    offset: int
    timestamp: float
    key: bytes | None
    value: bytes | None
    headers: Headers


class OutRecord(NamedTuple):
    """A record to write."""

    topic: str
    partition: int
    key: bytes
    value: bytes | None
    headers: Headers


def header(headers: Headers, name: str) -> bytes | None:
    return next((value for known, value in headers if known == name), None)
