"""Opening the file: one writer, held by a lock file beside it, and connections set up alike."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from pathlib import Path

from streams.errors import BadSetting, StoreCorrupt


def connect(path: Path, *, cache_kib: int) -> sqlite3.Connection:
    """A connection for reading or writing: WAL, durable commits, transactions begun by hand."""
    db = sqlite3.connect(
        path, timeout=30, isolation_level=None, check_same_thread=False, cached_statements=64
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


def take_lock(path: Path) -> int:
    """Descriptor of the lock file, to be closed at the end. Raises `BadSetting` while another process
    writes there, `OSError` where it can't be made."""
    handle = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise BadSetting(
            f"{path}: another factwatch writes there"
            " (stop it, or set FACTWATCH_DATA_DIR to another directory)"
        ) from None
    return handle


def refuse_empty(path: Path) -> None:
    """SQLite takes a file of 0 bytes for a new one. What cut it short took everything along."""
    if path.exists() and path.stat().st_size == 0:
        raise StoreCorrupt(f"{path}: empty, which a state file never is; restore it from a"
                           " backup, or remove it to start anew")  # fmt: skip
