"""How far the edits of now differ from those of before: the population stability index.

PSI adds up (now - then) * ln(now / then) over bins of a reference. By the usual rule below 0.1 is little,
above 0.25 much. What it can tell: that scores or features are no longer spread as they were, as when texts
stop coming or a wiki's software changes what it says. What it can't: whether the model got worse (for that,
`live_quality`), nor why.

There are two references. The edits a model was fitted on are of much vandalised pages: scores of another
article differ from them by 0.66, those of a whole wiki by 4.3 (Wikidata, 2018, against the Holy Grail's), so
that this figure is large from the first day, and blind to changes among the low scores, which all share its
first bin. It says how far from its training a model is used. The first edits that a model scored here are
what tells a silent decline: against those the next ones differ by 0.07.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum

import msgspec
import numpy as np
from numpy.typing import NDArray

#: Edits compared with the reference: an hour or two of enwiki, three minutes of all wikis.
WINDOW = 10_000
#: Below so many chance alone makes differences: PSI of a sample of the same spread is about bins / edits.
ENOUGH = 2_000
BINS = 10
#: Least share of a bin: one that was empty then, or is now, must not give infinity.
LEAST_SHARE = 1e-4


class Distribution(msgspec.Struct, frozen=True):
    """How values were spread. `edges` rise; a value is in the bin behind the last edge that is not
    greater. `shares` are of the bins, one more than edges, and with `missing` (NaN) add up to 1."""

    edges: tuple[float, ...]
    shares: tuple[float, ...]
    missing: float = 0.0

    def __post_init__(self) -> None:
        if len(self.shares) != len(self.edges) + 1:
            raise ValueError(f"{len(self.edges)} edges make {len(self.edges) + 1} bins")
        if any(not low < high for low, high in zip(self.edges, self.edges[1:], strict=False)):
            raise ValueError("edges must rise")
        shares = (*self.shares, self.missing)
        if not all(0 <= share <= 1 for share in shares) or not math.isclose(
            sum(shares), 1, abs_tol=1e-3
        ):
            raise ValueError("shares must add up to 1")


class DriftReference(msgspec.Struct, frozen=True):
    """How some edits were spread."""

    score: Distribution
    """Of revert_risk."""
    features: dict[str, Distribution]
    """Of those that count most, by name."""


def distribution_of(values: NDArray[np.float64]) -> Distribution:
    """Spread of `values`, NaN among them, in bins of about equal shares; at least one value."""
    present = values[~np.isnan(values)]
    # Values that are there: one in between would be an edge of empty bins.
    cuts = np.arange(1, BINS) / BINS
    edges = np.unique(np.quantile(present, cuts, method="lower")) if len(present) else np.empty(0)
    counts = _counts(edges, present)
    shares = tuple((counts / len(values)).tolist())
    return Distribution(tuple(edges.tolist()), shares, 1 - len(present) / len(values))


def stability_index(reference: Distribution, values: NDArray[np.float64]) -> float:
    """PSI of `values`, at least one, against `reference`; a missing value is a bin of its own."""
    present = values[~np.isnan(values)]
    counts = _counts(np.array(reference.edges), present)
    now = np.append(counts, len(values) - len(present)) / len(values)
    then = np.array((*reference.shares, reference.missing))
    now, then = np.maximum(now, LEAST_SHARE), np.maximum(then, LEAST_SHARE)
    return float(((now - then) * np.log(now / then)).sum())


def _counts(edges: NDArray[np.float64], present: NDArray[np.float64]) -> NDArray[np.int64]:
    bins = np.searchsorted(edges, present, side="right")
    return np.bincount(bins, minlength=len(edges) + 1)


class Against(StrEnum):
    """What the edits of now are compared with."""

    TRAINING = "training"
    FIRST = "first"
    """The first full window of edits that the model scored here, whichever hour of the day that was."""


class Drift:
    """The last `WINDOW` edits scored, in the order they were. One thread adds; another that asks meanwhile
    gets some rows of before and some of after."""

    def __init__(
        self,
        feature_names: Sequence[str],
        training: DriftReference | None,
        first: DriftReference | None = None,
        *,
        window: int = WINDOW,
        enough: int = ENOUGH,
    ) -> None:
        """`feature_names` are the columns of the rows to come. `training` is the manifest's, and chooses
        the features that are looked at; without it, only scores are. `first` is what an earlier run
        found."""
        self.features: tuple[str, ...] = tuple(training.features) if training is not None else ()
        self._columns = [feature_names.index(name) for name in self.features]
        self._rows = np.empty((window, 1 + len(self.features)))
        self._enough = enough
        self._added = 0
        if first is not None and tuple(first.features) != self.features:
            first = None
        self._references = {Against.TRAINING: training, Against.FIRST: first}

    @property
    def first(self) -> DriftReference | None:
        """None until a window is full for the first time."""
        return self._references[Against.FIRST]

    def add(self, matrix: NDArray[np.float64], scores: NDArray[np.float64]) -> None:
        """Features of some edits, (n, features), and their revert_risk, (n,)."""
        window = len(self._rows)
        matrix, scores = matrix[-window:], scores[-window:]
        at = np.arange(self._added, self._added + len(scores)) % window
        self._rows[at, 0] = scores
        self._rows[at, 1:] = matrix[:, self._columns]
        self._added += len(scores)
        if self._added >= window and self.first is None:
            spreads = [distribution_of(column) for column in self._rows.T]
            self._references[Against.FIRST] = DriftReference(
                spreads[0], dict(zip(self.features, spreads[1:], strict=True))
            )

    def of_score(self, against: Against) -> float:
        """NaN until there are enough edits, or without that reference."""
        reference = self._references[against]
        return math.nan if reference is None else self._index(reference.score, 0)

    def of_feature(self, name: str, against: Against) -> float:
        reference = self._references[against]
        if reference is None:
            return math.nan
        return self._index(reference.features[name], 1 + self.features.index(name))

    def _index(self, reference: Distribution, column: int) -> float:
        filled = min(self._added, len(self._rows))
        if filled < self._enough:
            return math.nan
        return stability_index(reference, self._rows[:filled, column].copy())
