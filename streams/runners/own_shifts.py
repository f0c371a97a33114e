"""Each wiki's own settled edits, followed live: what a batch's edits are shifted by, and what they teach.

Batch borders change nothing. What counts for a day's shift came in, edits and labels, before that day began:
what comes later than the second day after its edit was made is not counted at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Protocol

import numpy as np

from models.own_calibration import DAY_S, NO_SHIFT, OwnHistory, Shift, bin_of
from streams.runners.own_counts import COUNTED_DAYS, WIKIS, BatchEdits, Floats, dense, sparse
from streams.runners.step import Step
from streams.state.page import Entry
from streams.store.batch import ANONYMOUS, LabelRow
from streams.store.own_rows import PAST, Key, OwnDay, ScoredEdit


class OwnStore(Protocol):
    def own_edits(self, model: str) -> dict[Key, OwnDay]:
        """What is kept for this model."""
        ...

    def scored_edits(self, rows: Sequence[int]) -> dict[int, ScoredEdit]:
        """Those that are still in the log."""
        ...


class OwnShifts:
    """Implements `FollowsOwn` in one process."""

    def __init__(self, store: OwnStore, model: str) -> None:
        """`model`: the version whose scores are followed; of another nothing is known here. Raises
        `StoreCorrupt` for what can't have been counted."""
        self.model = model
        self._store = store
        self._wikis: dict[str, OwnHistory] = {}
        self._changed: set[Key] = set()
        for (wiki, day), kept in store.own_edits(model).items():
            history = self._wikis.setdefault(wiki, OwnHistory())
            cells = dense(kept, wiki)
            if day == PAST:
                history.past = cells
            else:
                history.open_days[day] = cells

    def follow(self, steps: Sequence[Step], risks: Floats, labels: Sequence[LabelRow]) -> Floats:
        added = np.zeros(len(risks))
        edits = BatchEdits(steps, risks)
        known = _Outcomes(self._store, steps, edits.entries, risks, labels)
        waiting = list(labels)[::-1]
        for today, now in edits.by_day():
            while waiting and waiting[-1].passed < today * DAY_S:
                self._count_label(waiting.pop(), known)
            added[now] = edits.shifts(now, partial(self._shift, today))
            for wiki, day, cells in edits.counts(now, today):
                history = self._history(wiki)
                if history is not None:
                    history.day(day)[:] += cells
                    self._changed.add((wiki, day))
        for label in reversed(waiting):
            self._count_label(label, known)
        return added

    def changed(self) -> dict[Key, OwnDay | None]:
        found: dict[Key, OwnDay | None] = {}
        for wiki, day in self._changed:
            history = self._wikis[wiki]
            cells = history.past if day == PAST else history.open_days.get(day)
            found[wiki, day] = None if cells is None else sparse(cells)
        return found

    def committed(self) -> None:
        self._changed.clear()

    def _shift(self, today: int, wiki: str) -> Shift:
        history = self._history(wiki)
        if history is None:
            return NO_SHIFT
        before = set(history.open_days)
        shift = history.shift(today)
        closed = before - set(history.open_days)
        if closed:
            self._changed.add((wiki, PAST))
            self._changed.update((wiki, day) for day in closed)
        return shift

    def _count_label(self, label: LabelRow, known: _Outcomes) -> None:
        edit = known.of(label)
        wiki = label.key.partition(":")[0]
        history = self._wikis.get(wiki)
        if edit is None or history is None:
            return
        day = int(edit.event_time // DAY_S)
        cells = history.open_days.get(day)
        if cells is None or label.passed // DAY_S - day > COUNTED_DAYS:
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
