"""From a source to Kafka: what was read, and how far, in one transaction a flush.

A kill at any point loses nothing and writes nothing twice (for who reads committed records only).
While Kafka is away the source waits; the process doesn't end.
"""

from __future__ import annotations

import queue
import random
import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from streams.clock import Clock
from streams.errors import BrokerUnavailable
from streams.kafka.cursors import Position
from streams.kafka.writer import Sending
from streams.metrics import IngestMetrics
from streams.runners.ingest_batch import FlushBatch
from streams.runners.ingest_commit import Committer, Writer
from streams.sources.base import Source, SourceItem
from streams.state.watermark import Watermark

#: How long a flush waits for more once it has something. Part of the time from edit to alert.
GATHER_S = 0.02
FLUSH_ITEMS = 1_000
FLUSH_BYTES = 4 << 20
#: Items read ahead. When it is full the source waits: that is the back-pressure.
QUEUE_ITEMS = 2 * FLUSH_ITEMS
#: So long a partition of edits is left without a record that says how far time has passed.
HEARTBEAT_S = 1.0


class BatchMaker(Protocol):
    """What a flush of a kind of source consists of: `ingest_batch`, `ingest_posts`."""

    def go_on_from(self, watermark: Watermark) -> None: ...

    def __call__(self, items: Sequence[SourceItem], *, heartbeat: bool = False) -> FlushBatch:
        """`heartbeat`: tell everybody how far time has passed."""
        ...

    def position(self, source: str, position: Position) -> Sending: ...


class IngestProgress(msgspec.Struct):
    """Since the start, for whoever shows it. Written by the runner's thread."""

    records: int = 0
    routed: int = 0
    flushes: int = 0
    outage: str = ""
    """Why Kafka can't be written to now; empty: it can."""


class IngestRunner:
    """Drives one source into Kafka until it ends or `stop` is called."""

    def __init__(
        self,
        *,
        source: Source,
        name: str,
        writer: Writer,
        make: BatchMaker,
        metrics: IngestMetrics,
        clock: Clock,
        owner: str,
        rng: random.Random | None = None,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        """`name` is the source's in Kafka; `owner` is another for each process."""
        self._source = source
        self._name = name
        self._writer = writer
        self._make = make
        self._metrics = metrics
        self._clock = clock
        self._owner = owner
        self._timer = timer
        self._stopping = threading.Event()
        self._committer = Committer(
            writer,
            name,
            owner,
            told=self._outage,
            stopping=self._stopping,
            rng=rng or random.Random(),  # noqa: S311  # no secret
            timer=timer,
        )
        self._heartbeat_at = 0.0
        self.progress = IngestProgress()

    def stop(self) -> None:
        """From any thread or a signal handler: finish the flush under way and return."""
        self._stopping.set()

    def abandon(self) -> None:
        """`run` has not come back from Kafka, and the process is to end."""
        self._writer.discard()

    def run(self) -> None:
        """Raises `Fenced` when another ingest of this source took over, `BrokerUnavailable` when told to stop
        while Kafka is away, and what the source raises, after what came before it is written."""
        try:
            found = self._committer.open()
            self._make.go_on_from(found.watermark)
            # Says whose turn it is: a former owner that lost its connection finds that out.
            self._flush(self._make(()))
            self._pump(found.cursor)
        finally:
            self._source.close()
            self._writer.close()

    def _pump(self, cursor: str | None) -> None:
        items: queue.Queue[SourceItem] = queue.Queue(QUEUE_ITEMS)
        ended, failed = threading.Event(), list[BaseException]()
        reader = threading.Thread(
            target=self._read, args=(cursor, items, ended, failed), name="source", daemon=True
        )
        reader.start()
        self._heartbeat_at = self._timer()
        while not self._stopping.is_set():
            gathered = self._gather(items)
            at_end = not gathered and ended.is_set() and items.empty()
            due = self._timer() >= self._heartbeat_at
            if gathered or due or at_end:
                self._flush(self._make(gathered, heartbeat=due or at_end))
            if due:
                self._heartbeat_at = self._timer() + HEARTBEAT_S
            if at_end:
                break
        if failed:
            raise failed[0]

    def _read(
        self,
        cursor: str | None,
        items: queue.Queue[SourceItem],
        ended: threading.Event,
        failed: list[BaseException],
    ) -> None:
        try:
            for item in self._source.items(cursor):
                while not self._stopping.is_set():
                    try:
                        items.put(item, timeout=0.25)
                        break
                    except queue.Full:
                        continue
                if self._stopping.is_set():
                    return
        except BaseException as err:  # noqa: BLE001  # handed to the thread that waits
            failed.append(err)
        finally:
            ended.set()

    def _gather(self, items: queue.Queue[SourceItem]) -> list[SourceItem]:
        gathered: list[SourceItem] = []
        size = 0
        try:
            idle_s = min(0.25, max(0.001, self._heartbeat_at - self._timer()))
            item = items.get(timeout=idle_s)
            until = self._timer() + GATHER_S
            while True:
                gathered.append(item)
                size += len(item.raw or b"")
                if len(gathered) >= FLUSH_ITEMS or size >= FLUSH_BYTES:
                    break
                wait_s = until - self._timer()
                item = items.get(timeout=wait_s) if wait_s > 0 else items.get_nowait()
        except queue.Empty:
            pass
        return gathered

    def _flush(self, batch: FlushBatch) -> None:
        """Until it is committed, once."""
        last = self._committer.position
        position = Position(
            cursor=last.cursor if batch.cursor is None else batch.cursor,
            watermark=batch.watermark,
            flush=last.flush + 1,
            owner=self._owner,
        )
        sendings = [*batch.sendings, self._make.position(self._name, position)]
        started = self._timer()
        self._committer.commit(position, sendings)
        self._metrics.flush_seconds.observe(self._timer() - started)
        self._count(batch)

    def _outage(self, err: BrokerUnavailable | None) -> None:
        self.progress.outage = str(err) if err is not None else ""
        self._metrics.broker_up.set(err is None)

    def _count(self, batch: FlushBatch) -> None:
        progress, metrics, source = self.progress, self._metrics, self._source.name
        progress.flushes += 1
        progress.records += batch.records
        progress.routed += batch.routed
        for outcome, n in batch.outcomes.items():
            metrics.records.labels(source, outcome).inc(n)
        if batch.cursor is not None:
            metrics.last_event_timestamp.labels(source).set(self._clock.now())
