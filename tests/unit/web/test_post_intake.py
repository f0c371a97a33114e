"""`POST /v1/posts` over a real socket: all of a body is taken and durable, or nothing of it."""

from __future__ import annotations

import asyncio
import http.client
import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.applications import Starlette

from streams.posts import Post, PostsGone
from streams.stages.posts.authors import Authors
from streams.stages.posts.normalize import PostNormalizer
from streams.web.post_intake import PostIntake, QueueFull
from streams.web.server import WebServer
from streams.web.tokens import Scope, Tokens

INGESTER, READER = "a-token-that-ingests", "a-token-that-reads"
NOW = 1_790_000_000.0
AUTHORS = Authors(b"k" * 32)
POST = {"platform": "forum", "id": "1", "text": "The Holy Grail was made of tin."}


class Intake:
    """The endpoint alone in an app, and what it handed on."""

    def __init__(self, **bounds: Any) -> None:
        self.taken: list[Post | PostsGone] = []
        self.durable = threading.Event()
        self.durable.set()
        self.full: float | None = None
        self.waiting = 0
        tokens = Tokens(
            {INGESTER: frozenset({Scope.INGEST}), READER: frozenset({Scope.READ, Scope.ADMIN})}
        )
        tokens_given = None if bounds.pop("open_to_all", False) else tokens
        intake = PostIntake(PostNormalizer(AUTHORS), self.accept, tokens_given, lambda: NOW, **bounds)
        app = Starlette(routes=[intake.route()])
        app.state.feed = self
        app.state.open_to_all = tokens_given is None
        self.server = WebServer(app, "127.0.0.1:0")

    def close(self) -> None: ...

    async def accept(self, records: Sequence[Post | PostsGone]) -> None:
        if self.full is not None:
            raise QueueFull(self.full)
        self.waiting += 1
        while not self.durable.is_set():
            await asyncio.sleep(0.01)
        self.taken += records

    def post(
        self,
        body: Any,
        kind: str | None = "application/json",
        token: str | None = INGESTER,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, http.client.HTTPMessage, Any]:
        sent = dict(headers or {})
        if kind is not None:
            sent["Content-Type"] = kind
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection = http.client.HTTPConnection(urlsplit(self.server.url).netloc, timeout=10)
        try:
            connection.request("POST", "/v1/posts", raw, sent)
            answer = connection.getresponse()
            return answer.status, answer.headers, json.loads(answer.read())
        finally:
            connection.close()

    def lines(self, *posts: Any, token: str = INGESTER) -> tuple[int, http.client.HTTPMessage, Any]:
        raw = b"\n".join(
            post if isinstance(post, bytes) else json.dumps(post).encode() for post in posts
        )
        return self.post(raw, "application/x-ndjson", token)


@pytest.fixture
def make() -> Iterator[Any]:
    made: list[Intake] = []

    def start(**bounds: Any) -> Intake:
        intake = Intake(**bounds)
        intake.server.start()
        made.append(intake)
        return intake

    yield start
    for intake in made:
        intake.durable.set()
        intake.server.stop()


@pytest.fixture
def intake(make: Callable[[], Intake]) -> Intake:
    return make()


def test_one_post_is_taken_with_all_that_was_told(intake: Intake) -> None:
    told = {
        **POST,
        "author": "somebody",
        "created": "2026-09-21T14:13:20Z",
        "language": "en",
        "links": ["https://en.wikipedia.org/wiki/Holy_Grail", "javascript:alert(1)"],
        "reply_to": 17,
        "reach": 41,
        "url": "https://forum.example/1",
    }
    status, headers, body = intake.post(told)
    assert (status, body) == (202, {"accepted": 1})
    assert headers["Content-Type"] == "application/json"
    assert intake.taken == [
        Post(
            platform="forum",
            post_id="1",
            author=AUTHORS("forum", "somebody"),
            text="The Holy Grail was made of tin.",
            event_time=1_790_000_000.0,
            arrival_time=NOW,
            language="en",
            links=("https://en.wikipedia.org/wiki/Holy_Grail",),
            reply_to="17",
            reach=41,
            url="https://forum.example/1",
        )
    ]
    assert "somebody" not in str(intake.taken[0].author)


def test_several_posts_come_one_a_line(intake: Intake) -> None:
    status, _, body = intake.lines(POST, b"", {**POST, "id": "2"}, b"\r", {**POST, "id": 3})
    assert (status, body) == (202, {"accepted": 3})
    assert [record.post_id for record in intake.taken] == ["1", "2", "3"]


def test_an_answer_comes_only_when_the_posts_are_durable(intake: Intake) -> None:
    intake.durable.clear()
    answers: list[int] = []
    thread = threading.Thread(target=lambda: answers.append(intake.post(POST)[0]))
    thread.start()
    thread.join(0.3)
    assert answers == []
    intake.durable.set()
    thread.join(10)
    assert answers == [202]


def test_sent_again_it_is_the_same_post_and_of_one_body_the_last_word_counts(intake: Intake) -> None:
    intake.post(POST)
    intake.post(POST)
    assert intake.taken[0] == intake.taken[1]
    intake.taken.clear()
    status, _, body = intake.lines(
        POST, {"platform": "forum", "id": "2", "text": "x"}, {"platform": "forum", "id": "2", "deleted": True}, {**POST, "text": "no, of gold"}
    )  # fmt: skip
    assert (status, body["accepted"]) == (202, 2)
    gone, edited = intake.taken
    assert isinstance(edited, Post)
    assert edited.text == "no, of gold"
    assert isinstance(gone, PostsGone)
    assert gone.post_id == "2"


def test_an_account_goes_by_its_author(intake: Intake) -> None:
    assert intake.post({"platform": "forum", "author": "somebody", "deleted": True})[0] == 202
    (gone,) = intake.taken
    assert (gone.author, gone.event_time) == (AUTHORS("forum", "somebody"), NOW)


def test_one_bad_line_and_nothing_is_taken(intake: Intake) -> None:
    status, headers, body = intake.lines(POST, b"", {**POST, "id": "", "text": "x"}, b"{", POST)
    assert status == 422
    assert headers["Content-Type"] == "application/problem+json"
    assert [(error["line"], error["reason"]) for error in body["errors"]] == [
        (3, "schema"),
        (4, "not_json"),
    ]
    assert body["detail"].startswith("Nothing was taken. Line 3: schema: id:")
    assert intake.taken == []


@pytest.mark.parametrize(
    ("body", "reason", "said"),
    [
        (b"", "not_json", ""),
        (b"[]", "schema", "the body: wants an object"),
        (b'[{"platform":"x"}]', "schema", "the body: wants an object, not a list"),
        (b"null", "schema", ""),
        (b'{"platform":"forum","id":"1","text":"\xff"}', "invalid_utf8", ""),
        (b'{"platform":"forum","id":"1","text":"a","links":' + b"[" * 9_999, "schema", "links"),
        ({**POST, "platform": "Forum!"}, "schema", "platform"),
        ({"platform": "forum", "text": "x"}, "schema", "id: missing"),
        ({"platform": "forum", "id": "1"}, "schema", "text: missing"),
        ({**POST, "id": "a b"}, "schema", "id"),
        ({**POST, "id": "x" * 513}, "schema", "id"),
        ({**POST, "id": 1.5}, "schema", "id: wants a whole number, a string or null"),
        ({**POST, "created": "yesterday"}, "bad_time", "created"),
        ({**POST, "created": 1_790_000_000_000}, "bad_time", "created"),
        ({**POST, "created": -1}, "bad_time", "created"),
        (
            {**POST, "reply_too": "1"},
            "schema",
            "reply_too: there is no such field; there are platform, id,",
        ),
        ({**POST, "text": " \n"}, "no_text", "nothing to compare"),
        ({**POST, "author": "x" * 513}, "schema", "author"),
        ({"platform": "forum", "id": "1", "author": "a", "deleted": True}, "schema", "either"),
        ({"platform": "forum", "deleted": True}, "schema", "either"),
        ({"did": "did:plc:x", "time_us": 1, "kind": "commit"}, "schema", ""),
    ],
)
def test_what_cannot_be_taken_is_refused_with_its_reason(
    intake: Intake, body: Any, reason: str, said: str
) -> None:
    status, _, answer = intake.post(body)
    assert status == 422
    assert answer["errors"][0]["reason"] == reason
    assert said in answer["errors"][0]["message"]
    assert intake.taken == []


def test_untrusted_text_in_an_answer_is_escaped(intake: Intake) -> None:
    _, _, answer = intake.post({**POST, "\u202e\x1b[2Jevil": 1})
    assert "\u202e" not in answer["detail"]
    assert "\x1b" not in answer["detail"]


def test_a_megabyte_of_text_is_taken_and_cut(intake: Intake) -> None:
    assert intake.post({**POST, "text": "tin " * 260_000})[0] == 202
    (post,) = intake.taken
    assert isinstance(post, Post)
    assert len(post.text) == 19_999  # of 20,000 the last is a space


def test_a_post_from_the_future_is_one_of_now(intake: Intake) -> None:
    intake.lines({**POST, "created": NOW + 61}, {**POST, "id": "2", "created": NOW + 59})
    assert [record.event_time for record in intake.taken] == [NOW, NOW + 59]


@pytest.mark.parametrize("token", [None, "unknown-token-here", ""])
def test_without_a_token_nobody_gets_in(intake: Intake, token: str | None) -> None:
    status, headers, _ = intake.post(POST, token=token)
    assert (status, headers["WWW-Authenticate"]) == (401, 'Bearer realm="factwatch"')
    assert intake.taken == []


def test_a_token_that_reads_does_not_write(intake: Intake) -> None:
    status, headers, body = intake.post(POST, token=READER)
    assert status == 403
    assert "scope `ingest`" in body["detail"]
    assert 'scope="ingest"' in headers["WWW-Authenticate"]
    assert intake.taken == []


def test_a_token_is_in_no_answer_and_no_log(intake: Intake, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for token in (INGESTER, "wrong-token-altogether"):
        _, headers, body = intake.post(b"{", token=token)
        assert token not in f"{headers}{body}{caplog.text}"


def test_on_loopback_without_a_tokens_file_nobody_is_asked(make: Any) -> None:
    assert make(open_to_all=True).post(POST, token=None)[0] == 202


@pytest.mark.parametrize(
    ("kind", "headers"),
    [
        ("text/plain", {}),
        (None, {}),
        ("application/x-www-form-urlencoded", {}),
        ("application/json; charset=latin-1", {}),
        ("application/json", {"Content-Encoding": "gzip"}),
    ],
)
def test_other_kinds_of_bodies_are_refused(
    intake: Intake, kind: str | None, headers: dict[str, str]
) -> None:
    assert intake.post(POST, kind, headers=headers)[0] == 415
    assert intake.taken == []


def test_a_kind_with_its_charset_is_fine(intake: Intake) -> None:
    assert intake.post(POST, 'Application/JSON; charset="UTF-8"')[0] == 202


def test_a_body_too_large_is_refused_while_it_comes(make: Any) -> None:
    intake = make(max_body_bytes=10_000)
    status, headers, _ = intake.post({**POST, "text": "x" * 20_000})
    assert (status, headers["Connection"]) == (413, "close")
    with socket.create_connection(("127.0.0.1", urlsplit(intake.server.url).port or 0)) as plain:
        plain.sendall(
            b"POST /v1/posts HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Authorization: Bearer %s\r\nTransfer-Encoding: chunked\r\n\r\n" % INGESTER.encode()
        )
        plain.settimeout(10)
        plain.sendall(b"4e20\r\n" + b"x" * 20_000 + b"\r\n")  # no end of it
        assert plain.recv(1_000).startswith(b"HTTP/1.1 413 ")
    assert intake.taken == []


def test_more_posts_than_may_come_at_once_are_refused(make: Any) -> None:
    intake = make(max_posts=3)
    posts = [{**POST, "id": str(number)} for number in range(4)]
    assert intake.lines(*posts)[0] == 413
    assert intake.taken == []
    assert intake.lines(*posts[:3])[0] == 202


def test_a_full_queue_says_when_to_come_again_and_takes_nothing(intake: Intake) -> None:
    intake.full = 7.4
    status, headers, _ = intake.lines(POST, {**POST, "id": "2"})
    assert (status, headers["Retry-After"]) == (429, "7")
    assert intake.taken == []
    intake.full = None
    assert intake.lines(POST, {**POST, "id": "2"})[0] == 202


def test_too_many_at_once_are_told_to_wait_and_places_come_free_again(make: Any) -> None:
    intake = make(at_once=2)
    intake.durable.clear()
    threads = [threading.Thread(target=intake.post, args=({**POST, "id": str(n)},)) for n in range(2)]
    for thread in threads:
        thread.start()
    until = time.monotonic() + 10
    while intake.waiting < 2:
        assert time.monotonic() < until
        time.sleep(0.01)
    status, headers, _ = intake.post(POST)
    assert (status, headers["Retry-After"], headers["Connection"]) == (429, "1", "close")
    intake.durable.set()
    for thread in threads:
        thread.join(10)
    for _ in range(3):
        assert intake.post(POST)[0] == 202


def test_a_body_that_never_ends_gives_its_place_back(make: Any) -> None:
    intake = make(at_once=1, body_timeout_s=0.2)
    with socket.create_connection(("127.0.0.1", urlsplit(intake.server.url).port or 0)) as plain:
        plain.settimeout(10)
        plain.sendall(
            b"POST /v1/posts HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Authorization: Bearer %s\r\nContent-Length: 500\r\n\r\n{" % INGESTER.encode()
        )
        assert plain.recv(1_000).startswith(b"HTTP/1.1 408 ")
    assert intake.post(POST)[0] == 202


def test_a_client_that_hangs_up_within_its_body_leaves_nothing_behind(make: Any) -> None:
    intake = make(at_once=1)
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", urlsplit(intake.server.url).port or 0)) as plain:
            plain.sendall(
                b"POST /v1/posts HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                b"Authorization: Bearer %s\r\nContent-Length: 500\r\n\r\n{" % INGESTER.encode()
            )
    until = time.monotonic() + 10
    while intake.post(POST)[0] != 202:
        assert time.monotonic() < until
    assert len(intake.taken) == 1
