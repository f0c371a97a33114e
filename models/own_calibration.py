"""How far a wiki's own settled edits shift the model there.

How often edits are reverted, and how surely, differs from wiki to wiki. What became of a wiki's own edits
tells it, two days later: an edit that nobody reverted yet is unknown, and those already reverted come first,
so a day counts once all of its edits have had their 48 hours. A shift holds for a whole day of event time
and hangs on whole days before it: no border of a batch, no restart and no other worker changes it.

Shift and slope are the most likely ones, given log-odds in bins and a normal prior around none (Platt's
scaling with a prior). A wiki of which no revert was seen is left as it is: there, reverts may be done in a way
that is not recognised.
"""

from __future__ import annotations

from math import log
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Labels = NDArray[np.bool_]
Cells = NDArray[np.float64]
"""Edits by kind (registered, anonymous), bin of their log-odds, and outcome (kept, reverted)."""

DAY_S = 86_400.0
LAG_DAYS = 3
"""Edits of a day are settled when the second day after it is over."""
BINS, LOWEST, WIDTH = 24, -8.0, 0.5
"""Bins of log-odds, from `LOWEST`; what lies outside is in the first or the last."""
SHAPE = (2, BINS, 2)
CENTRE = -3.0
"""Log-odds that a slope leaves as they are: about one edit in twenty."""
PRIOR_SHIFT, PRIOR_KIND, PRIOR_SLOPE = 0.7, 0.5, 0.4
"""Standard deviations of the prior: of the shift (odds halved or doubled are usual), of how much further
either kind of editor is shifted, and of the slope."""
FEW_REVERTS = 2.0
"""Seen on a wiki, at which half of the shift is believed."""
HALF_LIFE_DAYS = 730.0
"""A wiki's habits change over years; a small one has few reverts in one."""
EDITS_CAP = 100_000.0
"""Edits a memory is worth: they tell a shift to .02. A busy wiki forgets faster by it."""
LEAST_SLOPE = -0.75
"""Below -1 the order of edits would be reversed."""
_STEPS, _LONGEST, _CLOSE = 30, 1.0, 1e-9


class Shift(NamedTuple):
    """What is added to the log-odds of registered and of anonymous editors' edits, and `slope` times the
    distance from `CENTRE`."""

    registered: float
    anonymous: float
    slope: float

    def of(self, log_odds: Floats, anonymous: Labels) -> Floats:
        """Shifted log-odds."""
        added = np.where(anonymous, self.anonymous, self.registered)
        found: Floats = log_odds + added + self.slope * (log_odds - CENTRE)
        return found


NO_SHIFT = Shift(0.0, 0.0, 0.0)


def bins_of(log_odds: Floats) -> NDArray[np.intp]:
    """Finite log-odds to the numbers of their bins."""
    return np.clip((log_odds - LOWEST) / WIDTH, 0, BINS - 1).astype(np.intp)


def bin_of(probability: float) -> int:
    """Of one edit, as `bins_of` of its log-odds."""
    if not 0.0 < probability < 1.0:
        return 0 if probability <= 0.0 else BINS - 1
    log_odds = log(probability / (1.0 - probability))
    return min(max(int((log_odds - LOWEST) / WIDTH), 0), BINS - 1)


class OwnHistory:
    """Of one wiki: edits by outcome, in days that may still change and one sum of those before."""

    def __init__(self, past: Cells | None = None, open_days: dict[int, Cells] | None = None) -> None:
        """`past` weighs an edit of day d (since 1970) as 2 ** (d / HALF_LIFE_DAYS), so that it does not
        change as time passes."""
        self.past = np.zeros(SHAPE) if past is None else past
        self.open_days: dict[int, Cells] = {} if open_days is None else open_days
        self._day = -1
        self._shift = NO_SHIFT

    def day(self, day: int) -> Cells:
        """Edits of a day, to be counted in."""
        found = self.open_days.get(day)
        if found is None:
            found = self.open_days[day] = np.zeros(SHAPE)
        return found

    def shift(self, day: int) -> Shift:
        """For edits met on `day`: by those of the days up to `LAG_DAYS` before, which are added to the
        past."""
        if day != self._day:
            self.close(day - LAG_DAYS)
        return self.by_past(day)

    def by_past(self, day: int) -> Shift:
        """For edits met on `day`, by the days that were closed."""
        if day != self._day:
            self._day = day
            self._shift = shift_of(self.past * 0.5 ** ((day - LAG_DAYS) / HALF_LIFE_DAYS))
        return self._shift

    def close(self, last: int) -> None:
        """Add the days up to `last` to the past: nothing changes there any more."""
        for one in sorted(one for one in self.open_days if one <= last):
            self._close(one)
            self._day = -1

    def _close(self, day: int) -> None:
        weight = 2.0 ** (day / HALF_LIFE_DAYS)
        self.past = self.past + weight * self.open_days.pop(day)
        worth = self.past.sum() / weight
        if worth > EDITS_CAP:
            self.past = self.past * (EDITS_CAP / worth)


def shift_of(cells: Cells) -> Shift:
    """The most likely shift, by Newton's method from none: a step further than `_LONGEST` is cut."""
    reverted = cells[:, :, 1].ravel()
    seen = reverted.sum()
    if not seen > 0:
        return NO_SHIFT
    edits = cells.sum(axis=2).ravel()
    found = np.zeros(4)
    for _ in range(_STEPS):
        probability = 1.0 / (1.0 + np.exp(-(_MIDDLES + _COLUMNS @ found)))
        slope = _COLUMNS.T @ (reverted - edits * probability) - _PRIOR * found
        curve = (_COLUMNS.T * (edits * probability * (1.0 - probability))) @ _COLUMNS
        step = np.clip(np.linalg.solve(curve + np.diag(_PRIOR), slope), -_LONGEST, _LONGEST)
        found = found + step
        if np.abs(step).max() < _CLOSE:
            break
    shared, registered, anonymous, by = (found * (seen / (seen + FEW_REVERTS))).tolist()
    return Shift(shared + registered, shared + anonymous, max(by, LEAST_SLOPE))


def followed(log_odds: Floats, anonymous: Labels, reverted: Labels, event_time: Floats) -> Floats:
    """Log-odds of one wiki's (or page's) edits, each shifted by those that had settled before its day.
    Rows in any order; `reverted` within 48 hours."""
    day = np.floor(event_time / DAY_S).astype(np.int64)
    order = np.argsort(day, kind="stable")
    days, starts = np.unique(day[order], return_index=True)
    history, bins, shifted = OwnHistory(), bins_of(log_odds), log_odds.copy()
    for at, one in enumerate(days.tolist()):
        chosen = order[starts[at] : starts[at + 1] if at + 1 < len(starts) else None]
        shifted[chosen] = history.shift(one).of(log_odds[chosen], anonymous[chosen])
        cells = anonymous[chosen].astype(int), bins[chosen], reverted[chosen].astype(int)
        np.add.at(history.day(one), cells, 1.0)
    return shifted


def _columns() -> Floats:
    middles = LOWEST + WIDTH * (np.arange(BINS) + 0.5)
    columns = np.zeros((2, BINS, 4))
    columns[:, :, 0] = 1.0
    columns[0, :, 1] = 1.0
    columns[1, :, 2] = 1.0
    columns[:, :, 3] = middles - CENTRE
    return columns.reshape(-1, 4)


_COLUMNS = _columns()
_MIDDLES = _COLUMNS[:, 3] + CENTRE
_PRIOR = 1.0 / np.square([PRIOR_SHIFT, PRIOR_KIND, PRIOR_KIND, PRIOR_SLOPE])
