"""What is old leaves, a little at a time: no commit waits for a sweep of the whole file."""

from __future__ import annotations

import math
import sqlite3
from itertools import takewhile
from typing import NamedTuple

from streams.store.batch_rows import count_training_bytes, training_bytes
from streams.store.labelled import LABEL_NOW
from streams.store.post_rows import erasing, forget
from streams.store.sqlite import SqliteStore
from streams.store.sqlite_errors import decoded
from streams.store.sqlite_reader import as_number
from streams.store.state_journal import Table

#: Commits between two sweeps, and rows that one looks at in each table.
EVERY = 64
ROWS = 4_000
DEAD_LETTERS_CAP = 100_000

_DAY_S = 86_400.0


class TrainingBounds(NamedTuple):
    """Of the sample of rows to learn from."""

    days: float = math.inf
    """Of event time."""
    size: float = math.inf
    """In bytes: what is oldest leaves first."""


UNBOUNDED = TrainingBounds()


class Retention:
    """Walks the tables round and round. States leave by event time; a state that should have left but
    did not yet is not used either (`Processor` sees to that), so when the walk passes does not matter.
    """

    def __init__(
        self,
        store: SqliteStore,
        retention_days: float,
        post_retention_days: float = math.inf,
        training: TrainingBounds = UNBOUNDED,
    ) -> None:
        self._store = store
        self._training = training
        self._retention_s = retention_days * _DAY_S
        self._post_retention_s = post_retention_days * _DAY_S
        self._commits = 0
        self._at: dict[Table, int] = {"pages": -1, "performers": -1}

    def committed(self, event_time: float, now: float) -> None:
        """After each commit. `event_time` that has passed; `now`, processing time, for dead letters."""
        self._commits += 1
        if self._commits % EVERY == 0:
            self._sweep(event_time - self._retention_s, now - self._retention_s)
            self._forget_training_rows(event_time - self._training.days * _DAY_S)
            self._forget_posts(event_time - self._post_retention_s)

    def _sweep(self, before: float, dead_before: float) -> None:
        with self._store.transaction() as db:
            old: dict[Table, list[int]] = {}
            for table in self._at:
                first = self._at[table]
                ids = db.execute(
                    f"SELECT id, last_time FROM {table} WHERE id > ? ORDER BY id LIMIT ?", (first, ROWS)
                ).fetchall()
                self._at[table] = ids[-1][0] if len(ids) == ROWS else -1
                old[table] = [key_id for key_id, last_time in ids if last_time < before]
            self._store.drop_states(db, old)
            # Edits stand in the order they came: nothing behind the first that stays is looked at.
            oldest = db.execute(
                "SELECT row, event_time FROM edits ORDER BY row LIMIT ?", (ROWS,)
            ).fetchall()
            gone = list(takewhile(lambda edit: edit[1] < before, oldest))
            if gone:
                _drop_edits(db, gone[0][0], gone[-1][0])
            # The newest alert always stays: the log counts on from it.
            settled = db.execute(
                "SELECT alert_id FROM (SELECT * FROM alerts_now ORDER BY seq LIMIT ?)"
                " WHERE status = 'resolved' AND event_time < ?"
                " AND seq < (SELECT max(seq) FROM alerts_now)",
                (ROWS, before),
            ).fetchall()
            db.executemany(
                "DELETE FROM alert_posts WHERE seq IN (SELECT seq FROM alerts WHERE alert_id = ?)",
                settled,
            )
            for log in ("alerts", "alerts_now"):
                db.executemany(f"DELETE FROM {log} WHERE alert_id = ?", settled)
            db.execute(
                "DELETE FROM dead_letters WHERE requeued = 0 AND (time < ? OR id <="
                " (SELECT coalesce(max(id), 0) FROM dead_letters) - ?)",
                (dead_before, DEAD_LETTERS_CAP),
            )

    def _forget_training_rows(self, before: float) -> None:
        with self._store.transaction() as db:
            while self._forget_oldest_training_rows(db, before) == ROWS:
                pass

    def _forget_oldest_training_rows(self, db: sqlite3.Connection, before: float) -> int:
        """How many of the oldest `ROWS` left."""
        known = db.execute("SELECT value FROM meta WHERE name = 'training_bytes'").fetchone()
        if known is None:
            return 0
        size = left = decoded(as_number, known[0], self._store.path)
        gone, last = 0, 0
        for row, event_time, features in db.execute(
            "SELECT row, event_time, length(features) FROM training_rows ORDER BY row LIMIT ?", (ROWS,)
        ):
            if event_time >= before and left <= self._training.size:
                break
            left -= training_bytes(features)
            gone, last = gone + 1, row
        if gone:
            db.execute("DELETE FROM training_rows WHERE row <= ?", (last,))
            count_training_bytes(db, left - size)
        return gone

    def _forget_posts(self, before: float) -> None:
        """As if they had been deleted, but that nobody is told."""
        with self._store.transaction() as db:
            old = db.execute(
                "SELECT id FROM posts WHERE event_time < ? ORDER BY event_time LIMIT ?", (before, ROWS)
            ).fetchall()
            with erasing(db, bool(old)):
                forget(db, [post_id for (post_id,) in old])
        if old:
            self._store.erase_log()


def _drop_edits(db: sqlite3.Connection, first: int, last: int) -> None:
    """A row to learn from keeps the label that its edit had; verdicts on the edit go with it."""
    db.execute(
        f"UPDATE training_rows SET label = (SELECT {LABEL_NOW} FROM edits"
        " WHERE edits.row = training_rows.row) WHERE row BETWEEN ? AND ?",
        (first, last),
    )
    db.execute("DELETE FROM verdicts WHERE row BETWEEN ? AND ?", (first, last))
    db.execute("DELETE FROM edits WHERE row <= ?", (last,))
