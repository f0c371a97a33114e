"""Where what was seen live is kept: the archive of workers, where one is set, else the store of `run`."""

from __future__ import annotations

from models.seen import SeenRows
from streams.cli.archive import archive_extra, database_of
from streams.cli.places import store_path
from streams.errors import BadSetting
from streams.settings import Settings
from streams.store.seen_rows import read_seen_rows
from streams.store.sqlite import SCHEMA_VERSION, SqliteStore


def seen_rows(settings: Settings, feature_set: str) -> SeenRows:
    """What FACTWATCH_DATABASE_URL names comes first."""
    if settings.database_url:
        with archive_extra():
            from streams.archive.training_rows import read_archived_rows
        return read_archived_rows(database_of(settings), feature_set)
    store = SqliteStore(store_path(settings), read_only=True)
    try:
        if store.query("PRAGMA user_version") != [(SCHEMA_VERSION,)]:
            raise BadSetting(
                f"{store.path}: made by another version of factwatch, which kept nothing to learn from"
            )
        return read_seen_rows(store, feature_set)
    finally:
        store.close()
