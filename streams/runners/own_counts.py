"""Edits of a batch as arrays: what is added to each of them by its wiki's shift, and how they are counted
for the shifts to come. Both runners count alike, so what they tell is the same to the last bit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.classifier import log_odds_of, probability_of
from models.own_calibration import BINS, CENTRE, DAY_S, LAG_DAYS, SHAPE, Cells, Shift, bins_of
from streams.errors import StoreCorrupt
from streams.runners.step import Step
from streams.store.batch import ANONYMOUS, LabelRow
from streams.store.own_rows import Key, OwnDay

Floats = NDArray[np.float64]
Numbers = NDArray[np.intp]
OWN = "+wiki"
"""Behind the version of a model whose score was shifted."""
WIKIS = 2_000
"""Wikis followed; there are about a thousand."""
COUNTED_DAYS = LAG_DAYS - 1
AHEAD_DAYS = 30
"""Of the event time that has passed, which follows only at the third edit after a quiet time. Dated further
ahead, an edit is not counted: the days that are open are bounded."""
_CELLS = 2 * BINS * 2


class FollowsOwn(Protocol):
    """What each wiki's own edits came to: `follow` each batch, make `changed` durable, then call `committed`."""

    @property
    def model(self) -> str:
        """The version whose scores are followed."""
        ...

    def follow(self, steps: Sequence[Step], risks: Floats, labels: Sequence[LabelRow]) -> Floats:
        """What is added to the log-odds of each of `risks`. `steps` are of those edits, `labels` of the
        same batch, both in the order they came."""
        ...

    def changed(self) -> dict[Key, OwnDay | None]:
        """To be stored with the batch; None: no longer there."""
        ...

    def committed(self) -> None: ...


def shifted(risks: Floats, shifts: Floats) -> Floats:
    """Probabilities, by what is added to their log-odds."""
    return probability_of(log_odds_of(risks) + shifts)


class BatchEdits:
    """Those of one batch, in their order."""

    def __init__(self, steps: Sequence[Step], risks: Floats) -> None:
        self.entries = [
            step.observation.entry
            for step in steps
            if step.observation is not None and step.observation.entry is not None
        ]
        self._log_odds = log_odds_of(risks)
        self._anonymous = np.array([entry.flags for entry in self.entries], dtype=np.intp) & ANONYMOUS
        self._steps = steps
        self._made = np.floor(np.array([step.time for step in steps]) / DAY_S)
        self._wikis, self._of = numbered([step.edit.wiki for step in steps if step.edit is not None])

    def by_day(self) -> Iterator[tuple[int, slice]]:
        """Days that had passed when they came, and which of them it was."""
        passed = np.floor(np.array([step.passed for step in self._steps]) / DAY_S)
        ends = (np.flatnonzero(np.diff(passed)) + 1).tolist()
        for first, below in pairwise([0, *ends, len(passed)]):
            if first < below:
                yield int(passed[first]), slice(first, below)

    def shifts(self, now: slice, shift_of: Callable[[str], Shift]) -> Floats:
        of, anonymous = self._of[now], self._anonymous[now]
        here = np.zeros((len(self._wikis), len(Shift._fields)))
        for number in np.flatnonzero(np.bincount(of)).tolist():
            here[number] = shift_of(self._wikis[number])
        each = here[of]
        found: Floats = each[np.arange(len(of)), anonymous] + each[:, 2] * (self._log_odds[now] - CENTRE)
        return found

    def counts(self, now: slice, today: int) -> Iterator[tuple[str, int, Cells]]:
        """By wiki and day they were made on, all of them as kept, until a label says otherwise."""
        made = self._made[now]
        ages = today - made
        counted = (ages <= COUNTED_DAYS) & (ages >= -AHEAD_DAYS) & (made >= 0)
        cells = cells_of(self._anonymous[now], bins_of(self._log_odds[now]))
        found = counts_of(self._of[now][counted], made[counted].astype(np.intp), cells[counted])
        for number, day, edits in found:
            yield self._wikis[number], day, edits

    def too_far_ahead(self, now: slice, today: int) -> list[int]:
        """Rows of those that are not counted though their day is still open."""
        far = np.flatnonzero(self._made[now] - today > AHEAD_DAYS)
        return [self.entries[now.start + at].row for at in far.tolist()]


def numbered(names: Sequence[str]) -> tuple[list[str], Numbers]:
    """Each name once, and the number among those of each."""
    once = list(dict.fromkeys(names))
    if len(once) <= 1:
        return once, np.zeros(len(names), dtype=np.intp)
    numbers = {name: number for number, name in enumerate(once)}
    return once, np.array([numbers[name] for name in names], dtype=np.intp)


def cells_of(anonymous: Numbers, bins: Numbers, reverted: Numbers | int = 0) -> Numbers:
    """Numbers of the cells of `Cells`, as if it had one dimension."""
    found: Numbers = (anonymous * BINS + bins) * 2 + reverted
    return found


def counts_of(of: Numbers, days: Numbers, cells: Numbers) -> Iterator[tuple[int, int, Cells]]:
    """How many there are of each number and day, by cell. The days lie near each other."""
    if not len(of):
        return
    first = int(days.min())
    days = days - first
    width = int(days.max()) + 1
    codes = (of * width + days) * _CELLS + cells
    edits = np.bincount(codes, minlength=(int(of.max()) + 1) * width * _CELLS).reshape(-1, *SHAPE)
    for group in np.flatnonzero(edits.any(axis=(1, 2, 3))).tolist():
        number, day = divmod(group, width)
        yield number, first + day, edits[group].astype(np.float64)


def dense(kept: OwnDay, wiki: str) -> Cells:
    """Raises `StoreCorrupt` for what can't have been counted."""
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


def sparse(cells: Cells) -> OwnDay:
    flat = cells.reshape(-1)
    at = np.flatnonzero(flat)
    return OwnDay(at.tolist(), flat[at].tolist())
