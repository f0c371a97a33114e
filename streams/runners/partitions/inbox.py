"""What other partitions have to say of records by their event ids, before or after the records come."""

from __future__ import annotations

from collections.abc import Container
from typing import Generic, TypeVar

T = TypeVar("T")


class Inbox(Generic[T]):
    def __init__(self, recent: Container[str]) -> None:
        """`recent`: records taken in; what is said of one that nobody waits for any more is not kept."""
        self._recent = recent
        self._held: dict[str, tuple[T, int]] = {}
        self._expected: set[str] = set()

    def expect(self, event_id: str) -> None:
        """The record has come in, and waits."""
        self._expected.add(event_id)

    def put(self, event_id: str, said: T, offset: int) -> None:
        if event_id in self._expected or event_id not in self._recent:
            self._held[event_id] = (said, offset)

    def __contains__(self, event_id: str) -> bool:
        return event_id in self._held

    def take(self, event_id: str) -> T | None:
        """None if nothing has come in time."""
        self._expected.discard(event_id)
        held = self._held.pop(event_id, None)
        return held[0] if held is not None else None

    @property
    def first_held(self) -> int | None:
        """Offset of the oldest that is still to be used; None if there is none."""
        return next((offset for _, offset in self._held.values()), None)
