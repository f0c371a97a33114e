"""One micro-batch through the stages, in one pass for each that is batched.

Pass one, in order: performer, page, features. Then one call of the classifier for all rows; where the
histories of cold pages can be had, those of suspicious edits are asked for (`cold_pages`). Pass two, in
the same order: decide. What an edit meets is what stood just before it, whatever the batch it came
in, so batch borders change nothing.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from streams.errors import FactwatchError
from streams.reasons import DeadReason, SkipReason, Stage
from streams.records import DeadLetter, Edit, Score, Skip
from streams.runners.cold_pages import ColdPages, RecentHistories
from streams.runners.first_pass import PROCESSED, FirstPass, MatchRevert
from streams.runners.guard import failed
from streams.runners.moves import AllHere, Moves
from streams.runners.own_counts import OWN, FollowsOwn, shifted
from streams.runners.performers import Performers
from streams.runners.scorer import Scorer
from streams.runners.second_pass import SecondPass
from streams.runners.shadow import Shadow
from streams.runners.states import States
from streams.runners.step import Step
from streams.runners.training_sample import TrainingSample
from streams.sources.base import SourceItem
from streams.stages.decide import Decider
from streams.stages.deduplicate import RecentIds
from streams.stages.normalize import Normalized, Normalizer
from streams.state.watermark import LATENESS_S, Watermark
from streams.store.batch import Batch, Requeued
from streams.store.keys import state_id


class Processor:
    """Runs the stages over micro-batches. The states it changes are written by whoever commits the
    `Batch` it gives; after a failed commit the processor must be thrown away."""

    def __init__(
        self,
        *,
        states: States,
        performers: Performers,
        normalizer: Normalizer,
        recent: RecentIds[str],
        scorer: Scorer,
        decider: Decider,
        match_revert: MatchRevert,
        watermark: Watermark,
        next_row: int,
        deadlines: Sequence[tuple[str, float | None]] = (),
        time_by_page: bool = False,
        retention_s: float = math.inf,
        moves: Moves | None = None,
        own_shifts: FollowsOwn | None = None,
        histories: RecentHistories | None = None,
        rescorer: Scorer | None = None,
        sample: TrainingSample | None = None,
        shadow: Shadow | None = None,
        timer: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`time_by_page`: a history, where each page has its own time from its beginning: timers run
        on the page's own watermark. `retention_s`: a page not seen for so long is met as if for the
        first time. `moves`: of pages between keepers of states; None: all are kept here. `own_shifts`:
        each wiki's own reverts, to shift the risk that is told; decided is by the model's alone.
        `histories`: of pages met cold; None: nothing is asked. `rescorer` scores what is asked about
        again, by default `scorer`. `sample`: of rows to learn from later; None: none are kept.
        `shadow`: a challenger that scores along."""
        self._states = states
        self._performers = performers
        self._normalize = normalizer
        self._recent = recent
        self._scorer = scorer
        self._watermark = watermark
        self._timer = timer
        self._time_by_page = time_by_page
        self._own_shifts = own_shifts
        self._sample = sample
        self._shadow = shadow
        moves = moves or AllHere()
        self._first = FirstPass(
            states,
            performers,
            moves,
            scorer,
            match_revert,
            next_row=next_row,
            retention_s=retention_s,
        )
        self._cold: ColdPages | None = None
        if histories is not None:
            self._cold = ColdPages(
                histories,
                rescorer or scorer,
                match_revert=match_revert,
                threshold_of=decider.threshold_of,
                states=states,
                timer=timer,
            )
        self._second = SecondPass(
            states, moves, scorer, decider, watermark, deadlines=deadlines, time_by_page=time_by_page
        )

    @property
    def next_row(self) -> int:
        return self._first.next_row

    @property
    def final_time(self) -> float:
        """Event time that has passed when the source has ended: the newest of all."""
        return self._watermark.newest if self._time_by_page else self._watermark.time

    @property
    def newest(self) -> float:
        """The newest event time seen."""
        return self._watermark.newest

    def time_of_page(self, page_id: int) -> float:
        """Event time that has passed for a page."""
        return self._second.time_of_page(page_id)

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
        steps: list[Step] = []
        rows: list[list[float]] = []
        scores: list[Score] = []
        cold = self._cold
        scoring_s = newest_arrival = 0.0
        if cold is not None:
            cold.begin_batch()
        self._prefetch(records)
        fold = self._first.fold
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
                if cold is not None and cold.touches(record):
                    scoring_s += self._score(batch, rows, scores)
                batch.event_ids.append(record.event_id)
                if record.arrival_time > newest_arrival:
                    newest_arrival = record.arrival_time
                if passed is None and not self._time_by_page:
                    self._watermark.advance(record.event_time)
                try:
                    first = len(steps)
                    outcome = fold(batch, steps, rows, record, self._watermark.time)
                    if len(steps) > first:
                        steps[first].item = item
                        if cold is not None:
                            cold.met(steps[first])
                except FactwatchError:
                    raise  # our own store's: loud
                except Exception as err:  # noqa: BLE001  # the guard around the stages
                    batch.dead_letters.append(failed(item, err))
                    outcome = "dead_lettered"
            outcomes[outcome] = outcomes.get(outcome, 0) + 1
        scoring_s += self._score(batch, rows, scores)
        folded = self._timer()
        scores = self._told(batch, steps, scores)
        scored = self._timer()
        undecided = self._second.decide_all(batch, steps, rows, scores)
        if undecided:
            outcomes[PROCESSED] -= undecided
            outcomes["dead_lettered"] = outcomes.get("dead_lettered", 0) + undecided
        if self._sample is not None:
            batch.training_rows = self._sample.of(batch.edits, rows)
        if self._shadow is not None:
            batch.edits = self._shadow.beside(batch.edits, rows)
        batch.outcomes = outcomes
        batch.newest_arrival = newest_arrival or None
        self._collect(batch)
        batch.stage_seconds = {
            Stage.TRACK: folded - started - scoring_s,
            Stage.SCORE: scoring_s + scored - folded,
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
        self._second.expire(batch, time)
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
        if self._own_shifts is not None:
            self._own_shifts.committed()

    def _prefetch(self, records: Sequence[tuple[SourceItem, Normalized]]) -> None:
        """Have the states of all edits in memory, by one look into the store for each kind."""
        edits = [
            (f"{record.wiki}:{record.title}", record)
            for _, record in records
            if isinstance(record, Edit)
        ]
        self._states.pages.prefetch(key for key, _ in edits)
        self._performers.prefetch(edits)

    def _score(self, batch: Batch, rows: list[list[float]], scores: list[Score]) -> float:
        """Those of the rows that have no score yet, and what is asked about. Gives the seconds spent."""
        started = self._timer()
        scores += self._scores(rows[len(scores) :])
        if self._cold is not None:
            self._cold.settle(batch, rows, scores)
        return self._timer() - started

    def _scores(self, rows: list[list[float]]) -> list[Score]:
        if not rows:
            return []
        matrix = self._scorer.matrix(rows)
        risks = self._scorer.score(matrix).tolist()
        thresholds = self._scorer.thresholds(matrix).tolist()
        version = self._scorer.version
        return [
            Score(risk, version, threshold) for risk, threshold in zip(risks, thresholds, strict=True)
        ]

    def _told(self, batch: Batch, steps: Sequence[Step], scores: list[Score]) -> list[Score]:
        """Shifted by what each wiki's own settled edits say; they are followed here."""
        own = self._own_shifts
        if own is None or not (scores or batch.labels):
            return scores
        risks = np.array([score.revert_risk for score in scores])
        edits = [step for step in steps if step.edit is not None]
        # Those that a fetched history showed stand behind what came after them.
        labels = sorted(batch.labels, key=lambda label: label.passed)
        shifts = own.follow(edits, risks, labels)
        if not shifts.any():
            return scores
        here = shifted(risks, shifts).tolist()
        return [
            Score(here[at], f"{score.model_version}{OWN}", score.threshold, score.revert_risk, shift)
            if shift
            else score
            for at, (score, shift) in enumerate(zip(scores, shifts.tolist(), strict=True))
        ]

    def _collect(self, batch: Batch) -> None:
        states = self._states
        batch.pages = {state_id(key): page for key, page in states.pages.dirty.items()}
        batch.words = {state_id(key): words for key, words in states.words.dirty.items()}
        batch.performers = self._performers.changed()
        batch.episodes = {
            state_id(key): episode if episode.worth_keeping(self.time_of_page(state_id(key))) else None
            for key, episode in states.episodes.items()
        }
        if self._own_shifts is not None:
            batch.own_model, batch.own_edits = self._own_shifts.model, self._own_shifts.changed()
        batch.watermark = self._watermark
        batch.next_row = self._first.next_row


_DUPLICATE = Skip(SkipReason.DUPLICATE)
_decode_edit = msgspec.json.Decoder(Edit).decode
