"""States wait in the journal for their tables, and nobody notices: not who loads them, not a sweep, not
a process that starts after a kill."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from streams.errors import StoreCorrupt
from streams.state.page import PageState
from streams.state.performer import PerformerState
from streams.state.words import WordMemory
from streams.store import retention, state_journal
from streams.store.batch import Batch
from streams.store.retention import Retention
from streams.store.sqlite import SqliteStore
from streams.store.state_journal import SHARES

DAY = 86_400.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "x.sqlite")
    yield store
    store.close()


def killed(store: SqliteStore, directory: Path) -> SqliteStore:
    """What starts where `store` stands now, as if it had been killed here."""
    directory.mkdir()
    for suffix in ("", "-wal"):
        shutil.copy(f"{store.path}{suffix}", directory / f"x.sqlite{suffix}")
    return SqliteStore(directory / "x.sqlite")


def page(number: int, time: float = 0.0) -> PageState:
    return PageState(f"page {number}", first_time=time, seen=number + 1)


def in_share(share: int, number: int = 0) -> int:
    """An id whose turn is that of `share`."""
    return (share << 58) + number


def rows_of(store: SqliteStore, table: str) -> list[tuple[object, ...]]:
    return store.query(f"SELECT id FROM {table} ORDER BY id")


def test_a_state_is_loaded_whether_its_table_has_it_or_not(store: SqliteStore) -> None:
    first, last = in_share(0), in_share(SHARES - 1)
    pages = {first: page(1), last: page(2)}
    store.commit(Batch("ndjson", pages=pages, performers={last: PerformerState(edits=5)}), 0.0)
    assert rows_of(store, "pages") == [(first,)]
    assert rows_of(store, "performers") == []
    assert store.load_pages([first, last, 77]) == pages
    assert store.load_performers([first, last]) == {last: PerformerState(edits=5)}
    store.commit(Batch("ndjson", pages={first: page(3)}), 0.0)  # newer than its row now
    assert store.load_pages([first, last]) == {first: page(3), last: page(2)}


def test_each_share_has_its_turn_and_then_the_journal_forgets(store: SqliteStore) -> None:
    ids = [in_share(share) for share in range(SHARES)]
    store.commit(Batch("ndjson", pages={key: page(1) for key in ids}), 0.0)
    for done in range(1, SHARES):
        assert rows_of(store, "pages") == [(key,) for key in ids[:done]]
        assert (0,) in store.query("SELECT batch FROM state_journal")
        store.commit(Batch("ndjson", performers={done: PerformerState()}), 0.0)
    assert rows_of(store, "pages") == [(key,) for key in ids]
    assert (0,) not in store.query("SELECT batch FROM state_journal")


def test_neighbours_are_written_one_after_another(store: SqliteStore) -> None:
    rng = random.Random(3)
    said: list[str] = []
    with store.transaction() as db:
        db.set_trace_callback(said.append)
    for number in range(5):
        pages = {rng.randrange(1 << 63): page(number) for _ in range(40)}
        store.commit(Batch("ndjson", pages=pages), 0.0)
    del said[:]
    store.settle_states()
    ids = [int(sql.split("(")[1].split(",")[0]) for sql in said if sql.startswith("REPLACE INTO pages")]
    assert len(ids) > 100
    assert ids == sorted(ids)


def test_the_journal_is_bounded_in_batches_and_in_bytes(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(4)
    for number in range(3 * SHARES):
        store.commit(Batch("ndjson", pages={rng.randrange(1 << 63): page(number)}), 0.0)
    assert store.query("SELECT count(*) FROM state_journal") == [(SHARES - 1,)]
    monkeypatch.setattr(state_journal, "BYTES", 20_000)
    for number in range(3 * SHARES):
        pages = {rng.randrange(1 << 63): page(number) for _ in range(rng.choice([1, 30, 900]))}
        store.commit(Batch("ndjson", pages=pages), 0.0)
        ((journal_bytes,),) = store.query("SELECT sum(length(states)) FROM state_journal")
        assert int(str(journal_bytes or 0)) <= 20_000


def test_a_dropped_page_stays_away(store: SqliteStore, tmp_path: Path) -> None:
    table, journal = in_share(0), in_share(9)
    for number in (1, 2):
        pages = {table: page(number), journal: page(number)}
        store.commit(Batch("ndjson", pages=pages, words={table: WordMemory()}), 0.0)
    store.commit(Batch("ndjson", dropped_pages={table, journal}), 0.0)
    assert store.load_pages([table, journal]) == {}
    assert store.load_words([table]) == {}
    again = killed(store, tmp_path / "killed")
    assert again.load_pages([table, journal]) == {}
    again.commit(Batch("ndjson", pages={journal: page(3)}), 0.0)
    assert again.load_pages([table, journal]) == {journal: page(3)}
    again.close()


def test_a_commit_that_failed_changes_no_state(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.commit(Batch("ndjson", pages={1: page(1), in_share(9): page(1)}), 0.0)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(store, "_write_ids", interrupted)
        with pytest.raises(KeyboardInterrupt):
            store.commit(Batch("ndjson", event_ids=["x"], pages={1: page(2), in_share(9): page(2)}), 0.0)
    assert store.load_pages([1, in_share(9)]) == {1: page(1), in_share(9): page(1)}
    store.commit(Batch("ndjson", pages={in_share(9): page(3)}), 0.0)
    assert store.load_pages([1, in_share(9)]) == {1: page(1), in_share(9): page(3)}


@pytest.mark.parametrize("inside", [True, False])
def test_an_interrupt_behind_the_commit_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: bool
) -> None:
    """What is durable counts, whether this process came to know of it or not."""
    store = SqliteStore(tmp_path / "x.sqlite")
    key = in_share(9)
    store.commit(Batch("ndjson", pages={key: page(1)}), 0.0)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    def write() -> None:
        with store.transaction() as db:
            store._write(db, Batch("ndjson", pages={key: page(2)}), 0.0)
            if inside:
                db.execute("COMMIT")
                raise KeyboardInterrupt

    if not inside:
        monkeypatch.setattr(store._journal, "committed", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write()
    if inside:
        assert store.load_pages([key]) == {key: page(2)}
        store.commit(Batch("ndjson", pages={in_share(8): page(3)}), 0.0)
        assert store.load_pages([key]) == {key: page(2)}
    store.close()
    again = SqliteStore(tmp_path / "x.sqlite")
    assert again.load_pages([key]) == {key: page(2)}
    again.close()


def test_a_sweep_neither_loses_nor_brings_back(
    store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "EVERY", 1)
    old, alive, waiting = in_share(0, 1), in_share(0, 2), in_share(20)
    words = {old: WordMemory(), alive: WordMemory()}
    pages = {old: page(1), alive: page(1), waiting: page(1)}
    performers = {old: PerformerState(last_time=1.0), alive: PerformerState(last_time=1.0)}
    store.commit(Batch("ndjson", pages=pages, words=words, performers=performers), 0.0)
    assert rows_of(store, "pages") == [(old,), (alive,)]
    now = {alive: page(2, 100 * DAY)}
    seen = {alive: PerformerState(edits=2, last_time=100 * DAY)}
    store.commit(Batch("ndjson", pages=now, performers=seen), 0.0)  # their rows are the old ones still
    Retention(store, 30).committed(100 * DAY, 100 * DAY)
    again = killed(store, tmp_path / "killed")
    for one in (store, again):
        assert one.load_pages([old, alive]) == now
        assert set(one.load_words([old, alive])) == {alive}
        assert one.load_performers([old, alive]) == seen
    sweep = Retention(again, 30)  # what waited is in its table by now, and leaves with the next
    sweep.committed(100 * DAY, 100 * DAY)
    assert again.load_pages([waiting]) == {}
    again.close()


def test_kills_sweeps_and_restarts_at_random_against_a_dictionary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state_journal, "BYTES", 60_000)  # now and then several turns a batch
    rng = random.Random(11)
    ids = [rng.randrange(1 << 63) for _ in range(300)]
    pages: dict[int, PageState] = {}
    performers: dict[int, PerformerState] = {}
    store = SqliteStore(tmp_path / "x.sqlite")
    for step in range(400):
        some = rng.sample(ids, rng.choice([0, 1, 5, 100]))
        touched = {key: page(step, step) for key in some}
        edited = {key: PerformerState(edits=step, last_time=step) for key in some[::2]}
        dropped = set(rng.sample(ids, 3)) - set(touched) if rng.random() < 0.2 else set()
        store.commit(Batch("ndjson", pages=touched, performers=edited, dropped_pages=dropped), 0.0)
        pages = {key: state for key, state in (pages | touched).items() if key not in dropped}
        performers |= edited
        event = rng.random()
        if event < 0.05:
            left = store
            store = killed(left, tmp_path / f"killed {step}")
            left.close()
        elif event < 0.1:
            store.close()
            store = SqliteStore(store.path)
            assert rows_of(store, "pages") == [(key,) for key in sorted(pages)]
        elif event < 0.15:
            gone = [key for key in pages if pages[key].first_time < step - 50]
            with store.transaction() as db:
                store.drop_states(db, {"pages": gone, "performers": []})
            held = store.load_pages(gone)
            assert all(state == pages[key] for key, state in held.items())
            pages = {key: state for key, state in pages.items() if key not in gone or key in held}
        assert store.load_pages(ids) == pages
        assert store.load_performers(ids) == performers
    store.close()


def broken(encoded: bytes) -> list[object]:
    rows, dropped = msgspec.msgpack.decode(encoded)
    again = msgspec.msgpack.encode
    return [
        b"",
        b"\xc1",
        encoded[:-3],
        "text",
        5,
        again([{"edits": rows["pages"]}, dropped]),
        again([{"pages": {-1: (0.0, b"")}}, dropped]),
        again([{"pages": {1 << 63: (0.0, b"")}}, dropped]),
        again([{"pages": {1: (0.0, "")}}, {"pages": ["1"]}]),
    ]


def test_a_broken_journal_is_loud_at_the_start(store: SqliteStore, tmp_path: Path) -> None:
    store.commit(Batch("ndjson", pages={in_share(9): page(1)}), 0.0)
    ((encoded,),) = store.query("SELECT states FROM state_journal")
    assert isinstance(encoded, bytes)
    path = tmp_path / "broken.sqlite"
    for value in broken(encoded):
        with sqlite3.connect(store.path) as source, sqlite3.connect(path) as copy:
            source.backup(copy)
            copy.execute("UPDATE state_journal SET states = ?", (value,))
        source.close()
        copy.close()
        for _ in range(2):  # nor is it mended by having been tried
            with pytest.raises(StoreCorrupt, match="can't be read"):
                SqliteStore(path)
