"""The archive keeps what the topics said, once, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.archive import erasing, tables
from streams.archive.database import ArchiveUnavailable, Database, TroubleKind
from streams.archive.delivered import Delivered, Partition
from streams.archive.migrate import migrate, newest, version
from streams.archive.reader import ArchiveReader
from streams.archive.writer import ArchiveWriter, Position, PositionsMoved
from streams.errors import BadSetting, StoreCorrupt
from streams.posts import PostsGone
from streams.records import (
    Alert,
    AlertKind,
    AlertStatus,
    Grade,
    LabelKind,
    PageStatusKind,
    PostRef,
    Verdict,
)
from streams.store.reader import AlertFilter
from streams.topics import ALERTS, LABELS, PAGE_STATUS, POSTS_GONE, VERDICTS
from tests.archive_world import NOW, Logs, deliver, empty, label, rows, said, status
from tests.memory_alerts import StoreAlerts
from tests.sample_alerts import HOSTILE_TITLE, a_day, resolved, sample_alert


@contextlib.contextmanager
def postgres_database(address: str, name: str) -> Iterator[Database]:
    """A database of one's own on the server."""
    admin = sa.create_engine(
        sa.make_url(address).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT"
    )
    with admin.connect() as db:
        db.exec_driver_sql(f'DROP DATABASE IF EXISTS "{name}"')
        db.exec_driver_sql(f'CREATE DATABASE "{name}"')
    try:
        url = sa.make_url(address).set(database=name)
        yield Database(url.render_as_string(hide_password=False))
    finally:
        with admin.connect() as db:
            db.exec_driver_sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        admin.dispose()


@pytest.fixture(params=["sqlite", "postgres"])
def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Without tables."""
    if request.param == "sqlite":
        yield Database(f"sqlite:///{tmp_path}/new directory/archive 100%.sqlite")
        return
    with postgres_database(request.getfixturevalue("postgres"), "factwatch_contract") as database:
        yield database


@pytest.fixture
def database(fresh: Database) -> Database:
    migrate(fresh)
    return fresh


@pytest.fixture
def writer(database: Database) -> Iterator[ArchiveWriter]:
    writer = ArchiveWriter(database)
    yield writer
    writer.close()


@pytest.fixture
def reader(database: Database) -> Iterator[ArchiveReader]:
    reader = ArchiveReader(database)
    yield reader
    reader.close()


def query(database: Database, sql: str) -> list[tuple[Any, ...]]:
    engine = database.writer()
    with engine.begin() as db:
        result = db.exec_driver_sql(sql)
        found = [tuple(row) for row in result] if result.returns_rows else []
    engine.dispose()
    return found


# -- migrations ----------------------------------------------------------------------------------


def test_migrations_make_the_tables_of_the_code_and_a_second_run_changes_nothing(
    fresh: Database,
) -> None:
    with pytest.raises(ArchiveUnavailable) if fresh.is_sqlite else contextlib.nullcontext():
        assert version(fresh) is None  # reading makes no file
    assert migrate(fresh) == newest()
    assert migrate(fresh) == newest() == version(fresh)
    engine = fresh.writer()
    with engine.connect() as db:
        context = MigrationContext.configure(
            db, opts={"version_table": tables.VERSION_TABLE, "compare_type": True}
        )
        assert compare_metadata(context, tables.METADATA) == []
    engine.dispose()


def test_rows_survive_a_migration_run_again(database: Database, writer: ArchiveWriter) -> None:
    logs = Logs()
    deliver(writer, logs.alert(sample_alert(1)))
    before = rows(database)
    writer.close()
    migrate(database)
    assert rows(database) == before


def test_a_newer_database_is_refused_with_a_line(database: Database) -> None:
    query(database, f"UPDATE {tables.VERSION_TABLE} SET version_num = '9999'")
    for look in (migrate, version):
        with pytest.raises(BadSetting, match="made by a newer factwatch") as refused:
            look(database)
        assert "\n" not in str(refused.value)


def test_a_migration_that_fails_leaves_nothing(fresh: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    # Alembic reads the file anew: what fails must be below it.
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("named crash point")

    monkeypatch.setattr("alembic.op.create_index", fail)
    with pytest.raises(RuntimeError, match="named crash point"):
        migrate(fresh)
    monkeypatch.undo()
    assert version(fresh) is None
    assert migrate(fresh) == newest()


# -- what a record does --------------------------------------------------------------------------


def test_alerts_labels_and_statuses_become_rows(database: Database, writer: ArchiveWriter) -> None:
    alert, logs = sample_alert(1), Logs()
    given_label = label(alert.rev_id, LabelKind.REVERTED, reverted_by=7, revert_risk=0.5, alerted=True)
    outcomes = deliver(
        writer,
        logs.alert(alert),
        logs.alert(resolved(alert)),
        logs.label(given_label),
        logs.status(status("K2", alert.alert_id)),
    )
    assert outcomes == {
        (ALERTS.name, "written"): 2,
        (LABELS.name, "written"): 1,
        (PAGE_STATUS.name, "written"): 1,
    }
    assert query(database, "SELECT seq, alert_id, status FROM alerts ORDER BY seq") == [
        (1, alert.alert_id, "open"),
        (2, alert.alert_id, "resolved"),
    ]
    assert query(database, "SELECT alert_id, seq, status FROM alerts_now") == [
        (alert.alert_id, 2, "resolved")
    ]
    assert query(database, "SELECT rev_id, label, reverted_by, revert_risk FROM labels") == [
        (alert.rev_id, "reverted", 7, 0.5)
    ]
    assert query(database, "SELECT page, status FROM page_status") == [("enwiki:K2", "suspect")]


def test_a_label_taken_back_is_none(database: Database, writer: ArchiveWriter) -> None:
    logs = Logs()
    given_label, taken_back = logs.label(label(5, LabelKind.REVERTED)), logs.label(label(5, None))
    deliver(writer, given_label)
    deliver(writer, taken_back)
    assert query(database, "SELECT rev_id, label FROM labels") == [(5, None)]
    assert deliver(writer, given_label) == {(LABELS.name, "known"): 1}  # a redelivery does not undo it
    assert query(database, "SELECT rev_id, label FROM labels") == [(5, None)]


def test_a_tombstone_closes_a_page_and_an_older_status_does_not_reopen_it(
    database: Database, writer: ArchiveWriter
) -> None:
    logs = Logs()
    opened, closed = logs.status(status("K2", "a")), logs.nothing_open("K2")
    deliver(writer, opened, closed)
    deliver(writer, opened)
    assert query(database, "SELECT page, status, event_time, body FROM page_status") == [
        ("enwiki:K2", None, None, None)
    ]
    reopened = logs.status(status("K2", "b", last_good_rev_id=9))
    deliver(writer, reopened)
    ((body,),) = query(database, "SELECT body FROM page_status")
    assert msgspec.json.decode(body)["alert_ids"] == ["b"]


def test_a_page_that_moved_gives_its_alerts_in_any_order(
    database: Database, writer: ArchiveWriter
) -> None:
    """Its states lie in two partitions, of which the newer may be read first."""
    alert, logs = sample_alert(1), Logs()
    opened = logs.alert(alert, partition=0)
    closed = logs.alert(msgspec.structs.replace(resolved(alert), title="Sagarmatha"), partition=1)
    deliver(writer, closed)
    deliver(writer, opened)
    assert query(database, "SELECT status, title FROM alerts_now") == [("resolved", "Sagarmatha")]


def test_a_topic_made_anew_goes_on(database: Database, writer: ArchiveWriter) -> None:
    """Its offsets begin again at 0: they are newer than the old ones for all that."""
    old, new = Logs(), Logs()
    for n in range(5):
        deliver(writer, old.status(status("K2", f"old {n}")))
    where = Partition(PAGE_STATUS.name, 0)
    record = new.status(status("K2", "new"))
    writer.write([record], writer.positions(), {where: Position(1, 1)}, NOW)
    ((body,),) = query(database, "SELECT body FROM page_status")
    assert msgspec.json.decode(body)["alert_ids"] == ["new"]


def test_a_verdict_becomes_a_row_for_each_edit_and_its_id_is_believed_once(
    database: Database, writer: ArchiveWriter
) -> None:
    logs = Logs()
    first = logs.verdict(said("1", Verdict.DAMAGING, 5, 6, given_by="Ann", note="x\x1b[2J'); --"))
    assert deliver(writer, first, first) == {
        (VERDICTS.name, "written"): 1,
        (VERDICTS.name, "known"): 1,
    }
    again = logs.verdict(said("1", Verdict.GOOD, 6, 7))
    assert deliver(writer, again) == {(VERDICTS.name, "written"): 1}
    asked = "SELECT rev_id, verdict, given_by, note, alert_id, title FROM verdicts ORDER BY rev_id"
    assert query(database, asked) == [
        (5, "damaging", "Ann", "x\x1b[2J'); --", "a", "Mount Everest"),
        (6, "damaging", "Ann", "x\x1b[2J'); --", "a", "Mount Everest"),
        (7, "good", "", "", "a", "Mount Everest"),
    ]


def judged(*rev_ids: int, **fields: Any) -> bytes:
    return msgspec.json.encode(said("1", Verdict.GOOD, *rev_ids, **({"title": "K2"} | fields)))


@pytest.mark.parametrize(
    ("topic", "key", "value", "why"),
    [
        (ALERTS.name, b"enwiki:K2", b"{}", "no CloudEvent"),
        (LABELS.name, b"enwiki:K2", b"{", "truncated"),
        (LABELS.name, b"enwiki:K2", None, "0 bytes"),
        (LABELS.name, b"enwiki:K2", msgspec.json.encode(label(5, None)), "key is not the page"),
        (LABELS.name, None, msgspec.json.encode(label(1 << 63, None)), "beyond 64 bits"),
        (LABELS.name, None, msgspec.json.encode(label(5, None, title="a\0b")), "NUL"),
        (LABELS.name, None, msgspec.json.encode(label(5, None, title="x" * 700)), "longer"),
        (VERDICTS.name, b"enwiki:K2", b"{}", "missing required field"),
        (VERDICTS.name, None, judged(5), "key is not the page"),
        (VERDICTS.name, b"enwiki:K2", judged(), "on no edit"),
        (VERDICTS.name, b"enwiki:K2", judged(1 << 63), "beyond 64 bits"),
        (VERDICTS.name, b"enwiki:K2", judged(5, note="a\0b"), "NUL"),
        (VERDICTS.name, b"enwiki:K2", judged(5, note="x" * 2_001), "note longer"),
        (VERDICTS.name, b"enwiki:K2", judged(5, given_by="x" * 201), "longer than any"),
        (PAGE_STATUS.name, None, b"{}", "no key"),
        (PAGE_STATUS.name, b"\xff", None, "decode"),
        (PAGE_STATUS.name, b"K2", None, "names no page"),
        (PAGE_STATUS.name, b"enwiki:K2", b"\x00\xff", "malformed"),
    ],
)
def test_what_a_topic_should_not_hold_is_kept_aside(
    database: Database,
    writer: ArchiveWriter,
    topic: str,
    key: bytes | None,
    value: bytes | None,
    why: str,
) -> None:
    logs = Logs()
    bad = logs.put(topic, key, value, headers=[("trace", b"\xff")])
    good = logs.alert(sample_alert(1), partition=1)
    for _ in range(2):
        outcomes = deliver(writer, bad, good)
    assert outcomes == {(topic, "rejected"): 1, (ALERTS.name, "known"): 1}
    ((reason, kept_key, kept_value),) = query(database, "SELECT reason, key, value FROM rejects")
    assert why in reason
    assert (kept_key, kept_value) == (key, value)
    assert query(database, "SELECT count(*) FROM alerts") == [(1,)]


def test_hostile_text_is_kept_whole(writer: ArchiveWriter, reader: ArchiveReader) -> None:
    hostile = [
        sample_alert(1, title=HOSTILE_TITLE),
        sample_alert(2, title="'; DROP TABLE alerts; --", comment="a\0b\x1b[2J", performer="\0"),
        sample_alert(3, title="𝔄" * 600, wiki="w" * 64),  # the longest key there is
        sample_alert(4, title="100% %s :x {y} $1 ?"),
    ]
    logs = Logs()
    deliver(writer, *(logs.alert(alert) for alert in hostile))
    assert [stored.alert for stored in reader.log(0, 10)] == hostile
    for alert in hostile:
        found = reader.current(10, None, AlertFilter(title=alert.title, wiki=alert.wiki))
        assert [stored.alert for stored in found] == [alert]


# -- all or nothing ------------------------------------------------------------------------------


def test_a_batch_that_began_elsewhere_writes_nothing(database: Database, writer: ArchiveWriter) -> None:
    """Two archives, a restored backup, a commit whose answer was lost: all look like this."""
    logs = Logs()
    first, second = logs.alert(sample_alert(1)), logs.alert(sample_alert(2))
    before = writer.positions()
    deliver(writer, first)
    stale = {first.where: Position(0, second.position + 1)}
    with pytest.raises(PositionsMoved):
        writer.write([first, second], before, stale, NOW)
    assert len(rows(database)["alerts"]) == 1
    query(database, "DELETE FROM positions")
    with pytest.raises(PositionsMoved):
        writer.write([second], {first.where: Position(0, first.position + 1)}, stale, NOW)
    assert len(rows(database)["alerts"]) == 1


@pytest.mark.parametrize(
    "table", ["alerts", "alerts_now", "labels", "page_status", "verdicts", "rejects", "positions"]
)
def test_a_failure_in_the_middle_leaves_nothing(
    database: Database, writer: ArchiveWriter, table: str
) -> None:
    logs = Logs()
    batch = [
        logs.alert(sample_alert(1)), logs.label(label(5, None)), logs.status(status("K2", "a")),
        logs.put(LABELS.name, None, b"no label"),
        logs.verdict(said("1", Verdict.GOOD, 5)),
    ]  # fmt: skip
    query(database, f"ALTER TABLE {table} RENAME TO hidden")
    with pytest.raises(ArchiveUnavailable) as told:
        deliver(writer, *batch)
    assert told.value.kind is TroubleKind.NO_TABLES
    query(database, f"ALTER TABLE hidden RENAME TO {table}")
    assert not any(rows(database).values())
    assert writer.positions() == {}
    deliver(writer, *batch)
    assert all(rows(database).values())


def test_a_full_disk_is_named_and_leaves_nothing(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/full.sqlite")
    migrate(database)
    writer, logs = ArchiveWriter(database), Logs()
    deliver(writer, logs.alert(sample_alert(1)))
    big = logs.alert(sample_alert(2, comment="x" * 500_000))
    with writer._engine.connect() as db:
        pages = db.exec_driver_sql("PRAGMA page_count").scalar_one()
        db.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    before = rows(database)
    with pytest.raises(ArchiveUnavailable, match="free some space") as told:
        deliver(writer, big)
    assert told.value.kind is TroubleKind.DISK_FULL
    assert rows(database) == before
    with writer._engine.connect() as db:
        db.exec_driver_sql("PRAGMA max_page_count = 100000")
    deliver(writer, big)
    assert len(rows(database)["alerts"]) == 2
    writer.close()


# -- posts that were deleted ---------------------------------------------------------------------


def post_ref(number: int) -> PostRef:
    return PostRef(
        platform="chat",
        post_id=f"post {number}",
        author=f"author {number}",
        url=f"https://chat.example/{number}",
        event_time=NOW,
        grade=Grade.REPEATS_VANDALISED,
        probability=0.9,
        statement=f"Statement {number}, \u0001 as written",
        reach=5,
    )


def post_gone(**what: str) -> PostsGone:
    return PostsGone(platform="chat", event_time=NOW + 60, arrival_time=NOW + 61, **what)


@pytest.mark.parametrize("gone", [post_gone(post_id="post 1"), post_gone(author="author 1")])
@pytest.mark.parametrize("first", ["the alert", "the deletion"])
def test_a_deleted_post_is_named_no_more(
    database: Database, writer: ArchiveWriter, reader: ArchiveReader, gone: PostsGone, first: str
) -> None:
    logs = Logs()
    alert = sample_alert(1, posts=(post_ref(0), post_ref(1)))
    records = [logs.alert(alert), logs.gone(gone)]
    for record in records if first == "the alert" else reversed(records):
        deliver(writer, record)
    again = deliver(writer, *records)
    assert again == {(ALERTS.name, "known"): 1, (POSTS_GONE.name, "known"): 1}
    (stored,) = reader.log(0, 10)
    assert stored.alert == msgspec.structs.replace(alert, posts=(post_ref(0),))
    assert len(query(database, "SELECT post FROM alert_posts")) == 1


def test_an_author_who_has_come_back_is_named_again(
    writer: ArchiveWriter, reader: ArchiveReader
) -> None:
    logs, later = Logs(), msgspec.structs.replace(post_ref(1), event_time=NOW + 3_600)
    deliver(writer, logs.gone(post_gone(author="author 1")))
    deliver(writer, logs.alert(sample_alert(1, posts=(post_ref(1), later))))
    (stored,) = reader.log(0, 10)
    assert stored.alert.posts == (later,)


def test_nothing_of_a_deleted_post_is_left_in_the_file(tmp_path: Path) -> None:
    database, logs = Database(f"sqlite:///{tmp_path}/archive.sqlite"), Logs()
    migrate(database)
    writer = ArchiveWriter(database)
    for number in range(20):
        deliver(writer, logs.alert(sample_alert(number, posts=(post_ref(7), post_ref(8)))))
    files = list(tmp_path.iterdir())
    assert any(b"Statement 7" in file.read_bytes() for file in files)
    deliver(writer, logs.gone(post_gone(post_id="post 7")))
    left = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert not [word for word in (b"Statement 7", b"post 7", b"author 7", b"example/7") if word in left]
    assert b"Statement 8" in left
    writer.close()


def test_a_log_that_somebody_reads_is_cut_when_he_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasing, "ERASE_AGAIN_S", 0.0)
    database, logs = Database(f"sqlite:///{tmp_path}/archive.sqlite"), Logs()
    migrate(database)
    writer, reading = ArchiveWriter(database), database.reader()

    def left() -> bool:
        return any(b"Statement 7" in file.read_bytes() for file in tmp_path.iterdir())

    deliver(writer, logs.alert(sample_alert(1, posts=(post_ref(7),))))
    with reading.connect() as db:
        db.exec_driver_sql("BEGIN")
        db.execute(sa.select(tables.alerts)).all()
        deliver(writer, logs.gone(post_gone(post_id="post 7")))
        assert left()
        db.exec_driver_sql("ROLLBACK")
    deliver(writer, logs.alert(sample_alert(2)))
    assert not left()
    reading.dispose()
    writer.close()


def test_posts_are_named_no_longer_than_they_are_kept(database: Database, reader: ArchiveReader) -> None:
    logs, writer = Logs(), ArchiveWriter(database, post_retention_s=600)
    old = [msgspec.structs.replace(post_ref(n), event_time=NOW - 700) for n in range(3)]
    alert = sample_alert(1, posts=(*old, post_ref(5)))
    deliver(writer, logs.alert(alert))
    deliver(writer, logs.label(label(1, None)))
    (stored,) = reader.log(0, 10)
    assert stored.alert.posts == (post_ref(5),)
    writer.close()


def test_a_deletion_is_remembered_for_a_day(database: Database, writer: ArchiveWriter) -> None:
    logs = Logs()
    for at, post_id in ((0.0, "a"), (90_000.0, "b")):
        record = logs.gone(post_gone(post_id=post_id))
        stored = writer.positions()
        after = {record.where: Position(0, record.position + 1)}
        writer.write([record], stored, after, NOW + at)
    assert len(query(database, "SELECT digest FROM posts_gone")) == 1


# -- any order, any repeats: the same rows -------------------------------------------------------

STATES = (AlertStatus.OPEN, AlertStatus.UPDATED, AlertStatus.UPDATED, AlertStatus.RESOLVED)
PAGES = ("Mount Everest", "K2", "جبل")


GONE = (post_gone(post_id="post 0"), post_gone(post_id="post 1"), post_gone(author="author 2"))


def life(number: int, states: int, **fields: Any) -> list[Alert]:
    """So many state changes of one alert."""
    return [
        sample_alert(number, status=state, ce_id=f"{number:028x}{at:04x}", event_time=NOW + at, **fields)
        for at, state in enumerate(STATES[:states])
    ]


@st.composite
def histories(draw: st.DrawFn) -> Logs:
    """What three pages went through, each in its partition of each topic."""
    logs, number = Logs(), 0
    for partition, title in enumerate(PAGES):
        waiting = []
        for _ in range(draw(st.integers(0, 3))):
            number += 1
            named = tuple(post_ref(n) for n in draw(st.sets(st.integers(0, 3))))
            waiting.append(life(number, draw(st.integers(1, 4)), title=title, posts=named))
        while waiting:
            alerts = waiting[draw(st.integers(0, len(waiting) - 1))]
            logs.alert(alerts.pop(0), partition % 2)
            waiting = [alerts for alerts in waiting if alerts]
        for _ in range(draw(st.integers(0, 4))):
            kind = draw(st.sampled_from((LabelKind.REVERTED, LabelKind.KEPT, None)))
            logs.label(label(draw(st.integers(1, 2)) + 10 * partition, kind, title), partition % 2)
        for at in range(draw(st.integers(0, 4))):
            if draw(st.booleans()):
                logs.nothing_open(title, partition=partition % 2)
            else:
                logs.status(status(title, f"alert {at}"), partition % 2)
        for _ in range(draw(st.integers(0, 3))):
            word, verdict = draw(st.sampled_from(("1", "2"))), draw(st.sampled_from(Verdict))
            edits = draw(st.sets(st.integers(1, 2), min_size=1))
            meant = [edit + 10 * partition for edit in sorted(edits)]
            logs.verdict(said(word, verdict, *meant, title=title), partition % 2)
        for gone in draw(st.lists(st.sampled_from(GONE), max_size=2)):
            logs.gone(gone, partition % 2)
        if draw(st.booleans()):
            logs.put(LABELS.name, None, b"garbage", partition=partition % 2)
    return logs


class Delivery:
    """A consumer at the mercy of a random generator: which partition comes next and how much of it, a
    restart, an answer that is lost, positions that are lost, a record twice in one batch."""

    def __init__(self, logs: Logs, database: Database, rng: random.Random) -> None:
        self._logs = logs
        self._database = database
        self._rng = rng
        self._writer = ArchiveWriter(database)
        self._stored = self._writer.positions()

    def run(self) -> None:
        steps = 0
        while batch := self._next_batch():
            steps += 1
            self._write(batch)
            trouble = self._rng.random()
            if trouble < 0.15:  # the answer was lost: the batch comes again, and is refused
                with pytest.raises(PositionsMoved):
                    self._writer.write(batch, self._old, self._after, NOW)
            elif trouble < 0.3:
                self._writer.close()
                self._writer = ArchiveWriter(self._database)
                self._stored = self._writer.positions()
            elif trouble < 0.4 and steps < 20:
                query(self._database, "DELETE FROM positions")
                self._stored = {}
        self._writer.close()

    def _next_batch(self) -> list[Delivered]:
        batch: list[Delivered] = []
        waiting = [where for where in self._logs.records if self._rest(where)]
        for where in self._rng.sample(waiting, self._rng.randint(min(1, len(waiting)), len(waiting))):
            rest = self._rest(where)
            taken = rest[: self._rng.randint(1, len(rest))]
            batch += taken
            if self._rng.random() < 0.2:
                batch += taken[: self._rng.randint(1, len(taken))]
        return batch

    def _rest(self, where: Partition) -> list[Delivered]:
        position = self._stored.get(where, Position(0, 0)).offset
        return [record for record in self._logs.records[where] if record.position >= position]

    def _write(self, batch: list[Delivered]) -> None:
        after: dict[Partition, Position] = {}
        for record in batch:
            offset = max(after.get(record.where, Position(0, 0)).offset, record.position + 1)
            after[record.where] = Position(0, offset)
        self._old, self._after = dict(self._stored), after
        self._writer.write(batch, self._stored, after, NOW)
        self._stored = self._stored | after


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(logs=histories(), seed=st.integers(0, 2**32))
def test_any_order_across_topics_and_any_repeats_give_the_same_rows(
    database: Database, logs: Logs, seed: int
) -> None:
    empty(database)
    writer = ArchiveWriter(database)
    for where in logs.records:
        deliver(writer, *logs.records[where])
    writer.close()
    plain = rows(database)
    empty(database)
    Delivery(logs, database, random.Random(seed)).run()
    assert rows(database) == plain


# -- reading -------------------------------------------------------------------------------------

FILTERS = [
    AlertFilter(),
    AlertFilter(kinds=(AlertKind.PAGE_CONTESTED, AlertKind.FACT_CORRECTED)),
    AlertFilter(statuses=(AlertStatus.OPEN, AlertStatus.UPDATED)),
    AlertFilter(wiki="enwiki", statuses=(AlertStatus.RESOLVED,)),
    AlertFilter(title="K2"),
    AlertFilter(title="جبل", kinds=(AlertKind.EDIT_SUSPECT,)),
    AlertFilter(title="x' OR '1'='1"),
    AlertFilter(title="a\0b", wiki="\ud800"),
]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(data=st.data())
def test_it_reads_as_the_embedded_store_does(
    database: Database, tmp_path: Path, data: st.DataObject
) -> None:
    empty(database)
    lives = [
        life(
            number,
            data.draw(st.integers(1, 4)),
            title=data.draw(st.sampled_from(PAGES)),
            wiki=data.draw(st.sampled_from(("enwiki", "arwiki"))),
            kind=data.draw(st.sampled_from(AlertKind)),
        )
        for number in range(data.draw(st.integers(0, 6)))
    ]
    told: list[Alert] = []
    while lives := [alerts for alerts in lives if alerts]:
        told.append(data.draw(st.sampled_from(lives)).pop(0))
        if data.draw(st.booleans()):
            told.append(data.draw(st.sampled_from(told)))  # once more
    path = tmp_path / "x.sqlite"
    for file in tmp_path.glob("x.sqlite*"):
        file.unlink()
    store, writer, reader, logs = (
        StoreAlerts(path),
        ArchiveWriter(database),
        ArchiveReader(database),
        Logs(),
    )
    cuts = sorted(data.draw(st.lists(st.integers(0, len(told)), max_size=3)))
    for first, last in zip([0, *cuts], [*cuts, len(told)], strict=True):
        if told[first:last]:
            store.commit(*told[first:last])
            deliver(writer, *(logs.alert(alert) for alert in told[first:last]))
    assert reader.last_seq() == store.last_seq()
    assert reader.count_open() == store.count_open()
    for where in FILTERS:
        if where.wiki == "\ud800":
            assert reader.log(0, 5, where) == reader.current(5, None, where) == []
            continue
        for after in range(store.last_seq() + 2):
            assert reader.log(after, 3, where) == store.log(after, 3, where)
            assert reader.current(3, after, where) == store.current(3, after, where)
        assert reader.current(100, None, where) == store.current(100, None, where)
    for alert in told:
        assert reader.history(alert.alert_id) == store.history(alert.alert_id)
    assert reader.history("none\0") == []
    for each in (store, writer, reader):
        each.close()


def test_the_day_reads_back(writer: ArchiveWriter, reader: ArchiveReader) -> None:
    logs, day = Logs(), a_day(NOW)
    deliver(writer, *(logs.alert(alert) for alert in day))
    assert [(stored.seq, stored.alert) for stored in reader.log(0, 100)] == list(enumerate(day, 1))
    assert reader.last_write_time() == NOW


def test_without_tables_or_file_it_says_what_makes_them(fresh: Database) -> None:
    reader = ArchiveReader(fresh)
    with pytest.raises(ArchiveUnavailable):
        reader.last_seq()
    migrate(fresh)
    assert reader.last_seq() == 0
    query(fresh, "DROP TABLE alerts_now")
    with pytest.raises(ArchiveUnavailable, match="`factwatch archive` makes them"):
        reader.current(5)
    reader.close()


def test_an_alert_that_cant_be_read_is_loud(
    database: Database, writer: ArchiveWriter, reader: ArchiveReader
) -> None:
    deliver(writer, Logs().alert(sample_alert(1)))
    query(database, "UPDATE alerts SET body = '{}'")
    with pytest.raises(StoreCorrupt):
        reader.log(0, 10)


def test_status_kinds_are_what_the_column_holds() -> None:
    assert {str(kind) for kind in PageStatusKind} == {"suspect", "contested"}
