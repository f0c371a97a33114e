"""A post is deleted: its bytes leave the files of a real PostgreSQL, not only what SELECT gives."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import pytest
import sqlalchemy as sa
from alembic import command

from streams.archive import erasing, tables
from streams.archive.database import Database
from streams.archive.migrate import _config, migrate
from streams.archive.reader import ArchiveReader
from streams.archive.writer import ArchiveWriter
from streams.posts import PostsGone
from streams.records import Alert, Grade, PostRef
from tests.archive_world import NOW, Logs, deliver
from tests.integration.postgres_server import PostgresServer
from tests.sample_alerts import sample_alert

#: What a post is known by: none of it may be left.
GONE = ("gone-Id-5f1c", "gone-Author-77ab", "gone.example", "gone-Statement-c0de")
STAYS = ("stays-Id-5f1c", "stays-Author-77ab", "stays.example", "stays-Statement-c0de")


def post(words: tuple[str, str, str, str], more: str = "") -> PostRef:
    post_id, author, host, statement = words
    return PostRef(
        platform="chat",
        post_id=post_id,
        author=author,
        url=f"https://{host}/1",
        event_time=NOW,
        grade=Grade.REPEATS_VANDALISED,
        probability=0.9,
        statement=f"{statement} {more}",
    )


def long_text() -> str:
    """So much, and so little to be compressed, that it goes to the TOAST table."""
    return random.Random(7).randbytes(4_000).hex()


def deletion() -> PostsGone:
    return PostsGone(platform="chat", event_time=NOW + 60, arrival_time=NOW + 61, post_id=GONE[0])


class Archive:
    def __init__(self, server: PostgresServer) -> None:
        self.server = server
        self.database = Database(server.url)
        self.logs = Logs()
        self._admin = sa.create_engine(
            sa.make_url(server.url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT"
        )

    def sql(self, *statements: str) -> None:
        with self._admin.connect() as db:
            for statement in statements:
                db.exec_driver_sql(statement)

    def left(self, words: tuple[str, ...], *, with_log: bool = False) -> set[str]:
        """Which of them any file has, once all is on disk."""
        self.sql("CHECKPOINT")
        files = [file for file in self.server.data.rglob("*") if file.is_file()]
        parts = [file.read_bytes() for file in files if with_log or "pg_wal" not in file.parts]
        return {word for word in words if any(word.encode() in part for part in parts)}

    def tell(self, writer: ArchiveWriter, alerts: int = 40) -> None:
        """Alerts that name both posts, one of them at length, and what analyzing makes of them."""
        for number in range(alerts):
            more = long_text() if number % 8 == 7 else ""
            posts = (post(GONE, more), post(STAYS))
            deliver(writer, self.logs.alert(sample_alert(number + 1, posts=posts)))
        self.sql("ANALYZE")
        assert self.left(GONE) == set(GONE)

    def posts(self) -> set[str]:
        reader = ArchiveReader(self.database)
        try:
            return {ref.post_id for stored in reader.log(0, 500) for ref in stored.alert.posts}
        finally:
            reader.close()

    def close(self) -> None:
        self._admin.dispose()


@pytest.fixture
def archive(own_postgres: PostgresServer) -> Iterator[Archive]:
    archive = Archive(own_postgres)
    migrate(archive.database)
    yield archive
    archive.close()


@contextmanager
def writing(archive: Archive, erase_every_s: float = 0.0) -> Iterator[ArchiveWriter]:
    writer = ArchiveWriter(archive.database, erase_every_s=erase_every_s)
    try:
        yield writer
    finally:
        writer.close()


def test_nothing_of_it_is_left_in_tables_indexes_and_statistics(archive: Archive) -> None:
    with writing(archive) as writer:
        archive.tell(writer)
        deliver(writer, archive.logs.gone(deletion()))
        assert archive.left(GONE) == set()
        assert archive.left(STAYS) == set(STAYS)
        assert archive.posts() == {STAYS[0]}


def test_nor_in_its_log_after_two_checkpoints_where_the_log_is_not_recycled(archive: Archive) -> None:
    archive.sql("ALTER SYSTEM SET wal_recycle = off", "SELECT pg_reload_conf()")
    with writing(archive) as writer:
        archive.tell(writer)
        deliver(writer, archive.logs.gone(deletion()))
        assert archive.left(GONE, with_log=True) == set(GONE)
        # The next segment, so that those before it are not needed; what is still needed goes a checkpoint later.
        archive.sql("SELECT pg_switch_wal()", "CHECKPOINT", "SELECT pg_switch_wal()", "CHECKPOINT")
        assert archive.left(GONE, with_log=True) == set()


def test_somebodys_old_transaction_does_not_keep_it(archive: Archive) -> None:
    engine = archive.database.reader()
    with writing(archive) as writer:
        archive.tell(writer)
        with (
            engine.connect().execution_options(isolation_level="REPEATABLE READ") as other,
            other.begin(),
        ):
            other.execute(
                sa.select(tables.labels)
            )  # sees the database as it was, for as long as it likes
            deliver(writer, archive.logs.gone(deletion()))
            assert archive.left(GONE) == set()
    engine.dispose()


def test_who_holds_the_table_is_waited_for_and_the_archive_goes_on(
    archive: Archive, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasing, "ERASE_AGAIN_S", 0.0)
    caplog.set_level(logging.WARNING, "factwatch.archive")
    engine = archive.database.reader()
    with writing(archive) as writer:
        archive.tell(writer)
        with (
            engine.connect().execution_options(isolation_level="READ COMMITTED") as other,
            other.begin(),
        ):
            other.execute(sa.select(tables.alert_posts))
            deliver(writer, archive.logs.gone(deletion()))
            assert archive.posts() == {STAYS[0]}  # nobody can read it any more
            assert archive.left(GONE) == set(GONE)
            assert "still in the database's files" in caplog.text
        deliver(writer, archive.logs.alert(sample_alert(99)))
        assert archive.left(GONE) == set()
    engine.dispose()


def test_it_waits_for_its_turn_and_a_start_does_not_wait(archive: Archive) -> None:
    with writing(archive, erase_every_s=3_600.0) as writer:
        archive.tell(writer)
        deliver(writer, archive.logs.gone(deletion()))
        assert archive.left(GONE) == set(GONE)
    with writing(archive, erase_every_s=3_600.0) as writer:
        deliver(writer, archive.logs.alert(sample_alert(99)))
        assert archive.left(GONE) == set()


def test_an_archive_of_the_version_before_loses_them_too(own_postgres: PostgresServer) -> None:
    """There a post was part of its alert's body."""
    archive = Archive(own_postgres)
    alerts = [sample_alert(number + 1, posts=(post(GONE), post(STAYS))) for number in range(30)]
    as_version_2(archive, alerts)
    assert archive.left(GONE) == set(GONE)
    migrate(archive.database)
    reader = ArchiveReader(archive.database)
    assert [stored.alert for stored in reader.log(0, 100)] == alerts
    reader.close()
    with writing(archive) as writer:
        deliver(writer, archive.logs.gone(deletion()))
    assert archive.left(GONE) == set()
    assert archive.posts() == {STAYS[0]}
    archive.close()


def as_version_2(archive: Archive, alerts: list[Alert]) -> None:
    engine = archive.database.writer()
    names = ("alert_id", "ce_id", "kind", "status", "severity", "wiki", "title", "rev_id", "event_time")
    with engine.begin() as db:
        config = _config()
        config.attributes["connection"] = db
        command.upgrade(config, "0002")
        for seq, alert in enumerate(alerts, 1):
            row = {name: getattr(alert, name) for name in names}
            row = {name: str(value) if isinstance(value, str) else value for name, value in row.items()}
            row |= {"seq": seq, "body": msgspec.json.encode(alert).decode()}
            db.execute(sa.insert(tables.alerts), row)
            for place in range(len(alert.posts)):
                db.execute(
                    sa.text("INSERT INTO alert_posts VALUES (:place, :seq, 0, :event_time)"),
                    {"place": place, "seq": seq, "event_time": NOW},
                )
        db.execute(sa.update(tables.meta).values(value=len(alerts)))
    engine.dispose()
