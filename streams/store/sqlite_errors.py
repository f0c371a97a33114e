"""SQLite's errors, and states that can't be read, as ours: one line that says what to do."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec

from streams.errors import BadSetting, FactwatchError, StoreCorrupt

_T = TypeVar("_T")


class StoreFull(FactwatchError):
    """The disk took no more. Nothing of the batch was written."""

    exit_code = 8


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Around every call of SQLite. Raises `StoreFull`, `BadSetting` or `StoreCorrupt`."""
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


def decoded(decode: Callable[..., _T], raw: object, path: Path) -> _T:
    """What `decode` makes of something read from the file. Raises `StoreCorrupt`."""
    try:
        return decode(raw)
    except (msgspec.DecodeError, TypeError, ValueError) as err:
        raise StoreCorrupt(f"{path}: a state in it can't be read ({err}); restore it from a backup,"
                           " or start anew in an empty FACTWATCH_DATA_DIR") from err  # fmt: skip
