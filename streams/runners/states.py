"""The states a runner works on, cached in front of its store and written back with each batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from streams.errors import StoreCorrupt
from streams.state.cache import StateCache
from streams.state.episode import EpisodeState
from streams.state.page import PageState
from streams.state.performer import PerformerState
from streams.state.words import WordMemory
from streams.store.keys import state_id

#: Of those seen more than once; a page state is 1 to 8 KB in memory. As many as a stream of all wikis touches
#: in some 20,000 events. With more, states grow for longer than the cache fills (16,000: 43 MB from event 200,000
#: to 1,000,000, this: 24 MB), and nothing is faster.
PAGES_IN_MEMORY = 6_000
PERFORMERS_IN_MEMORY = 16_000
#: Words of all pages in memory together, at about 120 bytes each.
WORDS_IN_MEMORY = 1_000_000


class StateStore(Protocol):
    """Where states are read from, by `state_id`: those that were ever written."""

    def load_pages(self, ids: Sequence[int]) -> dict[int, PageState]: ...

    def load_words(self, ids: Sequence[int]) -> dict[int, WordMemory]: ...

    def load_performers(self, ids: Sequence[int]) -> dict[int, PerformerState]: ...

    def load_episode(self, key_id: int) -> EpisodeState | None: ...


_State = TypeVar("_State")


def by_key(
    load: Callable[[Sequence[int]], dict[int, _State]],
) -> Callable[[Sequence[str]], dict[str, _State]]:
    def loaded(keys: Sequence[str]) -> dict[str, _State]:
        names = {state_id(key): key for key in keys}
        return {names[key_id]: state for key_id, state in load(list(names)).items()}

    return loaded


def _own(
    load: Callable[[Sequence[str]], dict[str, PageState]],
) -> Callable[[Sequence[str]], dict[str, PageState]]:
    def loaded(keys: Sequence[str]) -> dict[str, PageState]:
        found = load(keys)
        for key, page in found.items():
            if page.key != key:
                raise StoreCorrupt(f"two pages with one id: {page.key!r} and {key!r}")
        return found

    return loaded


class States:
    """Pages, their words and episodes by page key, performers by theirs."""

    def __init__(self, store: StateStore, shares: int = 1) -> None:
        """`shares`: how many of these share the memory of a process."""
        self._store = store
        # Most pages that are edited are not edited again for a long time: those would only push out others.
        self.pages = StateCache(
            PAGES_IN_MEMORY // shares,
            _own(by_key(store.load_pages)),
            PageState,
            worth_keeping=lambda page: page.seen > 1,
        )
        self.words = StateCache(
            WORDS_IN_MEMORY // shares,
            by_key(store.load_words),
            lambda key: WordMemory(),
            lambda memory: len(memory.index) + 50,
        )
        self.performers = StateCache(
            PERFORMERS_IN_MEMORY // shares, by_key(store.load_performers), lambda key: PerformerState()
        )
        self.episodes: dict[str, EpisodeState] = {}
        """Touched in this batch."""
        self.open_episodes: set[str] = set()
        """Keys of all stored episodes: a page without one costs no look-up."""

    def episode(self, key: str, *, create: bool) -> EpisodeState | None:
        """What is open on a page, to be changed in place; None if nothing is and none is wanted."""
        found = self.episodes.get(key)
        if found is None:
            if key in self.open_episodes:
                found = self._store.load_episode(state_id(key))
            if found is None and create:
                found = EpisodeState(key)
            if found is not None:
                self.episodes[key] = found
        return found

    def begin_page(self, key: str) -> PageState:
        """Forget what was known of a page."""
        page = PageState(key)
        self.pages.replace(key, page)
        self.words.replace(key, WordMemory())
        return page

    def move_page(self, old: str, new: str) -> None:
        """The page is called otherwise from now on; what is left under the old title starts anew. Of a
        page that was never seen, or whose move is told again, nothing moves."""
        page = self.pages.touch(old)
        if old == new or not page.seen:
            return
        words = self.words.touch(old)
        page.key = new
        self.pages.replace(new, page)
        self.words.replace(new, words)
        self.begin_page(old)

    def move_episode(self, old: str, new: str) -> EpisodeState | None:
        """What is open goes along, to what is open under the new title; None if nothing was."""
        if old == new:
            return None
        gone = self.take_episode(old)
        return self.join_episode(gone, new) if gone is not None else None

    def take_episode(self, key: str) -> EpisodeState | None:
        """What is open on a page, which is no longer open there."""
        gone = self.episode(key, create=False)
        if gone is not None:
            self.episodes[key] = EpisodeState(key)
        return gone

    def join_episode(self, gone: EpisodeState, key: str) -> EpisodeState:
        """What was open under another title, with what is open here."""
        here = self.episode(key, create=True)
        assert here is not None
        here.suspects = gone.suspects + here.suspects
        here.dispute = here.dispute or gone.dispute
        here.dispute_quiet_until = max(gone.dispute_quiet_until, here.dispute_quiet_until)
        return here

    def committed(self) -> None:
        self.pages.committed()
        self.words.committed()
        self.episodes.clear()
