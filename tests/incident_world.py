"""Alerts that make incidents, in a few words each, and the sequence of what becomes of them."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from streams.incidents import Incident
from streams.records import Alert, AlertKind, AlertStatus, PerformerKind, Severity
from streams.state.incident_book import IncidentBook
from tests.sample_alerts import correction_of, resolved, sample_alert

#: 1 January 2026.
T0 = 1_767_225_600.0
MINUTE_S = 60.0
HOUR_S = 3_600.0
DAY_S = 86_400.0
VANDAL = "~2026-12345-67"


def suspect(number: int, at: float, *, performer: str = VANDAL, **changes: object) -> Alert:
    """A suspect edit on a page of its own."""
    defaults: dict[str, object] = {
        "title": f"Article {number}",
        "performer": performer,
        "performer_kind": PerformerKind.TEMPORARY,
        "event_time": at,
        "episode_start": at,
    }
    return sample_alert(number, **(defaults | changes))


def reverted(alert: Alert, at: float) -> Alert:
    return resolved(alert, after_s=at - alert.episode_start)


def correction(alert: Alert, at: float) -> Alert:
    return correction_of(alert, after_s=at - alert.episode_start)


def kept(alert: Alert, at: float) -> Alert:
    return _next(alert, at, AlertStatus.RESOLVED, alert.severity, {"outcome": "kept"})


def amplified(
    number: int,
    at: float,
    *,
    of: str = f"{1:032x}",
    severity: Severity = Severity.CRITICAL,
    title: str = "Mount Everest",
    **evidence: float | int | str | list[str],
) -> Alert:
    """A fact that spreads. `of`: alert_id of the edit."""
    counts = {"posts": 120, "authors": 80, "reach": 1_200_000, "window_s": HOUR_S}
    return sample_alert(
        number,
        alert_id=f"a{number:031x}",
        ce_id=f"a{number:027x}0001",
        kind=AlertKind.FACT_AMPLIFIED,
        severity=severity,
        title=title,
        performer="",
        performer_kind=PerformerKind.HIDDEN,
        event_time=at,
        episode_start=at,
        summary=f"Repeated 120 times by 80 authors in an hour: {title} (enwiki): number changed",
        diff_url="",
        related=(of,),
        evidence=counts | evidence,
    )


def contested(number: int, at: float, *, editors: int = 2, reverts: int = 3, **changes: object) -> Alert:
    names = [f"Editor {name}" for name in range(editors)]
    fields: dict[str, object] = {
        "alert_id": f"d{number:031x}",
        "ce_id": f"d{number:027x}0001",
        "kind": AlertKind.PAGE_CONTESTED,
        "title": f"Disputed {number}",
        "event_time": at,
        "episode_start": at,
        "evidence": {"mutual_reverts": reverts, "editors": names},
    }
    return sample_alert(number, **(fields | changes))


def repeats(number: int, at: float, of: Alert, *, total_posts: int = 1) -> Alert:
    """A post that repeats what `of` is about."""
    return sample_alert(
        number,
        alert_id=f"b{number:031x}",
        ce_id=f"b{number:027x}0001",
        kind=AlertKind.POST_REPEATS,
        title=of.title,
        event_time=at,
        episode_start=at,
        related=(of.alert_id,),
        evidence={"hot_id": "h1", "total_posts": total_posts, "folded": 0},
    )


def updated(alert: Alert, at: float, **evidence: float | int | str | list[str]) -> Alert:
    """The next state of it, as serious as the last one."""
    return _next(alert, at, AlertStatus.UPDATED, alert.severity, evidence)


def worse(alert: Alert, at: float) -> Alert:
    return _next(alert, at, AlertStatus.UPDATED, Severity.CRITICAL, {})


def over(alert: Alert, at: float, outcome: str) -> Alert:
    return _next(alert, at, AlertStatus.RESOLVED, alert.severity, {"outcome": outcome})


def _next(
    alert: Alert,
    at: float,
    status: AlertStatus,
    severity: Severity,
    evidence: dict[str, float | int | str | list[str]],
) -> Alert:
    return msgspec.structs.replace(
        alert,
        status=status,
        severity=severity,
        ce_id=f"{alert.ce_id[:20]}{int(at - T0) % 10**12:012d}",
        event_time=at,
        evidence=alert.evidence | evidence,
    )


def fold_all(book: IncidentBook, alerts: Iterable[Alert]) -> list[Incident]:
    return [state for alert in alerts for state in book.fold(alert)]


def story(states: Iterable[Incident]) -> list[str]:
    """What was told, a line for each change that a receiver sees: `performer.burst warning firing`."""
    lines = [f"{s.kind} {s.severity} {s.status} {s.outcome}".strip() for s in states]
    return [line for at, line in enumerate(lines) if not at or line != lines[at - 1]]
