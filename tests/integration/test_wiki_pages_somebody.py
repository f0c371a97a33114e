"""The whole way: an edit on a real MediaWiki, posts that repeat it, a page through a real Alertmanager, and
the revert that resolves it."""

from __future__ import annotations

import http.client
import json
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.integration.alertmanager import Notified, running_alertmanager, shipped_config
from tests.integration.mediawiki import WIKI_ID, Wiki
from tests.integration.program import Program, running
from tests.integration.test_alertmanager import alerts_of
from tests.integration.test_real_wiki import TOWER, grow
from tests.web_world import eventually

TITLE = "Signal Tower"


@pytest.fixture
def told() -> Iterator[Notified]:
    receiver = Notified()
    yield receiver
    receiver.close()


def post(program: Program, number: int, text: str, ahead_s: float = 0.0) -> None:
    body = json.dumps({
        "platform": "chat", "id": str(number), "author": f"reader {number}", "text": text,
        "created": time.time() + ahead_s, "reach": 600_000, "url": f"https://chat.example/{number}",
    }).encode()  # fmt: skip
    connection = http.client.HTTPConnection(urlsplit(program.url).netloc, timeout=30)
    try:
        connection.request("POST", "/v1/posts", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        assert answer.status == 202, answer.read()
        answer.read()
    finally:
        connection.close()


def opens(url: str) -> bytes:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=30) as answer:
        assert answer.status == 200
        body: bytes = answer.read()
        return body


def test_a_vandalised_fact_that_spreads_pages_somebody_until_it_is_reverted(
    wiki: Wiki, tmp_path: Path, told: Notified
) -> None:
    editors = [wiki.create_user(name) for name in ("Gerd Falk", "Tove Lind", "Arne Moe")]
    config = shipped_config(told, tmp_path / "secrets", "webhook", "webhook")
    with running_alertmanager(tmp_path / "am", config) as server:
        settings = {
            "FACTWATCH_WIKIS": f"{WIKI_ID}={wiki.host}",
            "FACTWATCH_MEDIAWIKI_API": "http://{server_name}/api.php",
            "FACTWATCH_ALERTMANAGER_URL": server.url,
        }
        source = f"rcfeed://127.0.0.1:{wiki.rcfeed_port}"
        with running(["run", "--source", source], settings, tmp_path) as program:
            grow(wiki, TITLE, TOWER.replace("Harbour Tower", TITLE), editors)
            text = wiki.text(TITLE)
            bad = wiki.edit(TITLE, text.replace("187 metres", "9999 metres"), "", by="203.0.113.77")
            program.until(lambda alerts: of(alerts, "edit.suspect") != [])
            for number in range(1, 5):
                post(program, number, f"Did you know? The {TITLE} is 9999 metres high. http://{wiki.host}/"
                     f"index.php/{TITLE.replace(' ', '_')}")  # fmt: skip
            # Posts are counted when ten seconds of their time have passed: somebody talks of other things.
            post(program, 99, "Nice weather today.", ahead_s=15.0)

            [page] = eventually(lambda: alerts_of(told.of("/webhook"), "firing"), 90)
            assert page["labels"]["alertname"] == "FactAmplified"
            assert page["labels"]["severity"] == "critical"
            annotations = page["annotations"]
            [spread] = of(program.alerts(), "fact.amplified")
            assert annotations["alert_ids"] == spread["alert_id"]
            [held] = server.alerts()
            assert held["annotations"]["alert_ids"] == spread["alert_id"]
            assert f"diff={bad}" in annotations["diff_url"]
            assert b"9999" in opens(annotations["diff_url"])
            assert b"187" in opens(annotations["last_good_url"])
            assert b"9999" in opens(annotations["page_url"])
            assert b"<html" in opens(annotations["triage_url"])

            wiki.rollback(TITLE, "203.0.113.77")
            [over] = eventually(lambda: alerts_of(told.of("/webhook"), "resolved"), 60)
            assert over["labels"] == page["labels"]
            assert over["annotations"]["outcome"] == "corrected"
            eventually(lambda: server.alerts() == [])


def of(alerts: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [alert for alert in alerts if alert["title"] == TITLE and alert["kind"] == kind]
