"""What the topics delivered, written: rows and positions in one transaction, and never twice.

A replay changes nothing: an alert's state change has its `ce_id`, and what a row says of a label, a page
or an alert is replaced only by what is newer. Writers take turns (a locked row), so that `seq` grows in
the order in which commits become visible: whoever reads behind a seq misses nothing.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from streams.archive import redaction, tables, training_rows, verdicts
from streams.archive.database import Database
from streams.archive.delivered import (
    Delivered,
    NothingOpen,
    NotStorable,
    Partition,
    read,
)
from streams.archive.erasing import ERASE_EVERY_S, Eraser
from streams.archive.rows import Row, alert_row, label_row, now_row, reject_row, status_row
from streams.posts import PostsGone
from streams.records import Alert, AlertStatus, EditsVerdict, Label, PageStatus

#: An alert's life goes one way. Its page may move to another title and partition meanwhile, so that its
#: state changes can come in any order.
_RANK = {AlertStatus.OPEN: 0, AlertStatus.UPDATED: 1, AlertStatus.RESOLVED: 2}

#: How often posts that are too old are looked for.
LOOK_EVERY_S = 60.0

Key = tuple[Any, ...]


class Position(NamedTuple):
    """`offset` is the next one to read."""

    generation: int
    offset: int


class Outcome(NamedTuple):
    """What became of a record, for the counters: written, known (nothing new in it) or rejected."""

    topic: str
    outcome: str


class PositionsMoved(Exception):
    """The positions stored are not those the batch began at: another archive writes there, a backup was
    restored, or a commit's answer was lost. Nothing was written; go on from what is stored."""


UNBOUNDED = training_rows.Bounds(math.inf, math.inf)


class ArchiveWriter:
    """For one thread. Everything raises `ArchiveUnavailable` while the database can't be used."""

    def __init__(
        self,
        database: Database,
        post_retention_s: float = math.inf,
        erase_every_s: float = ERASE_EVERY_S,
        training: training_rows.Bounds = UNBOUNDED,
    ) -> None:
        """Alerts name a post as long as `post_retention_s` after it was made, then no more. `training`: how
        much is kept to learn from."""
        self._database = database
        self._post_retention_s = post_retention_s
        self._training = training
        self._looked_s = -math.inf
        self._engine = database.writer()
        self._eraser = Eraser(database, self._engine, erase_every_s)
        self._insert: Any = sqlite.insert if database.is_sqlite else postgresql.insert

    def positions(self) -> dict[Partition, Position]:
        with self._database.told(), self._engine.begin() as db:
            return _positions(db)

    def write(
        self,
        records: Sequence[Delivered],
        before: Mapping[Partition, Position],
        after: Mapping[Partition, Position],
        now: float,
    ) -> Counter[Outcome]:
        """All or nothing. `before`: where the batch began, by partition; one that is not in it was
        never read. `now` (Unix seconds) is noted as the last sign of life. Raises `PositionsMoved`."""
        with self._database.told(), self._engine.begin() as db:
            seq = _locked_seq(db)
            stored = _positions(db)
            if any(stored.get(where) != before.get(where) for where in after):
                raise PositionsMoved
            generations = {where: position.generation for where, position in after.items()}
            outcomes, redacted = self._apply(db, records, seq, generations, round(now * 1_000))
            redacted += self._redact_old(db, now)
            self._upsert(
                db,
                tables.positions,
                (
                    {**where._asdict(), "generation": position.generation, "position": position.offset}
                    for where, position in after.items()
                ),
            )
            _set_meta(db, "last_write_ms", round(now * 1_000))
        self._eraser.after_commit(redacted)
        return outcomes

    def _redact_old(self, db: sa.Connection, now: float) -> int:
        if now - self._looked_s < LOOK_EVERY_S:
            return 0
        redacted = redaction.redact_old(db, now - self._post_retention_s)
        forgotten = training_rows.forget_old(db, self._training)
        if not redacted and forgotten < training_rows.ROWS:  # else there may be more
            self._looked_s = now
        return redacted

    def close(self) -> None:
        self._engine.dispose()

    def _apply(
        self,
        db: sa.Connection,
        records: Sequence[Delivered],
        seq: int,
        generations: dict[Partition, int],
        now_ms: int,
    ) -> tuple[Counter[Outcome], int]:
        """What became of them, and how many stored alerts named a post that was deleted."""
        gone: list[tuple[Delivered, PostsGone]] = []
        alerts: list[tuple[Delivered, Alert]] = []
        labels: list[tuple[Delivered, Label]] = []
        statuses: list[tuple[Delivered, PageStatus | NothingOpen]] = []
        said: list[tuple[Delivered, EditsVerdict]] = []
        rejected: list[Row] = []
        for record in records:
            try:
                found = read(record)
            except NotStorable as err:
                rejected.append(reject_row(record, generations[record.where], str(err)))
                continue
            if isinstance(found, Alert):
                alerts.append((record, found))
            elif isinstance(found, Label):
                labels.append((record, found))
            elif isinstance(found, PostsGone):
                gone.append((record, found))
            elif isinstance(found, EditsVerdict):
                said.append((record, found))
            else:
                statuses.append((record, found))
        outcomes = Counter(Outcome(row["topic"], "rejected") for row in rejected)
        told, redacted = self._forget(db, gone, now_ms)
        outcomes += told
        outcomes += self._write_alerts(db, alerts, seq)
        outcomes += self._write_newest(db, tables.labels, ("written_ms", "position"), (
            (record.where.topic, label_row(record, label)) for record, label in labels
        ))  # fmt: skip
        self._upsert(db, tables.training_rows, training_rows.rows_of(label for _, label in labels))
        outcomes += self._write_newest(db, tables.page_status, ("generation", "position"), (
            (record.where.topic, status_row(record, found, generations[record.where]))
            for record, found in statuses
        ))  # fmt: skip
        for record, verdict in said:
            written = verdicts.write(db, self._insert, record, verdict)
            outcomes[Outcome(record.where.topic, "written" if written else "known")] += 1
        self._upsert(db, tables.rejects, rejected)
        return outcomes, redacted

    def _forget(
        self, db: sa.Connection, gone: Sequence[tuple[Delivered, PostsGone]], now_ms: int
    ) -> tuple[Counter[Outcome], int]:
        """Before the batch's alerts are written, which may name what is gone."""
        outcomes: Counter[Outcome] = Counter()
        if not gone:
            return outcomes, 0
        rows = {row["digest"]: row for row in (redaction.gone_row(one, now_ms) for _, one in gone)}
        self._upsert(db, tables.posts_gone, rows.values())
        redaction.forget_old(db, now_ms)
        redacted = 0
        for record, one in gone:
            named = redaction.redact_stored(db, one)
            redacted += named
            outcomes[Outcome(record.where.topic, "written" if named else "known")] += 1
        return outcomes, redacted

    def _write_alerts(
        self, db: sa.Connection, delivered: Sequence[tuple[Delivered, Alert]], seq: int
    ) -> Counter[Outcome]:
        known = set(
            db.scalars(
                sa.select(tables.alerts.c.ce_id).where(
                    tables.alerts.c.ce_id.in_({alert.ce_id for _, alert in delivered})
                )
            )
        )
        outcomes: Counter[Outcome] = Counter()
        changes: list[Row] = []
        now = self._stored(db, tables.alerts_now, {(alert.alert_id,) for _, alert in delivered})
        newest: dict[Key, Row] = {}
        left = redaction.redact_new(db, [alert for _, alert in delivered])
        stored: list[tuple[int, Alert]] = []
        for (record, _), alert in zip(delivered, left, strict=True):
            if alert.ce_id in known:
                outcomes[Outcome(record.where.topic, "known")] += 1
                continue
            known.add(alert.ce_id)
            outcomes[Outcome(record.where.topic, "written")] += 1
            seq += 1
            changes.append(alert_row(alert, seq))
            stored.append((seq, alert))
            row = now_row(record, alert, seq)
            key = (alert.alert_id,)
            if key not in now or _alert_order(now[key]) <= _alert_order(row):
                now[key] = newest[key] = row
        if changes:
            db.execute(sa.insert(tables.alerts), changes)
            _set_meta(db, "last_seq", seq)
            redaction.store_posts(db, stored)
        self._upsert(db, tables.alerts_now, newest.values())
        return outcomes

    def _write_newest(
        self,
        db: sa.Connection,
        table: sa.Table,
        version: tuple[str, str],
        rows: Iterable[tuple[str, Row]],
    ) -> Counter[Outcome]:
        """Each row by its key, unless what is there has the same or a later version."""
        told = list(rows)
        key_names = [column.name for column in table.primary_key]
        keys = [tuple(row[name] for name in key_names) for _, row in told]
        stored = self._stored(db, table, set(keys))
        newest: dict[Key, Row] = {}
        outcomes: Counter[Outcome] = Counter()
        for key, (topic, row) in zip(keys, told, strict=True):
            there = stored.get(key)
            if there is not None and _version(there, version) >= _version(row, version):
                outcomes[Outcome(topic, "known")] += 1
                continue
            stored[key] = newest[key] = row
            outcomes[Outcome(topic, "written")] += 1
        self._upsert(db, table, newest.values())
        return outcomes

    def _stored(self, db: sa.Connection, table: sa.Table, keys: set[Key]) -> dict[Key, Row]:
        if not keys:
            return {}
        columns = list(table.primary_key)
        found = db.execute(sa.select(table).where(sa.tuple_(*columns).in_(keys))).mappings()
        return {tuple(row[column.name] for column in columns): dict(row) for row in found}

    def _upsert(self, db: sa.Connection, table: sa.Table, rows: Iterable[Row]) -> None:
        values = list(rows)
        if not values:
            return
        insert = self._insert(table)
        others = {
            column.name: insert.excluded[column.name] for column in table.c if not column.primary_key
        }
        db.execute(
            insert.on_conflict_do_update(index_elements=list(table.primary_key), set_=others), values
        )


def _locked_seq(db: sa.Connection) -> int:
    """Holds other writers off until the end of the transaction. (SQLite has its own lock by now.)"""
    meta = tables.meta
    return db.scalars(sa.select(meta.c.value).where(meta.c.name == "last_seq").with_for_update()).one()  # type: ignore[no-any-return]


def _set_meta(db: sa.Connection, name: str, value: int) -> None:
    db.execute(sa.update(tables.meta).where(tables.meta.c.name == name).values(value=value))


def _positions(db: sa.Connection) -> dict[Partition, Position]:
    c = tables.positions.c
    rows = db.execute(sa.select(c.topic, c.partition, c.generation, c.position))
    return {Partition(row[0], row[1]): Position(row[2], row[3]) for row in rows}


def _alert_order(row: Row) -> tuple[int, int, int]:
    return _RANK[AlertStatus(row["status"])], row["written_ms"], row["seq"]


def _version(row: Row, names: tuple[str, str]) -> tuple[int, int]:
    return row[names[0]], row[names[1]]
