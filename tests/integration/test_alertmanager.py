"""Incidents through a real Alertmanager to who is told: webhook, PagerDuty, Slack."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from streams.incidents import Incident
from streams.sinks.incident_alert import PostableAlert, fingerprint, postable
from tests.integration.alertmanager import (
    AlertmanagerServer,
    Notified,
    running_alertmanager,
    shipped_config,
)
from tests.pager_world import PUBLIC_URL, PagerWorld, amplified, contested, ended
from tests.sample_alerts import HOSTILE_TITLE
from tests.web_world import eventually

NAMES = ("FactAmplified", "PerformerBurst", "PageContested")


@pytest.fixture
def told() -> Iterator[Notified]:
    receiver = Notified()
    yield receiver
    receiver.close()


@contextmanager
def world(
    directory: Path, told: Notified, pages: str = "webhook", tickets: str = "webhook", **sink: Any
) -> Iterator[tuple[PagerWorld, AlertmanagerServer]]:
    """A pager that tells a real Alertmanager, which tells `told`."""
    config = shipped_config(told, directory / "secrets", pages, tickets)
    with running_alertmanager(directory / "alertmanager", config) as server:
        one = PagerWorld()
        with one.running([one.sink(server.url, **sink)]):
            yield one, server


def until(server: AlertmanagerServer, wanted: Callable[[], Any], within_s: float = 30) -> Any:
    try:
        return eventually(wanted, within_s)
    except AssertionError:
        raise AssertionError(server.log.read_text()[-3_000:]) from None


def alerts_of(notifications: list[dict[str, Any]], status: str) -> list[dict[str, Any]]:
    return [
        alert
        for notification in notifications
        for alert in notification["alerts"]
        if alert["status"] == status
    ]


def ours(server: AlertmanagerServer) -> list[dict[str, Any]]:
    return [alert for alert in server.alerts() if alert["labels"]["alertname"] in NAMES]


def test_an_incident_is_told_grouped_with_its_links_and_resolved_when_it_is_over(
    tmp_path: Path, told: Notified
) -> None:
    now = time.time()
    with world(tmp_path, told) as (pager, server):
        alert = amplified(1, now - 60, title="Mount Everest")
        pager.alerts.commit(alert)
        first = until(server, lambda: told.of("/webhook"))[0]
        assert (first["version"], first["status"], first["receiver"]) == ("4", "firing", "webhook")
        labels = first["groupLabels"]
        assert (labels["alertname"], labels["wiki"]) == ("FactAmplified", "enwiki")
        [fired] = first["alerts"]
        assert set(fired["labels"]) == {
            "alertname", "service", "kind", "wiki", "page_key", "severity",
        }  # fmt: skip
        assert "Everest" not in str(fired["labels"]), "a title is no label"
        assert fired["fingerprint"] == fingerprint(fired["labels"])
        annotations = fired["annotations"]
        assert annotations["page_url"] == alert.page_url
        assert annotations["last_good_url"] == alert.last_good_url
        assert annotations["triage_url"] == f"{PUBLIC_URL}/#alert={alert.alert_id}"
        assert fired["generatorURL"] == annotations["triage_url"]
        # The same id in the log of alerts, in Alertmanager, and in what is received.
        [stored] = pager.alerts.history(alert.alert_id)
        [held] = ours(server)
        ids = [stored.alert.alert_id, held["annotations"]["alert_ids"], annotations["alert_ids"]]
        assert ids == [alert.alert_id] * 3

        pager.alerts.commit(ended(alert))
        [over] = until(server, lambda: alerts_of(told.of("/webhook"), "resolved"))
        assert over["labels"] == fired["labels"]
        assert over["annotations"]["alert_ids"] == alert.alert_id
        assert over["annotations"]["outcome"]
        assert over["endsAt"] >= over["startsAt"]
        until(server, lambda: ours(server) == [])
        until(server, lambda: pager.value("factwatch_pager_backlog_incidents") == 0)


def test_a_pager_receives_key_dedup_key_and_alert_ids(tmp_path: Path, told: Notified) -> None:
    with world(tmp_path, told, pages="pagerduty") as (pager, server):
        first, second = amplified(1, time.time() - 60), amplified(2, time.time() - 60)
        pager.alerts.commit(first, second)
        until(server, lambda: len(told.of("/pagerduty")) == 2)
        pages = told.of("/pagerduty")
        for page in pages:
            assert page["routing_key"] == "R0UT1NGKEY0123456789012345678901"
            assert page["event_action"] == "trigger"
            assert page["payload"]["severity"] == "critical"
            assert page["payload"]["custom_details"]["triage_url"].strip().startswith(PUBLIC_URL)
            assert page["links"][0]["href"].endswith("/docs/runbooks/FactAmplified.md")
        named = {page["payload"]["custom_details"]["alert_ids"].rstrip(", ") for page in pages}
        assert named == {first.alert_id, second.alert_id}
        keys = {page["dedup_key"] for page in pages}
        assert len(keys) == 2, "the second fact wakes somebody too"

        pager.alerts.commit(ended(first), ended(second))
        until(server, lambda: len(told.of("/pagerduty")) == 4)
        resolving = told.of("/pagerduty")[2:]
        assert {event["event_action"] for event in resolving} == {"resolve"}
        assert {event["dedup_key"] for event in resolving} == keys


def test_what_strangers_wrote_reaches_a_pager_as_text(tmp_path: Path, told: Notified) -> None:
    hostile = '{"a": "{{ .ExternalURL }}{{nonsense}}"}: - [x] # {{cite web|y}} !!map @'
    with world(tmp_path, told, pages="pagerduty") as (pager, server):
        pager.alerts.commit(amplified(1, time.time() - 60, summary=hostile))
        [page] = until(server, lambda: told.of("/pagerduty"))
        assert page["payload"]["summary"] == hostile.replace("{{", "{ {")
        details = page["payload"]["custom_details"]
        assert all(isinstance(value, str | int) for value in details.values())
        assert details["description"].strip().startswith("40 posts by 30 authors")


def test_what_strangers_wrote_is_escaped_for_slack(tmp_path: Path, told: Notified) -> None:
    hostile = f"<!channel> <https://evil.example|click> & {HOSTILE_TITLE}"
    with world(tmp_path, told, pages="slack") as (pager, server):
        pager.alerts.commit(amplified(1, time.time() - 60, summary=hostile, page_url="javascript:x"))
        body = str(until(server, lambda: told.of("/slack"))[0])
        assert "&lt;!channel&gt; &lt;https://evil.example|click&gt; &amp;" in body
        assert "<!channel" not in body
        assert "<script>" not in body
        assert "javascript:" not in body
        assert "|what to do>" in body


def test_a_storm_of_contested_pages_is_a_handful_of_notifications(
    tmp_path: Path, told: Notified
) -> None:
    now = time.time()
    with world(tmp_path, told, pages="pagerduty", tickets="webhook") as (pager, server):
        for number in range(1, 1_001):
            pager.alerts.commit(contested(number, now - 2_000 + number))
        until(server, lambda: len(ours(server)) == 1_000)
        severities = Counter(alert["labels"]["severity"] for alert in ours(server))
        pages, tickets = severities["critical"], severities["warning"]
        assert 1 <= pages <= 5
        until(server, lambda: in_the_newest(told.of("/webhook")) == tickets)
        until(server, lambda: len(told.of("/pagerduty")) == pages)
        delivered = pager.value(
            "factwatch_pager_deliveries_total", receiver="alertmanager", outcome="delivered"
        )
        assert delivered == 1_000
        held_back = pager.value("factwatch_incidents_held_back_total", kind="page.contested")
        assert held_back == tickets
    assert len(told.requests) <= 10


def in_the_newest(notifications: list[dict[str, Any]]) -> int:
    """Alerts, those counted that it does not show."""
    return sum(len(one["alerts"]) + one["truncatedAlerts"] for one in notifications[-1:])


def test_a_broken_pipeline_silences_what_was_found_before(tmp_path: Path, told: Notified) -> None:
    broken = {
        "labels": {
            "alertname": "StreamSilent", "service": "factwatch",
            "severity": "critical", "component": "pipeline",
        },
        "annotations": {"summary": "nothing comes in"},
    }  # fmt: skip
    with world(tmp_path, told) as (pager, server):
        server.post(broken)
        until(server, lambda: alerts_of(told.of("/webhook"), "firing"))
        pager.alerts.commit(amplified(1, time.time() - 60))
        [held] = until(server, lambda: ours(server))
        until(server, lambda: ours(server)[0]["status"]["state"] == "suppressed")
        assert held["status"]["inhibitedBy"] or ours(server)[0]["status"]["inhibitedBy"]
        # Something else of the same route goes out meanwhile: it was not just too early to look.
        other = {
            "labels": {"alertname": "ArchiveStalled", "severity": "critical", "component": "storage"}
        }
        server.post(other)
        until(server, lambda: len(alerts_of(told.of("/webhook"), "firing")) == 2)
        names = [alert["labels"]["alertname"] for alert in alerts_of(told.of("/webhook"), "firing")]
        assert sorted(names) == ["ArchiveStalled", "StreamSilent"]


def test_that_a_fact_spreads_silences_that_its_page_is_contested(tmp_path: Path, told: Notified) -> None:
    now = time.time()
    with world(tmp_path, told) as (pager, server):
        pager.alerts.commit(amplified(1, now - 60))
        until(server, lambda: alerts_of(told.of("/webhook"), "firing"))
        pager.alerts.commit(
            contested(1001, now - 50, title="Page 1"), contested(1002, now - 50, title="Page 2")
        )
        until(server, lambda: len(alerts_of(told.of("/webhook"), "firing")) == 2)
        until(server, lambda: len(ours(server)) == 3)
        states = {
            (alert["labels"]["alertname"], alert["annotations"]["alert_ids"]): alert["status"]["state"]
            for alert in ours(server)
        }
        assert states == {
            ("FactAmplified", f"{1:032x}"): "active",
            ("PageContested", f"{1001:032x}"): "suppressed",
            ("PageContested", f"{1002:032x}"): "active",
        }


def test_alertmanager_killed_knows_everything_again_and_resolves_it(
    tmp_path: Path, told: Notified
) -> None:
    now = time.time()
    with world(tmp_path, told, resend_s=0.5) as (pager, server):
        first = amplified(1, now - 60)
        pager.alerts.commit(first)
        until(server, lambda: alerts_of(told.of("/webhook"), "firing"))
        server.kill()
        second, third = amplified(2, now - 50), contested(3, now - 50)
        pager.alerts.commit(second, third, ended(third, after_s=20))
        until(server, lambda: pager.value(
            "factwatch_pager_deliveries_total", receiver="alertmanager", outcome="retried") > 0)  # fmt: skip
        server.start()
        until(server, lambda: len(ours(server)) == 2)
        until(server, lambda: f"{2:032x}" in str(alerts_of(told.of("/webhook"), "firing")))
        pager.alerts.commit(ended(first), ended(second))
        until(server, lambda: f"{2:032x}" in str(alerts_of(told.of("/webhook"), "resolved")))
        until(server, lambda: ours(server) == [])
        assert f"{3:032x}" not in str(told.requests), "it was over before anybody could be told"


def test_a_pager_that_starts_anew_tells_what_is_open_and_what_has_just_ended(
    tmp_path: Path, told: Notified
) -> None:
    now = time.time()
    config = shipped_config(told, tmp_path / "secrets", "webhook", "webhook")
    with running_alertmanager(tmp_path / "alertmanager", config) as server:
        pager = PagerWorld()
        first, second = amplified(1, now - 60), amplified(2, now - 60)
        old = amplified(3, now - 8 * 86_400)
        pager.alerts.commit(old, first, second)
        with pager.running([pager.sink(server.url)]):
            until(server, lambda: len(ours(server)) == 2)
        pager.alerts.commit(ended(first))  # while nobody pages
        with pager.running([pager.sink(server.url)]):
            until(server, lambda: len(ours(server)) == 1)
        [left] = ours(server)
        assert left["annotations"]["alert_ids"] == second.alert_id
        assert f"{3:032x}" not in str(told.requests), "of a history: nobody's page now"


def test_who_dies_for_good_leaves_nothing_firing(tmp_path: Path, told: Notified) -> None:
    config = shipped_config(told, tmp_path / "secrets", "webhook", "webhook")
    with running_alertmanager(tmp_path / "alertmanager", config) as server:
        pager = PagerWorld()
        with pager.running([pager.sink(server.url, resend_s=0.3)]):
            pager.alerts.commit(amplified(1, time.time() - 60))
            [first] = until(server, lambda: ours(server))
            # What was told first would be over by now.
            ends = datetime.fromisoformat(first["endsAt"]).timestamp()
            until(server, lambda: time.time() > ends + 1 and ours(server))
            assert alerts_of(told.of("/webhook"), "resolved") == []
        until(server, lambda: alerts_of(told.of("/webhook"), "resolved"))
        assert ours(server) == []


def test_one_alert_that_alertmanager_refuses_holds_up_no_other(
    tmp_path: Path, told: Notified, monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_a_flaw(one: Incident, *arguments: Any) -> PostableAlert:
        made = postable(one, *arguments)
        bad = one.alert_ids[-1] == f"{7:032x}"
        return msgspec.structs.replace(made, labels={} if bad else made.labels)

    monkeypatch.setattr("streams.sinks.alertmanager.postable", with_a_flaw)
    now = time.time()
    with world(tmp_path, told) as (pager, server):
        pager.alerts.commit(*(contested(number, now - 60) for number in range(1, 21)))
        until(server, lambda: len(ours(server)) == 19)
        until(server, lambda: pager.value(
            "factwatch_pager_deliveries_total", receiver="alertmanager", outcome="given_up") == 1)  # fmt: skip
        assert pager.value(
            "factwatch_pager_deliveries_total", receiver="alertmanager", outcome="delivered"
        ) == 19  # fmt: skip
        pager.alerts.commit(contested(21, now - 60))
        until(server, lambda: len(ours(server)) == 20)


def test_every_one_of_a_cluster_is_told_and_one_that_is_down_holds_up_nobody(
    tmp_path: Path, told: Notified
) -> None:
    config = shipped_config(told, tmp_path / "secrets", "nobody", "nobody")
    up = AlertmanagerServer(tmp_path / "up", config)
    down = AlertmanagerServer(tmp_path / "down", config)
    up.start()
    pager = PagerWorld()
    try:
        with pager.running([pager.sink(up.url), pager.sink(down.url)]) as running:
            pager.alerts.commit(amplified(1, time.time() - 60))
            until(up, lambda: ours(up))
            eventually(lambda: pager.value("factwatch_pager_backlog_incidents") == 0)
            eventually(lambda: not running.parts()["pager_alertmanager_2"].ok)
            assert running.parts()["pager_alertmanager_1"].ok
            assert all(part.ok or not part.needed for part in running.parts().values())
            down.start()
            until(down, lambda: ours(down))
            eventually(lambda: running.parts()["pager_alertmanager_2"].ok)
    finally:
        up.stop()
        down.stop()


def test_with_nothing_open_alertmanager_is_asked_whether_it_is_there(
    tmp_path: Path, told: Notified
) -> None:
    with world(tmp_path, told, resend_s=0.1) as (pager, _):
        name = "factwatch_pager_last_delivery_timestamp_seconds"
        eventually(lambda: pager.value(name) > 0)
        first = pager.value(name)
        eventually(lambda: pager.value(name) > first)
