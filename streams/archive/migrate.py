"""Bring the archive's tables to this version: in one transaction, by one process at a time."""

from __future__ import annotations

from importlib.resources import files

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from streams.archive.database import SETTING, Database
from streams.archive.tables import VERSION_TABLE
from streams.errors import BadSetting

#: Of Postgres's advisory locks, ours: the word "factwatc" in ASCII.
LOCK = 0x6661637477617463


def migrate(database: Database) -> str:
    """From whatever is there, nothing included; returns the version. SQLite's write lock or Postgres's
    advisory lock lets one process through, the next finds it done. Raises `BadSetting` for a database
    of a newer version and `ArchiveUnavailable`."""
    engine = database.writer()
    try:
        with database.told(), engine.begin() as connection:
            if not database.is_sqlite:
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
            _version(connection, database)
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            found = _version(connection, database)
    finally:
        engine.dispose()
    assert found is not None
    return found


def version(database: Database) -> str | None:
    """What is there; None for no tables. Raises as `migrate` does."""
    engine = database.reader()
    try:
        with database.told(), engine.connect() as connection:
            return _version(connection, database)
    finally:
        engine.dispose()


def newest() -> str:
    """The version that this code reads and writes."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None
    return head


def _version(connection: sa.Connection, database: Database) -> str | None:
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    found = context.get_current_revision()
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if found is not None and found not in known:
        raise BadSetting(
            f"{database.place}: made by a newer factwatch (tables {found[:20]}, this one knows"
            f" {newest()}): install that version, or set {SETTING} to another database"
        )
    return found


def _config() -> Config:
    config = Config()
    # ConfigParser would take a % in the path for an interpolation.
    config.set_main_option(
        "script_location", str(files("streams.archive") / "migrations").replace("%", "%%")
    )
    config.set_main_option("path_separator", "os")
    return config
