"""The sample of edits to learn from, in the archive: written with their labels, bounded, and read joined with
the labels they have by now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import sqlalchemy as sa

from models.seen import SETTLED_AFTER_S, SeenRows
from streams.archive import tables
from streams.archive.database import Database
from streams.archive.verdicts import LABEL_NOW
from streams.partitions import page_key
from streams.records import Label, LabelKind
from streams.store.batch_rows import training_bytes
from streams.store.keys import state_id
from streams.store.seen_rows import MOST_ROWS, SeenRow, collected

#: Rows that one look lets go of.
ROWS = 10_000
_ROWS_AT_ONCE = 5_000


class Bounds(NamedTuple):
    days: float
    """Behind the newest, in event time."""
    size: float
    """In bytes, about: what is oldest leaves first."""


def rows_of(labels: Iterable[Label]) -> list[dict[str, Any]]:
    """One for each edit among them that is in the sample."""
    found = {
        (label.wiki, label.rev_id): {
            "wiki": label.wiki,
            "rev_id": label.rev_id,
            "event_time": label.event_time,
            "weight": label.seen.weight,
            "model": label.seen.model,
            "feature_set": label.seen.feature_set,
            "features": label.seen.features,
            "model_risk": label.model_risk,
        }
        for label in labels
        if label.seen is not None
    }
    return list(found.values())


def forget_old(db: sa.Connection, bounds: Bounds) -> int:
    """How many left; `ROWS`: there may be more."""
    table = tables.training_rows
    count, newest, size = db.execute(
        sa.select(
            sa.func.count(),
            sa.func.max(table.c.event_time),
            sa.func.sum(sa.func.length(table.c.features)),
        )
    ).one()
    if not count:
        return 0
    before = newest - bounds.days * 86_400.0
    too_much = size + count * training_bytes(0) - bounds.size
    oldest = db.execute(
        sa.select(table.c.wiki, table.c.rev_id, table.c.event_time, sa.func.length(table.c.features))
        .order_by(table.c.event_time)
        .limit(ROWS)
    ).all()
    gone = []
    for wiki, rev_id, event_time, features in oldest:
        if event_time >= before and too_much <= 0:
            break
        too_much -= training_bytes(features)
        gone.append({"of": wiki, "revision": rev_id})
    if gone:
        db.execute(
            sa.delete(table).where(
                table.c.wiki == sa.bindparam("of"), table.c.rev_id == sa.bindparam("revision")
            ),
            gone,
        )
    return len(gone)


def read_archived_rows(database: Database, feature_set: str, most: int = MOST_ROWS) -> SeenRows:
    """As `read_seen_rows` of a store. Raises `ArchiveUnavailable`."""
    engine = database.reader()
    try:
        with database.told(), engine.connect() as db:
            passed = db.scalar(sa.select(sa.func.max(tables.labels.c.labelled_time))) or 0.0
            return collected(
                _newest(db), feature_set, passed - SETTLED_AFTER_S, most, str(database.place)
            )
    finally:
        engine.dispose()


def _newest(db: sa.Connection) -> Iterator[SeenRow]:
    """By pages: a cursor of the server's would want a transaction, which a reader has none of."""
    rows, labels = tables.training_rows, tables.labels
    place = (rows.c.event_time, rows.c.wiki, rows.c.rev_id)
    asked = (
        sa.select(
            *place,
            labels.c.title,
            sa.func.coalesce(rows.c.model_risk, labels.c.revert_risk, 0.0).label("risk"),
            LABEL_NOW.label("label"),
            rows.c.weight,
            rows.c.model,
            rows.c.feature_set,
            rows.c.features,
        )
        .join_from(rows, labels, sa.and_(rows.c.wiki == labels.c.wiki, rows.c.rev_id == labels.c.rev_id))
        .order_by(*(column.desc() for column in place))
        .limit(_ROWS_AT_ONCE)
    )
    found = db.execute(asked).all()
    while found:
        for one in found:
            yield SeenRow(
                one.rev_id,
                one.wiki,
                state_id(page_key(one.wiki, one.title)),
                one.event_time,
                one.risk,
                one.weight,
                one.model,
                one.feature_set,
                bytes(one.features),
                LabelKind(one.label) if one.label is not None else None,
            )
        last = (one.event_time, one.wiki, one.rev_id)
        found = db.execute(asked.where(sa.tuple_(*place) < sa.tuple_(*map(sa.literal, last)))).all()
