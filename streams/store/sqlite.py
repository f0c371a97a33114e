"""One SQLite file (WAL) for everything an embedded Factwatch keeps, one transaction a micro-batch.

`synchronous=FULL`: when `commit` returns, the batch survives a power cut. One process writes (a lock
file holds that); any number of threads and processes read whole commits.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, TypeVar

import msgspec

from streams.errors import BadSetting, FactwatchError, StoreCorrupt
from streams.records import Alert
from streams.state.episode import EpisodeState
from streams.state.page import PageState
from streams.state.performer import PerformerState
from streams.state.watermark import Watermark
from streams.state.words import PackedWords, WordMemory
from streams.store.batch import KEPT_AFTER_S, Batch, Requeued
from streams.store.reader import AlertFilter, StoredAlert
from streams.store.state_journal import Row, StateJournal, Table

SCHEMA_VERSION = 2
#: Ids kept against duplicates: about an hour of all Wikimedia wikis at 50 events/s.
RECENT_IDS = 200_000
#: Connections for reading, 4 MiB of cache each. Further readers wait for one: all reads are short.
READERS = 8

_encode = msgspec.msgpack.Encoder().encode
_encode_json = msgspec.json.Encoder().encode
_decode_alert = msgspec.json.Decoder(Alert).decode
_T = TypeVar("_T")


class StoreFull(FactwatchError):
    """The disk took no more. Nothing of the batch was written."""

    exit_code = 8


class SqliteStore:
    """The writer, and an `AlertReader`. `commit` from one thread; everything that reads alerts from
    any."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path = path
        self._readers = _Readers(lambda: self._connect(cache_kib=4_096), path)
        self._lock_file: int | None = None
        self._writer: sqlite3.Connection | None = None
        self._last_seq = 0
        self._journal = StateJournal()
        if read_only:
            if not path.exists():
                raise BadSetting(f"{path}: nothing there yet (start `factwatch run` first)")
            self._refuse_empty()
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._take_lock()
        except OSError as err:
            raise BadSetting(
                f"{path}: {err.strerror}: set FACTWATCH_DATA_DIR to a directory that can be written"
            ) from None
        try:
            self._refuse_empty()
            with _told(path):
                self._writer = self._connect(cache_kib=16_384)
                self._open_schema(self._writer)
                _decoded(self._journal.read, self._writer, path)
                if self._journal.is_behind:
                    self.settle_states()
                newest = self._writer.execute("SELECT coalesce(max(seq), 0) FROM alerts")
                self._last_seq = newest.fetchone()[0]
        except BaseException:
            self.close()
            raise

    # -- reading state ---------------------------------------------------------------------------

    def load_pages(self, ids: Sequence[int]) -> dict[int, PageState]:
        return self._load_many("pages", ids, _PAGE.decode, self._journal.held("pages", ids))

    def load_words(self, ids: Sequence[int]) -> dict[int, WordMemory]:
        return self._load_many("page_words", ids, lambda raw: WordMemory.unpack(_WORDS.decode(raw)))

    def load_performers(self, ids: Sequence[int]) -> dict[int, PerformerState]:
        held = self._journal.held("performers", ids)
        return self._load_many("performers", ids, _PERFORMER.decode, held)

    def load_episode(self, key_id: int) -> EpisodeState | None:
        return self._load_many("episodes", (key_id,), _EPISODE.decode).get(key_id)

    def deadlines(self) -> list[tuple[str, float | None]]:
        """`(page key, deadline)` of every open episode, for the timers."""
        with _told(self.path):
            rows = self._db.execute("SELECT key, deadline FROM episodes").fetchall()
        return _decoded(_as_deadlines, rows, self.path)

    def cursor(self, source: str) -> str | None:
        with _told(self.path):
            row = self._db.execute("SELECT cursor FROM cursors WHERE source = ?", (source,)).fetchone()
        return None if row is None else str(row[0])

    def recent_ids(self) -> list[str]:
        """Oldest first."""
        with _told(self.path):
            rows = self._db.execute("SELECT ids FROM recent_ids ORDER BY batch").fetchall()
        return [
            event_id for (ids,) in _decoded(_as_texts, rows, self.path) for event_id in ids.split("\n")
        ]

    def watermark(self) -> Watermark:
        value = self._meta("watermark")
        return Watermark() if value is None else _decoded(_WATERMARK.decode, value, self.path)

    def next_row(self) -> int:
        return self._row_number("next_row")

    def outcomes(self) -> dict[tuple[str, str], int]:
        """Records taken in since the file was made, by source and outcome."""
        rows = self._read("SELECT source, outcome, n FROM counters")
        return {(source, outcome): n for source, outcome, n in rows}

    # -- the commit ------------------------------------------------------------------------------

    def commit(self, batch: Batch, arrived: float) -> int:
        """Write `batch` durably, all or nothing, and return how many edits it labelled as kept.
        `arrived` (Unix seconds) dates its dead letters. Raises `StoreFull` or `StoreCorrupt`."""
        with self.transaction() as db:
            kept, last_seq = self._write(db, batch, arrived)
        self._last_seq = last_seq
        return kept

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing; durable when it ends. For modules of this package."""
        db = self._db
        with _told(self.path):
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

    def settle_states(self) -> None:
        """Bring the tables of states up to date, for who reads them past `load_pages` and the like."""
        with self.transaction() as db:
            self._journal.settle(db)

    def _write(self, db: sqlite3.Connection, batch: Batch, arrived: float) -> tuple[int, int]:
        # Words stay out of the journal: a memory of up to 200 KB is in one piece wherever it is written.
        _many(db, "REPLACE INTO page_words VALUES (?, ?)", (
            (key, _encode(words.pack())) for key, words in batch.words.items()
        ), batch.words)  # fmt: skip
        self._write_states(
            db,
            {
                "pages": {
                    key: (
                        page.entries[-1].event_time if page.entries else page.first_time,
                        _encode(page),
                    )
                    for key, page in batch.pages.items()
                },
                "performers": {
                    key: (performer.last_time, _encode(performer))
                    for key, performer in batch.performers.items()
                },
            },
            {"pages": list(batch.dropped_pages)},
        )
        for key, episode in batch.episodes.items():
            if episode is None:
                db.execute("DELETE FROM episodes WHERE id = ?", (key,))
            else:
                db.execute(
                    "REPLACE INTO episodes VALUES (?, ?, ?, ?)",
                    (key, episode.key, episode.next_deadline, _encode(episode)),
                )
        _many(db, _INSERT_EDIT, (
            (edit.row, edit.page, edit.rev_id, edit.event_time, edit.risk, edit.flags)
            for edit in batch.edits
        ), batch.edits)  # fmt: skip
        _many(
            db,
            "UPDATE edits SET label = ?, labelled_time = ?, reverted_by = ?, evidence = ? WHERE row = ?",
            (
                (label.label, label.labelled_time, label.reverted_by, label.evidence, label.row)
                for label in batch.labels
            ),
            batch.labels,
        )
        taken_back = [(KEPT_AFTER_S, label.row) for label in batch.labels if label.label is None]
        _many(  # one whose two days are over already was kept, then
            db,
            "UPDATE edits SET label = 'kept', labelled_time = event_time + ? WHERE row = ?"
            " AND row < (SELECT value FROM meta WHERE name = 'kept_row')",
            taken_back,
            taken_back,
        )
        seq = self._last_seq
        for alert in batch.alerts:
            written = db.execute(
                "INSERT INTO alerts VALUES (?, ?, ?, ?) ON CONFLICT (ce_id) DO NOTHING",
                (seq + 1, alert.alert_id, alert.ce_id, _encode_json(alert)),
            ).rowcount
            if not written:
                continue  # this state change was told before: a feed gave one revision twice
            seq += 1
            db.execute(
                "REPLACE INTO alerts_now VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    alert.alert_id,
                    seq,
                    alert.kind,
                    alert.status,
                    alert.wiki,
                    alert.title,
                    alert.event_time,
                ),
            )
        _many(
            db,
            "INSERT INTO dead_letters (source, stage, reason, message, position, time, raw)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                (batch.source, dead.stage, dead.reason, dead.message, dead.position, arrived, dead.raw)
                for dead in batch.dead_letters
            ),
            batch.dead_letters,
        )
        _many(
            db,
            "DELETE FROM dead_letters WHERE id = ?",
            ((row,) for row in batch.requeued),
            batch.requeued,
        )
        if batch.event_ids:
            self._write_ids(db, batch.event_ids)
        _many(
            db,
            "INSERT INTO counters VALUES (?, ?, ?)"
            " ON CONFLICT (source, outcome) DO UPDATE SET n = n + excluded.n",
            ((batch.source, outcome, n) for outcome, n in batch.outcomes.items()),
            batch.outcomes,
        )
        if batch.requeued:  # they were counted as dead letters when they first came
            db.execute(
                "UPDATE counters SET n = n - ? WHERE source = ? AND outcome = 'dead_lettered'",
                (len(batch.requeued), batch.source),
            )
        if batch.cursor is not None:
            db.execute("REPLACE INTO cursors VALUES (?, ?)", (batch.source, batch.cursor))
        if batch.watermark is not None:
            db.execute("REPLACE INTO meta VALUES ('watermark', ?)", (_encode(batch.watermark),))
        db.execute("REPLACE INTO meta VALUES ('next_row', ?)", (batch.next_row,))
        kept = 0
        if batch.kept_rows is not None:
            kept = db.execute(
                "UPDATE edits SET label = 'kept', labelled_time = event_time + ?"
                " WHERE row >= ? AND row < ? AND event_time <= ? AND label IS NULL",
                (KEPT_AFTER_S, *batch.kept_rows),
            ).rowcount
            db.execute("REPLACE INTO meta VALUES ('kept_row', ?)", (batch.kept_rows.below,))
        return kept, seq

    def _write_states(
        self,
        db: sqlite3.Connection,
        rows: dict[Table, dict[int, Row]],
        dropped: dict[Table, list[int]],
    ) -> None:
        """States of pages and performers; a page that is dropped takes its words along."""
        self._journal.write(db, rows, dropped)
        _many(
            db,
            "DELETE FROM page_words WHERE id = ?",
            ((key_id,) for key_id in dropped["pages"]),
            dropped["pages"],
        )

    def _write_ids(self, db: sqlite3.Connection, ids: list[str]) -> None:
        db.execute("INSERT INTO recent_ids (n, ids) VALUES (?, ?)", (len(ids), "\n".join(ids)))
        self._ids_kept += len(ids)
        while self._ids_kept > RECENT_IDS:
            batch, n = db.execute("SELECT batch, n FROM recent_ids ORDER BY batch LIMIT 1").fetchone()
            if self._ids_kept - n < RECENT_IDS:
                break
            db.execute("DELETE FROM recent_ids WHERE batch = ?", (batch,))
            self._ids_kept -= n

    # -- labels that come by themselves ----------------------------------------------------------

    def rows_from(self, row: int, limit: int) -> list[tuple[int, int, float]]:
        """`(row, page, event_time)` of edits from `row` on."""
        with _told(self.path):
            return self._db.execute(
                "SELECT row, page, event_time FROM edits WHERE row >= ? ORDER BY row LIMIT ?",
                (row, limit),
            ).fetchall()

    def requeued(self, limit: int) -> list[Requeued]:
        """Dead letters sent back by an operator, oldest first, all of one source."""
        with _told(self.path):
            rows = self._db.execute(
                "SELECT id, source, position, raw FROM dead_letters WHERE requeued = 1"
                " ORDER BY id LIMIT ?",
                (limit,),
            ).fetchall()
        letters = [Requeued(*row) for row in rows]
        return [letter for letter in letters if letter.source == letters[0].source]

    def kept_row(self) -> int:
        """The first row that was not yet looked at for being kept."""
        return self._row_number("kept_row")

    # -- AlertReader -----------------------------------------------------------------------------

    def last_seq(self) -> int:
        if self._writer is not None:
            return self._last_seq
        return self._number("SELECT coalesce(max(seq), 0) FROM alerts")

    def log(self, after_seq: int, limit: int, where: AlertFilter = AlertFilter()) -> list[StoredAlert]:
        condition, values = _where(where, of_log=True)
        return self._alerts(
            f"SELECT seq, body FROM alerts WHERE seq > ? {condition} ORDER BY seq LIMIT ?",
            (after_seq, *values, limit),
        )

    def current(
        self, limit: int, before_seq: int | None = None, where: AlertFilter = AlertFilter()
    ) -> list[StoredAlert]:
        condition, values = _where(where, of_log=False)
        return self._alerts(
            "SELECT n.seq, a.body FROM alerts_now n JOIN alerts a ON a.seq = n.seq"
            f" WHERE n.seq < ? {condition} ORDER BY n.seq DESC LIMIT ?",
            (before_seq if before_seq is not None else 1 << 62, *values, limit),
        )

    def history(self, alert_id: str) -> list[StoredAlert]:
        return self._alerts("SELECT seq, body FROM alerts WHERE alert_id = ? ORDER BY seq", (alert_id,))

    def count_open(self) -> int:
        return self._number("SELECT count(*) FROM alerts_now WHERE status IN ('open', 'updated')")

    # -- SinkCursors ------------------------------------------------------------------------------

    def get(self, sink: str) -> int:
        return self._number("SELECT coalesce(max(seq), 0) FROM sink_cursors WHERE sink = ?", (sink,))

    def set(self, sink: str, seq: int) -> None:
        """From a sink's own thread, in a transaction of its own."""
        with _told(self.path), self._readers.borrowed() as connection:
            connection.execute("REPLACE INTO sink_cursors VALUES (?, ?)", (sink, seq))

    # -- the end ---------------------------------------------------------------------------------

    def close(self) -> None:
        self._readers.close()
        if self._writer is not None:
            if self._journal.is_behind:
                with contextlib.suppress(FactwatchError, sqlite3.Error):  # the next start does it, then
                    self.settle_states()
            self._writer.close()
            self._writer = None
        if self._lock_file is not None:
            os.close(self._lock_file)
            self._lock_file = None

    def query(self, sql: str, values: Iterable[object] = ()) -> list[tuple[object, ...]]:
        """Reading beyond the above, for reports: SQL of our own only, values bound."""
        return self._read(sql, tuple(values))

    def _read(self, sql: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        with _told(self.path), self._readers.borrowed() as reader:
            return reader.execute(sql, values).fetchall()

    def _number(self, sql: str, values: tuple[object, ...] = ()) -> int:
        return _decoded(_as_number, self._read(sql, values)[0][0], self.path)

    def _alerts(self, sql: str, values: tuple[object, ...]) -> list[StoredAlert]:
        return [
            StoredAlert(seq, _decoded(_decode_alert, body, self.path))
            for seq, body in self._read(sql, values)
        ]

    @property
    def _db(self) -> sqlite3.Connection:
        assert self._writer is not None, "opened read-only, or closed"
        return self._writer

    def _load_many(
        self,
        table: str,
        ids: Sequence[int],
        decode: Callable[[bytes], _T],
        held: Mapping[int, bytes] = MappingProxyType({}),
    ) -> dict[int, _T]:
        """`held`: what is newer than the table."""
        raw = dict(held)
        with _told(self.path):
            raw.update(
                self._db.execute(
                    f"SELECT id, state FROM {table} WHERE id IN (SELECT value FROM json_each(?))",
                    (_encode_json([key_id for key_id in ids if key_id not in raw]),),
                )
            )
        return {key_id: _decoded(decode, state, self.path) for key_id, state in raw.items()}

    def _meta(self, name: str) -> bytes | int | None:
        with _told(self.path):
            row = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else row[0]

    def _row_number(self, name: str) -> int:
        value = self._meta(name)
        return 1 if value is None else _decoded(_as_number, value, self.path)

    def _refuse_empty(self) -> None:
        """SQLite takes a file of 0 bytes for a new one. What cut it short took everything along."""
        if self.path.exists() and self.path.stat().st_size == 0:
            raise StoreCorrupt(f"{self.path}: empty, which a state file never is; restore it from a"
                               " backup, or remove it to start anew")  # fmt: skip

    def _connect(self, *, cache_kib: int) -> sqlite3.Connection:
        db = sqlite3.connect(
            self.path, timeout=30, isolation_level=None, check_same_thread=False, cached_statements=64
        )
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        # A page of the file that batch after batch changes is written back once for many of them.
        db.execute("PRAGMA wal_autocheckpoint = 16000")
        db.execute(f"PRAGMA cache_size = -{cache_kib}")
        db.execute("PRAGMA temp_store = MEMORY")
        # Debian's default is on: what leaves the journal would be written once more, as zeros.
        db.execute("PRAGMA secure_delete = OFF")
        return db

    def _take_lock(self) -> None:
        handle = os.open(self.path.with_name(self.path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise BadSetting(
                f"{self.path}: another factwatch writes there"
                " (stop it, or set FACTWATCH_DATA_DIR to another directory)"
            ) from None
        self._lock_file = handle

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


class _Readers:
    """Connections for reading, made when wanted and lent to one thread at a time. Not one a thread:
    threads come and go, and what they held would stay open."""

    def __init__(self, connect: Callable[[], sqlite3.Connection], path: Path) -> None:
        self._connect = connect
        self._path = path
        self._closed = False
        self._lock = threading.Lock()
        # Last in, first out: the places without a connection yet are taken last.
        self._free: queue.LifoQueue[sqlite3.Connection | None] = queue.LifoQueue(READERS)
        for _ in range(READERS):
            self._free.put(None)

    @contextmanager
    def borrowed(self) -> Iterator[sqlite3.Connection]:
        reader = self._free.get()
        intact = False
        try:
            if self._closed:
                raise BadSetting(f"{self._path}: closed already")
            if reader is None:
                reader = self._connect()
            yield reader
            intact = True
        finally:
            with self._lock:
                if reader is not None and (self._closed or not intact):
                    reader.close()
                    reader = None
                self._free.put(reader)

    def close(self) -> None:
        """Those that are lent are closed when they come back."""
        with self._lock:
            self._closed = True
            free = []
            with contextlib.suppress(queue.Empty):
                while True:
                    free.append(self._free.get_nowait())
            for reader in free:
                if reader is not None:
                    reader.close()
                self._free.put(None)


_INSERT_EDIT = "INSERT INTO edits (row, page, rev_id, event_time, risk, flags) VALUES (?, ?, ?, ?, ?, ?)"

_PAGE = msgspec.msgpack.Decoder(PageState)
_WORDS = msgspec.msgpack.Decoder(PackedWords)
_PERFORMER = msgspec.msgpack.Decoder(PerformerState)
_EPISODE = msgspec.msgpack.Decoder(EpisodeState)
_WATERMARK = msgspec.msgpack.Decoder(Watermark)

_Number = Annotated[int, msgspec.Meta(ge=0, le=1 << 62)]


def _as_number(value: object) -> int:
    return msgspec.convert(value, _Number)


def _as_texts(rows: object) -> list[tuple[str]]:
    return msgspec.convert(rows, list[tuple[str]])


def _as_deadlines(rows: object) -> list[tuple[str, float | None]]:
    return msgspec.convert(rows, list[tuple[str, float | None]])


def _many(db: sqlite3.Connection, sql: str, rows: Iterable[tuple[object, ...]], of: object) -> None:
    if of:
        db.executemany(sql, rows)


def _where(where: AlertFilter, *, of_log: bool) -> tuple[str, list[str]]:
    """Conditions on `alerts_now`; of the log, on the state change itself."""
    prefix = "json_extract(body, '$.{}')" if of_log else "n.{}"
    parts: list[str] = []
    values: list[str] = []
    for column, wanted in (
        ("kind", [str(kind) for kind in where.kinds]),
        ("status", [str(status) for status in where.statuses]),
        ("wiki", [where.wiki] if where.wiki is not None else []),
        ("title", [where.title] if where.title is not None else []),
    ):
        if wanted:
            marks = ", ".join("?" * len(wanted))
            parts.append(f" AND {prefix.format(column)} IN ({marks})")
            values.extend(wanted)
    return "".join(parts), values


def _decoded(decode: Callable[..., _T], raw: object, path: Path) -> _T:
    try:
        return decode(raw)
    except (msgspec.DecodeError, TypeError, ValueError) as err:
        raise StoreCorrupt(f"{path}: a state in it can't be read ({err}); restore it from a backup,"
                           " or start anew in an empty FACTWATCH_DATA_DIR") from err  # fmt: skip


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """SQLite's errors as ours: one line that says what to do."""
    try:
        yield
    except sqlite3.DatabaseError as err:
        said = " ".join(str(err).split())[:300]  # text of the file may be in it
        if isinstance(err, sqlite3.OperationalError) and not said.startswith("Could not decode"):
            if "full" in said or "disk I/O" in said:
                raise StoreFull(f"{path}: the disk took no more ({said}); nothing of this batch was"
                                " written: free some space and start again") from err  # fmt: skip
            if "locked" in said or "unable to open" in said or "readonly" in said:
                raise BadSetting(f"{path}: {said}") from err
        # Of our own SQL, all else is of the file: a table that is not there, text that is none.
        raise StoreCorrupt(f"{path}: {said}; restore it from a backup, or start anew in an empty"
                           " FACTWATCH_DATA_DIR") from err  # fmt: skip
