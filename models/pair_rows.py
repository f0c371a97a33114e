"""Rows of pairs, as the matcher makes them: both sides of each fact, and whether the post states it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.pair_maker import PostPair, Says
from streams.matching.pair_features import FEATURE_NAMES, pair_of
from streams.matching.readings import Sides, sides_of
from streams.matching.units import PostStatements

ALSO_STATES = 0.6
"""Evidence for a side from which another sentence of the page may well state it too, in other words:
nothing to learn "it does not" from."""

HARD = frozenset({"other value", "other subject", "other claim", "negation", "shared part"})
HARD_WEIGHT = 3.0
"""Of what is nearest to a repetition and none."""


class PairRows(NamedTuple):
    """Two rows a pair, the side before first. `matrix` is (2 n, features)."""

    article: str
    matrix: NDArray[np.float64]
    label: NDArray[np.bool_]
    usable: NDArray[np.bool_]
    weight: NDArray[np.float64]
    other_stated: NDArray[np.bool_]
    """The post states the other side."""


def rows_of(article: str, pairs: Sequence[PostPair]) -> PairRows:
    """Of the statement of each post that bears most on the fact."""
    rows: list[list[float]] = []
    labels: list[bool] = []
    usable: list[bool] = []
    other: list[bool] = []
    weight: list[float] = []
    read: dict[str, Sides] = {}
    for pair in pairs:
        sides = read.get(pair.fact.hot_id)
        if sides is None:
            sides = read[pair.fact.hot_id] = sides_of(pair.fact)
        statements = PostStatements(pair.text)
        statements.look_for([sides])
        units = statements.bearing_on(sides)
        if not units:
            continue
        made = pair_of(units[0].reading, sides, named_in(pair))
        rows += (made.before_row, made.after_row)
        for side, opposite, agreement in (
            (Says.BEFORE, Says.AFTER, made.before),
            (Says.AFTER, Says.BEFORE, made.after),
        ):
            labels.append(pair.says is side)
            other.append(pair.says is opposite)
            weight.append(HARD_WEIGHT if pair.kind in HARD and pair.kind != "other claim" else 1.0)
            told = pair.says is not Says.DENIES or (pair.kind == "negation" and side is Says.AFTER)
            apart = pair.says is not Says.NEITHER or agreement.evidence < ALSO_STATES
            usable.append(told and (apart or pair.kind in HARD))
    matrix = np.array(rows, dtype=np.float64).reshape(-1, len(FEATURE_NAMES))
    return PairRows(
        article, matrix, np.array(labels), np.array(usable), np.array(weight), np.array(other)
    )


def named_in(pair: PostPair) -> bool:
    """As the index would say: the page's title or a link to it is in the post."""
    title = pair.fact.title.casefold()
    spaced = pair.text.replace("#", "").casefold()
    return bool(pair.links) or title in spaced or title.replace(" ", "") in spaced
