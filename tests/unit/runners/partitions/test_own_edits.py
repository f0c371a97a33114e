"""What a page partition counts of its own edits is what its log says, whatever happened since it started; and the
log keeps an edit until its day has been told of."""

from __future__ import annotations

import random
from pathlib import Path

import msgspec
import pytest

from streams.records import Edit, Label, LabelKind
from streams.runners.partitions.own_edits import OwnEdits
from streams.runners.partitions.page_partition import PagePartition
from streams.runners.partitions.wire import OwnPart
from streams.store.changelog import NOT_COUNTED
from streams.store.keys import state_id
from streams.store.own_rows import OwnDay
from streams.topics import LABELS
from tests.contract.test_both_runners import Attached
from tests.core_world import DAY, HOUR, EditWorld, MarkedScorer, Record, raw_of
from tests.own_world import Story, story
from tests.partition_world import Cluster

PARTITIONS = 3
FAR = 30_000
TOWER = state_id("enwiki:Tower") % 2


class Told(Cluster):
    def __init__(self, directory: Path, told: Story, partitions: int = PARTITIONS) -> None:
        super().__init__(
            directory,
            MarkedScorer(told.risks),
            partitions=partitions,
            own=True,
            attach=Attached(told.records).attach,
        )
        self.raws = [raw_of(record) for record in told.records]

    def tell(self, first: int = 0, below: int | None = None) -> None:
        self.ingest(self.raws[first:below])
        self.heartbeat()
        self.run()

    def pass_time(self, to: float) -> None:
        self.watermark.newest = to
        for _ in range(2):
            self.heartbeat()
            self.run()

    def counted(self, partition: int) -> OwnPart:
        """All that is not told yet, as a start counts it."""
        store = self.stores["pages", partition]
        meta = msgspec.structs.replace(store.meta)
        sums = self.own_sums[partition]
        return OwnEdits(store, meta, sums, partition=partition, shifts=True).part(FAR)

    def live(self, partition: int) -> OwnPart:
        """The same, as it was counted along. The partition is of no more use after that."""
        unit = self.units["pages", partition]
        assert isinstance(unit, PagePartition)
        return unit._own.part(FAR)

    def rows(self, partition: int) -> set[int]:
        """In its log, of the main one and of what came with moved pages."""
        store = self.stores["pages", partition]
        logged = [edit for _, chunk in store.chunks(0) for edit in chunk]
        return {edit.row for edit in [*logged, *store.arrived_edits()]}

    def said(self) -> list[tuple[int, LabelKind | None]]:
        labels = [msgspec.json.decode(one.value or b"", type=Label) for one in self.values(LABELS.name)]
        return [(label.rev_id, label.label) for label in labels]


def some(part: OwnPart) -> dict[tuple[int, str], OwnDay]:
    return {(day, wiki): counts for day, wiki, counts in part.days if counts.cells}


def outcomes(parts: list[OwnPart]) -> tuple[float, float]:
    """Edits kept and reverted."""
    found = [0.0, 0.0]
    for part in parts:
        for _, _, counts in part.days:
            for at, count in zip(counts.cells, counts.counts, strict=True):
                found[at % 2] += count
    return found[0], found[1]


@pytest.mark.parametrize("seed", range(4))
def test_a_start_counts_what_was_counted_along(tmp_path: Path, seed: int) -> None:
    told = story(seed)
    cluster = Told(tmp_path, told)
    cut = random.Random(seed).randrange(60, len(told.records))
    for record in range(cut):
        cluster.tell(record, record + 1)
    found = 0.0
    for partition in range(PARTITIONS):
        counted = some(cluster.counted(partition))
        assert counted == some(cluster.live(partition))
        found += sum(sum(day.counts) for day in counted.values())
    assert found > 5
    cluster.close()


def test_a_page_that_moves_takes_what_was_counted_of_it_along(tmp_path: Path) -> None:
    world = EditWorld()
    for number in range(12):
        good = world.edit("Ann", "It is a tower.", title=f"Old {number}", risk=0.05)
        world.edit("Ben", "It is none.", title=f"Old {number}", risk=0.3)
        if number % 2:
            world.revert("Zoe", good, risk=0.05)
        world.move(f"New {number}", f"Old {number}")
        if number % 3 == 0:
            world.edit("Zoe", "It is a tower.", title=f"New {number}", risk=0.05)
    edits = sum(record.event_id.startswith("edit") for record in world.records)
    cluster = Told(tmp_path, Story(world.records, world.risks))
    cluster.tell()
    parts = [cluster.counted(partition) for partition in range(PARTITIONS)]
    reverted = 6 + 2  # before the move, or only after it
    assert outcomes(parts) == (edits - reverted, reverted)
    assert outcomes([cluster.live(partition) for partition in range(PARTITIONS)]) == outcomes(parts)
    cluster.close()


def rolled_back() -> tuple[EditWorld, list[Record]]:
    """An edit, its rollback; and one between them by somebody else, of which we hear last: so it was none."""
    world = EditWorld()
    world.edit("Ann", None, risk=0.05)
    world.edit("Ben", None, risk=0.3)
    between = world.edit("Cy", None, risk=0.05)
    rollback = world.rollback("Zoe", "Ben", risk=0.05)
    for late in (between, rollback):
        world.records.remove(late)
    return world, [rollback, between]


def test_a_revert_that_turns_out_to_be_none_is_taken_back(tmp_path: Path) -> None:
    world, late = rolled_back()
    cluster = Told(tmp_path, Story([*world.records, *late], world.risks), partitions=1)
    found = []
    for record in range(4):
        cluster.tell(record, record + 1)
        found.append(outcomes([cluster.counted(0)]))
    assert found == [(1, 0), (2, 0), (2, 1), (4, 0)]
    assert outcomes([cluster.live(0)]) == (4, 0)
    cluster.close()


def test_so_it_is_of_an_edit_that_moved_and_was_told_to_have_stood(tmp_path: Path) -> None:
    world, late = rolled_back()
    moved = next(f"Mast {n}" for n in range(99) if state_id(f"enwiki:Mast {n}") % 2 != TOWER)
    bad = world.records[-1]
    assert isinstance(bad, Edit)
    world.move(moved)
    late = [msgspec.structs.replace(record, title=moved) for record in late]
    cluster = Told(tmp_path, Story([*world.records, *late], world.risks), partitions=2)
    cluster.tell(0, 3)
    cluster.pass_time(bad.event_time + 49 * HOUR)
    for record in (3, 4):
        cluster.tell(record, record + 1)
        for partition in range(2):
            cluster.take_over(("pages", partition), lost_disk=True)
        cluster.run()
    said = [label for rev_id, label in cluster.said() if rev_id == bad.rev_id]
    assert said == [LabelKind.KEPT, LabelKind.REVERTED, LabelKind.KEPT]
    assert outcomes([cluster.counted(partition) for partition in range(2)]) == (4, 0)
    assert outcomes([cluster.live(partition) for partition in range(2)]) == (4, 0)
    cluster.close()


def test_edits_scored_by_another_model_are_not_counted_not_even_after_a_move(tmp_path: Path) -> None:
    world = EditWorld()
    for number in range(12):
        world.edit("Ann", "It is a tower.", title=f"Old {number}", risk=0.05)
    before = len(world.records)
    for number in range(12):
        world.move(f"New {number}", f"Old {number}")
        world.edit("Ben", "It is none.", title=f"New {number}", risk=0.3)
    cluster = Told(tmp_path, Story(world.records, world.risks))
    cluster.tell(0, before)
    newer = MarkedScorer(world.risks)
    newer.version = "newer"
    cluster._scorer = newer
    for place in list(cluster.units):
        cluster.take_over(place)
    cluster.tell(before)
    parts = [cluster.counted(partition) for partition in range(PARTITIONS)]
    assert {part.model for part in parts} == {"newer"}
    assert outcomes(parts) == (12, 0)
    assert outcomes([cluster.live(partition) for partition in range(PARTITIONS)]) == (12, 0)
    cluster.close()


def test_an_edit_dated_far_ahead_is_not_counted_not_even_by_a_later_start(tmp_path: Path) -> None:
    """After a quiet time event time follows at the third edit."""
    world = EditWorld()
    for number in range(4):
        world.edit("Ann", "It is a tower.", title=f"First {number}")
    world.wait(40 * DAY)
    for number in range(4):
        world.edit("Ann", "It is a tower.", title=f"Then {number}")
    cluster = Told(tmp_path, Story(world.records, world.risks), partitions=1)
    cluster.tell()
    assert outcomes([cluster.counted(0)]) == outcomes([cluster.live(0)]) == (2, 0)
    logged = [edit for _, chunk in cluster.stores["pages", 0].chunks(0) for edit in chunk]
    assert sum(bool(edit.flags & NOT_COUNTED) for edit in logged) == 2
    cluster.close()


def test_the_log_keeps_an_edit_until_its_day_was_told_of_and_then_forgets_all_of_it(
    tmp_path: Path,
) -> None:
    world = EditWorld()
    for number in range(20):
        good = world.edit("Ann", "It is a tower.", title=f"Old {number}")
        world.edit("Ben", "It is none.", title=f"Old {number}", risk=0.3)
        if number % 2:
            world.revert("Zoe", good)
        if number % 3 == 0:
            world.move(f"New {number}", f"Old {number}")
    cluster = Told(tmp_path, Story(world.records, world.risks))
    cluster.tell()
    logged = [cluster.rows(partition) for partition in range(PARTITIONS)]
    made = world.records[0].event_time // DAY * DAY
    cluster.pass_time(made + 2.9 * DAY)
    said = cluster.said()
    assert len(said) == len(set(said)) == 50
    assert [cluster.rows(partition) for partition in range(PARTITIONS)] == logged
    cluster.pass_time(made + 4.1 * DAY)
    for partition in range(PARTITIONS):
        assert cluster.rows(partition) == set()
        assert cluster.stores["pages", partition].marks() == {}
    assert cluster.said() == said
    cluster.close()


def test_an_edit_that_was_told_to_have_stood_is_not_told_so_again_where_its_page_moves(
    tmp_path: Path,
) -> None:
    world = EditWorld()
    for number in range(8):
        world.edit("Ann", "It is a tower.", title=f"Old {number}", risk=0.05)
    world.wait(48 * HOUR)
    for number in range(8):
        world.move(f"New {number}", f"Old {number}")
    world.wait(2 * HOUR)
    for number in range(8):
        world.move(f"Again {number}", f"New {number}")
    cluster = Told(tmp_path, Story(world.records, world.risks))
    for record in range(len(world.records)):
        cluster.tell(record, record + 1)
        for partition in range(PARTITIONS):
            cluster.take_over(("pages", partition))
    assert sorted(cluster.said()) == [(1_001 + number, LabelKind.KEPT) for number in range(8)]
    cluster.close()
