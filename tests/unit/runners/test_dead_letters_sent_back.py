"""Dead letters of a stage that was broken go back to the first topic, through both hops."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from streams.cli.kafka_dead_letters import _place
from streams.kafka import dead_letters
from streams.kafka.dead_letters import KafkaDeadLetter, original
from streams.runners.partitions import dead
from streams.topics import CHANGES, EDITS, PERFORMERS, Header
from tests.core_world import EditWorld, MarkedScorer, raw_of
from tests.partition_world import Cluster, Record


class Broken(MarkedScorer):
    def row(self, *args: Any, **named: Any) -> list[float]:
        raise RuntimeError("broken")


def a_story(edits: int = 5) -> EditWorld:
    world = EditWorld()
    for number in range(edits):
        world.edit(f"User {number}", None, risk=0.95)
    return world


def letters_of(records: Iterable[Record]) -> list[KafkaDeadLetter]:
    return [
        KafkaDeadLetter(
            record.partition,
            record.offset,
            record.timestamp / 1_000,
            record.key,
            record.value,
            len(record.value or b""),
            list(record.headers),
        )
        for record in records
    ]


def mend(cluster: Cluster, scorer: MarkedScorer) -> None:
    """All workers are started anew, with other code."""
    cluster._scorer = scorer
    for place in list(cluster.units):
        cluster.take_over(place)


def send_back(cluster: Cluster) -> None:
    for letter in letters_of(cluster.dead_letters()):
        if not letter.requeued:
            record = original(letter, _place(cluster.partitions))
            cluster.append(record.topic, record.partition, record.key, record.value, record.headers)


@pytest.fixture
def broken(tmp_path: Path) -> Iterator[tuple[Cluster, EditWorld]]:
    world = a_story()
    cluster = Cluster(tmp_path, Broken({}))
    cluster.ingest(raw_of(record) for record in world.records)
    cluster.heartbeat()
    cluster.run()
    yield cluster, world
    cluster.close()


def test_what_a_broken_stage_lost_is_processed_once_it_is_mended(
    broken: tuple[Cluster, EditWorld],
) -> None:
    cluster, world = broken
    assert cluster.outcomes("pages") == {"dead_lettered": 5}
    assert not cluster.alerts()
    mend(cluster, MarkedScorer(world.risks))
    send_back(cluster)
    cluster.run()
    assert cluster.outcomes("pages") == {"dead_lettered": 5, "processed": 5}
    assert cluster.outcomes("performers") == {"forwarded": 10}
    assert {alert.title for alert in cluster.alerts()} == {world.title}


def test_what_fails_again_is_a_new_dead_letter_and_not_sent_twice(
    broken: tuple[Cluster, EditWorld],
) -> None:
    cluster, _ = broken
    for rounds in (1, 2):
        send_back(cluster)
        cluster.run()
        letters = letters_of(cluster.dead_letters())
        assert len(letters) == 5 + rounds * 5
        assert sum(letter.requeued for letter in letters) == rounds * 5


def test_nobody_waits_for_an_answer_that_came_before_its_record(
    broken: tuple[Cluster, EditWorld],
) -> None:
    cluster, world = broken
    mend(cluster, MarkedScorer(world.risks))
    send_back(cluster)
    for partition in range(cluster.partitions):
        cluster.feed(("performers", partition))
        cluster.work(("performers", partition))
    for partition in range(cluster.partitions):
        unit = cluster.units["pages", partition]
        for topic in (PERFORMERS.name, EDITS.name):
            log = cluster.topics.get((topic, partition), [])
            unit.take(topic, log[unit.positions.get(topic, 0) :])
    cluster.run()
    assert cluster.outcomes("pages") == {"dead_lettered": 5, "processed": 5}


def test_headers_that_say_why_and_when_do_not_go_back(broken: tuple[Cluster, EditWorld]) -> None:
    cluster, _ = broken
    letter = letters_of(cluster.dead_letters())[0]
    assert letter.told("reason") == "stage_failed"
    assert letter.told("topic") == EDITS.name
    record = original(letter, _place(cluster.partitions))
    assert record.topic == CHANGES.name
    assert record.headers == [(Header.REQUEUED, b"1")]
    first = cluster.topics[CHANGES.name, record.partition]
    assert (record.key, record.value) in [(one.key, one.value) for one in first]


def test_the_two_that_name_the_headers_agree() -> None:
    assert dead.PREFIX == dead_letters.PREFIX
