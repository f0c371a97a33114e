"""Suspicious edits on cold pages: the page's recent history is asked for before they are decided.

Between the first scoring and pass two, and as if each record were a batch of its own: what touches a
page of which an edit may be asked about waits until that is settled. So batch borders change nothing,
and an edit that follows on the same page meets it with its history.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from streams.errors import FactwatchError
from streams.records import Edit, LogEvent, Score, TagsChange
from streams.runners.first_pass import MatchRevert, claim_of, label_row
from streams.runners.scorer import Scorer
from streams.runners.states import States
from streams.runners.step import Step
from streams.stages.fold import fold_edit
from streams.stages.recent_history import ASK_SHARE, is_cold, known_better, performer_among, with_history
from streams.store.batch import Batch

log = logging.getLogger("factwatch.processor")

BATCH_WAIT_S = 5.0
"""That a micro-batch waits for histories at most, in all."""


class RecentHistories(Protocol):
    """Where the recent history of a page is fetched."""

    def before(self, edits: Sequence[Edit], wait_s: float) -> Mapping[str, Sequence[Edit]]:
        """By event_id, the revisions of the edit's page before it, with texts where they were fetched.
        What can't be had within `wait_s` is not in it; nothing raises."""
        ...


class ColdPages:
    """Told of each edit that pass one folded in (`met`); `settle` asks for what is suspicious, folds it
    in and scores again. A page whose history can't be had is decided on by what is known."""

    def __init__(
        self,
        histories: RecentHistories,
        scorer: Scorer,
        *,
        match_revert: MatchRevert,
        threshold_of: Callable[[float, str], float],
        states: States,
        wait_s: float = BATCH_WAIT_S,
        timer: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`scorer` scores again: what it sees was seen once already, so it measures nothing.
        `threshold_of` is the decider's."""
        self._histories = histories
        self._scorer = scorer
        self._match_revert = match_revert
        self._threshold_of = threshold_of
        self._states = states
        self._wait_s = wait_s
        self._timer = timer
        self._left_s = wait_s
        self._waiting: dict[str, Step] = {}

    def begin_batch(self) -> None:
        self._left_s = self._wait_s
        self._waiting.clear()

    def met(self, step: Step) -> None:
        """An edit that pass one folded in, before anything else touches its page."""
        edit, observation = step.edit, step.observation
        if edit is None or observation is None or step.delta is None or observation.already_reverted:
            return
        if edit.bot or edit.is_new or not edit.parent_id or edit.page_id is None:
            return
        page = self._states.pages.touch(step.key)
        if page.entries[-1] is observation.entry and is_cold(page, self._states.words.touch(step.key)):
            self._waiting[step.key] = step

    def touches(self, record: Edit | LogEvent | TagsChange) -> bool:
        """Whether `record` bears on a page that waits: then `settle` comes first."""
        if not self._waiting:
            return False
        if f"{record.wiki}:{record.title}" in self._waiting:
            return True
        return isinstance(record, LogEvent) and f"{record.wiki}:{record.target_title}" in self._waiting

    def settle(self, batch: Batch, rows: list[list[float]], scores: list[Score]) -> None:
        """All that wait are scored: ask about those that look suspicious, and write row and score of
        each that was answered anew."""
        suspicious = [step for step in self._waiting.values() if self._is_suspicious(step, scores)]
        self._waiting.clear()
        edits = [step.edit for step in suspicious if step.edit is not None]
        if not edits or self._left_s <= 0:
            return
        started = self._timer()
        found = self._histories.before(edits, self._left_s)
        self._left_s -= self._timer() - started
        met = {step.row: rows[step.row] for step in suspicious}
        answered = [
            step.row
            for step in suspicious
            if step.edit is not None
            and (past := found.get(step.edit.event_id)) is not None
            and self._fold_again(batch, step, rows, past)
        ]
        if not answered:
            return
        known = self._scorer.matrix([rows[at] for at in answered])
        risks = self._scorer.score(known).tolist()
        before = self._scorer.matrix([met[at] for at in answered])
        thresholds = self._scorer.asked_thresholds(before, known).tolist()
        for at, risk, threshold in zip(answered, risks, thresholds, strict=True):
            scores[at] = Score(risk, scores[at].model_version, threshold)

    def _is_suspicious(self, step: Step, scores: list[Score]) -> bool:
        assert step.edit is not None
        score = scores[step.row]
        threshold = self._threshold_of(score.threshold, step.edit.wiki)
        return score.revert_risk >= ASK_SHARE * threshold

    def _fold_again(
        self, batch: Batch, step: Step, rows: list[list[float]], past: Sequence[Edit]
    ) -> bool:
        edit, observation = step.edit, step.observation
        assert edit is not None
        assert observation is not None
        entry = observation.entry
        assert entry is not None
        page = self._states.pages.touch(step.key)
        try:
            whole, words = with_history(page, entry, past, lambda old: claim_of(old, self._match_revert))
            performer = known_better(step.performer, performer_among(whole.entries, edit))
            folded = fold_edit(
                edit,
                page=whole,
                performer=performer,
                words=lambda: words,
                number=entry.row,
                claim=claim_of(edit, self._match_revert),
                features=self._scorer.row,
            )
        except FactwatchError:
            raise
        except Exception:  # what is in a history must not take the edit with it
            log.exception(
                "the history of a page can't be used; revision %d goes on without", edit.rev_id
            )
            return False
        if folded is None:
            return False
        labelled = {label.entry.rev_id for label in observation.labels}
        for label in folded.observation.labels:
            if label.entry.rev_id in labelled:
                continue
            row = label_row(step.key, label, step.passed)
            if row is not None:
                batch.labels.append(row)
        self._states.pages.replace(step.key, whole)
        self._states.words.replace(step.key, words)
        step.view, step.observation, step.delta = folded.view, folded.observation, folded.delta
        step.disputes = tuple(whole.disputes)
        rows[step.row] = folded.row
        return True
