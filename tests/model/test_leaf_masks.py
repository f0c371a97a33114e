"""A few rows through all trees at once: the numbers of the predictor, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from models.classifier import load_classifier
from models.features import FEATURE_NAMES
from models.leaf_masks import LeafMasks
from models.pair_model import load_pair_model
from models.trees import FEW, Trees

FEATURES = 6


def fitted(leaves: int, trees: int = 12) -> Trees:
    rng = np.random.default_rng(leaves)
    rows = rng.normal(size=(3_000, FEATURES)).round(1)
    rows[rng.random(rows.shape) < 0.15] = np.nan
    told = np.nansum(rows[:, :3], axis=1) + np.isnan(rows[:, 4]) + rng.normal(size=len(rows)) > 0.3
    model = HistGradientBoostingClassifier(max_iter=trees, max_leaf_nodes=leaves, min_samples_leaf=5)
    return Trees.of(model.fit(rows, told), np.arange(FEATURES))


def hard_rows(trees: Trees, features: int, count: int = 400) -> NDArray[np.float64]:
    """Every other value is a threshold itself; some are missing or without bound."""
    rng = np.random.default_rng(7)
    rows = rng.normal(size=(count, features)) * 2
    thresholds = trees.columns["num_threshold"][trees.columns["is_leaf"] == 0]
    thresholds = thresholds[np.isfinite(thresholds)]
    of_trees = rng.random(rows.shape) < 0.5
    rows[of_trees] = rng.choice(thresholds, size=int(of_trees.sum()))
    for value in (np.nan, np.inf, -np.inf):
        rows[rng.random(rows.shape) < 0.08] = value
    return rows


def masks_of(trees: Trees) -> LeafMasks:
    return LeafMasks(trees.columns, trees.sizes, trees.baseline)


@pytest.mark.parametrize("leaves", [2, 12, 16, 17, 31, 33, 64])
def test_each_row_scores_as_it_does_tree_by_tree(leaves: int) -> None:
    trees = fitted(leaves)
    rows = hard_rows(trees, FEATURES)
    assert masks_of(trees).log_odds(rows).tolist() == trees.log_odds(rows).tolist()


def test_a_row_scores_the_same_alone_and_among_others() -> None:
    trees = fitted(12)
    masks, rows = masks_of(trees), hard_rows(trees, FEATURES)
    alone = [masks.log_odds(row[None, :])[0] for row in rows]
    assert alone == masks.log_odds(rows).tolist()


def test_more_trees_than_one_table_holds_go_through_several() -> None:
    large = fitted(64)
    often = {name: np.tile(column, 160) for name, column in large.columns.items()}
    trees = Trees(often, np.tile(large.sizes, 160), large.baseline, FEATURES)
    masks, rows = masks_of(trees), hard_rows(trees, FEATURES)
    assert len(masks._tables) > 2
    assert sum(len(table._tree) for table in masks._tables) == len(trees.sizes)
    assert masks.log_odds(rows).tolist() == trees.log_odds(rows).tolist()


@pytest.mark.parametrize("part", ["full", "difference", "bare", "pairs"])
def test_a_model_says_the_same_of_few_rows_and_of_many(part: str) -> None:
    if part == "pairs":
        trees, width = load_pair_model()._trees, len(load_pair_model().manifest.feature_names)
    else:
        trees, width = getattr(load_classifier(), f"_{part}").trees, len(FEATURE_NAMES)
    assert trees._few is not None, "its trees have a shape that the tables are made for"
    rows = hard_rows(trees, width)
    assert len(rows) > FEW
    few = np.concatenate([trees.log_odds(rows[at : at + 4]) for at in range(0, len(rows), 4)])
    assert few.tolist() == trees.log_odds(rows).tolist()


def test_no_row_scores_nothing() -> None:
    assert masks_of(fitted(12)).log_odds(np.zeros((0, FEATURES))).shape == (0,)


def test_trees_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="64"):
        masks_of(fitted(80))
    shared = fitted(2, trees=1)
    shared.columns["right"][0] = shared.columns["left"][0]
    with pytest.raises(ValueError, match="met once"):
        masks_of(shared)
    stump = {name: column[1:2] for name, column in shared.columns.items()}
    with pytest.raises(ValueError, match="ask nothing"):
        LeafMasks(stump, np.array([1]), 0.0)


def test_trees_of_another_shape_go_one_after_the_other() -> None:
    trees = fitted(80)
    assert trees._few is None
    rows = hard_rows(trees, FEATURES)
    few = np.concatenate([trees.log_odds(rows[at : at + 3]) for at in range(0, len(rows), 3)])
    assert few.tolist() == trees.log_odds(rows).tolist()
