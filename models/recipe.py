"""What is learnt from, and how: by boosted trees of one size, weights of a row's variants, features left out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from models.features import PAGE_NAMES, PERFORMER_NAMES
from models.text import TEXT_NAMES
from models.trees import Trees
from models.usual_features import USUAL_NAMES

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
an editor are reverted, and words. Half of the sets of trees do without."""
OF_DIFFERENCES = (*USUAL_NAMES, "text_mean", "text_least", "text_unknown", "text_comment")
"""Words in general, which the trees for a difference alone are told: where a page's own words are known
they cost more than they tell."""


class Recipe(NamedTuple):
    """What is learnt from, and how: what an ablation changes. Weights are of a row's variant, beside the
    row itself."""

    cold_weight: float = 0.3
    """Of the row with parts of the history hidden."""
    recent_weight: float = 0.6
    """Of the row where only a recent history is known."""
    alone_weight: float = 0.1
    """Of the difference alone."""
    swap_weight: float = 0.2
    """Of a made-up false fact."""
    spam_weight: float = 0.35
    """Of a made-up advertising link."""
    text_hidden: float = 0.5
    """Share of variants in which the words say nothing, as in a language not learnt."""
    bags: tuple[tuple[str, ...], ...] = ((), NOT_CARRIED_OVER, (), NOT_CARRIED_OVER)
    """Sets of trees that are averaged, each with other parts hidden and another seed: the features that
    each does without."""
    without: tuple[str, ...] = ()
    """Features not learnt from, besides those in `NOT_LEARNT`."""
    size: Size = Size(120, 15, 0.11, 30, 5.0, 0.3, 63)
    difference_weights: tuple[float, float] = (6.0, 6.0)
    """For the trees of a difference alone: of edits that people labelled, of thousands of pages, beside the
    articles'; and of the same in a language not learnt."""
    difference_bags: int = 3
    difference_size: Size = Size(200, 15, 0.07, 30, 1.25, 0.3, 63)


BARE = Size(60, 8, 0.15, 30, 5.0, 0.5, 255)


def boost(
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
