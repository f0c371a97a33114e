"""Learning to tell an edit by its difference alone: trees of their own, as what they go by is worth little where
the page is known, and what tells there they never meet."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.dataset import Rows
from models.features import FEATURE_NAMES, KNOWN_WITH_CONTENT
from models.fit_words import SEED, Texts
from models.hidden_parts import columns_of, with_text, without_text
from models.recipe import NOT_LEARNT, Recipe, boost
from models.text import TEXT_NAMES
from models.trees import Trees, average

_CONTENT_AT = FEATURE_NAMES.index(KNOWN_WITH_CONTENT)


def fit_differences(sources: Sequence[Rows], texts: Texts, recipe: Recipe) -> Trees | None:
    """Learnt from differences that people labelled and from those of the articles' edits. None where there
    is neither, or of one kind only."""
    sets = []
    for bag in range(recipe.difference_bags):
        rows, label, weight = _differences(sources, texts, recipe, SEED + bag)
        if label.all() or not label.any():
            return None
        rows[:, columns_of(NOT_LEARNT + recipe.without)] = np.nan
        sets.append(boost(rows, label, weight / weight.mean(), recipe.difference_size, SEED + bag))
    return average(sets)


def judge_by_folds(
    sources: Sequence[Rows], target: Rows, texts: Texts, recipe: Recipe
) -> NDArray[np.float64]:
    """Raw log-odds of one of `sources` that has folds and no pages, each fold by trees that did not see it:
    its text scores are out of fold already."""
    at = next(index for index, source in enumerate(sources) if source is target)
    matrix = with_text(target.matrix, texts.rows[at])
    scores = np.full(len(target.label), np.nan)
    for fold in sorted(set(target.fold.tolist())):
        learnt = list(sources)
        learnt[at] = target._replace(usable=target.usable & (target.fold != fold))
        trees = fit_differences(learnt, texts, recipe)
        chosen = target.fold == fold
        if trees is not None:
            scores[chosen] = trees.log_odds(matrix[chosen])
    return scores


def _differences(
    sources: Sequence[Rows], texts: Texts, recipe: Recipe, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64]]:
    matrices: list[NDArray[np.float64]] = [np.zeros((0, len(FEATURE_NAMES)))]
    labels: list[NDArray[np.bool_]] = [np.zeros(0, dtype=bool)]
    weights: list[NDArray[np.float64]] = [np.zeros(0)]
    for at, source in enumerate(sources):
        alone, alone_text = source.alone, texts.alone[at]
        if source.history:
            if alone is not None and alone_text is not None:
                matrix = with_text(alone.matrix, alone_text)
                matrices.append(without_text(matrix, recipe.text_hidden, seed))
                labels.append(source.label[alone.of])
                weights.append(source.weight[alone.of])
            continue
        known = source.usable & ~np.isnan(source.matrix[:, _CONTENT_AT])
        matrix = with_text(source.matrix, texts.rows[at])[known]
        strange = matrix.copy()
        strange[:, columns_of(TEXT_NAMES)] = np.nan
        for variant, share in zip((matrix, strange), recipe.difference_weights, strict=True):
            matrices.append(variant)
            labels.append(source.label[known])
            weights.append(share * source.weight[known])
    return np.vstack(matrices), np.concatenate(labels), np.concatenate(weights)
