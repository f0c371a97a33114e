"""A person who judges an alert means its suspect edits, each as it was first told of."""

from __future__ import annotations

import msgspec

from streams.records import Alert, AlertKind, AlertStatus
from streams.stages.judged import judged
from tests.sample_alerts import correction_of, resolved, sample_alert


def updated(alert: Alert, by: int) -> Alert:
    """By one more suspect edit."""
    return msgspec.structs.replace(
        alert,
        status=AlertStatus.UPDATED,
        rev_id=alert.rev_id + by,
        event_time=alert.event_time + by,
        revert_risk=0.99,
    )


def test_each_edit_is_meant_once_with_the_time_at_which_it_was_made() -> None:
    opened = sample_alert(1)
    more = updated(opened, 10)
    history = [opened, more, resolved(more)]
    for told in (history, history[::-1]):
        found = {alert.rev_id: alert.event_time for alert in judged(told, None)}
        assert found == {opened.rev_id: opened.event_time, more.rev_id: more.event_time}


def test_one_edit_can_be_named() -> None:
    opened = sample_alert(1)
    more = updated(opened, 10)
    assert judged([opened, more], more.rev_id) == [more]
    assert judged([opened, more], 5) == []


def test_only_suspect_edits_with_a_score_can_be_judged() -> None:
    opened = sample_alert(1)
    others = [
        correction_of(opened),
        msgspec.structs.replace(opened, kind=AlertKind.PAGE_CONTESTED),
        msgspec.structs.replace(opened, revert_risk=None),
    ]
    assert judged(others, None) == []
