"""What is known of performers, told by another partition."""

from __future__ import annotations

from collections.abc import Sequence

from streams.records import Edit
from streams.stages.deduplicate import RecentIds
from streams.state.page import Entry
from streams.state.performer import PerformerState, PerformerView


class RemotePerformers:
    """Implements `Performers`. Answers come by event id, before or after their edit."""

    def __init__(self, recent: RecentIds) -> None:
        """`recent`: edits taken in; an answer to one that nobody waits for any more is not kept."""
        self._recent = recent
        self._held: dict[str, tuple[PerformerView, int]] = {}
        self._expected: set[str] = set()
        self._reverted: list[tuple[str, Entry, float]] = []

    def expect(self, event_id: str) -> None:
        """An edit has come in, and waits."""
        self._expected.add(event_id)

    def answered(self, event_id: str, view: PerformerView, offset: int) -> None:
        if event_id in self._expected or event_id not in self._recent:
            self._held[event_id] = (view, offset)

    def has(self, event_id: str) -> bool:
        return event_id in self._held

    @property
    def first_held(self) -> int | None:
        """Offset of the oldest answer that is still to be used; None if there is none."""
        return next((offset for _, offset in self._held.values()), None)

    def take_reverted(self) -> list[tuple[str, Entry, float]]:
        """Edits reverted by others since it was last asked: `(page key, edit, passed)`."""
        taken, self._reverted = self._reverted, []
        return taken

    # -- Performers --------------------------------------------------------------------------------

    def prefetch(self, edits: Sequence[tuple[str, Edit]]) -> None:
        pass

    def meet(self, key: str, edit: Edit, passed: float) -> PerformerView | None:
        self._expected.discard(edit.event_id)
        held = self._held.pop(edit.event_id, None)
        return held[0] if held is not None else None

    def reverted(self, key: str, entry: Entry, passed: float) -> None:
        self._reverted.append((key, entry, passed))

    def changed(self) -> dict[int, PerformerState]:
        return {}

    def committed(self) -> None:
        pass
