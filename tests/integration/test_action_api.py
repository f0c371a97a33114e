"""The Action API client against real HTTP: a scripted server for every fault, and a real MediaWiki."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from streams import metrics
from streams.content.action_api import ActionApi
from streams.content.outcomes import FetchFailure, FetchOutcome
from streams.content.revert_summaries import RevertKind
from streams.content.revisions import RevisionsAnswer
from streams.content.siteinfo import fetch_site_facts
from streams.records import Content, Edit, PerformerKind
from streams.settings import Settings
from tests.integration.mediawiki import Wiki

Reply = tuple[int, dict[str, str], bytes]


class ScriptedApi:
    """An Action API that knows the revisions 1 to 9,999, each with a text of its own, and plays the
    replies of `script` first. A reply may also be a function that writes to the socket itself."""

    def __init__(self) -> None:
        self.script: list[Reply | Callable[[BaseHTTPRequestHandler], None]] = []
        self.asked: list[dict[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.most_at_once = 0
        self.hold: threading.Event | None = None
        self.answer: Callable[[list[int]], dict[str, Any]] = truthful
        self._at_once = 0
        self._lock = threading.Condition()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer._serve(self)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *gone: None  # type: ignore[method-assign]  # cut on purpose
        self.host = f"127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}
        )
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def ids(self) -> list[list[int]]:
        """Revision ids of each call, in order."""
        return [[int(part) for part in call["revids"].split("|")] for call in self.asked]

    def wait_for_calls(self, calls: int) -> None:
        with self._lock:
            assert self._lock.wait_for(lambda: len(self.asked) >= calls, timeout=10)

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        call = {key: values[0] for key, values in parse_qs(urlsplit(handler.path).query).items()}
        with self._lock:
            self.asked.append(call)
            self.headers.append({name.lower(): value for name, value in handler.headers.items()})
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            reply = self.script.pop(0) if self.script else None
            self._lock.notify_all()
        try:
            if self.hold is not None:
                self.hold.wait(10)
            if callable(reply):
                reply(handler)
                return
            if reply is None:
                ids = [int(part) for part in call["revids"].split("|")]
                reply = 200, {}, json.dumps(self.answer(ids)).encode()
            send(handler, reply)
        finally:
            with self._lock:
                self._at_once -= 1


def send(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
    status, headers, body = reply
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **headers}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


def text_of(rev_id: int) -> str:
    return f"Text of revision {rev_id}, ü."


def truthful(ids: list[int]) -> dict[str, Any]:
    known = [
        {
            "revid": rev_id,
            "parentid": rev_id - 1,
            "tags": [],
            "slots": {"main": {"contentmodel": "wikitext", "content": text_of(rev_id)}},
        }
        for rev_id in ids
        if rev_id < 10_000
    ]
    bad = {str(rev_id): {"revid": rev_id, "missing": True} for rev_id in ids if rev_id >= 10_000}
    return {
        "batchcomplete": True,
        "query": {"badrevids": bad, "pages": [{"pageid": 1, "revisions": known}]},
    }


class FakeTime:
    """Sleeping takes no time, but moves the clock."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.slept_s = 0.0
        self._lock = threading.Lock()

    def now(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.now_s += seconds
            self.slept_s += seconds


class Client:
    """The client under test on fake time, and what it counted."""

    def __init__(self, host: str, **bounds: Any) -> None:
        self.time = FakeTime()
        self.counted: Counter[FetchOutcome] = Counter()
        settings = Settings(
            wikis={"testwiki": host},
            mediawiki_api="http://{server_name}/w/api.php",
            user_agent="factwatch-tests/1 (https://example.org; tests@example.org)",
        )
        if not bounds.pop("real_time", False):
            bounds |= {"now": self.time.now, "sleep": self.time.sleep}
        self.api = ActionApi(
            settings.wikis,
            settings.mediawiki_api,
            settings.user_agent,
            count=lambda outcome, n: self.counted.update({outcome: n}),
            **bounds,
        )

    def fetch(self, *edits: Edit, deadline_s: float = 10.0) -> dict[str, Content | FetchFailure]:
        return self.api.fetch(edits, deadline_s)


@pytest.fixture
def server() -> Iterator[ScriptedApi]:
    scripted = ScriptedApi()
    yield scripted
    scripted.close()


@pytest.fixture
def client(server: ScriptedApi) -> Iterator[Client]:
    made = Client(server.host)
    yield made
    made.api.close()


def edit(rev_id: int, parent_id: int | None = None, **fields: Any) -> Edit:
    defaults: dict[str, Any] = {
        "event_id": f"e{rev_id}",
        "wiki": "testwiki",
        "server_name": "elsewhere.invalid",
        "title": "Page",
        "namespace": 0,
        "performer": "Ana",
        "performer_kind": PerformerKind.REGISTERED,
        "event_time": 0.0,
        "arrival_time": 0.0,
    }
    return Edit(**{**defaults, **fields}, rev_id=rev_id, parent_id=parent_id)


def texts(content: Content | FetchFailure) -> tuple[str | None, str | None]:
    assert isinstance(content, Content), content
    return content.revision.text, content.parent.text if content.parent is not None else None


def reason(content: Content | FetchFailure) -> FetchOutcome:
    assert isinstance(content, FetchFailure), content
    return content.reason


# -- what is asked -------------------------------------------------------------------------------


def test_an_edit_and_its_parent_come_in_one_polite_call(server: ScriptedApi, client: Client) -> None:
    found = client.fetch(edit(7, 6))
    assert texts(found["e7"]) == (text_of(7), text_of(6))
    (call,) = server.asked
    assert (call["revids"], call["rvslots"], call["maxlag"], call["formatversion"]) == (
        "7|6",
        "main",
        "5",
        "2",
    )
    assert server.headers[0]["user-agent"].startswith("factwatch-tests/1")
    assert server.headers[0]["accept-encoding"] == "gzip"
    assert client.counted == {FetchOutcome.FETCHED: 2}


def test_fifty_ids_a_call_and_an_edit_is_never_torn_from_its_parent(
    server: ScriptedApi, client: Client
) -> None:
    found = client.fetch(*(edit(1_000 + 2 * i, 999 + 2 * i) for i in range(60)))
    assert len(found) == 60
    calls = server.ids()
    assert sorted(map(len, calls)) == [20, 50, 50]
    assert all((rev_id - 1 in call) for call in calls for rev_id in call if rev_id % 2 == 0)


def test_a_parent_that_is_held_is_not_asked_for_again(server: ScriptedApi, client: Client) -> None:
    client.fetch(edit(7, 6))
    found = client.fetch(edit(8, 7))
    assert texts(found["e8"]) == (text_of(8), text_of(7))
    assert server.ids() == [[7, 6], [8]]
    assert client.counted == {FetchOutcome.FETCHED: 3, FetchOutcome.CACHED: 1}


def test_edits_that_follow_each_other_share_their_texts(server: ScriptedApi, client: Client) -> None:
    client.fetch(edit(7, 6), edit(8, 7), edit(9, 8))
    assert server.ids() == [[7, 6, 8, 9]]


def test_a_parent_that_the_feed_left_out_is_named_by_the_revision(
    server: ScriptedApi, client: Client
) -> None:
    found = client.fetch(edit(7), edit(100, is_new=True))
    assert texts(found["e7"]) == (text_of(7), text_of(6))
    assert texts(found["e100"]) == (text_of(100), None)
    assert server.ids() == [[7, 100], [6]]


def test_hosts_come_from_the_list_never_from_an_event(server: ScriptedApi, client: Client) -> None:
    found = client.fetch(edit(7, 6, wiki="evilwiki", server_name=server.host))
    assert reason(found["e7"]) is FetchOutcome.NOT_LISTED
    assert server.asked == []
    every_wiki = ActionApi({"*": ""}, "https://{server_name}/w/api.php", "test")
    assert reason(every_wiki.fetch([edit(7)], 1.0)["e7"]) is FetchOutcome.NOT_LISTED
    assert "no wiki is listed" in every_wiki.status()
    every_wiki.close()


def test_at_most_three_calls_at_once(server: ScriptedApi) -> None:
    client = Client(server.host, real_time=True)
    server.hold = threading.Event()
    fetching = threading.Thread(
        target=client.fetch, args=[edit(2 * i, 2 * i - 1) for i in range(1, 200)]
    )
    fetching.start()
    server.wait_for_calls(3)
    server.hold.set()
    fetching.join()
    client.api.close()
    assert len(server.asked) == 8
    assert server.most_at_once == 3


def test_the_rate_holds_over_many_batches(server: ScriptedApi) -> None:
    client = Client(server.host, per_minute=60)
    for i in range(1, 61):
        client.fetch(edit(10 * i, is_new=True), deadline_s=60)
    client.api.close()
    assert client.counted == {FetchOutcome.FETCHED: 60}
    assert client.time.now_s == pytest.approx(60, abs=2)  # 20 at once, then 40 a minute


# -- what goes wrong -----------------------------------------------------------------------------

MAXLAG = json.dumps(
    {"error": {"code": "maxlag", "info": "Waiting for a database server", "lag": 7}}
).encode()


def cut_short(handler: BaseHTTPRequestHandler) -> None:
    send(handler, (200, {"Content-Length": "5000"}, b'{"query":'))
    handler.close_connection = True


def cut_gzip(handler: BaseHTTPRequestHandler) -> None:
    body = gzip.compress(json.dumps(truthful([7, 6])).encode())[:-20]
    send(handler, (200, {"Content-Encoding": "gzip"}, body))


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True
    handler.connection.close()


@pytest.mark.parametrize(
    ("fault", "wait_s"),
    [
        pytest.param((429, {"Retry-After": "7"}, b"slow down"), 7, id="429"),
        pytest.param((503, {"Retry-After": "3"}, b""), 3, id="503"),
        pytest.param((200, {"Retry-After": "5"}, MAXLAG), 5, id="maxlag as 200"),
        pytest.param((429, {}, b""), 1, id="429 without Retry-After"),
        pytest.param((500, {}, b""), 1, id="500"),
        pytest.param(
            (200, {"Content-Type": "text/html"}, b"<!DOCTYPE html><h1>Error</h1>"), 1, id="HTML"
        ),
        pytest.param((200, {}, b'{"query":{"pages":[{"revisions":"no"}]}}'), 1, id="another shape"),
        pytest.param(
            (200, {}, b'{"query":{"pages":[{"revisions":[{"revid":7,"sha1":"\xff"}]}]}}'),
            1,
            id="not UTF-8",
        ),
        pytest.param((200, {}, b""), 1, id="empty"),
        pytest.param(
            (200, {}, b'{"error":{"code":"internal_api_error_DBQueryError"}}'), 1, id="API error"
        ),
        pytest.param(cut_short, 1, id="cut body"),
        pytest.param(cut_gzip, 1, id="cut gzip"),
        pytest.param(hang_up, 1, id="no answer"),
    ],
)
def test_a_passing_fault_delays_and_loses_nothing(
    server: ScriptedApi, client: Client, fault: Any, wait_s: float
) -> None:
    server.script = [fault]
    found = client.fetch(edit(7, 6))
    assert texts(found["e7"]) == (text_of(7), text_of(6))
    assert client.time.slept_s == pytest.approx(wait_s, abs=0.2)
    assert client.api.status() == "serving, 2 calls"


@pytest.mark.parametrize(
    ("status", "body", "said"), [(429, b"", "HTTP 429"), (200, MAXLAG, "API error maxlag")]
)
def test_a_host_that_says_later_than_the_deadline_is_left_alone_until_then(
    server: ScriptedApi, client: Client, status: int, body: bytes, said: str
) -> None:
    server.script = [(status, {"Retry-After": "60"}, body)]
    for _ in range(5):
        assert reason(client.fetch(edit(7, 6))["e7"]) is FetchOutcome.REFUSED
    assert len(server.asked) == 1
    assert client.time.slept_s == 0, "the edits must not wait for what can't come"
    assert client.api.status() == f"backing off from {server.host}: {said}, next try in 60 s"
    client.time.sleep(60)
    assert texts(client.fetch(edit(7, 6))["e7"]) == (text_of(7), text_of(6))


def test_refusal_after_refusal_is_answered_with_silence_not_with_hammering(
    server: ScriptedApi, client: Client
) -> None:
    server.script = [(403, {}, b"User-Agent?")] * 1_000
    for _ in range(360):  # an hour of batches, each 10 s
        client.fetch(edit(7, 6))
        client.time.sleep(10)
    assert len(server.asked) < 25
    assert "HTTP 403 (is the User-Agent compliant?)" in client.api.status()


def test_nobody_there(client: Client, server: ScriptedApi) -> None:
    server.close()
    assert reason(client.fetch(edit(7, 6))["e7"]) is FetchOutcome.ERROR
    assert client.time.now_s < 10
    assert "no connection" in client.api.status()


def test_a_redirect_is_not_followed(server: ScriptedApi, client: Client) -> None:
    other = ScriptedApi()
    server.script = [(302, {"Location": f"http://{other.host}/w/api.php"}, b"")] * 50
    assert reason(client.fetch(edit(7, 6))["e7"]) is FetchOutcome.ERROR
    assert other.asked == []
    other.close()


def test_a_deleted_revision_is_asked_for_once_more_and_then_missing(
    server: ScriptedApi, client: Client
) -> None:
    found = client.fetch(edit(10_001, 10_000), edit(7, 10_002))
    assert reason(found["e10001"]) is FetchOutcome.MISSING
    assert texts(found["e7"]) == (text_of(7), None)
    assert server.ids() == [[10_001, 10_000, 7, 10_002], [10_001, 10_000, 10_002]]


def test_a_revision_that_the_replica_did_not_have_yet_arrives(
    server: ScriptedApi, client: Client
) -> None:
    late = {"query": {"badrevids": {"7": {"revid": 7, "missing": True}}}}
    server.script = [(200, {}, json.dumps(late).encode())]
    assert texts(client.fetch(edit(7, is_new=True))["e7"]) == (text_of(7), None)


def test_what_the_wiki_cut_off_is_asked_for_again(server: ScriptedApi, client: Client) -> None:
    def two_at_most(ids: list[int]) -> dict[str, Any]:
        whole = truthful(ids[:2])
        if len(ids) > 2:
            whole["continue"] = {"rvcontinue": str(ids[2]), "continue": "||"}
            whole["warnings"] = {"result": {"warnings": "This result was truncated"}}
        return whole

    server.answer = two_at_most
    found = client.fetch(*(edit(2 * i, 2 * i - 1) for i in range(1, 6)))
    assert all(isinstance(content, Content) for content in found.values())
    assert [len(ids) for ids in server.ids()] == [10, 8, 6, 4, 2]
    assert "truncated" in client.api.status()


def test_a_revision_over_the_wikis_own_limit_is_too_large_and_the_rest_arrives(
    server: ScriptedApi, client: Client
) -> None:
    def without_7(ids: list[int]) -> dict[str, Any]:
        if ids[0] == 7:
            return {"continue": {"rvcontinue": "7"}, "query": {"pages": []}}
        return truthful(ids[: ids.index(7)] if 7 in ids else ids)

    server.answer = without_7
    found = client.fetch(edit(7, 6), edit(20, 19))
    assert texts(found["e7"]) == (None, text_of(6))
    assert texts(found["e20"]) == (text_of(20), text_of(19))
    assert client.counted == {FetchOutcome.FETCHED: 3, FetchOutcome.TOO_LARGE: 1}


@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "gzip bomb"])
def test_an_answer_over_the_byte_bound_is_cut_and_halved(server: ScriptedApi, compressed: bool) -> None:
    def huge_7(ids: list[int]) -> dict[str, Any]:
        whole = truthful(ids)
        for revision in whole["query"]["pages"][0]["revisions"]:
            if revision["revid"] == 7:
                revision["slots"]["main"]["content"] = "7" * 3_000_000
        return whole

    def zipped(handler: BaseHTTPRequestHandler) -> None:
        ids = [int(part) for part in parse_qs(urlsplit(handler.path).query)["revids"][0].split("|")]
        body = gzip.compress(json.dumps(huge_7(ids)).encode())
        send(handler, (200, {"Content-Encoding": "gzip"}, body))

    server.answer = huge_7
    if compressed:
        server.script = [zipped] * 20
    client = Client(server.host, max_answer_bytes=200_000)
    found = client.fetch(edit(7, 6), edit(20, 19))
    client.api.close()
    assert texts(found["e7"]) == (None, text_of(6))
    assert texts(found["e20"]) == (text_of(20), text_of(19))
    assert client.counted == {FetchOutcome.FETCHED: 3, FetchOutcome.TOO_LARGE: 1}


def test_a_slow_drip_ends_at_the_deadline_and_the_other_batch_is_there(server: ScriptedApi) -> None:
    stop = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        handler.close_connection = True
        while not stop.wait(0.02):
            try:
                handler.wfile.write(b" ")
            except OSError:
                return

    server.script = [drip]
    client = Client(server.host, real_time=True)
    found = client.fetch(*(edit(2 * i, 2 * i - 1) for i in range(1, 51)), deadline_s=2.0)
    stop.set()
    client.api.close()
    reasons = Counter(type(content) for content in found.values())
    assert reasons == {Content: 25, FetchFailure: 25}
    assert client.counted == {FetchOutcome.FETCHED: 50, FetchOutcome.DEADLINE: 50}


def test_a_hanging_host_lets_edits_go_on_at_the_deadline(server: ScriptedApi) -> None:
    server.hold = threading.Event()
    client = Client(server.host, real_time=True)
    found = client.fetch(edit(7, 6), deadline_s=0.4)
    assert reason(found["e7"]) is FetchOutcome.DEADLINE
    server.hold.set()
    client.api.close()


def test_a_call_that_took_all_the_time_there_was_is_late_and_counts_against_the_host(
    server: ScriptedApi, client: Client
) -> None:
    def takes_its_time(handler: BaseHTTPRequestHandler) -> None:
        client.time.sleep(30.0)
        handler.close_connection = True

    server.script = [takes_its_time]
    answer = client.api.transport.ask("testwiki", {"action": "query"}, RevisionsAnswer, 10.0)
    assert isinstance(answer, FetchFailure)
    assert answer.reason is FetchOutcome.DEADLINE
    assert client.api.status().startswith("backing off from ")


def test_closing_ends_a_fetch_under_way_and_every_later_one(server: ScriptedApi) -> None:
    server.hold = threading.Event()
    client = Client(server.host, real_time=True)
    found: dict[str, Content | FetchFailure] = {}
    fetching = threading.Thread(target=lambda: found.update(client.fetch(edit(7, 6), deadline_s=60)))
    fetching.start()
    server.wait_for_calls(1)
    client.api.close()
    fetching.join(timeout=30)
    assert not fetching.is_alive()
    server.hold.set()
    assert reason(found["e7"]) is FetchOutcome.ERROR
    assert reason(client.fetch(edit(9))["e9"]) is FetchOutcome.ERROR
    assert client.api.status() == "closed"


def test_every_outcome_has_its_counter() -> None:
    assert tuple(FetchOutcome) == metrics.FETCH_OUTCOMES


# -- a real MediaWiki ----------------------------------------------------------------------------


def test_a_real_wiki_gives_texts_tags_hidden_revisions_and_its_words_for_reverts(wiki: Wiki) -> None:
    good = wiki.edit("Action API", "The tower is 40 m high.", by=wiki.admin)
    bad = wiki.edit("Action API", "The tower is 4000 m high.", by="192.0.2.44")
    back = wiki.rollback("Action API", "192.0.2.44")
    wiki.hide_text(bad)
    counted: Counter[FetchOutcome] = Counter()
    api = ActionApi(
        {"testwiki": wiki.host},
        "http://{server_name}/api.php",
        "test",
        count=lambda outcome, n: counted.update({outcome: n}),
    )
    found = api.fetch([edit(good, is_new=True), edit(bad, good), edit(back, bad)], 20.0)
    assert texts(found[f"e{good}"]) == ("The tower is 40 m high.", None)
    assert texts(found[f"e{back}"]) == ("The tower is 40 m high.", None)
    hidden = found[f"e{bad}"]
    assert isinstance(hidden, Content)
    assert hidden.revision.text_hidden
    restored = found[f"e{back}"]
    assert isinstance(restored, Content)
    assert restored.revision.tags == ("mw-rollback",)
    assert counted == {FetchOutcome.FETCHED: 2, FetchOutcome.HIDDEN: 1}

    facts = fetch_site_facts(api.transport, "testwiki", time.monotonic() + 20)
    api.close()
    assert not isinstance(facts, FetchFailure)
    comment = next(r.comment for r in wiki.revisions("Action API") if r.rev_id == back)
    said = facts.revert_summaries().match(comment)
    assert said is not None
    assert (said.kind, said.performer, said.built_in) == (RevertKind.ROLLBACK, "192.0.2.44", False)
