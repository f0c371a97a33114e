"""Every alert state change POSTed to one address: after its commit, in order, at least once.

A thread of its own reads the log of alerts behind a durable cursor, so the pipeline never waits for the
receiver: what can't be delivered yet stays in the store. The cursor moves after the delivery, and a kill
between the two repeats the last ones with the same `X-Factwatch-Event-Id`.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable

from streams.metrics import Metrics
from streams.records import Alert
from streams.sinks.alert_json import alert_json
from streams.sinks.cursors import SinkCursors
from streams.sinks.http_post import HttpPost
from streams.sinks.retries import Delivered, Later, Outcome, Refused, RetryPolicy
from streams.sinks.signature import HEADER, signature
from streams.sources.backoff import next_try
from streams.store.reader import AlertReader, StoredAlert
from streams.web.status import Part

log = logging.getLogger(__name__)
NAME = "webhook"
POLL_S = 0.2
BATCH = 100
CURSOR_EVERY_S = 0.25
"""A cursor is a durable write, shared with the pipeline: not one for each of a thousand deliveries."""


class WebhookSink:
    """`start`, then `stop(drain_s)` before the store is closed."""

    def __init__(
        self,
        reader: AlertReader,
        cursors: SinkCursors,
        metrics: Metrics,
        url: str,
        key: bytes | None,
        *,
        user_agent: str,
        policy: RetryPolicy | None = None,
        timeout_s: float = 10.0,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._post_to = HttpPost(url, user_agent=user_agent, timeout_s=timeout_s)
        self._place = self._post_to.place
        self._reader = reader
        self._cursors = cursors
        self._metrics = metrics
        self._key = key
        self._policy = policy or RetryPolicy()
        self._now = now
        self._random = random.Random()  # noqa: S311 - jitter
        self._stopping = threading.Event()
        self._drain_until = 0.0
        self._abandoned = False
        self._trouble = ""
        self._next_try = 0.0
        self._thread = threading.Thread(target=self._run, name=NAME, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, drain_s: float) -> None:
        """Goes on delivering until nothing waits or `drain_s` is over, then returns; what is left is
        delivered after the next start."""
        self._drain_until = time.monotonic() + drain_s
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(drain_s + 1.0)
        # A POST still under way: whether it arrives or not, the cursor stays, so that it is repeated.
        self._abandoned = True

    def status(self) -> Part:
        """A receiver that is down makes us no less ready: alerts wait in the store."""
        if not self._thread.is_alive() and not self._stopping.is_set():
            return Part(False, "the webhook's thread has ended: see the log")
        if self._trouble:
            wait_s = self._next_try - time.monotonic()
            return Part(False, f"{self._trouble}; {next_try(wait_s)}", needed=False)
        return Part(True, f"delivering to {self._place}", needed=False)

    def _run(self) -> None:
        seq = saved = self._cursors.get(NAME)
        saved_at = time.monotonic()
        while True:
            newest = self._reader.last_seq()
            batch = self._reader.log(seq, BATCH)
            for stored in batch:
                self._metrics.sink_backlog.labels(NAME).set(max(newest - seq, 0))
                if not self._settle(stored):
                    break
                seq = stored.seq
                if time.monotonic() - saved_at >= CURSOR_EVERY_S:
                    saved, saved_at = self._save(seq), time.monotonic()
            if self._abandoned:
                return
            self._metrics.sink_backlog.labels(NAME).set(max(newest - seq, 0))
            if seq != saved:
                saved, saved_at = self._save(seq), time.monotonic()
            if self._stopping.is_set() and (not batch or self._out_of_time()):
                return
            if not batch:
                self._stopping.wait(POLL_S)

    def _save(self, seq: int) -> int:
        if not self._abandoned:
            self._cursors.set(NAME, seq)
        return seq

    def _out_of_time(self) -> bool:
        return self._stopping.is_set() and time.monotonic() >= self._drain_until

    def _settle(self, stored: StoredAlert) -> bool:
        """True when done with it, delivered or given up; False when told to stop before."""
        body = alert_json(stored)
        deliveries = self._metrics.webhook_deliveries
        began = time.monotonic()
        refusals = tries = 0
        while not self._out_of_time():
            outcome = self._post(stored.alert, stored.seq, body)
            tries += 1
            if isinstance(outcome, Delivered):
                deliveries.labels("delivered").inc()
                if self._trouble:
                    log.info("webhook %s: delivering again", self._place)
                self._trouble = ""
                return True
            refusals += isinstance(outcome, Refused)
            self._tell(outcome)
            if self._policy.gives_up(outcome, refusals, time.monotonic() - began):
                deliveries.labels("given_up").inc()
                log.error(
                    "webhook %s: gave alert %d up after %d tries: %s",
                    self._place, stored.seq, tries, outcome.reason,
                )  # fmt: skip
                return True
            deliveries.labels("retried").inc()
            self._wait(self._policy.delay_s(outcome, tries, self._random))
        return False

    def _tell(self, outcome: Later | Refused) -> None:
        """One log line a new trouble, not one a try."""
        trouble = f"{self._place}: {outcome.reason}; alerts wait in the store"
        if trouble != self._trouble:
            log.warning("webhook %s", trouble)
        self._trouble = trouble

    def _wait(self, delay_s: float) -> None:
        until = self._next_try = time.monotonic() + delay_s
        self._stopping.wait(delay_s)
        while (left := until - time.monotonic()) > 0 and not self._out_of_time():
            time.sleep(min(left, 0.05, max(self._drain_until - time.monotonic(), 0.0)))

    def _post(self, alert: Alert, seq: int, body: bytes) -> Outcome:
        headers = {"X-Factwatch-Event-Id": alert.ce_id, "X-Factwatch-Seq": str(seq)}
        now = self._now()
        if self._key is not None:
            headers[HEADER] = signature(self._key, body, now)
        return self._post_to.send(body, headers, now).outcome
