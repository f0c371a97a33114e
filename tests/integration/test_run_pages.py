"""`factwatch demo` (which is `run` on a script), as its user starts it, pages: by Alertmanager, and without."""

from __future__ import annotations

import os
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from streams.sinks.signature import HEADER, is_genuine
from tests.integration.alertmanager import Notified, running_alertmanager, shipped_config
from tests.integration.program import Program, running
from tests.web_world import eventually


@pytest.fixture
def told() -> Iterator[Notified]:
    receiver = Notified()
    yield receiver
    receiver.close()


def contested(notifications: list[dict[str, Any]]) -> dict[str, Any] | None:
    for notification in notifications:
        for alert in notification["alerts"]:
            if alert["labels"]["alertname"] == "PageContested":
                found: dict[str, Any] = alert
                return found
    return None


def checked(alert: dict[str, Any], program: Program) -> None:
    """The ids are those of the API, the links open."""
    annotations = alert["annotations"]
    ids = annotations["alert_ids"].split(",")
    history = [program.get(f"/v1/alerts/{one}") for one in ids]
    assert [states["changes"][-1]["kind"] for states in history] == ["page.contested"] * len(ids)
    assert annotations["triage_url"].startswith(f"{program.url}/")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(annotations["triage_url"], timeout=10) as page:
        assert page.status == 200
        assert b"<html" in page.read()
    assert annotations["page_url"].startswith("http://demo.example/")
    assert "Dray Dam" not in str(alert["labels"])


def test_an_incident_goes_through_alertmanager(tmp_path: Path, told: Notified) -> None:
    config = shipped_config(told, tmp_path / "secrets", "webhook", "webhook")
    with (
        running_alertmanager(tmp_path / "am", config) as server,
        running(
            ["demo", "--speed", "20"], {"FACTWATCH_ALERTMANAGER_URL": server.url}, tmp_path
        ) as program,
    ):
        alert = eventually(lambda: contested(told.of("/webhook")), 90)
        checked(alert, program)
        parts = program.get("/readyz")["parts"]
        assert parts["pager_alertmanager"]["detail"] == f"telling {server.url}"
        assert [one["fingerprint"] for one in server.alerts()] == [alert["fingerprint"]]


def test_without_alertmanager_it_is_posted_in_its_form_and_signed(
    tmp_path: Path, told: Notified
) -> None:
    key = tmp_path / "key"
    key.write_text("a key of some length\n")
    environ = {
        "FACTWATCH_PAGER_WEBHOOK_URL": f"{told.url.replace('//', '//user:hunter2@')}/hook?key=hunter2",
        "FACTWATCH_WEBHOOK_SECRET_FILE": os.fspath(key),
    }
    with running(["demo", "--speed", "20"], environ, tmp_path) as program:
        alert = eventually(lambda: contested(told.of("/hook?key=hunter2")), 90)
        checked(alert, program)
        _, headers, _ = told.requests[0]
        assert HEADER in headers
        assert program.get("/readyz")["parts"]["pager_webhook"]["ok"]
        assert "hunter2" not in str(program.get("/readyz"))
    assert "hunter2" not in program.log.read_text()
    assert is_genuine(
        b"a key of some length", headers[HEADER], told.raw[0], float(headers[HEADER][2:12])
    )
