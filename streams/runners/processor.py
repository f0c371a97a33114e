"""One micro-batch through the stages, in one pass for each that is batched.

Pass one, in order: performer, page, features. Then one call of the classifier for all rows. Pass two,
in the same order: decide. What an edit meets is what stood just before it, whatever the batch it came
in, so batch borders change nothing.
"""

from __future__ import annotations

import contextlib
import heapq
import math
import time
from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from streams.content.revert_summaries import RevertSummary
from streams.errors import FactwatchError
from streams.reasons import DeadReason, SkipReason, Stage
from streams.records import (
    Alert,
    DeadLetter,
    Edit,
    LabelKind,
    LogEvent,
    Score,
    Skip,
    TagsChange,
)
from streams.runners.evidence import BatchReasons, EditEvidence
from streams.runners.moves import AllHere, Moves
from streams.runners.performers import Performers
from streams.runners.scorer import Scorer
from streams.runners.states import States
from streams.sources.base import SourceItem
from streams.stages.decide import Decider
from streams.stages.deduplicate import RecentIds
from streams.stages.diff import TextDelta
from streams.stages.fold import fold_edit
from streams.stages.normalize import Normalized, Normalizer, quote_untrusted
from streams.stages.track import (
    LabelUpdate,
    Observation,
    RevertClaim,
    track_log,
    track_tag,
)
from streams.state import page as page_state
from streams.state.episode import EpisodeState
from streams.state.watermark import LATENESS_S, Watermark
from streams.store.batch import (
    ALERTED,
    ANONYMOUS,
    KEPT_AFTER_S,
    WITH_CONTENT,
    Batch,
    EditRow,
    LabelRow,
    Requeued,
)
from streams.store.keys import state_id

#: Tags by which MediaWiki says that an edit is the revert its summary claims.
_REVERT_TAGS = frozenset({"mw-undo", "mw-rollback", "mw-manual-revert"})
_REVERTED_TAG = "mw-reverted"


MatchRevert = Callable[[str, str], RevertSummary | None]
"""`(wiki, comment)` -> what the summary claims."""


class _Step(msgspec.Struct):
    """What pass two needs of one record of pass one, in order."""

    key: str
    time: float
    passed: float = 0.0
    """Event time that had passed at the record."""
    page_id: int = 0
    edit: Edit | None = None
    view: page_state.PageView | None = None
    observation: Observation | None = None
    delta: TextDelta | None = None
    row: int = 0
    """Index into the matrix."""
    disputes: tuple[str, ...] = ()
    log: LogEvent | None = None
    tag: LabelUpdate | None = None
    item: SourceItem | None = None
    """What it was read from, for a dead letter."""


class Processor:
    """Runs the stages over micro-batches. The states it changes are written by whoever commits the
    `Batch` it gives; after a failed commit the processor must be thrown away."""

    def __init__(
        self,
        *,
        states: States,
        performers: Performers,
        normalizer: Normalizer,
        recent: RecentIds,
        scorer: Scorer,
        decider: Decider,
        match_revert: MatchRevert,
        watermark: Watermark,
        next_row: int,
        deadlines: Sequence[tuple[str, float | None]] = (),
        time_by_page: bool = False,
        retention_s: float = math.inf,
        moves: Moves | None = None,
        timer: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`time_by_page`: a history, where each page has its own time from its beginning: timers run
        on the page's own watermark. `retention_s`: a page not seen for so long is met as if for the
        first time. `moves`: of pages between keepers of states; None: all are kept here."""
        self._states = states
        self._performers = performers
        self._normalize = normalizer
        self._recent = recent
        self._scorer = scorer
        self._decider = decider
        self._match_revert = match_revert
        self._watermark = watermark
        self._next_row = next_row
        self._timer = timer
        self._retention_s = retention_s
        self._time_by_page = time_by_page
        self._moves = moves or AllHere()
        self._page_time = 0.0
        self._page_id = 0
        self._timers: list[tuple[float, str]] = []
        for key, deadline in deadlines:
            states.open_episodes.add(key)
            if deadline is not None:
                heapq.heappush(self._timers, (deadline, key))

    @property
    def next_row(self) -> int:
        return self._next_row

    @property
    def final_time(self) -> float:
        """Event time that has passed when the source has ended: the newest of all."""
        return self._watermark.newest if self._time_by_page else self._watermark.time

    def time_of_page(self, page_id: int) -> float:
        """Event time that has passed for a page."""
        if not self._time_by_page:
            return self._watermark.time
        return self._page_time if page_id == self._page_id else self._watermark.newest

    def intake(self, items: Sequence[SourceItem]) -> list[tuple[SourceItem, Normalized]]:
        """Normalize and deduplicate, in order. Signs of life without a record are left out."""
        return [
            (item, self.take(item)) for item in items if item.raw is not None or item.edit is not None
        ]

    def take(self, item: SourceItem) -> Normalized:
        """`intake` of one that is no sign of life."""
        record: Normalized
        if item.edit is not None:
            record = item.edit
        else:
            assert item.raw is not None
            if item.too_large:
                return DeadLetter(item.raw, DeadReason.TOO_LARGE, Stage.SOURCE, "cut", item.cursor[:200])
            record = self._normalize(item.raw, item.cursor)
        if isinstance(record, Skip | DeadLetter) or self._recent.add(record.event_id):
            return record
        return _DUPLICATE

    def process(
        self,
        source: str,
        records: Sequence[tuple[SourceItem, Normalized]],
        cursor: str | None,
        passed: Sequence[float] | None = None,
    ) -> Batch:
        """Fold `records` in and give what changed. `passed` is the event time that has passed at each,
        where somebody has seen more of the stream than these. One broad catch, here: a stage that
        raises makes its record a dead letter and the rest goes on."""
        batch = Batch(source, cursor)
        started = self._timer()
        outcomes: dict[str, int] = {}
        steps: list[_Step] = []
        rows: list[list[float]] = []
        newest_arrival = 0.0
        self._prefetch(records)
        for at, (item, record) in enumerate(records):
            if passed is not None:
                self._watermark.newest = max(self._watermark.newest, passed[at] + LATENESS_S)
            if isinstance(record, Skip):
                newest_arrival = max(newest_arrival, record.arrival_time or 0.0)
                outcome = f"skipped_{record.reason}"
            elif isinstance(record, DeadLetter):
                batch.dead_letters.append(record)
                outcome = "dead_lettered"
            else:
                batch.event_ids.append(record.event_id)
                if record.arrival_time > newest_arrival:
                    newest_arrival = record.arrival_time
                if passed is None and not self._time_by_page:
                    self._watermark.advance(record.event_time)
                try:
                    first = len(steps)
                    outcome = self._fold(batch, steps, rows, record)
                    if len(steps) > first:
                        steps[first].item = item
                except FactwatchError:
                    raise  # our own store's: loud
                except Exception as err:  # noqa: BLE001  # the guard around the stages
                    batch.dead_letters.append(_failed(item, err))
                    outcome = "dead_lettered"
            outcomes[outcome] = outcomes.get(outcome, 0) + 1
        folded = self._timer()
        scores = self._scores(rows)
        scored = self._timer()
        undecided = self._decide_all(batch, steps, rows, scores)
        if undecided:
            outcomes[_PROCESSED] -= undecided
            outcomes["dead_lettered"] = outcomes.get("dead_lettered", 0) + undecided
        batch.outcomes = outcomes
        batch.newest_arrival = newest_arrival or None
        self._collect(batch)
        batch.stage_seconds = {
            Stage.TRACK: folded - started,
            Stage.SCORE: scored - folded,
            Stage.DECIDE: self._timer() - scored,
        }
        return batch

    def process_again(self, letters: Sequence[Requeued]) -> Batch:
        """Dead letters that an operator sent back: as if they came now, whatever their ids. Those
        that fail again become new dead letters."""
        items = [SourceItem(letter.position, letter.raw) for letter in letters]
        records = [(item, self.take_again(item)) for item in items]
        batch = self.process(letters[0].source, records, None)
        batch.requeued = [letter.id for letter in letters]
        return batch

    def take_again(self, item: SourceItem) -> Normalized:
        """Like `take` for what an operator sent back: whether it was seen before does not matter."""
        assert item.raw is not None
        record = self._normalize(item.raw, item.cursor)
        if isinstance(record, DeadLetter):
            with contextlib.suppress(msgspec.DecodeError):
                record = _decode_edit(item.raw)
        return record

    def expire_all(self, source: str, time: float) -> Batch:
        """Settle what is due at `time` without any event: at the end of a history, where the pages'
        own time has come to its end, or where time passed elsewhere."""
        if not self._time_by_page:
            self._watermark.newest = max(self._watermark.newest, time + LATENESS_S)
        batch = Batch(source)
        self._expire(batch, time)
        self._collect(batch)
        return batch

    def committed(self) -> None:
        """The batch is durable."""
        for key, episode in self._states.episodes.items():
            if episode.worth_keeping(self.time_of_page(state_id(key))):
                self._states.open_episodes.add(key)
            else:
                self._states.open_episodes.discard(key)
        self._states.committed()
        self._performers.committed()

    def _prefetch(self, records: Sequence[tuple[SourceItem, Normalized]]) -> None:
        """Have the states of all edits in memory, by one look into the store for each kind."""
        edits = [
            (f"{record.wiki}:{record.title}", record)
            for _, record in records
            if isinstance(record, Edit)
        ]
        self._states.pages.prefetch(key for key, _ in edits)
        self._performers.prefetch(edits)

    # -- pass one --------------------------------------------------------------------------------

    def _fold(
        self,
        batch: Batch,
        steps: list[_Step],
        rows: list[list[float]],
        record: Edit | LogEvent | TagsChange,
    ) -> str:
        if isinstance(record, Edit):
            return self._fold_edit(batch, steps, rows, record)
        if isinstance(record, LogEvent):
            return self._fold_log(steps, record)
        return self._fold_tags(batch, steps, record)

    def _fold_edit(self, batch: Batch, steps: list[_Step], rows: list[list[float]], edit: Edit) -> str:
        key = f"{edit.wiki}:{edit.title}"
        states = self._states
        performer = self._performers.meet(key, edit, self._watermark.time)
        page = states.pages.touch(key)
        if page.entries and page.entries[-1].event_time < edit.event_time - self._retention_s:
            page = states.begin_page(key)
        folded = fold_edit(
            edit,
            page=page,
            performer=performer,
            words=lambda: states.words.touch(key),
            number=self._next_row,
            claim=self._claim(edit),
            features=self._scorer.row,
        )
        if folded is None:
            return _STALE
        self._next_row += 1
        for label in folded.observation.labels:
            self._label(batch, key, label)
        steps.append(
            _Step(
                key,
                edit.event_time,
                self._watermark.time,
                state_id(key),
                edit,
                folded.view,
                folded.observation,
                folded.delta,
                len(rows),
                tuple(page.disputes),
            )
        )
        rows.append(folded.row)
        return _PROCESSED

    def _fold_log(self, steps: list[_Step], event: LogEvent) -> str:
        key = f"{event.wiki}:{event.title}"
        if event.log_type == "protect":
            track_log(self._states.pages.touch(key), event)
        elif event.log_type == "move" and event.target_title:
            self._move_page(event, key, f"{event.wiki}:{event.target_title}")  # its episode: pass two
        steps.append(_Step(key, event.event_time, self._watermark.time, log=event))
        return _PROCESSED

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
            arrived = moves.page_arrives(event.event_id, new, self._next_row)
            if arrived is not None:
                page, words, self._next_row = arrived
                states.pages.replace(new, page)
                states.words.replace(new, words)

    def _fold_tags(self, batch: Batch, steps: list[_Step], change: TagsChange) -> str:
        if _REVERTED_TAG not in change.tags:
            return _NOT_AN_EDIT
        key = f"{change.wiki}:{change.title}"
        page = self._states.pages.touch(key)
        label = track_tag(page, change.rev_id, change.event_time)
        if label is not None:
            self._label(batch, key, label)
            steps.append(_Step(key, change.event_time, self._watermark.time, tag=label))
        return _PROCESSED

    def _label(self, batch: Batch, key: str, update: LabelUpdate) -> None:
        entry = update.entry
        if update.labelled_time - entry.event_time > KEPT_AFTER_S:
            return  # it was kept: the label was given at 48 h
        batch.labels.append(
            LabelRow(
                entry.row,
                None if update.retracted else LabelKind.REVERTED,
                update.labelled_time,
                update.reverted_by,
                update.evidence,
                key,
                entry.rev_id,
                entry.event_time,
            )
        )
        if not update.retracted:
            self._performers.reverted(key, entry, self._watermark.time)

    def _claim(self, edit: Edit) -> RevertClaim | None:
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
        summary = self._match_revert(edit.wiki, edit.comment)
        if summary is None:
            return None
        return RevertClaim(summary.rev_id or 0, summary.performer or "", summary.restored_rev_id or 0)

    # -- pass two --------------------------------------------------------------------------------

    def _scores(self, rows: list[list[float]]) -> list[Score]:
        if not rows:
            return []
        matrix = np.asarray(rows, dtype=np.float64)
        risks = self._scorer.score(matrix).tolist()
        thresholds = self._scorer.thresholds(matrix).tolist()
        version = self._scorer.version
        return [
            Score(risk, version, threshold) for risk, threshold in zip(risks, thresholds, strict=True)
        ]

    def _decide_all(
        self,
        batch: Batch,
        steps: Sequence[_Step],
        rows: Sequence[list[float]],
        scores: Sequence[Score],
    ) -> int:
        """How many could not be decided: each is a dead letter, and its page's episode as before."""
        undecided = 0
        policy, threshold_of = self._decider.policy, self._decider.threshold_of
        likely = [
            row for row, score in enumerate(scores) if score.revert_risk >= threshold_of(score.threshold)
        ]
        reasons = BatchReasons(self._scorer, rows, likely)
        for step in steps:
            self._pass_time(batch, step)
            edit, observation, view = step.edit, step.observation, step.view
            if edit is None or observation is None or view is None:
                self._decide_other(batch, step)
                continue
            entry = observation.entry
            assert entry is not None
            score = scores[step.row]
            risk = score.revert_risk
            if risk >= min(policy.vandalism_risk, threshold_of(score.threshold)):
                entry.flags |= _SUSPECT
            flags = ANONYMOUS if entry.flags & ANONYMOUS else 0
            if step.delta is not None:
                flags |= WITH_CONTENT
            episode = self._states.episode(step.key, create=False)
            if (
                risk >= threshold_of(score.threshold) * policy.join_share
                or observation.dispute is not None
                or (episode is not None and (observation.revert is not None or observation.labels))
            ):
                episode = self._states.episode(step.key, create=True)
                assert episode is not None
                evidence = EditEvidence(reasons, step.row, edit, step.delta)
                before = _encode_episode(episode)
                try:
                    alerts = self._decider.decide(
                        episode, edit, observation, view, step.disputes, score, evidence
                    )
                except FactwatchError:
                    raise
                except Exception as err:  # noqa: BLE001  # the same guard, around the second pass
                    assert step.item is not None
                    batch.dead_letters.append(_failed(step.item, err, Stage.DECIDE))
                    self._states.episodes[step.key] = _decode_episode(before)
                    undecided += 1
                    alerts = []
                if any(a.rev_id == edit.rev_id and a.revert_risk is not None for a in alerts):
                    flags |= ALERTED
                self._alerted(batch, step.key, alerts)
            batch.edits.append(
                EditRow(entry.row, step.page_id, edit.rev_id, step.time, risk, flags, step.key)
            )
        return undecided

    def _decide_other(self, batch: Batch, step: _Step) -> None:
        if step.log is not None and step.log.log_type == "move" and step.log.target_title:
            self._move_episode(step.log, step.key, f"{step.log.wiki}:{step.log.target_title}")
            return
        episode = self._states.episode(step.key, create=False)
        if episode is None:
            return
        if step.log is not None:
            self._alerted(batch, step.key, self._decider.decide_log(episode, step.log))
        elif step.tag is not None:
            self._alerted(batch, step.key, self._decider.settle_by_tag(episode, step.tag, step.time))

    def _move_episode(self, event: LogEvent, old: str, new: str) -> None:
        states, moves = self._states, self._moves
        moved: EpisodeState | None = None
        if moves.owns(old) and moves.owns(new):
            moved = states.move_episode(old, new)
        elif moves.owns(old):
            gone = states.take_episode(old)
            if gone is not None:
                moves.episode_leaves(event.event_id, gone)
        elif moves.owns(new):
            gone = moves.episode_arrives(event.event_id)
            moved = states.join_episode(gone, new) if gone is not None else None
        if moved is not None and moved.next_deadline is not None:
            heapq.heappush(self._timers, (moved.next_deadline, new))

    def _alerted(self, batch: Batch, key: str, alerts: Sequence[Alert]) -> None:
        if not alerts:
            return
        batch.alerts.extend(alerts)
        episode = self._states.episodes.get(key)
        deadline = episode.next_deadline if episode is not None else None
        if deadline is not None:
            heapq.heappush(self._timers, (deadline, key))

    def _pass_time(self, batch: Batch, step: _Step) -> None:
        if self._time_by_page:
            self._page_id, self._page_time = state_id(step.key), step.time
            self._watermark.newest = max(self._watermark.newest, step.time)
            episode = self._states.episode(step.key, create=False)
            if episode is not None:
                self._alerted(batch, step.key, self._decider.expire(episode, step.time))
            return
        if self._timers and self._timers[0][0] <= step.passed:
            self._expire(batch, step.passed)

    def _expire(self, batch: Batch, time: float) -> None:
        """One timer at a time, each up to its own time: the order is that of the deadlines, whatever
        timers a restart forgot."""
        while self._timers and self._timers[0][0] <= time:
            deadline, key = heapq.heappop(self._timers)
            episode = self._states.episode(key, create=False)
            if episode is not None:
                self._alerted(batch, key, self._decider.expire(episode, deadline))

    def _collect(self, batch: Batch) -> None:
        states = self._states
        batch.pages = {state_id(key): page for key, page in states.pages.dirty.items()}
        batch.words = {state_id(key): words for key, words in states.words.dirty.items()}
        batch.performers = self._performers.changed()
        batch.episodes = {
            state_id(key): episode if episode.worth_keeping(self.time_of_page(state_id(key))) else None
            for key, episode in states.episodes.items()
        }
        batch.watermark = self._watermark
        batch.next_row = self._next_row


_SUSPECT = int(page_state.EntryFlag.SUSPECT)
_DUPLICATE = Skip(SkipReason.DUPLICATE)
_PROCESSED = "processed"
_STALE = f"skipped_{SkipReason.STALE}"
_NOT_AN_EDIT = f"skipped_{SkipReason.NOT_AN_EDIT}"
_encode_episode = msgspec.msgpack.Encoder().encode
_decode_episode = msgspec.msgpack.Decoder(EpisodeState).decode
_encode_edit = msgspec.json.Encoder().encode
_decode_edit = msgspec.json.Decoder(Edit).decode


def _failed(item: SourceItem, err: Exception, stage: Stage = Stage.TRACK) -> DeadLetter:
    raw = item.raw
    if raw is None:
        bare = msgspec.structs.replace(item.edit, content=None) if item.edit is not None else None
        raw = _encode_edit(bare)
    message = quote_untrusted(f"{type(err).__name__}: {err}")
    return DeadLetter(raw, DeadReason.STAGE_FAILED, stage, message, item.cursor[:200])
