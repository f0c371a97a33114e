"""Learning the classifier's part on words, and what it says of rows that it did not learn from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from models.dataset import Rows
from models.embedding import NO_WEIGHTS, EmbeddingWeights
from models.text import BUCKETS, TEXT_NAMES, TextModel
from models.word_vectors import DIMENSIONS, vectors

SEED = 7
TEXT_STRENGTH = 4.0
"""Inverse of the penalty on the words' weights."""
EMBEDDING_STRENGTH = 0.001
"""The same of the weights of mean word vectors, each component of which is first given unit spread."""
EMBEDDING_DIGITS = 4
"""To which those weights are kept: what is learnt does not hang on the order in which sums are made."""
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
    """A weight for each hashed term and for each direction of the word vectors, by logistic regressions over
    usable rows that have such. Each source weighs as the root of its rows, whatever it is a sample of: the
    trees judge what the scores mean. `without_fold` leaves those rows out of sources that have folds."""
    learnt = _Learnt.of(sources, [source.terms.known for source in sources], without_fold)
    if learnt.one_sided:
        return TextModel(np.zeros(BUCKETS, dtype=np.float32), 0.0)
    design = sparse.vstack(
        [source.terms.design[at] for source, at in zip(sources, learnt.at, strict=True)]
    )
    fitted = LogisticRegression(
        C=TEXT_STRENGTH, solver="liblinear", random_state=SEED, max_iter=200, tol=1e-3
    ).fit(design, learnt.label, sample_weight=learnt.weight)
    found = fitted.coef_[0]
    kept = np.round(found, 3)
    kept = np.where((kept == 0.0) & (found != 0.0), np.copysign(SMALLEST, found), kept)
    embedding = _fit_embedding(sources, without_fold)
    return TextModel(kept.astype(np.float32), float(fitted.intercept_[0]), embedding)


def _fit_embedding(sources: Sequence[Rows], without_fold: int | None) -> EmbeddingWeights:
    learnt = _Learnt.of(sources, [source.terms.embedded for source in sources], without_fold)
    if learnt.one_sided:
        return NO_WEIGHTS
    table = vectors()
    means = np.vstack(
        [
            source.terms.mean_vectors(table)[at].astype(np.float64)
            for source, at in zip(sources, learnt.at, strict=True)
        ]
    )
    middle, spread = means.mean(axis=0), np.maximum(means.std(axis=0), 1e-6)
    fitted = LogisticRegression(C=EMBEDDING_STRENGTH, max_iter=500).fit(
        (means - middle) / spread, learnt.label, sample_weight=learnt.weight
    )
    weights = np.round(fitted.coef_[0] / spread, EMBEDDING_DIGITS)
    bias = round(float(fitted.intercept_[0] - middle @ weights), EMBEDDING_DIGITS)
    return EmbeddingWeights(weights[:DIMENSIONS], weights[DIMENSIONS:], bias)


class _Learnt(NamedTuple):
    """Which rows of each source are learnt from, and all of their labels and weights, end to end."""

    at: list[NDArray[np.intp]]
    label: NDArray[np.bool_]
    weight: NDArray[np.float64]

    @classmethod
    def of(
        cls, sources: Sequence[Rows], has: Sequence[NDArray[np.bool_]], without_fold: int | None
    ) -> _Learnt:
        at = []
        for source, some in zip(sources, has, strict=True):
            chosen = source.usable & some
            if without_fold is not None:
                chosen &= (source.fold == -1) | (source.fold != without_fold)
            at.append(np.flatnonzero(chosen))
        label = np.concatenate([source.label[rows] for source, rows in zip(sources, at, strict=True)])
        weight = np.concatenate(
            [
                np.full(len(rows), 1.0 / np.sqrt(len(source.label)))
                for source, rows in zip(sources, at, strict=True)
            ]
        )
        return cls(at, label, weight / weight.mean() if len(weight) else weight)

    @property
    def one_sided(self) -> bool:
        return bool(self.label.all() or not self.label.any())
