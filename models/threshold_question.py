"""From which revert risk on to alert, asked as a question: at most so many false alarms a day on this wiki.

What is answered is counted on edits whose outcome is known. A false alarm is an edit flagged that nobody
reverted within 48 hours; some of those were vandalism all the same, so the count is an upper bound. Edits
that never alert, whatever their risk (bots, new pages, restored texts), are left out.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.features import FEATURE_NAMES
from streams.errors import BadInput

DAY_S = 86_400.0
ROUNDS = 400
SEED = 20_252
NEVER = 1.0
_DIGITS = 1e6
_AT = {name: at for at, name in enumerate(FEATURE_NAMES)}


class Outcomes(msgspec.Struct, frozen=True):
    """Of the edits of one wiki that may alert. All arrays of one length."""

    wiki: str
    event_time: NDArray[np.float64]
    score: NDArray[np.float64]
    reverted: NDArray[np.bool_]
    weight: NDArray[np.float64] | None = None
    """How many edits each stands for; None: for itself."""


class Span(msgspec.Struct, frozen=True):
    """Interval: 95 %, bootstrap over days, as alarms come in bursts."""

    value: float
    low: float
    high: float


class Answer(msgspec.Struct, frozen=True):
    wiki: str
    model_version: str
    asked: str
    threshold: float
    """revert_risk from which an edit alerts; 1: none is to."""
    edits: int
    reverted: int
    days: float
    false_alarms_a_day: Span
    catches_a_day: Span
    recall: Span
    """Of the reverted edits, the share that is flagged."""
    precision: Span
    false_positive_rate: Span


def may_alert(matrix: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which rows' edits can alert at all: as `Decider` skips them."""
    restores = (matrix[:, _AT["restores_back"]] > 0) & ~(matrix[:, _AT["restores_reverted"]] > 0)
    found: NDArray[np.bool_] = (
        (matrix[:, _AT["bot"]] == 0) & (matrix[:, _AT["new_page"]] == 0) & ~restores
    )
    return found


def answer(
    outcomes: Outcomes,
    model_version: str,
    *,
    false_alarms_a_day: float | None = None,
    false_positive_rate: float | None = None,
) -> Answer:
    """The lowest threshold that keeps to what is asked: exactly one of the two. Raises `BadInput` for no
    edits, or for a question that has no sense."""
    if (false_alarms_a_day is None) == (false_positive_rate is None):
        raise BadInput("ask for either false alarms a day or a rate of false positives")
    if not len(outcomes.score):
        raise BadInput(f"{outcomes.wiki}: no edits that could alert")
    time = outcomes.event_time
    weight = outcomes.weight if outcomes.weight is not None else np.ones(len(time))
    days = max((float(time.max()) - float(time.min())) / DAY_S, 1.0)
    falling = np.flatnonzero(~outcomes.reverted)
    falling = falling[np.argsort(-outcomes.score[falling], kind="stable")]
    stood, standing_for = outcomes.score[falling], np.cumsum(weight[falling])
    if false_alarms_a_day is not None:
        if not 0 <= false_alarms_a_day < float("inf"):
            raise BadInput("false alarms a day: wants 0 or more")
        allowed, asked = false_alarms_a_day * days, f"{false_alarms_a_day:g} false alarms a day"
    else:
        assert false_positive_rate is not None
        if not 0 <= false_positive_rate <= 1:
            raise BadInput("rate of false positives: wants 0 to 100 %")
        allowed = false_positive_rate * float(weight[falling].sum())
        asked = f"{100 * false_positive_rate:g} % of the edits that stood"
    threshold = _above(stood, int(np.searchsorted(standing_for, allowed, side="right")))
    flagged = outcomes.score >= threshold
    caught, wrong = flagged & outcomes.reverted, flagged & ~outcomes.reverted
    counts = np.column_stack(
        [_by_day(time, one, weight) for one in (wrong, caught, outcomes.reverted, ~outcomes.reverted)]
    )

    def span(figure: Callable[[NDArray[np.float64]], float]) -> Span:
        return _span(counts, figure)

    length = len(counts) / days  # so that the calendar's first and last day don't count as whole ones
    return Answer(
        outcomes.wiki,
        model_version,
        asked,
        threshold,
        round(float(weight.sum())),
        round(float(weight[outcomes.reverted].sum())),
        round(days, 2),
        span(lambda all_: float(all_[:, 0].mean() * length)),
        span(lambda all_: float(all_[:, 1].mean() * length)),
        span(lambda all_: _share(all_[:, 1].sum(), all_[:, 2].sum())),
        span(lambda all_: _share(all_[:, 1].sum(), all_[:, 0].sum() + all_[:, 1].sum())),
        span(lambda all_: _share(all_[:, 0].sum(), all_[:, 3].sum())),
    )


def _above(stood: NDArray[np.float64], allowed: int) -> float:
    """Lowest threshold, of six digits, that at most `allowed` of the scores (falling) reach."""
    if allowed >= len(stood):
        return 1.0 / _DIGITS
    threshold = ceil(float(stood[allowed]) * _DIGITS) / _DIGITS
    if threshold <= stood[allowed]:
        threshold += 1.0 / _DIGITS
    return min(round(threshold, 6), NEVER)


def _by_day(
    time: NDArray[np.float64], chosen: NDArray[np.bool_], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    day = ((time - time.min()) // DAY_S).astype(np.int64)
    return np.bincount(day[chosen], weight[chosen], minlength=int(day.max()) + 1).astype(np.float64)


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")


def _span(counts: NDArray[np.float64], figure: Callable[[NDArray[np.float64]], float]) -> Span:
    random = np.random.default_rng(SEED)
    drawn = [figure(counts[random.integers(0, len(counts), len(counts))]) for _ in range(ROUNDS)]
    known = [value for value in drawn if value == value]
    low, high = np.percentile(known, (2.5, 97.5)) if known else (float("nan"), float("nan"))
    return Span(round(figure(counts), 4), round(float(low), 4), round(float(high), 4))
