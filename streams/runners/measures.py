"""What both runners measure beside their counters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt

from streams.metrics import DriftMetrics, Metrics
from streams.records import Alert, AlertKind, Reason
from streams.runners.scorer import Scorer
from streams.state.drift import Against, Drift, DriftReference

#: Sources whose items come as they happen; of the others arrival means nothing.
LIVE_SOURCES = ("eventstreams", "rcfeed")


def observe_corrections(metrics: Metrics, alerts: Iterable[Alert]) -> None:
    """Each correction once: what is told of its posts later is a further state of the same alert, and
    names the fact that they repeat."""
    for alert in alerts:
        if alert.kind is AlertKind.FACT_CORRECTED and "hot_id" not in alert.evidence:
            metrics.correction.observe(max(0.0, alert.event_time - alert.episode_start))


class MeasuredScorer:
    """A `Scorer` that keeps the last rows and scores, for their drift to be seen."""

    def __init__(
        self, scorer: Scorer, drift: Drift, keep: Callable[[DriftReference], None] = lambda first: None
    ) -> None:
        """`keep` is told the reference of the first edits, once, when it is found."""
        self.version = scorer.version
        self.row = scorer.row
        self.matrix = scorer.matrix
        self.thresholds = scorer.thresholds
        self.asked_thresholds = scorer.asked_thresholds
        self._scorer = scorer
        self._drift = drift
        self._keep = keep

    def score(self, matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        scores = self._scorer.score(matrix)
        known = self._drift.first
        self._drift.add(matrix, scores)
        if known is None and self._drift.first is not None:
            self._keep(self._drift.first)
        return scores

    def reasons_of(self, rows: Sequence[list[float]]) -> Sequence[tuple[Reason, ...]]:
        return self._scorer.reasons_of(rows)


def show_drift(metrics: DriftMetrics, drift: Drift) -> None:
    """Looked at when it is scraped."""
    for against in Against:
        metrics.score.labels(against).set_function(partial(drift.of_score, against))
        for name in drift.features:
            metrics.feature.labels(name, against).set_function(partial(drift.of_feature, name, against))
