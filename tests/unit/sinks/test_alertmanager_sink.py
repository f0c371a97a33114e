"""One Alertmanager that refuses, is slow or is down: what is open gets there, and no secret gets out."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from streams.incidents import Incident
from streams.metrics import PagerMetrics
from streams.records import Severity
from streams.sinks import alertmanager
from streams.sinks.alertmanager import BATCH, AlertmanagerSink
from streams.sinks.pager_receiver import MAX_AGE_S, PagerPosition
from streams.sinks.retries import RetryPolicy
from tests.pager_world import PUBLIC_URL, QUICK, incident, over
from tests.unit.sinks.test_webhook_sink import Receiver
from tests.web_world import eventually

UPTO = PagerPosition(1, 1.0)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    yield one
    one.close()


@contextmanager
def telling(
    url: str, *, policy: RetryPolicy = QUICK, resend_s: float = 60.0, timeout_s: float = 5.0
) -> Iterator[AlertmanagerSink]:
    sink = AlertmanagerSink(
        url, PagerMetrics(CollectorRegistry()), public_url=lambda: PUBLIC_URL,
        user_agent="factwatch/test", policy=policy, resend_s=resend_s, timeout_s=timeout_s,
    )  # fmt: skip
    sink.start()
    try:
        yield sink
    finally:
        sink.stop(2.0)


def counted(sink: AlertmanagerSink, outcome: str) -> float:
    found = sink._metrics.registry.get_sample_value(
        "factwatch_pager_deliveries_total", {"receiver": "alertmanager", "outcome": outcome}
    )
    assert found is not None
    return found


def posts(receiver: Receiver) -> list[list[dict[str, Any]]]:
    """Bodies with alerts in them."""
    return [body for body in (json.loads(one.body) for one in list(receiver.seen)) if body]


def summaries(receiver: Receiver) -> list[str]:
    return [alert["annotations"]["summary"] for body in posts(receiver) for alert in body]


def seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def now_incident(number: int = 1, ago_s: float = 60.0, **changes: object) -> Incident:
    return incident(number, time.time() - ago_s, **changes)


def test_it_is_told_at_its_api_below_whatever_prefix_it_has(receiver: Receiver) -> None:
    with telling(f"http://127.0.0.1:{receiver.port}/alertmanager/") as sink:
        sink.tell([now_incident()], UPTO)
        [[alert]] = eventually(lambda: posts(receiver))
        assert {one.path for one in receiver.seen} == {"/alertmanager/api/v2/alerts"}
        assert set(alert) == {"labels", "annotations", "startsAt", "endsAt", "generatorURL"}
        assert alert["generatorURL"].startswith(PUBLIC_URL)
        eventually(lambda: sink.backlog == 0)


def test_what_is_open_is_told_again_each_time_to_end_four_times_later(receiver: Receiver) -> None:
    with telling(receiver.url, resend_s=0.1) as sink:
        one = now_incident()
        sink.tell([one], UPTO)
        told = eventually(lambda: posts(receiver) if len(posts(receiver)) >= 4 else None)
        ends = [seconds(body[0]["endsAt"]) for body in told]
        assert ends == sorted(ends)
        assert ends[-1] > ends[0]
        assert all(0 < end - time.time() + 10 < 10.5 for end in ends)
        assert len({json.dumps(body[0]["labels"]) for body in told}) == 1
        assert counted(sink, "delivered") == 1, "told again is not told twice"
        sink.tell([over(one, after_s=30)], UPTO)
        last = eventually(lambda: [b for b in posts(receiver) if b[0]["annotations"].get("outcome")])
        assert seconds(last[0][0]["endsAt"]) == pytest.approx(one.started + 30, abs=0.01)
        again = len(posts(receiver))
        eventually(lambda: len(posts(receiver)) > again + 2)
        assert posts(receiver)[-1][0]["endsAt"] == last[0][0]["endsAt"]


def test_what_is_over_is_forgotten_after_a_while(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alertmanager, "RESOLVED_FOR_S", 0.3)
    with telling(receiver.url, resend_s=0.05) as sink:
        one = now_incident()
        sink.tell([one], UPTO)
        sink.tell([over(one, after_s=30)], UPTO)
        eventually(lambda: posts(receiver))
        empty = eventually(
            lambda: [b for b in receiver.seen if b.body == b"[]"] if not sink._entries else None
        )
        assert empty is not None


def test_an_outage_loses_nothing_and_is_said_once(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    url, port = receiver.url, receiver.port
    receiver.close()
    with caplog.at_level(logging.INFO, "factwatch.pager"), telling(url, resend_s=0.2) as sink:
        first, second = now_incident(1), now_incident(2)
        sink.tell([first], UPTO)
        eventually(lambda: counted(sink, "retried") > 3)
        sink.tell([over(first, after_s=30), second], UPTO)
        status = sink.status()
        assert (status.ok, status.needed) == (False, False)
        assert "nothing answers there" in status.detail
        assert sink.backlog == 2
        back = Receiver(port)
        try:
            eventually(lambda: sink.backlog == 0)
            assert sorted(set(summaries(back))) == [first.summary, second.summary]
            assert sink.status().ok
        finally:
            back.close()
    said = [record.getMessage() for record in caplog.records]
    assert sum("nothing answers" in line for line in said) == 1
    assert sum("takes incidents again" in line for line in said) == 1


def test_one_that_is_refused_holds_up_no_other_and_is_not_forgotten(receiver: Receiver) -> None:
    refused = now_incident(3)

    class Picky:
        """400 for every body that names the one."""

        def pop(self, at: int) -> tuple[int, dict[str, str], float]:
            bad = refused.alert_ids[0].encode() in receiver.seen[-1].body
            return (400 if bad else 200), {}, 0.0

        def __bool__(self) -> bool:
            return True

    receiver.answers = Picky()  # type: ignore[assignment]  # what the receiver asks of a list
    with telling(receiver.url, resend_s=0.3) as sink:
        sink.tell([now_incident(number) for number in range(1, 9)], UPTO)
        eventually(lambda: counted(sink, "given_up") == 1)
        eventually(lambda: counted(sink, "delivered") == 7)
        assert sink.backlog == 0
        assert sink.status().ok, "the others get there"
        receiver.answers = []
        eventually(lambda: counted(sink, "delivered") == 7 and refused.summary in summaries(receiver))
        before = summaries(receiver).count(refused.summary)
        eventually(lambda: summaries(receiver).count(refused.summary) > before + 1)


@pytest.mark.parametrize("status", [401, 403, 404, 301, 500, 502])
def test_a_refusal_of_the_address_is_no_alerts_fault(receiver: Receiver, status: int) -> None:
    receiver.answers = [(status, {}, 0.0)] * 3
    with telling(receiver.url) as sink:
        sink.tell([now_incident(1), now_incident(2)], UPTO)
        eventually(lambda: counted(sink, "delivered") == 2)
        assert counted(sink, "given_up") == 0


def test_no_page_waits_an_hour_because_a_proxy_says_so(receiver: Receiver) -> None:
    receiver.answers = [(503, {"Retry-After": "3600"}, 0.0)] * 2
    with telling(receiver.url) as sink:
        sink.tell([now_incident()], UPTO)
        eventually(lambda: counted(sink, "delivered") == 1)


def test_many_are_told_in_batches_pages_first(receiver: Receiver) -> None:
    with telling(receiver.url) as sink:
        tickets = [now_incident(number, severity=Severity.WARNING) for number in range(1, 101)]
        page = now_incident(999)
        sink.tell([*tickets, page], UPTO)
        eventually(lambda: counted(sink, "delivered") == 101)
        told = posts(receiver)
        assert max(map(len, told)) <= BATCH
        assert told[0][0]["annotations"]["summary"] == page.summary


def test_an_earlier_incident_of_the_same_page_ends_no_later_one(receiver: Receiver) -> None:
    earlier = now_incident(ago_s=500)
    later = now_incident(ago_s=60)
    with telling(receiver.url, resend_s=0.1) as sink:
        sink.tell([earlier, over(earlier, after_s=30), later], UPTO)
        sink.tell([over(earlier, after_s=30)], UPTO)
        eventually(lambda: len(posts(receiver)) > 3)
        assert all(seconds(body[0]["endsAt"]) > time.time() - 5 for body in posts(receiver))


def test_what_a_history_holds_is_nobodys_page(receiver: Receiver) -> None:
    with telling(receiver.url) as sink:
        sink.tell([now_incident(1, ago_s=MAX_AGE_S + 60), now_incident(2)], UPTO)
        eventually(lambda: counted(sink, "delivered") == 1)
        assert summaries(receiver) == [now_incident(2).summary]


def test_no_secret_of_the_address_is_said(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    url = f"http://user:hunter2@127.0.0.1:{receiver.port}/?token=hunter2"
    receiver.answers = [(500, {}, 0.0)] * 2
    with caplog.at_level(logging.DEBUG, "factwatch.pager"), telling(url) as sink:
        sink.tell([now_incident()], UPTO)
        eventually(lambda: counted(sink, "delivered") == 1)
        headers = {name.lower(): value for name, value in receiver.seen[0].headers.items()}
        assert headers["authorization"].startswith("Basic ")
        assert receiver.seen[0].path == "/api/v2/alerts?token=hunter2"
        said = caplog.text + sink.status().detail + sink.place
    assert "hunter2" not in said
    assert "127.0.0.1" in said


def test_told_to_stop_it_tells_what_waits_or_gives_up_in_time(receiver: Receiver) -> None:
    receiver.answers = [(200, {}, 600.0)]
    with telling(receiver.url, timeout_s=600) as sink:
        sink.tell([now_incident()], UPTO)
        eventually(lambda: receiver.seen)
        sink.stop(0.2)
        receiver.released.set()
