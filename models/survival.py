"""What became of an edit's words: whether the page still shows the change some revisions later.

Many bad edits are never reverted to the letter: their author takes them back, or somebody takes out the
words by hand among other changes. Such an edit stood by its label and did not stand in fact.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping
from typing import NamedTuple

from models.replay import Met
from streams.records import Edit
from streams.stages.diff import TextDelta
from streams.state.words import WordMemory

LOOKS = (8, 10, 12)
"""Edits between the change and each look at the page: at one of them it may be blanked for a moment."""
MAX_WORDS = 60
"""Looked up on either side of a change."""
GONE = 0.1
"""Share of a change's words that still stand below which nothing of it lasted."""


class _Change(NamedTuple):
    rev_id: int
    number: int
    """Of the page's edits, from 0."""
    gained: list[tuple[str, int, int]]
    """Word, how many more, and how many stood there before."""
    lost: list[tuple[str, int, int]]
    """Word, how many fewer, and how many were left."""


class Survival:
    """Looks on while edits are replayed."""

    def __init__(self) -> None:
        self.kept: dict[int, float] = {}
        """By rev_id, the share of the change's words that stood at the best of `LOOKS`. Nothing of an
        edit that changed no words, or that too few edits of its page came after."""
        self._met: defaultdict[str, int] = defaultdict(int)
        self._open: defaultdict[str, deque[_Change]] = defaultdict(deque)

    def gone(self, rev_id: int) -> bool:
        """Whether the change did not last, reverted or not. False where that is not known."""
        return self.kept.get(rev_id, 1.0) < GONE

    def meets(self, met: Met) -> None:
        """The page's words as they stood before this edit tell of those that came before it."""
        key, words = met.state.key, met.words
        number = self._met[key]
        self._met[key] = number + 1
        changes = self._open[key]
        while changes and number - changes[0].number - 1 > LOOKS[-1]:
            changes.popleft()
        if words is None:
            return
        for change in changes:
            if number - change.number - 1 in LOOKS:
                share = _kept(change, words)
                self.kept[change.rev_id] = max(share, self.kept.get(change.rev_id, 0.0))
        delta = met.delta
        if delta is not None and delta.words_complete and (delta.gained or delta.lost):
            gained, lost = _before(delta.gained, words, 0), _before(delta.lost, words, -1)
            changes.append(_Change(met.edit.rev_id, number, gained, lost))

    def folded(self, page_key: str, edit: Edit, delta: TextDelta | None, reverts_others: bool) -> None:
        """Nothing follows from it."""


def _before(changed: Mapping[str, int], words: WordMemory, sign: int) -> list[tuple[str, int, int]]:
    """Each word with its change and its count, before the edit (sign 0) or after it (-1)."""
    return [(word, n, _count(words, word) + sign * n) for word, n in list(changed.items())[:MAX_WORDS]]


def _count(words: WordMemory, word: str) -> int:
    at = words.index.get(word)
    return words.count[at] if at is not None else 0


def _kept(change: _Change, words: WordMemory) -> float:
    """Share of the words that came and are there, and of those that went and are away."""
    there = sum(min(n, max(0, _count(words, word) - before)) for word, n, before in change.gained)
    back = sum(min(n, max(0, _count(words, word) - left)) for word, n, left in change.lost)
    came, went = sum(n for _, n, _ in change.gained), sum(n for _, n, _ in change.lost)
    return (there + went - back) / (came + went)
