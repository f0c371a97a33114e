"""Faust's consumer, made to deliver bundles and to let nobody lose his place at a rebalance.

What it changes of Faust 0.15's own, and why:

- One message is one `Bundle`: Faust's own work for a message would else be done for each record.
- Committed is what the work says is durable. Faust's acks count for nothing: it acks what it *skips* at a
  rebalance too, and takes a hole in the offsets, whatever made it, for records that were done.
- Before a rebalance goes on: no bundle begins, those begun end, what is durable is committed.
- After one, nothing is delivered before the worker has its state and said where to go on from, and every
  partition is sought to when no fetch is under way: one begun before a rebalance ends after it, its records
  are nobody's, and the position has moved on.
- Faust's assignor even without tables (else Faust uses round robin, and partitions of one number part),
  and `read_committed`, which Faust ties to its own transactions.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from aiokafka.errors import IllegalStateError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage, Message

from streams.kafka.bundles import Bundle, Lanes, Progress, numbers_of, split
from streams.kafka.faust_thread import BundleConsumerThread

if TYPE_CHECKING:
    from streams.kafka.faust_app import WorkerApp

#: Of one partition: one in work, one waiting. More would only fill memory.
_OUTSTANDING = 2
#: How long a fetch for those with room may keep the others from being asked for again.
_BRIEFLY_S = 0.02
#: A fetch is not interrupted: a rebalance waits for it.
_LONGEST_S = 0.25


class _NoOffsets(dict[TP, int | None]):
    """Faust drops what it believes it has read; it believes so across a rebalance too. Here it never does."""

    def __missing__(self, tp: TP) -> None:
        return None

    def __setitem__(self, tp: TP, offset: int | None) -> None:
        return

    def update(self, *args: Any, **kwargs: Any) -> None:
        return


class BundleConsumer(driver.Consumer):
    """See the module's text."""

    app: WorkerApp
    _thread: BundleConsumerThread

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._read_offset = _NoOffsets()
        self.progress = Progress()
        self._lanes = Lanes(self._work_on, self._fail)
        self._assigned: set[TP] = set()
        self._prepared: tuple[int, frozenset[int]] = (-1, frozenset())
        self._preparing: asyncio.Task[None] | None = None
        self._fetching = asyncio.Lock()
        self._ready = asyncio.Event()
        self._room = asyncio.Event()

    def _new_consumer_thread(self) -> BundleConsumerThread:
        return BundleConsumerThread(self, loop=self.loop, beacon=self.beacon)

    @property
    def numbers(self) -> frozenset[int]:
        """Partition numbers that this worker has."""
        return numbers_of(self._assigned)

    def lag(self) -> dict[tuple[str, int], int]:
        return self._thread.lag(self.progress)

    # Delivering

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Message]]:
        """Ends at once, and leaves the rest undelivered, when a rebalance begins: all is then read again."""
        if not self._ready.is_set():
            await self._within(self._ready, timeout)
            return
        active = self._get_active_partitions()
        room = {tp for tp in active if self.progress.outstanding(tp) < _OUTSTANDING}
        if not room:
            self._room.clear()
            await self._within(self._room, timeout if active else _BRIEFLY_S)
            return
        async with self._fetching:
            generation = self.app.consumer_generation_id
            fetched = await self._getmany(room, _LONGEST_S if len(room) == len(active) else _BRIEFLY_S)
        for tp, records in fetched.items():
            for bundle in split(tp, records, self.app.bundle_records, self.app.bundle_bytes):
                if not self._ready.is_set() or generation != self.app.consumer_generation_id:
                    return
                self.progress.deliver(bundle)
                yield TP(*tp), self._to_message(TP(*tp), bundle)

    def _to_message(self, tp: TP, record: Bundle) -> ConsumerMessage:
        last = record.records[-1]
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            record.last_offset,
            record.newest_s,
            last.timestamp_type,
            [],
            b"",
            cast(Any, record),
            None,
            tp=tp,
            generation_id=self.app.consumer_generation_id,
        )

    def accept(self, bundle: Bundle) -> None:
        """From the agents. A bundle from before a rebalance is no longer known: it will come again."""
        if self.progress.knows(bundle):
            self._lanes.add(bundle)

    async def _work_on(self, bundle: Bundle) -> None:
        topic, partition = bundle.tp
        await self.app.work.on_bundle(topic, partition, bundle.records)
        self.progress.finish(bundle)
        self._room.set()

    async def _fail(self, error: BaseException) -> None:
        await self.crash(error)

    @staticmethod
    async def _within(event: asyncio.Event, timeout_s: float) -> None:
        try:
            await asyncio.wait_for(event.wait(), timeout_s)
        except TimeoutError:
            return

    # Committing

    def ack(self, message: Message) -> bool:
        """As the agents leave acks alone, it is Faust acking what it skipped."""
        return False

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        return iter(
            [tp for tp in self._assigned if topics is None or tp in topics or tp.topic in topics]
        )

    def _new_offset(self, tp: TP) -> int | None:
        return self.app.work.durable(tp.topic, tp.partition)

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Faust counts holes as done. Here they mean nothing."""

    # Rebalancing

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """The group waits for this."""
        if self.app.should_stop:
            return
        await self._let_go()
        await super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """The group waits for this too, and without heartbeats: the real work is done after it."""
        if self.app.should_stop:
            return
        self._assigned = set(assigned)
        await super().on_partitions_assigned(assigned, generation_id)
        self._preparing = asyncio.create_task(self._prepare(assigned, generation_id))

    async def perform_seek(self) -> None:
        """Faust would seek to what is committed, at a moment of its own; see `_go_to`."""

    async def _prepare(self, assigned: set[TP], generation: int) -> None:
        before, numbers = self._prepared
        kept = numbers & self.numbers if generation == before + 1 else frozenset()
        try:
            offsets = await self.app.work.on_assigned(self.numbers, kept)
            if strangers := set(offsets) - assigned:
                raise ValueError(f"not assigned: {sorted(strangers)}")
            await self._go_to(offsets)
        except IllegalStateError:
            return  # the next rebalance has begun, and will prepare anew
        except Exception as error:  # noqa: BLE001 - not swallowed: it stops the worker
            await self.crash(error)
            return
        self._prepared = (generation, self.numbers)
        self._lanes.open()
        self._ready.set()

    async def _go_to(self, offsets: Mapping[tuple[str, int], int]) -> None:
        """Every partition, also those that are where they should be: see the module's text."""
        if not self._assigned:
            return
        async with self._fetching:
            committed = await self._thread.committed(self._assigned)
            self._committed_offset.update(committed)
            places = {tp: offsets.get(tp, committed[tp]) for tp in self._assigned}
            await self.seek_wait({tp: offset for tp, offset in places.items() if offset})
            if beginning := [
                driver.ensure_aiokafka_TP(tp) for tp, offset in places.items() if not offset
            ]:
                await self._thread.seek_to_beginning(*beginning)

    async def _stand_still(self) -> None:
        """No bundle is with the work after this, and what is durable is committed."""
        self._ready.clear()
        self.stop_flow()
        if self._assigned:
            self.app.work.on_standing_still()
        if self._preparing is not None:
            self._preparing.cancel()
            await asyncio.gather(self._preparing, return_exceptions=True)
            self._preparing = None
        await self._lanes.stand_still(self.app.grace_s)
        if not await self.commit():
            await self.commit()  # the first may only have waited for one that was under way

    async def wait_empty(self) -> None:
        await self._stand_still()

    async def _let_go(self) -> None:
        try:
            await self._stand_still()
            if self._assigned:
                await self.app.work.on_revoked(self.numbers)
        except Exception as error:  # noqa: BLE001 - not swallowed: it stops the worker, or is why it ends
            await self.crash(error)
        self._assigned = set()
        self.progress.forget()

    async def on_stop(self) -> None:
        await self._let_go()
        await super().on_stop()

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Faust's own compares clocks of two kinds and logs an error a partition every few seconds."""


class BundleTransport(driver.Transport):
    Consumer = BundleConsumer
