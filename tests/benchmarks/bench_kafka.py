"""`make bench-kafka`: one worker on a real Kafka, beside what a bare consumer with the same stages does.

    python -m tests.benchmarks.bench_kafka [PART …]

Parts: throughput, latency, recovery (by default all). The broker and the worker share this machine's cores
with the measurement: figures of a worker that has a core to itself are higher.
"""

from __future__ import annotations

import models.threads  # noqa: F401  # isort: skip  # before NumPy

import argparse
import asyncio
import gc
import itertools
import math
import statistics
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

from kafka import KafkaConsumer, TopicPartition
from rich.console import Console
from rich.table import Table

from models.classifier import load_classifier
from streams.content.wiki_facts import WikiFacts
from streams.kafka.cloud_events import from_event
from streams.kafka.records import OutRecord
from streams.kafka.security import Connection
from streams.kafka.transactions import TransactionalWriter
from streams.partitions import key_bytes, place_in_changes, places_in_edits
from streams.records import DeadLetter, Skip
from streams.runners.performers import LocalPerformers
from streams.runners.processor import Processor
from streams.runners.states import States
from streams.sources.base import SourceItem
from streams.stages.decide import AlertPolicy, Decider
from streams.stages.deduplicate import RecentIds
from streams.stages.links import Links
from streams.stages.normalize import Normalizer
from streams.state.page import Entry, PageState
from streams.state.watermark import Watermark
from streams.store.changelog import META, Meta, key_of
from streams.store.keys import state_id
from streams.topics import ALERTS, CHANGES, DEFAULT_PARTITIONS, EDITS, PAGE_STATE, Header
from tests.benchmarks.events import recent_changes
from tests.benchmarks.nowhere import Nowhere
from tests.integration.kafka_broker import KafkaBroker, running_broker
from tests.kafka_world import Process, run_to_end

PARTITIONS = DEFAULT_PARTITIONS
#: A worker that has just started fills its memories until about 300,000 of these.
EVENTS = 800_000
BATCH = 2_048
ENVIRON = {
    "FACTWATCH_WIKIS": "*",
    "FACTWATCH_CONTENT": "false",
    "FACTWATCH_HTTP_BIND": "127.0.0.1:18089",
}
Row = tuple[str, str, str, bool | None, str]


def routed(
    raws: Sequence[bytes], watermark: Watermark, normalize: Normalizer, *, heartbeat: bool = True
) -> list[OutRecord]:
    """As `factwatch ingest changes` writes them, with a heartbeat each second."""
    outputs = []
    for raw in raws:
        known = normalize(raw)
        assert not isinstance(known, Skip | DeadLetter)
        watermark.advance(known.event_time)
        stamp = (Header.WATERMARK, repr(watermark.time).encode())
        key, place = place_in_changes(known, PARTITIONS)
        outputs.append(
            OutRecord(CHANGES.name, place, key_bytes(key), raw, [stamp, (Header.ROUTED, b"1")])
        )
        outputs.extend(
            OutRecord(EDITS.name, place, key_bytes(key), raw, [stamp])
            for key, place in places_in_edits(known, PARTITIONS)
        )
    if heartbeat:
        stamp = (Header.WATERMARK, repr(watermark.time).encode())
        outputs.extend(OutRecord(EDITS.name, n, b"", None, [stamp]) for n in range(PARTITIONS))
    return outputs


async def fill(broker: KafkaBroker, raws: Iterator[bytes]) -> None:
    writer = TransactionalWriter(Connection(bootstrap=(broker.bootstrap,)), "bench-fill")
    await writer.start()
    watermark, normalize = Watermark(), Normalizer()
    while batch := list(itertools.islice(raws, 5_000)):
        await writer.commit(routed(batch, watermark, normalize))
    await writer.close()


class Worker:
    """One worker process, asked over its /metrics."""

    def __init__(self, broker: KafkaBroker, directory: Path, **environ: str) -> None:
        self._process = Process(
            ["worker"],
            {
                **ENVIRON,
                "FACTWATCH_KAFKA_BOOTSTRAP": broker.bootstrap,
                "FACTWATCH_DATA_DIR": str(directory),
                **environ,
            },
            directory / "worker.log",
        )
        self.started = time.monotonic()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stop()

    def metrics(self) -> dict[str, float]:
        try:
            with urllib.request.urlopen("http://127.0.0.1:18089/metrics", timeout=5) as answer:
                lines = answer.read().decode().splitlines()
        except OSError:
            assert self._process.running, self._process.told()
            return {}
        return {
            name: float(value)
            for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")
        }

    def processed(self) -> float:
        return self.metrics().get(
            'factwatch_events_consumed_total{outcome="processed",source="edits"}', 0.0
        )

    def until_assigned(self) -> float:
        """Seconds since its start."""
        while self.metrics().get("factwatch_worker_partitions", 0.0) < PARTITIONS:
            time.sleep(0.1)
        return time.monotonic() - self.started

    def told(self) -> str:
        return self._process.told()

    def resident_mb(self) -> float:
        status = Path(f"/proc/{self._process.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if "VmRSS" in line) / 1_024


def throughput(broker: KafkaBroker, directory: Path) -> list[Row]:
    """Topics are filled before: what is measured is the worker."""
    asyncio.run(fill(broker, recent_changes(EVENTS)))
    bound = bare_consumer(broker)
    with Worker(broker, directory, FACTWATCH_FEEDBACK_DELAY_S="2400") as worker:
        worker.until_assigned()
        marks: list[tuple[float, float, float]] = []
        while not marks or marks[-1][1] < EVENTS:
            marks.append((time.monotonic(), worker.processed(), worker.resident_mb()))
            time.sleep(0.25)
    # From when both hops are under way to shortly before the end.
    inside = [mark for mark in marks if EVENTS * 0.1 <= mark[1] <= EVENTS * 0.95]
    rate = (inside[-1][1] - inside[0][1]) / (inside[-1][0] - inside[0][0])
    early = next(mark[2] for mark in marks if mark[1] >= EVENTS / 2)
    late = marks[-1][2]
    beside = f"bare kafka-python and the same stages {bound:,.0f}/s"
    return [
        ("one worker, metadata only, both hops", f"{rate:,.0f}/s", "8,000/s", rate >= 8_000, beside),
        ("  share of the bare consumer", f"{rate / bound:.2f}", "0.5", rate / bound >= 0.5, ""),
        (
            "  resident set, second half",
            f"{late / early - 1:+.1%}",
            "±10 %",
            abs(late / early - 1) <= 0.1,
            f"{early:,.0f} MB, {late:,.0f} MB",
        ),
    ]


def bare_consumer(broker: KafkaBroker) -> float:
    """Events a second: kafka-python's consumer, and all stages on states in memory, in one process. Of
    the same events as the worker's rate: the first ones are the easiest."""
    facts = WikiFacts()
    states = States(Nowhere())
    processor = Processor(
        states=states,
        performers=LocalPerformers(states.performers, by_page=False, retention_s=math.inf),
        normalizer=Normalizer(),
        recent=RecentIds(),
        scorer=load_classifier(),
        decider=Decider(AlertPolicy(), Links()),
        match_revert=facts.match_revert,
        watermark=Watermark(),
        next_row=1,
    )
    consumer = KafkaConsumer(
        bootstrap_servers=broker.bootstrap, enable_auto_commit=False, max_poll_records=BATCH
    )
    places = [TopicPartition(CHANGES.name, n) for n in range(PARTITIONS)]
    consumer.assign(places)
    consumer.seek_to_beginning(*places)
    gc.freeze()
    done = begun = 0
    started = 0.0
    while done < EVENTS * 0.95:
        if not begun and done >= EVENTS * 0.1:
            begun, started = done, time.perf_counter()
        for records in consumer.poll(timeout_ms=200).values():
            items = [SourceItem("", record.value) for record in records]
            processor.process("kafka", processor.intake(items), None)
            processor.committed()
            done += len(items)
    seconds = time.perf_counter() - started
    consumer.close()
    return (done - begun) / seconds


def latency(broker: KafkaBroker, directory: Path) -> list[Row]:
    """Edits of now, 200 a second, nearly each of them an alert."""
    seconds, rate, warm_s = 75, 200, 30
    produced: dict[int, float] = {}
    arrived: dict[int, float] = {}
    stop = threading.Event()

    def listen() -> None:
        consumer = KafkaConsumer(
            ALERTS.name,
            bootstrap_servers=broker.bootstrap,
            isolation_level="read_committed",
            auto_offset_reset="latest",
            enable_auto_commit=False,
            fetch_max_wait_ms=20,
        )
        while not stop.is_set():
            for records in consumer.poll(timeout_ms=50).values():
                now = time.time()
                for record in records:
                    alert = from_event(record.key, record.value, record.headers)
                    arrived.setdefault(alert.rev_id, now)
        consumer.close()

    async def produce() -> None:
        writer = TransactionalWriter(Connection(bootstrap=(broker.bootstrap,)), "bench-latency")
        await writer.start()
        watermark, normalize = Watermark(), Normalizer()
        events = recent_changes(seconds * rate, seed=9, events_per_s=rate, start=int(time.time()))
        begun = time.monotonic()
        for at in itertools.count():
            batch = list(itertools.islice(events, rate // 50))
            if not batch:
                break
            await asyncio.sleep(max(0.0, begun + at / 50 - time.monotonic()))
            now = time.time()
            for raw in batch:
                known = normalize(raw)
                produced[known.rev_id] = now  # type: ignore[union-attr]  # all are edits
            await writer.commit(routed(batch, watermark, normalize, heartbeat=at % 50 == 0))
        await writer.close()

    with Worker(broker, directory, FACTWATCH_ALERT_THRESHOLD="0.05") as worker:
        worker.until_assigned()
        listener = threading.Thread(target=listen)
        listener.start()
        time.sleep(2)  # the listener's first fetch
        asyncio.run(produce())
        time.sleep(3)  # the last alerts
        stop.set()
        listener.join()
    warm = sorted(produced)[warm_s * rate :]  # a JVM that has just been started compiles meanwhile
    waits = sorted(arrived[rev] - produced[rev] for rev in warm if rev in arrived)
    p50, p99 = statistics.median(waits), waits[int(len(waits) * 0.99)]
    beside = f"of {len(waits):,} alerts; longest {waits[-1] * 1e3:,.0f} ms"
    return [
        ("produce to alert, 200 events/s, p50", f"{p50 * 1e3:,.0f} ms", "150 ms", p50 < 0.15, beside),
        ("produce to alert, 200 events/s, p99", f"{p99 * 1e3:,.0f} ms", "1,000 ms", p99 < 1.0, ""),
    ]


def recovery(broker: KafkaBroker, directory: Path) -> list[Row]:
    """A worker without a disk of its own takes over all partitions of 500,000 pages."""
    pages = 500_000
    asyncio.run(fill_changelog(broker, pages))
    with Worker(broker, directory) as worker:
        taken = worker.until_assigned()
        time.sleep(0.5)
        told = next(line for line in worker.told().splitlines() if "changelog records read" in line)
    beside = told.partition("worker: ")[2].partition(": ")[2]
    return [
        (
            f"recovery of {pages:,} page states, from process start",
            f"{taken:.1f} s",
            "30 s",
            taken < 30,
            beside,
        )
    ]


async def fill_changelog(broker: KafkaBroker, pages: int) -> None:
    import msgspec

    writer = TransactionalWriter(Connection(bootstrap=(broker.bootstrap,)), "bench-changelog")
    await writer.start()
    encode = msgspec.msgpack.Encoder().encode
    outputs = []
    for number in range(pages):
        key = f"enwiki:Article {number} of the benchmark"
        page = PageState(key, seen=3, first_time=1.767e9)
        page.entries = [
            Entry(number * 10 + n, 1.767e9 + n, 0, f"Editor {number % 997}", 0, number * 3 + n)
            for n in range(3)
        ]
        key_id = state_id(key)
        outputs.append(
            OutRecord(PAGE_STATE.name, key_id % PARTITIONS, key_of("p", key_id), encode(page), [])
        )
        if len(outputs) >= 20_000:
            await writer.commit(outputs)
            outputs = []
    outputs += [
        OutRecord(PAGE_STATE.name, n, META, encode(Meta(1, next_row=pages * 3)), [])
        for n in range(PARTITIONS)
    ]
    await writer.commit(outputs)
    await writer.close()


PARTS = {"throughput": throughput, "latency": latency, "recovery": recovery}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART")
    wanted = parser.parse_args().parts or list(PARTS)
    rows: list[Row] = []
    for part in wanted:
        print(f"measuring {part} …", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory() as name:
            directory = Path(name)
            # A broker of its own for each part, with the JVM's second compiler: this one is measured.
            with running_broker(directory / "kafka", jvm=("-Xmx1g",)) as broker:
                environ = {**ENVIRON, "FACTWATCH_KAFKA_BOOTSTRAP": broker.bootstrap}
                run_to_end(
                    ["topics", "create", "--partitions", str(PARTITIONS)],
                    environ,
                    directory / "topics.log",
                )
                rows += PARTS[part](broker, directory)
    table = Table("figure", "measured", "asked", "", "beside (same run)", title="Factwatch on Kafka")
    for name, value, asked, ok, beside in rows:
        table.add_row(name, value, asked, {True: "ok", False: "MISSED", None: ""}[ok], beside)
    Console(width=150).print(table)
    return 1 if any(row[3] is False for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
