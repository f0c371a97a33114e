"""What people say of alerts counts the same on Kafka as in one process: in live precision, recall and
calibration, whichever of labels and verdicts a reader meets first, and after any restart of it."""

from __future__ import annotations

import math
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path
from unittest.mock import patch

import msgspec
from hypothesis import event, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from streams.cli.pager import LOOK_EVERY_S, live_quality
from streams.kafka.verdicts import verdict_sendings
from streams.metrics import QUALITY_WINDOWS, QualityMetrics
from streams.records import AlertKind, EditsVerdict, Label, LabelKind, Verdict
from streams.runners.live_labels import LiveLabels
from streams.sinks.pager_feed import Fetched
from streams.sources.base import SourceItem
from streams.stages.decide import AlertPolicy
from streams.state import live_quality as figures
from streams.state.watermark import LATENESS_S
from streams.store.verdicts import GivenVerdict, Verdicts, on_edits
from streams.topics import LABELS, VERDICTS
from tests.contract.test_both_runners import SHM
from tests.core_world import DAY, Core, EditWorld, ListSource, Record, TouchyScorer, raw_of
from tests.partition_world import Cluster
from tests.property.test_core_properties import PLANS, Plan, story_of

Figures = dict[tuple[str, str], float]
#: Alerts on two edits of three.
OFTEN = AlertPolicy(threshold=0.3, warning_share=0.5)


def two_days_later(story: Sequence[Record]) -> list[Record]:
    """Somebody edits elsewhere, so that all of the story has its labels."""
    world = EditWorld("Elsewhere")
    world.now, world._rev_id = story[-1].event_time, 9_000_000
    for _ in range(4):
        world.wait(0.9 * DAY)
        world.edit("Zoe", "x", risk=0.0)
    return [*story, *world.records]


def shown(registry: CollectorRegistry) -> Figures:
    names = ("precision", "recall", "calibration_error", "judged_edits")
    found = {}
    for name in names:
        for window in QUALITY_WINDOWS:
            value = registry.get_sample_value(f"factwatch_live_{name}", {"window": window})
            assert value is not None
            found[name, window] = value
    return found


def same(one: Figures, other: Figures) -> bool:
    return all(
        math.isclose(one[name], other[name], abs_tol=1e-6)
        or (math.isnan(one[name]) and math.isnan(other[name]))
        for name in one
    )


def of_one_process(core: Core) -> Figures:
    """As a start reads them from the store, by the time that has passed there."""
    registry = CollectorRegistry()
    LiveLabels(core.store, QualityMetrics(registry), lambda: 0.0)
    return shown(registry)


def of_a_reader(cluster: Cluster, passed: float, chance: random.Random) -> Figures:
    """As `factwatch pager` folds them, from the beginning of both topics: partitions in any order, each in
    its own."""
    registry, now = CollectorRegistry(), 0.0
    fold = live_quality(QualityMetrics(registry), lambda: now)
    waiting = [
        list(log) for (topic, _), log in cluster.topics.items() if topic in (LABELS.name, VERDICTS.name)
    ]
    while waiting := [log for log in waiting if log]:
        log = chance.choice(waiting)
        record = log.pop(0)
        if record.topic == LABELS.name:
            fold(Fetched(labels=[msgspec.json.decode(record.value or b"", type=Label)]))
        else:
            fold(Fetched(verdicts=[msgspec.json.decode(record.value or b"", type=EditsVerdict)]))
    end = passed + LATENESS_S
    later = [
        Label(wiki="z", title="Z", rev_id=n, label=LabelKind.KEPT, event_time=end, labelled_time=end)
        for n in range(1, 10)  # so many that the time they tell is believed
    ]
    now = 2 * LOOK_EVERY_S
    fold(Fetched(labels=later))
    return shown(registry)


def spoken(cluster: Cluster, given: GivenVerdict) -> int:
    """As `factwatch api` does by what the archive tells of the alert."""
    history = [alert for alert in cluster.alerts() if alert.alert_id == given.alert_id]
    verdict = on_edits(given, history)
    if verdict is None:
        return 0
    for sending in verdict_sendings([verdict], cluster.partitions):
        cluster.append(
            sending.topic, sending.partition, sending.key or b"", sending.value, sending.headers
        )
    return len(verdict.edits)


@settings(max_examples=40, deadline=None)
@given(PLANS, st.integers(0, 2**32), st.integers(1, 4))
def test_both_runners_give_the_same_live_figures(plan: Plan, seed: int, partitions: int) -> None:
    story = two_days_later(story_of(plan))
    raws = [raw_of(record) for record in story]
    chance = random.Random(seed)
    with (
        tempfile.TemporaryDirectory(dir=SHM) as name,
        patch.object(figures, "ENOUGH_CASES", 1),
        patch.object(figures, "ENOUGH_SCORED", 1),
    ):
        core = Core(Path(name), TouchyScorer(), policy=OFTEN)
        core.runner(ListSource([SourceItem("", raw) for raw in raws])).run_file()
        cluster = Cluster(Path(name), TouchyScorer(), partitions=partitions, policy=OFTEN)
        cluster.ingest(raws)
        cluster.heartbeat()
        cluster.run()
        passed = core.store.watermark().time
        alerts = core.alerts()
        before = of_one_process(core)
        assert same(of_a_reader(cluster, passed, chance), before)
        verdicts = Verdicts(core.store)
        for _ in range(chance.randrange(1, 15) if alerts else 0):
            alert = chance.choice(alerts)
            given_now = GivenVerdict(
                str(chance.randrange(4)),
                alert.alert_id,
                chance.choice(list(Verdict)),
                chance.choice((None, alert.rev_id)),
                "Ann",
                0.0,
                "",
            )
            kept = verdicts.keep(given_now)
            assert spoken(cluster, given_now) == kept
            assert kept or alert.kind is not AlertKind.EDIT_SUSPECT
        after = of_one_process(core)
        event("the figures moved" if not same(after, before) else "they did not")
        for _ in range(2):  # and after a restart
            assert same(of_a_reader(cluster, passed, chance), after)
        core.close()
        cluster.close()
