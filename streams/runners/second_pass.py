"""Pass two, record by record in the same order: decide, by what pass one noted and by nothing else; and
settle what time makes due between two records."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

import msgspec

from streams.errors import FactwatchError
from streams.reasons import Stage
from streams.records import Alert, LogEvent, Score
from streams.runners.evidence import BatchReasons, EditEvidence
from streams.runners.guard import failed
from streams.runners.moves import Moves
from streams.runners.scorer import Scorer
from streams.runners.states import States
from streams.runners.step import Step
from streams.stages.decide import Decider
from streams.state.episode import EpisodeState
from streams.state.page import EntryFlag
from streams.state.watermark import Watermark
from streams.store.batch import ALERTED, ANONYMOUS, WITH_CONTENT, Batch, EditRow
from streams.store.keys import state_id

_SUSPECT = int(EntryFlag.SUSPECT)
_encode_episode = msgspec.msgpack.Encoder().encode
_decode_episode = msgspec.msgpack.Decoder(EpisodeState).decode


class SecondPass:
    def __init__(
        self,
        states: States,
        moves: Moves,
        scorer: Scorer,
        decider: Decider,
        watermark: Watermark,
        *,
        deadlines: Sequence[tuple[str, float | None]],
        time_by_page: bool,
    ) -> None:
        """`deadlines` are those of what is open already, by page key. `time_by_page`: a history, where
        each page has a time of its own, and `watermark` only follows the newest."""
        self._states = states
        self._moves = moves
        self._scorer = scorer
        self._decider = decider
        self._watermark = watermark
        self._time_by_page = time_by_page
        self._page_time = 0.0
        self._page_id = 0
        self._timers: list[tuple[float, str]] = []
        for key, deadline in deadlines:
            states.open_episodes.add(key)
            if deadline is not None:
                heapq.heappush(self._timers, (deadline, key))

    def time_of_page(self, page_id: int) -> float:
        """Event time that has passed for a page."""
        if not self._time_by_page:
            return self._watermark.time
        return self._page_time if page_id == self._page_id else self._watermark.newest

    def decide_all(
        self,
        batch: Batch,
        steps: Sequence[Step],
        rows: Sequence[list[float]],
        scores: Sequence[Score],
    ) -> int:
        """How many could not be decided: each is a dead letter, and its page's episode as before."""
        undecided = 0
        policy, threshold_of = self._decider.policy, self._decider.threshold_of
        likely = [
            step.row
            for step in steps
            if step.edit is not None
            and scores[step.row].decides >= threshold_of(scores[step.row].threshold, step.edit.wiki)
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
            risk, threshold = score.decides, threshold_of(score.threshold, edit.wiki)
            if risk >= min(policy.vandalism_risk, threshold):
                entry.flags |= _SUSPECT
            flags = ANONYMOUS if entry.flags & ANONYMOUS else 0
            if step.delta is not None:
                flags |= WITH_CONTENT
            episode = self._states.episode(step.key, create=False)
            if (
                risk >= threshold * policy.join_share
                or observation.dispute is not None
                or (episode is not None and (observation.revert is not None or observation.labels))
            ):
                episode = self._states.episode(step.key, create=True)
                assert episode is not None
                evidence = EditEvidence(reasons, step.row, edit, step.delta, score.own_shift)
                before = _encode_episode(episode)
                try:
                    alerts = self._decider.decide(
                        episode, edit, observation, view, step.disputes, score, evidence
                    )
                except FactwatchError:
                    raise
                except Exception as err:  # noqa: BLE001  # the same guard, around the second pass
                    assert step.item is not None
                    batch.dead_letters.append(failed(step.item, err, Stage.DECIDE))
                    self._states.episodes[step.key] = _decode_episode(before)
                    undecided += 1
                    alerts = []
                if any(a.rev_id == edit.rev_id and a.revert_risk is not None for a in alerts):
                    flags |= ALERTED
                self._alerted(batch, step.key, alerts)
            batch.edits.append(
                EditRow(
                    entry.row,
                    step.page_id,
                    edit.rev_id,
                    step.time,
                    score.revert_risk,
                    flags,
                    step.key,
                    score.model_risk,
                )
            )
        return undecided

    def _decide_other(self, batch: Batch, step: Step) -> None:
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

    def _pass_time(self, batch: Batch, step: Step) -> None:
        if self._time_by_page:
            self._page_id, self._page_time = state_id(step.key), step.time
            self._watermark.newest = max(self._watermark.newest, step.time)
            episode = self._states.episode(step.key, create=False)
            if episode is not None:
                self._alerted(batch, step.key, self._decider.expire(episode, step.time))
            return
        if self._timers and self._timers[0][0] <= step.passed:
            self.expire(batch, step.passed)

    def expire(self, batch: Batch, time: float) -> None:
        """One timer at a time, each up to its own time: the order is that of the deadlines, whatever
        timers a restart forgot."""
        while self._timers and self._timers[0][0] <= time:
            deadline, key = heapq.heappop(self._timers)
            episode = self._states.episode(key, create=False)
            if episode is not None:
                self._alerted(batch, key, self._decider.expire(episode, deadline))
