"""Edits that nobody made, at the place of real ones: what is too rare in histories to be learnt from them.

The author, the moment, the page and its memory of words stay those of a real edit, and the text becomes
the parent's with one thing done to it, the way vandals do it.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import NamedTuple

import msgspec

from models.replay import Met
from models.text import Terms, text_terms
from streams.records import Content, Edit, RevisionText
from streams.stages.diff import TextDelta, text_delta
from streams.stages.values import language_of
from streams.state.page import PageView
from streams.state.performer import PerformerView
from streams.state.words import WordMemory

MIN_CHARS = 300
"""Of a parent text to do something to."""


class MadeUpEdit(NamedTuple):
    """At the place of the edit with `rev_id`."""

    rev_id: int
    parent_id: int
    kind: str
    row: list[float]
    terms: Terms


Extract = Callable[
    [Edit, TextDelta, PageView | None, PerformerView | None, WordMemory | None], list[float]
]
Change = Callable[[str, Random, str], tuple[str, str] | None]
"""What becomes of a text, and its kind: text, randomness, language. None where nothing can be done."""


class MadeUpEdits:
    """Told what is known before each edit of a replay, makes up another for a share of them. Seeded."""

    def __init__(self, extract: Extract, change: Change, share: float, seed: int) -> None:
        self._extract = extract
        self._change = change
        self._share = share
        self._random = Random(seed)  # noqa: S311  # nothing secret
        self.made: list[MadeUpEdit] = []

    def meets(self, met: Met) -> None:
        edit, page = met.edit, met.page
        content = edit.content
        if content is None or content.parent is None or edit.parent_id is None:
            return
        before = content.parent.text
        if not before or len(before) < MIN_CHARS or self._random.random() >= self._share:
            return
        found = self._change(before, self._random, language_of(edit.wiki))
        if found is None:
            return
        text, kind = found
        change = text_delta(before, text)
        false = msgspec.structs.replace(
            edit,
            is_new=False,
            new_len=len(text.encode()),
            old_len=len(before.encode()),
            content=Content(RevisionText(edit.rev_id, text), content.parent),
        )
        page = msgspec.structs.replace(page, restores_back=0, restores_reverted=False)
        row = self._extract(false, change, page, met.performer, met.words)
        self.made.append(
            MadeUpEdit(edit.rev_id, edit.parent_id, kind, row, text_terms(change, edit.comment))
        )

    def folded(self, page_key: str, edit: Edit, delta: TextDelta | None, reverts_others: bool) -> None:
        """Nothing follows from it."""
