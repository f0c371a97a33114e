"""Learning from all sources, and how each article is judged by a classifier that never saw it."""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from models import figures
from models.dataset import Progress, Rows
from models.features import FEATURE_NAMES
from models.fit import Fitted, fit
from models.fit_differences import judge_by_folds
from models.fit_words import fit_texts
from models.recipe import Recipe


class Crossed(msgspec.Struct, frozen=True):
    """Of edits that people labelled, cross-validated within their source."""

    name: str
    edits: int
    positives: int
    roc_auc: float
    roc_auc_interval: tuple[float, float]
    pr_auc: float
    roc_auc_anonymous: float
    baseline_roc_auc: float
    """Of the anonymous flag alone."""


def _crossed(source: Rows, scores: NDArray[np.float64]) -> Crossed:
    label = source.label
    anonymous = source.matrix[:, FEATURE_NAMES.index("anonymous")] == 1.0
    return Crossed(
        source.name,
        len(label),
        int(label.sum()),
        figures.roc_auc(label, scores),
        figures.interval(figures.roc_auc, label, scores),
        figures.pr_auc(label, scores),
        figures.roc_auc(label[anonymous], scores[anonymous]),
        figures.roc_auc(label, anonymous.astype(float)),
    )


class Judged(NamedTuple):
    """Raw log-odds of an article by a classifier that never saw it."""

    full: NDArray[np.float64]
    recent_matrix: NDArray[np.float64]
    recent: NDArray[np.float64]
    recent_of: NDArray[np.int64]
    bare: NDArray[np.float64]
    cold_matrix: NDArray[np.float64]
    cold: NDArray[np.float64]
    alone: NDArray[np.float64]
    alone_of: NDArray[np.int64]


def _judge(fitted: Fitted, source: Rows) -> Judged:
    alone, of = fitted.alone(source)
    return Judged(
        fitted.log_odds(source),
        *fitted.recent(source),
        fitted.bare_log_odds(source),
        *fitted.cold(source),
        alone,
        of,
    )


class Learnt(NamedTuple):
    sources: list[Rows]
    tested: list[Rows]
    fitted: Fitted
    """From all sources."""
    judged: list[Judged]
    """Of each tested one."""
    crossed: tuple[Crossed, ...]


def learn(sources: list[Rows], tested: list[Rows], tell: Progress) -> Learnt:
    """The expensive part of training."""
    judged = []
    for at, source in enumerate(tested):
        tell(f"leaving out {source.name}", 0.35 + 0.5 * at / len(tested))
        judged.append(_judge(fit([other for other in sources if other is not source]), source))
    tell("learning from all", 0.85)
    texts, recipe = fit_texts(sources), Recipe()
    fitted = fit(sources, recipe, texts)
    tell("by folds", 0.93)
    crossed = tuple(
        _crossed(source, judge_by_folds(sources, source, texts, recipe))
        for source in sources
        if source.fold.max() > 0 and source.terms.known.any()
    )
    return Learnt(sources, tested, fitted, judged, crossed)
