"""One small answer over HTTP, whatever the server does."""

from __future__ import annotations

import threading

import pytest
import urllib3

from streams.errors import SourceUnavailable
from streams.sources.posts import bounded_get as module
from streams.sources.posts.bounded_get import BadAnswer, bounded_get
from streams.sources.posts.interruptible import interruptibly
from tests.unit.sources.sse_server import CHUNKED, END, SseServer, Visit, answer, chunk

HEADERS = {"User-Agent": "t", "Authorization": "Bearer secret-of-ours"}


def test_an_answer_in_chunks_and_one_in_a_piece() -> None:
    with SseServer(
        lambda visit: visit.send(CHUNKED, chunk(b"one "), chunk(b"two"), END),
        lambda visit: visit.send(answer("200 OK", body=b"three")),
    ) as server:
        assert bounded_get(server.url, HEADERS, 100) == b"one two"
        assert bounded_get(server.url, HEADERS, 100) == b"three"
    assert server.visits[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (answer("404 Not Found"), "HTTP 404"),
        (answer("302 Found", "Location: http://127.0.0.2:1/"), "HTTP 302"),
        (answer("200 OK", body=b"x" * 101), "more than 100 bytes"),
        (CHUNKED + chunk(b"half"), ""),
        (CHUNKED + b"no size\r\n", ""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort", ""),
        (b"not http at all\r\n\r\n", ""),
        (b"", ""),
    ],
)
def test_what_is_no_answer_says_why_and_never_what_was_sent(sent: bytes, said: str) -> None:
    with (
        SseServer(lambda visit: visit.send(sent)) as server,
        pytest.raises(SourceUnavailable) as caught,
    ):
        bounded_get(server.url, HEADERS, 100)
    assert said in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_how_long_to_wait_is_handed_on() -> None:
    refusal = answer("429 Too Many Requests", "Retry-After: 17")
    with SseServer(lambda visit: visit.send(refusal)) as server, pytest.raises(BadAnswer) as caught:
        bounded_get(server.url, HEADERS, 100)
    assert (caught.value.status, caught.value.retry_after_s) == (429, 17.0)


def test_an_answer_that_drips_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WHOLE_TIMEOUT_S", 0.3)

    def drip(visit: Visit) -> None:
        visit.send(CHUNKED)
        while not visit.server.over.wait(0.02):
            visit.send(chunk(b"x"))

    with SseServer(drip) as server, pytest.raises(SourceUnavailable, match=r"within 0\.3 s"):
        bounded_get(server.url, HEADERS, 1 << 20)


def test_a_connection_that_is_kept_serves_the_next_call() -> None:
    def twice(visit: Visit) -> None:
        for body in (b"one", b"two"):
            visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n" + body)
            visit.connection.recv(65_536)

    with SseServer(twice) as server, urllib3.PoolManager(retries=False) as kept:
        assert [bounded_get(server.url, HEADERS, 100, kept) for _ in range(2)] == [b"one", b"two"]
        assert len(server.visits) == 1


def test_a_blocking_call_is_left_behind_and_its_late_result_let_go() -> None:
    closing, may_end, discarded = threading.Event(), threading.Event(), threading.Event()

    def call() -> str:
        may_end.wait()
        return "late"

    threading.Timer(0.1, closing.set).start()
    assert interruptibly(call, closing, lambda result: discarded.set()) is None
    may_end.set()
    assert discarded.wait(30)


def test_a_call_gives_its_result_or_its_failure() -> None:
    def fail() -> str:
        raise SourceUnavailable("not now", 5.0)

    assert interruptibly(lambda: "result", threading.Event()) == "result"
    with pytest.raises(SourceUnavailable, match="not now") as caught:
        interruptibly(fail, threading.Event())
    assert caught.value.retry_after_s == 5.0
