"""The distributed program as processes around a real Kafka, and what its topics say in the end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from kafka import KafkaConsumer, TopicPartition

from streams.kafka.cloud_events import from_event
from streams.records import Alert, Label, PageStatus
from streams.store.changelog import META, Meta
from streams.topics import (
    ALERTS,
    CHANGES,
    DEAD_LETTERS,
    EDITS,
    LABELS,
    PAGE_STATE,
    PAGE_STATUS,
    PERFORMER_STATE,
)

PROGRAM = str(Path(sys.executable).parent / "factwatch")


class Process:
    """One `factwatch …`, with its output in a file."""

    def __init__(self, arguments: Sequence[str], environ: Mapping[str, str], log: Path) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("FACTWATCH_")}
        self.log = log
        with log.open("a") as output:
            self.process = subprocess.Popen(
                [PROGRAM, *arguments],
                env={**kept, "FACTWATCH_HTTP_BIND": "127.0.0.1:0", **environ},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(timeout=40)

    def stop(self, within_s: float = 40) -> int:
        """Exit code after SIGTERM."""
        if self.running:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=within_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def told(self) -> str:
        return self.log.read_text()[-4_000:]


class Fleet:
    """Workers by number, each with a directory of its own; `up` starts those that are not running."""

    def __init__(self, directory: Path, environ: Mapping[str, str], size: int) -> None:
        self._directory = directory
        self._environ = environ
        self.size = size
        self.workers: dict[int, Process] = {}
        self.starts = 0

    def up(self) -> None:
        for number in range(self.size):
            worker = self.workers.get(number)
            if worker is None or not worker.running:
                self.start(number)

    def start(self, number: int) -> None:
        self.starts += 1
        own = self._directory / f"worker-{number}"
        own.mkdir(exist_ok=True)
        self.workers[number] = Process(
            ["worker", "--session-timeout", "6"],
            {**self._environ, "FACTWATCH_DATA_DIR": str(own)},
            own / "worker.log",
        )

    def close(self) -> None:
        for worker in self.workers.values():
            if worker.running:
                worker.kill()

    def told(self) -> str:
        return "\n".join(f"-- worker {n}\n{worker.told()}" for n, worker in self.workers.items())


@contextmanager
def fleet(directory: Path, environ: Mapping[str, str], size: int) -> Iterator[Fleet]:
    workers = Fleet(directory, environ, size)
    try:
        yield workers
    finally:
        workers.close()


def run_to_end(
    arguments: Sequence[str], environ: Mapping[str, str], log: Path, within_s: float = 60
) -> None:
    process = Process(arguments, environ, log)
    code = process.process.wait(timeout=within_s)
    assert code == 0, process.told()


class Topics:
    """What is committed in the topics, read from their beginning."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap

    def records(self, topic: str) -> list[Any]:
        """By partition, in order."""
        consumer = KafkaConsumer(
            bootstrap_servers=self._bootstrap,
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=16 << 20,
        )
        try:
            places = [TopicPartition(topic, n) for n in consumer.partitions_for_topic(topic) or ()]
            consumer.assign(places)
            consumer.seek_to_beginning(*places)
            ends = consumer.end_offsets(places)
            found = []
            while any(consumer.position(place) < ends[place] for place in places):
                for records in consumer.poll(timeout_ms=200).values():
                    found += records
            return sorted(found, key=lambda record: (record.partition, record.offset))
        finally:
            consumer.close()

    def alerts(self) -> list[Alert]:
        return [from_event(r.key, r.value, r.headers) for r in self.records(ALERTS.name)]

    def labels(self) -> dict[tuple[str, int], tuple[str | None, int]]:
        """`(wiki, rev_id)` -> (label, reverted_by), the last that was said."""
        found = [msgspec.json.decode(r.value, type=Label) for r in self.records(LABELS.name)]
        return {(label.wiki, label.rev_id): (label.label, label.reverted_by) for label in found}

    def statuses(self) -> dict[str, PageStatus]:
        found: dict[str, PageStatus] = {}
        for record in self.records(PAGE_STATUS.name):
            found.pop(record.key.decode(), None)
            if record.value is not None:
                found[record.key.decode()] = msgspec.json.decode(record.value, type=PageStatus)
        return found

    def dead_letters(self) -> list[Any]:
        return self.records(DEAD_LETTERS.name)

    def outcomes(self) -> tuple[dict[str, int], dict[str, int]]:
        """Records taken in by the first hop and by the second, by outcome."""
        return self._outcomes(PERFORMER_STATE.name), self._outcomes(PAGE_STATE.name)

    def _outcomes(self, changelog: str) -> dict[str, int]:
        newest: dict[int, Meta] = {}
        for record in self.records(changelog):
            if record.key == META:
                newest[record.partition] = msgspec.msgpack.decode(record.value, type=Meta)
        total: dict[str, int] = {}
        for meta in newest.values():
            for outcome, n in meta.outcomes.items():
                total[outcome] = total.get(outcome, 0) + n
        return total

    def worked_on(self) -> int:
        """Records of `edits` that the second hop is done with. Quick: reads only each changelog's end."""
        consumer = KafkaConsumer(
            bootstrap_servers=self._bootstrap, isolation_level="read_committed", enable_auto_commit=False
        )
        try:
            done = 0
            for partition in consumer.partitions_for_topic(PAGE_STATE.name) or ():
                place = TopicPartition(PAGE_STATE.name, partition)
                consumer.assign([place])
                end = consumer.end_offsets([place])[place]
                consumer.seek(place, max(0, end - 3))
                meta = None
                for records in consumer.poll(timeout_ms=300).values():
                    for record in records:
                        if record.key == META:
                            meta = msgspec.msgpack.decode(record.value, type=Meta)
                done += sum(meta.outcomes.values()) if meta is not None else 0
            return done
        finally:
            consumer.close()

    def counts(self) -> dict[str, int]:
        """Committed records with a value of changes and of edits."""
        return {
            topic: sum(1 for record in self.records(topic) if record.value is not None)
            for topic in (CHANGES.name, EDITS.name)
        }


def wait_until(
    what: Callable[[], bool], within_s: float, told: Callable[[], str], every_s: float = 0.5
) -> None:
    deadline = time.monotonic() + within_s
    while not what():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {within_s} s\n{told()}")
        time.sleep(every_s)  # between two looks


def per_page(alerts: Iterable[Alert]) -> dict[str, list[Alert]]:
    found: dict[str, list[Alert]] = {}
    for alert in alerts:
        found.setdefault(f"{alert.wiki}:{alert.title}", []).append(alert)
    return found
