"""Where the archive is: a SQLite file or a PostgreSQL database. Its errors become one line, without
secrets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.pool import ConnectionPoolEntry

from streams.errors import BadSetting, FactwatchError, StoreCorrupt

SETTING = "FACTWATCH_DATABASE_URL"
POSTGRES = "postgresql+psycopg"
#: A database that says nothing counts as gone after these.
CONNECT_S = 3
SILENCE_MS = 10_000
READERS = 8


class TroubleKind(StrEnum):
    """Also the values of the metric label `reason`."""

    UNREACHABLE = "unreachable"
    DISK_FULL = "disk_full"
    NO_TABLES = "no_tables"
    REFUSED = "refused"
    """Whatever else the database says no to: a password, a right, a lock."""


class ArchiveUnavailable(FactwatchError):
    """The database can't be used now; nothing was written. Trying again may help."""

    exit_code = 4

    def __init__(self, kind: TroubleKind, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Database:
    """Makes engines. `url`: `sqlite:///FILE`, `postgresql://USER@HOST/NAME` (also `postgres://` and
    `postgresql+psycopg://`). `password` takes the place of one in the URL. Raises `BadSetting`."""

    def __init__(self, url: str, password: str = "") -> None:
        self._url = _parsed(url)
        if password:
            self._url = self._url.set(password=password)
        self._secrets = [str(self._url.password)] if self._url.password else []
        self.is_sqlite = self._url.get_backend_name() == "sqlite"
        self.place = _place(self._url)
        """For a person: no user, no password, no options."""

    def writer(self) -> sa.Engine:
        """One connection, for one thread. What it begins takes SQLite's write lock at once: a
        transaction that only finds out later that it writes can fail where it should have waited."""
        if self.is_sqlite:
            self._make_directory()
            engine = self._sqlite("rwc", pool_size=1, max_overflow=0)
            sa.event.listen(engine, "begin", _begin_immediate)
            return engine
        return self._postgres(pool_size=1, max_overflow=0)

    def reader(self) -> sa.Engine:
        """For many threads. Every statement sees whole commits and none waits for the writer."""
        if self.is_sqlite:
            return self._sqlite("rw", pool_size=READERS, max_overflow=0, pool_timeout=CONNECT_S)
        return self._postgres(
            pool_size=READERS, max_overflow=0, pool_timeout=CONNECT_S, isolation_level="AUTOCOMMIT"
        )

    def server_time(self) -> float | None:
        """PostgreSQL's clock, Unix seconds. SQLite has ours."""
        if self.is_sqlite:
            return None
        engine = self.reader()
        try:
            with self.told(), engine.connect() as db:
                now = db.scalars(sa.select(sa.extract("epoch", sa.func.clock_timestamp()))).one()
        finally:
            engine.dispose()
        return float(now)

    @contextmanager
    def told(self) -> Iterator[None]:
        """The database's errors as `ArchiveUnavailable` or `StoreCorrupt`."""
        try:
            yield
        except sa.exc.TimeoutError:
            raise ArchiveUnavailable(
                TroubleKind.UNREACHABLE, f"{self.place}: all {READERS} connections are in use"
            ) from None
        except sa.exc.DBAPIError as err:
            raise self._named(err) from None

    def _named(self, err: sa.exc.DBAPIError) -> FactwatchError:
        said = self._said(err.orig)
        code = str(getattr(err.orig, "sqlstate", None) or getattr(err.orig, "sqlite_errorname", ""))
        if code in ("SQLITE_CORRUPT", "SQLITE_NOTADB"):
            return StoreCorrupt(f"{self.place}: {said}; restore it from a backup, or set {SETTING} to"
                                " another place: the topics fill it again as far as they reach back")  # fmt: skip
        kind = kind_of(code, said)
        hints = {
            TroubleKind.UNREACHABLE: "is the database up?",
            TroubleKind.DISK_FULL: "free some space",
            TroubleKind.NO_TABLES: "`factwatch archive` makes them",
            TroubleKind.REFUSED: f"is {SETTING} right?",
        }
        if self.is_sqlite and code == "SQLITE_CANTOPEN" and not Path(self._url.database or "").exists():
            return ArchiveUnavailable(
                TroubleKind.NO_TABLES, f"{self.place}: no such file yet; `factwatch archive` makes it"
            )
        return ArchiveUnavailable(kind, f"{self.place}: {said}; {hints[kind]}")

    def _said(self, error: BaseException | None) -> str:
        """Its words on one line, bounded. Text of the database may be in them; a password must not."""
        said = " ".join(str(error).split())
        for secret in self._secrets:
            said = said.replace(secret, "***")
        return said[:300]

    def _sqlite(self, mode: str, **pool: Any) -> sa.Engine:
        engine = sa.create_engine(
            sa.URL.create(
                "sqlite",
                database=f"file:{quote(str(self._url.database))}",
                query={"mode": mode, "uri": "true"},
            ),
            connect_args={"timeout": CONNECT_S, "check_same_thread": False},
            hide_parameters=True,
            poolclass=sa.QueuePool,
            **pool,
        )
        sa.event.listen(engine, "connect", _prepare_sqlite)
        return engine

    def _postgres(self, **pool: Any) -> sa.Engine:
        ours = {
            "connect_timeout": CONNECT_S,
            "tcp_user_timeout": SILENCE_MS,
            "keepalives_idle": SILENCE_MS // 1_000,
            "application_name": "factwatch",
            "options": f"-c statement_timeout={3 * SILENCE_MS}",
        }
        return sa.create_engine(
            self._url,
            connect_args={name: value for name, value in ours.items() if name not in self._url.query},
            hide_parameters=True,
            pool_pre_ping=True,
            **pool,
        )

    def _make_directory(self) -> None:
        directory = Path(str(self._url.database)).parent
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as err:
            raise BadSetting(f"{SETTING}: {directory}: {err.strerror}") from None


def read_password(file: str) -> str:
    """The file's text without the line's end; "" for no file. Raises `BadSetting`."""
    if not file:
        return ""
    try:
        return Path(file).read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        raise BadSetting(f"FACTWATCH_DATABASE_PASSWORD_FILE: {file} can't be read as text") from None


def _parsed(text: str) -> sa.URL:
    try:
        url = sa.make_url(text)
        backend = url.get_backend_name() if url.drivername != "postgres" else "postgresql"
    except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError, ValueError):
        # Their messages quote pieces of it, and a password may be one.
        raise BadSetting(
            f"{SETTING}: can't be read as an address; write postgresql://USER@HOST/NAME, special"
            " characters percent-encoded, or sqlite:////absolute/file"
        ) from None
    if backend == "sqlite":
        if not url.database or url.database == ":memory:" or url.query or url.host:
            raise BadSetting(f"{SETTING}: wants sqlite:////absolute/file, without options")
        return url
    if url.drivername not in ("postgres", "postgresql", POSTGRES):
        raise BadSetting(f"{SETTING}: wants sqlite:/// or postgresql://")
    if not url.database:
        raise BadSetting(f"{SETTING}: names no database: postgresql://USER@HOST/NAME")
    if "password" in url.query:
        raise BadSetting(f"{SETTING}: put the password into FACTWATCH_DATABASE_PASSWORD_FILE")
    return url.set(drivername=POSTGRES)


def _place(url: sa.URL) -> str:
    if url.get_backend_name() == "sqlite":
        return f"sqlite:///{url.database}"
    host = url.host or str(url.query.get("host", "local socket"))
    return f"postgresql://{host}{f':{url.port}' if url.port else ''}/{url.database}"


def kind_of(code: str, said: str) -> TroubleKind:
    """By PostgreSQL's SQLSTATE or the name of SQLite's result code; "" where there was no connection."""
    if code in ("53100", "SQLITE_FULL") or code.startswith("SQLITE_IOERR") or "No space left" in said:
        return TroubleKind.DISK_FULL
    if code == "42P01" or "no such table" in said:
        return TroubleKind.NO_TABLES
    # psycopg gives no code when there was no connection; 57P: the server is stopping or starting.
    if code[:2] in ("", "08", "53") or code.startswith(("57P", "SQLITE_CANTOPEN")):
        return TroubleKind.UNREACHABLE
    return TroubleKind.REFUSED


def _prepare_sqlite(connection: Any, entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver's own BEGINs come too late
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")  # a deleted post leaves no bytes in freed space


def _begin_immediate(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
