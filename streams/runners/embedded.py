"""Everything in one process: source, stages, store. One transaction a micro-batch, so that a kill at
any point loses and repeats nothing."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import msgspec

from streams.clock import Clock
from streams.content.stage import ContentStage
from streams.errors import FactwatchError
from streams.metrics import Metrics
from streams.reasons import Stage
from streams.records import Edit
from streams.runners.dead_letter_limit import DeadLetterLimit
from streams.runners.kept import KeptSweep
from streams.runners.live_labels import LiveLabels
from streams.runners.measures import LIVE_SOURCES, observe_corrections
from streams.runners.memory import set_for_long_lives
from streams.runners.posts.post_runner import PostRunner
from streams.runners.processor import Processor
from streams.sources.base import Source, SourceItem
from streams.stages.normalize import Normalized
from streams.store.batch import Batch, Requeued
from streams.store.reader import StoredAlert
from streams.store.retention import Retention
from streams.store.sqlite import SqliteStore

log = logging.getLogger("factwatch.runner")

#: The more, the fewer states are written twice and the fewer commits; more than this gains little.
BATCH_ITEMS = 2_048
#: Texts held by one batch: each is held with its lines until the batch is decided.
BATCH_TEXT_BYTES = 8 << 20
#: How long a live batch waits for more once it has something. Part of the time from edit to alert.
GATHER_S = 0.05
#: An item, and when it was read, in monotonic seconds.
_Arrived: TypeAlias = tuple[SourceItem, float]
#: Items read ahead of the stages. When it is full the source waits: that is the back-pressure.
QUEUE_ITEMS = 4_096
IDLE_S = 0.25
#: The same where posts may be there.
POSTS_IDLE_S = 0.05
#: How often the store is asked for dead letters to process again.
REQUEUE_EVERY_S = 2.0


class Progress(msgspec.Struct):
    """What has happened since the start, for whoever shows it. Written by the runner's thread."""

    records: int = 0
    alerts: int = 0
    newest_arrival: float | None = None
    newest_event: float = 0.0
    outcomes: dict[str, int] = {}
    posts: int = 0
    posts_matched: int = 0
    """With a hot fact, whatever they do with it."""
    hot_facts: int = 0


class EmbeddedRunner:
    """Drives one source through the stages until it ends or `stop` is called."""

    def __init__(
        self,
        *,
        source: Source,
        store: SqliteStore,
        processor: Processor,
        metrics: Metrics,
        clock: Clock,
        content: ContentStage | None = None,
        retention: Retention | None = None,
        dead_letter_limit: float = 1.0,
        posts: PostRunner | None = None,
        labels: LiveLabels | None = None,
        on_commit: Callable[[Sequence[StoredAlert]], None] = lambda alerts: None,
    ) -> None:
        """`on_commit` is called after each durable batch, from the runner's thread, with what it
        alerted."""
        self._source = source
        self._store = store
        self._processor = processor
        self._metrics = metrics
        self._clock = clock
        self._content = content
        self._retention = retention
        self._limit = DeadLetterLimit(dead_letter_limit)
        self._posts = posts
        self._labels = labels
        self.on_commit = on_commit
        self._stopping = threading.Event()
        self._sweep = KeptSweep(store)
        self._requeue_at = 0.0
        self.progress = Progress()

    def stop(self) -> None:
        """From any thread or a signal handler: finish the batch under way, commit and return."""
        self._stopping.set()

    # -- files -----------------------------------------------------------------------------------

    def run_file(self) -> None:
        """To the end of a file, in this thread. Raises `BadInput` where the file is damaged, after
        everything before the damage was committed."""
        set_for_long_lives()
        for items in self._gathered(self._source.items(self._store.cursor(self._source.name))):
            self._take(items)
            if self._stopping.is_set():
                self._source.close()
                return
        self._finish()

    def _gathered(self, items: Iterator[SourceItem]) -> Iterator[list[SourceItem]]:
        """Micro-batches; one that ends in an error is given before the error goes on."""
        batch: list[SourceItem] = []
        text_bytes = 0
        try:
            for item in items:
                batch.append(item)
                if item.edit is not None:
                    text_bytes += _text_bytes(item.edit)
                if len(batch) >= BATCH_ITEMS or text_bytes >= BATCH_TEXT_BYTES:
                    yield batch
                    batch, text_bytes = [], 0
        except FactwatchError:
            if batch:
                yield batch
            raise
        if batch:
            yield batch

    def _finish(self) -> None:
        """The source has ended: what its own time makes due is settled."""
        time = self._processor.final_time
        batch = self._processor.expire_all(self._source.name, time)
        rows = self._sweep.due(lambda page: time)
        if rows is not None:
            batch.kept_rows = rows
        self._commit(batch)
        while (rows := self._sweep.due(lambda page: time)) is not None:
            batch = Batch(self._source.name, next_row=self._processor.next_row)
            batch.kept_rows = rows
            self._commit(batch)

    # -- live ------------------------------------------------------------------------------------

    def run_live(self) -> None:
        """Until `stop`. A thread reads the source; this one does everything else."""
        set_for_long_lives()
        live = self._source.name in LIVE_SOURCES
        items: queue.Queue[_Arrived] = queue.Queue(QUEUE_ITEMS)
        failed: list[BaseException] = []
        ended = threading.Event()

        def read() -> None:
            try:
                for item in self._source.items(self._store.cursor(self._source.name)):
                    arrived = (item, time.monotonic())
                    while not self._stopping.is_set():
                        try:
                            items.put(arrived, timeout=IDLE_S)
                            break
                        except queue.Full:
                            continue
                    if self._stopping.is_set():
                        return
            except BaseException as err:  # noqa: BLE001  # handed to the thread that waits
                failed.append(err)
            finally:
                ended.set()

        reader = threading.Thread(target=read, name="source", daemon=True)
        reader.start()
        if self._posts is not None:
            self._posts.start()
        try:
            while not self._stopping.is_set():
                batch = self._gather_live(items)
                if batch:
                    self._take([item for item, _ in batch], [at for _, at in batch] if live else ())
                ended_here = not batch and ended.is_set() and items.empty()
                if not self.pump(at_its_end=ended_here) and ended_here and self._posts_ended:
                    break
                self._take_requeued()
                self._look()
        finally:
            self._source.close()
            self._stopping.set()
            reader.join(timeout=5)
        if failed:
            raise failed[0]

    def pump(self, *, at_its_end: bool = False) -> bool:
        """Work on the posts that are there; True if there were any. `at_its_end`: no more edits come,
        none is waited for."""
        if self._posts is None:
            return False
        edits = self._processor
        worked = self._posts.pump(edits.final_time, edits.newest, self._commit, ended=at_its_end)
        for source in self._posts.take_alive():
            self._metrics.last_event_timestamp.labels(source).set(self._clock.now())
        return worked

    @property
    def _posts_ended(self) -> bool:
        return self._posts is None or self._posts.ended

    def idle(self) -> None:
        """When `run_live` is at its end: posts that are handed in, and what an operator sends back."""
        self.pump(at_its_end=True)
        self._take_requeued()
        self._look()

    def close(self) -> None:
        """No more posts are taken."""
        if self._posts is not None:
            self._posts.stop()

    def _look(self) -> None:
        if self._labels is not None:
            self._labels.look(self._processor.final_time)

    def _gather_live(self, items: queue.Queue[_Arrived]) -> list[_Arrived]:
        batch: list[_Arrived] = []
        try:
            if self._posts is not None and self._posts.busy:
                batch.append(items.get_nowait())
            else:
                batch.append(items.get(timeout=IDLE_S if self._posts is None else POSTS_IDLE_S))
            until = time.monotonic() + GATHER_S  # a clock that is set must not hold a batch
            while len(batch) < BATCH_ITEMS:
                wait_s = until - time.monotonic()
                batch.append(items.get(timeout=wait_s) if wait_s > 0 else items.get_nowait())
        except queue.Empty:
            pass
        return batch

    # -- both ------------------------------------------------------------------------------------

    def _take(self, items: Sequence[SourceItem], arrivals: Sequence[float] = ()) -> None:
        """`arrivals`: when each was read, in monotonic seconds, if they are read as they happen."""
        records = self._processor.intake(items)
        waiting = _of_edits(records, items, arrivals) if arrivals else []
        if self._content is not None:
            records = self._content.attach(records)
        batch = self._processor.process(self._source.name, records, items[-1].cursor)
        batch.kept_rows = self._sweep.due(self._processor.time_of_page)
        if self._posts is not None:
            self._posts.processor.edits_decided(batch, self._processor.final_time)
        self._commit(batch)
        committed = time.monotonic()
        self._metrics.alert_ready.observe_all([committed - at for at in waiting])
        self._metrics.last_event_timestamp.labels(self._source.name).set(self._clock.now())

    def _take_requeued(self) -> None:
        now = time.monotonic()
        if now < self._requeue_at:
            return
        self._requeue_at = now + REQUEUE_EVERY_S
        letters = self._store.requeued(BATCH_ITEMS)
        if letters:
            self._process_again(letters)

    def take_requeued(self) -> None:
        """Process what `dead-letters requeue` asked for; at the start of a run."""
        while letters := self._store.requeued(BATCH_ITEMS):
            self._process_again(letters)

    def _process_again(self, letters: Sequence[Requeued]) -> None:
        posts = self._posts
        if posts is not None and letters[0].source in posts.names:
            self._commit(posts.process_again(letters, self._processor.final_time))
            return
        batch = self._processor.process_again(letters)
        if posts is not None:
            posts.processor.edits_decided(batch, self._processor.final_time)
        self._commit(batch)

    def _commit(self, batch: Batch) -> None:
        of_posts = self._posts is not None and batch.source in self._posts.names
        if of_posts:
            batch.next_row = self._processor.next_row
        kept = self._store.commit(batch, self._clock.now())
        self._processor.committed()
        if self._labels is not None:
            self._labels.committed(batch)
        if self._posts is not None:
            self._posts.processor.committed()
        if self._retention is not None:
            self._retention.committed(self._processor.final_time, self._clock.now())
        self._count(batch, kept, of_posts=of_posts)
        first = self._store.last_seq() - len(batch.alerts) + 1
        self.on_commit([StoredAlert(first + n, alert) for n, alert in enumerate(batch.alerts)])
        if not batch.requeued and not of_posts:
            self._limit.add(sum(batch.outcomes.values()), len(batch.dead_letters))

    def _count(self, batch: Batch, kept: int, *, of_posts: bool) -> None:
        metrics, progress = self._metrics, self.progress
        for outcome, n in batch.outcomes.items():
            if not batch.requeued:
                metrics.events_consumed.labels(batch.source, outcome).inc(n)
                if of_posts:
                    progress.posts += n
                    continue
                progress.records += n
                progress.outcomes[outcome] = progress.outcomes.get(outcome, 0) + n
        for alert in batch.alerts:
            metrics.alerts.labels(alert.kind, alert.severity).inc()
        observe_corrections(metrics, batch.alerts)
        for dead in batch.dead_letters:
            metrics.dead_letters.labels(dead.stage, dead.reason).inc()
        reverted = sum(1 for label in batch.labels if label.label is not None)
        metrics.labels.labels("reverted").inc(reverted)
        metrics.labels.labels("kept").inc(kept)
        progress.alerts += len(batch.alerts)
        for grade, n in batch.matched.items():
            metrics.posts_matched.labels(grade).inc(n)
            progress.posts_matched += n
        if self._posts is not None:
            progress.hot_facts = self._posts.processor.hot
            metrics.hot_facts.set(progress.hot_facts)
        if of_posts:
            metrics.match_seconds.observe(batch.stage_seconds.get(Stage.MATCH, 0.0))
            if batch.newest_arrival is not None:
                metrics.last_event_timestamp.labels(batch.source).set(self._clock.now())
        elif batch.newest_arrival is not None:
            progress.newest_arrival = batch.newest_arrival
            metrics.event_freshness.set(max(0.0, self._clock.now() - batch.newest_arrival))
        for stage, seconds in batch.stage_seconds.items():
            metrics.stage_seconds.labels(stage).observe(seconds)


def _of_edits(
    records: Sequence[tuple[SourceItem, Normalized]],
    items: Sequence[SourceItem],
    arrivals: Sequence[float],
) -> list[float]:
    """Arrivals of the edits among `records`, which are `items` without the signs of life, in order."""
    of_records = [
        at
        for item, at in zip(items, arrivals, strict=True)
        if item.raw is not None or item.edit is not None
    ]
    return [at for at, (_, record) in zip(of_records, records, strict=True) if isinstance(record, Edit)]


def _text_bytes(edit: Edit) -> int:
    content = edit.content
    if content is None or content.revision.text is None:
        return 0
    return len(content.revision.text)
