"""Workers keep the same sample to learn from as one process does, and send each row with its label."""

from __future__ import annotations

from pathlib import Path

import msgspec

from streams.records import Label, LabelKind, SeenFeatures
from streams.runners.training_sample import TrainingSample
from streams.sources.base import SourceItem
from streams.topics import LABELS
from tests.core_world import Core, ListSource, MarkedScorer, raw_of
from tests.partition_world import Cluster
from tests.unit.runners.test_live_labels import later, story

SAMPLE = TrainingSample("story", "f")


def test_each_row_goes_with_its_label_and_they_are_those_of_one_process(tmp_path: Path) -> None:
    world = later(story(), 0.9, 0.9, 0.4, 0.9)
    raws = [raw_of(record) for record in world.records]
    cluster = Cluster(tmp_path, MarkedScorer(world.risks), sample=SAMPLE)
    cluster.ingest(raws)
    cluster.run()
    cluster.heartbeat()
    cluster.run()
    with Core(tmp_path, MarkedScorer(world.risks), sample=SAMPLE) as core:
        core.runner(ListSource([SourceItem("", raw=raw) for raw in raws])).run_file()
        wanted = {
            rev_id: (label, SeenFeatures(weight, model, feature_set, features))
            for rev_id, label, weight, model, feature_set, features in core.store.query(
                "SELECT e.rev_id, e.label, t.weight, t.model, t.feature_set, t.features"
                " FROM training_rows t JOIN edits e ON e.row = t.row WHERE e.label IS NOT NULL"
            )
        }
    labels = [msgspec.json.decode(one.value or b"", type=Label) for one in cluster.values(LABELS.name)]
    assert {one.rev_id: (one.label, one.seen) for one in labels if one.seen is not None} == wanted
    assert len(wanted) > 80
    assert len(labels) > len(wanted)  # it is a sample


def test_a_moved_page_takes_its_rows_along(tmp_path: Path) -> None:
    world = story()
    for number in range(16):
        world.move(f"Moved {number}", f"Good page {number}")
    cluster = Cluster(tmp_path, MarkedScorer(world.risks), sample=SAMPLE)
    later(world, 0.9, 0.9, 0.4, 0.9)
    cluster.ingest(raw_of(record) for record in world.records)
    cluster.run()
    cluster.heartbeat()
    cluster.run()
    labels = [msgspec.json.decode(one.value or b"", type=Label) for one in cluster.values(LABELS.name)]
    moved = [one for one in labels if one.label is LabelKind.KEPT and one.revert_risk == 0.9]
    assert len(moved) == 16
    assert all(one.seen is not None for one in moved)
