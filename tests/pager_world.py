"""A pager behind a log of alerts in memory, and alerts and incidents for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec
from prometheus_client import CollectorRegistry

from streams.incidents import Incident, IncidentKind, IncidentStatus, incident_id, key_of
from streams.metrics import PagerMetrics
from streams.records import Alert, AlertKind, AlertStatus, Severity
from streams.runners.pager import Pager
from streams.sinks.alertmanager import AlertmanagerSink
from streams.sinks.pager_feed import StoreFeed
from streams.sinks.pager_receiver import PagerReceiver
from streams.sinks.retries import RetryPolicy
from streams.stages.paging_policy import PagingPolicy
from streams.state.incident_book import IncidentBook
from tests.memory_alerts import MemoryAlerts
from tests.sample_alerts import resolved, sample_alert
from tests.web_world import eventually

QUICK = RetryPolicy(first_s=0.01, longest_s=0.05)
PUBLIC_URL = "https://factwatch.example.org"


def incident(number: int = 1, at: float = 1_764_000_000.0, **changes: object) -> Incident:
    """One that fires since `at`; `number` makes it another page's. `changes` replace fields."""
    title = f"Page {number}"
    kind = IncidentKind(changes.get("kind", IncidentKind.PAGE_CONTESTED))
    severity = Severity(changes.get("severity", Severity.CRITICAL))
    one = Incident(
        incident_id=incident_id(kind, "enwiki", key_of(title), severity, at),
        kind=kind,
        wiki="enwiki",
        key=key_of(title),
        severity=severity,
        status=IncidentStatus.FIRING,
        started=at,
        changed=at,
        alert_ids=(f"{number:032x}",),
        alerts_total=1,
        summary=f"Contested page: {title} (enwiki)",
        description="16 mutual reverts of 8 editors in a day.",
        page_url=f"https://en.wikipedia.org/wiki/Page_{number}",
    )
    return msgspec.structs.replace(one, **changes)


def over(one: Incident, after_s: float = 60.0, outcome: str = "settled") -> Incident:
    at = one.started + after_s
    return msgspec.structs.replace(
        one, status=IncidentStatus.RESOLVED, changed=at, ended=at, outcome=outcome
    )


def amplified(number: int, at: float, **changes: object) -> Alert:
    """A fact that spreads so that it is a page."""
    fields: dict[str, object] = {
        "kind": AlertKind.FACT_AMPLIFIED,
        "severity": Severity.CRITICAL,
        "title": f"Page {number}",
        "event_time": at,
        "episode_start": at,
        "related": (f"{number + 500_000:032x}",),
        "evidence": {"posts": 40, "authors": 30, "reach": 2_000_000, "window_s": 600.0},
    }
    return sample_alert(number, **fields | changes)


def contested(number: int, at: float, **changes: object) -> Alert:
    """An edit war of so many that it is a page."""
    fields: dict[str, object] = {
        "kind": AlertKind.PAGE_CONTESTED,
        "severity": Severity.WARNING,
        "title": f"Page {number}",
        "event_time": at,
        "episode_start": at,
        "revert_risk": None,
        "evidence": {"editors": [f"Editor {n}" for n in range(9)], "mutual_reverts": 20},
    }
    return sample_alert(number, **fields | changes)


def ended(alert: Alert, after_s: float = 30.0) -> Alert:
    one = resolved(alert, after_s=after_s)
    return msgspec.structs.replace(one, status=AlertStatus.RESOLVED)


class PagerWorld:
    """`receivers` are made anew by each `running`, as a restart does."""

    def __init__(self) -> None:
        self.alerts = MemoryAlerts()
        self.metrics = PagerMetrics(CollectorRegistry())
        self.feed: StoreFeed | None = None

    def sink(self, url: str, *, resend_s: float = 60.0, timeout_s: float = 5.0) -> AlertmanagerSink:
        return AlertmanagerSink(
            url, self.metrics, public_url=lambda: PUBLIC_URL, user_agent="factwatch/test",
            resend_s=resend_s, policy=QUICK, timeout_s=timeout_s,
        )  # fmt: skip

    @contextmanager
    def running(
        self, receivers: Sequence[PagerReceiver], policy: PagingPolicy | None = None
    ) -> Iterator[Pager]:
        stopping = threading.Event()
        self.feed = StoreFeed(self.alerts, lambda: stopping.wait(0.02))
        book = IncidentBook(policy or PagingPolicy())
        pager = Pager(self.feed, book, receivers, self.metrics, time.time, stopping=stopping)
        pager.start()
        try:
            eventually(lambda: pager.parts()["pager"].detail != "reads what was told before")
            yield pager
        finally:
            pager.stop(3.0)

    def value(self, name: str, **labels: str) -> float:
        found = self.metrics.registry.get_sample_value(name, labels)
        assert found is not None, name
        return found
