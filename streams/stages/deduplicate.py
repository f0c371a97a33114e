"""Forget nothing seen lately: a resume by timestamp repeats events."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

Id = TypeVar("Id", bound=Hashable)


class RecentIds(Generic[Id]):
    """The newest `capacity` ids of events. About an hour at 50 events/s with the default."""

    def __init__(self, capacity: int = 200_000, known: Iterable[Id] = ()) -> None:
        self._capacity = capacity
        # Not a dict: finding its oldest key takes the longer, the more were deleted before it.
        self._ids: OrderedDict[Id, None] = OrderedDict.fromkeys(known)

    def add(self, event_id: Id) -> bool:
        """True if it was not seen before, and it is remembered from now on."""
        ids = self._ids
        if event_id in ids:
            return False
        ids[event_id] = None
        if len(ids) > self._capacity:
            ids.popitem(last=False)
        return True

    def __contains__(self, event_id: object) -> bool:
        return event_id in self._ids

    def __len__(self) -> int:
        return len(self._ids)
