"""Dead letters of a state file, for its operator: beside a running writer, each call a commit."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import msgspec

from streams.errors import BadInput, BadSetting


class StoredDeadLetter(msgspec.Struct, frozen=True):
    id: int
    source: str
    stage: str
    reason: str
    message: str
    position: str
    time: float
    """Processing time at which it was kept, Unix seconds."""
    requeued: bool
    size: int
    """Bytes of the whole."""
    raw: bytes
    """In a list: the first 200 bytes."""


class DeadLetters:
    """Raises `BadSetting` where there is no state file."""

    def __init__(self, path: Path, *, writes: bool = False) -> None:
        if not path.exists():
            raise BadSetting(f"{path}: no state yet (start `factwatch run` first)")
        mode = "rw" if writes else "ro"
        address = f"{path.resolve().as_uri()}?mode={mode}"
        self._db = sqlite3.connect(address, uri=True, timeout=30, isolation_level=None)
        try:
            self._db.execute("SELECT 1 FROM dead_letters LIMIT 1")
        except sqlite3.DatabaseError as err:
            self._db.close()
            raise BadInput(f"{path}: no state file of factwatch ({err})") from err

    def count(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM dead_letters").fetchone()[0])

    def newest(self, limit: int) -> list[StoredDeadLetter]:
        return self._read("substr(raw, 1, 200)", "ORDER BY id DESC LIMIT ?", limit)

    def get(self, number: int) -> StoredDeadLetter | None:
        found = self._read("raw", "WHERE id = ?", number)
        return found[0] if found else None

    def requeue(self, numbers: Sequence[int] | None) -> int:
        """Mark them (None: all) to be processed again; how many that were."""
        if numbers is None:
            return self._db.execute("UPDATE dead_letters SET requeued = 1 WHERE requeued = 0").rowcount
        self._db.execute("BEGIN IMMEDIATE")
        sent = sum(
            self._db.execute(
                "UPDATE dead_letters SET requeued = 1 WHERE id = ? AND requeued = 0", (number,)
            ).rowcount
            for number in numbers
        )
        self._db.execute("COMMIT")
        return sent

    def _read(self, raw: str, where: str, value: int) -> list[StoredDeadLetter]:
        rows = self._db.execute(
            "SELECT id, source, stage, reason, message, position, time, requeued = 1, length(raw),"
            f" {raw} FROM dead_letters {where}",
            (value,),
        ).fetchall()
        names = StoredDeadLetter.__struct_fields__
        return [
            msgspec.convert(dict(zip(names, row, strict=True)), StoredDeadLetter, strict=False)
            for row in rows
        ]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()
