"""Rows of edits replayed in order, through the same stages as live: for training and evaluation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol
from zlib import crc32

import msgspec

from models.bounded_history import BoundedHistory
from models.features import extract
from models.text import Terms, TextModel, text_terms
from streams.records import Edit, PerformerKind
from streams.sources.base import Source
from streams.sources.open import open_file
from streams.stages.diff import TextDelta, delta_of
from streams.stages.fold import fold_edit
from streams.stages.normalize import Normalizer
from streams.stages.track import STALE, Observation
from streams.state import page as pages
from streams.state import performer as performers
from streams.state.words import WordMemory

KEPT_AFTER_S = 48 * 3600.0


class Met(NamedTuple):
    """What is known just before an edit, and the edit. `words` stands at the parent revision."""

    edit: Edit
    delta: TextDelta | None
    digest: int
    state: pages.PageState
    page: pages.PageView
    performer: performers.PerformerView | None
    words: WordMemory | None


class Beside(Protocol):
    """Looks on while edits are replayed."""

    def meets(self, met: Met) -> None:
        """Before the edit is folded in."""

    def folded(self, page_key: str, edit: Edit, delta: TextDelta | None, reverts_others: bool) -> None:
        """After that."""


class ReplayedEdit(msgspec.Struct):
    """One edit, its features and what became of it."""

    edit: Edit
    """Without its content, which is not kept."""
    row: list[float]
    terms: Terms | None
    """Hashed terms of the text part; None without content."""
    digest: int
    reverted_after_s: float | None = None
    """Until another user's revert; None while it stands."""
    reverted_by: int = 0
    self_reverted: bool = False
    restored: bool = False
    """Its very text was put back by somebody else later: the revert did not stand."""

    @property
    def reverted(self) -> bool:
        """Identity-reverted by another user within 48 hours."""
        return self.reverted_after_s is not None and self.reverted_after_s <= KEPT_AFTER_S

    @property
    def taken_back(self) -> bool:
        """Reverted by anybody, its own author included, at whatever time."""
        return self.reverted_after_s is not None or self.self_reverted


class Replay:
    """Folds edits in, in order, as the pipeline does. One instance sees all pages of a source."""

    def __init__(
        self,
        text: TextModel | None = None,
        *,
        by_page: bool = True,
        keep_terms: bool = False,
        beside: Beside | None = None,
        history: BoundedHistory | None = None,
    ) -> None:
        """`by_page`: edits come page by page, as in a history. `beside` is told what is known before
        each edit. `history`: rows are made from so much of a page's history only, outcomes from all."""
        self._beside = beside
        self._history = history
        self._by_page = by_page
        self._text = text
        self._keep_terms = keep_terms
        self._pages: dict[str, pages.PageState] = {}
        self._words: dict[str, WordMemory] = {}
        self._performers: dict[str, performers.PerformerState] = {}
        self._by_rev: dict[tuple[str, int], ReplayedEdit] = {}
        self._by_digest: dict[tuple[str, int], ReplayedEdit] = {}
        self._meets: tuple[pages.PageState, int] = pages.PageState(""), 0

    def edits(self, edits: Iterable[Edit]) -> list[ReplayedEdit]:
        """All of them with their outcome."""
        return [self.add(edit) for edit in edits]

    def add(self, edit: Edit) -> ReplayedEdit:
        """Row of one edit as it is made; its outcome is filled in by those that follow."""
        key = f"{edit.wiki}:{edit.title}"
        page = self._pages.get(key)
        if page is None:
            page = self._pages[key] = pages.PageState(key)
            self._words[key] = WordMemory()
        content = edit.content
        digest = pages.digest_of(content.revision.sha1) if content is not None else 0
        performer, network = self._performer(key, edit)
        self._meets = page, digest
        folded = fold_edit(
            edit,
            page=page,
            performer=performers.meet(
                performer, network, crc32(key.encode()), edit.rev_id, edit.event_time
            ),
            words=lambda: self._words[key],
            number=0,
            claim=None,
            features=self._row,
        )
        if folded is None:
            # Too late to be folded in: all that is known is the edit itself.
            delta = delta_of(edit)
            row, observation = extract(edit, delta, None, None, None, self._text), STALE
        else:
            row, delta, observation = folded.row, folded.delta, folded.observation
            revert = observation.revert
            reverts_others = revert is not None and not revert.self_revert
            for looks_on in (self._history, self._beside):
                if looks_on is not None:
                    looks_on.folded(key, edit, delta, reverts_others)
        terms = text_terms(delta, edit.comment) if self._keep_terms and delta is not None else None
        replayed = ReplayedEdit(msgspec.structs.replace(edit, content=None), row, terms, digest)
        self._outcomes(key, replayed, observation)
        return replayed

    def _row(
        self,
        edit: Edit,
        delta: TextDelta | None,
        page: pages.PageView,
        performer: performers.PerformerView | None,
        words: WordMemory | None,
    ) -> list[float]:
        whole, digest = self._meets
        if self._beside is not None:
            self._beside.meets(Met(edit, delta, digest, whole, page, performer, words))
        if self._history is not None:
            page, performer, words = self._history.before(whole, edit, digest, delta)
        return extract(edit, delta, page, performer, words, self._text)

    def _performer(
        self, key: str, edit: Edit
    ) -> tuple[performers.PerformerState, performers.PerformerState | None]:
        """In a history a performer is known by what they did on that page: pages come one by one, so
        what they did elsewhere may lie in the future. In a feed, by what they did on the wiki."""
        name, network = performers.keys_of(
            key if self._by_page else edit.wiki,
            edit.performer,
            is_address=edit.performer_kind is PerformerKind.IP,
        )
        known = self._performers
        return known.setdefault(name, performers.PerformerState()), (
            known.setdefault(network, performers.PerformerState()) if network is not None else None
        )

    def _outcomes(self, key: str, replayed: ReplayedEdit, observation: Observation) -> None:
        edit = replayed.edit
        self._by_rev[edit.wiki, edit.rev_id] = replayed
        if replayed.digest:
            earlier = self._by_digest.get((key, replayed.digest))
            if earlier is not None and earlier.edit.performer != edit.performer and earlier.reverted_by:
                earlier.restored = True
            self._by_digest[key, replayed.digest] = replayed
        revert = observation.revert
        if revert is not None:
            for entry in revert.undone:
                if entry.performer == edit.performer:
                    self._by_rev[edit.wiki, entry.rev_id].self_reverted = True
        for label in observation.labels:
            undone = self._by_rev.get((edit.wiki, label.entry.rev_id))
            if undone is None:
                continue
            if label.retracted:
                undone.reverted_after_s, undone.reverted_by = None, 0
                continue
            undone.reverted_after_s = max(0.0, label.labelled_time - undone.edit.event_time)
            undone.reverted_by = label.reverted_by
            if undone.reverted:
                for state in self._performer(key, undone.edit):
                    if state is not None:
                        state.fold_reverted()


def is_history(path: Path) -> bool:
    """By its name: an XML export, or recent changes in JSON lines."""
    return ".xml" in path.name.lower() or path.name.lower().endswith(".7z")


def edits_of(path: Path) -> Iterator[Edit]:
    """Edits of a MediaWiki XML export, or of recent changes in JSON lines, in the file's order. What
    is no edit is left out. Raises `BadInput` for a file that is neither."""
    source: Source = open_file(str(path), "wants an XML export or recent changes in JSON lines")
    normalize = Normalizer()
    for item in source.items(None):
        if item.edit is not None:
            yield item.edit
        elif item.raw is not None and not item.too_large:
            record = normalize(item.raw, item.cursor)
            if isinstance(record, Edit):
                yield record
