"""Learning from rows: the part on words out of fold, rows with parts hidden, boosted trees, calibration."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from models.content_features import CONTENT_NAMES
from models.dataset import Rows
from models.features import (
    FEATURE_NAMES,
    KNOWN_WITH_CONTENT,
    PAGE_NAMES,
    PERFORMER_NAMES,
    RESTORE_NAMES,
    TEXT_NAMES,
)
from models.text import BUCKETS, Terms, TextModel
from models.trees import Trees
from models.word_features import WORD_CONTENT_NAMES, WORD_HISTORY_NAMES

SEED = 7
NOT_BARE = CONTENT_NAMES + WORD_CONTENT_NAMES + WORD_HISTORY_NAMES + TEXT_NAMES
CONTENT_AT = FEATURE_NAMES.index(KNOWN_WITH_CONTENT)
TEXT_AT = FEATURE_NAMES.index("text_score")
COLD_WEIGHT = 0.5
"""Of a row's copy with parts hidden, beside the row itself."""


class Size(NamedTuple):
    """Of boosted trees; `share` of the features are tried at each split."""

    rounds: int
    leaves: int
    rate: float
    min_rows: int
    l2: float
    share: float


FULL = Size(180, 15, 0.08, 30, 5.0, 0.3)
BARE = Size(60, 8, 0.15, 30, 5.0, 0.5)


class Fitted(NamedTuple):
    text: TextModel
    trees: Trees
    bare: Trees
    """For edits without content: small, as these come by the ten thousand a second."""
    reference: NDArray[np.float64]
    """Usual value of each feature: the median over edits that stood."""

    def log_odds(self, rows: Rows) -> NDArray[np.float64]:
        """Raw, uncalibrated, of rows whose text score is still missing."""
        return self.trees.log_odds(with_text_score(rows.matrix, rows.terms, self.text))

    def cold(self, rows: Rows) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The rows as if their page were met for the first time, and their log-odds."""
        hidden = _hide(with_text_score(rows.matrix, rows.terms, self.text), words=True)
        return hidden, self.trees.log_odds(hidden)

    def bare_log_odds(self, rows: Rows) -> NDArray[np.float64]:
        """The same as if no content were known."""
        return self.bare.log_odds(rows.matrix)


def fit(sources: Sequence[Rows]) -> Fitted:
    """Learn from all usable rows of `sources`. The same sources give the same result."""
    matrix = np.vstack([source.matrix[source.usable] for source in sources])
    matrix[:, TEXT_AT] = np.concatenate([_folded(sources, source) for source in sources])
    label = np.concatenate([source.label[source.usable] for source in sources])
    weight = np.concatenate([source.weight[source.usable] for source in sources])
    weight = weight / weight.mean()
    history = np.concatenate([np.full(source.usable.sum(), source.history) for source in sources])
    with_content = ~np.isnan(matrix[:, CONTENT_AT])
    hidden = _hide(matrix[history], words=True)
    learnt = np.vstack([matrix[with_content], hidden])
    trees = _boost(
        learnt,
        np.concatenate([label[with_content], label[history]]),
        np.concatenate([weight[with_content], COLD_WEIGHT * weight[history]]),
        FULL,
    )
    bare_rows = np.vstack([matrix, _hide(matrix[history], words=False)])
    bare_rows[:, _columns(NOT_BARE)] = np.nan
    bare = _boost(
        bare_rows,
        np.concatenate([label, label[history]]),
        np.concatenate([weight, weight[history]]),
        BARE,
    )
    stood = matrix[history & ~label]
    usual = np.full(len(FEATURE_NAMES), np.nan)
    known = ~np.isnan(stood).all(axis=0)
    usual[known] = np.nanmedian(stood[:, known], axis=0)
    return Fitted(fit_text(sources), trees, bare, usual)


def _boost(
    matrix: NDArray[np.float64], label: NDArray[np.bool_], weight: NDArray[np.float64], size: Size
) -> Trees:
    """Trees over the columns that are known in any row (scikit-learn can't bin one that never is)."""
    columns = np.flatnonzero(~np.isnan(matrix).all(axis=0))
    fitted = HistGradientBoostingClassifier(
        max_iter=size.rounds,
        learning_rate=size.rate,
        max_leaf_nodes=size.leaves,
        min_samples_leaf=size.min_rows,
        l2_regularization=size.l2,
        max_features=size.share,
        early_stopping=False,
        random_state=SEED,
    ).fit(matrix[:, columns], label, sample_weight=weight)
    return Trees.of(fitted, columns)


def fit_text(sources: Sequence[Rows], without_fold: int | None = None) -> TextModel:
    """A weight for each hashed term, by logistic regression over usable rows that have terms.
    `without_fold` leaves those rows out of sources that have folds."""
    terms: list[list[int]] = []
    labels, weights = [], []
    for source in sources:
        chosen = source.usable & np.array([bool(found.changed) for found in source.terms])
        if without_fold is not None:
            chosen &= (source.fold == -1) | (source.fold != without_fold)
        at = np.flatnonzero(chosen)
        terms += [source.terms[index].changed for index in at]
        labels.append(source.label[at])
        weights.append(source.weight[at])
    label, weight = np.concatenate(labels), np.concatenate(weights)
    if label.all() or not label.any():
        return TextModel(np.zeros(BUCKETS, dtype=np.float32), 0.0)
    fitted = LogisticRegression(C=1.0, solver="liblinear", random_state=SEED, max_iter=200).fit(
        design(terms), label, sample_weight=weight / weight.mean()
    )
    return TextModel(fitted.coef_[0].astype(np.float32), float(fitted.intercept_[0]))


def design(terms: Sequence[list[int]]) -> Any:
    """Sparse rows of terms, each of length one, as `TextModel` reads them."""
    counts = [len(found) for found in terms]
    values = np.repeat([1.0 / sqrt(count) if count else 0.0 for count in counts], counts)
    columns = np.fromiter((term for found in terms for term in found), dtype=np.int32, count=sum(counts))
    return sparse.csr_matrix(
        (values, columns, np.concatenate([[0], np.cumsum(counts)])), shape=(len(terms), BUCKETS)
    )


def with_text_score(
    matrix: NDArray[np.float64], terms: Sequence[Terms], text: TextModel
) -> NDArray[np.float64]:
    filled = matrix.copy()
    filled[:, TEXT_AT] = [text.of_terms(found) for found in terms]
    return filled


def _folded(sources: Sequence[Rows], target: Rows) -> NDArray[np.float64]:
    """Text scores of a source's usable rows by models that saw neither the article nor the fold."""
    scores = np.full(len(target.label), np.nan)
    for fold in sorted(set(target.fold.tolist())):
        others = [source for source in sources if source is not target or fold != -1]
        if not others:
            continue
        text = fit_text(others, without_fold=fold if fold != -1 else None)
        for at in np.flatnonzero(target.fold == fold):
            scores[at] = text.of_terms(target.terms[at])
    return scores[target.usable]


def _hide(matrix: NDArray[np.float64], *, words: bool) -> NDArray[np.float64]:
    """A copy of rows as a page or an editor met for the first time would give them: the history of
    the page's words is not known in it, the page and the editor each in half of the rows."""
    random = np.random.default_rng(SEED)
    hidden = matrix.copy()
    if words:
        hidden[:, _columns(WORD_HISTORY_NAMES)] = np.nan
    for names in (PAGE_NAMES + RESTORE_NAMES, PERFORMER_NAMES):
        rows = np.flatnonzero(random.random(len(hidden)) < 0.5)
        hidden[np.ix_(rows, _columns(names))] = np.nan
    return hidden


def _columns(names: Sequence[str]) -> NDArray[np.intp]:
    return np.array([FEATURE_NAMES.index(name) for name in names], dtype=np.intp)


def calibrate(
    log_odds: Sequence[NDArray[np.float64]], labels: Sequence[NDArray[np.bool_]]
) -> tuple[float, float]:
    """Slope and shift that make out-of-fold log-odds probabilities; each article counts the same."""
    weight = np.concatenate([np.full(len(label), 1.0 / len(label)) for label in labels])
    fitted = LogisticRegression(C=1e6, solver="lbfgs", max_iter=1000).fit(
        np.concatenate(log_odds)[:, None], np.concatenate(labels), sample_weight=weight / weight.mean()
    )
    return float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
