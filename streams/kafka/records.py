"""Records as they are consumed and produced, whatever library does it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

Headers = list[tuple[str, bytes]]


class InRecord(Protocol):
    """A record as it was consumed; aiokafka's is one."""

    @property
    def topic(self) -> str: ...

    @property
    def partition(self) -> int: ...

    @property
    def offset(self) -> int: ...

    @property
    def timestamp(self) -> int:
        """Kafka's, in milliseconds."""
        ...

    @property
    def key(self) -> bytes | None: ...

    @property
    def value(self) -> bytes | None: ...

    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


class OutRecord(NamedTuple):
    """A record to write."""

    topic: str
    partition: int
    key: bytes
    value: bytes | None
    headers: Headers


def header(headers: Sequence[tuple[str, bytes]], name: str) -> bytes | None:
    return next((value for known, value in headers if known == name), None)
