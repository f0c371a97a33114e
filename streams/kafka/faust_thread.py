"""Faust's consumer thread, with a consumer of ours in it."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import aiokafka
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from mode.threads import WorkerThread

from streams.kafka.bundles import Progress


class _Thread(WorkerThread):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.daemon = True  # a consumer that hangs must not keep the process from ending


class BundleConsumerThread(driver.AIOKafkaConsumerThread):
    """The thread that fetches, sends heartbeats and joins the group, however busy the main thread is."""

    Worker = _Thread

    def _create_worker_consumer(self, transport: driver.Transport) -> aiokafka.AIOKafkaConsumer:
        conf = self.app.conf
        self._assignor = self.app.assignor
        return aiokafka.AIOKafkaConsumer(
            client_id=conf.broker_client_id,
            group_id=conf.id,
            bootstrap_servers=driver.server_list(transport.url, transport.default_port),
            partition_assignment_strategy=[self._assignor],
            enable_auto_commit=False,
            auto_offset_reset=conf.consumer_auto_offset_reset,
            isolation_level="read_committed",
            max_poll_records=conf.broker_max_poll_records,
            max_poll_interval_ms=int(conf.broker_max_poll_interval * 1000),
            max_partition_fetch_bytes=conf.consumer_max_fetch_size,
            # A partition that was just emptied is asked for again when the fetch under way returns.
            fetch_max_wait_ms=100,
            request_timeout_ms=int(conf.broker_request_timeout * 1000),
            session_timeout_ms=int(conf.broker_session_timeout * 1000),
            rebalance_timeout_ms=int(conf.broker_rebalance_timeout * 1000),
            heartbeat_interval_ms=int(conf.broker_heartbeat_interval * 1000),
            metadata_max_age_ms=conf.consumer_metadata_max_age_ms,
            connections_max_idle_ms=conf.consumer_connections_max_idle_ms,
            **driver.credentials_to_aiokafka_auth(conf.broker_credentials, conf.ssl_context),
        )

    async def committed(self, tps: set[TP]) -> dict[TP, int | None]:
        """By the group; None for nothing yet."""
        found: dict[TP, int | None] = await self.call_thread(self._committed, tps)
        return found

    async def _committed(self, tps: set[TP]) -> dict[TP, int | None]:
        consumer = self._ensure_consumer()
        return {tp: await consumer.committed(driver.ensure_aiokafka_TP(tp)) for tp in tps}

    async def on_thread_stop(self) -> None:
        """While the broker is away aiokafka's consumer raises, as it stops, that its own fetch was
        cancelled. The thread would end there with a traceback, and with tasks left behind."""
        with contextlib.suppress(asyncio.CancelledError):
            await super().on_thread_stop()

    def lag(self, progress: Progress) -> dict[tuple[str, int], int]:
        """Offsets (transaction markers among them) between what was taken over and what may be read."""
        behind: dict[tuple[str, int], int] = {}
        if self._consumer is None:
            return behind
        subscription = self._consumer._subscription.subscription
        if subscription is None or subscription.assignment is None:
            return behind
        for tp in subscription.assignment.tps:
            state = subscription.assignment.state_value(tp)
            if state is None or state.lso is None or not state.has_valid_position:
                continue  # nothing fetched yet
            begun = progress.oldest_open(tp)
            behind[tp.topic, tp.partition] = max(
                0, state.lso - (state.position if begun is None else begun)
            )
        return behind
