"""What the stages ask of performers and of moved pages, where another partition has the answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from streams.records import Edit
from streams.runners.partitions.inbox import Inbox
from streams.runners.partitions.wire import Answer, Moved
from streams.state.episode import EpisodeState
from streams.state.page import Entry, PageState
from streams.state.performer import PerformerState, PerformerView
from streams.state.words import WordMemory
from streams.store.changelog import LoggedEdit


class RemotePerformers:
    """Implements `Performers`."""

    def __init__(self, inbox: Inbox[Answer | Moved]) -> None:
        self._inbox = inbox
        self._reverted: list[tuple[str, Entry, float]] = []
        self.asked_by: dict[str, str] = {}
        """What some edits are asked about by instead of their event ids, in the order that they are met."""

    def take_reverted(self) -> list[tuple[str, Entry, float]]:
        """Edits reverted by others since it was last asked: `(page key, edit, passed)`."""
        taken, self._reverted = self._reverted, []
        return taken

    def prefetch(self, edits: Sequence[tuple[str, Edit]]) -> None:
        pass

    def meet(self, key: str, edit: Edit, passed: float) -> PerformerView | None:
        said = self._inbox.take(self.asked_by.pop(edit.event_id, edit.event_id))
        return said.view if isinstance(said, Answer) else None

    def reverted(self, key: str, entry: Entry, passed: float) -> None:
        self._reverted.append((key, entry, passed))

    def changed(self) -> dict[int, PerformerState]:
        return {}

    def committed(self) -> None:
        pass


class Leaving(msgspec.Struct):
    """A page on its way to another partition."""

    event_id: str
    new: str
    page: PageState | None = None
    words: WordMemory | None = None
    episode: EpisodeState | None = None


class RemoteMoves:
    """Implements `Moves`. An edit keeps no number of its own in another partition: it gets a new one."""

    def __init__(self, inbox: Inbox[Answer | Moved], owns: Callable[[str], bool]) -> None:
        self._inbox = inbox
        self.owns = owns
        self._leaving: dict[str, Leaving] = {}
        self._arriving: dict[str, Moved] = {}
        self._arrived: list[tuple[LoggedEdit, bool]] = []

    def take_leaving(self) -> list[Leaving]:
        taken, self._leaving = list(self._leaving.values()), {}
        return taken

    def take_arrived(self) -> list[tuple[LoggedEdit, bool]]:
        """Edits that came with their pages, by their new numbers, and whether they have a label."""
        taken, self._arrived = self._arrived, []
        return taken

    def page_leaves(
        self, event_id: str, new: str, page: PageState | None, words: WordMemory | None
    ) -> None:
        self._leaving[event_id] = Leaving(event_id, new, page, words)

    def page_arrives(
        self, event_id: str, new: str, number: int
    ) -> tuple[PageState, WordMemory, int] | None:
        said = self._inbox.take(event_id)
        if not isinstance(said, Moved):
            return None
        self._arriving[event_id] = said
        page = said.page
        if page is None:
            return None
        page.key = new
        numbers: dict[int, int] = {}
        for edit, labelled in said.edits:
            numbers[edit.row] = number
            moved = msgspec.structs.replace(edit, row=number, key=new)
            self._arrived.append((moved, labelled))
            number += 1
        for entry in page.entries:
            entry.row = numbers.get(entry.row, 0)
        words = WordMemory.unpack(said.words) if said.words is not None else WordMemory()
        return page, words, number

    def episode_leaves(self, event_id: str, episode: EpisodeState) -> None:
        self._leaving[event_id].episode = episode

    def episode_arrives(self, event_id: str) -> EpisodeState | None:
        said = self._arriving.pop(event_id, None)
        return said.episode if said is not None else None
