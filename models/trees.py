"""Boosted trees as plain arrays: what scikit-learn learnt, stored without any of its classes.

Scoring goes through scikit-learn's own compiled predictor, built anew from the arrays; where a version
does not have it in this form, the same trees are walked in NumPy (slower, same numbers).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.leaf_masks import LeafMasks
from streams.errors import BadArtifact

FIELDS: Mapping[str, type] = {
    "value": np.float64,
    "count": np.uint32,
    "feature_idx": np.int32,
    "num_threshold": np.float64,
    "missing_go_to_left": np.uint8,
    "left": np.uint32,
    "right": np.uint32,
    "is_leaf": np.uint8,
}
"""Columns kept of a node; `left` and `right` are indexes within its tree."""
FEW = 128
"""Rows up to which all trees at once are faster than one after the other: a call a tree costs more."""


class Trees:
    """An additive model: `baseline` plus the leaf each tree puts a row in.

    Raises `BadArtifact` for trees that would lead out of themselves or of a row of `features`
    columns: the compiled predictor looks at no bounds.
    """

    def __init__(
        self,
        columns: Mapping[str, NDArray[Any]],
        sizes: NDArray[Any],
        baseline: float,
        features: int,
    ) -> None:
        self.columns: dict[str, NDArray[Any]] = {
            name: np.ascontiguousarray(columns[name], dtype=kind) for name, kind in FIELDS.items()
        }
        self.sizes = np.asarray(sizes, dtype=np.int64)
        self.baseline = float(baseline)
        _check(self.columns, self.sizes, features)
        self._width = int(self.columns["feature_idx"].max(initial=-1)) + 1
        self._compiled = _compiled(self.columns, self.sizes)

    @classmethod
    def of(cls, fitted: Any, features: NDArray[Any]) -> Trees:
        """Of a fitted binary `HistGradientBoostingClassifier` without categorical features, which
        learnt from these columns of the rows to be scored."""
        trees = [stage[0].nodes for stage in fitted._predictors]
        nodes = np.concatenate(trees)
        columns: dict[str, NDArray[Any]] = {name: nodes[name] for name in FIELDS}
        columns["feature_idx"] = features[columns["feature_idx"]]
        return cls(
            columns,
            np.array([len(tree) for tree in trees]),
            float(np.ravel(fitted._baseline_prediction)[0]),
            int(features.max(initial=-1)) + 1,
        )

    def log_odds(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """Raw score of each row. A row's score does not depend on the rows beside it."""
        if len(matrix) <= FEW and self._few is not None:
            return self._few.log_odds(matrix)
        # Only the columns asked for, close together: of most rows without content all lie in a few lines.
        rows = np.ascontiguousarray(matrix[:, : self._width], dtype=np.float64)
        total = np.full(len(rows), self.baseline)
        if not len(rows):
            return total
        if self._compiled is None:
            return total + self.walk(rows)
        for tree in self._compiled:
            total += tree.predict(rows, _NO_CATEGORIES, _NO_MAP, 1)
        return total

    @cached_property
    def _few(self) -> LeafMasks | None:
        """The same numbers, of the compiled predictor; None for trees of another shape than we fit."""
        if self._compiled is None:
            return None
        try:
            return LeafMasks(self.columns, self.sizes, self.baseline)
        except ValueError:
            return None

    def walk(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """The trees' sum in NumPy, without the baseline."""
        total = np.zeros(len(rows))
        column = self.columns
        at_row = np.arange(len(rows))
        start = 0
        for size in self.sizes:
            node = np.full(len(rows), start)
            while True:
                inner = column["is_leaf"][node] == 0
                if not inner.any():
                    break
                value = rows[at_row, column["feature_idx"][node]]
                left = np.where(
                    np.isnan(value),
                    column["missing_go_to_left"][node] == 1,
                    value <= column["num_threshold"][node],
                )
                following = start + np.where(left, column["left"][node], column["right"][node])
                node = np.where(inner, following, node)
            total += column["value"][node]
            start += int(size)
        return total


def average(sets: Sequence[Trees]) -> Trees:
    """One additive model that scores the mean of several. At least one."""
    columns = {name: np.concatenate([one.columns[name] for one in sets]) for name in FIELDS}
    columns["value"] = columns["value"] / len(sets)
    return Trees(
        columns,
        np.concatenate([one.sizes for one in sets]),
        sum(one.baseline for one in sets) / len(sets),
        int(columns["feature_idx"].max(initial=-1)) + 1,
    )


_NO_CATEGORIES: NDArray[np.uint32] = np.zeros((0, 8), dtype=np.uint32)
_NO_MAP: NDArray[np.uint32] = np.zeros(0, dtype=np.uint32)


def _check(columns: Mapping[str, NDArray[Any]], sizes: NDArray[np.int64], features: int) -> None:
    nodes = len(columns["value"])
    if any(column.shape != (nodes,) for column in columns.values()):
        raise BadArtifact("the model's trees have columns of different lengths: train anew")
    if sizes.ndim != 1 or (sizes < 1).any() or (sizes > nodes).any() or sizes.sum() != nodes:
        raise BadArtifact("the model's trees are not as long as their sizes say: train anew")
    if ((columns["feature_idx"] < 0) | (columns["feature_idx"] >= features)).any():
        raise BadArtifact(f"the model's trees ask for a feature beyond its {features}: train anew")
    size = np.repeat(sizes, sizes)
    at = np.arange(nodes) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    inner = columns["is_leaf"] == 0
    for side in ("left", "right"):
        child = columns[side]
        # After its parent, so that every way down ends.
        if (inner & ((child <= at) | (child >= size))).any():
            raise BadArtifact("the model's trees have branches that lead nowhere: train anew")


def _compiled(
    columns: Mapping[str, NDArray[Any]], sizes: Sequence[int] | NDArray[Any]
) -> list[Any] | None:
    try:
        from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE
        from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor
    except ImportError:
        return None
    if not set(FIELDS) <= set(PREDICTOR_RECORD_DTYPE.names or ()):
        return None
    nodes = np.zeros(len(columns["value"]), dtype=PREDICTOR_RECORD_DTYPE)
    for name, column in columns.items():
        nodes[name] = column
    none = np.zeros((0, 8), dtype=np.uint32)
    trees, start = [], 0
    try:
        for size in sizes:
            trees.append(TreePredictor(nodes[start : start + int(size)].copy(), none, none))
            start += int(size)
        width = int(columns["feature_idx"].max(initial=0)) + 1
        for tree in trees[:1]:
            tree.predict(np.zeros((1, width)), _NO_CATEGORIES, _NO_MAP, 1)
    except (TypeError, ValueError):
        return None
    return trees
