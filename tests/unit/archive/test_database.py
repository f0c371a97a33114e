"""Where the archive is: what is taken, what is refused by name, and that no secret is ever told."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from streams.archive.database import ArchiveUnavailable, Database, TroubleKind, kind_of, read_password
from streams.archive.migrate import migrate, version
from streams.errors import BadSetting, FactwatchError, StoreCorrupt
from streams.settings import load_settings

SECRET = "Zauberwort"


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("sqlite:////var/lib/a.sqlite", "sqlite:////var/lib/a.sqlite"),
        ("sqlite:///a.sqlite", "sqlite:///a.sqlite"),
        ("postgres://me:Zauberwort@db.example:5433/facts", "postgresql://db.example:5433/facts"),
        ("postgresql://me@db/facts?sslmode=require", "postgresql://db/facts"),
        ("postgresql://me:Zauber/wort[@db/facts", "postgresql://db/facts"),
        ("postgresql+psycopg://db/facts", "postgresql://db/facts"),
        ("postgresql:///facts?host=/run/postgresql", "postgresql:///run/postgresql/facts"),
    ],
)
def test_addresses_that_are_taken(url: str, place: str) -> None:
    assert load_settings({"FACTWATCH_DATABASE_URL": url}).database_url == url
    assert Database(url).place == place


@pytest.mark.parametrize(
    "url",
    [
        "mysql://me:Zauberwort@db/facts",
        "me:Zauberwort@db/facts",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:///x.sqlite?mode=Zauberwort",
        "postgresql+asyncpg://me:Zauberwort@db/facts",
        "postgresql://me:Zauberwort@db",
        "postgresql://me:Zauberwort@db:port/facts",
        "postgresql://me@db/facts?password=Zauberwort",
    ],
)
def test_addresses_that_are_refused_by_name_without_quoting_them(url: str) -> None:
    with pytest.raises(BadSetting) as refused:  # noqa: PT012 - either says so
        load_settings({"FACTWATCH_DATABASE_URL": url})
        Database(url)
    assert str(refused.value).startswith("FACTWATCH_DATABASE_URL: ")
    assert SECRET not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_password_of_a_file_without_its_line_end(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(" p@ss:w/rd \r\n")
    assert read_password(str(file)) == " p@ss:w/rd "
    assert read_password("") == ""
    file.write_bytes(b"\xff")
    with pytest.raises(BadSetting, match="FACTWATCH_DATABASE_PASSWORD_FILE"):
        read_password(str(file))


def test_what_the_database_says_is_told_without_the_password() -> None:
    database = Database("postgresql://me@db/facts", SECRET)
    assert database._said(RuntimeError(f"bad\noption {SECRET}")) == "bad option ***"
    assert SECRET not in repr(database.__dict__["_url"])


def test_nobody_there_is_unreachable() -> None:
    database = Database(f"postgresql://me:{SECRET}@127.0.0.1:1/facts")
    for look in (version, migrate):
        with pytest.raises(ArchiveUnavailable, match="is the database up") as told:
            look(database)
        assert told.value.kind is TroubleKind.UNREACHABLE
        assert "\n" not in str(told.value)
        assert SECRET not in str(told.value)


@pytest.mark.parametrize(
    ("code", "said", "kind"),
    [
        # PostgreSQL's SQLSTATE, its appendix A
        ("53100", "could not extend file", TroubleKind.DISK_FULL),
        ("XX000", "could not write to file: No space left on device", TroubleKind.DISK_FULL),
        ("53300", "too many connections", TroubleKind.UNREACHABLE),
        ("57P01", "terminating connection due to administrator command", TroubleKind.UNREACHABLE),
        ("57P03", "the database system is starting up", TroubleKind.UNREACHABLE),
        ("08006", "server closed the connection", TroubleKind.UNREACHABLE),
        ("", "connection refused", TroubleKind.UNREACHABLE),
        ("42P01", 'relation "alerts" does not exist', TroubleKind.NO_TABLES),
        ("28P01", "password authentication failed", TroubleKind.REFUSED),
        ("42501", "permission denied for table alerts", TroubleKind.REFUSED),
        # SQLite's extended result codes
        ("SQLITE_FULL", "database or disk is full", TroubleKind.DISK_FULL),
        ("SQLITE_IOERR_WRITE", "disk I/O error", TroubleKind.DISK_FULL),
        ("SQLITE_CANTOPEN", "unable to open database file", TroubleKind.UNREACHABLE),
        ("SQLITE_ERROR", "no such table: alerts", TroubleKind.NO_TABLES),
        ("SQLITE_BUSY", "database is locked", TroubleKind.REFUSED),
    ],
)
def test_what_is_wrong_is_known_by_its_code(code: str, said: str, kind: TroubleKind) -> None:
    assert kind_of(code, said) is kind


def test_a_file_that_is_no_database_is_loud(tmp_path: Path) -> None:
    (tmp_path / "x.sqlite").write_bytes(b"no database at all, whatever its name may say" * 100)
    for look in (version, migrate):
        with pytest.raises(StoreCorrupt):
            look(Database(f"sqlite:///{tmp_path}/x.sqlite"))


def test_a_directory_that_cant_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadSetting, match="FACTWATCH_DATABASE_URL"):
        migrate(Database(f"sqlite:///{tmp_path}/file/below/x.sqlite"))


def test_a_wrong_password_and_a_missing_database_are_told_without_secrets(postgres: str) -> None:
    address = postgres.rpartition("/")[0]
    user, _, rest = address.rpartition("//")[2].partition(":")
    host = rest.rpartition("@")[2]
    for url in (f"postgresql://{user}:{SECRET}@{host}/postgres", f"{address}/no_such_database"):
        with pytest.raises(ArchiveUnavailable) as told:
            migrate(Database(url))
        assert SECRET not in str(told.value)
        assert "Zauberwort" not in str(told.value)
        assert "\n" not in str(told.value)


def test_a_password_from_a_file_opens_the_database(postgres: str) -> None:
    import sqlalchemy as sa

    url = sa.make_url(postgres)
    bare = url.set(password=None).render_as_string()
    database = Database(bare, str(url.password))
    engine = database.reader()
    with database.told(), engine.connect() as db:
        assert db.exec_driver_sql("SELECT 1").scalar_one() == 1
    engine.dispose()


def factwatch(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FACTWATCH_")}
    return subprocess.run(
        [str(Path(sys.executable).parent / "factwatch"), *arguments],
        env=kept | environ, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_doctor_and_migrate_never_show_the_password(tmp_path: Path) -> None:
    url = f"postgresql://me:{SECRET}@127.0.0.1:1/facts"
    environ = {"FACTWATCH_DATABASE_URL": url, "FACTWATCH_DATA_DIR": str(tmp_path)}
    for arguments in (
        ["doctor", "--settings"],
        ["doctor", "--settings", "--json"],
        ["archive", "--migrate"],
    ):
        done = factwatch(*arguments, **environ)
        assert SECRET not in done.stdout + done.stderr
    checked = factwatch(
        "doctor", FACTWATCH_CONTENT="false", FACTWATCH_EVENTSTREAMS_URL="http://127.0.0.1:1/", **environ
    )
    assert "FAIL archive" in checked.stdout
    assert SECRET not in checked.stdout + checked.stderr
    assert done.returncode == 4
    assert done.stderr.startswith("factwatch: postgresql://127.0.0.1:1/facts: ")
    assert done.stderr.count("\n") == 1


def test_migrate_makes_the_default_archive_in_the_data_directory(tmp_path: Path) -> None:
    for _ in range(2):
        done = factwatch("archive", "--migrate", FACTWATCH_DATA_DIR=str(tmp_path))
        checked = factwatch(
            "doctor",
            FACTWATCH_CONTENT="false",
            FACTWATCH_EVENTSTREAMS_URL="http://127.0.0.1:1/",
            FACTWATCH_DATA_DIR=str(tmp_path),
            FACTWATCH_DATABASE_URL=f"sqlite:///{tmp_path}/archive.sqlite",
        )
        assert "archive.sqlite answers: tables of version 0006" in checked.stdout
        assert (done.returncode, done.stderr) == (
            0,
            f"sqlite:///{tmp_path}/archive.sqlite: tables of version 0006\n",
        )
    assert (tmp_path / "archive.sqlite").exists()


def test_without_its_libraries_a_command_names_what_to_install(tmp_path: Path) -> None:
    """Blocked as they would be if they were not there."""
    code = (
        "import sys; sys.modules['sqlalchemy'] = None; sys.argv = ['factwatch', 'api'];"
        "from streams.cli.entry import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "pip install 'factwatch[kafka,archive]'" in done.stderr


def test_errors_of_the_archive_are_ours() -> None:
    assert issubclass(ArchiveUnavailable, FactwatchError)
    assert ArchiveUnavailable(TroubleKind.REFUSED, "x").exit_code == 4
