"""Learning from rows: boosted trees over them and over their variants with parts hidden."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from models.dataset import Rows
from models.features import (
    FEATURE_NAMES,
    KNOWN_WITH_CONTENT,
    NAMES_WITH_CONTENT,
    PAGE_NAMES,
    PERFORMER_NAMES,
    RESTORE_NAMES,
)
from models.fit_words import SEED, Texts, fit_texts
from models.text import TEXT_NAMES, TextModel
from models.trees import Trees, average
from models.word_features import WORD_HISTORY_NAMES

CONTENT_AT = FEATURE_NAMES.index(KNOWN_WITH_CONTENT)
NOT_LEARNT = ("page_revert_rate",)
"""For calibration alone: by it the trees would know one page from another."""


class Size(NamedTuple):
    """Of boosted trees; `share` of the features are tried at each split."""

    rounds: int
    leaves: int
    rate: float
    min_rows: int
    l2: float
    share: float
    bins: int


NOT_CARRIED_OVER = PAGE_NAMES + PERFORMER_NAMES + TEXT_NAMES
"""What tells most on the articles learnt from and least on another wiki: how often edits of a page and of
an editor are reverted, and words. One set of trees does without."""


class Recipe(NamedTuple):
    """What is learnt from, and how: what an ablation changes. Weights are of a row's variant, beside the
    row itself."""

    cold_weight: float = 0.3
    """Of the row with parts of the history hidden."""
    recent_weight: float = 0.6
    """Of the row where only a recent history is known."""
    alone_weight: float = 0.2
    """Of the difference alone."""
    swap_weight: float = 0.2
    """Of a made-up false fact."""
    spam_weight: float = 0.35
    """Of a made-up advertising link."""
    text_hidden: float = 0.5
    """Share of variants in which the words say nothing, as in a language not learnt."""
    bags: tuple[tuple[str, ...], ...] = ((), NOT_CARRIED_OVER)
    """Sets of trees that are averaged, each with other parts hidden and another seed: the features that
    each does without."""
    without: tuple[str, ...] = ()
    """Features not learnt from, besides those in `NOT_LEARNT`."""
    size: Size = Size(120, 15, 0.11, 30, 5.0, 0.3, 63)


BARE = Size(60, 8, 0.15, 30, 5.0, 0.5, 255)


class Fitted(NamedTuple):
    text: TextModel
    trees: Trees
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
        hidden = _hide(with_text(rows.matrix, rows.terms.scores(self.text)), words=True, seed=SEED)
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
        return self.trees.log_odds(with_text(alone.matrix, alone.terms.scores(self.text))), alone.of

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
    return Fitted(texts.model, trees, bare, usual_values(matrix[history & ~label]))


def _lasted(source: Rows) -> NDArray[np.bool_]:
    """All but edits that nobody reverted and that left no trace on the page all the same: what they were
    is not known. The trees for edits with content tell them apart by themselves."""
    if source.gone is None:
        return np.ones(len(source.label), dtype=bool)
    return source.label | ~source.gone


def fit_trees(sources: Sequence[Rows], texts: Texts, recipe: Recipe) -> Trees:
    """For edits with content."""
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
                recipe._replace(without=recipe.without + without),
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
    rows = np.vstack([matrix, _hide(matrix[history], words=False, seed=SEED)])
    rows[:, columns_of(NAMES_WITH_CONTENT + NOT_LEARNT + recipe.without)] = np.nan
    return _boost(
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


def judge_by_folds(
    sources: Sequence[Rows], target: Rows, texts: Texts, recipe: Recipe
) -> NDArray[np.float64]:
    """Raw log-odds of one of `sources` that has folds, each fold by trees that did not see it: its text
    scores are out of fold already. By the first set of trees alone, to spare time."""
    at = next(index for index, source in enumerate(sources) if source is target)
    matrix = with_text(target.matrix, texts.rows[at])
    scores = np.full(len(target.label), np.nan)
    for fold in sorted(set(target.fold.tolist())):
        learnt = list(sources)
        learnt[at] = target._replace(usable=target.usable & (target.fold != fold))
        each = [
            with_text(source.matrix, found)[source.usable]
            for source, found in zip(learnt, texts.rows, strict=True)
        ]
        scale = 1.0 / np.concatenate([source.weight[source.usable] for source in learnt]).mean()
        trees = _bag(learnt, each, texts, recipe, float(scale), SEED)
        chosen = target.fold == fold
        scores[chosen] = trees.log_odds(matrix[chosen])
    return scores


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
        cold = _hide(matrix, words=True, seed=seed)
        learn(_without_text(cold, recipe, seed), label, recipe.cold_weight * weight)
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
                _without_text(with_text(alone.matrix, alone_text), recipe, seed),
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
                learn(_hide(false, words=True, seed=seed), damaging, recipe.cold_weight * usual)
    rows = np.vstack(matrices)
    rows[:, columns_of(NOT_LEARNT + recipe.without)] = np.nan
    return _boost(rows, np.concatenate(labels), np.concatenate(weights), recipe.size, seed)


def _boost(
    matrix: NDArray[np.float64],
    label: NDArray[np.bool_],
    weight: NDArray[np.float64],
    size: Size,
    seed: int,
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
        max_bins=size.bins,
        early_stopping=False,
        random_state=seed,
    ).fit(matrix[:, columns], label, sample_weight=weight)
    return Trees.of(fitted, columns)


def with_text(matrix: NDArray[np.float64], scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """A copy of rows with their text scores filled in."""
    filled = matrix.copy()
    filled[:, columns_of(TEXT_NAMES)] = scores
    return filled


def _hide(matrix: NDArray[np.float64], *, words: bool, seed: int) -> NDArray[np.float64]:
    """A copy of rows as a page or an editor met for the first time would give them: the history of
    the page's words is not known in it, the page and the editor each in half of the rows."""
    random = np.random.default_rng(seed)
    hidden = matrix.copy()
    if words:
        hidden[:, columns_of(WORD_HISTORY_NAMES)] = np.nan
    for names in (PAGE_NAMES + RESTORE_NAMES, PERFORMER_NAMES):
        rows = np.flatnonzero(random.random(len(hidden)) < 0.5)
        hidden[np.ix_(rows, columns_of(names))] = np.nan
    return hidden


def _without_text(matrix: NDArray[np.float64], recipe: Recipe, seed: int) -> NDArray[np.float64]:
    """A copy in which some rows have no text scores."""
    random = np.random.default_rng(seed + 1_000)
    hidden = matrix.copy()
    rows = np.flatnonzero(random.random(len(hidden)) < recipe.text_hidden)
    hidden[np.ix_(rows, columns_of(TEXT_NAMES))] = np.nan
    return hidden


def columns_of(names: Sequence[str]) -> NDArray[np.intp]:
    """Where these features are in a row."""
    return np.array([FEATURE_NAMES.index(name) for name in names], dtype=np.intp)
