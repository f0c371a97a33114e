"""What is kept to learn from: joined with what became of each edit, and bounded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from models.features import FEATURE_NAMES
from models.seen import SETTLED_AFTER_S, SeenRows
from streams.errors import StoreCorrupt
from streams.records import LabelKind, Verdict
from streams.runners.training_sample import packed
from streams.state.watermark import LATENESS_S, Watermark
from streams.store.batch import Batch, EditRow, LabelRow, TrainingRow
from streams.store.batch_rows import TRAINING_ROW_BYTES
from streams.store.retention import EVERY, Retention, TrainingBounds
from streams.store.seen_rows import read_seen_rows
from streams.store.sqlite import SqliteStore
from tests.core_world import DAY, START

NOW = START + 10 * DAY
REVERTED, KEPT = LabelKind.REVERTED, LabelKind.KEPT


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "x.sqlite")
    yield store
    store.close()


def row(
    number: int, event_time: float, feature_set: str = "now", features: bytes | None = None
) -> TrainingRow:
    raw = packed([float(number), 0.5]) if features is None else features
    return TrainingRow(number, "enwiki", number % 3, event_time, 0.25, 1, 2.0, "1-a", feature_set, raw)


def put(store: SqliteStore, *rows: TrainingRow, now: float = NOW) -> None:
    edits = [EditRow(one.row, one.page, one.row, one.event_time, one.risk, one.flags) for one in rows]
    store.commit(
        Batch("ndjson", edits=edits, training_rows=list(rows), watermark=Watermark(now + LATENESS_S)),
        0.0,
    )


def label(store: SqliteStore, number: int, kind: LabelKind | None) -> None:
    store.commit(Batch("ndjson", labels=[LabelRow(number, kind, NOW, 1, "identity")]), 0.0)


def say(store: SqliteStore, number: int, *verdicts: Verdict) -> None:
    with store.transaction() as db:
        for verdict in verdicts:
            db.execute(
                "INSERT INTO verdicts (verdict_id, row, verdict, alert_id, given_by, given_time, note)"
                " VALUES (hex(randomblob(8)), ?, ?, 'a', 'me', 0, '')",
                (number, verdict),
            )


def seen(store: SqliteStore, most: int = 1_000) -> SeenRows:
    return read_seen_rows(store, "now", most)


def test_a_row_comes_back_as_it_was_with_what_became_of_it(store: SqliteStore) -> None:
    put(store, row(1, START), row(2, START + 5))
    label(store, 1, REVERTED)
    label(store, 2, KEPT)
    found = seen(store)
    assert found.matrix.shape == (2, len(FEATURE_NAMES))
    assert found.matrix[:, :2].tolist() == [[1.0, 0.5], [2.0, 0.5]]
    assert np.isnan(found.matrix[:, 2:]).all()
    assert found.damaging.tolist() == [True, False]
    assert (found.weight.tolist(), found.risk.tolist()) == ([2.0, 2.0], [0.25, 0.25])
    assert (found.page.tolist(), found.wiki.tolist(), found.model.tolist()) == (
        [1, 2], ["enwiki"] * 2, ["1-a"] * 2,
    )  # fmt: skip


def test_what_is_not_settled_is_unknown_and_never_good(store: SqliteStore) -> None:
    put(store, row(1, START), row(2, NOW - SETTLED_AFTER_S + 1), row(3, NOW - SETTLED_AFTER_S))
    label(store, 2, REVERTED)  # of the young ones only those would be known that are bad
    label(store, 3, REVERTED)
    found = seen(store)
    assert (found.edits, found.not_settled) == (1, 2)
    assert found.damaging.tolist() == [True]


@pytest.mark.parametrize(
    ("community", "people", "damaging"),
    [
        (KEPT, [Verdict.DAMAGING], [True]),
        (REVERTED, [Verdict.GOOD], [False]),
        (None, [Verdict.DAMAGING], [True]),
        (None, [Verdict.GOOD], [False]),
        (KEPT, [Verdict.DAMAGING, Verdict.GOOD], [False]),
        (KEPT, [Verdict.DAMAGING, Verdict.UNSURE], [False]),
        (REVERTED, [Verdict.UNSURE], [True]),
        (None, [Verdict.GOOD, Verdict.UNSURE], []),
    ],
)
def test_people_have_the_last_word(
    store: SqliteStore, community: LabelKind | None, people: list[Verdict], damaging: list[bool]
) -> None:
    put(store, row(1, START))
    label(store, 1, community)
    say(store, 1, *people)
    assert seen(store).damaging.tolist() == damaging
    with store.transaction() as db:  # as retention does it
        db.execute("UPDATE edits SET event_time = 0")
    sweep(store, 30)
    assert store.query("SELECT * FROM edits") == store.query("SELECT * FROM verdicts") == []
    assert seen(store).damaging.tolist() == damaging


def test_rows_of_other_features_are_left_out_and_counted(store: SqliteStore) -> None:
    put(store, row(1, START), row(2, START, feature_set="before"))
    for number in (1, 2):
        label(store, number, KEPT)
    found = seen(store)
    assert (found.edits, found.other_features) == (1, 1)


def test_the_newest_are_read_oldest_first(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.store.seen_rows._ROWS_AT_ONCE", 3)
    put(store, *(row(number, START + number // 2) for number in range(1, 20)))
    for number in range(1, 20):
        label(store, number, KEPT)
    assert seen(store, most=8).matrix[:, 0].tolist() == list(range(12, 20))


@pytest.mark.parametrize("raw", [b"\0\0\0", b"\0" * 4 * (len(FEATURE_NAMES) + 1)])
def test_a_row_of_another_length_is_loud(store: SqliteStore, raw: bytes) -> None:
    put(store, row(1, START, features=raw))
    label(store, 1, KEPT)
    with pytest.raises(StoreCorrupt, match="edit 1"):
        seen(store)


def test_an_empty_store_has_seen_nothing(store: SqliteStore) -> None:
    assert (seen(store).edits, seen(store).not_settled) == (0, 0)


def sweep(store: SqliteStore, edit_days: float, **bounds: float) -> None:
    retention = Retention(store, edit_days, training=TrainingBounds(**bounds))
    for _ in range(EVERY):
        retention.committed(NOW, NOW)


def rows_left(store: SqliteStore) -> list[int]:
    found = store.query("SELECT row FROM training_rows ORDER BY row")
    size = store.query(
        f"SELECT coalesce(sum(length(features) + {TRAINING_ROW_BYTES}), 0) FROM training_rows"
    )
    assert store.query("SELECT value FROM meta WHERE name = 'training_bytes'") == size
    return [int(str(number)) for (number,) in found]


def test_rows_outlive_the_log_of_edits_with_their_labels(store: SqliteStore) -> None:
    put(store, row(1, START), row(2, START + 9 * DAY))
    label(store, 1, REVERTED)
    sweep(store, 5, days=30)
    assert store.query("SELECT row FROM edits") == [(2,)]
    assert rows_left(store) == [1, 2]
    assert seen(store).damaging.tolist() == [True]


def test_what_is_old_leaves(store: SqliteStore) -> None:
    put(store, *(row(number, START + number * DAY) for number in range(1, 9)))
    sweep(store, 30, days=4)
    assert rows_left(store) == [6, 7, 8]


def test_the_oldest_leave_when_there_is_no_room(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.store.retention.ROWS", 3)  # more than one look is needed
    put(store, *(row(number, START) for number in range(1, 21)))
    sweep(store, 30, size=5 * (8 + TRAINING_ROW_BYTES) + 1)
    assert rows_left(store) == [16, 17, 18, 19, 20]


def test_a_log_whose_oldest_edits_are_all_old_is_swept_too(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.store.retention.ROWS", 4)
    put(store, *(row(number, START) for number in range(1, 11)))
    for left in (6, 2, 0):
        sweep(store, 5)
        assert len(store.query("SELECT row FROM edits")) == left
