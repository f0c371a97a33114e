"""What becomes of a page's state when it gets another title."""

from __future__ import annotations

from typing import Protocol

from streams.state.episode import EpisodeState
from streams.state.page import PageState
from streams.state.words import WordMemory


class Moves(Protocol):
    """Where not all pages are kept by one. Asked in pass one for the page, in pass two for what is open
    on it, in the order of the records; the event id is that of the move."""

    def owns(self, key: str) -> bool:
        """Whether the state of the page `key` is kept here."""
        ...

    def page_leaves(
        self, event_id: str, new: str, page: PageState | None, words: WordMemory | None
    ) -> None:
        """To the keeper of the title `new`; None: it was never seen."""
        ...

    def page_arrives(
        self, event_id: str, new: str, number: int
    ) -> tuple[PageState, WordMemory, int] | None:
        """What was known under the old title, if anything was. Its edits are numbered from `number` on;
        the last of the three is the next free one."""
        ...

    def episode_leaves(self, event_id: str, episode: EpisodeState) -> None: ...

    def episode_arrives(self, event_id: str) -> EpisodeState | None: ...


class AllHere:
    """Implements `Moves` where every page is kept here."""

    def owns(self, key: str) -> bool:
        return True

    def page_leaves(
        self, event_id: str, new: str, page: PageState | None, words: WordMemory | None
    ) -> None:
        raise AssertionError("no page leaves")

    def page_arrives(
        self, event_id: str, new: str, number: int
    ) -> tuple[PageState, WordMemory, int] | None:
        raise AssertionError("no page arrives")

    def episode_leaves(self, event_id: str, episode: EpisodeState) -> None:
        raise AssertionError("no page leaves")

    def episode_arrives(self, event_id: str) -> EpisodeState | None:
        raise AssertionError("no page arrives")
