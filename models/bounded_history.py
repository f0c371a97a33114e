"""What is known of a page that was not followed: nothing, or a bounded recent history fetched for it.

Live, most pages are met for the first time. Figures on a history followed from its first revision tell
nothing of those; here each edit of a history is met as live would meet it.
"""

from __future__ import annotations

from collections import defaultdict, deque
from typing import NamedTuple

import msgspec

from streams.records import Edit
from streams.stages.diff import TextDelta
from streams.stages.recent_history import performer_among
from streams.state import page as pages
from streams.state import performer as performers
from streams.state.words import WordMemory

TEXTS = 16
"""Revisions of the recent ones whose texts are fetched: from 15 on a word's absence says something."""


class Known(NamedTuple):
    page: pages.PageView
    performer: performers.PerformerView
    words: WordMemory | None


class _Change(NamedTuple):
    parent_id: int | None
    parent_text: str | None
    rev_id: int
    event_time: float
    delta: TextDelta
    reverts_others: bool


class BoundedHistory:
    """`revisions`: how many before the edit are known, their texts up to `texts` back; 0: none."""

    def __init__(self, revisions: int, texts: int = TEXTS) -> None:
        self._revisions = revisions
        self._changes: defaultdict[str, deque[_Change]] = defaultdict(
            lambda: deque(maxlen=min(revisions, texts))
        )

    def before(self, page: pages.PageState, edit: Edit, digest: int, delta: TextDelta | None) -> Known:
        """`page` is the whole state just before the edit."""
        kept = page.entries[-self._revisions :] if self._revisions else []
        bounded = msgspec.structs.replace(
            page,
            entries=kept,
            seen=min(page.seen, self._revisions),
            first_time=kept[0].event_time if kept else 0.0,
            reverts=sum(1 for entry in kept if entry.flags & pages.REVERT and not entry.self_revert),
        )
        return Known(
            pages.view_of(bounded, edit.performer, digest, edit.event_time),
            performer_among(kept, edit),
            self._words(page.key, edit) if delta is not None else None,
        )

    def folded(self, page_key: str, edit: Edit, delta: TextDelta | None, reverts_others: bool) -> None:
        """An edit that was made after `before` was asked of it."""
        content = edit.content
        if delta is None or content is None:
            return
        parent = content.parent.text if content.parent is not None else None
        self._changes[page_key].append(
            _Change(edit.parent_id, parent, edit.rev_id, edit.event_time, delta, reverts_others)
        )

    def _words(self, page_key: str, edit: Edit) -> WordMemory:
        words = WordMemory()
        for change in self._changes[page_key]:
            words.stand_at(change.parent_id, change.parent_text, change.event_time)
            words.advance(
                change.delta.gained,
                change.delta.lost,
                change.rev_id,
                change.event_time,
                reverts_others=change.reverts_others,
                complete=change.delta.words_complete,
            )
        content = edit.content
        parent = content.parent.text if content is not None and content.parent is not None else None
        words.stand_at(edit.parent_id, parent, edit.event_time)
        return words
