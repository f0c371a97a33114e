"""The HTTP API as a client sees it, over a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from streams.records import AlertKind
from streams.sources.base import SourceStatus
from streams.web.status import Part
from tests.sample_alerts import a_day, resolved, sample_alert
from tests.web_world import WebWorld, serve


@pytest.fixture(scope="module")
def served() -> Iterator[WebWorld]:
    world = WebWorld()
    world.alerts.commit(*a_day(now=1_764_000_000.0))
    with serve(world):
        yield world


def titles(world: WebWorld, query: str) -> list[str]:
    status, _, body = world.get(f"/v1/alerts?{query}")
    assert status == 200, body
    return [alert["title"] for alert in body["alerts"]]


def test_the_list_gives_each_alert_once_in_its_newest_state(served: WebWorld) -> None:
    _, headers, body = served.get("/v1/alerts")
    assert headers["Content-Type"] == "application/json"
    assert headers["Cache-Control"] == "no-store"
    seqs = [alert["seq"] for alert in body["alerts"]]
    assert seqs == sorted(seqs, reverse=True)
    assert len(body["alerts"]) == len({alert["alert_id"] for alert in body["alerts"]}) == 8
    assert body["last_seq"] == 9
    assert body["next"] is None
    everest = next(alert for alert in body["alerts"] if alert["title"] == "Mount Everest")
    assert (everest["status"], everest["kind"]) == ("resolved", "fact.corrected")


def test_filters_join_by_and_and_take_several_values(served: WebWorld) -> None:
    assert titles(served, "wiki=arwiki") == ["جبل إيفرست"]
    assert titles(served, "kind=page.contested") == ["Treaty of Tordesillas"]
    assert titles(served, "title=Battle%20of%20Hastings&status=resolved") == ["Battle of Hastings"]
    assert titles(served, "title=Battle%20of%20Hastings&status=open") == []
    assert (
        len(titles(served, "status=open,updated"))
        == len(titles(served, "status=open&status=updated"))
        == 5
    )


def test_following_next_gives_every_alert_once(served: WebWorld) -> None:
    found, query = [], "limit=3"
    while True:
        _, _, body = served.get(f"/v1/alerts?{query}")
        found += [alert["alert_id"] for alert in body["alerts"]]
        if body["next"] is None:
            break
        query = f"limit=3&before={body['next']}"
    _, _, whole = served.get("/v1/alerts?limit=500")
    assert found == [alert["alert_id"] for alert in whole["alerts"]]


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("limit=0", "limit: '0' is no whole number from 1 to 500"),
        ("limit=501", "limit"),
        ("limit=-1", "limit"),
        ("limit=ten", "limit"),
        ("limit=%D9%A1", "limit"),
        ("before=99999999999999999999", "before"),
        ("limit=1&limit=2", "limit: given 2 times"),
        ("kind=suspect", "kind: 'suspect' is none of edit.suspect, page.contested, fact.corrected"),
        ("status=", "status"),
        ("wiki=", "wiki"),
        ("title=" + "x" * 600, "title"),
        (
            "sort=asc",
            "'sort': no parameter has this name; known here: status, kind, wiki, title, before",
        ),
        ("%0Aevil=1", r"'\nevil'"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(served: WebWorld, query: str, named: str) -> None:
    status, headers, body = served.get(f"/v1/alerts?{query}")
    assert status == 400
    assert headers["Content-Type"] == "application/problem+json"
    assert named in body["detail"]
    assert "\n" not in body["detail"]


def test_an_alert_shows_its_state_changes(served: WebWorld) -> None:
    alert = sample_alert(1)
    _, _, body = served.get(f"/v1/alerts/{alert.alert_id}")
    assert [change["status"] for change in body["changes"]] == ["open", "resolved"]
    status, headers, body = served.get("/v1/alerts/none")
    assert (status, headers["Content-Type"]) == (404, "application/problem+json")
    assert "/v1/alerts" in body["detail"]


def test_errors_of_routing_are_problems_too(served: WebWorld) -> None:
    assert served.get("/v2/alerts")[2]["status"] == 404
    status, headers, body = served.get("/v1/alerts", method="POST")
    assert (status, headers["Content-Type"]) == (405, "application/problem+json")
    assert "GET" in body["detail"]


def test_an_error_of_ours_tells_nothing_inside(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(WebWorld):
        def status(self) -> Any:
            raise RuntimeError("the key is 1234")

    with serve(Broken()) as world:
        status, headers, body = world.get("/v1/status")
    assert (status, headers["Content-Type"]) == (500, "application/problem+json")
    assert "1234" not in str(body)
    assert "the key is 1234" in caplog.text


def test_every_answer_carries_the_security_headers(served: WebWorld) -> None:
    for path in ("/", "/static/page.js", "/v1/alerts", "/v1/nothing", "/metrics"):
        _, headers, _ = served.get(path)
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "Server" not in headers


def test_the_page_names_nothing_outside_and_has_no_inline_code(served: WebWorld) -> None:
    _, _, body = served.get("/")
    page = body.decode()
    for name in ("page.js", "card.js", "comment.js", "feed.js", "words.js", "page.css", "icon.svg"):
        status, _, text = served.get(f"/static/{name}")
        assert status == 200
        page += text.decode()
    addresses = page.replace("http://www.w3.org/2000/svg", "")
    assert "http://" not in addresses
    assert "https://" not in addresses
    for forbidden in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "onclick=",
    ):
        assert forbidden not in page


@pytest.mark.parametrize("path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static//etc/passwd"])
def test_static_serves_its_folder_only(served: WebWorld, path: str) -> None:
    assert served.get(path)[0] == 404


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:80",
        "localhost.evil.example",
        "127.0.0.1.nip.io",
        "",
        "[::1]evil",
        "[::1]evil:80",
        "[::1",
        "localhost:80x",
    ],
)
def test_on_loopback_other_host_names_are_refused(served: WebWorld, host: str) -> None:
    status, _, body = served.get("/v1/alerts", {"Host": host})
    assert status == 421
    assert "Host: localhost" in body["detail"]


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:1", "127.0.0.1:8080", "[::1]:8080", "127.0.0.2"]
)
def test_loopback_names_are_answered(served: WebWorld, host: str) -> None:
    assert served.get("/v1/alerts", {"Host": host})[0] == 200


def test_metrics_in_both_text_formats(served: WebWorld) -> None:
    served.metrics.alerts.labels(AlertKind.EDIT_SUSPECT, "warning").inc(0)
    _, headers, body = served.get("/metrics")
    assert headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert b"factwatch_alerts_total{" in body
    _, headers, body = served.get("/metrics", {"Accept": "application/openmetrics-text; version=1.0.0"})
    assert headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    assert body.endswith(b"# EOF\n")


def test_readiness_tells_each_part() -> None:
    with serve(WebWorld()) as world:
        assert world.get("/healthz")[2] == {"alive": True}
        assert world.get("/readyz")[2]["ready"] is True
        world.health = {"source": Part(False, "no network: retrying in 12 s"), "store": Part(True)}
        status, _, body = world.get("/readyz")
        assert (status, body["ready"]) == (503, False)
        assert body["parts"]["source"]["detail"] == "no network: retrying in 12 s"
        world.health = {"webhook": Part(False, "answered HTTP 500", needed=False)}
        status, _, body = world.get("/readyz")
        assert (status, body["ready"], body["parts"]["webhook"]["ok"]) == (200, True, False)
        assert world.get("/healthz")[0] == 200


def test_status_tells_the_source_and_how_far_the_log_is() -> None:
    with serve(WebWorld()) as world:
        world.source = SourceStatus("retrying", "no network: retrying in 12 s")
        world.alerts.commit(sample_alert(1), resolved(sample_alert(1)))
        _, _, body = world.get("/v1/status")
        assert body["last_seq"] == 2
        assert body["source"]["state"] == "retrying"
        assert body["source"]["detail"] == "no network: retrying in 12 s"
        assert body["wikis"] == ["enwiki", "arwiki", "wikidatawiki"]
        assert world.get("/v1/status?verbose=1")[0] == 400


def test_head_has_no_body(served: WebWorld) -> None:
    for path in ("/", "/v1/alerts", "/v1/alerts/stream", "/healthz"):
        status, _, body = served.get(path, method="HEAD")
        assert (status, body) == (200, b"")
