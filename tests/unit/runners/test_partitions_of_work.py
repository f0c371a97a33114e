"""The partitions of work, one mistake of the world at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from streams.records import Edit, PageStatusKind
from streams.runners.partitions.retention import EVERY
from streams.store.changelog import Table
from streams.topics import CHANGES, EDITS, PERFORMERS, Header
from tests.core_world import DAY, EditWorld, MarkedScorer, raw_of
from tests.partition_world import Cluster


@pytest.fixture
def world() -> EditWorld:
    """Vandalism that is reverted, and some that stands."""
    world = EditWorld()
    good = world.edit("Alice", "The tower is 300 m high.")
    bad = world.edit("192.0.2.7", "The tower is 3 m high.", risk=0.95)
    world.undo("Bob", bad)
    world.edit("Cy", "Elsewhere.", title="Spire")
    world.edit("192.0.2.7", "Elsewhere. lol", title="Spire", risk=0.9)
    assert good.rev_id
    return world


def cluster_of(tmp_path: Path, world: EditWorld, **changes: Any) -> Cluster:
    return Cluster(tmp_path, MarkedScorer(world.risks), **changes)


def told(cluster: Cluster) -> list[str]:
    return sorted(f"{a.title} {a.kind} {a.status}" for a in cluster.alerts())


ALERTS_OF_WORLD = [
    "Spire edit.suspect open",
    "Tower edit.suspect open",
    "Tower edit.suspect resolved",
    "Tower fact.corrected resolved",
]


def test_vandalism_alerts_and_its_revert_settles_it(tmp_path: Path, world: EditWorld) -> None:
    cluster = cluster_of(tmp_path, world)
    cluster.ingest(raw_of(record) for record in world.records)
    cluster.heartbeat()
    cluster.run()
    assert told(cluster) == ALERTS_OF_WORLD
    statuses = cluster.statuses()
    assert list(statuses) == ["enwiki:Spire"]
    assert statuses["enwiki:Spire"].status is PageStatusKind.SUSPECT
    assert statuses["enwiki:Spire"].last_good_rev_id == world.records[3].rev_id  # type: ignore[union-attr]  # an edit


def test_records_of_somebody_elses_producer_come_through(tmp_path: Path, world: EditWorld) -> None:
    """Who writes to `changes` alone needs no headers and no copy in `edits`."""
    cluster = cluster_of(tmp_path, world)
    for record in world.records:
        cluster.ingest([raw_of(record)], routed=False)
        cluster.run()
    assert told(cluster) == ALERTS_OF_WORLD
    assert cluster.outcomes("performers") == {"forwarded": 5}
    assert cluster.outcomes("pages") == {"processed": 5}


def test_what_comes_twice_counts_once(tmp_path: Path, world: EditWorld) -> None:
    cluster = cluster_of(tmp_path, world)
    raws = [raw_of(record) for record in world.records]
    cluster.ingest(raws)
    cluster.ingest(raws)
    cluster.heartbeat()
    cluster.run()
    assert told(cluster) == ALERTS_OF_WORLD
    assert cluster.outcomes("pages") == {"processed": 5, "skipped_duplicate": 5}


def test_an_edit_waits_for_its_performer_but_not_for_ever(tmp_path: Path, world: EditWorld) -> None:
    cluster = cluster_of(tmp_path, world, patience_s=30.0)
    cluster.ingest(raw_of(record) for record in world.records)
    pages = [place for place in cluster.units if place[0] == "pages"]

    def work() -> bool:
        return any(cluster.feed(place) or cluster.work(place) for place in pages)

    while work():
        pass
    assert cluster.outcomes("pages") == {}
    for _ in world.records:  # each page has patience of its own with each of its edits
        cluster.now += 31.0
        while work():
            pass
    assert cluster.outcomes("pages") == {"processed": 5}
    assert told(cluster) == ALERTS_OF_WORLD


def test_an_answer_that_comes_too_late_is_not_kept(tmp_path: Path, world: EditWorld) -> None:
    cluster = cluster_of(tmp_path, world, partitions=1, patience_s=30.0)
    cluster.ingest(raw_of(record) for record in world.records)
    page = ("pages", 0)
    cluster.feed(page)
    while cluster.work(page) or cluster.units[page].waiting:
        cluster.now += 31.0
    cluster.run()
    cluster.ingest([raw_of(world.edit("Dora", "More."))])
    cluster.heartbeat()
    cluster.run()
    # Else reading would go on from the first that is still held, for ever.
    assert cluster.stores[page].meta.positions[PERFORMERS.name] == len(
        cluster.topics[PERFORMERS.name, 0]
    )


def test_bytes_that_are_no_event_become_dead_letters_with_their_headers(
    tmp_path: Path, world: EditWorld
) -> None:
    cluster = cluster_of(tmp_path, world)
    cluster.append(CHANGES.name, 1, b"key", b"\xffbroken", [("x-trace", b"7")])
    cluster.append(CHANGES.name, 1, b"", b"{} cut", [(Header.TOO_LARGE, b"1")])
    cluster.run()
    first, second = sorted(cluster.dead_letters(), key=lambda record: record.value or b"")[::-1]
    assert (first.key, first.value) == (b"key", b"\xffbroken")
    headers = dict(first.headers)
    assert headers["x-trace"] == b"7"
    assert headers["factwatch.error.reason"] == b"invalid_utf8"
    assert headers["factwatch.error.topic"] == CHANGES.name.encode()
    assert headers["factwatch.error.partition"] == b"1"
    assert headers["factwatch.error.offset"] == b"0"
    assert dict(second.headers)["factwatch.error.reason"] == b"too_large"
    assert cluster.outcomes("performers") == {"dead_lettered": 2}


def test_a_stage_that_raises_makes_a_dead_letter_of_the_edit_alone(
    tmp_path: Path, world: EditWorld
) -> None:
    class Fails(MarkedScorer):
        def row(self, edit: Edit, *more: Any, **named: Any) -> list[float]:
            if edit.title == "Spire":
                raise RuntimeError("odd\nthing")
            return super().row(edit, *more, **named)

    cluster = Cluster(tmp_path, Fails(world.risks))
    cluster.ingest(raw_of(record) for record in world.records)
    cluster.heartbeat()
    cluster.run()
    assert told(cluster) == [line for line in ALERTS_OF_WORLD if line.startswith("Tower")]
    assert cluster.outcomes("pages") == {"processed": 3, "dead_lettered": 2}
    headers = dict(cluster.dead_letters()[0].headers)
    assert headers["factwatch.error.stage"] == b"track"
    assert headers["factwatch.error.exception"] == b"RuntimeError"
    assert b"\n" not in headers["factwatch.error.message"]
    assert headers["factwatch.error.topic"] == EDITS.name.encode()


def test_what_an_operator_sends_back_is_worked_on_although_it_was_seen(
    tmp_path: Path, world: EditWorld
) -> None:
    cluster = cluster_of(tmp_path, world)
    raws = [raw_of(record) for record in world.records]
    cluster.ingest(raws[:1])
    cluster.heartbeat()
    cluster.run()
    cluster.append(CHANGES.name, 0, b"", raws[0], [(Header.REQUEUED, b"1")])
    cluster.run()
    outcomes = cluster.outcomes("pages")
    assert outcomes == {"processed": 1, "skipped_stale": 1}  # not a duplicate: the page knows it


def test_states_that_nobody_touched_for_long_leave(tmp_path: Path) -> None:
    world = EditWorld(step_s=60.0)
    world.edit("Alice", "old", title="Old")
    world.wait(40 * DAY)
    for number in range(EVERY * 2):
        world.edit(f"Editor {number}", "new", title=f"New {number}")
    cluster = cluster_of(tmp_path, world, partitions=1, retention_s=30 * DAY)
    for record in world.records:
        cluster.ingest([raw_of(record)])
        cluster.heartbeat()
        cluster.run()
    store = cluster.stores["pages", 0]
    kept = {
        page.key for key, _ in store.states("p", -1, 10_000) for page in store.load_pages([key]).values()
    }
    assert "enwiki:Old" not in kept
    assert "enwiki:New 0" in kept
    performers = cluster.stores["performers", 0].states("f", -1, 10_000)
    assert len(performers) == EVERY * 2


def test_a_worker_without_its_disk_has_all_from_the_changelog(tmp_path: Path, world: EditWorld) -> None:
    cluster = cluster_of(tmp_path, world)
    cluster.ingest(raw_of(record) for record in world.records)
    cluster.heartbeat()
    cluster.run()
    tables: tuple[Table, ...] = ("p", "w", "e", "l", "r", "i", "f", "a")
    before = {
        place: [store.states(table, -1, 10_000) for table in tables]
        for place, store in cluster.stores.items()
    }
    for place in list(cluster.units):
        cluster.take_over(place, lost_disk=True)
    after = {
        place: [store.states(table, -1, 10_000) for table in tables]
        for place, store in cluster.stores.items()
    }
    assert after == before
    assert any(before["pages", n][0] for n in range(3))
