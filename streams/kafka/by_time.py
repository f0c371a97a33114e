"""Records of several partitions in the order they were written in, as far as their times tell."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

Where = TypeVar("Where", bound=Hashable)
Record = TypeVar("Record")


class ByTime(Generic[Where, Record]):
    """What waits here is in the order of its partition; it comes out by time across them. Nothing comes
    out that a partition may still have something older than."""

    def __init__(self, partitions: Iterable[Where]) -> None:
        self._waiting: dict[Where, deque[tuple[int, Record]]] = {
            where: deque() for where in sorted(partitions, key=repr)
        }
        self._ended: set[Where] = set()

    def add(self, where: Where, time_ms: int, record: Record) -> None:
        self._waiting[where].append((time_ms, record))

    def end(self, where: Where) -> None:
        """Nothing more comes of it."""
        self._ended.add(where)

    def waiting(self, where: Where) -> int:
        return len(self._waiting[where])

    @property
    def done(self) -> bool:
        """All have ended, and everything has come out."""
        return len(self._ended) == len(self._waiting) and not any(self._waiting.values())

    @property
    def ready(self) -> bool:
        """Something would come out."""
        return any(self._waiting.values()) and all(
            queue or where in self._ended for where, queue in self._waiting.items()
        )

    def take(self, limit: int) -> list[Record]:
        taken: list[Record] = []
        while len(taken) < limit and self.ready:
            heads = (queue for queue in self._waiting.values() if queue)
            taken.append(min(heads, key=lambda queue: queue[0][0]).popleft()[1])
        return taken
