"""The archive's loop: topics in, database out, for ever. Whatever is away is waited for; nothing else
waits for us."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

from streams.archive.database import ArchiveUnavailable
from streams.archive.delivered import TOPICS, Delivered, Partition
from streams.archive.feed import Topics, TopicsUnavailable
from streams.archive.writer import Outcome, Position, PositionsMoved
from streams.clock import Clock
from streams.metrics import ArchiveMetrics
from streams.sources.backoff import Backoff
from streams.web.status import Part

log = logging.getLogger("factwatch.archive")
T = TypeVar("T")

FIRST_WAIT_S, MAX_WAIT_S = 0.5, 15.0
#: Without anything to write, a sign of life is: who reads the database sees that the archive is up.
ALIVE_EVERY_S = 10.0
MEASURE_EVERY_S = 1.0
PARTITIONS_EVERY_S = 60.0


class Writer(Protocol):
    def positions(self) -> dict[Partition, Position]: ...
    def write(
        self,
        records: list[Delivered],
        before: Mapping[Partition, Position],
        after: Mapping[Partition, Position],
        now: float,
    ) -> Counter[Outcome]: ...


class Archiver:
    """`run` until `stop` is called from another thread or a signal handler. Implements `Health`."""

    def __init__(
        self,
        topics: Topics,
        writer: Writer,
        metrics: ArchiveMetrics,
        clock: Clock,
        *,
        prepare: Callable[[], object],
        say: Callable[[str], None],
    ) -> None:
        """`prepare` makes the tables; `say` tells a person."""
        self._topics = topics
        self._writer = writer
        self._metrics = metrics
        self._clock = clock
        self._prepare = prepare
        self._say = say
        self._stopping = threading.Event()
        self._trouble = {"database": "", "topics": ""}
        self._behind = 0
        """Offsets that wait for the database, as last measured."""
        self._stored: dict[Partition, Position] = {}
        """What the database holds, as far as we know."""
        self._done: dict[Partition, int] = {}
        """Everything before it is stored; transaction markers move it past `_stored`."""
        self._measured_s = self._written_s = self._looked_s = 0.0

    def stop(self) -> None:
        self._stopping.set()

    def run(self) -> None:
        """Returns when stopped: at once, even while it waits. What was read and not written is read
        again at the next start."""
        try:
            self._until_it_works("database", self._prepare)
            while not self._stopping.is_set():
                try:
                    self._go_on_from_the_positions()
                except PositionsMoved:
                    log.warning(
                        "the database's positions are not ours (another archive, a restored backup, an"
                        " answer that was lost): going on from them"
                    )
                    self._stopping.wait(MEASURE_EVERY_S)
        finally:
            self._topics.close()

    def parts(self) -> dict[str, Part]:
        """For /readyz. What is away is waited for, and that is no reason to be restarted."""
        waits = f"; {self._behind} offsets behind the topics" if self._behind else ""
        database, topics = self._trouble["database"], self._trouble["topics"]
        return {
            "database": Part(not database, (database or "answers") + waits),
            "topics": Part(not topics, topics or "answers"),
        }

    def _go_on_from_the_positions(self) -> None:
        stored = self._until_it_works("database", self._writer.positions)
        if stored is None:
            return
        start = self._until_it_works("topics", lambda: self._topics.start(stored))
        if start is None:
            return
        for topic, lost in start.expired.items():
            self._metrics.records.labels(topic, "expired").inc(lost)
        self._stored = dict(stored)
        self._done = {where: position.offset for where, position in start.positions.items()}
        generations = {where: position.generation for where, position in start.positions.items()}
        self._looked_s = time.monotonic()
        while not self._stopping.is_set():
            try:
                fetched = self._topics.poll()
            except TopicsUnavailable as err:
                # The consumer may be past records that it did not give: only `start` makes up for that.
                self._failed("topics", err)
                self._wait(FIRST_WAIT_S)
                return
            if fetched is None or self._partitions_are_new():
                return
            if fetched.records or time.monotonic() - self._written_s >= ALIVE_EVERY_S:
                if not self._write(fetched.records, self._done | fetched.after, generations):
                    return
            else:
                self._done |= fetched.after
            self._measure()

    def _write(
        self,
        records: list[Delivered],
        done: Mapping[Partition, int],
        generations: Mapping[Partition, int],
    ) -> bool:
        """False when told to stop before it was written."""
        after = {where: Position(generations[where], offset) for where, offset in done.items()}
        moved = {
            where: position for where, position in after.items() if self._stored.get(where) != position
        }
        outcomes = self._until_it_works(
            "database", lambda: self._writer.write(records, self._stored, moved, self._clock.now())
        )
        if outcomes is None:
            return False
        self._stored |= moved
        self._done |= done
        self._written_s = time.monotonic()
        self._metrics.last_write.set(self._clock.now())
        for (topic, outcome), n in outcomes.items():
            self._metrics.records.labels(topic, outcome).inc(n)
        return True

    def _until_it_works(self, what: str, do: Callable[[], T]) -> T | None:
        """What `do` gives; None when told to stop meanwhile. An outage is said once, and its end."""
        backoff = Backoff(random.Random(), FIRST_WAIT_S, MAX_WAIT_S)  # noqa: S311 - jitter
        while not self._stopping.is_set():
            try:
                found = do()
            except (ArchiveUnavailable, TopicsUnavailable) as err:
                self._failed(what, err)
                self._wait(backoff.after_failure())
                continue
            self._works(what)
            return found
        return None

    def _works(self, what: str) -> None:
        if self._trouble[what]:
            self._trouble[what] = ""
            self._say(f"archive: the {what} can be used again")

    def _failed(self, what: str, err: ArchiveUnavailable | TopicsUnavailable) -> None:
        kind = err.kind if isinstance(err, ArchiveUnavailable) else "topics"
        self._metrics.errors.labels(kind).inc()
        if not self._trouble[what]:
            self._say(f"archive: {err}; trying again until it works, alerts wait in their topic")
        else:
            log.debug("%s", err)
        self._trouble[what] = str(err)

    def _wait(self, wait_s: float) -> None:
        """The lag goes on being measured: an outage of the database shows while it lasts."""
        until = time.monotonic() + wait_s
        while not self._stopping.is_set() and (left := until - time.monotonic()) > 0:
            self._stopping.wait(min(left, MEASURE_EVERY_S))
            self._measure()

    def _measure(self) -> None:
        if not self._done or time.monotonic() - self._measured_s < MEASURE_EVERY_S:
            return
        self._measured_s = time.monotonic()
        try:
            lag = self._topics.lag(self._done)
        except TopicsUnavailable as err:  # a poll of a broker that is away just gives nothing
            self._failed("topics", err)
            return
        self._works("topics")
        self._behind = sum(lag.values())
        for topic in TOPICS:
            self._metrics.lag.labels(topic).set(lag[topic])

    def _partitions_are_new(self) -> bool:
        if time.monotonic() - self._looked_s < PARTITIONS_EVERY_S:
            return False
        self._looked_s = time.monotonic()
        try:
            return self._topics.has_new_partitions()
        except TopicsUnavailable as err:
            log.info("the partitions are not known: %s", err)
            return False
