"""A wiki's own settled edits, followed live: the risk told moves, what is decided does not; no border of a
batch and no restart changes anything."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

import msgspec
import numpy as np
import pytest

from models.classifier import log_odds_of, probability_of
from models.own_calibration import DAY_S, followed
from streams.errors import StoreCorrupt
from streams.records import Alert, Edit
from streams.runners import own_shifts
from streams.runners.own_counts import OWN
from streams.runners.own_shifts import OwnShifts
from streams.store.batch import Batch, LabelRow
from streams.store.own_rows import Key, OwnDay
from streams.store.sqlite import SqliteStore
from tests.core_world import Core, EditWorld, MarkedScorer

HOUR_S = 3_600.0
Row = tuple[int, float, float, float | None, str | None]


class OwnCore(Core):
    """As the program is put together for a feed."""

    def __init__(self, directory: Path, world: EditWorld) -> None:
        super().__init__(directory, MarkedScorer(world.risks), own=True)

    def rows(self) -> list[Row]:
        return self.store.query(  # type: ignore[return-value]  # columns of a query
            "SELECT rev_id, event_time, risk, model_risk, label FROM edits ORDER BY row"
        )

    def kept(self) -> list[tuple[object, ...]]:
        return self.store.query("SELECT * FROM own_edits ORDER BY wiki, day")


def many_reverts(days: int = 14, seed: int = 1, wiki: str = "enwiki") -> EditWorld:
    """A wiki on which three of ten edits are reverted, whatever the model thinks (.05 to .3): some at once,
    some after a day, and some after three days, which is too late."""
    world, chance = EditWorld(wiki=wiki), random.Random(seed)
    for day in range(days):
        for n in range(8):
            title = f"Page {day} {n}"
            good = world.edit("Ann", "It is a tower.", title=title, risk=0.05)
            world.edit("Ben" if n % 2 else "192.0.2.7", f"It is {n} towers.", title=title, risk=0.3)
            if chance.random() < 0.6:
                world.wait(chance.choice((0.0, 5 * HOUR_S)))
                world.revert("Zoe", good, risk=0.05)
            world.wait(2 * HOUR_S)
    return world


def run(
    world: EditWorld, directory: Path, cuts: Sequence[int], *, restart: bool = False
) -> tuple[list[Row], list[tuple[object, ...]], list[Alert]]:
    """Batches that end at `cuts`."""
    core = OwnCore(directory, world)
    for first, below in zip([0, *cuts], [*cuts, len(world.records)], strict=True):
        core.take(world.records[first:below])
        if restart:
            core.close()
            core = OwnCore(directory, world)
    found = core.rows(), core.kept(), core.alerts()
    core.close()
    return found


def test_a_wiki_that_reverts_more_than_the_model_thinks_is_told_higher_risks(tmp_path: Path) -> None:
    world = many_reverts()
    rows, _, alerts = run(world, tmp_path, range(50, len(world.records), 50))
    first = min(event_time for _, event_time, *_ in rows)
    for _, event_time, risk, model_risk, _ in rows:
        if event_time // DAY_S < first // DAY_S + 3:
            assert model_risk is None
        elif event_time > first + 8 * DAY_S and (model_risk or risk) == 0.3:
            assert model_risk == 0.3
            assert risk > 0.4
    assert not [alert for alert in alerts if alert.revert_risk is not None]  # the model's .3 decides


def test_live_is_what_the_card_measures(tmp_path: Path) -> None:
    """The same shifts as `followed` gives the edits of a file."""
    world = many_reverts()
    rows, _, _ = run(world, tmp_path, range(17, len(world.records), 17))
    edits = {record.rev_id: record for record in world.records if isinstance(record, Edit)}
    risk = np.array([world.risks[rev_id] for rev_id, *_ in rows])
    anonymous = np.array([edits[rev_id].performer.startswith("192") for rev_id, *_ in rows])
    reverted = np.array([label == "reverted" for *_, label in rows])
    event_time = np.array([event_time for _, event_time, *_ in rows])
    told = probability_of(followed(log_odds_of(risk), anonymous, reverted, event_time))
    # Event time that has passed lies a minute behind an edit's own: the first of a day are of the day before.
    inside = event_time % DAY_S > 120.0
    assert inside.sum() > 150
    assert np.array([risk for _, _, risk, *_ in rows])[inside] == pytest.approx(told[inside], abs=1e-9)


@pytest.mark.parametrize("restart", [False, True])
def test_borders_of_batches_and_restarts_change_nothing(tmp_path: Path, *, restart: bool) -> None:
    world = many_reverts()
    whole = run(world, tmp_path / "whole", ())
    assert any(model_risk is not None for _, _, _, model_risk, _ in whole[0])
    for seed in range(2):
        chance = random.Random(seed)
        cuts = sorted(chance.sample(range(1, len(world.records)), 12))
        assert run(world, tmp_path / f"{seed}", cuts, restart=restart) == whole


def test_each_wiki_is_shifted_by_its_own_edits(tmp_path: Path) -> None:
    ours, other = many_reverts(), EditWorld(wiki="dewiki")
    for day in range(14):
        for n in range(5):
            other.edit("Ann", f"Es ist Turm {n}.", title=f"Seite {day} {n}", risk=0.3)
            other.wait(4 * HOUR_S)
    world = EditWorld()
    for at, one in enumerate((ours, other)):
        for record in one.records:
            assert isinstance(record, Edit)
            moved = msgspec.structs.replace(
                record, rev_id=record.rev_id * 2 + at, event_id=f"{at}-{record.event_id}"
            )
            world.risks[moved.rev_id] = one.risks[record.rev_id]
            world.records.append(moved)
    world.records.sort(key=lambda record: record.event_time)
    rows, kept, _ = run(world, tmp_path, range(40, len(world.records), 40))
    shifted = {rev_id % 2 for rev_id, _, _, model_risk, _ in rows if model_risk is not None}
    assert shifted == {0}  # of the other one no revert was seen
    assert {wiki for wiki, *_ in kept} == {"enwiki", "dewiki"}


def test_what_another_model_was_taught_is_forgotten(tmp_path: Path) -> None:
    world = many_reverts()
    run(world, tmp_path, ())
    with closing(SqliteStore(tmp_path / "core.sqlite")) as store:
        assert store.own_edits("story")
        assert not store.own_edits("another")
        assert not store.own_edits("story")


def outcomes(days: Mapping[Key, OwnDay | None]) -> tuple[float, float]:
    """Edits kept and reverted."""
    found = [0.0, 0.0]
    for day in days.values():
        assert day is not None
        for at, count in zip(day.cells, day.counts, strict=True):
            found[at % 2] += count
    return found[0], found[1]


def test_what_is_counted_is_what_the_log_says(tmp_path: Path) -> None:
    world = many_reverts(days=2)
    rows, _, _ = run(world, tmp_path, (10, 20))
    reverted = sum(label == "reverted" for *_, label in rows)
    assert reverted > 0
    with closing(SqliteStore(tmp_path / "core.sqlite")) as store:
        assert outcomes(store.own_edits("story")) == (len(rows) - reverted, reverted)


def test_a_label_that_is_taken_back_is_taken_back_here_too_but_not_after_the_second_day(
    tmp_path: Path,
) -> None:
    world = many_reverts(days=2)
    run(world, tmp_path, (10, 20))
    with closing(SqliteStore(tmp_path / "core.sqlite")) as store:
        row, event_time = store.query("SELECT row, event_time FROM edits WHERE label = 'reverted'")[0]
        kept, reverted = outcomes(store.own_edits("story"))

        def taken_back(passed: float) -> tuple[float, float]:
            own = OwnShifts(store, "story")
            assert isinstance(row, int)
            label = LabelRow(row, None, passed, 0, "", "enwiki:Page", passed=passed)
            own.follow([], np.zeros(0), [label, label])
            after = {**store.own_edits("story"), **own.changed()}
            return outcomes(after)

        assert isinstance(event_time, float)
        day = event_time // DAY_S
        assert taken_back((day + 3) * DAY_S - 1) == (kept + 1, reverted - 1)
        assert taken_back((day + 3) * DAY_S) == (kept, reverted)


def test_an_edit_that_comes_days_late_is_not_counted(tmp_path: Path) -> None:
    """Its day may have gone into the past already, or not: what is learnt must not hang on that."""
    world = many_reverts()
    late = []
    for at in range(60, len(world.records), 5):
        before = world.records[at]
        assert isinstance(before, Edit)
        edit = msgspec.structs.replace(
            before,
            event_id=f"late-{at}",
            rev_id=before.rev_id + 100_000,
            title=f"Late {at}",
            event_time=before.event_time - 4 * DAY_S,
        )
        world.risks[edit.rev_id] = 0.3
        late.append((at, edit))
    for at, edit in reversed(late):
        world.records.insert(at, edit)
    whole = run(world, tmp_path / "whole", ())
    assert run(world, tmp_path / "cut", range(9, len(world.records), 9), restart=True) == whole
    plain = many_reverts()
    _, kept, _ = run(plain, tmp_path / "plain", ())
    assert whole[1] == kept


def test_what_is_stored_is_not_stored_again(tmp_path: Path) -> None:
    world = many_reverts(days=5)
    with OwnCore(tmp_path, world) as core:
        core.take(world.records)
        assert core.processor.process("ndjson", [], None).own_edits == {}


def test_wikis_beyond_the_bound_are_left_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_shifts, "WIKIS", 0)
    rows, kept, _ = run(many_reverts(), tmp_path, ())
    assert not kept
    assert all(model_risk is None for _, _, _, model_risk, _ in rows)


def test_a_strong_shift_is_a_reason_and_exactly_what_the_risk_moved(tmp_path: Path) -> None:
    world = many_reverts()
    world.edit("Ann", "It is a tower.", title="Last", risk=0.05)
    world.edit("Ben", "It is not.", title="Last", risk=0.9)
    _, _, alerts = run(world, tmp_path, range(30, len(world.records), 30))
    alert = next(alert for alert in alerts if alert.title == "Last")
    assert alert.evidence["model_risk"] == 0.9
    assert alert.model_version == f"story{OWN}"
    assert {reason.feature for reason in alert.reasons} == {"story", "own_reverts"}
    own = next(reason for reason in alert.reasons if reason.feature == "own_reverts")
    assert alert.reasons[0].contribution >= alert.reasons[1].contribution
    told, alone = log_odds_of(np.array([alert.revert_risk, 0.9]))
    assert own.contribution == pytest.approx(told - alone, abs=1e-6)
    assert own.value == pytest.approx(np.exp(own.contribution))
    assert "on this wiki" in own.text


def test_one_that_decides_by_the_model_alone_alerts_alike(tmp_path: Path) -> None:
    """So a worker that went on without what others had to tell gives the same alerts."""
    world = many_reverts()
    for n in range(6):
        world.edit("Ann", "It is a tower.", title=f"Last {n}", risk=0.05)
        world.edit("Ben", "It is not.", title=f"Last {n}", risk=0.7 + n / 20)
        world.edit("Ben", "It is not, no.", title=f"Last {n}", risk=0.45)
    _, _, own = run(world, tmp_path / "own", (100,))
    with Core(tmp_path / "plain", MarkedScorer(world.risks)) as core:
        core.take(world.records)
        plain = core.alerts()
    assert len(own) >= 6

    def decided(alerts: list[Alert]) -> list[tuple[object, ...]]:
        return [(a.ce_id, a.kind, a.status, a.severity, a.rev_id, a.episode_start) for a in alerts]

    assert decided(own) == decided(plain)
    assert [a.revert_risk for a in own] != [a.revert_risk for a in plain]


@pytest.mark.parametrize(
    "kept", [OwnDay([96], [1.0]), OwnDay([-1], [1.0]), OwnDay([1, 2], [1.0]), OwnDay([1], [-1.0]),
             OwnDay([1], [float("nan")])]
)  # fmt: skip
def test_counts_that_can_not_be_are_refused_loudly(tmp_path: Path, kept: OwnDay) -> None:
    with closing(SqliteStore(tmp_path / "core.sqlite")) as store:
        store.commit(Batch("ndjson", own_model="story", own_edits={("enwiki", 20_000): kept}), 0.0)
        with pytest.raises(StoreCorrupt, match="enwiki"):
            OwnShifts(store, "story")


@pytest.mark.parametrize("blob", [b"", b"\xc1", b"\x93\x01"])
def test_counts_that_can_not_be_read_are_refused_loudly(tmp_path: Path, blob: bytes) -> None:
    with closing(SqliteStore(tmp_path / "core.sqlite")) as store:
        with store.transaction() as db:
            db.execute("INSERT INTO own_edits VALUES ('enwiki', 20000, 'story', ?)", (blob,))
        with pytest.raises(StoreCorrupt):
            OwnShifts(store, "story")


def test_nothing_is_followed_without_edits(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "core.sqlite")) as store:
        own = OwnShifts(store, "story")
        assert not len(own.follow([], np.zeros(0), []))
        assert own.changed() == {}
