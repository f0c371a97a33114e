"""What tests of the worker's transport need around it: topics, records, workers in processes."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic

from streams.kafka.security import Connection, for_aiokafka

CHECKOUT = Path(__file__).resolve().parents[2]
_numbers = itertools.count()


def fresh(name: str) -> str:
    return f"{name}-{next(_numbers)}-{uuid.uuid4().hex[:8]}"


def make_topics(bootstrap: str, names: Sequence[str], partitions: int) -> list[str]:
    """New topics under names made of these; a record may have 9 MiB."""
    made = [fresh(name) for name in names]
    configs = {"max.message.bytes": str(9 << 20)}
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        admin.create_topics([NewTopic(name, partitions, 1, topic_configs=configs) for name in made])
    finally:
        admin.close()
    return made


def fill(bootstrap: str, topics: Sequence[str], partitions: int, each: int, prefix: str = "") -> None:
    """`each` records in every partition of every topic, with their number for a value."""
    producer = KafkaProducer(bootstrap_servers=bootstrap, linger_ms=5)
    for number in range(each):
        for topic in topics:
            for partition in range(partitions):
                producer.send(topic, f"{prefix}{number}".encode(), b"key", partition=partition)
    producer.flush()
    producer.close()


def committed(bootstrap: str, group: str, topic: str, partition: int) -> int | None:
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False)
    try:
        offset: int | None = consumer.committed(TopicPartition(topic, partition))
        return offset
    finally:
        consumer.close(autocommit=False)


async def aborted(bootstrap: str, topic: str, partition: int, values: Sequence[bytes]) -> None:
    """Written by a transaction that was then aborted."""
    connection = Connection(bootstrap=(bootstrap,))
    async with AIOKafkaProducer(
        **for_aiokafka(connection), transactional_id=fresh("aborted")
    ) as producer:
        await producer.begin_transaction()
        for value in values:
            await producer.send_and_wait(topic, value, partition=partition)
        await producer.abort_transaction()


def eventually(holds: Callable[[], object], within_s: float, what: str) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, f"not within {within_s} s: {what}"
        time.sleep(0.05)  # between two looks


class WorkerProcess:
    def __init__(
        self, bootstrap: str, group: str, topics: Sequence[str], directory: Path, **options: object
    ) -> None:
        self.directory = directory
        directory.mkdir(parents=True)
        arguments = [f"--{name}={value}" for name, value in options.items()]
        with (directory / "log").open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.integration.transport_worker", bootstrap, group, str(directory),
                 f"--topics={','.join(topics)}", *arguments],
                cwd=CHECKOUT,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONWARNINGS": "default"},
            )  # fmt: skip

    def lines(self, what: str) -> list[dict[str, Any]]:
        file = self.directory / "lines"
        if not file.exists():
            return []
        complete = file.read_text().rpartition("\n")[0]
        return [line for text in complete.splitlines() if (line := json.loads(text))["what"] == what]

    def numbers(self) -> list[int]:
        """Partition numbers that it has."""
        assigned = self.lines("assigned")
        revoked = self.lines("revoked")
        if not assigned or (revoked and revoked[-1]["at"] > assigned[-1]["at"]):
            return []
        found: list[int] = assigned[-1]["numbers"]
        return found

    def log(self) -> str:
        return (self.directory / "log").read_text()

    def kill(self) -> float:
        """The moment of it."""
        at = time.time()
        self.process.kill()
        self.process.wait()
        return at

    def terminate(self, within_s: float) -> float:
        """Seconds that it took to end well."""
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=within_s) == 0, self.log()
        return time.monotonic() - begun


@contextmanager
def workers() -> Iterator[Callable[..., WorkerProcess]]:
    """Starts them; those that still run at the end are killed."""
    started: list[WorkerProcess] = []

    def start(*arguments: Any, **options: object) -> WorkerProcess:
        started.append(WorkerProcess(*arguments, **options))
        return started[-1]

    try:
        yield start
    finally:
        for worker in started:
            worker.process.kill()
            worker.process.wait()


def done_offsets(processes: Sequence[WorkerProcess]) -> dict[tuple[str, int], list[int]]:
    """In the order in which they were done, by whom ever."""
    lines = sorted(
        (line for worker in processes for line in worker.lines("done")), key=lambda line: line["at"]
    )
    found: dict[tuple[str, int], list[int]] = {}
    for line in lines:
        found.setdefault((line["topic"], line["partition"]), []).extend(line["offsets"])
    return found
