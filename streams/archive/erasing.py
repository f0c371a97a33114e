"""What was deleted leaves the files too, not only the tables.

SQLite overwrites freed space (`secure_delete`), and its log is cut. PostgreSQL overwrites nothing: a
deleted row stays in its page, after a vacuum as well, until another happens to be put there. So the rows
that are left are written to new files. Not `VACUUM FULL`: it keeps deleted rows that some old transaction
could still see.
"""

from __future__ import annotations

import logging
import math
import time

import sqlalchemy as sa

from streams.archive import tables
from streams.archive.database import ArchiveUnavailable, Database

#: How long deleted posts may stay in PostgreSQL's files: their table, a month of posts at most, is written
#: anew each time. SQLite's need no waiting.
ERASE_EVERY_S = 3_600.0
#: After a try that failed.
ERASE_AGAIN_S = 60.0
#: The table is locked meanwhile; whoever wants to read it waits behind us for the lock, too.
LOCK_MS = 2_000

log = logging.getLogger("factwatch.archive")


class Eraser:
    """For the writer's thread."""

    def __init__(self, database: Database, engine: sa.Engine, every_s: float) -> None:
        self._database = database
        self._engine = engine
        self._every_s = 0.0 if database.is_sqlite else every_s
        self._from_s = -math.inf
        self._is_due = True
        """Something deleted may still be in the files: at a start nobody knows."""

    def after_commit(self, deleted: int) -> None:
        """What was written is committed: failing here must not have it written again, so only says so."""
        self._is_due = self._is_due or deleted > 0
        if not self._is_due or time.monotonic() < self._from_s:
            return
        try:
            with self._database.told():
                done = self._erase()
        except ArchiveUnavailable as err:
            log.warning("posts that were deleted are still in the database's files: %s", err)
            done = False
        self._is_due = not done
        self._from_s = time.monotonic() + (self._every_s if done else ERASE_AGAIN_S)

    def _erase(self) -> bool:
        if self._database.is_sqlite:
            return cut_log(self._engine)
        write_anew(self._engine, tables.alert_posts)
        return True


def cut_log(engine: sa.Engine) -> bool:
    """SQLite's. False while a reader holds it."""
    with engine.connect() as db:
        connection = db.connection.driver_connection
        assert connection is not None
        (busy, _, _), *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return not busy


def write_anew(engine: sa.Engine, table: sa.Table) -> None:
    """On PostgreSQL. Fails when others hold the table for longer than `LOCK_MS`: nothing has changed then."""
    with engine.begin() as db:
        db.exec_driver_sql(f"SET LOCAL lock_timeout = {LOCK_MS}")
        move_rows(db, table.name)


def move_rows(db: sa.Connection, table: str) -> None:
    """In a transaction of the caller's, however long it takes."""
    for statement in (
        "SET LOCAL statement_timeout = 0",
        f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE",
        f"CREATE TEMPORARY TABLE factwatch_kept ON COMMIT DROP AS TABLE {table}",
        f"TRUNCATE {table}",
        f"INSERT INTO {table} TABLE factwatch_kept",
    ):
        db.exec_driver_sql(statement)
