"""Edits of the log with the labels that they have now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

import msgspec

from streams.records import LabelKind

_ROWS_AT_ONCE = 10_000
#: The label that an edit has now: what people said last, else what the wiki's community did. A person who is
#: not sure leaves it to the community.
LABEL_NOW = (
    "coalesce((SELECT CASE v.verdict WHEN 'damaging' THEN 'reverted' WHEN 'good' THEN 'kept' END"
    " FROM verdicts v WHERE v.row = edits.row ORDER BY v.seq DESC LIMIT 1), edits.label)"
)
_encode = msgspec.json.Encoder().encode


class Labelled(NamedTuple):
    row: int
    event_time: float
    revert_risk: float
    flags: int
    label: LabelKind | None
    challenger_risk: float | None


class Queries(Protocol):
    """A `SqliteStore`."""

    def query(self, sql: str, values: Sequence[object] = ()) -> list[tuple[object, ...]]: ...


def labelled(store: Queries, rows: Sequence[int]) -> Iterator[Labelled]:
    """Those of `rows` that are still in the log, label or not."""
    for at in range(0, len(rows), _ROWS_AT_ONCE):
        found = store.query(
            f"SELECT row, event_time, risk, flags, {LABEL_NOW}, challenger_risk FROM edits"
            " WHERE row IN (SELECT value FROM json_each(?))",
            (_encode(rows[at : at + _ROWS_AT_ONCE]),),
        )
        yield from (Labelled(*row) for row in found)  # type: ignore[arg-type]


def first_row_since(store: Queries, event_time: float) -> int:
    """About the first edit made then or later: rows stand in the order edits came, which is nearly that
    of their times. The next row to come where there is none."""
    bounds = store.query("SELECT coalesce(min(row), 1), coalesce(max(row), 0) + 1 FROM edits")
    low, high = (int(str(bound)) for bound in bounds[0])
    while low < high:
        middle = (low + high) // 2
        found = store.query(
            "SELECT event_time FROM edits WHERE row >= ? ORDER BY row LIMIT 1", (middle,)
        )
        if found and float(str(found[0][0])) < event_time:
            low = middle + 1
        else:
            high = middle
    return low
