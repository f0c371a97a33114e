"""Posts in the embedded runner: threads read the sources that are waited for, the runner's own thread does
the rest between two batches of edits.

A post waits until the edits up to its time have been seen, as a fact can't be repeated before it is known
to be hot; where the wiki is quiet, a few seconds.
"""

from __future__ import annotations

import math
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from streams.posts import Post, PostsGone, encode_record
from streams.runners.dead_letter_limit import DeadLetterLimit
from streams.runners.posts.lanes import Lane, Waiting, size_of
from streams.runners.posts.page_namer import PageNamer
from streams.runners.posts.post_processor import PostProcessor
from streams.sources.base import Source, SourceItem
from streams.store.batch import Batch, Requeued
from streams.store.sqlite_posts import SqlitePosts

#: Posts worked on at once.
BATCH_POSTS = 1_024
#: Posts handed in that may wait to be worked on; more are refused for the time being.
INBOX_POSTS = 50_000
#: Processing time that a post waits for the edits of its time, at most.
JOIN_S = 5.0
#: Without a post for so long, their event time goes on with that of the edits.
QUIET_S = 10.0
#: How often what time makes due is looked at.
LOOK_EVERY_S = 0.5

HANDED_IN = "http"
"""Name of the source of posts that come by `POST /v1/posts`."""


class InboxFull(Exception):
    """Try again later."""


class PostRunner:
    """`pump` from the runner's thread; `hand_in` from any."""

    def __init__(
        self,
        *,
        sources: Sequence[Source],
        store: SqlitePosts,
        processor: PostProcessor,
        namer: PageNamer | None = None,
        dead_letter_limit: float = 1.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`now`: processing time, monotonic seconds."""
        self._store = store
        self.processor = processor
        self._now = now
        self._lanes = [Lane(source) for source in sources]
        self._names = frozenset({HANDED_IN, *(source.name for source in sources)})
        self._namer = namer
        self._limit = DeadLetterLimit(dead_letter_limit)
        self._stopping = threading.Event()
        self._handed: queue.SimpleQueue[tuple[list[bytes], Future[None]]] = queue.SimpleQueue()
        self._inbox: deque[Waiting] = deque()
        self._row = 0
        self._handing = 0
        self._lock = threading.Lock()
        self._last_post = now()
        self._looked = 0.0
        self._alive: set[str] = set()

    @property
    def sources(self) -> list[Source]:
        return [lane.source for lane in self._lanes]

    @property
    def names(self) -> frozenset[str]:
        """Of all sources of posts."""
        return self._names

    def take_alive(self) -> set[str]:
        """Names of the sources that gave anything since this was last asked, be it a sign of life."""
        alive, self._alive = self._alive, set()
        return alive

    @property
    def busy(self) -> bool:
        """Whether there is something to do at once."""
        return (
            not self._handed.empty()
            or any(lane.has_items for lane in self._lanes)
            or any(len(lane.waiting) >= BATCH_POSTS for lane in self._lanes)
        )

    @property
    def ended(self) -> bool:
        """All sources are at their end, and all of them was worked on."""
        done = all(lane.done for lane in self._lanes)
        return done and not self._inbox and self._handed.empty()

    def start(self) -> None:
        if self._namer is not None:
            self._namer.start()
        for lane in self._lanes:
            lane.open(self._store.cursor(lane.source.name), self._stopping)

    def stop(self) -> None:
        self._stopping.set()
        if self._namer is not None:
            self._namer.close()
        for lane in self._lanes:
            lane.close()
        for lane in self._lanes:
            lane.join()
        while not self._handed.empty():
            _, told = self._handed.get()
            told.set_exception(InboxFull("stopping"))

    def hand_in(self, records: Sequence[Post | PostsGone]) -> Future[None]:
        """Submitted posts; the future is done when they are durable. Raises `InboxFull`."""
        raws = [encode_record(record) for record in records]
        with self._lock:
            if self._handing + len(self._inbox) + len(raws) > INBOX_POSTS or self._stopping.is_set():
                raise InboxFull(f"{len(self._inbox)} posts wait already")
            self._handing += len(raws)
        told: Future[None] = Future()
        self._handed.put((raws, told))
        return told

    def pump(
        self,
        edits_time: float,
        edits_newest: float,
        commit: Callable[[Batch], None],
        *,
        ended: bool = False,
    ) -> bool:
        """Work on what is there and due; True if anything was. `edits_newest` is the newest event time
        seen on the wikis, `edits_time` what has passed there. `ended`: no more edits come, none is waited
        for."""
        awaited = math.inf if ended else edits_newest
        worked = self._take_handed(commit)
        for lane in self._lanes:
            self._fill(lane)
            ready = self._ready(lane.waiting, awaited)
            lane.held -= sum(one.size for one in ready)
            if ready:
                self._work(lane.source.name, ready, ready[-1].taken[0].cursor, edits_time, commit)
                worked = True
        self._fill_inbox()
        ready = self._ready(self._inbox, awaited)
        if ready:
            self._work(HANDED_IN, ready, None, edits_time, commit)
            worked = True
        self._look(edits_time, edits_newest, commit)
        return worked

    def process_again(self, letters: Sequence[Requeued], edits_time: float) -> Batch:
        """Dead letters that an operator sent back, as if they came now."""
        source = letters[0].source
        items = [SourceItem(letter.position, letter.raw) for letter in letters]
        taken = self.processor.intake(items, ours=source == HANDED_IN)
        batch = self.processor.process(source, taken, None, edits_time)
        batch.requeued = [letter.id for letter in letters]
        return batch

    def _fill(self, lane: Lane) -> None:
        items = lane.take(BATCH_POSTS - len(lane.waiting))
        if items:
            now = self._now()
            self._alive.add(lane.source.name)
            lane.waiting += [
                Waiting(taken, now, 0, size_of(taken[0])) for taken in self.processor.intake(items)
            ]

    def _fill_inbox(self) -> None:
        """From the store, so that a start finds what the last one left."""
        if len(self._inbox) >= BATCH_POSTS:
            return
        now = self._now()
        for row, raw in self._store.handed_in(self._row, BATCH_POSTS):
            self._row = row
            for taken in self.processor.intake([SourceItem(str(row), raw)], ours=True):
                self._inbox.append(Waiting(taken, now, row))

    def _ready(self, waiting: deque[Waiting], edits_newest: float) -> list[Waiting]:
        late = self._now() - JOIN_S
        ready: list[Waiting] = []
        while waiting and len(ready) < BATCH_POSTS:
            head = waiting[0]
            record = head.taken[1]
            if isinstance(record, Post) and record.version_time > edits_newest and head.since > late:
                break
            ready.append(waiting.popleft())
        return ready

    def _work(
        self,
        source: str,
        ready: Sequence[Waiting],
        cursor: str | None,
        edits_time: float,
        commit: Callable[[Batch], None],
    ) -> None:
        self._last_post = self._now()
        batch = self.processor.process(source, [one.taken for one in ready], cursor, edits_time)
        batch.of_posts.worked_on = [one.row for one in ready if one.row]
        commit(batch)
        self._limit.add(sum(batch.outcomes.values()), len(batch.dead_letters))

    def _take_handed(self, commit: Callable[[Batch], None]) -> bool:
        """One commit for all that wait for theirs."""
        raws: list[bytes] = []
        waiting: list[Future[None]] = []
        while not self._handed.empty() and len(raws) < BATCH_POSTS:
            more, told = self._handed.get()
            raws += more
            waiting.append(told)
        if not waiting:
            return False
        batch = Batch(HANDED_IN)
        batch.of_posts.handed_in = raws
        try:
            commit(batch)
        except BaseException as err:
            for told in waiting:
                told.set_exception(err)
            raise
        finally:
            with self._lock:
                self._handing -= len(raws)
        for told in waiting:
            told.set_result(None)
        return True

    def _name_pages(self, namer: PageNamer, commit: Callable[[Batch], None]) -> None:
        for wiki, title in self.processor.take_unnamed():
            namer.want(wiki, title)
        named = namer.take()
        if named:
            batch = Batch(HANDED_IN)
            self.processor.name_pages(batch, [(page.key, page.names) for page in named])
            commit(batch)

    def _look(self, edits_time: float, edits_newest: float, commit: Callable[[Batch], None]) -> None:
        now = self._now()
        if now - self._looked < LOOK_EVERY_S:
            return
        self._looked = now
        if self._namer is not None:
            self._name_pages(self._namer, commit)
        quiet = now - self._last_post >= QUIET_S
        batch = Batch(HANDED_IN)
        self.processor.time_passed(batch, edits_time, edits_newest if quiet else 0.0)
        if batch.alerts or batch.of_posts.hot_pages or batch.of_posts.spreads:
            commit(batch)
