"""Alerts from the archive, for the page and the API: an `AlertReader`."""

from __future__ import annotations

import itertools
import threading
from typing import Any

import msgspec
import sqlalchemy as sa

from streams.archive import tables
from streams.archive.database import ArchiveUnavailable, Database
from streams.errors import StoreCorrupt
from streams.records import Alert, PostRef
from streams.store.reader import AlertFilter, StoredAlert

_decode = msgspec.json.Decoder(Alert).decode
_decode_post = msgspec.json.Decoder(PostRef).decode
_MAX_SEQ = (1 << 63) - 1


class ArchiveReader:
    """Thread-safe. Each read is one statement: it sees whole commits. Raises `ArchiveUnavailable` while
    the database can't be used."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._engine = database.reader()
        self._lock = threading.Lock()
        self._last_seq: int | None = None

    def last_seq(self) -> int:
        """While the database is away, the newest that was seen: who waits for more goes on waiting."""
        try:
            newest = self._number(sa.select(tables.meta.c.value).where(tables.meta.c.name == "last_seq"))
        except ArchiveUnavailable:
            with self._lock:
                if self._last_seq is None:
                    raise
                return self._last_seq
        with self._lock:
            self._last_seq = newest
        return newest

    def log(self, after_seq: int, limit: int, where: AlertFilter = AlertFilter()) -> list[StoredAlert]:
        log = tables.alerts
        return self._alerts(
            sa.select(log.c.seq, log.c.body)
            .where(log.c.seq > after_seq, *_conditions(where, log))
            .order_by(log.c.seq)
            .limit(limit)
        )

    def current(
        self, limit: int, before_seq: int | None = None, where: AlertFilter = AlertFilter()
    ) -> list[StoredAlert]:
        now, log = tables.alerts_now, tables.alerts
        return self._alerts(
            sa.select(now.c.seq, log.c.body)
            .join_from(now, log, now.c.seq == log.c.seq)
            .where(
                now.c.seq < (_MAX_SEQ if before_seq is None else before_seq), *_conditions(where, now)
            )
            .order_by(now.c.seq.desc())
            .limit(limit),
            newest_first=True,
        )

    def history(self, alert_id: str) -> list[StoredAlert]:
        log = tables.alerts
        return self._alerts(
            sa.select(log.c.seq, log.c.body).where(log.c.alert_id == _text(alert_id)).order_by(log.c.seq)
        )

    def count_open(self) -> int:
        now = tables.alerts_now
        return self._number(
            sa.select(sa.func.count()).select_from(now).where(now.c.status.in_(("open", "updated")))
        )

    def last_write_time(self) -> float:
        """Unix seconds of the archive's last sign of life; 0 before the first."""
        meta = tables.meta
        return self._number(sa.select(meta.c.value).where(meta.c.name == "last_write_ms")) / 1_000

    def close(self) -> None:
        self._engine.dispose()

    def _alerts(self, query: sa.Select[Any], *, newest_first: bool = False) -> list[StoredAlert]:
        """`query` gives seq and body; the posts that they name come with them, a row each."""
        alerts, posts = query.subquery("found"), tables.alert_posts
        by_seq = alerts.c.seq.desc() if newest_first else alerts.c.seq
        rows = self._rows(
            sa.select(alerts.c.seq, alerts.c.body, posts.c.body)
            .join_from(alerts, posts, posts.c.seq == alerts.c.seq, isouter=True)
            .order_by(by_seq, posts.c.place)
        )
        try:
            return [
                StoredAlert(seq, _whole(body, [post for _, _, post in of_it if post is not None]))
                for (seq, body), of_it in itertools.groupby(rows, key=lambda row: (row[0], row[1]))
            ]
        except msgspec.DecodeError as err:
            raise StoreCorrupt(
                f"{self._database.place}: an alert in it can't be read ({err}); it may be of a newer"
                " factwatch: install that version"
            ) from err

    def _number(self, query: sa.Select[Any]) -> int:
        return int(self._rows(query)[0][0])

    def _rows(self, query: sa.Select[Any]) -> list[Any]:
        with self._database.told(), self._engine.connect() as db:
            return list(db.execute(query))


def _whole(body: str, posts: list[str]) -> Alert:
    alert = _decode(body)
    if not posts:
        return alert
    return msgspec.structs.replace(alert, posts=tuple(map(_decode_post, posts)))


def _conditions(where: AlertFilter, table: sa.Table) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if where.kinds:
        found.append(table.c.kind.in_([str(kind) for kind in where.kinds]))
    if where.statuses:
        found.append(table.c.status.in_([str(status) for status in where.statuses]))
    if where.wiki is not None:
        found.append(table.c.wiki == _text(where.wiki))
    if where.title is not None:
        found.append(table.c.title == _text(where.title))
    return found


def _text(asked: str) -> str:
    """Postgres refuses a NUL, and a driver what is no Unicode: nothing that is stored holds either, so
    another text that is not stored does as well."""
    return asked.replace("\0", "�").encode("utf-8", "replace").decode()
