"""Each wiki's own reverts shift the risk that is told, and by the same on Kafka as in one process, to the last
bit: whatever the schedule, the batches, the crashes, and whatever was compacted."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.partitions import partition_of_page
from streams.records import Label
from streams.runners.own_counts import OWN
from streams.sources.base import SourceItem
from streams.topics import LABELS, OWN_EDITS
from tests.contract.test_both_runners import SHM, Attached, assert_same, raws_of
from tests.core_world import (
    DAY,
    Core,
    ListSource,
    MarkedScorer,
    TouchyScorer,
    raw_of,
)
from tests.own_world import one_page, story
from tests.partition_world import Cluster
from tests.property.test_core_properties import PLANS, Plan

Risks = dict[int, tuple[float | None, float | None]]
"""By rev_id: as told, and the model's own where that is another."""


def told_by_core(core: Core) -> Risks:
    rows = core.store.query("SELECT rev_id, risk, model_risk FROM edits")
    return {rev_id: (risk, model_risk) for rev_id, risk, model_risk in rows}  # type: ignore[misc]  # columns of a query


def told_by(cluster: Cluster) -> Risks:
    """Of all edits: four days later each has had its label. One that comes then tells no risk any more."""
    cluster.watermark.newest += 4 * DAY
    cluster.heartbeat()
    cluster.run()
    labels = [msgspec.json.decode(one.value or b"", type=Label) for one in cluster.values(LABELS.name)]
    return {
        label.rev_id: (label.revert_risk, label.model_risk)
        for label in labels
        if label.revert_risk is not None
    }


def shifted(told: Risks) -> int:
    return sum(by_model is not None for _, by_model in told.values())


def disturbed(cluster: Cluster, chance: random.Random, raws: list[bytes]) -> None:
    """Records come one by one; units work when they like, on what they like, and some fall over."""
    for raw in raws:
        cluster.ingest([raw])
        if chance.random() < 0.2:
            cluster.heartbeat()
        for _ in range(chance.randrange(4)):
            place = chance.choice(list(cluster.units))
            cluster.feed(place, chance.choice((1, 5, 100)))
            cluster.work(
                place, chance.choice((1, 5, 100)), crash=chance.choice(("", "", "before", "between"))
            )
        if chance.random() < 0.05:
            cluster.take_over(chance.choice(list(cluster.units)), lost_disk=chance.random() < 0.5)
        if chance.random() < 0.05:
            cluster.compact(OWN_EDITS.name, chance.randrange(1_000))
    cluster.heartbeat()
    cluster.run()


@pytest.mark.parametrize("seed", range(4))
def test_a_story_of_two_wikis_is_told_alike(tmp_path: Path, seed: int) -> None:
    told = story(seed)
    raws, content = [raw_of(record) for record in told.records], Attached(told.records)
    scorer = MarkedScorer(told.risks)
    with Core(tmp_path, scorer, own=True) as core:
        core.runner(ListSource([SourceItem("", raw) for raw in raws]), content=content).run_file()
        cluster = Cluster(tmp_path, scorer, partitions=1 + seed, own=True, attach=content.attach)
        disturbed(cluster, random.Random(seed), raws)
        assert_same(cluster, core, moved=True)
        expected = told_by_core(core)
        assert {alert.model_version for alert in core.alerts()} >= {"story", f"story{OWN}"}
    assert told_by(cluster) == expected
    assert shifted(expected) > 50
    cluster.close()


@settings(max_examples=40, deadline=None)
@given(PLANS, st.integers(0, 2**32), st.integers(1, 4))
def test_whatever_happens_to_pages_it_is_told_alike(plan: Plan, seed: int, partitions: int) -> None:
    raws = raws_of(plan)
    with tempfile.TemporaryDirectory(dir=SHM) as name:
        core = Core(Path(name), TouchyScorer(), own=True)
        core.runner(ListSource([SourceItem("", raw) for raw in raws])).run_file()
        cluster = Cluster(Path(name), TouchyScorer(), partitions=partitions, own=True)
        disturbed(cluster, random.Random(seed), raws)
        assert_same(cluster, core, moved=any(what == 13 for what, *_ in plan))
        core.close()
        cluster.close()


class OnePage:
    """Its edits, and what one process tells of them."""

    def __init__(self, directory: Path) -> None:
        world = one_page()
        self.raws, self.content = [raw_of(record) for record in world.records], Attached(world.records)
        self.scorer = MarkedScorer(world.risks)
        with Core(directory, self.scorer, own=True) as core:
            source = ListSource([SourceItem("", raw) for raw in self.raws])
            core.runner(source, content=self.content).run_file()
            self.expected = told_by_core(core)


def test_partitions_without_any_edit_let_the_day_be_closed_by_heartbeats(tmp_path: Path) -> None:
    story = OnePage(tmp_path)
    raws, content, scorer, expected = story.raws, story.content, story.scorer, story.expected
    cluster = Cluster(tmp_path, scorer, partitions=3, own=True, attach=content.attach)
    busy = partition_of_page("enwiki", "Tower", 3)
    cluster.ingest(raws)
    cluster.run()
    waiting = [cluster.units["pages", place].waiting for place in range(3)]
    assert waiting[busy] == len(raws)
    cluster.heartbeat()
    cluster.run()
    assert cluster.units["pages", busy].waiting == 0
    assert told_by(cluster) == expected
    assert shifted(expected) > 5
    cluster.close()


def test_a_start_in_the_midst_of_a_day_goes_on_with_what_was_counted_before_it(tmp_path: Path) -> None:
    story = OnePage(tmp_path)
    raws, content, scorer, expected = story.raws, story.content, story.scorer, story.expected
    cluster = Cluster(tmp_path, scorer, partitions=2, own=True, attach=content.attach)
    for raw in raws:
        cluster.ingest([raw])
        cluster.heartbeat()
        cluster.run()
        cluster.compact(OWN_EDITS.name, 1_000_000)
        for place in list(cluster.units):
            cluster.take_over(place, lost_disk=True)
    assert told_by(cluster) == expected
    # What a start reads does not grow: the sums, and what was told since.
    cluster.compact(OWN_EDITS.name, 1_000_000)
    assert len(cluster.values(OWN_EDITS.name)) <= 1 + 2 * 2
    cluster.close()


def test_a_partition_of_which_nothing_is_heard_stops_nobody(tmp_path: Path) -> None:
    """As where somebody writes to `changes` who does not tell all partitions that time passes."""
    world = one_page()
    raws, content = [raw_of(record) for record in world.records], Attached(world.records)
    cluster = Cluster(
        tmp_path,
        MarkedScorer(world.risks),
        partitions=2,
        own=True,
        attach=content.attach,
        patience_s=60.0,
    )
    cluster.ingest(raws)
    while cluster.units["pages", partition_of_page("enwiki", "Tower", 2)].waiting or not cluster.now:
        cluster.run()
        cluster.now += 61.0
    cluster.run()
    assert cluster.outcomes("pages") == {"processed": len(raws)}
    assert shifted(told_by(cluster)) == 0
    cluster.close()


def test_workers_that_do_not_shift_do_not_wait_and_still_tell_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = one_page()
    raws, content = [raw_of(record) for record in world.records], Attached(world.records)
    cluster = Cluster(tmp_path, MarkedScorer(world.risks), partitions=2, attach=content.attach)
    monkeypatch.setattr(cluster, "read_own", lambda *_: False)
    cluster.ingest(raws)
    cluster.heartbeat()
    cluster.run()
    assert cluster.units["pages", 0].waiting == cluster.units["pages", 1].waiting == 0
    assert shifted(told_by(cluster)) == 0
    busy = partition_of_page("enwiki", "Tower", 2)
    told = [one for one in cluster.values(OWN_EDITS.name) if one.value is not None]
    assert {(one.key or b"").partition(b":")[0] for one in told} >= {b"%d" % busy}
    cluster.close()
