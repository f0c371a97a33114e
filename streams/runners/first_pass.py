"""Pass one, record by record: performer, page, features; what follows from the record is noted for pass
two."""

from __future__ import annotations

from collections.abc import Callable

from streams.content.revert_summaries import RevertSummary
from streams.reasons import SkipReason
from streams.records import Edit, LabelKind, LogEvent, TagsChange
from streams.runners.moves import Moves
from streams.runners.performers import Performers
from streams.runners.scorer import Scorer
from streams.runners.states import States
from streams.runners.step import Step
from streams.stages.fold import fold_edit
from streams.stages.track import LabelUpdate, RevertClaim, track_log, track_tag
from streams.state.page import EntryFlag
from streams.store.batch import KEPT_AFTER_S, Batch, LabelRow
from streams.store.keys import state_id

PROCESSED = "processed"

_STALE = f"skipped_{SkipReason.STALE}"
_NOT_AN_EDIT = f"skipped_{SkipReason.NOT_AN_EDIT}"
#: Tags by which MediaWiki says that an edit is the revert its summary claims.
_REVERT_TAGS = frozenset({"mw-undo", "mw-rollback", "mw-manual-revert"})
_REVERTED_TAG = "mw-reverted"

MatchRevert = Callable[[str, str], RevertSummary | None]
"""`(wiki, comment)` -> what the summary claims."""


class FirstPass:
    def __init__(
        self,
        states: States,
        performers: Performers,
        moves: Moves,
        scorer: Scorer,
        match_revert: MatchRevert,
        *,
        next_row: int,
        retention_s: float,
    ) -> None:
        """`next_row`: number of the next edit in the store's log. `retention_s`: a page not seen for so
        long is met as if for the first time."""
        self._states = states
        self._performers = performers
        self._moves = moves
        self._scorer = scorer
        self._match_revert = match_revert
        self._retention_s = retention_s
        self.next_row = next_row

    def fold(
        self,
        batch: Batch,
        steps: list[Step],
        rows: list[list[float]],
        record: Edit | LogEvent | TagsChange,
        passed: float,
    ) -> str:
        """Fold one record in and give its outcome. `passed` is the event time that has passed."""
        if isinstance(record, Edit):
            return self._fold_edit(batch, steps, rows, record, passed)
        if isinstance(record, LogEvent):
            return self._fold_log(steps, record, passed)
        return self._fold_tags(batch, steps, record, passed)

    def _fold_edit(
        self,
        batch: Batch,
        steps: list[Step],
        rows: list[list[float]],
        edit: Edit,
        passed: float,
    ) -> str:
        key = f"{edit.wiki}:{edit.title}"
        states = self._states
        performer = self._performers.meet(key, edit, passed)
        page = states.pages.touch(key)
        if page.entries and page.entries[-1].event_time < edit.event_time - self._retention_s:
            page = states.begin_page(key)
        folded = fold_edit(
            edit,
            page=page,
            performer=performer,
            words=lambda: states.words.touch(key),
            number=self.next_row,
            claim=claim_of(edit, self._match_revert),
            features=self._scorer.row,
        )
        if folded is None:
            return _STALE
        self.next_row += 1
        for label in folded.observation.labels:
            self._label(batch, key, label, passed)
        steps.append(
            Step(
                key,
                edit.event_time,
                passed,
                state_id(key),
                edit,
                folded.view,
                folded.observation,
                folded.delta,
                len(rows),
                tuple(page.disputes),
                performer=performer,
            )
        )
        rows.append(folded.row)
        return PROCESSED

    def _fold_log(self, steps: list[Step], event: LogEvent, passed: float) -> str:
        key = f"{event.wiki}:{event.title}"
        if event.log_type == "protect":
            track_log(self._states.pages.touch(key), event)
        elif event.log_type == "move" and event.target_title:
            self._move_page(event, key, f"{event.wiki}:{event.target_title}")  # its episode: pass two
        steps.append(Step(key, event.event_time, passed, log=event))
        return PROCESSED

    def _move_page(self, event: LogEvent, old: str, new: str) -> None:
        states, moves = self._states, self._moves
        if moves.owns(old) and moves.owns(new):
            states.move_page(old, new)
        elif moves.owns(old):
            page = states.pages.touch(old)
            if page.seen:
                moves.page_leaves(event.event_id, new, page, states.words.touch(old))
                states.begin_page(old)
            else:
                moves.page_leaves(event.event_id, new, None, None)
        elif moves.owns(new):
            arrived = moves.page_arrives(event.event_id, new, self.next_row)
            if arrived is not None:
                page, words, self.next_row = arrived
                states.pages.replace(new, page)
                states.words.replace(new, words)

    def _fold_tags(self, batch: Batch, steps: list[Step], change: TagsChange, passed: float) -> str:
        if _REVERTED_TAG not in change.tags:
            return _NOT_AN_EDIT
        key = f"{change.wiki}:{change.title}"
        page = self._states.pages.touch(key)
        label = track_tag(page, change.rev_id, change.event_time)
        if label is not None:
            self._label(batch, key, label, passed)
            steps.append(Step(key, change.event_time, passed, tag=label))
        return PROCESSED

    def _label(self, batch: Batch, key: str, update: LabelUpdate, passed: float) -> None:
        row = label_row(key, update, passed)
        if row is not None:
            batch.labels.append(row)
            if not update.retracted:
                self._performers.reverted(key, update.entry, passed)


def label_row(key: str, update: LabelUpdate, passed: float) -> LabelRow | None:
    """None for an edit that gets no label: it was kept, as the label at 48 h said, or it was never met."""
    entry = update.entry
    if update.labelled_time - entry.event_time > KEPT_AFTER_S or entry.flags & EntryFlag.FETCHED:
        return None
    return LabelRow(
        entry.row,
        None if update.retracted else LabelKind.REVERTED,
        update.labelled_time,
        update.reverted_by,
        update.evidence,
        key,
        entry.rev_id,
        entry.event_time,
        passed,
    )


def claim_of(edit: Edit, match_revert: MatchRevert) -> RevertClaim | None:
    """A summary's word counts where no text can prove it, or where the wiki's tags confirm it."""
    if not edit.comment:
        return None
    content = edit.content
    if (
        content is not None
        and content.revision.sha1
        and not _REVERT_TAGS.intersection(content.revision.tags)
    ):
        return None
    summary = match_revert(edit.wiki, edit.comment)
    if summary is None:
        return None
    return RevertClaim(summary.rev_id or 0, summary.performer or "", summary.restored_rev_id or 0)
