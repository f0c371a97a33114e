"""`factwatch run` and `demo` as their user starts them."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from streams.demo.server import DemoServer
from tests.integration.ports import free_port
from tests.integration.program import Program, running


def until(program: Program, wanted: Callable[[str], bool], within_s: float) -> str:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        text = program.log.read_text()
        if wanted(text):
            return text
        time.sleep(0.05)  # between two looks
    raise TimeoutError(program.log.read_text())


def settings_of(url: str) -> dict[str, str]:
    return {
        "FACTWATCH_EVENTSTREAMS_URL": f"{url}/v2/stream/mediawiki.recentchange",
        "FACTWATCH_MEDIAWIKI_API": f"{url}/{{server_name}}/w/api.php",
        "FACTWATCH_WIKIS": "demowiki=demo.example",
    }


def test_without_a_network_it_says_so_keeps_trying_and_names_the_demo(tmp_path: Path) -> None:
    environ = {"FACTWATCH_EVENTSTREAMS_URL": f"http://127.0.0.1:{free_port()}/v2/stream/recentchange"}
    with running(["run"], environ, tmp_path) as program:
        text = until(program, lambda text: "make demo" in text, within_s=60)
        assert "can't be reached" in text
        assert program.process.poll() is None
        # Between two tries; while one is made it is connecting.
        until(program, lambda _: program.get("/v1/status")["source"]["state"] == "retrying", within_s=60)
        with pytest.raises(Exception, match="503"):
            program.get("/readyz")


def test_the_demo_alerts_corrects_and_shows_a_dispute(tmp_path: Path) -> None:
    with running(["demo", "--speed", "20"], {}, tmp_path) as program:
        alerts = program.until(
            lambda alerts: (
                {"edit.suspect", "fact.corrected", "page.contested"}
                <= {alert["kind"] for alert in alerts}
            ),
            within_s=60,
        )
        assert program.get("/readyz")["ready"]
    suspects = [alert for alert in alerts if alert["kind"] == "edit.suspect"]
    assert any(alert["fact_changes"] for alert in suspects)
    corrected = next(alert for alert in alerts if alert["kind"] == "fact.corrected")
    assert set(corrected["related"]) <= {alert["alert_id"] for alert in suspects}


def test_it_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    with DemoServer(speed=20) as server:
        with running(["run"], settings_of(server.url), tmp_path) as program:
            first = program.until_processed(10)
            program.process.send_signal(signal.SIGTERM)
            assert program.process.wait(timeout=40) == 0
            assert "stopping" in program.log.read_text()
        with running(["run"], settings_of(server.url), tmp_path) as program:
            second = program.until_processed(sum(first.values()) + 5)
        assert second["processed"] > first["processed"]


def test_alerts_come_as_json_lines_with_their_place_in_the_log(tmp_path: Path) -> None:
    with running(["demo", "--speed", "20", "--json"], {}, tmp_path) as program:
        text = until(program, lambda text: '"seq":1,' in text, within_s=60)
    assert re.search(r'^\{"seq":1,.*"alert_id":"[0-9a-f]{32}"', text, re.MULTILINE)
