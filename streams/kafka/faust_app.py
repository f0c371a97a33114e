"""The Faust app of a worker: group, rebalancing and agents are Faust's; units of work are the caller's."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast

import faust
import mode
from aiokafka.errors import KafkaConnectionError

from streams.errors import BrokerUnavailable
from streams.kafka.bundles import TopicPartition
from streams.kafka.faust_consumer import BundleConsumer, BundleTransport
from streams.kafka.security import Connection, for_faust
from streams.kafka.sparing_logs import sparing_logs

if TYPE_CHECKING:
    from aiokafka import ConsumerRecord

log = logging.getLogger("factwatch.kafka")

#: Stopping takes no longer: units of work get most of it, committing and leaving the rest.
STOP_WITHIN_S = 10.0
_GRACE_S = 6.0


class PartitionWork(Protocol):
    """What a worker does. `on_bundle` for different partitions overlap; nothing else does."""

    async def on_assigned(
        self, numbers: frozenset[int], kept: frozenset[int]
    ) -> Mapping[TopicPartition, int]:
        """All partition numbers that are this worker's from now on, before any of their bundles.

        `kept`: those that were so just before and that nobody else had in between, so that what is held in
        memory for them still is the newest. Gives offsets to go on from; a topic's partition that is not
        among them goes on from the group's committed offset, or else from its beginning. Cancelled when the
        group rebalances again meanwhile."""

    def on_standing_still(self) -> None:
        """A rebalance or the end has begun: `on_bundle` should not wait for anything now."""

    async def on_revoked(self, numbers: frozenset[int]) -> None:
        """Nothing is in work any more; some of these will be another worker's when this returns."""

    async def on_bundle(self, topic: str, partition: int, records: Sequence[ConsumerRecord]) -> None:
        """One at a time for a topic's partition, and for partitions in turn. Returning says: taken over,
        there is room for more. It is committed when `durable` says so.

        Whatever it raises stops the worker. Cancelled when a rebalance or the end can't wait for it."""

    def durable(self, topic: str, partition: int) -> int | None:
        """Offset before which everything is durable: what may be committed. None: nothing yet."""


class Figures(NamedTuple):
    """For metrics, plain."""

    rebalances: int
    numbers: frozenset[int]
    lag: Mapping[TopicPartition, int]
    """Offsets not taken over yet, transaction markers among them; none yet where nothing was fetched."""
    newest_s: Mapping[TopicPartition, float]
    """Kafka's time (seconds) of the newest record taken over: freshness is now less that."""


class WorkerApp(faust.App):
    """A Faust app whose messages are bundles. Made by `build_app`."""

    work: PartitionWork
    bundle_records: int
    bundle_bytes: int
    grace_s: float

    def _new_transport(self) -> BundleTransport:
        return BundleTransport(self.conf.broker_consumer, self, loop=self.loop)

    def figures(self) -> Figures:
        consumer = cast(BundleConsumer, self.consumer)
        newest_s = dict(consumer.progress.newest_s)
        return Figures(self.rebalancing_count, consumer.numbers, consumer.lag(), newest_s)


def build_app(
    *,
    connection: Connection,
    group: str,
    topics: Sequence[str],
    data_dir: Path,
    work: PartitionWork,
    bundle_records: int = 2048,
    bundle_bytes: int = 1 << 20,
    session_timeout_s: float = 8.0,
    rebalance_timeout_s: float = 60.0,
    commit_interval_s: float = 1.0,
    grace_s: float = _GRACE_S,
) -> WorkerApp:
    """Build it where the event loop runs. `topics` exist, all with the same number of partitions.

    `grace_s`: how long a rebalance or the end waits for units of work that are begun."""
    app = WorkerApp(
        group,
        **for_faust(connection),
        datadir=data_dir,
        store="memory://",  # no table: state is the caller's
        autodiscover=False,
        web_enabled=False,
        topic_disable_leader=True,
        topic_allow_declare=False,
        processing_guarantee="at_least_once",
        consumer_auto_offset_reset="earliest",
        consumer_max_fetch_size=bundle_bytes,
        broker_max_poll_records=bundle_records,
        broker_max_poll_interval=600.0,
        broker_commit_interval=commit_interval_s,
        broker_session_timeout=session_timeout_s,
        broker_heartbeat_interval=session_timeout_s / 3,
        broker_rebalance_timeout=rebalance_timeout_s,
        broker_request_timeout=max(30.0, session_timeout_s),
        agent_supervisor=mode.CrashingSupervisor,
    )
    app.work = work
    app.bundle_records, app.bundle_bytes, app.grace_s = bundle_records, bundle_bytes, grace_s
    for topic in topics:
        _add_agent(app, topic)
    return app


def _add_agent(app: WorkerApp, topic: str) -> None:
    """Hand each bundle to the lane of its partition; nothing is acked here."""

    async def bundles(stream: faust.StreamT[Any]) -> None:
        consumer = cast(BundleConsumer, app.consumer)
        async for event in cast("faust.Stream[Any]", stream).noack().events():
            consumer.accept(event.value)

    app.agent(app.topic(topic, key_serializer="raw", value_serializer="raw"), name=topic)(bundles)


async def serve(app: WorkerApp, stop: asyncio.Event | None = None) -> None:
    """Run until SIGTERM or Ctrl-C (or `stop`, which leaves signals alone), then finish what is begun,
    commit and leave the group.

    Raises what stopped the worker if it was not that, `BrokerUnavailable` when it could not start."""
    with sparing_logs():
        if stop is not None:
            await _until(app, stop)
        else:
            async with _stop_signals() as asked:
                await _until(app, asked)
    if app.crash_reason is not None:
        raise app.crash_reason


async def _until(app: WorkerApp, asked: asyncio.Event) -> None:
    starting = asyncio.create_task(app.start())
    watched = [asyncio.create_task(event.wait()) for event in (asked, app._crashed)]
    try:
        await asyncio.wait({starting, *watched}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            await _started(starting)
            await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (starting, *watched):
            task.cancel()
        await asyncio.gather(starting, *watched, return_exceptions=True)
        await asyncio.wait_for(app.stop(), STOP_WITHIN_S - 1)


async def _started(starting: asyncio.Task[None]) -> None:
    try:
        await starting  # raises what kept it from starting
    except KafkaConnectionError as error:
        raise BrokerUnavailable(
            f"no Kafka broker can be used: {error} (is it running? FACTWATCH_KAFKA_BOOTSTRAP says where)"
        ) from error


@contextlib.asynccontextmanager
async def _stop_signals() -> AsyncIterator[asyncio.Event]:
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked.set)
    try:
        yield asked
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
