"""Incidents POSTed to one address in the form of Alertmanager's webhook (version 4), for who has none.

One POST when an incident opens and one when it is over, in order, at least once: what has been delivered is
a durable cursor into the log of alerts, so a restart folds that much silently and goes on behind it. What
Alertmanager would do beyond that is not done here: no grouping, no inhibition, no reminders.
"""

from __future__ import annotations

import logging
import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from streams.incidents import Incident, IncidentStatus
from streams.metrics import PagerMetrics
from streams.sinks.cursors import SinkCursors
from streams.sinks.http_post import HttpPost
from streams.sinks.incident_alert import fingerprint, postable
from streams.sinks.pager_receiver import MAX_AGE_S, PagerPosition
from streams.sinks.pager_thread import PagerThread
from streams.sinks.retries import Delivered, Later, Refused, RetryPolicy
from streams.sinks.signature import HEADER, signature
from streams.web.status import Part

log = logging.getLogger("factwatch.pager")
NAME = "webhook"
#: Cursors in the store: the place in the log, and the event time in milliseconds.
SEQ_CURSOR, TIME_CURSOR = "pager", "pager_time_ms"
CURSOR_EVERY_S = 0.25
#: Without a delivery the cursor may lag: then a start only has more to fold.
IDLE_CURSOR_EVERY_S = 30.0
#: What `endsAt` says while it fires, as Alertmanager does.
NEVER = "0001-01-01T00:00:00Z"

_encode = msgspec.json.Encoder().encode


class _Step(msgspec.Struct, gc=False):
    incident: Incident
    body: bytes
    upto: PagerPosition | None = None
    """Everything up to here is delivered once this is."""


class PagerWebhook:
    """A `PagerReceiver`. `start`, then `stop(drain_s)` before the store of the cursor is closed."""

    name = NAME

    def __init__(
        self,
        url: str,
        key: bytes | None,
        cursors: SinkCursors,
        metrics: PagerMetrics,
        *,
        public_url: Callable[[], str],
        user_agent: str,
        policy: RetryPolicy | None = None,
        timeout_s: float = 10.0,
        idle_cursor_s: float = IDLE_CURSOR_EVERY_S,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._post_to = HttpPost(url, user_agent=user_agent, timeout_s=timeout_s)
        self.place = self._post_to.place
        self._key = key
        self._cursors = cursors
        self._metrics = metrics
        self._public_url = public_url
        self._policy = policy or RetryPolicy()
        self._idle_cursor_s = idle_cursor_s
        self._now = now
        self._random = random.Random()  # noqa: S311 - jitter
        time_ms = cursors.get(TIME_CURSOR)
        #: The time is never 0 once anything was saved, the place in an empty log is.
        self.resume = PagerPosition(cursors.get(SEQ_CURSOR), time_ms / 1_000) if time_ms else None
        self._saved = self._done = self.resume or PagerPosition()
        self._saved_s = 0.0
        self._firing: set[str] = set()
        """Incidents that the receiver has been told of, or is about to be."""
        self._steps: deque[_Step] = deque()
        self._abandoned = False
        self._thread = PagerThread(self._run, NAME, self.place, "incidents wait for it")
        self._news = self._thread.news

    @property
    def backlog(self) -> int:
        return len(self._steps)

    def begin(self, known: Sequence[Incident], upto: PagerPosition) -> None:
        """What was open when the cursor was saved has been told already."""
        if self.resume is None:
            self.tell(known, upto)
            with self._news:
                if not self._steps:
                    self._save(upto)  # so that the next start knows that there was this one
        else:
            self._firing = {
                incident.incident_id for incident in known if incident.status is IncidentStatus.FIRING
            }

    def tell(self, states: Sequence[Incident], upto: PagerPosition) -> None:
        with self._news:
            for incident in states:
                if self._is_news(incident):
                    self._steps.append(_Step(incident, self._body(incident)))
            if self._steps:
                self._steps[-1].upto = upto
            else:
                self._done = upto
            self._news.notify_all()

    def start(self) -> None:
        self._thread.start()

    def stop(self, drain_s: float) -> None:
        self._thread.stop(drain_s)
        # A POST still under way: whether it arrives or not, the cursor stays, so that it is repeated.
        self._abandoned = True

    def status(self) -> Part:
        return self._thread.status("paging")

    def _is_news(self, incident: Incident) -> bool:
        """Only the first and the last state are: nobody is paged because one more post repeats it."""
        if incident.status is IncidentStatus.RESOLVED:
            told = incident.incident_id in self._firing
            self._firing.discard(incident.incident_id)
            return told
        if incident.incident_id in self._firing or incident.changed < self._now() - MAX_AGE_S:
            return False
        self._firing.add(incident.incident_id)
        return True

    def _run(self) -> None:
        while True:
            with self._news:
                step = self._steps[0] if self._steps else None
                if step is None:
                    if self._thread.stopping:
                        self._save_if_due(0.0)
                        return
                    self._save_if_due(self._idle_cursor_s)
                    # Nobody's webhook is asked for the sake of asking: that nothing waits is all there is.
                    self._metrics.last_delivery.set(self._now())
                    self._news.wait(1.0)
                    continue
            if not self._settle(step):
                return
            with self._news:
                self._steps.popleft()
                self._done = step.upto or self._done
                self._save_if_due(0.0 if not self._steps else CURSOR_EVERY_S)

    def _save_if_due(self, every_s: float) -> None:
        if self._done != self._saved and time.monotonic() - self._saved_s >= every_s:
            self._save(self._done)

    def _save(self, position: PagerPosition) -> None:
        if self._abandoned:
            return
        self._cursors.set(SEQ_CURSOR, position.seq)
        self._cursors.set(TIME_CURSOR, max(int(position.watermark * 1_000), 1))
        self._saved, self._saved_s = position, time.monotonic()

    def _settle(self, step: _Step) -> bool:
        """True when done with it, delivered or given up; False when told to stop before."""
        began = time.monotonic()
        refusals = tries = 0
        while not self._thread.out_of_time:
            outcome = self._post(step)
            tries += 1
            if isinstance(outcome, Delivered):
                self._metrics.deliveries.labels(NAME, "delivered").inc()
                self._metrics.last_delivery.set(self._now())
                self._thread.taken()
                return True
            refusals += isinstance(outcome, Refused)
            self._thread.refused(outcome)
            if self._policy.gives_up(outcome, refusals, time.monotonic() - began):
                self._metrics.deliveries.labels(NAME, "given_up").inc()
                log.error(
                    "%s: gave incident %s up after %d tries: %s",
                    self.place, step.incident.incident_id, tries, outcome.reason,
                )  # fmt: skip
                return True
            self._metrics.deliveries.labels(NAME, "retried").inc()
            self._thread.wait(self._policy.delay_s(outcome, tries, self._random))
        return False

    def _post(self, step: _Step) -> Delivered | Later | Refused:
        now = self._now()
        headers = {
            "X-Factwatch-Incident-Id": step.incident.incident_id,
            "X-Factwatch-Incident-Status": step.incident.status.value,
        }
        if self._key is not None:
            headers[HEADER] = signature(self._key, step.body, now)
        return self._post_to.send(step.body, headers, now).outcome

    def _body(self, incident: Incident) -> bytes:
        return _encode(notification(incident, self._public_url(), self._now()))


def notification(incident: Incident, public_url: str, now: float) -> dict[str, Any]:
    """A group of one: its key is all of its labels."""
    alert = postable(incident, public_url, now, 0.0)
    firing = incident.status is IncidentStatus.FIRING
    labels = dict(sorted(alert.labels.items()))
    told = ", ".join(f'{name}="{value}"' for name, value in labels.items())
    return {
        "version": "4",
        "groupKey": f"{{}}:{{{told}}}",
        "truncatedAlerts": 0,
        "status": incident.status.value,
        "receiver": "factwatch",
        "groupLabels": labels,
        "commonLabels": labels,
        "commonAnnotations": alert.annotations,
        "externalURL": public_url,
        "alerts": [
            {
                "status": incident.status.value,
                "labels": labels,
                "annotations": alert.annotations,
                "startsAt": alert.starts_at,
                "endsAt": NEVER if firing else alert.ends_at,
                "generatorURL": alert.generator_url,
                "fingerprint": fingerprint(labels),
            }
        ],
    }
