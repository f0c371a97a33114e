"""Forget nothing seen lately: a resume by timestamp repeats events."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable


class RecentIds:
    """The newest `capacity` event ids. About an hour at 50 events/s with the default."""

    def __init__(self, capacity: int = 200_000, known: Iterable[str] = ()) -> None:
        self._capacity = capacity
        # A set and an order beside it: one dict for both doubles once it is full and ids leave it.
        self._order: deque[str] = deque()
        self._ids: set[str] = set()
        for event_id in known:
            if event_id not in self._ids:
                self._ids.add(event_id)
                self._order.append(event_id)

    def add(self, event_id: str) -> bool:
        """True if it was not seen before, and it is remembered from now on."""
        ids = self._ids
        if event_id in ids:
            return False
        ids.add(event_id)
        self._order.append(event_id)
        if len(ids) > self._capacity:
            ids.discard(self._order.popleft())
        return True

    def __contains__(self, event_id: object) -> bool:
        return event_id in self._ids

    def __len__(self) -> int:
        return len(self._ids)
