"""Rows of `own_edits`: how often a wiki's own edits of a day were reverted, by the model's log-odds."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec


class OwnDay(NamedTuple):
    """Of one wiki and day (since 1970; `PAST`: the sum of days before), the cells that are not zero."""

    cells: list[int]
    counts: list[float]


PAST = -1
Key = tuple[str, int]
"""Wiki and day."""


class ScoredEdit(NamedTuple):
    """As the log has it."""

    event_time: float
    model_risk: float
    flags: int
    reverted: bool


def write(db: sqlite3.Connection, model: str, changed: Mapping[Key, OwnDay | None]) -> None:
    """None: the day has gone into the past."""
    if not changed:
        return
    db.executemany(
        "DELETE FROM own_edits WHERE wiki = ? AND day = ?",
        [key for key, day in changed.items() if day is None],
    )
    db.executemany(
        "REPLACE INTO own_edits VALUES (?, ?, ?, ?)",
        [(*key, model, _encode(day)) for key, day in changed.items() if day is not None],
    )


def decoded_days(rows: Iterable[tuple[str, int, bytes]]) -> dict[Key, OwnDay]:
    """Raises `msgspec.DecodeError`, `TypeError`."""
    return {(wiki, day): _decode(cells) for wiki, day, cells in rows}


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(OwnDay).decode
