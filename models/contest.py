"""Champion and challenger on the same edits, none of which either has learnt from: which is better, and is
it more than chance? Differences are taken edit by edit, and drawn anew by page: edits of one page are alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import partial

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.features import FEATURE_NAMES
from models.seen import SeenRows
from models.weighted_figures import Ranking, calibration_error

ROUNDS = 400
SEED = 20_253
_ANONYMOUS = FEATURE_NAMES.index("anonymous")
Floats = NDArray[np.float64]


class Outcome(StrEnum):
    """What the challenger is. A difference below zero that may be chance still is one."""

    BETTER = "better"
    """No figure is lower, and of one of them that is more than chance."""
    NOT_WORSE = "not worse"
    """No figure is lower, but all of it may be chance."""
    UNCLEAR = "unclear"
    """One is lower, which may be chance."""
    WORSE = "worse"
    """One is lower, and by more than chance."""

    @property
    def may_replace(self) -> bool:
        return self in (Outcome.BETTER, Outcome.NOT_WORSE)


class Figure(msgspec.Struct, frozen=True):
    """With its 95 % interval. NaN where there is not enough to tell."""

    value: float
    low: float
    high: float


class Compared(msgspec.Struct, frozen=True):
    name: str
    champion: Figure
    challenger: Figure
    difference: Figure
    """Challenger less champion."""
    decides: bool
    """Whether the outcome hangs on it."""


class Contest(msgspec.Struct, frozen=True):
    outcome: Outcome
    why: str
    figures: tuple[Compared, ...]
    edits: int
    damaging: int
    pages: int
    false_positive_rate: float
    """At which recall is compared: that of the champion's own alerts on these edits, if it is no less than 1 %."""


def contest(seen: SeenRows, champion: Floats, challenger: Floats, false_positive_rate: float) -> Contest:
    """`champion` and `challenger`: revert_risk of each edit."""
    _, page = np.unique(seen.page, return_inverse=True)
    random = np.random.default_rng(SEED)
    pages = int(page.max()) + 1
    drawn = [np.bincount(random.integers(0, pages, pages), minlength=pages)[page] for _ in range(ROUNDS)]
    scores = (champion, challenger)
    everybody = np.ones(seen.edits, dtype=bool)
    anonymous = seen.matrix[:, _ANONYMOUS] == 1.0
    at_rate = partial(Ranking.recall_at, rate=false_positive_rate)
    told: list[tuple[str, bool, Sequence[_Of]]] = [
        ("ROC-AUC", True, [_ranked(Ranking.roc_auc, seen, one, everybody) for one in scores]),
        (
            f"recall at {100 * false_positive_rate:.3g} % false positives",
            True,
            [_ranked(at_rate, seen, one, everybody) for one in scores],
        ),
        ("calibration error", False, [partial(calibration_error, seen.damaging, one) for one in scores]),
    ]
    if anonymous.any():
        of = [_ranked(Ranking.roc_auc, seen, one, anonymous) for one in scores]
        told.insert(2, ("ROC-AUC, anonymous only", False, of))
    figures = tuple(_compared(name, of, seen.weight, drawn, decides) for name, decides, of in told)
    outcome, why = _judged([one for one in figures if one.decides])
    return Contest(
        outcome, why, figures, seen.edits, int(seen.damaging.sum()), pages, false_positive_rate
    )


_Of = Callable[[Floats], float]
"""A figure by the edits' weights."""


def _ranked(
    figure: Callable[[Ranking, Floats], float],
    seen: SeenRows,
    score: Floats,
    chosen: NDArray[np.bool_],
) -> _Of:
    ranking = Ranking(seen.damaging[chosen], score[chosen])
    return lambda weight: figure(ranking, weight[chosen])


def _compared(
    name: str, of: Sequence[_Of], weight: Floats, drawn: list[NDArray[np.intp]], decides: bool
) -> Compared:
    values = np.array([[one(weight * times) for one in of] for times in drawn])
    champion, challenger = (one(weight) for one in of)
    return Compared(
        name,
        _figure(champion, values[:, 0]),
        _figure(challenger, values[:, 1]),
        _figure(challenger - champion, values[:, 1] - values[:, 0]),
        decides,
    )


def _figure(value: float, drawn: Floats) -> Figure:
    known = drawn[~np.isnan(drawn)]
    low, high = np.percentile(known, (2.5, 97.5)) if len(known) else (float("nan"), float("nan"))
    return Figure(round(value, 4), round(float(low), 4), round(float(high), 4))


def _judged(figures: list[Compared]) -> tuple[Outcome, str]:
    unknown = [one for one in figures if one.difference.value != one.difference.value]
    if unknown:
        return Outcome.UNCLEAR, f"{unknown[0].name} can't be told from these edits"
    lower = [one for one in figures if one.difference.value < 0]
    worse = [one for one in lower if one.difference.high < 0]
    if worse:
        return Outcome.WORSE, f"{_told(worse[0])}: lower, and not by chance"
    if lower:
        return (
            Outcome.UNCLEAR,
            f"{_told(lower[0])}: lower, though that may be chance; more edits would tell",
        )
    higher = [one for one in figures if one.difference.low > 0]
    if higher:
        return Outcome.BETTER, f"{_told(higher[0])}: higher, and not by chance"
    return Outcome.NOT_WORSE, f"{_told(figures[0])}: no figure is lower; what is higher may be chance"


def _told(one: Compared) -> str:
    found = one.difference
    return f"{one.name} {one.challenger.value:.3f} for {one.champion.value:.3f} ({found.low:+.3f} to {found.high:+.3f})"
