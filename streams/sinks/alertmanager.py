"""Incidents to one Alertmanager, by its API v2, as Prometheus does it.

An Alertmanager keeps no alerts over a restart, and takes one for over that nobody tells it of again. So all
that is open is told every minute, to end four minutes from then: three posts may be lost without harm, and
when Factwatch is gone for good its incidents end. One that is over is told for another quarter of an
hour. (`rules/alerting.go`: ValidUntil is 4 times the resend delay, resolvedRetention 15 minutes.)

Each Alertmanager of a cluster has a sink, and so a thread, of its own: they tell one another which
notifications went out, not which alerts there are. One that is down holds up nobody else.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Sequence

import msgspec

from streams.incidents import Incident, IncidentStatus
from streams.metrics import PagerMetrics
from streams.records import Severity
from streams.sinks.http_post import HttpPost
from streams.sinks.incident_alert import Identity, identity_of, postable
from streams.sinks.pager_receiver import MAX_AGE_S, PagerPosition
from streams.sinks.pager_thread import PagerThread
from streams.sinks.retries import Delivered, Later, Refused, RetryPolicy
from streams.web.status import Part

log = logging.getLogger("factwatch.pager")
NAME = "alertmanager"
RESEND_S = 60.0
VALID_RESENDS = 4
RESOLVED_FOR_S = 900.0
#: Alerts of one POST, as Prometheus's notifier has it.
BATCH = 64
#: Of resolved ones that are still told. More than a day's.
RESOLVED_CAP = 2_000
#: An alert may be at fault. Any other refusal is the address's.
REFUSED_ALERTS = frozenset({400, 413, 422})

_encode = msgspec.json.Encoder().encode


class _Entry(msgspec.Struct, gc=False):
    """The newest state by some labels. Times are monotonic."""

    incident: Incident
    pending: bool = True
    """This state was not delivered yet."""
    told_s: float = 0.0
    """When any state was last delivered."""
    over_s: float = 0.0
    """When its end was first delivered."""
    refusals: int = 0
    next_s: float = 0.0
    """Of a refused one: when it is tried again, alone."""


class AlertmanagerSink:
    """A `PagerReceiver`. `start`, then `stop(drain_s)`."""

    name = NAME
    resume: PagerPosition | None = None

    def __init__(
        self,
        url: str,
        metrics: PagerMetrics,
        *,
        public_url: Callable[[], str],
        user_agent: str,
        resend_s: float = RESEND_S,
        policy: RetryPolicy | None = None,
        timeout_s: float = 10.0,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`url`: where its own page is; the API is below."""
        self._post_to = HttpPost(_api(url), user_agent=user_agent, timeout_s=timeout_s)
        self.place = self._post_to.place
        self._metrics = metrics
        self._public_url = public_url
        self._resend_s = resend_s
        self._policy = policy or RetryPolicy(longest_s=15.0)
        self._now = now
        self._random = random.Random()  # noqa: S311 - jitter
        self._entries: dict[Identity, _Entry] = {}
        self._checked_s = -resend_s
        self._failures = 0
        self._thread = PagerThread(self._run, NAME, self.place, "what is open is told until it is taken")
        self._news = self._thread.news

    @property
    def backlog(self) -> int:
        with self._news:
            return sum(entry.pending for entry in self._entries.values())

    def begin(self, known: Sequence[Incident], upto: PagerPosition) -> None:
        self.tell(known, upto)

    def tell(self, states: Sequence[Incident], upto: PagerPosition) -> None:
        oldest = self._now() - MAX_AGE_S
        with self._news:
            for incident in states:
                identity = identity_of(incident)
                known = self._entries.get(identity)
                if known is None and incident.changed < oldest:
                    continue
                # One that began before what is told by the same labels must not end it.
                if known is not None and known.incident.started > incident.started:
                    continue
                told_s = known.told_s if known is not None else 0.0
                self._entries[identity] = _Entry(incident, told_s=told_s)
            self._bound()
            self._news.notify_all()

    def start(self) -> None:
        self._thread.start()

    def stop(self, drain_s: float) -> None:
        self._thread.stop(drain_s)

    def status(self) -> Part:
        return self._thread.status("telling")

    def _run(self) -> None:
        while True:
            with self._news:
                due = self._due(time.monotonic())
                if due is None:
                    if self._thread.stopping:
                        return
                    self._news.wait(self._idle_s(time.monotonic()))
                    continue
            trouble = self._deliver(due)
            if trouble is not None:
                # A page waits no hour, whatever Retry-After says.
                delay_s = self._policy.delay_s(trouble, self._failures, self._random)
                if not self._thread.wait(min(delay_s, self._policy.longest_s)):
                    return

    def _due(self, now_s: float) -> list[_Entry] | None:
        """What is to be posted next: news, pages before tickets; what was refused, alone; what is to be
        told again. An empty list is a post without alerts, a sign of life."""
        self._forget_over(now_s)
        good = [entry for entry in self._entries.values() if not entry.refusals]
        if news := [entry for entry in good if entry.pending]:
            return sorted(news, key=_urgency)[:BATCH]
        if self._thread.stopping:
            return None
        for entry in self._entries.values():
            if entry.refusals and entry.next_s <= now_s:
                return [entry]
        if again := [entry for entry in good if entry.told_s + self._resend_s <= now_s]:
            return sorted(again, key=_urgency)[:BATCH]
        return [] if self._checked_s + self._resend_s <= now_s else None

    def _idle_s(self, now_s: float) -> float:
        nexts = [
            entry.next_s if entry.refusals else entry.told_s + self._resend_s
            for entry in self._entries.values()
        ]
        return max(min([self._checked_s + self._resend_s, *nexts]) - now_s, 0.01)

    def _deliver(self, entries: list[_Entry]) -> Later | Refused | None:
        """None: done, as far as it can be. An alert that is refused holds up none of the others."""
        now, valid_s = self._now(), self._resend_s * VALID_RESENDS
        alerts = [postable(entry.incident, self._public_url(), now, valid_s) for entry in entries]
        outcome, status = self._post_to.send(_encode(alerts), {}, now)
        if isinstance(outcome, Delivered):
            self._delivered(entries, now)
            return None
        if entries and status in REFUSED_ALERTS:
            if len(entries) == 1:
                self._refused(entries[0], outcome)
                return None
            # Alertmanager has taken the good ones of them: to tell those twice changes nothing.
            half = len(entries) // 2
            return self._deliver(entries[:half]) or self._deliver(entries[half:])
        self._metrics.deliveries.labels(NAME, "retried").inc()
        self._failures += 1
        self._thread.refused(outcome)
        return outcome

    def _delivered(self, entries: Sequence[_Entry], now: float) -> None:
        now_s = time.monotonic()
        with self._news:
            for entry in entries:
                if entry.pending:
                    self._metrics.deliveries.labels(NAME, "delivered").inc()
                entry.pending, entry.refusals, entry.told_s = False, 0, now_s
                if entry.incident.status is IncidentStatus.RESOLVED and not entry.over_s:
                    entry.over_s = now_s
            self._checked_s = now_s
        self._metrics.last_delivery.set(now)
        self._thread.taken()
        self._failures = 0

    def _refused(self, entry: _Entry, outcome: Later | Refused) -> None:
        """Given up is what was refused a few times; it is tried again every minute all the same."""
        with self._news:
            entry.refusals += 1
            delay_s = self._policy.delay_s(outcome, entry.refusals, self._random)
            given_up = entry.refusals >= self._policy.refused_tries
            entry.next_s = time.monotonic() + (self._resend_s if given_up else delay_s)
            is_news = entry.pending
            entry.pending = entry.pending and not given_up
        if given_up and is_news:
            self._metrics.deliveries.labels(NAME, "given_up").inc()
            log.error(
                "%s: incident %s is not told after %d tries: %s",
                self.place, entry.incident.incident_id, entry.refusals, outcome.reason,
            )  # fmt: skip
        else:
            self._metrics.deliveries.labels(NAME, "retried").inc()

    def _forget_over(self, now_s: float) -> None:
        over = [
            identity
            for identity, entry in self._entries.items()
            if entry.over_s and now_s - entry.over_s >= RESOLVED_FOR_S
        ]
        for identity in over:
            del self._entries[identity]

    def _bound(self) -> None:
        resolved = [
            identity
            for identity, entry in self._entries.items()
            if entry.incident.status is IncidentStatus.RESOLVED
        ]
        for identity in resolved[: max(len(resolved) - RESOLVED_CAP, 0)]:
            del self._entries[identity]


def _urgency(entry: _Entry) -> tuple[bool, float]:
    return entry.incident.severity is not Severity.CRITICAL, entry.told_s


def _api(url: str) -> str:
    base, question, query = url.partition("?")
    return f"{base.rstrip('/')}/api/v2/alerts{question}{query}"
