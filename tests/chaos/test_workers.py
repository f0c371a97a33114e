"""Workers, ingest and the broker are killed, on real Kafka; what comes out is what one undisturbed process
gives, to the last label."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from models.classifier import load_classifier
from streams.cli.compose import build_processor
from streams.clock import SystemClock
from streams.content.wiki_facts import WikiFacts
from streams.metrics import Metrics
from streams.records import Alert, PageStatus
from streams.runners.embedded import EmbeddedRunner
from streams.runners.own_counts import OWN
from streams.settings import Settings
from streams.sources.ndjson import NdjsonSource
from streams.stages.status import status_of
from streams.store.keys import state_id
from streams.store.sqlite import SqliteStore
from tests.benchmarks.events import recent_changes
from tests.integration.kafka_broker import KafkaBroker
from tests.kafka_world import Fleet, Process, Topics, fleet, per_page, run_to_end, wait_until

EVENTS = 200_000
POISON = 10_000
KILLS = 10
#: Two events a second of event time would take four days: labels come due, disputes settle.
EVENTS_PER_S = 0.5
#: The past is replayed 10,000 times as fast as it was: workers may be hours of it apart.
SETTINGS = Settings(
    wikis={"*": ""},
    content=False,
    alert_threshold=0.2,
    feedback_delay_s=36_000.0,
    dead_letter_limit=1.0,
)
ENVIRON = {
    "FACTWATCH_WIKIS": "*",
    "FACTWATCH_CONTENT": "false",
    "FACTWATCH_ALERT_THRESHOLD": "0.2",
    "FACTWATCH_FEEDBACK_DELAY_S": "36000",
    "FACTWATCH_DEAD_LETTER_LIMIT": "1",
}


def poison(number: int) -> bytes:
    """Lines that are no recent change, each in another way."""
    return (
        b'{"meta": {"id": "broken %d"',
        b"\xff\xfe not text %d",
        b'{"meta": {"id": "%d"}, "type": "edit", "wiki": 7}',
        b'{"meta": {"id": "%d", "dt": "2026-01-01T00:00:00Z"}, "type": "edit", "wiki": "enwiki", "title": ""}',
        b'{"no meta": %d}',
    )[number % 5] % number


class Outcome:
    """What one process gives."""

    def __init__(self, directory: Path, file: Path) -> None:
        store = SqliteStore(directory / "embedded.sqlite")
        runner = EmbeddedRunner(
            source=NdjsonSource(file),
            store=store,
            processor=build_processor(
                SETTINGS, store, load_classifier(), WikiFacts(), history=False, all_wikis=True
            ),
            metrics=Metrics(CollectorRegistry()),
            clock=SystemClock(),
        )
        runner.run_file()
        self.alerts: dict[str, list[Alert]] = per_page(s.alert for s in store.log(0, 10_000_000))
        self.labels = {
            ("enwiki", rev_id): (label, by or 0)
            for rev_id, label, by in store.query(
                "SELECT rev_id, label, reverted_by FROM edits WHERE label IS NOT NULL"
            )
        }
        self.statuses: dict[str, PageStatus] = {}
        for key, _ in store.deadlines():
            episode = store.load_episode(state_id(key))
            status = status_of(episode) if episode is not None else None
            if status is not None:
                self.statuses[key] = status
        self.outcomes = {name: n for (_, name), n in store.outcomes().items() if n}
        store.close()


def differing(found: Mapping[Any, Any], expected: Mapping[Any, Any]) -> dict[Any, tuple[Any, Any]]:
    """Some of what is not the same: to print all of both takes longer than the test."""
    keys = [key for key in {**found, **expected} if found.get(key) != expected.get(key)]
    return {key: (found.get(key), expected.get(key)) for key in keys[:5]}


def write_events(file: Path) -> list[bytes]:
    """Good ones with poison among them; gives the poison."""
    chance = random.Random(5)
    at = Counter(chance.randrange(EVENTS) for _ in range(POISON))
    lines: list[bytes] = []
    with file.open("wb") as out:
        for number, line in enumerate(recent_changes(EVENTS, events_per_s=EVENTS_PER_S)):
            for _ in range(at[number]):
                lines.append(poison(len(lines)))
                out.write(lines[-1] + b"\n")
            out.write(line + b"\n")
    return lines


@pytest.mark.timeout(900)
def test_kills_change_nothing(own_kafka: KafkaBroker, tmp_path: Path) -> None:
    file = tmp_path / "changes.ndjson"
    poisoned = write_events(file)
    environ = {**ENVIRON, "FACTWATCH_KAFKA_BOOTSTRAP": own_kafka.bootstrap}
    run_to_end(["topics", "create", "--partitions", "6"], environ, tmp_path / "topics.log")
    topics = Topics(own_kafka.bootstrap)
    with fleet(tmp_path, environ, 3) as workers:
        workers.up()
        ingest_environ = {**environ, "FACTWATCH_DATA_DIR": str(tmp_path / "ingest")}
        ingest = Process(
            ["ingest", "changes", "--source", str(file)], ingest_environ, tmp_path / "ingest.log"
        )
        try:
            disturb(workers, ingest, own_kafka, topics)
        finally:
            if ingest.running:
                ingest.kill()
        run_to_end(
            ["ingest", "changes", "--source", str(file)], ingest_environ, tmp_path / "ingest.log", 120
        )
        workers.up()
        wait_until(lambda: topics.worked_on() >= EVENTS, 300, workers.told, every_s=1)
        settle(topics, workers)
        codes = [worker.stop() for worker in workers.workers.values()]
    assert codes == [0, 0, 0], workers.told()
    expected = Outcome(tmp_path, file)
    found = per_page(topics.alerts())
    assert differing(found, expected.alerts) == {}
    assert len(found) > 1_000
    # The wiki's own reverts shift what is told from the fourth day on.
    told = Counter(alert.model_version.endswith(OWN) for page in found.values() for alert in page)
    assert told[True] > 100
    assert differing(topics.labels(), expected.labels) == {}
    assert differing(topics.statuses(), expected.statuses) == {}
    assert_nothing_lost(topics, poisoned, expected)


def disturb(workers: Fleet, ingest: Process, broker: KafkaBroker, topics: Topics) -> None:
    """Kill a worker every few seconds, ingest once, the broker once."""
    chance = random.Random(11)
    kills = 0
    wait_until(lambda: topics.worked_on() > 0, 60, lambda: workers.told() + ingest.told())
    while kills < KILLS:
        wait_s = chance.uniform(2, 6)
        passed = [False]

        def look(until: list[bool] = passed) -> bool:
            before, until[0] = until[0], True
            return before

        wait_until(look, 60, workers.told, every_s=wait_s)
        running = [number for number, worker in workers.workers.items() if worker.running]
        if not running:
            workers.up()
            continue
        workers.workers[chance.choice(running)].kill()
        kills += 1
        if kills == 2:
            ingest.kill()
            ingest.__init__(  # type: ignore[misc]  # the same, started again
                ["ingest", "changes", "--source", str(broker.directory.parent / "changes.ndjson")],
                {**ENVIRON, "FACTWATCH_KAFKA_BOOTSTRAP": broker.bootstrap},
                ingest.log,
            )
        if kills == 5:
            broker.restart()
        workers.up()
    assert topics.worked_on() < EVENTS, (
        "all was done before the last kill: more events, or quicker kills"
    )


def settle(topics: Topics, workers: Fleet) -> None:
    """Until what time alone makes due has been written too."""
    counts = [-1, -2]

    def still() -> bool:
        counts.append(len(topics.records("factwatch.labels.v1")))
        return counts[-1] == counts[-2] == counts[-3]

    wait_until(still, 60, workers.told, every_s=1)


def assert_nothing_lost(topics: Topics, poisoned: list[bytes], expected: Outcome) -> None:
    first, second = topics.outcomes()
    counts = topics.counts()
    assert sum(first.values()) == counts["factwatch.changes.v1"] == EVENTS + POISON
    assert first["forwarded"] == sum(second.values()) == counts["factwatch.edits.v1"] == EVENTS
    assert second == {name: n for name, n in expected.outcomes.items() if name != "dead_lettered"}
    dead = topics.dead_letters()
    assert sorted(record.value for record in dead) == sorted(poisoned)
    assert first["dead_lettered"] == POISON
    for record in dead:
        headers = dict(record.headers)
        assert headers["factwatch.error.topic"] == b"factwatch.changes.v1"
        assert headers["factwatch.error.reason"]
        assert headers["factwatch.error.stage"] == b"normalize"
