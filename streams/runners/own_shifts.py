"""Each wiki's own settled edits, followed live: what a batch's edits are shifted by, and what they teach.

Batch borders change nothing. What counts for a day's shift came in, edits and labels, before that day began:
what comes later than the second day after its edit was made is not counted at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.classifier import log_odds_of, probability_of
from models.own_calibration import (
    BINS,
    CENTRE,
    DAY_S,
    LAG_DAYS,
    SHAPE,
    Cells,
    OwnHistory,
    Shift,
    bin_of,
    bins_of,
)
from streams.errors import StoreCorrupt
from streams.runners.step import Step
from streams.state.page import Entry
from streams.store.batch import ANONYMOUS, LabelRow
from streams.store.own_rows import PAST, Key, OwnDay, ScoredEdit

Floats = NDArray[np.float64]
WIKIS = 2_000
"""Wikis followed; there are about a thousand."""
_COUNTED_DAYS = LAG_DAYS - 1
_AHEAD_DAYS = 30
"""Of the event time that has passed, which follows only at the third edit after a quiet time. Dated further
ahead, an edit is not counted: the days that are open are bounded."""
_CELLS = 2 * BINS * 2


OWN = "+wiki"
"""Behind the version of a model whose score was shifted."""


def shifted(risks: Floats, shifts: Floats) -> Floats:
    """Probabilities, by what is added to their log-odds."""
    return probability_of(log_odds_of(risks) + shifts)


class OwnStore(Protocol):
    def own_edits(self, model: str) -> dict[Key, OwnDay]:
        """What is kept for this model."""
        ...

    def scored_edits(self, rows: Sequence[int]) -> dict[int, ScoredEdit]:
        """Those that are still in the log."""
        ...


class OwnShifts:
    """`follow` each batch, make `changed` durable, then call `committed`."""

    def __init__(self, store: OwnStore, model: str) -> None:
        """`model`: the version whose scores are followed; of another nothing is known here. Raises
        `StoreCorrupt` for what can't have been counted."""
        self.model = model
        self._store = store
        self._wikis: dict[str, OwnHistory] = {}
        self._changed: set[Key] = set()
        for (wiki, day), kept in store.own_edits(model).items():
            history = self._wikis.setdefault(wiki, OwnHistory())
            cells = _dense(kept, wiki)
            if day == PAST:
                history.past = cells
            else:
                history.open_days[day] = cells

    def follow(self, steps: Sequence[Step], risks: Floats, labels: Sequence[LabelRow]) -> Floats:
        """What is added to the log-odds of each of `risks`. `steps` are of those edits, `labels` of the
        same batch, both in the order they came."""
        added = np.zeros(len(risks))
        log_odds = log_odds_of(risks)
        entries = [_entry(step) for step in steps]
        anonymous = np.array([entry.flags for entry in entries], dtype=np.intp) & ANONYMOUS
        passed = np.floor(np.array([step.passed for step in steps]) / DAY_S)
        made = np.floor(np.array([step.time for step in steps]) / DAY_S)
        names = [step.edit.wiki for step in steps if step.edit is not None]
        wikis = list(dict.fromkeys(names))
        if len(wikis) > 1:
            numbers = {wiki: number for number, wiki in enumerate(wikis)}
            of = np.array([numbers[name] for name in names], dtype=np.intp)
        else:
            of = np.zeros(len(names), dtype=np.intp)
        borders = [0, *(np.flatnonzero(np.diff(passed)) + 1).tolist(), len(steps)]
        known = _Outcomes(self._store, steps, entries, risks, labels)
        waiting = list(labels)[::-1]
        for first, below in pairwise(borders):
            if first == below:
                continue
            now = slice(first, below)
            today = int(passed[first])
            while waiting and waiting[-1].passed < today * DAY_S:
                self._count_label(waiting.pop(), known)
            added[now] = self._shifts(wikis, of[now], today, log_odds[now], anonymous[now])
            ages = today - made[now]
            counted = (ages <= _COUNTED_DAYS) & (ages >= -_AHEAD_DAYS) & (made[now] >= 0)
            self._count(wikis, of[now], made[now], anonymous[now], bins_of(log_odds[now]), counted)
        for label in reversed(waiting):
            self._count_label(label, known)
        return added

    def changed(self) -> dict[Key, OwnDay | None]:
        """To be stored; None: no longer there."""
        found: dict[Key, OwnDay | None] = {}
        for wiki, day in self._changed:
            history = self._wikis[wiki]
            cells = history.past if day == PAST else history.open_days.get(day)
            found[wiki, day] = None if cells is None else _sparse(cells)
        return found

    def committed(self) -> None:
        self._changed.clear()

    def _shifts(
        self,
        wikis: Sequence[str],
        of: NDArray[np.intp],
        today: int,
        log_odds: Floats,
        anonymous: NDArray[np.intp],
    ) -> Floats:
        here = np.zeros((len(wikis), len(Shift._fields)))
        for number in np.flatnonzero(np.bincount(of)).tolist():
            here[number] = self._shift(wikis[number], today)
        each = here[of]
        found: Floats = each[np.arange(len(of)), anonymous] + each[:, 2] * (log_odds - CENTRE)
        return found

    def _shift(self, wiki: str, today: int) -> Shift:
        history = self._history(wiki)
        if history is None:
            return Shift(0.0, 0.0, 0.0)
        before = set(history.open_days)
        shift = history.shift(today)
        closed = before - set(history.open_days)
        if closed:
            self._changed.add((wiki, PAST))
            self._changed.update((wiki, day) for day in closed)
        return shift

    def _count(
        self,
        wikis: Sequence[str],
        of: NDArray[np.intp],
        made: Floats,
        anonymous: NDArray[np.intp],
        bins: NDArray[np.intp],
        counted: NDArray[np.bool_],
    ) -> None:
        """All of them as kept, until a label says otherwise."""
        if not counted.any():
            return
        first = int(made[counted].min())
        days = made[counted].astype(np.intp) - first
        width = int(days.max()) + 1
        cell = (anonymous[counted] * BINS + bins[counted]) * 2
        codes = (of[counted] * width + days) * _CELLS + cell
        edits = np.bincount(codes, minlength=len(wikis) * width * _CELLS).reshape(-1, *SHAPE)
        for group in np.flatnonzero(edits.any(axis=(1, 2, 3))).tolist():
            number, day = divmod(group, width)
            history = self._history(wikis[number])
            if history is not None:
                history.day(first + day)[:] += edits[group]
                self._changed.add((wikis[number], first + day))

    def _count_label(self, label: LabelRow, known: _Outcomes) -> None:
        edit = known.of(label)
        wiki = label.key.partition(":")[0]
        history = self._wikis.get(wiki)
        if edit is None or history is None:
            return
        day = int(edit.event_time // DAY_S)
        cells = history.open_days.get(day)
        if cells is None or label.passed // DAY_S - day > _COUNTED_DAYS:
            return
        at = edit.flags & ANONYMOUS, bin_of(edit.model_risk)
        before, after = int(edit.reverted), int(label.label is not None)
        if before != after and cells[at][before] > 0:  # a model put in since then scored it otherwise
            cells[at][before] -= 1.0
            cells[at][after] += 1.0
            self._changed.add((wiki, day))

    def _history(self, wiki: str) -> OwnHistory | None:
        found = self._wikis.get(wiki)
        if found is None and len(self._wikis) < WIKIS:
            found = self._wikis[wiki] = OwnHistory()
        return found


class _Outcomes:
    """Edits that labels are of, with what was known of each before the label."""

    def __init__(
        self,
        store: OwnStore,
        steps: Sequence[Step],
        entries: Sequence[Entry],
        risks: Floats,
        labels: Sequence[LabelRow],
    ) -> None:
        self._edits: dict[int, ScoredEdit] = {}
        if not labels:
            return
        wanted = {label.row for label in labels}
        for at, entry in enumerate(entries):
            if entry.row in wanted:
                edit = ScoredEdit(steps[at].time, float(risks[at]), entry.flags, reverted=False)
                self._edits[entry.row] = edit
        self._edits.update(store.scored_edits([row for row in wanted if row not in self._edits]))

    def of(self, label: LabelRow) -> ScoredEdit | None:
        """And from now on with what `label` says."""
        found = self._edits.get(label.row)
        if found is not None:
            self._edits[label.row] = found._replace(reverted=label.label is not None)
        return found


def _entry(step: Step) -> Entry:
    observation = step.observation
    assert observation is not None
    assert observation.entry is not None
    return observation.entry


def _dense(kept: OwnDay, wiki: str) -> Cells:
    counts = np.array(kept.counts, dtype=np.float64)
    cells = np.zeros(_CELLS)
    if (
        len(counts) != len(kept.cells)
        or not all(0 <= cell < _CELLS for cell in kept.cells)
        or not (np.isfinite(counts) & (counts >= 0)).all()
    ):
        raise StoreCorrupt(f"what was counted of {wiki!r} can't be: restore the state from a backup")
    cells[kept.cells] = counts
    return cells.reshape(SHAPE)


def _sparse(cells: Cells) -> OwnDay:
    flat = cells.reshape(-1)
    at = np.flatnonzero(flat)
    return OwnDay(at.tolist(), flat[at].tolist())
