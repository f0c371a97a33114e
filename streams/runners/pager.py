"""Alerts in, incidents out to whoever is told of them: in a thread behind the store, or a program behind
the topics.

Neither the pipeline nor anything else waits for it, and it waits for nobody it tells: receivers have threads
of their own. What it knows is folded anew at each start, silently up to where receivers have been told.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence

from streams.errors import BrokerUnavailable
from streams.incidents import Incident, IncidentKind, IncidentStatus
from streams.metrics import INCIDENT_SEVERITIES, PagerMetrics
from streams.sinks.pager_feed import Fetched, PagerFeed
from streams.sinks.pager_receiver import PagerReceiver
from streams.sources.backoff import Backoff, next_try
from streams.state.incident_book import IncidentBook
from streams.web.status import Part

log = logging.getLogger("factwatch.pager")
FIRST_WAIT_S, MAX_WAIT_S = 0.5, 15.0
#: No more is folded while so much waits for every receiver: the log keeps it.
BACKLOG_CAP = 5_000
#: At a start those that ended so shortly ago are told again: their end may not have arrived.
RECENTLY_S = 900.0
RECENT_CAP = 1_000
MEASURE_EVERY_S = 1.0
#: Told to stop, no longer than this is what has come meanwhile folded.
REST_S = 2.0


class Pager:
    """`run`, or `start` for a thread of its own, then `stop(drain_s)`."""

    def __init__(
        self,
        feed: PagerFeed,
        book: IncidentBook,
        receivers: Sequence[PagerReceiver],
        metrics: PagerMetrics,
        now: Callable[[], float],
        *,
        stopping: threading.Event | None = None,
        fold_quality: Callable[[Fetched], None] | None = None,
        say: Callable[[str], None] = log.warning,
    ) -> None:
        """`fold_quality` is given all that the feed gives, often without labels and verdicts; `say` tells a
        person."""
        self._feed = feed
        self._book = book
        self._receivers = tuple(receivers)
        self._metrics = metrics
        self._now = now
        self._stopping = stopping or threading.Event()
        self._fold_quality = fold_quality
        self._say = say
        self._open: dict[str, bool] = {}
        """Incidents that are open, and whether they were to be pages."""
        self._recent: dict[str, Incident] = {}
        self._silent = True
        self._trouble = ""
        self._backoff = Backoff(random.Random(), FIRST_WAIT_S, MAX_WAIT_S)  # noqa: S311 - jitter
        self._next_try = 0.0
        self._measured_s = 0.0
        self._thread = threading.Thread(target=self._run_in_thread, name="pager", daemon=True)
        self._ended = False

    def start(self) -> None:
        self._thread.start()

    def stop(self, drain_s: float) -> None:
        """What is committed by now is still folded and offered, for at most `drain_s` together."""
        until = time.monotonic() + drain_s
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(drain_s)
        for receiver in self._receivers:
            receiver.stop(max(until - time.monotonic(), 0.0))

    def end(self) -> None:
        """Makes `run` return. From a signal handler too."""
        self._stopping.set()

    def told(self) -> list[str]:
        """Who is, by places that show no secret."""
        return [receiver.place for receiver in self._receivers]

    def run(self) -> None:
        """Until told to stop: at once, even while it waits for the broker."""
        for receiver in self._receivers:
            receiver.start()
        try:
            while not self._stopping.is_set():
                try:
                    self._go_on()
                except BrokerUnavailable as err:
                    self._failed(err)
        finally:
            self._feed.close()

    def parts(self) -> dict[str, Part]:
        """For /readyz. Who is told being away makes us no less ready."""
        parts: dict[str, Part] = {}
        many = len(self._receivers) > 1
        for number, receiver in enumerate(self._receivers, 1):
            parts[f"pager_{receiver.name}" + (f"_{number}" if many else "")] = receiver.status()
        parts["pager"] = self._own_part()
        return parts

    def _own_part(self) -> Part:
        if self._ended and not self._stopping.is_set():
            return Part(False, "the pager's thread has ended: see the log")
        if self._trouble:
            wait_s = self._next_try - time.monotonic()
            return Part(False, f"{self._trouble}; {next_try(wait_s)}")
        if self._silent:
            return Part(True, "reads what was told before", needed=False)
        who = "tells of incidents" if self._receivers else "nobody is to be told of incidents"
        return Part(True, who, needed=False)

    def _run_in_thread(self) -> None:
        try:
            self.run()
        finally:
            self._ended = True

    def _go_on(self) -> None:
        """From where the feed begins or was, until told to stop. Raises `BrokerUnavailable`."""
        self._feed.start()
        self._works()
        if self._silent and not self._catch_up():
            return
        while not self._stopping.is_set():
            self._take(self._feed.poll(None))
            self._works()
        self._take_rest()

    def _catch_up(self) -> bool:
        """Fold what was told before, or whatever there is. False when told to stop meanwhile."""
        resumes = [receiver.resume for receiver in self._receivers]
        most = resumes[0] if resumes and all(resumes) else None
        fetched = Fetched()
        while not fetched.caught_up:
            if self._stopping.is_set():
                return False
            fetched = self._feed.poll(most)
            self._works()
            self._fold(fetched)
            self._measure()
        recently = [one for one in self._recent.values() if self._is_recent(one)]
        for receiver in self._receivers:
            receiver.begin([*recently, *self._book.open], fetched.upto)
        self._silent = False
        self._recent.clear()
        self._measure(at_once=True)
        return True

    def _take(self, fetched: Fetched) -> None:
        told = self._fold(fetched)
        for receiver in self._receivers:
            receiver.tell(told, fetched.upto)
        self._measure(at_once=bool(told))
        while self._backlog() >= BACKLOG_CAP and not self._stopping.wait(MEASURE_EVERY_S):
            self._measure()

    def _take_rest(self) -> None:
        """What was committed while we were told to stop."""
        until = time.monotonic() + REST_S
        caught_up = False
        while not caught_up and time.monotonic() < until:
            fetched = self._feed.poll(None)
            self._take(fetched)
            caught_up = fetched.caught_up

    def _fold(self, fetched: Fetched) -> list[Incident]:
        told: list[Incident] = []
        for alert in fetched.alerts:
            told += self._book.fold(alert)
        told += self._book.pass_time(fetched.upto.watermark)
        for incident in told:
            self._count(incident)
        if self._fold_quality is not None:
            self._fold_quality(fetched)
        return told

    def _count(self, incident: Incident) -> None:
        if incident.status is IncidentStatus.RESOLVED:
            self._open.pop(incident.incident_id, None)
            if self._silent:
                self._remember(incident)
            return
        held_back = self._open.get(incident.incident_id)
        self._open[incident.incident_id] = incident.held_back or bool(held_back)
        if self._silent:
            return
        if held_back is None:
            self._metrics.incidents_opened.labels(incident.kind, incident.severity).inc()
        if incident.held_back and not held_back:
            self._metrics.incidents_held_back.labels(incident.kind).inc()

    def _remember(self, incident: Incident) -> None:
        self._recent.pop(incident.incident_id, None)
        self._recent[incident.incident_id] = incident
        if len(self._recent) > RECENT_CAP:
            del self._recent[next(iter(self._recent))]

    def _is_recent(self, incident: Incident) -> bool:
        return incident.changed >= self._now() - RECENTLY_S

    def _backlog(self) -> int:
        """Told to one Alertmanager of a cluster is told."""
        return min((receiver.backlog for receiver in self._receivers), default=0)

    def _measure(self, at_once: bool = False) -> None:
        if not at_once and time.monotonic() - self._measured_s < MEASURE_EVERY_S:
            return
        self._measured_s = time.monotonic()
        self._metrics.backlog.set(self._backlog())
        for alert_kind, n in self._book.open_alerts.items():
            self._metrics.open_alerts.labels(alert_kind).set(n)
        found = Counter((incident.kind, incident.severity) for incident in self._book.open)
        for kind in IncidentKind:
            for severity in INCIDENT_SEVERITIES:
                self._metrics.incidents.labels(kind, severity).set(found[kind, severity])

    def _works(self) -> None:
        self._backoff.alive()
        if self._trouble:
            self._trouble = ""
            self._say("pager: Kafka can be used again")

    def _failed(self, err: BrokerUnavailable) -> None:
        if not self._trouble:
            self._say(f"pager: {err}; trying again until it works, alerts wait in their topic")
        self._trouble = str(err)
        wait_s = self._backoff.after_failure()
        self._next_try = time.monotonic() + wait_s
        self._stopping.wait(wait_s)
