"""`POST /v1/alerts/{alert_id}/verdict` over a real socket: who may judge, and what is kept."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from streams.records import Verdict
from streams.store.verdicts import GivenVerdict
from streams.web.app import build_app
from streams.web.server import WebServer
from streams.web.tokens import Scope, Tokens
from streams.web.verdicts import verdict_route
from tests.web_world import WebWorld

READER, JUDGE = "a-token-that-reads", "a-token-that-judges"
GOOD = {"verdict": "damaging", "verdict_id": "v1"}


class Court:
    def __init__(self) -> None:
        self.kept: list[GivenVerdict] = []
        self.edits = 1
        world = WebWorld()
        tokens = Tokens({READER: frozenset({Scope.READ}), JUDGE: frozenset({Scope.VERDICT})})
        route = verdict_route(self.keep, tokens, lambda: 7.0)
        self.server = WebServer(
            build_app(world.alerts, world.metrics.registry, world, world, tokens, more=[route]),
            "127.0.0.1:0",
        )

    def keep(self, given: GivenVerdict) -> int:
        self.kept.append(given)
        return self.edits

    def post(
        self, body: Any, token: str | None = JUDGE, kind: str = "application/json", method: str = "POST"
    ) -> tuple[int, Any]:
        headers = {"Content-Type": kind} | ({"Authorization": f"Bearer {token}"} if token else {})
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection = http.client.HTTPConnection(urlsplit(self.server.url).netloc, timeout=10)
        try:
            connection.request(method, "/v1/alerts/a%201/verdict", raw, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()


@pytest.fixture
def court() -> Iterator[Court]:
    court = Court()
    court.server.start()
    yield court
    court.server.stop()


def test_a_verdict_is_kept_as_it_was_given(court: Court) -> None:
    status, body = court.post(GOOD | {"rev_id": 5, "given_by": "Ann", "note": "<b>"})
    assert (status, body) == (200, {"edits": 1})
    assert court.kept == [GivenVerdict("v1", "a 1", Verdict.DAMAGING, 5, "Ann", 7.0, "<b>")]


def test_an_alert_without_such_an_edit_is_not_found(court: Court) -> None:
    court.edits = 0
    status, body = court.post(GOOD)
    assert status == 404
    assert "edit.suspect" in body["detail"]


@pytest.mark.parametrize(("token", "status"), [(None, 401), ("an-unknown-token-1", 401), (READER, 403)])
def test_only_who_may_judge_may(court: Court, token: str | None, status: int) -> None:
    found, body = court.post(GOOD, token)
    assert found == status
    assert court.kept == []
    if status == 403:
        assert "verdict" in body["detail"]


def test_the_scope_to_judge_reads_nothing(court: Court) -> None:
    assert court.post(b"", method="GET")[0] == 403


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"\xff", b"[" * 10_000,
        {"verdict": "damaging"},
        {"verdict": "guilty", "verdict_id": "v"},
        {"verdict": "good", "verdict_id": ""},
        {"verdict": "good", "verdict_id": "v" * 201},
        {"verdict": "good", "verdict_id": "v", "rev_id": 0},
        {"verdict": "good", "verdict_id": "v", "note": "x" * 2_001},
        {"verdict": "good", "verdict_id": "v", "note": "a\0b"},
        {"verdict": "good", "verdict_id": "v\0"},
        {"verdict": "good", "verdict_id": "v", "given_by": "\0"},
        b'{"verdict": "good", "verdict_id": "\\ud800 "}',
        {"verdict": "good", "verdict_id": "v", "other": 1},
    ],
)  # fmt: skip
def test_what_is_no_verdict_is_told_and_not_kept(court: Court, body: Any) -> None:
    assert court.post(body)[0] == 422
    assert court.kept == []


def test_a_form_of_another_page_is_not_taken(court: Court) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        assert court.post(GOOD, kind=kind)[0] == 415
    assert court.post(b"x" * 20_000)[0] == 413
    assert court.kept == []
