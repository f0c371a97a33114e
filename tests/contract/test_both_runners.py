"""The embedded runner and the partitions of Kafka give the same, key by key: alerts and their order,
labels, page status, last good revisions. Whatever the schedule, the batches and the crashes."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.records import Edit, PageStatus
from streams.sources.base import SourceItem
from streams.stages.normalize import Normalized
from streams.stages.status import status_of
from streams.stages.track import last_good
from streams.store.keys import state_id
from tests.core_world import Core, ListSource, Record, ToldHistories, TouchyScorer, raw_of
from tests.partition_world import Cluster, per_page
from tests.property.test_core_properties import PLANS, Plan, story_of

SHM = "/dev/shm" if Path("/dev/shm").is_dir() else None


def raws_of(plan: Plan) -> list[bytes]:
    return [raw_of(record) for record in story_of(plan)]


def statuses(core: Core) -> dict[str, PageStatus]:
    found = {}
    for key in (key for key, _ in core.store.deadlines()):
        episode = core.store.load_episode(state_id(key))
        status = status_of(episode) if episode is not None else None
        if status is not None:
            found[key] = status
    return found


def assert_same(cluster: Cluster, core: Core, *, moved: bool) -> None:
    # What is open on a page that was moved is told on under the new title, by the partition of that:
    # the order of one partition is all that Kafka keeps.
    if not moved:
        assert per_page(cluster.alerts()) == per_page(core.alerts())
    told_alerts = cluster.alerts()
    assert {a.ce_id: a for a in told_alerts} == {a.ce_id: a for a in core.alerts()}
    assert len(told_alerts) == len({alert.ce_id for alert in told_alerts})
    labels = {rev: label for rev, label in core.labels().items() if label[0] is not None}
    told = {rev: label for rev, label in cluster.labels().items() if label[0] is not None}
    assert {rev: (label, by or None) for rev, (label, by) in labels.items()} == told
    assert cluster.statuses() == statuses(core)
    for place, store in cluster.stores.items():
        if place[0] != "pages":
            continue
        for key_id, raw in store.states("p", -1, 1_000_000):
            del raw
            (page,) = store.load_pages([key_id]).values()
            (other,) = core.store.load_pages([key_id]).values()
            assert last_good(page) == last_good(other), page.key


@settings(max_examples=60, deadline=None)
@given(PLANS, st.integers(0, 2**32), st.integers(1, 4), st.booleans())
def test_partitions_give_what_one_process_gives(
    plan: Plan, seed: int, partitions: int, crashes: bool
) -> None:
    raws = raws_of(plan)
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(dir=SHM) as name:
        core = Core(Path(name), TouchyScorer())
        core.runner(ListSource([SourceItem("", raw) for raw in raws])).run_file()
        cluster = Cluster(Path(name), TouchyScorer(), partitions=partitions)
        for raw in raws:
            cluster.ingest([raw])
            if chance.random() < 0.3:
                cluster.heartbeat()
            for _ in range(chance.randrange(4)):
                place = chance.choice(list(cluster.units))
                cluster.feed(place, chance.choice((1, 2, 100)))
                crash = chance.choice(("", "", "before", "between")) if crashes else ""
                cluster.work(place, chance.choice((1, 3, 100)), crash=crash)
                if crashes and chance.random() < 0.1:
                    cluster.take_over(
                        chance.choice(list(cluster.units)), lost_disk=chance.random() < 0.5
                    )
        cluster.heartbeat()
        cluster.run()
        assert_same(cluster, core, moved=any(what == 13 for what, *_ in plan))
        core.close()
        cluster.close()


class Attached:
    """Stands where the content stage does: the texts of a story's edits."""

    def __init__(self, records: Sequence[Record]) -> None:
        self._edits = {record.rev_id: record for record in records if isinstance(record, Edit)}

    def attach(
        self, records: Sequence[tuple[SourceItem, Normalized]]
    ) -> list[tuple[SourceItem, Normalized]]:
        return [
            (item, self._with_texts(record) if isinstance(record, Edit) else record)
            for item, record in records
        ]

    def _with_texts(self, edit: Edit) -> Edit:
        known = self._edits[edit.rev_id]
        return msgspec.structs.replace(edit, content=known.content, page_id=known.page_id)


@settings(max_examples=60, deadline=None)
@given(PLANS, st.integers(0, 2**32), st.integers(1, 4), st.integers(0, 20), st.booleans())
def test_so_they_do_where_histories_of_cold_pages_are_fetched(
    plan: Plan, seed: int, partitions: int, unseen: int, some_are_not_had: bool
) -> None:
    wiki = story_of(plan)
    raws = [raw_of(record) for record in wiki[unseen:]]
    content = Attached(wiki)
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(dir=SHM) as name:
        gone = [record.rev_id for record in wiki if isinstance(record, Edit) and record.rev_id % 2]
        gone = gone if some_are_not_had else []
        histories = ToldHistories(wiki, gone)
        core = Core(Path(name), TouchyScorer(), histories=histories)
        core.runner(ListSource([SourceItem("", raw) for raw in raws]), content=content).run_file()
        on_kafka = ToldHistories(wiki, gone)
        cluster = Cluster(
            Path(name),
            TouchyScorer(),
            partitions=partitions,
            attach=content.attach,
            histories=on_kafka,
        )
        for raw in raws:
            cluster.ingest([raw])
            for _ in range(chance.randrange(4)):
                place = chance.choice(list(cluster.units))
                cluster.feed(place, chance.choice((1, 2, 100)))
                cluster.work(place, chance.choice((1, 3, 100)))
        cluster.heartbeat()
        cluster.run()
        assert set(on_kafka.asked) == set(histories.asked)
        assert_same(cluster, core, moved=any(what == 13 for what, *_ in plan))
        core.close()
        cluster.close()
