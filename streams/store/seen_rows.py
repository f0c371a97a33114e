"""The sample of edits to learn from, joined with what became of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from models.features import FEATURE_NAMES
from models.seen import SETTLED_AFTER_S, SeenRows
from streams.errors import StoreCorrupt
from streams.records import LabelKind
from streams.state.watermark import Watermark
from streams.store.labelled import LABEL_NOW
from streams.store.sqlite_errors import decoded

#: The newest are read: 200 MB of numbers.
MOST_ROWS = 200_000
_ROWS_AT_ONCE = 5_000
_WATERMARK = msgspec.msgpack.Decoder(Watermark)


class Queries(Protocol):
    """A `SqliteStore`."""

    path: Path

    def query(self, sql: str, values: Sequence[object] = ()) -> list[tuple[object, ...]]: ...


class SeenRow(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One edit of the sample, with the label it has now."""

    row: int
    """What names it to its keeper."""
    wiki: str
    page: int
    event_time: float
    risk: float
    weight: float
    model: str
    feature_set: str
    features: bytes
    label: LabelKind | None


def read_seen_rows(store: Queries, feature_set: str, most: int = MOST_ROWS) -> SeenRows:
    """The newest settled edits, at most `most` of them. Rows of another feature set are counted."""
    settled_until = passed_time(store) - SETTLED_AFTER_S
    return collected(_newest(store), feature_set, settled_until, most, str(store.path))


def collected(
    rows: Iterable[SeenRow], feature_set: str, settled_until: float, most: int, place: str
) -> SeenRows:
    """`rows`: the newest first. `settled_until`: event time up to which edits have had their 48 hours.
    `place`: where they are from, for `StoreCorrupt`."""
    width = len(FEATURE_NAMES)
    features: list[npt.NDArray[np.float32]] = []
    found: list[SeenRow] = []
    other_features = not_settled = 0
    for one in rows:
        if len(found) == most:
            break
        if one.feature_set != feature_set:
            other_features += 1
        elif one.label is None or one.event_time > settled_until:
            not_settled += 1
        else:
            if len(one.features) % 4 or len(one.features) > 4 * width:
                raise StoreCorrupt(f"{place}: edit {one.row} has features of another length")
            features.append(np.frombuffer(one.features, dtype="<f4"))
            found.append(msgspec.structs.replace(one, features=b""))
    matrix = np.full((len(found), width), np.nan)
    for at, known in enumerate(features):
        matrix[at, : len(known)] = known
    seen = SeenRows(
        matrix,
        np.array([one.label is LabelKind.REVERTED for one in found], dtype=bool),
        np.array([one.weight for one in found], dtype=np.float64),
        np.array([one.event_time for one in found], dtype=np.float64),
        np.array([one.page for one in found], dtype=np.int64),
        np.array([one.wiki for one in found], dtype=np.str_),
        np.array([one.risk for one in found], dtype=np.float64),
        np.array([one.model for one in found], dtype=np.str_),
        other_features,
        not_settled,
    )
    return seen.at(np.lexsort((np.arange(len(found))[::-1], seen.event_time)))


def passed_time(store: Queries) -> float:
    """Event time that has passed for the store; 0 for one that has seen nothing."""
    found = store.query("SELECT value FROM meta WHERE name = 'watermark'")
    return decoded(_WATERMARK.decode, found[0][0], store.path).time if found else 0.0


def _newest(store: Queries) -> Iterator[SeenRow]:
    below = 1 << 62
    while rows := _read(store, below):
        below = rows[-1].row
        yield from rows


def _read(store: Queries, below: int) -> list[SeenRow]:
    rows = store.query(
        "SELECT t.row, t.wiki, t.page, t.event_time, t.risk, t.weight, t.model, t.feature_set, t.features,"
        f" coalesce({LABEL_NOW}, t.label)"
        " FROM training_rows t LEFT JOIN edits ON edits.row = t.row"
        " WHERE t.row < ? ORDER BY t.row DESC LIMIT ?",
        (below, _ROWS_AT_ONCE),
    )
    return decoded(_as_rows, rows, store.path)


def _as_rows(rows: object) -> list[SeenRow]:
    return msgspec.convert(rows, list[SeenRow])
