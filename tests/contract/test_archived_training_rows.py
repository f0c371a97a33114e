"""What is kept to learn from in the archive: it comes with the labels, is joined with what they say by now, and
is bounded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from models.seen import SETTLED_AFTER_S, SeenRows
from streams.archive import training_rows
from streams.archive.database import Database
from streams.archive.migrate import migrate
from streams.archive.training_rows import Bounds, read_archived_rows
from streams.archive.writer import ArchiveWriter
from streams.errors import StoreCorrupt
from streams.records import LabelKind, SeenFeatures, Verdict
from streams.runners.training_sample import packed
from streams.store.batch_rows import TRAINING_ROW_BYTES
from streams.topics import LABELS
from tests.archive_world import NOW, Logs, deliver, label, said
from tests.contract.test_archive import postgres_database

DAY = 86_400.0


class Kept:
    def __init__(self, database: Database) -> None:
        self.database = database
        self.writer = ArchiveWriter(database)
        self.logs = Logs()

    def put(
        self,
        rev_id: int,
        kind: LabelKind | None,
        *,
        event_time: float = NOW - 5 * DAY,
        feature_set: str = "now",
        features: bytes | None = None,
        title: str = "K2",
        model_risk: float | None = None,
    ) -> None:
        raw = packed([float(rev_id), 0.5]) if features is None else features
        sent = label(
            rev_id,
            kind,
            title,
            event_time=event_time,
            labelled_time=event_time + 60,
            revert_risk=0.25,
            model_risk=model_risk,
            seen=SeenFeatures(2.0, "1-a", feature_set, raw),
        )
        deliver(self.writer, self.logs.label(sent))

    def plain(self, rev_id: int, labelled_time: float) -> None:
        sent = label(rev_id, LabelKind.KEPT, event_time=labelled_time, labelled_time=labelled_time)
        deliver(self.writer, self.logs.label(sent))

    def seen(self, most: int = 100) -> SeenRows:
        return read_archived_rows(self.database, "now", most)


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        yield Database(f"sqlite:///{tmp_path}/archive.sqlite")
        return
    with postgres_database(request.getfixturevalue("postgres"), "factwatch_rows") as database:
        yield database


@pytest.fixture
def kept(database: Database) -> Iterator[Kept]:
    migrate(database)
    kept = Kept(database)
    kept.plain(1, NOW)  # so much time has passed
    yield kept
    kept.writer.close()


def test_a_row_comes_back_with_the_label_it_came_with(kept: Kept) -> None:
    kept.put(7, LabelKind.REVERTED)
    kept.put(8, LabelKind.KEPT, title="Eiger")
    found = kept.seen()
    assert found.matrix[:, :2].tolist() == [[7.0, 0.5], [8.0, 0.5]]
    assert found.damaging.tolist() == [True, False]
    assert (found.weight.tolist(), found.risk.tolist()) == ([2.0, 2.0], [0.25, 0.25])
    assert found.model.tolist() == ["1-a", "1-a"]
    assert len(np.unique(found.page)) == 2


def test_the_risk_of_a_row_is_the_models_own(kept: Kept) -> None:
    """Thresholds are held against that, not against what a wiki's own reverts shifted it to."""
    kept.put(7, LabelKind.REVERTED, model_risk=0.125)
    kept.put(8, LabelKind.KEPT)
    assert kept.seen().risk.tolist() == [0.125, 0.25]


def test_the_label_that_came_last_counts_and_one_taken_back_is_unknown(kept: Kept) -> None:
    for rev_id, last in ((7, LabelKind.KEPT), (8, None)):
        kept.put(rev_id, LabelKind.REVERTED)
        kept.put(rev_id, last)
    found = kept.seen()
    assert found.damaging.tolist() == [False]
    assert found.not_settled == 1


def test_what_people_said_last_comes_before_what_the_community_did(kept: Kept) -> None:
    """A person who is not sure leaves it to the community."""
    kept.put(7, LabelKind.KEPT)
    kept.put(8, LabelKind.REVERTED)
    kept.put(9, LabelKind.REVERTED)
    kept.put(10, None)
    kept.put(11, LabelKind.KEPT)
    words = [
        ("1", Verdict.DAMAGING, (7, 9)), ("2", Verdict.GOOD, (8, 9)), ("3", Verdict.UNSURE, (9,)),
        ("4", Verdict.DAMAGING, (10,)), ("1", Verdict.GOOD, (7,)),
        ("6", Verdict.GOOD, (11,)), ("7", Verdict.DAMAGING, (11,)),
    ]  # fmt: skip
    for word, verdict, rev_ids in words:
        deliver(kept.writer, kept.logs.verdict(said(word, verdict, *rev_ids, title="K2")))
    other = said("5", Verdict.GOOD, 7, wiki="dewiki", title="K2")
    deliver(kept.writer, kept.logs.verdict(other))
    found = kept.seen()
    bad = dict(zip(found.matrix[:, 0].tolist(), found.damaging.tolist(), strict=True))
    assert bad == {7.0: True, 8.0: False, 9.0: True, 10.0: True, 11.0: True}


def test_young_edits_are_left_out_though_they_were_reverted(kept: Kept) -> None:
    kept.put(7, LabelKind.REVERTED, event_time=NOW - SETTLED_AFTER_S + 1)
    kept.put(8, LabelKind.REVERTED, event_time=NOW - SETTLED_AFTER_S)
    assert (kept.seen().edits, kept.seen().not_settled) == (1, 1)


def test_other_features_are_counted_and_the_newest_are_read(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_rows, "_ROWS_AT_ONCE", 2)
    kept.put(6, LabelKind.KEPT, feature_set="before")
    for rev_id in (7, 8, 9):
        kept.put(rev_id, LabelKind.KEPT, event_time=NOW - 5 * DAY + rev_id)
    assert kept.seen().other_features == 1
    assert kept.seen(most=2).matrix[:, 0].tolist() == [8.0, 9.0]


def test_features_of_another_length_are_loud(kept: Kept) -> None:
    kept.put(7, LabelKind.KEPT, features=b"abc")
    with pytest.raises(StoreCorrupt, match="edit 7 has features"):
        kept.seen()


@pytest.mark.parametrize(
    "seen",
    [
        SeenFeatures(0.0, "1-a", "now", b""),
        SeenFeatures(-1.0, "1-a", "now", b""),
        SeenFeatures(1e300, "1-a", "now", b""),
        SeenFeatures(1.0, "1\0a", "now", b""),
        SeenFeatures(1.0, "1-a", "now" * 1_000, b""),
        SeenFeatures(1.0, "1-a", "now", b"\0" * 5_000),
    ],
)
def test_what_no_worker_sends_is_rejected_and_the_rest_goes_on(kept: Kept, seen: SeenFeatures) -> None:
    strange = label(9, LabelKind.KEPT, event_time=NOW - 5 * DAY, seen=seen)
    assert deliver(kept.writer, kept.logs.label(strange)) == {(LABELS.name, "rejected"): 1}
    kept.put(7, LabelKind.REVERTED)
    assert kept.seen().edits == 1


def test_what_is_old_leaves_and_then_the_oldest_when_there_is_no_room(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_rows, "ROWS", 3)
    for rev_id in range(10, 20):
        kept.put(rev_id, LabelKind.KEPT, event_time=NOW - 5 * DAY + rev_id * DAY / 10)
    days, room = Bounds(0.75, 1e9), Bounds(30, 4 * (8 + TRAINING_ROW_BYTES))
    for bounds, left in ((days, list(range(12, 20))), (room, [16, 17, 18, 19])):
        with kept.writer._engine.begin() as db:
            while training_rows.forget_old(db, bounds) == 3:
                pass
        assert kept.seen().matrix[:, 0].tolist() == left


def test_the_writer_keeps_to_the_bounds(kept: Kept) -> None:
    writer = ArchiveWriter(kept.database, training=Bounds(1.0, 1e9))
    kept.put(7, LabelKind.KEPT, event_time=NOW - 7 * DAY)
    kept.put(8, LabelKind.KEPT, event_time=NOW - 5 * DAY)
    deliver(writer, kept.logs.label(label(2, LabelKind.KEPT)))
    assert kept.seen().matrix[:, 0].tolist() == [8.0]
    writer.close()
