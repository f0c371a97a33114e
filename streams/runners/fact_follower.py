"""The hot facts of all pages, followed on Kafka by a process that only answers by them: `factwatch api`."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

from streams.errors import BrokerUnavailable, FactwatchError
from streams.kafka.admin import shared_partitions
from streams.kafka.hot_facts_reader import HotFactsReader, Replica
from streams.kafka.security import Connection
from streams.matching.answer_findings import CheckedAnswer
from streams.matching.check import Checker
from streams.matching.index import HotFactIndex
from streams.matching.matcher import Matcher, PairScorer
from streams.runners.partitions.fact_replica import FactReplica
from streams.runners.partitions.replicated_facts import ReplicatedFacts, SpreadReplica
from streams.store.facts_query import FactsFound, FactsQuery
from streams.topics import HOT_FACTS, SPREADS
from streams.web.status import Part

if TYPE_CHECKING:
    from aiokafka import ConsumerRecord

log = logging.getLogger(__name__)
TRY_AGAIN_S = 5.0


class _Followed:
    """A replica, and what answers by it; `lock` is held by whoever uses either."""

    def __init__(self, scorer: PairScorer, partitions: int) -> None:
        lock = threading.Lock()
        index = HotFactIndex()
        self.replica = FactReplica(index, partitions)
        self.spreads = SpreadReplica()
        self.told = ReplicatedFacts(self.replica, self.spreads)
        self.checker = Checker(index, Matcher(index, scorer), lock=lock)
        self.lock = lock

    @property
    def complete(self) -> bool:
        return self.replica.complete and self.spreads.complete


class _Locked:
    """A replica, filled while nobody answers by it."""

    def __init__(self, replica: Replica, lock: threading.Lock) -> None:
        self._replica = replica
        self._lock = lock

    @property
    def complete(self) -> bool:
        return self._replica.complete

    @complete.setter
    def complete(self, value: bool) -> None:
        self._replica.complete = value

    def take(self, partition: int, records: Sequence[ConsumerRecord]) -> None:
        with self._lock:
            self._replica.take(partition, records)


class FactFollower:
    """`start`, then `check` and `facts` from any thread, then `stop`."""

    def __init__(self, connection: Connection, scorer: PairScorer) -> None:
        self._connection = connection
        self._scorer = scorer
        self._followed: _Followed | None = None
        self._trouble = "hot facts are being read"
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hot facts", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        loop = self._loop
        if loop is not None:
            with suppress(RuntimeError):  # it has ended just now
                loop.call_soon_threadsafe(_cancel_all, loop)
        self._thread.join(timeout=10)

    def check(self, text: str, language: str | None = None) -> CheckedAnswer:
        """As `Checker.check`. Raises `BrokerUnavailable` until all that is hot is known: of a part
        nothing could be told to be safe."""
        followed = self._followed
        if followed is None:
            raise BrokerUnavailable(self._trouble)
        return followed.checker.check(text, language)

    def facts(self, query: FactsQuery) -> FactsFound:
        """Raises `BrokerUnavailable` until all that is hot is known."""
        followed = self._followed
        if followed is None:
            raise BrokerUnavailable(self._trouble)
        with followed.lock:
            return followed.told.facts(query)

    def part(self) -> Part:
        """For /readyz: alerts can be read without the facts."""
        followed = self._followed
        if followed is None:
            return Part(False, self._trouble, needed=False)
        return Part(True, f"{len(followed.replica):,} facts are hot", needed=False)

    def _run(self) -> None:
        said = ""
        while not self._stopping.is_set():
            try:
                asyncio.run(self._follow())
            except asyncio.CancelledError:
                return
            except FactwatchError as err:
                self._trouble = str(err)
                if self._trouble != said:
                    log.warning("POST /v1/check and GET /v1/facts answer 503: %s", self._trouble)
                said = self._trouble
            finally:
                # However it ended: what goes meanwhile would never be told, so the next try begins with nothing.
                self._followed = self._loop = None
            self._stopping.wait(TRY_AGAIN_S)

    async def _follow(self) -> None:
        self._loop = asyncio.get_running_loop()
        partitions = await asyncio.to_thread(shared_partitions, self._connection)
        followed = _Followed(self._scorer, partitions)
        with ThreadPoolExecutor(1, "hot facts") as executor:
            replicas: dict[str, Replica] = {
                HOT_FACTS.name: followed.replica,
                SPREADS.name: followed.spreads,
            }
            readers = [
                HotFactsReader(
                    self._connection,
                    _Locked(replica, followed.lock),
                    partitions,
                    executor,
                    lambda: None,
                    topic,
                )
                for topic, replica in replicas.items()
            ]
            reading = {asyncio.create_task(reader.run()) for reader in readers}
            try:
                while not any(task.done() for task in reading):
                    if followed.complete:
                        self._followed, self._trouble = followed, ""
                    await asyncio.wait(reading, timeout=0.2, return_when=asyncio.FIRST_COMPLETED)
                for task in reading:
                    if task.done():
                        task.result()
            finally:
                for task in reading:
                    task.cancel()
                await asyncio.gather(*reading, return_exceptions=True)


def _cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    for task in asyncio.all_tasks(loop):
        task.cancel()
