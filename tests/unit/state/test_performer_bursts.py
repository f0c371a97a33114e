"""Who is watched, on which pages, and for how long."""

from __future__ import annotations

import msgspec
import pytest

from streams.records import Severity
from streams.state import performer_bursts
from streams.state.performer_bursts import PerformerBursts
from tests.incident_world import HOUR_S, T0, suspect


def test_pages_count_from_their_newest_suspect_edit_within_the_window() -> None:
    bursts = PerformerBursts()
    bursts.add(suspect(1, T0))
    bursts.add(suspect(2, T0 + 10))
    watched = bursts.add(suspect(3, T0 + HOUR_S))
    assert [page.alert_id[-1] for page in watched.within(HOUR_S)] == ["2", "3"]


def test_a_settled_edit_counts_no_more() -> None:
    bursts = PerformerBursts()
    first = suspect(1, T0)
    bursts.add(first)
    watched = bursts.add(suspect(2, T0 + 1))
    bursts.settle(first.alert_id)
    bursts.settle("unknown")
    assert len(watched.within(HOUR_S)) == 1


def test_a_moved_page_counts_once() -> None:
    bursts = PerformerBursts()
    edit = suspect(1, T0)
    bursts.add(edit)
    watched = bursts.add(msgspec.structs.replace(edit, title="Elsewhere", ce_id="2"))
    assert len(watched.within(HOUR_S)) == 1


def test_severe_is_what_is_more_than_information() -> None:
    bursts = PerformerBursts()
    bursts.add(suspect(1, T0, severity=Severity.INFO))
    watched = bursts.add(suspect(2, T0))
    assert [page.severe for page in watched.within(HOUR_S)] == [False, True]


def test_who_was_quiet_is_forgotten_and_so_are_the_oldest_of_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(performer_bursts, "PERFORMERS_CAP", 2)
    monkeypatch.setattr(performer_bursts, "PAGES_CAP", 3)
    bursts = PerformerBursts()
    early = [suspect(n, T0 + n, performer=f"P{n}") for n in range(4)]
    for alert in early:
        bursts.add(alert)
    assert len(bursts.add(suspect(9, T0 + 9, performer="P3")).pages) == 2
    assert len(bursts.add(suspect(10, T0 + 10, performer="P0")).pages) == 1  # it was let go
    for number in range(20, 30):
        watched = bursts.add(suspect(number, T0 + number, performer="P0"))
    assert list(watched.pages) == ["Article 27", "Article 28", "Article 29"]
    bursts.forget_before(T0 + HOUR_S)
    assert len(bursts.add(suspect(30, T0 + 2 * HOUR_S, performer="P0")).pages) == 1
