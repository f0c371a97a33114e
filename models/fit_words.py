"""Learning the classifier's part on words, and what it says of rows that it did not learn from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from models.dataset import Rows
from models.text import BUCKETS, TEXT_NAMES, TextModel

SEED = 7
TEXT_STRENGTH = 4.0
"""Inverse of the penalty on the words' weights."""
SMALLEST = 0.001
"""Words' weights are kept to so much; a word that was seen never has none."""


class Texts(NamedTuple):
    """The part on words of some sources, and what it says of each source by a model that saw neither
    the article nor the fold. Shape (n, names), the names as `TEXT_NAMES`."""

    model: TextModel
    rows: list[NDArray[np.float64]]
    swaps: list[NDArray[np.float64] | None]
    spam: list[NDArray[np.float64] | None]
    alone: list[NDArray[np.float64] | None]


def fit_texts(sources: Sequence[Rows]) -> Texts:
    """The part on words of all `sources`, and out of fold for each."""
    rows, swaps, spam, alone = [], [], [], []
    for source in sources:
        scores = np.full((len(source.label), len(TEXT_NAMES)), np.nan)
        of_swaps = of_spam = of_alone = None
        for fold in sorted(set(source.fold.tolist())):
            others = [other for other in sources if other is not source or fold != -1]
            if not others:
                continue
            text = fit_text(others, without_fold=fold if fold != -1 else None)
            chosen = source.fold == fold
            scores[chosen] = source.terms.scores(text)[chosen]
            of_swaps = source.swaps.terms.scores(text) if source.swaps is not None else None
            of_spam = source.spam.terms.scores(text) if source.spam is not None else None
            of_alone = source.alone.terms.scores(text) if source.alone is not None else None
        rows.append(scores)
        swaps.append(of_swaps)
        spam.append(of_spam)
        alone.append(of_alone)
    return Texts(fit_text(sources), rows, swaps, spam, alone)


def fit_text(sources: Sequence[Rows], without_fold: int | None = None) -> TextModel:
    """A weight for each hashed term, by logistic regression over usable rows that have terms. Each
    source weighs as the root of its rows, whatever it is a sample of: the trees judge what the scores
    mean. `without_fold` leaves those rows out of sources that have folds."""
    designs, labels, weights = [], [], []
    for source in sources:
        chosen = source.usable & source.terms.known
        if without_fold is not None:
            chosen &= (source.fold == -1) | (source.fold != without_fold)
        at = np.flatnonzero(chosen)
        designs.append(source.terms.design[at])
        labels.append(source.label[at])
        weights.append(np.full(len(at), 1.0 / np.sqrt(len(source.label))))
    label, weight = np.concatenate(labels), np.concatenate(weights)
    if label.all() or not label.any():
        return TextModel(np.zeros(BUCKETS, dtype=np.float32), 0.0)
    fitted = LogisticRegression(
        C=TEXT_STRENGTH, solver="liblinear", random_state=SEED, max_iter=200, tol=1e-3
    ).fit(sparse.vstack(designs), label, sample_weight=weight / weight.mean())
    learnt = fitted.coef_[0]
    kept = np.round(learnt, 3)
    kept = np.where((kept == 0.0) & (learnt != 0.0), np.copysign(SMALLEST, learnt), kept)
    return TextModel(kept.astype(np.float32), float(fitted.intercept_[0]))
