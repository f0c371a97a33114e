"""Everything in one process: source, stages, store. One transaction a micro-batch, so that a kill at
any point loses and repeats nothing."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence

from streams.clock import Clock
from streams.content.stage import ContentStage
from streams.metrics import Metrics
from streams.records import Edit
from streams.runners import micro_batches
from streams.runners.dead_letter_limit import LIST_COMMAND, DeadLetterLimit
from streams.runners.kept import KeptSweep
from streams.runners.live_labels import LiveLabels
from streams.runners.measures import LIVE_SOURCES
from streams.runners.memory import set_for_long_lives
from streams.runners.micro_batches import Arrived
from streams.runners.posts.post_runner import PostRunner
from streams.runners.processor import Processor
from streams.runners.run_figures import Figures
from streams.sources.base import Source, SourceItem
from streams.stages.normalize import Normalized
from streams.store.batch import Batch, Requeued
from streams.store.reader import StoredAlert
from streams.store.retention import Retention
from streams.store.sqlite import SqliteStore

log = logging.getLogger("factwatch.runner")

#: Items read ahead of the stages. When it is full the source waits: that is the back-pressure.
QUEUE_ITEMS = 4_096
IDLE_S = 0.25
#: The same where posts may be there.
POSTS_IDLE_S = 0.05
#: How often the store is asked for dead letters to process again.
REQUEUE_EVERY_S = 2.0


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
        dead_letter_command: str = LIST_COMMAND,
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
        self._limit = DeadLetterLimit(dead_letter_limit, dead_letter_command)
        self._posts = posts
        self._labels = labels
        self.on_commit = on_commit
        self._stopping = threading.Event()
        self._sweep = KeptSweep(store)
        self._requeue_at = 0.0
        self._figures = Figures(metrics, clock)
        self.progress = self._figures.progress

    def stop(self) -> None:
        """From any thread or a signal handler: finish the batch under way, commit and return."""
        self._stopping.set()

    # -- files -----------------------------------------------------------------------------------

    def run_file(self) -> None:
        """To the end of a file, in this thread. Raises `BadInput` where the file is damaged, after
        everything before the damage was committed."""
        set_for_long_lives()
        for items in micro_batches.of_file(self._source.items(self._store.cursor(self._source.name))):
            self._take(items)
            if self._stopping.is_set():
                self._source.close()
                return
        self._finish()

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
        items: queue.Queue[Arrived] = queue.Queue(QUEUE_ITEMS)
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
                batch = micro_batches.of_queue(items, self._patience_s())
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

    def _patience_s(self) -> float:
        """How long an edit is waited for when there is none."""
        if self._posts is None:
            return IDLE_S
        return 0.0 if self._posts.busy else POSTS_IDLE_S

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
        letters = self._store.requeued(micro_batches.BATCH_ITEMS)
        if letters:
            self._process_again(letters)

    def take_requeued(self) -> None:
        """Process what `dead-letters requeue` asked for; at the start of a run."""
        while letters := self._store.requeued(micro_batches.BATCH_ITEMS):
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
        hot = None if self._posts is None else self._posts.processor.hot
        self._figures.committed(batch, kept, of_posts=of_posts, hot=hot)
        first = self._store.last_seq() - len(batch.alerts) + 1
        self.on_commit([StoredAlert(first + n, alert) for n, alert in enumerate(batch.alerts)])
        if not batch.requeued and not of_posts:
            self._limit.add(sum(batch.outcomes.values()), len(batch.dead_letters))


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
