"""Which edits' features are kept, for a later model to learn from: those that look risky, and a share of the
others that stands for all.

What an edit looked like when it was made can't be had later: pages, editors and words have moved on. All of
them would be as much as everything else that is kept together.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from functools import lru_cache
from math import nan
from struct import pack
from sys import byteorder
from zlib import crc32

from streams.store.batch import EditRow, TrainingRow

#: revert_risk from which every edit is kept: nearly all that could alert, at any threshold one would ask for.
RISKY = 0.3
#: Of the others one in so many is kept, and weighs as many.
ONE_OF = 32

_MULTIPLIER = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1
_BY_REVISION = 8
"""One of so many by the revision alone, which is cheap; the rest of `ONE_OF` by the wiki as well."""
_BELOW_FIRST = (1 << 64) // _BY_REVISION
_BELOW = (1 << 64) // (ONE_OF // _BY_REVISION)


class TrainingSample:
    def __init__(self, model: str, feature_set: str) -> None:
        """`model`: the version of who scores. `feature_set`: see `TrainingRow`."""
        self._model = model
        self._feature_set = feature_set

    def of(self, edits: Sequence[EditRow], rows: Sequence[list[float]]) -> list[TrainingRow]:
        """`rows` are the features of `edits`, in the same order. Chance has no part in it: the same edit is
        chosen whenever, and by whomever, it is scored alike."""
        chosen = []
        for at, edit in enumerate(edits):
            weight, risk = 1.0, edit.by_model
            if risk < RISKY:
                spread = edit.rev_id * _MULTIPLIER & _MASK
                if spread >= _BELOW_FIRST:
                    continue
                if (spread ^ _salt(edit.key.partition(":")[0])) * _MULTIPLIER & _MASK >= _BELOW:
                    continue
                weight = float(ONE_OF)
            chosen.append(
                TrainingRow(
                    edit.row,
                    edit.key.partition(":")[0],
                    edit.page,
                    edit.event_time,
                    risk,
                    edit.flags,
                    weight,
                    self._model,
                    self._feature_set,
                    packed(rows[at]),
                )
            )
        return chosen


@lru_cache(maxsize=4_096)
def _salt(wiki: str) -> int:
    name = wiki.encode("utf-8", "surrogatepass")
    return crc32(name) << 32 | crc32(name, 1)


def packed(row: Sequence[float]) -> bytes:
    """As `TrainingRow.features`: of an edit without texts, three of four features are missing at the end."""
    numbers = array("f", row)
    if byteorder == "big":
        numbers.byteswap()
    raw = numbers.tobytes()
    end = len(raw)
    for missing in _MISSING:
        while raw.endswith(missing, 0, end):
            end -= len(missing)
    return raw[:end]


_NAN = pack("<f", nan)
_MISSING = (_NAN * 16, _NAN)
