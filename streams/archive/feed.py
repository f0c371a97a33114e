"""What the archive's loop asks of the topics: a seam, so that it can be driven without a broker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from streams.archive.delivered import Delivered, Partition
from streams.archive.writer import Position
from streams.errors import FactwatchError


class TopicsUnavailable(FactwatchError):
    """The broker or a topic can't be read now. Trying again may help."""

    exit_code = 4


class Fetched(NamedTuple):
    records: list[Delivered]
    after: dict[Partition, int]
    """The next offset of each partition that moved, by records or by transaction markers."""


class Start(NamedTuple):
    """Where reading begins, and what was lost before: offsets deleted by retention before they were
    read, by topic."""

    positions: dict[Partition, Position]
    expired: dict[str, int]


class Topics(Protocol):
    """For one thread. Every call may raise `TopicsUnavailable`; after that of `poll`, only `start` makes
    sure that nothing is passed over."""

    def start(self, stored: Mapping[Partition, Position]) -> Start:
        """Go to the stored positions; where there is none, to the partition's beginning."""
        ...

    def poll(self) -> Fetched | None:
        """What came next, or nothing after a short while. None: a position lies outside of its log by
        now, `start` again."""
        ...

    def lag(self, done: Mapping[Partition, int]) -> dict[str, int]:
        """Offsets between `done` and the end of what is committed, by topic."""
        ...

    def has_new_partitions(self) -> bool: ...

    def close(self) -> None: ...
