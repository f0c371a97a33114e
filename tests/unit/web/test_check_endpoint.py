"""`POST /v1/check` over a real socket: who may ask, what may be asked, and that it stays bounded."""

from __future__ import annotations

import http.client
import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from streams.matching.answer_findings import CheckedAnswer
from streams.web.app import build_app
from streams.web.check import check_route
from streams.web.server import WebServer
from streams.web.tokens import Scope, Tokens
from tests.answer_world import FACTS, LINCOLN, checker
from tests.web_world import WebWorld, eventually

READER, INGESTER = "a-token-that-reads", "a-token-that-ingests"
BAD = f"A life. {LINCOLN.fact.after}"
CHECKER = checker()


class Asked:
    """The whole app with the endpoint in it, and what reached the checker."""

    def __init__(self, **bounds: Any) -> None:
        self.texts: list[tuple[str, str | None]] = []
        self.may_go = threading.Event()
        self.may_go.set()
        tokens = Tokens(
            {READER: frozenset({Scope.READ}), INGESTER: frozenset({Scope.INGEST, Scope.VERDICT})}
        )
        world = WebWorld()
        app = build_app(
            world.alerts,
            world.metrics.registry,
            world,
            world,
            None if bounds.pop("open_to_all", False) else tokens,
            more=[check_route(self.check, **bounds)],
        )
        self.server = WebServer(app, "127.0.0.1:0")

    def check(self, text: str, language: str | None) -> CheckedAnswer:
        self.texts.append((text, language))
        assert self.may_go.wait(10)
        return CHECKER.check(text, language)

    def post(
        self,
        body: Any,
        kind: str | None = "application/json",
        token: str | None = READER,
        headers: dict[str, str] | None = None,
        path: str = "/v1/check",
        method: str = "POST",
    ) -> tuple[int, http.client.HTTPMessage, Any]:
        sent = dict(headers or {})
        if kind is not None:
            sent["Content-Type"] = kind
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection = http.client.HTTPConnection(urlsplit(self.server.url).netloc, timeout=10)
        try:
            connection.request(method, path, raw, sent)
            answer = connection.getresponse()
            return answer.status, answer.headers, json.loads(answer.read())
        finally:
            connection.close()

    def begin(self, length: int, sent: bytes) -> socket.socket:
        """A request whose body does not come whole."""
        plain = socket.create_connection(("127.0.0.1", urlsplit(self.server.url).port or 0), timeout=10)
        plain.sendall(
            b"POST /v1/check HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
            b"Authorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s" % (READER.encode(), length, sent)
        )
        return plain


@pytest.fixture
def make() -> Iterator[Any]:
    made: list[Asked] = []

    def start(**bounds: Any) -> Asked:
        asked = Asked(**bounds)
        asked.server.start()
        made.append(asked)
        return asked

    yield start
    for asked in made:
        asked.may_go.set()
        asked.server.stop()


@pytest.fixture
def asked(make: Callable[[], Asked]) -> Asked:
    return make()


def test_each_statement_comes_with_what_is_known_of_it(asked: Asked) -> None:
    status, headers, body = asked.post({"text": BAD, "language": "en-GB"})
    assert status == 200
    assert headers["Content-Type"] == "application/json"
    assert headers["Cache-Control"] == "no-store"
    assert asked.texts == [(BAD, "en-GB")]
    assert body["quotable"] == "no"
    assert (body["hot_facts"], body["characters"], body["read_to"]) == (len(FACTS), len(BAD), len(BAD))
    plain, bad = body["statements"]
    assert (plain["text"], plain["findings"], plain["quotable"]) == ("A life.", [], "nothing-known")
    assert BAD[bad["start"] : bad["end"]] == bad["text"] == LINCOLN.fact.after
    (finding,) = bad["findings"]
    assert finding["states"] == "bad"
    assert finding["grade"] == "repeats-vandalised"
    assert finding["last_good_url"] == LINCOLN.last_good_url
    assert finding["page_url"] == LINCOLN.page_url
    assert finding["corrected_time"] is None


def test_the_text_may_come_as_it_is(asked: Asked) -> None:
    as_text = asked.post(BAD.encode(), "text/plain; charset=UTF-8")
    assert as_text[0] == 200
    assert as_text[2] == asked.post({"text": BAD})[2]
    assert asked.texts == [(BAD, None)] * 2


def test_what_nothing_is_known_of_is_not_called_true(asked: Asked) -> None:
    _, _, body = asked.post({"text": "The Eiffel Tower was opened in 1889."})
    assert body["quotable"] == "nothing-known"
    assert body["says"].endswith("This does not say that it is true.")


@pytest.mark.parametrize("token", [None, "unknown-token-here", ""])
def test_without_a_token_nobody_asks(asked: Asked, token: str | None) -> None:
    status, headers, _ = asked.post({"text": BAD}, token=token)
    assert (status, headers["WWW-Authenticate"]) == (401, 'Bearer realm="factwatch"')
    assert asked.texts == []


def test_the_token_wants_the_scope_read(asked: Asked) -> None:
    status, headers, body = asked.post({"text": BAD}, token=INGESTER)
    assert status == 403
    assert "scope `read`" in body["detail"]
    assert 'scope="read"' in headers["WWW-Authenticate"]
    assert asked.texts == []


def test_on_loopback_without_a_tokens_file_nobody_is_asked(make: Any) -> None:
    assert make(open_to_all=True).post({"text": BAD}, token=None)[0] == 200


@pytest.mark.parametrize(
    ("kind", "headers"),
    [
        ("text/html", {}),
        (None, {}),
        ("application/x-www-form-urlencoded", {}),
        ("text/plain; charset=latin-1", {}),
        ("application/json", {"Content-Encoding": "gzip"}),
    ],
)
def test_other_kinds_of_bodies_are_refused(
    asked: Asked, kind: str | None, headers: dict[str, str]
) -> None:
    status, answered, body = asked.post({"text": BAD}, kind, headers=headers)
    assert (status, answered["Content-Type"]) == (415, "application/problem+json")
    assert body["detail"].startswith("Send ")
    assert asked.texts == []


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        (b"", "application/json", "no whole JSON"),
        (b"{", "application/json", "no whole JSON"),
        (b"[]", "application/json", "the body: wants an object"),
        (b"{}", "application/json", "text: missing"),
        (b'{"text":null}', "application/json", "text: wants a string, not null"),
        (b'{"text":"a","lang":"en"}', "application/json", "lang: there is no such field"),
        (b'{"text":"a","language":""}', "application/json", "language: wants at least 1"),
        (
            b'{"text":"a","language":"' + b"x" * 36 + b'"}',
            "application/json",
            "language: wants at most 35",
        ),
        (b'{"text":"\xff"}', "application/json", "not UTF-8"),
        (b'{"text":"\\ud800"}', "application/json", ""),
        (b'{"text":' + b"[" * 100_000, "application/json", ""),
        (b'{"text":" \\n"}', "application/json", "empty"),
        (b"", "text/plain", "empty"),
        (b"a\xffb", "text/plain", "not UTF-8"),
        (b"\xed\xa0\x80", "text/plain", "not UTF-8"),
    ],
)
def test_what_is_no_text_is_refused_with_the_reason(
    asked: Asked, body: bytes, kind: str, said: str
) -> None:
    status, headers, answer = asked.post(body, kind)
    assert (status, headers["Content-Type"]) == (422, "application/problem+json")
    assert answer["detail"].startswith("Nothing was checked: ")
    assert said in answer["detail"]
    assert asked.texts == []


def test_untrusted_text_in_a_refusal_is_escaped(asked: Asked) -> None:
    _, _, answer = asked.post({"text": "a", "\u202e\x1b[2Jevil": 1})
    assert "evil" in answer["detail"]
    assert "\u202e" not in answer["detail"]
    assert "\x1b" not in answer["detail"]


def test_parameters_are_not_ignored(asked: Asked) -> None:
    assert asked.post({"text": BAD}, path="/v1/check?language=de")[0] == 400
    assert asked.texts == []


def test_it_is_posted_to(asked: Asked) -> None:
    status, headers, _ = asked.post(b"", method="GET")
    assert (status, headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize(
    "text",
    ["\x00" * 300_000, "tin\n" * 100_000, "a" * 1_000_000, "\u202e\u200b" * 100_000, f"{BAD} " * 9_000],
    ids=["NUL", "lines", "one word", "unseen", "bad"],
)
def test_a_megabyte_is_answered(asked: Asked, text: str) -> None:
    status, _, body = asked.post({"text": text})
    assert status == 200
    assert body["read_to"] < body["characters"] == len(text)
    assert body["quotable"] != "nothing-known"


def test_a_body_too_large_is_refused_while_it_comes(make: Any) -> None:
    asked = make(max_body_bytes=10_000)
    status, headers, body = asked.post({"text": "x" * 10_001})
    assert (status, headers["Connection"]) == (413, "close")
    assert "10,000 bytes" in body["detail"]
    with socket.create_connection(("127.0.0.1", urlsplit(asked.server.url).port or 0)) as plain:
        plain.settimeout(10)
        plain.sendall(
            b"POST /v1/check HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
            b"Authorization: Bearer %s\r\nTransfer-Encoding: chunked\r\n\r\n" % READER.encode()
        )
        plain.sendall(b"4e20\r\n" + b"x" * 20_000 + b"\r\n")  # no end of it
        assert plain.recv(1_000).startswith(b"HTTP/1.1 413 ")
    assert asked.texts == []
    assert asked.post(b"x" * 10_000, "text/plain")[0] == 200


def test_too_many_at_once_are_told_to_wait_and_places_come_free_again(make: Any) -> None:
    asked = make(at_once=2)
    asked.may_go.clear()
    threads = [threading.Thread(target=asked.post, args=({"text": BAD},)) for _ in range(2)]
    for thread in threads:
        thread.start()
    eventually(lambda: len(asked.texts) == 2)
    status, headers, _ = asked.post({"text": BAD})
    assert (status, headers["Retry-After"], headers["Connection"]) == (429, "1", "close")
    asked.may_go.set()
    for thread in threads:
        thread.join(10)
    for body in ({"text": BAD}, {"text": ""}, {"text": ""}, {"text": ""}, {"text": BAD}):
        assert asked.post(body)[0] in (200, 422)


def test_a_body_that_never_ends_gives_its_place_back(make: Any) -> None:
    asked = make(at_once=1, body_timeout_s=0.2)
    with asked.begin(500, b"A life") as plain:
        assert plain.recv(1_000).startswith(b"HTTP/1.1 408 ")
    assert asked.post({"text": BAD})[0] == 200


def test_a_client_that_hangs_up_within_its_body_leaves_nothing_behind(make: Any) -> None:
    asked = make(at_once=1)
    for _ in range(3):
        asked.begin(500, b"A life").close()
    until = time.monotonic() + 10
    while asked.post({"text": BAD})[0] != 200:
        assert time.monotonic() < until
        time.sleep(0.01)
    assert asked.texts == [(BAD, None)]


def test_nothing_of_a_text_or_token_is_logged(asked: Asked, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    asked.post({"text": f"xyzzy {BAD}"})
    asked.post(b"xyzzy \xff", "text/plain")
    assert "xyzzy" not in caplog.text
    assert READER not in caplog.text
