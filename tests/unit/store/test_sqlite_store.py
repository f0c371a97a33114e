"""All or nothing, one writer, and loud when something is wrong with the file."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest

from streams.errors import BadSetting, FactwatchError, StoreCorrupt
from streams.reasons import DeadReason
from streams.records import AlertKind, AlertStatus, DeadLetter, LabelKind
from streams.state.episode import EpisodeState
from streams.state.page import PageState
from streams.state.performer import PerformerState
from streams.state.watermark import Watermark
from streams.store import readers, sqlite, state_journal
from streams.store.batch import Batch, EditRow, KeptRows, LabelRow, TrainingRow
from streams.store.keys import state_id
from streams.store.reader import AlertFilter
from streams.store.retention import Retention
from streams.store.seen_rows import read_seen_rows
from streams.store.sqlite import SCHEMA_VERSION, SqliteStore
from streams.store.sqlite_errors import StoreFull
from tests.core_world import START, Core, EditWorld, MarkedScorer
from tests.sample_alerts import resolved, sample_alert

EVERY_TABLE = (
    "meta cursors counters recent_ids pages page_words performers state_journal episodes edits training_rows"
    " alerts alerts_now sink_cursors dead_letters"
).split()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "x.sqlite")
    yield store
    store.close()


def full_batch(number: int = 1) -> Batch:
    """Something of everything."""
    return Batch(
        "ndjson",
        f"cursor {number}",
        outcomes={"processed": 2, "dead_lettered": 1},
        event_ids=[f"id {number}", f"id' {number}"],
        pages={number: PageState(f"page {number}", seen=number)},
        performers={number: PerformerState(edits=number)},
        episodes={number: EpisodeState(f"page {number}", dispute_quiet_until=5.0)},
        edits=[EditRow(number, number, 1_000 + number, START, 0.5, 0)],
        training_rows=[TrainingRow(number, "enwiki", 1, START, 0.5, 0, 1.0, "1-a", "f", b"")],
        labels=[LabelRow(number, LabelKind.REVERTED, START + 5, 77, "identity")],
        alerts=[sample_alert(number)],
        dead_letters=[DeadLetter(b"\xff\x00", DeadReason.NOT_JSON, "normalize", "bad", "9:9")],
        watermark=Watermark(START + number),
        next_row=number + 1,
    )


def dump(store: SqliteStore) -> dict[str, list[tuple[object, ...]]]:
    return {table: store.query(f"SELECT * FROM {table}") for table in EVERY_TABLE}


def test_what_was_committed_is_there_after_a_restart(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "x.sqlite")
    assert store.cursor("ndjson") is None
    assert (store.next_row(), store.watermark(), store.kept_row()) == (1, Watermark(), 1)
    for number in (1, 2):
        store.commit(full_batch(number), 99.0)
    store.close()
    again = SqliteStore(tmp_path / "x.sqlite")
    assert again.cursor("ndjson") == "cursor 2"
    assert again.cursor("other") is None
    assert (again.next_row(), again.watermark().newest, again.last_seq()) == (3, START + 2, 2)
    assert again.recent_ids() == ["id 1", "id' 1", "id 2", "id' 2"]
    assert again.outcomes() == {("ndjson", "processed"): 4, ("ndjson", "dead_lettered"): 2}
    assert again.load_pages([1, 2, 3]) == {
        1: PageState("page 1", seen=1),
        2: PageState("page 2", seen=2),
    }
    assert again.load_performers([2]) == {2: PerformerState(edits=2)}
    assert again.load_episode(1) == EpisodeState("page 1", dispute_quiet_until=5.0)
    assert again.load_episode(9) is None
    assert again.deadlines() == [("page 1", 5.0), ("page 2", 5.0)]
    assert again.query("SELECT rev_id, label, reverted_by, evidence FROM edits") == [
        (1_001, "reverted", 77, "identity"),
        (1_002, "reverted", 77, "identity"),
    ]
    assert again.query("SELECT raw, position, time, requeued FROM dead_letters LIMIT 1") == [
        (b"\xff\x00", "9:9", 99.0, 0)
    ]
    again.close()


@pytest.mark.parametrize("table", [*EVERY_TABLE[:-2], "dead_letters"])
def test_a_failure_in_the_middle_of_a_commit_leaves_nothing(
    store: SqliteStore, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever table it is that fails."""
    if table in ("pages", "performers"):
        monkeypatch.setattr(state_journal, "BYTES", 1)  # no state waits in the journal
    store.commit(full_batch(1), 0.0)
    before = dump(store)
    for event in ("INSERT", "UPDATE"):
        store.query(
            f"CREATE TRIGGER no_{event} BEFORE {event} ON {table}"
            " BEGIN SELECT RAISE(ABORT, 'named crash point'); END"
        )
    if table == "page_words":
        return  # nothing of it in this batch
    with pytest.raises(StoreCorrupt, match="named crash point"):
        store.commit(full_batch(2), 0.0)
    assert dump(store) == before
    assert store.last_seq() == 1
    for event in ("INSERT", "UPDATE"):
        store.query(f"DROP TRIGGER no_{event}")
    store.commit(full_batch(2), 0.0)
    assert store.last_seq() == 2


def test_an_interrupt_inside_a_commit_leaves_nothing(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.commit(full_batch(1), 0.0)
    before = dump(store)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(store, "_write_ids", interrupted)
    with pytest.raises(KeyboardInterrupt):
        store.commit(full_batch(2), 0.0)
    assert dump(store) == before


def test_a_full_disk_says_so_and_leaves_nothing(store: SqliteStore) -> None:
    store.commit(full_batch(1), 0.0)
    before = dump(store)
    with store.transaction() as db:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {pages}")
    big = full_batch(2)
    big.dead_letters = [DeadLetter(b"x" * 1_000_000, DeadReason.NOT_JSON, "normalize")]
    with pytest.raises(StoreFull, match="took no more") as refused:
        store.commit(big, 0.0)
    assert refused.value.exit_code == 8
    assert dump(store) == before
    with store.transaction() as db:
        db.execute("PRAGMA max_page_count = 100000")
    store.commit(big, 0.0)
    assert store.last_seq() == 2


def test_one_writer_and_any_number_of_readers(tmp_path: Path, store: SqliteStore) -> None:
    store.commit(full_batch(), 0.0)
    with pytest.raises(BadSetting, match="another factwatch writes there"):
        SqliteStore(tmp_path / "x.sqlite")
    reader = SqliteStore(tmp_path / "x.sqlite", read_only=True)
    assert reader.last_seq() == 1
    reader.close()
    store.close()
    SqliteStore(tmp_path / "x.sqlite").close()


def test_a_file_of_another_version_is_refused_and_let_go(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    SqliteStore(path).close()
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    db.close()
    for _ in range(2):  # the lock of the first try is not held
        with pytest.raises(BadSetting, match="another version of factwatch"):
            SqliteStore(path)


def test_what_is_no_state_file_is_loud(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    path.write_bytes(b"this is no database at all, whatever its name may say." * 100)
    for _ in range(2):
        with pytest.raises(StoreCorrupt, match="start anew in an empty FACTWATCH_DATA_DIR") as told:
            SqliteStore(path)
    assert told.value.exit_code == 5


def test_a_place_that_cant_be_written_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadSetting, match="FACTWATCH_DATA_DIR"):
        SqliteStore(tmp_path / "file" / "x.sqlite")
    with pytest.raises(BadSetting, match="nothing there yet"):
        SqliteStore(tmp_path / "none.sqlite", read_only=True)


def vandalised_store(tmp_path: Path) -> EditWorld:
    world = EditWorld()
    world.edit("Alice", "The tower is 300 m high.")
    world.edit("192.0.2.7", "The tower is 3 m high.", risk=0.95)
    with Core(tmp_path, MarkedScorer(world.risks)) as core:
        core.take(world.records)
    return world


@pytest.mark.parametrize("table", ["pages", "page_words", "performers", "episodes"])
@pytest.mark.parametrize("broken", [b"", b"\xc1", b"\x91\xc3", "text", 5, None])
def test_a_broken_state_is_loud_when_it_is_met(tmp_path: Path, table: str, broken: object) -> None:
    """No dead letter: that would drop what the state knew without a word."""
    world = vandalised_store(tmp_path)
    with sqlite3.connect(tmp_path / "core.sqlite") as db:
        if broken is None:
            db.execute(f"UPDATE {table} SET state = substr(state, 1, length(state) - 3)")
        else:
            db.execute(f"UPDATE {table} SET state = ?", (broken,))
    db.close()
    world.edit("Bob", "The tower is 300 m high.", risk=0.95)
    world.edit("192.0.2.7", "The tower is 2 m high.", risk=0.95)
    with Core(tmp_path, MarkedScorer(world.risks)) as core:
        with pytest.raises(StoreCorrupt):
            core.take(world.records[2:])
        assert core.outcomes() == {"processed": 2}


def test_any_flipped_byte_is_loud_or_gives_a_state(tmp_path: Path) -> None:
    """Never another error. (A flip that still decodes can't be noticed: there is no checksum.)"""
    vandalised_store(tmp_path)
    store = SqliteStore(tmp_path / "core.sqlite")
    key = state_id("enwiki:Tower")
    loads = {"pages": store.load_pages, "page_words": store.load_words}
    for table, load in loads.items():
        ((whole,),) = store.query(f"SELECT state FROM {table} WHERE id = ?", (key,))
        assert isinstance(whole, bytes)
        loud = 0
        for at in range(len(whole)):
            flipped = whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]
            store.query(f"UPDATE {table} SET state = ? WHERE id = ?", (flipped, key))
            try:
                assert key in load([key])
            except StoreCorrupt:
                loud += 1
        assert loud > len(whole) / 10
    store.close()


def test_a_page_under_anothers_id_is_loud(tmp_path: Path) -> None:
    world = vandalised_store(tmp_path)
    with sqlite3.connect(tmp_path / "core.sqlite") as db:
        db.execute("UPDATE pages SET id = ?", (state_id("enwiki:Spire"),))
    db.close()
    with Core(tmp_path, MarkedScorer({})) as core, pytest.raises(StoreCorrupt, match="two pages"):
        core.take([world.edit("Bob", "x", title="Spire")])


def test_recent_ids_are_bounded(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "RECENT_IDS", 100)
    for number in range(50):
        store.commit(Batch("ndjson", event_ids=[f"{number}-{n}" for n in range(7)]), 0.0)
    kept = store.recent_ids()
    assert 100 <= len(kept) < 107
    assert kept[-1] == "49-6"


def test_a_state_change_told_twice_stands_once(store: SqliteStore) -> None:
    one, two = sample_alert(1), sample_alert(2)
    store.commit(Batch("ndjson", alerts=[one, one]), 0.0)
    store.commit(Batch("ndjson", alerts=[one, two, one]), 0.0)
    assert [(stored.seq, stored.alert) for stored in store.log(0, 10)] == [(1, one), (2, two)]
    assert store.last_seq() == 2


def test_readers_of_alerts(store: SqliteStore) -> None:
    one, two = sample_alert(1), sample_alert(2, wiki="arwiki", title="برج")
    war = sample_alert(3, kind=AlertKind.PAGE_CONTESTED)
    store.commit(Batch("ndjson", alerts=[one, two, war]), 0.0)
    store.commit(Batch("ndjson", alerts=[resolved(one)]), 0.0)
    assert [stored.seq for stored in store.log(0, 10)] == [1, 2, 3, 4]
    assert [stored.seq for stored in store.log(1, 2)] == [2, 3]
    assert [stored.seq for stored in store.current(10)] == [4, 3, 2]
    assert [stored.seq for stored in store.current(10, before_seq=3)] == [2]
    assert [stored.alert.status for stored in store.history(one.alert_id)] == ["open", "resolved"]
    assert store.history("none") == []
    assert store.count_open() == 2

    def found(**where: Any) -> tuple[list[int], list[int]]:
        condition = AlertFilter(**where)
        logged = [stored.seq for stored in store.log(0, 10, condition)]
        return logged, [stored.seq for stored in store.current(10, None, condition)]

    assert found(kinds=(AlertKind.PAGE_CONTESTED,)) == ([3], [3])
    assert found(statuses=(AlertStatus.OPEN, AlertStatus.UPDATED)) == ([1, 2, 3], [3, 2])
    assert found(wiki="arwiki") == ([2], [2])
    assert found(title="برج", wiki="enwiki") == ([], [])
    assert found(title="x' OR '1'='1") == ([], [])


def test_an_alert_that_cant_be_read_is_loud(store: SqliteStore) -> None:
    store.commit(Batch("ndjson", alerts=[sample_alert(1)]), 0.0)
    store.query("UPDATE alerts SET body = '{}'")
    with pytest.raises(StoreCorrupt):
        store.log(0, 10)


def test_cursors_of_sinks(store: SqliteStore) -> None:
    assert store.get("webhook") == 0
    store.set("webhook", 5)
    store.set("other", 2)
    store.set("webhook", 6)
    assert (store.get("webhook"), store.get("other")) == (6, 2)


def test_kept_rows_are_those_without_a_label(store: SqliteStore) -> None:
    edits = [EditRow(row, 1, row, START + row, 0.1, 0) for row in range(1, 6)]
    store.commit(Batch("ndjson", edits=edits, next_row=6), 0.0)
    label = LabelRow(2, LabelKind.REVERTED, START, 9, "identity")
    assert (
        store.commit(
            Batch("ndjson", labels=[label], kept_rows=KeptRows(1, 4, START + 9), next_row=6), 0.0
        )
        == 2
    )
    rows = store.query("SELECT row, label, labelled_time - event_time FROM edits ORDER BY row")
    assert [label for _, label, _ in rows] == ["kept", "reverted", "kept", None, None]
    assert rows[0][2] == 48 * 3_600
    assert store.kept_row() == 4
    assert store.rows_from(4, 1) == [(4, 1, START + 4)]


def test_an_episode_that_is_over_leaves(store: SqliteStore) -> None:
    store.commit(full_batch(1), 0.0)
    store.commit(Batch("ndjson", episodes={1: None}), 0.0)
    assert store.deadlines() == []


def test_batches_share_no_containers() -> None:
    one, two = Batch("a"), Batch("b")
    one.alerts.append(sample_alert(1))
    assert two.alerts == []
    assert msgspec.structs.fields(Batch)[0].name == "source"


def test_a_label_taken_back_after_two_days_leaves_the_edit_kept(store: SqliteStore) -> None:
    edits = [EditRow(row, 1, row, START + row, 0.1, 0) for row in (1, 2, 3)]
    reverted = [LabelRow(row, LabelKind.REVERTED, START + 9, 9, "identity") for row in (1, 3)]
    store.commit(Batch("ndjson", edits=edits, labels=reverted, next_row=4), 0.0)
    store.commit(Batch("ndjson", kept_rows=KeptRows(1, 3, START + 9), next_row=4), 0.0)
    taken_back = [LabelRow(row, None, START, 0, "") for row in (1, 3)]
    store.commit(Batch("ndjson", labels=taken_back, next_row=4), 0.0)
    rows = store.query("SELECT label, labelled_time - event_time FROM edits ORDER BY row")
    assert [label for label, _ in rows] == ["kept", "kept", None]
    assert rows[0][1] == 48 * 3_600


def test_threads_that_ended_leave_no_connections_behind(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "x.sqlite")
    before = _open_files(tmp_path)
    for _ in range(40):
        thread = threading.Thread(target=store.count_open)
        thread.start()
        thread.join()
    assert len(_open_files(tmp_path)) <= len(before) + 2  # one connection: the file and its WAL
    store.close()
    assert _open_files(tmp_path) == []


def test_many_readers_at_once_share_few_connections(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "x.sqlite")
    store.commit(full_batch(), 99.0)
    before = _open_files(tmp_path)
    with ThreadPoolExecutor(3 * readers.READERS) as pool:
        found = list(pool.map(lambda _: len(store.log(0, 10)), range(200)))
    assert found == [1] * 200
    assert len(_open_files(tmp_path)) <= len(before) + 2 * readers.READERS
    store.close()
    assert _open_files(tmp_path) == []
    with pytest.raises(FactwatchError, match="closed already"):
        store.log(0, 10)


def _open_files(below: Path) -> list[str]:
    """Of this process; Linux tells."""
    found = []
    for fd in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # the one of this listing
            found.append(str(fd.readlink()))
    return sorted(path for path in found if path.startswith(str(below)))


@pytest.mark.parametrize("read_only", [False, True])
def test_an_empty_file_is_not_begun_anew(tmp_path: Path, read_only: bool) -> None:
    path = tmp_path / "x.sqlite"
    path.touch()
    with pytest.raises(StoreCorrupt, match="empty, which a state file never is"):
        SqliteStore(path, read_only=read_only)
    assert path.stat().st_size == 0


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE meta SET value = 'abc' WHERE name = 'next_row'",
        "UPDATE meta SET value = -5 WHERE name = 'next_row'",
        "UPDATE meta SET value = 1.5 WHERE name = 'kept_row'",
        "UPDATE meta SET value = 'much' WHERE name = 'training_bytes'",
        "UPDATE training_rows SET risk = 'high'",
        "UPDATE cursors SET cursor = CAST(x'ff0a41' AS TEXT)",
        "UPDATE cursors SET cursor = CAST(x'ff' AS TEXT) || ' is full'",
        "UPDATE recent_ids SET ids = x'00ff'",
        "UPDATE episodes SET deadline = 'soon'",
        "UPDATE sink_cursors SET seq = 'x'",
        *(f"DROP TABLE {table}" for table in EVERY_TABLE),
    ],
)
def test_damage_is_told_in_one_line(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "x.sqlite"
    store = SqliteStore(path)
    store.commit(full_batch(), 99.0)
    store.commit(Batch("ndjson", "c", next_row=2, kept_rows=KeptRows(1, 2, START)), 99.0)
    store.set("webhook", 1)
    store.close()
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute(damage)
    with pytest.raises(StoreCorrupt) as told:
        _use_all(path)
    assert "\n" not in str(told.value)
    assert str(path) in str(told.value)


def _use_all(path: Path) -> None:
    with contextlib.closing(SqliteStore(path)) as store:
        store.next_row(), store.kept_row(), store.watermark(), store.outcomes(), store.deadlines()
        store.cursor("ndjson"), store.recent_ids(), store.get("webhook"), store.count_open()
        store.load_pages([1]), store.load_words([1]), store.load_performers([1]), store.load_episode(1)
        store.requeued(10), store.rows_from(1, 10), store.log(0, 10)
        read_seen_rows(store, "f")
        Retention(store, 1)._forget_training_rows(0.0)
