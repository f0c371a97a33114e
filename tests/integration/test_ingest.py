"""`factwatch ingest changes` into a real Kafka: in order, all of it, once, whatever is killed."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from streams.stages.normalize import Normalizer
from streams.state.watermark import Watermark
from streams.topics import CHANGES, EDITS, Header
from tests.benchmarks.events import recent_changes
from tests.integration.kafka_broker import KafkaBroker
from tests.integration.kafka_records import committed, make_topics_anew
from tests.integration.test_topics import FACTWATCH

PARTITIONS = 3


class Ingest:
    """A running `factwatch ingest changes`, fed on standard input if it has no file."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self.log = log

    def feed(self, lines: list[bytes]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"".join(line + b"\n" for line in lines))
        self.process.stdin.flush()

    def end_of_input(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()

    def until_said(self, text: str, within_s: float = 40) -> None:
        until(lambda: text in self.log.read_text() or self.process.poll() is not None, within_s)
        assert text in self.log.read_text(), self.log.read_text()

    def get(self, path: str) -> bytes:
        url = re.search(r"metrics (http://[0-9.:]+)/metrics", self.log.read_text())
        assert url is not None
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{url[1]}{path}", timeout=10) as answer:
            body: bytes = answer.read()
            return body

    def exit_code(self, within_s: float = 60) -> int:
        return self.process.wait(timeout=within_s)


def until(true: Callable[[], bool], within_s: float = 40) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, "not within the time it may take"
        time.sleep(0.05)  # between two looks


@contextmanager
def ingesting(bootstrap: str, log: Path, source: str = "-") -> Iterator[Ingest]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FACTWATCH_")}
    with log.open("ab") as output:
        process = subprocess.Popen(
            [FACTWATCH, "ingest", "changes", "--source", source],
            env={**kept, "FACTWATCH_KAFKA_BOOTSTRAP": bootstrap, "FACTWATCH_HTTP_BIND": "127.0.0.1:0"},
            stdin=subprocess.PIPE if source == "-" else subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Ingest(process, log)
    finally:
        process.kill()
        process.wait()
        if process.stdin is not None:
            process.stdin.close()


def values(bootstrap: str, topic: str) -> Counter[bytes]:
    return Counter(
        record.value
        for records in committed(bootstrap, topic).values()
        for record in records
        if record.value is not None
    )


def assert_all_of_it_once_in_order(bootstrap: str, lines: list[bytes]) -> None:
    """In both topics, each key in one partition, and each partition in the order of the source."""
    place = {line: n for n, line in enumerate(lines)}
    for topic in (CHANGES.name, EDITS.name):
        keys: dict[bytes, int] = {}
        seen = []
        for partition, records in committed(bootstrap, topic).items():
            places = [place[record.value] for record in records if record.value is not None]
            assert places == sorted(places)
            seen += places
            for record in records:
                if record.value is not None:
                    assert keys.setdefault(record.key, partition) == partition
        assert sorted(seen) == list(range(len(lines))), f"{topic}: {len(seen)} of {len(lines)}"


def watermarks_of(records: list[Any]) -> list[float]:
    return [float(dict(record.headers)[Header.WATERMARK]) for record in records]


def test_a_file_comes_in_order_with_the_time_that_has_passed(kafka: str, tmp_path: Path) -> None:
    make_topics_anew(kafka, PARTITIONS)
    lines = list(recent_changes(3_000, seed=11))
    (tmp_path / "changes.ndjson").write_bytes(b"\n".join(lines) + b"\n")
    with ingesting(kafka, tmp_path / "log", str(tmp_path / "changes.ndjson")) as ingest:
        assert ingest.exit_code() == 0, ingest.log.read_text()
    assert_all_of_it_once_in_order(kafka, lines)

    watermark, normalize, expected = Watermark(), Normalizer(), {}
    for line in lines:
        watermark.advance(normalize(line).event_time)  # type: ignore[union-attr]  # all are edits
        expected[line] = watermark.time
    for topic in (CHANGES.name, EDITS.name):
        for records in committed(kafka, topic).values():
            told = {
                record.value: float(dict(record.headers)[Header.WATERMARK])
                for record in records
                if record.value is not None
            }
            assert told == {line: expected[line] for line in told}
    # The last thing in each partition of edits says how far time has come.
    assert {watermarks_of(records)[-1] for records in committed(kafka, EDITS.name).values()} == {
        watermark.time
    }


def test_what_is_not_ours_goes_to_changes_only(kafka: str, tmp_path: Path) -> None:
    make_topics_anew(kafka, PARTITIONS)
    edit = next(iter(recent_changes(1)))
    canary = json.dumps({"meta": {"domain": "canary", "dt": "2026-01-01T00:00:00Z"}}).encode()
    poison = b'{"meta": \xff'
    with ingesting(kafka, tmp_path / "log") as ingest:
        ingest.feed([canary, poison, edit])
        ingest.end_of_input()
        assert ingest.exit_code() == 0, ingest.log.read_text()
    assert values(kafka, CHANGES.name) == Counter([canary, poison, edit])
    assert values(kafka, EDITS.name) == Counter([edit])
    for records in committed(kafka, CHANGES.name).values():
        for record in records:
            assert (Header.ROUTED in dict(record.headers)) == (record.value == edit)
            assert (record.key is None) == (record.value != edit)


def test_an_idle_source_has_heartbeats_in_every_partition(kafka: str, tmp_path: Path) -> None:
    make_topics_anew(kafka, PARTITIONS)
    with ingesting(kafka, tmp_path / "log") as ingest:
        ingest.feed(list(recent_changes(1)))
        ingest.until_said("Factwatch brings")

        def beaten() -> bool:
            beats = {
                partition: [record for record in records if record.value is None]
                for partition, records in committed(kafka, EDITS.name).items()
            }
            return len(beats) == PARTITIONS and all(len(records) >= 2 for records in beats.values())

        until(beaten)
        metrics, ready = ingest.get("/metrics").decode(), json.loads(ingest.get("/readyz"))
        assert 'factwatch_ingested_records_total{outcome="routed",source="ndjson"} 1.0' in metrics
        assert "factwatch_ingest_broker_up 1.0" in metrics
        assert ready["ready"]
        assert set(ready["parts"]) == {"source", "kafka"}
        ingest.process.send_signal(signal.SIGTERM)
        assert ingest.exit_code(10) == 0, ingest.log.read_text()
    for records in committed(kafka, EDITS.name).values():
        beat = records[-1]
        assert (beat.key, beat.value) == (b"", None)
        assert watermarks_of([beat])[0] > 0


@pytest.mark.timeout(240)
def test_kills_lose_nothing_and_write_nothing_twice(kafka: str, tmp_path: Path) -> None:
    make_topics_anew(kafka, PARTITIONS)
    rng = random.Random(7)
    lines = list(recent_changes(25_000, seed=12))
    file = tmp_path / "changes.ndjson"
    file.write_bytes(b"\n".join(lines) + b"\n")
    killed_midway = 0
    for kill in range(6):
        with ingesting(kafka, tmp_path / f"log{kill}", str(file)) as ingest:
            ingest.until_said("Factwatch brings")
            time.sleep(rng.uniform(0.05, 1.0))  # the kill is to come at any point
            killed_midway += ingest.process.poll() is None
            ingest.process.kill()
    with ingesting(kafka, tmp_path / "log", str(file)) as ingest:
        assert ingest.exit_code(120) == 0, ingest.log.read_text()
    assert killed_midway >= 3
    assert_all_of_it_once_in_order(kafka, lines)


@pytest.mark.timeout(240)
def test_a_dead_broker_stops_the_reading_not_the_process(own_kafka: KafkaBroker, tmp_path: Path) -> None:
    make_topics_anew(own_kafka.bootstrap, PARTITIONS)
    lines = list(recent_changes(1_500, seed=13))
    with ingesting(own_kafka.bootstrap, tmp_path / "log") as ingest:
        ingest.feed(lines[:500])
        until(lambda: sum(values(own_kafka.bootstrap, CHANGES.name).values()) == 500)
        own_kafka.kill()
        ingest.feed(lines[500:1_000])
        ingest.until_said("Kafka is lost")
        own_kafka.start()
        ingest.until_said("Kafka is back", 90)
        own_kafka.restart()  # an orderly one, while nothing is lost meanwhile
        ingest.feed(lines[1_000:])
        ingest.end_of_input()
        assert ingest.exit_code(120) == 0, ingest.log.read_text()
        assert ingest.log.read_text().count("Kafka is lost") <= 2, "said once an outage"
    assert_all_of_it_once_in_order(own_kafka.bootstrap, lines)


@pytest.mark.timeout(240)
def test_told_to_stop_while_kafka_is_away_it_stops(own_kafka: KafkaBroker, tmp_path: Path) -> None:
    make_topics_anew(own_kafka.bootstrap, PARTITIONS)
    lines = list(recent_changes(20, seed=14))
    with ingesting(own_kafka.bootstrap, tmp_path / "log") as ingest:
        ingest.feed(lines[:10])
        until(lambda: sum(values(own_kafka.bootstrap, CHANGES.name).values()) == 10)
        own_kafka.kill()
        ingest.feed(lines[10:])
        ingest.process.send_signal(signal.SIGTERM)
        assert ingest.exit_code(15) in (0, 4)
        assert "Traceback" not in ingest.log.read_text()


def test_one_that_is_started_takes_over(kafka: str, tmp_path: Path) -> None:
    make_topics_anew(kafka, PARTITIONS)
    lines = list(recent_changes(200, seed=15))
    with ingesting(kafka, tmp_path / "first") as first:
        first.feed(lines[:100])
        until(lambda: sum(values(kafka, CHANGES.name).values()) == 100)
        with ingesting(kafka, tmp_path / "second") as second:
            second.feed(lines[100:])
            assert first.exit_code(40) == 1
            assert "has taken over; this one ends" in first.log.read_text()
            until(lambda: sum(values(kafka, CHANGES.name).values()) == 200)
            assert second.process.poll() is None
    assert values(kafka, CHANGES.name) == Counter(lines)


def test_a_history_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "page.xml").write_text("<mediawiki/>")
    with ingesting("127.0.0.1:1", tmp_path / "log", str(tmp_path / "page.xml")) as ingest:
        assert ingest.exit_code() == 3
    assert ingest.log.read_text().count("\n") == 1
    assert "factwatch replay" in ingest.log.read_text()
