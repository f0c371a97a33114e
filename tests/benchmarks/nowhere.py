"""A store that keeps nothing: what the stages cost without one."""

from __future__ import annotations

from collections.abc import Sequence

from streams.state.episode import EpisodeState
from streams.state.page import PageState
from streams.state.performer import PerformerState
from streams.state.words import WordMemory


class Nowhere:
    """States are kept in memory alone."""

    def load_pages(self, ids: Sequence[int]) -> dict[int, PageState]:
        return {}

    def load_words(self, ids: Sequence[int]) -> dict[int, WordMemory]:
        return {}

    def load_performers(self, ids: Sequence[int]) -> dict[int, PerformerState]:
        return {}

    def load_episode(self, key_id: int) -> EpisodeState | None:
        return None
