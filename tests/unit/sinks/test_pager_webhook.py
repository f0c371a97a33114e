"""Paging without an Alertmanager: in its form, signed, once when it begins and once when it is over."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from streams.sinks.incident_alert import fingerprint
from streams.sinks.pager_webhook import SEQ_CURSOR, TIME_CURSOR, PagerWebhook
from streams.sinks.retries import RetryPolicy
from streams.sinks.signature import HEADER, is_genuine
from tests.memory_alerts import StoreAlerts
from tests.pager_world import PUBLIC_URL, QUICK, PagerWorld, amplified, contested, ended
from tests.unit.sinks.test_webhook_sink import KEY, Receiver
from tests.web_world import eventually


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    yield one
    one.close()


def webhook(
    world: PagerWorld,
    receiver: Receiver,
    policy: RetryPolicy = QUICK,
    key: bytes | None = KEY,
    timeout_s: float = 10.0,
) -> PagerWebhook:
    return PagerWebhook(
        receiver.url, key, world.alerts, world.metrics, public_url=lambda: PUBLIC_URL,
        user_agent="factwatch/test", policy=policy, timeout_s=timeout_s, idle_cursor_s=0.0,
    )  # fmt: skip


def told(receiver: Receiver) -> list[tuple[str, str]]:
    """Status and first alert id of each notification, in order."""
    bodies = [json.loads(one.body) for one in list(receiver.seen)]
    return [
        (body["status"], body["commonAnnotations"]["alert_ids"].partition(",")[0]) for body in bodies
    ]


def ident(number: int) -> str:
    return f"{number:032x}"


def test_it_is_alertmanagers_form_signed(receiver: Receiver) -> None:
    world, now = PagerWorld(), time.time()
    with world.running([webhook(world, receiver)]):
        alert = amplified(1, now - 60)
        world.alerts.commit(alert, ended(alert))
        eventually(lambda: len(receiver.seen) == 2)
    fired, resolved = receiver.seen
    body: dict[str, Any] = json.loads(fired.body)
    assert set(body) == {
        "version", "groupKey", "truncatedAlerts", "status", "receiver", "groupLabels", "commonLabels",
        "commonAnnotations", "externalURL", "alerts",
    }  # fmt: skip
    assert (body["version"], body["status"], body["externalURL"]) == ("4", "firing", PUBLIC_URL)
    [one] = body["alerts"]
    assert set(one) == {
        "status", "labels", "annotations", "startsAt", "endsAt", "generatorURL", "fingerprint",
    }  # fmt: skip
    assert one["labels"] == body["groupLabels"] == body["commonLabels"]
    assert one["fingerprint"] == fingerprint(one["labels"])
    assert one["endsAt"] == "0001-01-01T00:00:00Z"
    assert one["annotations"]["alert_ids"] == ident(1)
    after: dict[str, Any] = json.loads(resolved.body)
    assert (after["status"], after["groupKey"]) == ("resolved", body["groupKey"])
    assert after["alerts"][0]["endsAt"] > after["alerts"][0]["startsAt"]
    assert is_genuine(KEY, fired.headers[HEADER], fired.body, now)
    named = {one.headers["X-Factwatch-Incident-Id"] for one in receiver.seen}
    assert named == {one["annotations"]["incident_id"]}


def test_an_incident_that_grows_is_told_once(receiver: Receiver) -> None:
    world, now = PagerWorld(), time.time()
    with world.running([webhook(world, receiver)]):
        for number in range(1, 9):  # of one page
            world.alerts.commit(amplified(number, now - 60 + number, title="One page"))
        eventually(lambda: world.alerts.get(SEQ_CURSOR) == 8)
        for number in range(1, 9):
            world.alerts.commit(ended(amplified(number, now - 60 + number, title="One page")))
        eventually(lambda: world.alerts.get(SEQ_CURSOR) == 16)
    assert [status for status, _ in told(receiver)] == ["firing", "resolved"]


def test_a_restart_repeats_nothing_that_was_delivered_and_loses_nothing(receiver: Receiver) -> None:
    world, now = PagerWorld(), time.time()
    first, second, third = (amplified(number, now - 100 + number) for number in (1, 2, 3))
    with world.running([webhook(world, receiver)]):
        world.alerts.commit(first, second)
        eventually(lambda: len(receiver.seen) == 2)
    world.alerts.commit(ended(first), third, ended(third))  # while nobody pages
    with world.running([webhook(world, receiver)]):
        eventually(lambda: len(receiver.seen) == 5)
        world.alerts.commit(ended(second))
        eventually(lambda: len(receiver.seen) == 6)
    with world.running([webhook(world, receiver)]):
        eventually(lambda: world.alerts.get(SEQ_CURSOR) == 6)
    assert told(receiver) == [
        ("firing", ident(1)), ("firing", ident(2)),
        ("resolved", ident(1)), ("firing", ident(3)), ("resolved", ident(3)), ("resolved", ident(2)),
    ]  # fmt: skip


def test_stopped_in_an_outage_what_was_delivered_before_it_is_not_repeated(receiver: Receiver) -> None:
    world, now = PagerWorld(), time.time()
    receiver.answers = [(200, {}, 0.0), *[(503, {}, 0.0)] * 10_000]
    with world.running([webhook(world, receiver)]):
        for number in (1, 2):
            world.alerts.commit(amplified(number, now - 60))
            eventually(lambda n=number: ("firing", ident(n)) in told(receiver))  # type: ignore[misc]  # mypy infers no lambda with a default
    receiver.answers = []
    receiver.seen.clear()
    with world.running([webhook(world, receiver)]):
        eventually(lambda: world.alerts.get(SEQ_CURSOR) == 2)
    assert told(receiver) == [("firing", ident(2))]


def test_killed_before_the_cursor_was_saved_the_last_one_is_told_again(receiver: Receiver) -> None:
    world, now = PagerWorld(), time.time()
    with world.running([webhook(world, receiver)]):
        world.alerts.commit(amplified(1, now - 60))
        eventually(lambda: len(receiver.seen) == 1)
        eventually(lambda: world.alerts.get(SEQ_CURSOR) == 1)
    world.alerts.set(SEQ_CURSOR, 0)  # as it was before
    with world.running([webhook(world, receiver)]):
        eventually(lambda: len(receiver.seen) == 2)
    ids = [one.headers["X-Factwatch-Incident-Id"] for one in receiver.seen]
    assert ids[0] == ids[1]


def test_the_first_time_what_is_open_is_told_and_what_is_over_is_not(receiver: Receiver) -> None:
    world, now = PagerWorld(), time.time()
    done, standing = amplified(1, now - 900), amplified(2, now - 60)
    world.alerts.commit(done, ended(done), standing)
    with world.running([webhook(world, receiver)]):
        eventually(lambda: receiver.seen)
        world.alerts.commit(ended(standing))
        eventually(lambda: len(receiver.seen) == 2)
    assert told(receiver) == [("firing", ident(2)), ("resolved", ident(2))]


def test_killed_on_the_very_first_day_nothing_is_lost(receiver: Receiver) -> None:
    """The cursor of an empty log is 0, as that of a store that never paged."""
    world, now = PagerWorld(), time.time()
    receiver.answers = [(503, {}, 0.0)] * 10_000
    with world.running([webhook(world, receiver)]):
        alert = amplified(1, now - 60)
        world.alerts.commit(alert, ended(alert))
        eventually(lambda: receiver.seen)
        assert world.alerts.get(TIME_CURSOR) > 0
    assert world.alerts.get(SEQ_CURSOR) == 0
    receiver.answers = []
    receiver.seen.clear()
    with world.running([webhook(world, receiver)]):
        eventually(lambda: len(receiver.seen) == 2)
    assert told(receiver) == [("firing", ident(1)), ("resolved", ident(1))]


def test_while_the_receiver_is_down_the_book_goes_on_and_the_order_stays(receiver: Receiver) -> None:
    world, now = PagerWorld(), time.time()
    receiver.answers = [(500, {}, 0.0)] * 10_000
    with world.running([webhook(world, receiver)]) as pager:
        world.alerts.commit(*(amplified(number, now - 60) for number in (1, 2, 3)))
        eventually(lambda: world.value("factwatch_pager_backlog_incidents") == 3)
        opened = world.value("factwatch_incidents", kind="fact.amplified", severity="critical")
        assert opened == 3
        eventually(lambda: not pager.parts()["pager_webhook"].ok)
        assert pager.parts()["pager_webhook"].needed is False
        receiver.seen.clear()
        receiver.answers = []
        eventually(lambda: world.value("factwatch_pager_backlog_incidents") == 0)
    assert [number for _, number in told(receiver)][-3:] == [ident(1), ident(2), ident(3)]


def test_what_is_refused_is_given_up_and_the_next_has_its_turn(receiver: Receiver) -> None:
    world, now = PagerWorld(), time.time()
    receiver.answers = [(400, {}, 0.0)] * QUICK.refused_tries
    with world.running([webhook(world, receiver)]):
        world.alerts.commit(amplified(1, now - 60), amplified(2, now - 60))
        eventually(lambda: world.alerts.get(SEQ_CURSOR) == 2)
    assert told(receiver)[-1] == ("firing", ident(2))
    assert len(receiver.seen) == QUICK.refused_tries + 1
    given_up = world.value("factwatch_pager_deliveries_total", receiver="webhook", outcome="given_up")
    assert given_up == 1


def test_time_alone_ends_an_incident_and_a_restart_does_not_end_it_again(receiver: Receiver) -> None:
    world, now = PagerWorld(), time.time()
    with world.running([webhook(world, receiver)]):
        for number in range(1, 7):  # a burst
            world.alerts.commit(contested(number, now - 9_000, kind="edit.suspect", performer="One",
                                          performer_kind="registered"))  # fmt: skip
        eventually(lambda: len(receiver.seen) == 1)
        for number in range(1, 7):
            world.alerts.commit(ended(contested(number, now - 9_000, kind="edit.suspect", performer="One",
                                                performer_kind="registered")))  # fmt: skip
        eventually(lambda: world.alerts.get(SEQ_CURSOR) == 12)
        assert len(receiver.seen) == 1
        assert world.feed is not None
        world.feed.passed(now)
        eventually(lambda: len(receiver.seen) == 2)
        eventually(lambda: world.alerts.get(TIME_CURSOR) >= int((now - 1) * 1_000))
    with world.running([webhook(world, receiver)]):
        assert world.feed is not None
        world.feed.passed(now + 60)
        world.alerts.commit(amplified(77, now))
        eventually(lambda: len(receiver.seen) == 3)
    assert [status for status, _ in told(receiver)] == ["firing", "resolved", "firing"]


def test_the_cursor_is_one_of_the_stores(tmp_path: Path, receiver: Receiver) -> None:
    world, now = PagerWorld(), time.time()
    store = StoreAlerts(tmp_path / "state.sqlite")
    world.alerts = store  # type: ignore[assignment]  # the real one
    try:
        with world.running([webhook(world, receiver)]):
            store.commit(amplified(1, now - 60))
            eventually(lambda: receiver.seen and store.get(SEQ_CURSOR) == 1)
        with world.running([webhook(world, receiver)]):
            store.commit(ended(amplified(1, now - 60)))
            eventually(lambda: len(receiver.seen) == 2)
    finally:
        store.close()
    assert told(receiver) == [("firing", ident(1)), ("resolved", ident(1))]


def test_a_receiver_that_hangs_delays_no_end(receiver: Receiver) -> None:
    world, now = PagerWorld(), time.time()
    receiver.answers = [(200, {}, 600.0)]
    with world.running([webhook(world, receiver, timeout_s=600.0)]):
        world.alerts.commit(amplified(1, now - 60))
        eventually(lambda: receiver.seen)
    assert world.alerts.get(SEQ_CURSOR) == 0, "it is told again at the next start"
