"""Whatever alerts come, in whatever order and however often: what holds of the incidents made of them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from streams.incidents import ALERT_IDS_CAP, Incident, IncidentStatus
from streams.records import Alert, AlertKind, AlertStatus, PerformerKind, Severity
from streams.stages.paging_policy import PagingPolicy
from streams.state.incident_book import IncidentBook
from tests.incident_world import DAY_S, HOUR_S, T0, amplified
from tests.sample_alerts import sample_alert

#: Low enough that short sequences reach everything.
EAGER = {
    "burst_ticket_pages": 2,
    "burst_page_pages": 3,
    "contested_ticket_editors": 1,
    "contested_page_editors": 2,
    "contested_page_reverts": 2,
    "contested_ticket_posts": 1,
    "contested_page_posts": 2,
}
_KINDS = list(AlertKind)
_OUTCOMES = ["reverted", "kept", "settled", "quiet", "crowded out"]


@st.composite
def state_changes(draw: st.DrawFn) -> Alert:
    """Of few alerts, pages and performers, so that they meet."""
    kind = draw(st.sampled_from(_KINDS))
    number = draw(st.integers(0, 7))
    status = draw(st.sampled_from(AlertStatus))
    if kind is AlertKind.FACT_CORRECTED:
        status = AlertStatus.RESOLVED
    evidence: dict[str, float | int | str | list[str]] = {
        "editors": ["A", "B", "C"][: draw(st.integers(0, 3))],
        "mutual_reverts": draw(st.integers(0, 4)),
        "total_posts": draw(st.integers(1, 4)),
    }
    if status is AlertStatus.RESOLVED:
        evidence["outcome"] = draw(st.sampled_from(_OUTCOMES))
    if kind is AlertKind.FACT_AMPLIFIED and draw(st.booleans()):
        evidence["posts_after"] = draw(st.integers(0, 9))
    time = T0 + draw(st.integers(0, 60)) * HOUR_S + draw(st.integers(0, 3))
    return sample_alert(
        number,
        alert_id=f"{kind}-{number}",
        ce_id=f"{kind}-{number}-{status}-{draw(st.integers(0, 30))}",
        kind=kind,
        status=status,
        severity=draw(st.sampled_from(Severity)),
        title=f"Article {draw(st.integers(0, 4))}",
        performer=draw(st.sampled_from(["Ann", "Ben", ""])),
        performer_kind=draw(st.sampled_from(PerformerKind)),
        event_time=time,
        episode_start=time,
        related=tuple(f"{draw(st.sampled_from(_KINDS))}-{n}" for n in draw(st.sets(st.integers(0, 7)))),
        evidence=evidence,
    )


sequences = st.lists(state_changes(), max_size=60)


def in_time(alerts: Sequence[Alert]) -> list[Alert]:
    return sorted(alerts, key=lambda alert: alert.event_time)


def told(alerts: Sequence[Alert], pages_per_day: int = 5) -> list[Incident]:
    book = IncidentBook(PagingPolicy(pages_per_day=pages_per_day, **EAGER))
    return [state for alert in alerts for state in book.fold(alert)]


@given(sequences, st.integers(0, 3))
@example([amplified(n, T0 + n * HOUR_S, title=str(n)) for n in range(20)], 3)
@example([amplified(n, T0 - n * HOUR_S, title=str(n)) for n in range(99)], 3)
def test_no_24_hours_have_more_pages_than_their_budget(alerts: list[Alert], pages_per_day: int) -> None:
    """In whatever order: an alert that comes late may begin a page in the past."""
    states = told(alerts, pages_per_day)
    pages = {s.incident_id: s.started for s in states if s.severity is Severity.CRITICAL}
    for start in pages.values():
        within = [other for other in pages.values() if start <= other < start + DAY_S]
        assert len(within) <= pages_per_day


@given(sequences)
def test_an_incident_opens_once_and_ends_once_and_shares_its_labels_with_no_other_open_one(
    alerts: list[Alert],
) -> None:
    book = IncidentBook(PagingPolicy(**EAGER))
    now_open: dict[str, Incident] = {}
    ended: set[str] = set()
    for alert in alerts:
        for state in book.fold(alert):
            assert state.incident_id not in ended
            before = now_open.get(state.incident_id)
            if before is not None:
                assert (before.kind, before.wiki, before.key, before.severity, before.started) == (
                    state.kind, state.wiki, state.key, state.severity, state.started
                )  # fmt: skip
                assert state.changed >= before.changed
            if state.status is IncidentStatus.RESOLVED:
                assert before is not None
                assert state.ended == state.changed
                assert state.outcome
                del now_open[state.incident_id]
                ended.add(state.incident_id)
                continue
            now_open[state.incident_id] = state
            assert state.alert_ids
            assert len(state.alert_ids) <= min(ALERT_IDS_CAP, state.alerts_total)
            labels = [(o.kind, o.wiki, o.key) for o in now_open.values()]
            assert len(labels) == len(set(labels))
        assert list(now_open.values()) == list(book.open)


@given(sequences, st.lists(st.integers(0, 59), max_size=30))
def test_what_is_told_again_changes_nothing(alerts: list[Alert], again: list[int]) -> None:
    repeated = list(alerts)
    for at in sorted(again, reverse=True):
        if at < len(alerts):
            repeated.insert(at + 1, alerts[at])
    assert told(repeated) == told(alerts)


@given(sequences, st.lists(st.floats(0.0, 70 * HOUR_S), max_size=20))
def test_how_often_time_is_told_changes_nothing(alerts: list[Alert], ticks: list[float]) -> None:
    alerts = in_time(alerts)
    often = IncidentBook(PagingPolicy(**EAGER))
    states: list[Incident] = []
    waiting = sorted(T0 + tick for tick in ticks)
    for alert in alerts:
        while waiting and waiting[0] <= alert.event_time:
            states += often.pass_time(waiting.pop(0))
        states += often.fold(alert)
    assert states == told(alerts)


@given(sequences)
def test_when_every_alert_is_over_and_a_week_has_passed_nothing_is_open(alerts: list[Alert]) -> None:
    book = IncidentBook(PagingPolicy(**EAGER))
    for alert in alerts:
        book.fold(alert)
    for alert in alerts:
        book.fold(
            msgspec.structs.replace(alert, status=AlertStatus.RESOLVED, ce_id=f"{alert.alert_id} over")
        )
    book.pass_time(T0 + 63 * HOUR_S)
    assert not any(book.open_alerts.values())
    book.pass_time(T0 + 64 * HOUR_S)
    assert not book.open
