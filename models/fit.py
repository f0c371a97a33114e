"""Learning from rows: boosted trees over them and over their variants with parts hidden."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.dataset import Rows
from models.features import (
    FEATURE_NAMES,
    KNOWN_WITH_CONTENT,
    NAMES_WITH_CONTENT,
    PAGE_NAMES,
    RESTORE_NAMES,
)
from models.fit_differences import fit_differences
from models.fit_words import SEED, Texts, fit_texts
from models.hidden_parts import columns_of, hide_history, with_text, without_text
from models.recipe import BARE, NOT_LEARNT, OF_DIFFERENCES, Recipe, boost
from models.text import TextModel
from models.trees import Trees, average

CONTENT_AT = FEATURE_NAMES.index(KNOWN_WITH_CONTENT)


class Fitted(NamedTuple):
    text: TextModel
    trees: Trees
    difference: Trees
    """For edits of which nothing is known but the difference, the summary and the kind of editor."""
    bare: Trees
    """For edits without content: small, as these come by the ten thousand a second."""
    reference: NDArray[np.float64]
    """Usual value of each feature: the median over edits that stood."""

    def log_odds(self, rows: Rows) -> NDArray[np.float64]:
        """Raw, uncalibrated, of rows whose text scores are still missing."""
        return self.trees.log_odds(with_text(rows.matrix, rows.terms.scores(self.text)))

    def cold(self, rows: Rows) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The rows as if their page were met for the first time, half of the editors too, and their
        log-odds."""
        hidden = hide_history(
            with_text(rows.matrix, rows.terms.scores(self.text)), words=True, seed=SEED
        )
        hidden[:, columns_of(PAGE_NAMES + RESTORE_NAMES)] = np.nan
        return hidden, self.trees.log_odds(hidden)

    def recent(self, rows: Rows) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
        """Rows of which only a recent history is known, their log-odds, and which rows' they are."""
        known = rows.recent if rows.recent is not None else rows.matrix[:0]
        matrix = with_text(known, rows.terms.scores(self.text)[rows.recent_of])
        return matrix, self.trees.log_odds(matrix), rows.recent_of

    def alone(self, rows: Rows) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Log-odds of edits of which only the difference is known, and which rows' they are."""
        alone = rows.alone
        if alone is None:
            return np.zeros(0), np.zeros(0, dtype=np.int64)
        matrix = with_text(alone.matrix, alone.terms.scores(self.text))
        return self.difference.log_odds(matrix), alone.of

    def bare_log_odds(self, rows: Rows) -> NDArray[np.float64]:
        """The same as if no content were known."""
        return self.bare.log_odds(rows.matrix)


def fit(sources: Sequence[Rows], recipe: Recipe | None = None, texts: Texts | None = None) -> Fitted:
    """Learn from all usable rows of `sources`. The same sources give the same result. `texts`: what
    `fit_texts` gives for them."""
    recipe = recipe if recipe is not None else Recipe()
    texts = texts if texts is not None else fit_texts(sources)
    each = [
        with_text(source.matrix, scores)[source.usable]
        for source, scores in zip(sources, texts.rows, strict=True)
    ]
    matrix = np.vstack(each)
    label = np.concatenate([source.label[source.usable] for source in sources])
    weight = np.concatenate([source.weight[source.usable] for source in sources])
    scale = 1.0 / weight.mean()
    history = np.concatenate([np.full(source.usable.sum(), source.history) for source in sources])
    trees = fit_trees(sources, texts, recipe)
    lasted = np.concatenate([_lasted(source)[source.usable] for source in sources])
    bare = fit_bare(matrix[lasted], label[lasted], weight[lasted] * scale, history[lasted], recipe)
    difference = fit_differences(sources, texts, recipe) or trees
    return Fitted(texts.model, trees, difference, bare, usual_values(matrix[history & ~label]))


def _lasted(source: Rows) -> NDArray[np.bool_]:
    """All but edits that nobody reverted and that left no trace on the page all the same: what they were
    is not known. The trees for edits with content tell them apart by themselves."""
    if source.gone is None:
        return np.ones(len(source.label), dtype=bool)
    return source.label | ~source.gone


def fit_trees(sources: Sequence[Rows], texts: Texts, recipe: Recipe) -> Trees:
    """For edits with content, of pages of which more is known than the difference."""
    each = [
        with_text(source.matrix, scores)[source.usable]
        for source, scores in zip(sources, texts.rows, strict=True)
    ]
    scale = 1.0 / np.concatenate([source.weight[source.usable] for source in sources]).mean()
    return average(
        [
            _bag(
                sources,
                each,
                texts,
                recipe._replace(without=recipe.without + OF_DIFFERENCES + without),
                scale,
                SEED + bag,
            )
            for bag, without in enumerate(recipe.bags)
        ]
    )


def fit_bare(
    matrix: NDArray[np.float64],
    label: NDArray[np.bool_],
    weight: NDArray[np.float64],
    history: NDArray[np.bool_],
    recipe: Recipe,
) -> Trees:
    """For edits without content. `history`: rows that know their page and performer."""
    rows = np.vstack([matrix, hide_history(matrix[history], words=False, seed=SEED)])
    rows[:, columns_of(NAMES_WITH_CONTENT + NOT_LEARNT + recipe.without)] = np.nan
    return boost(
        rows,
        np.concatenate([label, label[history]]),
        np.concatenate([weight, weight[history]]),
        BARE,
        SEED,
    )


def usual_values(stood: NDArray[np.float64]) -> NDArray[np.float64]:
    """Median of each feature over rows that know it; NaN where none does."""
    usual = np.full(len(FEATURE_NAMES), np.nan)
    known = ~np.isnan(stood).all(axis=0)
    usual[known] = np.nanmedian(stood[:, known], axis=0)
    return usual


def _bag(
    sources: Sequence[Rows],
    each: Sequence[NDArray[np.float64]],
    texts: Texts,
    recipe: Recipe,
    scale: float,
    seed: int,
) -> Trees:
    """One set of trees over the rows with content and their variants."""
    matrices, labels, weights = [], [], []

    def learn(
        matrix: NDArray[np.float64], label: NDArray[np.bool_], weight: NDArray[np.float64]
    ) -> None:
        matrices.append(matrix)
        labels.append(label)
        weights.append(weight * scale)

    for at, (source, matrix) in enumerate(zip(sources, each, strict=True)):
        label, weight = source.label[source.usable], source.weight[source.usable]
        known = ~np.isnan(matrix[:, CONTENT_AT])
        learn(matrix[known], label[known], weight[known])
        if not source.history:
            continue
        cold = hide_history(matrix, words=True, seed=seed)
        learn(without_text(cold, recipe.text_hidden, seed), label, recipe.cold_weight * weight)
        if recipe.recent_weight and source.recent is not None:
            of = source.recent_of[source.usable[source.recent_of]]
            recent = with_text(source.recent, texts.rows[at][source.recent_of])
            learn(
                recent[source.usable[source.recent_of]],
                source.label[of],
                recipe.recent_weight * source.weight[of],
            )
        alone, alone_text = source.alone, texts.alone[at]
        if recipe.alone_weight and alone is not None and alone_text is not None:
            learn(
                without_text(with_text(alone.matrix, alone_text), recipe.text_hidden, seed),
                source.label[alone.of],
                recipe.alone_weight * source.weight[alone.of],
            )
        for made_up, made_up_text, share in (
            (source.swaps, texts.swaps[at], recipe.swap_weight),
            (source.spam, texts.spam[at], recipe.spam_weight),
        ):
            if share and made_up is not None and made_up_text is not None:
                false = with_text(made_up.matrix, made_up_text)
                damaging = np.ones(len(false), dtype=bool)
                usual = share * source.weight[made_up.of]
                learn(false, damaging, usual)
                learn(hide_history(false, words=True, seed=seed), damaging, recipe.cold_weight * usual)
    rows = np.vstack(matrices)
    rows[:, columns_of(NOT_LEARNT + recipe.without)] = np.nan
    return boost(rows, np.concatenate(labels), np.concatenate(weights), recipe.size, seed)
