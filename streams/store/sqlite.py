"""One SQLite file (WAL) for everything an embedded Factwatch keeps, one transaction a micro-batch.

`synchronous=FULL`: when `commit` returns, the batch survives a power cut. One process writes (a lock
file holds that); any number of threads and processes read whole commits.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from streams.errors import BadSetting, FactwatchError
from streams.store import batch_rows, own_rows, post_rows
from streams.store.batch import Batch
from streams.store.own_rows import Key, OwnDay
from streams.store.post_rows import erasing
from streams.store.sqlite_errors import decoded, told
from streams.store.sqlite_file import connect, refuse_empty, take_lock
from streams.store.sqlite_posts import SqlitePosts
from streams.store.state_journal import Row, Table

SCHEMA_VERSION = 4
#: Ids kept against duplicates: about an hour of all Wikimedia wikis at 50 events/s. A dict makes itself three
#: times as large as what is in it, rounded up to a power of two: with 175,000 or more that would be 2^20
#: places after some 350,000 events, 14 MB more than before.
RECENT_IDS = 170_000


class SqliteStore(SqlitePosts):
    """The writer, and an `AlertReader`. `commit` from one thread; everything that reads alerts from
    any."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        super().__init__(path)
        self._lock_file: int | None = None
        self._last_seq = 0
        self._log_has_posts = True
        if read_only:
            if not path.exists():
                raise BadSetting(f"{path}: nothing there yet (start `factwatch run` first)")
            refuse_empty(path)
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock_file = take_lock(path)
        except OSError as err:
            raise BadSetting(
                f"{path}: {err.strerror}: set FACTWATCH_DATA_DIR to a directory that can be written"
            ) from None
        try:
            refuse_empty(path)
            with told(path):
                self._writer = connect(path, cache_kib=16_384)
                self._open_schema(self._writer)
                decoded(self._journal.read, self._writer, path)
                if self._journal.is_behind:
                    self.settle_states()
                newest = self._writer.execute("SELECT coalesce(max(seq), 0) FROM alerts")
                self._last_seq = newest.fetchone()[0]
        except BaseException:
            self.close()
            raise

    # -- the commit ------------------------------------------------------------------------------

    def commit(self, batch: Batch, arrived: float) -> int:
        """Write `batch` durably, all or nothing, and return how many edits it labelled as kept.
        `arrived` (Unix seconds) dates its dead letters. Raises `StoreFull` or `StoreCorrupt`."""
        with self.transaction() as db, erasing(db, bool(batch.of_posts)):
            kept, last_seq = self._write(db, batch, arrived)
        self._last_seq = last_seq
        of_posts = batch.of_posts
        self._log_has_posts |= bool(of_posts.posts or of_posts.handed_in or of_posts.spreads)
        if of_posts.gone and self._log_has_posts:
            self.erase_log()
        return kept

    def erase_log(self) -> None:
        """What was deleted stands in the write-ahead log too. While somebody reads, that file can't be
        cut: the next deletion tries again, and so does the next start."""
        with told(self.path):
            busy, _, _ = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        self._log_has_posts = bool(busy)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing; durable when it ends. For modules of this package."""
        db = self._db
        with told(self.path):
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                    self._journal.rolled_back()
                else:  # rolled back by SQLite, or interrupted behind the COMMIT: only the file knows
                    self._journal.read(db)
                raise
            self._journal.committed()

    def drop_states(self, db: sqlite3.Connection, old: dict[Table, list[int]]) -> None:
        """Inside a transaction: rows of pages and performers that were found old leave. Not those that
        the table only has an old state of: what they changed to since is on its way."""
        dropped: dict[Table, list[int]] = {}
        for table, ids in old.items():
            held = self._journal.held(table, ids)
            dropped[table] = [key_id for key_id in ids if key_id not in held]
        self._write_states(db, {}, dropped)

    def own_edits(self, model: str) -> dict[Key, OwnDay]:
        """What wikis' own edits taught of this model. What is kept of another one goes."""
        with self.transaction() as db:
            db.execute("DELETE FROM own_edits WHERE model != ?", (model,))
            rows = db.execute("SELECT wiki, day, cells FROM own_edits").fetchall()
        return decoded(own_rows.decoded_days, rows, self.path)

    def challenger_since(self, version: str) -> int:
        """Number of the first edit that this challenger scored: the next one, if another ran before."""
        with self.transaction() as db:
            known = db.execute("SELECT value FROM meta WHERE name = 'challenger'").fetchone()
            if known != (version,):
                db.execute("REPLACE INTO meta VALUES ('challenger', ?)", (version,))
                db.execute("REPLACE INTO meta VALUES ('challenger_row', ?)", (self.next_row(),))
        return self._row_number("challenger_row")

    def settle_states(self) -> None:
        """Bring the tables of states up to date, for who reads them past `load_pages` and the like."""
        with self.transaction() as db:
            self._journal.settle(db)

    def _write_states(
        self,
        db: sqlite3.Connection,
        rows: dict[Table, dict[int, Row]],
        dropped: dict[Table, list[int]],
    ) -> None:
        """States of pages and performers; a page that is dropped takes its words along."""
        self._journal.write(db, rows, dropped)
        batch_rows.drop_words(db, dropped["pages"])

    def _write_ids(self, db: sqlite3.Connection, ids: list[str]) -> None:
        db.execute("INSERT INTO recent_ids (n, ids) VALUES (?, ?)", (len(ids), "\n".join(ids)))
        self._ids_kept += len(ids)
        while self._ids_kept > RECENT_IDS:
            batch, n = db.execute("SELECT batch, n FROM recent_ids ORDER BY batch LIMIT 1").fetchone()
            if self._ids_kept - n < RECENT_IDS:
                break
            db.execute("DELETE FROM recent_ids WHERE batch = ?", (batch,))
            self._ids_kept -= n

    def _write(self, db: sqlite3.Connection, batch: Batch, arrived: float) -> tuple[int, int]:
        batch_rows.write_words(db, batch)
        dropped: dict[Table, list[int]] = {"pages": list(batch.dropped_pages)}
        self._write_states(db, batch_rows.state_rows(batch), dropped)
        batch_rows.write_episodes(db, batch)
        batch_rows.write_edits(db, batch)
        own_rows.write(db, batch.own_model, batch.own_edits)
        batch_rows.write_training_rows(db, batch)
        last_seq = batch_rows.write_alerts(db, batch, self._last_seq)
        post_rows.write(db, batch.of_posts)
        batch_rows.write_dead_letters(db, batch, arrived)
        if batch.event_ids:
            self._write_ids(db, batch.event_ids)
        batch_rows.write_counters(db, batch)
        batch_rows.write_place(db, batch)
        return batch_rows.write_kept(db, batch), last_seq

    # -- the end ---------------------------------------------------------------------------------

    def last_seq(self) -> int:
        return super().last_seq() if self._writer is None else self._last_seq

    def close(self) -> None:
        super().close()
        if self._writer is not None:
            if self._journal.is_behind:
                with contextlib.suppress(FactwatchError, sqlite3.Error):  # the next start does it, then
                    self.settle_states()
            self._writer.close()
            self._writer = None
        if self._lock_file is not None:
            os.close(self._lock_file)
            self._lock_file = None

    def _open_schema(self, db: sqlite3.Connection) -> None:
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            schema = files("streams.store").joinpath("schema.sql").read_text("utf-8")
            db.executescript(f"BEGIN;\n{schema}\nPRAGMA user_version = {SCHEMA_VERSION};\nCOMMIT;")
        elif version != SCHEMA_VERSION:
            raise BadSetting(
                f"{self.path}: made by another version of factwatch (schema {version},"
                f" this one reads {SCHEMA_VERSION}); set FACTWATCH_DATA_DIR to an empty directory"
            )
        self._ids_kept = int(db.execute("SELECT coalesce(sum(n), 0) FROM recent_ids").fetchone()[0])
