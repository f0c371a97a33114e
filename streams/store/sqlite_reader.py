"""What any thread may read of the file: alerts as committed, and where sinks are in their log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec

from streams.records import Alert
from streams.store.reader import AlertFilter, StoredAlert
from streams.store.readers import Readers
from streams.store.sqlite_errors import decoded, told
from streams.store.sqlite_file import connect

_decode_alert = msgspec.json.Decoder(Alert).decode
_Number = Annotated[int, msgspec.Meta(ge=0, le=1 << 62)]


class SqliteReader:
    """An `AlertReader` and the cursors of sinks."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._readers = Readers(lambda: connect(path, cache_kib=4_096), path)

    # -- AlertReader -----------------------------------------------------------------------------

    def last_seq(self) -> int:
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

    # -- SinkCursors -----------------------------------------------------------------------------

    def get(self, sink: str) -> int:
        return self._number("SELECT coalesce(max(seq), 0) FROM sink_cursors WHERE sink = ?", (sink,))

    def set(self, sink: str, seq: int) -> None:
        """From a sink's own thread, in a transaction of its own."""
        with told(self.path), self._readers.borrowed() as connection:
            connection.execute("REPLACE INTO sink_cursors VALUES (?, ?)", (sink, seq))

    def write(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        """Beside the writer, from any thread, durable when it returns: for modules of this package."""
        with told(self.path), self._readers.borrowed() as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(sql, rows)
            connection.execute("COMMIT")

    # -- reports ---------------------------------------------------------------------------------

    def outcomes(self) -> dict[tuple[str, str], int]:
        """Records taken in since the file was made, by source and outcome."""
        rows = self._read("SELECT source, outcome, n FROM counters")
        return {(source, outcome): n for source, outcome, n in rows}

    def query(self, sql: str, values: Iterable[object] = ()) -> list[tuple[object, ...]]:
        """Reading beyond the above, for reports: SQL of our own only, values bound."""
        return self._read(sql, tuple(values))

    def close(self) -> None:
        self._readers.close()

    def _read(self, sql: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        with told(self.path), self._readers.borrowed() as reader:
            return reader.execute(sql, values).fetchall()

    def _number(self, sql: str, values: tuple[object, ...] = ()) -> int:
        return decoded(as_number, self._read(sql, values)[0][0], self.path)

    def _alerts(self, sql: str, values: tuple[object, ...]) -> list[StoredAlert]:
        return [
            StoredAlert(seq, decoded(_decode_alert, body, self.path))
            for seq, body in self._read(sql, values)
        ]


def as_number(value: object) -> int:
    """A number that can only be one of ours. Raises `msgspec.ValidationError`."""
    return msgspec.convert(value, _Number)


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
