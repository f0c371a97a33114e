"""The rows that a batch writes, in the transaction its caller opened: all of it but the states of pages
and performers, which go through the journal, and the ids of events."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from operator import attrgetter

import msgspec

from streams.posts import post_key
from streams.store.batch import KEPT_AFTER_S, Batch, TrainingRow
from streams.store.keys import state_id
from streams.store.state_journal import Row, Table

#: Of a row of `training_rows` beside its features: numbers, names, SQLite's own.
TRAINING_ROW_BYTES = 96

_encode = msgspec.msgpack.Encoder().encode
_encode_json = msgspec.json.Encoder().encode


def state_rows(batch: Batch) -> dict[Table, dict[int, Row]]:
    """For the journal: states with the event time of their last edit."""
    return {
        "pages": {
            key: (page.entries[-1].event_time if page.entries else page.first_time, _encode(page))
            for key, page in batch.pages.items()
        },
        "performers": {
            key: (performer.last_time, _encode(performer)) for key, performer in batch.performers.items()
        },
    }


def write_words(db: sqlite3.Connection, batch: Batch) -> None:
    """Not through the journal: a memory of up to 200 KB is in one piece wherever it is written."""
    _many(db, "REPLACE INTO page_words VALUES (?, ?)", (
        (key, _encode(words.pack())) for key, words in batch.words.items()
    ), batch.words)  # fmt: skip


def drop_words(db: sqlite3.Connection, pages: list[int]) -> None:
    """A page that is dropped takes its words along."""
    _many(db, "DELETE FROM page_words WHERE id = ?", ((key_id,) for key_id in pages), pages)


def write_episodes(db: sqlite3.Connection, batch: Batch) -> None:
    for key, episode in batch.episodes.items():
        if episode is None:
            db.execute("DELETE FROM episodes WHERE id = ?", (key,))
        else:
            db.execute(
                "REPLACE INTO episodes VALUES (?, ?, ?, ?)",
                (key, episode.key, episode.next_deadline, _encode(episode)),
            )


def write_edits(db: sqlite3.Connection, batch: Batch) -> None:
    """Edits as scored, then labels of these and earlier ones."""
    _many(
        db,
        "INSERT INTO edits (row, page, rev_id, event_time, risk, model_risk, flags, challenger_risk)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (
                edit.row,
                edit.page,
                edit.rev_id,
                edit.event_time,
                edit.risk,
                edit.model_risk,
                edit.flags,
                edit.challenger_risk,
            )
            for edit in batch.edits
        ),
        batch.edits,
    )
    _many(
        db,
        "UPDATE edits SET label = ?, labelled_time = ?, reverted_by = ?, evidence = ? WHERE row = ?",
        (
            (label.label, label.labelled_time, label.reverted_by, label.evidence, label.row)
            for label in batch.labels
        ),
        batch.labels,
    )
    taken_back = [(KEPT_AFTER_S, label.row) for label in batch.labels if label.label is None]
    _many(  # one whose two days are over already was kept, then
        db,
        "UPDATE edits SET label = 'kept', labelled_time = event_time + ? WHERE row = ?"
        " AND row < (SELECT value FROM meta WHERE name = 'kept_row')",
        taken_back,
        taken_back,
    )


def write_training_rows(db: sqlite3.Connection, batch: Batch) -> None:
    if not batch.training_rows:
        return
    db.executemany(
        "INSERT INTO training_rows VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
        map(_columns_of, batch.training_rows),
    )
    count_training_bytes(db, sum(training_bytes(len(row.features)) for row in batch.training_rows))


def training_bytes(features: int) -> int:
    """Room that a row takes whose features take so many bytes: about."""
    return features + TRAINING_ROW_BYTES


def count_training_bytes(db: sqlite3.Connection, more: int) -> None:
    """Kept as a number: to add it up would read the whole table."""
    db.execute(
        "INSERT INTO meta VALUES ('training_bytes', ?)"
        " ON CONFLICT (name) DO UPDATE SET value = value + excluded.value",
        (more,),
    )


def write_kept(db: sqlite3.Connection, batch: Batch) -> int:
    """Labels that come by themselves; how many. After `write_edits`."""
    if batch.kept_rows is None:
        return 0
    kept = db.execute(
        "UPDATE edits SET label = 'kept', labelled_time = event_time + ?"
        " WHERE row >= ? AND row < ? AND event_time <= ? AND label IS NULL",
        (KEPT_AFTER_S, *batch.kept_rows),
    ).rowcount
    db.execute("REPLACE INTO meta VALUES ('kept_row', ?)", (batch.kept_rows.below,))
    return kept


def write_alerts(db: sqlite3.Connection, batch: Batch, last_seq: int) -> int:
    """State changes behind `last_seq` in the log; the last number that one got."""
    seq = last_seq
    for alert in batch.alerts:
        written = db.execute(
            "INSERT INTO alerts VALUES (?, ?, ?, ?) ON CONFLICT (ce_id) DO NOTHING",
            (seq + 1, alert.alert_id, alert.ce_id, _encode_json(alert)),
        ).rowcount
        if not written:
            continue  # this state change was told before: a feed gave one revision twice
        seq += 1
        db.executemany(
            "INSERT OR IGNORE INTO alert_posts VALUES (?, ?)",
            [(state_id(post_key(post.platform, post.post_id)), seq) for post in alert.posts],
        )
        db.execute(
            "REPLACE INTO alerts_now VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                alert.alert_id,
                seq,
                alert.kind,
                alert.status,
                alert.wiki,
                alert.title,
                alert.event_time,
            ),
        )
    return seq


def write_dead_letters(db: sqlite3.Connection, batch: Batch, arrived: float) -> None:
    """Those of the batch, dated `arrived`; those that it processed again go."""
    _many(
        db,
        "INSERT INTO dead_letters (source, stage, reason, message, position, time, raw)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            (batch.source, dead.stage, dead.reason, dead.message, dead.position, arrived, dead.raw)
            for dead in batch.dead_letters
        ),
        batch.dead_letters,
    )
    _many(
        db,
        "DELETE FROM dead_letters WHERE id = ?",
        ((row,) for row in batch.requeued),
        batch.requeued,
    )


def write_counters(db: sqlite3.Connection, batch: Batch) -> None:
    _many(
        db,
        "INSERT INTO counters VALUES (?, ?, ?)"
        " ON CONFLICT (source, outcome) DO UPDATE SET n = n + excluded.n",
        ((batch.source, outcome, n) for outcome, n in batch.outcomes.items()),
        batch.outcomes,
    )
    if batch.requeued:  # they were counted as dead letters when they first came
        db.execute(
            "UPDATE counters SET n = n - ? WHERE source = ? AND outcome = 'dead_lettered'",
            (len(batch.requeued), batch.source),
        )


def write_place(db: sqlite3.Connection, batch: Batch) -> None:
    """Where the next start goes on."""
    if batch.cursor is not None:
        db.execute("REPLACE INTO cursors VALUES (?, ?)", (batch.source, batch.cursor))
    if batch.watermark is not None:
        db.execute("REPLACE INTO meta VALUES ('watermark', ?)", (_encode(batch.watermark),))
    db.execute("REPLACE INTO meta VALUES ('next_row', ?)", (batch.next_row,))


_columns_of = attrgetter(*TrainingRow.__struct_fields__)


def _many(db: sqlite3.Connection, sql: str, rows: Iterable[tuple[object, ...]], of: object) -> None:
    if of:
        db.executemany(sql, rows)
