"""A few rows through many small trees at once, in NumPy.

The compiled predictor takes a call a tree, which is nearly all that a few rows cost. Here each node that a
row does not go left at crosses out the leaves on its left, in all trees at once; of the leaves that are left
in a tree, the leftmost is the row's (QuickScorer: Lucchese et al., SIGIR 2015). What a value crosses out is
worked out beforehand, so a row costs one look-up a feature.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_LEAVES = 64
"""Of one tree: they are the bits of one number."""
MAX_BYTES = 1 << 20
"""Of one table; a larger one would not stay near the processor."""


class LeafMasks:
    """Trees as `models.trees` keeps them; gives the very numbers that `Trees.log_odds` gives."""

    def __init__(
        self, columns: Mapping[str, NDArray[Any]], sizes: NDArray[np.int64], baseline: float
    ) -> None:
        """Raises ValueError where there are more leaves in a tree than this is made for."""
        self._tables = _tables(columns, sizes)
        self._baseline = baseline

    def log_odds(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Raw score of each row. A row's score does not depend on the rows beside it."""
        total = np.full(len(rows), self._baseline)
        for table in self._tables:
            total = table.added_to(total, rows)
        return total


def _tables(columns: Mapping[str, NDArray[Any]], sizes: NDArray[np.int64]) -> list[_Table]:
    """All trees in one table, or by halves where that would be too large. In their order."""
    try:
        return [_Table(columns, sizes)]
    except _TooLarge:
        half = len(sizes) // 2
        nodes = int(sizes[:half].sum())
        first = {name: column[:nodes] for name, column in columns.items()}
        second = {name: column[nodes:] for name, column in columns.items()}
        return [*_tables(first, sizes[:half]), *_tables(second, sizes[half:])]


class _TooLarge(Exception):
    """More than `MAX_BYTES`, of more than one tree."""


class _Table:
    """Of trees that go through one look-up a feature."""

    def __init__(self, columns: Mapping[str, NDArray[Any]], sizes: NDArray[np.int64]) -> None:
        """Raises `_TooLarge`, and ValueError as `LeafMasks` does."""
        leaves = [_leaves(columns, at, int(size)) for at, size in _starts(sizes)]
        most = max(map(len, leaves), default=1)
        if most > MAX_LEAVES:
            raise ValueError(f"a tree of {most} leaves, where {MAX_LEAVES} are the most")
        kind = np.uint16 if most <= 16 else np.uint32 if most <= 32 else np.uint64
        inner = np.flatnonzero(columns["is_leaf"] == 0)
        if not len(inner):
            raise ValueError("trees that ask nothing")
        #: Of each feature asked for, its thresholds in order: each once, all features in one line.
        self._asked = sorted({int(feature) for feature in columns["feature_idx"][inner]})
        edges = [
            np.unique(columns["num_threshold"][inner[columns["feature_idx"][inner] == feature]])
            for feature in self._asked
        ]
        lengths = np.array([len(own) for own in edges], dtype=np.int64)
        entries = int(lengths.sum()) + 2 * len(edges)
        if len(sizes) > 1 and entries * len(sizes) * np.dtype(kind).itemsize > MAX_BYTES:
            raise _TooLarge
        self._edges = np.concatenate([*edges, np.zeros(0)])
        self._feature = np.repeat(np.array(self._asked, dtype=np.int64), lengths)
        self._first_edge = np.cumsum(lengths) - lengths
        #: Of each feature: where nothing is crossed out, one entry a threshold passed, and that of "missing".
        self._first_entry = self._first_edge + 2 * np.arange(len(edges))
        self._missing_entry = self._first_entry + lengths + 1
        self._table = np.full((entries, len(sizes)), np.iinfo(kind).max, dtype=kind)
        place = {feature: number for number, feature in enumerate(self._asked)}
        for tree, ((start, size), own) in enumerate(zip(_starts(sizes), leaves, strict=True)):
            for node in range(start, start + size):
                if columns["is_leaf"][node]:
                    continue
                number = place[int(columns["feature_idx"][node])]
                below = _under(columns, start, start + int(columns["left"][node]))
                crossed_out = sum(1 << own.index(leaf) for leaf in below)
                kept = np.array(int(np.iinfo(kind).max) - crossed_out, dtype=kind)
                edge = int(np.searchsorted(edges[number], columns["num_threshold"][node]))
                passed = slice(
                    int(self._first_entry[number]) + edge + 1, int(self._missing_entry[number])
                )
                self._table[passed, tree] &= kept
                if not columns["missing_go_to_left"][node]:
                    self._table[self._missing_entry[number], tree] &= kept
        self._values = np.zeros((most, len(sizes)))
        for tree, own in enumerate(leaves):
            self._values[: len(own), tree] = columns["value"][own]
        self._tree = np.arange(len(sizes))

    def added_to(self, total: NDArray[np.float64], rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """What each row scored so far, and what these trees give it."""
        entries = self._first_entry + np.add.reduceat(
            rows[:, self._feature] > self._edges, self._first_edge, axis=1, dtype=np.int64
        )
        missing = np.isnan(rows[:, self._asked])
        np.copyto(entries, self._missing_entry, where=missing)
        left = np.bitwise_and.reduce(self._table[entries], axis=1)
        leaf = np.frexp((left & (~left + left.dtype.type(1))).astype(np.float64))[1] - 1
        picked = self._values[leaf, self._tree]
        # One tree after the other, as the predictor adds them: `sum` would add in pairs.
        picked[:, 0] += total
        summed: NDArray[np.float64] = np.add.accumulate(picked, axis=1)[:, -1]
        return summed


def _starts(sizes: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Where each tree begins, and its nodes."""
    return list(zip((np.cumsum(sizes) - sizes).tolist(), sizes.tolist(), strict=True))


def _leaves(columns: Mapping[str, NDArray[Any]], start: int, size: int) -> list[int]:
    """Of a tree, from left to right. Raises ValueError where nodes have two ways to them."""
    if size >= 2 * MAX_LEAVES:
        raise ValueError(f"a tree of {size} nodes, where {MAX_LEAVES} leaves are the most")
    found = _under(columns, start, start)
    if 2 * len(set(found)) - 1 != size:
        raise ValueError("a tree whose nodes are not each met once")
    return found


def _under(columns: Mapping[str, NDArray[Any]], start: int, node: int) -> list[int]:
    """Leaves under a node, from left to right."""
    found: list[int] = []
    waiting = [node]
    while waiting and len(found) <= MAX_LEAVES:
        node = waiting.pop()
        if columns["is_leaf"][node]:
            found.append(node)
        else:
            waiting += [start + int(columns["right"][node]), start + int(columns["left"][node])]
    return found
