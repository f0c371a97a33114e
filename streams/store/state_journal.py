"""States on their way to their tables: what a batch changed is written in one piece, not where each
belongs.

Ids are digests, so the states of a batch lie all over their tables: to write each in its place rewrote
a 4 KB page of the file for each, and the larger the file, the dearer (8 us an event at 30,000 events,
16 us at 300,000). One row of `state_journal` holds them instead, in the transaction of their batch. Each
batch also brings a share of the ids up to date in the tables: the newest of what many batches changed
there, in order of ids, so that neighbours go together and no commit is a long one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Annotated, Literal, NamedTuple

import msgspec

#: Shares of the ids, by their first bits, brought up to date in turns: one a batch at least, so that
#: no state waits longer than this many batches.
SHARES = 32
_SHIFT = 63 - 5
#: Bytes of journal at which all shares have had their turn. What is not in the tables yet is held in
#: memory: half of it, mostly.
BYTES = 48 << 20

Row = tuple[float, bytes]
"""`(last_time, encoded state)`."""
_Shares = list[dict[int, Row]]
Table = Literal["pages", "performers"]
_Id = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]

_encode = msgspec.msgpack.Encoder().encode


class _Changes(msgspec.Struct, array_like=True):
    """One row of the journal, by table and id."""

    rows: dict[Table, dict[_Id, Row]]
    dropped: dict[Table, list[_Id]]


class _Pending(NamedTuple):
    """What the transaction under way does, told once it is durable."""

    changes: _Changes
    until: int


class StateJournal:
    """The states of pages and performers that their tables do not have yet. `write` and `settle` are
    called inside a transaction, one of them once; `committed` or `rolled_back` ends it."""

    def __init__(self) -> None:
        self._held: dict[Table, _Shares] = {"pages": _no_shares(), "performers": _no_shares()}
        self._turn = 0
        """Turns of shares that there have been. A row has the number of the first turn after it: when
        each share had one since, the tables have all of it."""
        self._pending: _Pending | None = None
        self._behind = False

    @property
    def is_behind(self) -> bool:
        """The tables are not up to date, and `settle` may mend that."""
        return self._behind and self._pending is None

    def held(self, table: Table, ids: Iterable[int]) -> dict[int, bytes]:
        """States that are newer than the table's. Any other is in the table or nowhere."""
        shares = self._held[table]
        return {key_id: row[1] for key_id in ids if (row := shares[key_id >> _SHIFT].get(key_id))}

    def write(
        self, db: sqlite3.Connection, rows: dict[Table, dict[int, Row]], dropped: dict[Table, list[int]]
    ) -> None:
        """What changed. What is dropped leaves its table at once, and is remembered as dropped for as
        long as the journal has older states of it."""
        for table, ids in dropped.items():
            db.executemany(f"DELETE FROM {table} WHERE id = ?", [(key_id,) for key_id in ids])
        if not any(rows.values()) and not any(dropped.values()):
            return
        changes = _Changes(rows, dropped)
        encoded = _encode(changes)
        until = self._turn + min(1 + len(encoded) * SHARES // BYTES, SHARES)
        if until - self._turn < SHARES:
            db.execute("INSERT INTO state_journal VALUES (?, ?)", (self._turn, encoded))
        self._take_turns(db, _Pending(changes, until))

    def settle(self, db: sqlite3.Connection) -> None:
        """Bring all of the tables up to date."""
        self._take_turns(db, _Pending(_Changes({}, {}), self._turn + SHARES))

    def read(self, db: sqlite3.Connection) -> None:
        """Begin with what is in the file: whatever a process left, however it ended. Raises
        `msgspec.DecodeError` where it can't be read."""
        self._held = {"pages": _no_shares(), "performers": _no_shares()}
        self._turn, self._pending, self._behind = 0, None, False
        for turn, encoded in db.execute("SELECT batch, states FROM state_journal ORDER BY batch"):
            self._fold(_decode(encoded))
            self._turn = turn + 1
            self._behind = True

    def committed(self) -> None:
        if self._pending is None:
            return
        self._fold(self._pending.changes)
        for turn in range(self._turn, self._pending.until):
            for shares in self._held.values():
                shares[turn % SHARES] = {}
        self._behind = self._pending.until - self._turn < SHARES
        self._turn = self._pending.until
        self._pending = None

    def rolled_back(self) -> None:
        self._pending = None

    def _take_turns(self, db: sqlite3.Connection, pending: _Pending) -> None:
        assert self._pending is None, "one change of states a transaction"
        self._pending = pending
        changes = pending.changes
        for table, shares in self._held.items():
            newest: dict[int, Row] = {}
            turns = {turn % SHARES for turn in range(self._turn, pending.until)}
            for share in turns:
                newest |= shares[share]
            newest.update(
                (key_id, row)
                for key_id, row in changes.rows.get(table, {}).items()
                if key_id >> _SHIFT in turns
            )
            for key_id in changes.dropped.get(table, ()):
                newest.pop(key_id, None)
            db.executemany(
                f"REPLACE INTO {table} VALUES (?, ?, ?)",
                [(key_id, *newest[key_id]) for key_id in sorted(newest)],
            )
        db.execute("DELETE FROM state_journal WHERE batch <= ?", (pending.until - SHARES,))

    def _fold(self, changes: _Changes) -> None:
        for table, rows in changes.rows.items():
            shares = self._held[table]
            for key_id, row in rows.items():
                shares[key_id >> _SHIFT][key_id] = row
        for table, ids in changes.dropped.items():
            shares = self._held[table]
            for key_id in ids:
                shares[key_id >> _SHIFT].pop(key_id, None)


def _no_shares() -> _Shares:
    return [{} for _ in range(SHARES)]


_decode = msgspec.msgpack.Decoder(_Changes).decode
