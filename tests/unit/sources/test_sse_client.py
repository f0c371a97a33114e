"""The SSE adapter against a real HTTP server: each fault of sseclient 0.0.27, and what it must do
besides."""

from __future__ import annotations

import gzip
import json
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from streams.sources.backoff import Backoff
from streams.sources.base import SourceItem
from streams.sources.eventstreams import EventStreamsSource
from streams.sources.sse import SseClient
from tests.unit.sources.sse_server import CHUNKED, END, HEAD, SseServer, Visit, answer, chunk

PAUSE = threading.Event()
"""Never set: between two looks at a condition."""
AGENT = "factwatch-test/1 (test@example.org)"


def source(server: SseServer | str, **options: object) -> EventStreamsSource:
    """One with waits short enough for a test."""
    url = server if isinstance(server, str) else server.url
    options.setdefault("stall_after_s", 5.0)
    options.setdefault("backoff", Backoff(random.Random(1), first_s=0.02, max_s=0.1))
    return EventStreamsSource(url, AGENT, **options)  # type: ignore[arg-type]  # any of its options


def events(feed: EventStreamsSource, cursor: str | None = None) -> Iterator[SourceItem]:
    return (item for item in feed.items(cursor) if item.raw is not None)


def collect(feed: EventStreamsSource, count: int, cursor: str | None = None) -> list[SourceItem]:
    found: list[SourceItem] = []
    for item in events(feed, cursor):
        found.append(item)
        if len(found) == count:
            feed.close()
    return found


def stream(*pieces: bytes) -> Callable[[Visit], None]:
    """A chunked answer, a chunk for each piece, that stays open."""

    def script(visit: Visit) -> None:
        visit.send(CHUNKED, *(chunk(piece) for piece in pieces))
        visit.hold()

    return script


def cut(*pieces: bytes) -> Callable[[Visit], None]:
    """A chunked answer whose connection is cut without HTTP's end."""
    return lambda visit: visit.send(CHUNKED, *(chunk(piece) for piece in pieces))


def until(condition: Callable[[], bool], limit_s: float = 30.0) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        PAUSE.wait(0.002)


def body_of(number: int) -> str:
    return json.dumps({"n": number, "title": "Ωmega – ñandú 💡 " * (number % 7)}, ensure_ascii=False)


def test_4000_events_cut_into_random_chunks_come_whole_and_in_order() -> None:
    rng = random.Random(7)
    whole = b"".join(
        f"event: message\r\nid: {number}\r\ndata: {body_of(number)}\r\n\r\n".encode()
        for number in range(4000)
    )

    def script(visit: Visit) -> None:
        visit.send(CHUNKED)
        at = 0
        while at < len(whole):
            size = rng.choice((1, 2, 3, 7, 100, 1_000, 5_000))
            visit.send(chunk(whole[at : at + size]))
            at += size
        visit.hold()

    with SseServer(script) as server:
        found = collect(source(server), 4000)
    assert [item.raw for item in found] == [body_of(number).encode() for number in range(4000)]
    assert [item.cursor for item in found] == [str(number) for number in range(4000)]


def test_a_chunk_boundary_within_http_framing_is_no_matter() -> None:
    framed = CHUNKED + chunk(b"data: a\n\n") + chunk(b"data: b\n\n")

    def script(visit: Visit) -> None:
        for at in range(len(framed)):
            visit.send(framed[at : at + 1])
        visit.hold()

    with SseServer(script) as server:
        assert [item.raw for item in collect(source(server), 2)] == [b"a", b"b"]


def test_an_event_cut_off_by_a_drop_is_not_delivered() -> None:
    with SseServer(
        cut(b"id: 1\ndata: one\n\n", b"id: 2\ndata: tw"), stream(b"data: three\n\n")
    ) as server:
        found = collect(source(server), 2)
        assert [item.raw for item in found] == [b"one", b"three"]
        assert server.visits[1].headers["last-event-id"] == "1"
    assert found[1].cursor == "1"


def test_a_stall_is_connected_anew() -> None:
    with SseServer(stream(b"id: 1\ndata: one\n\n"), stream(b"data: two\n\n")) as server:
        feed = source(server, stall_after_s=0.2)
        assert [item.raw for item in collect(feed, 2)] == [b"one", b"two"]


def test_comments_are_signs_of_life_that_hold_off_the_stall() -> None:
    """Silence would be 0.6 s; a comment comes every 0.1 s, for longer than that."""

    def script(visit: Visit) -> None:
        visit.send(CHUNKED)
        for _ in range(15):
            if visit.server.over.wait(0.1):
                return
            visit.send(chunk(b":heartbeat\n\n"))
        visit.send(chunk(b"data: done\n\n"))
        visit.hold()

    with SseServer(script) as server:
        feed = source(server, stall_after_s=0.6)
        seen = []
        for item in feed.items("7"):
            seen.append(item)
            if item.raw:
                feed.close()
        assert len(server.visits) == 1
    assert seen[0] == SourceItem("7")
    assert seen[-1] == SourceItem("7", b"done")


def test_a_trickle_without_a_line_end_is_a_stall() -> None:
    def trickle(visit: Visit) -> None:
        visit.send(CHUNKED)
        while not visit.server.over.wait(0.02):
            visit.send(chunk(b"x"))

    with SseServer(trickle, stream(b"data: two\n\n")) as server:
        assert [item.raw for item in collect(source(server, stall_after_s=0.3), 1)] == [b"two"]


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable", "500 Oops"])
def test_http_errors_do_not_leave_the_iterator(status: str) -> None:
    refuse = answer(status, body=b"go away")
    with SseServer(lambda visit: visit.send(refuse), stream(b"data: one\n\n")) as server:
        assert [item.raw for item in collect(source(server), 1)] == [b"one"]


def waiting_detail(reply: bytes) -> str:
    """What status says while the source waits after `reply`."""
    with SseServer(lambda visit: visit.send(reply)) as server:
        feed = source(server)
        thread = threading.Thread(target=lambda: list(feed.items(None)))
        thread.start()
        until(lambda: feed.status().state == "retrying")
        detail = feed.status().detail
        feed.close()
        thread.join(30)
        assert not thread.is_alive()
    return detail


def test_retry_after_in_seconds_is_waited_for_and_told() -> None:
    detail = waiting_detail(answer("429 Too Many Requests", "Retry-After: 120"))
    assert "HTTP 429 Too Many Requests; next try in" in detail
    assert 110 < float(detail.rpartition(" in ")[2].removesuffix(" s")) <= 120


def test_retry_after_as_a_date_is_waited_for() -> None:
    then = format_datetime(datetime.now(UTC) + timedelta(seconds=300), usegmt=True)
    detail = waiting_detail(answer("503 Service Unavailable", f"Retry-After: {then}"))
    assert 280 < float(detail.rpartition(" in ")[2].removesuffix(" s")) <= 300


def test_a_short_retry_after_is_kept_before_the_next_try() -> None:
    asked: list[float] = []

    def refuse(visit: Visit) -> None:
        asked.append(time.monotonic())
        visit.send(answer("429 Too Many Requests", "Retry-After: 1"))

    def serve(visit: Visit) -> None:
        asked.append(time.monotonic())
        stream(b"data: one\n\n")(visit)

    with SseServer(refuse, serve) as server:
        collect(source(server), 1)
    assert asked[1] - asked[0] >= 1.0


def test_a_refused_connection_is_tried_again_until_somebody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    feed = source(f"http://127.0.0.1:{port}/")
    found: list[SourceItem] = []
    thread = threading.Thread(target=lambda: found.extend(collect(feed, 1)))
    thread.start()
    until(lambda: "can't be reached: Connection refused" in feed.status().detail)
    server = SseServer(stream(b"data: one\n\n"))
    server._listening.close()
    server._listening = socket.create_server(("127.0.0.1", port))
    with server:
        thread.join(10)
    assert [item.raw for item in found] == [b"one"]


def test_line_and_paragraph_separators_inside_json_stay() -> None:
    text = '{"title": "a\u2028b\u2029c\u0085d\u000be\u000cf\u001cg"}'
    with SseServer(stream(f"data: {text}\n\n".encode())) as server:
        assert collect(source(server), 1)[0].raw == text.encode()


@pytest.mark.parametrize("kind", ["text/event-stream", "text/event-stream; charset=iso-8859-1"])
def test_data_is_utf8_whatever_the_charset_says(kind: str) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n\r\n".encode()

    def script(visit: Visit) -> None:
        visit.send(head + "data: Zürich – 東京\n\n".encode())
        visit.hold()

    with SseServer(script) as server:
        assert collect(source(server), 1)[0].raw == "Zürich – 東京".encode()


def test_bytes_that_are_no_utf8_come_unchanged() -> None:
    with SseServer(stream(b"data: a\xff\xfe\xc3b\n\n")) as server:
        assert collect(source(server), 1)[0].raw == b"a\xff\xfe\xc3b"


def test_a_retry_that_is_no_number_is_passed_over_and_a_number_is_kept() -> None:
    backoff = Backoff(random.Random(1), first_s=0.02)
    with SseServer(stream(b"retry: abc\nretry: 500\nretry: -1\nretry: 1e3\ndata: one\n\n")) as server:
        assert collect(source(server, backoff=backoff), 1)[0].raw == b"one"
    assert backoff.server_wait_s == 0.5
    assert backoff.after_cut(900.0) == 0.5


def test_the_servers_retry_is_waited_for_after_a_cut() -> None:
    asked: list[float] = []

    def first(visit: Visit) -> None:
        cut(b"retry: 500\ndata: one\n\n")(visit)
        asked.append(time.monotonic())

    def second(visit: Visit) -> None:
        asked.append(time.monotonic())
        stream(b"data: two\n\n")(visit)

    with SseServer(first, second) as server:
        collect(source(server), 2)
    assert 0.45 <= asked[1] - asked[0] < 3


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    refuse = answer("500 Oops")
    with SseServer(
        cut(b"data: one\n\n"), lambda visit: visit.send(refuse), stream(b"data: two\n\n")
    ) as server:
        collect(source(server), 2)
    assert capfd.readouterr() == ("", "")


def test_a_2_mb_event_is_looked_at_once() -> None:
    data = b"x" * 2_000_000
    wire = b"data: " + data + b"\n\n"

    def script(visit: Visit) -> None:
        visit.send(CHUNKED)
        for at in range(0, len(wire), 1_000):
            visit.send(chunk(wire[at : at + 1_000]))
        visit.hold()

    with SseServer(script) as server:
        started = time.process_time()
        found = collect(source(server, max_event_bytes=4_000_000), 1)
        took = time.process_time() - started
    assert found[0].raw == data
    assert took < 5.0  # sseclient itself, which looks at all of it for each chunk, takes 15 s


@pytest.mark.parametrize("lines", [1, 3_000])
def test_an_event_over_the_bound_comes_as_its_beginning_and_the_next_one_whole(lines: int) -> None:
    line = b"data: " + b"x" * (3_000_000 // lines) + b"\n"
    with SseServer(stream(line * lines + b"id: 8\n\ndata: next\n\n")) as server:
        large, following = collect(source(server, max_event_bytes=1_000_000), 2)
    assert large.too_large
    assert large.raw is not None
    assert len(large.raw) == 64 << 10
    assert large.raw.startswith(b"xxx")
    assert (large.cursor, following.raw, following.too_large) == ("8", b"next", False)


def test_an_event_comes_as_soon_as_its_blank_line_even_within_an_unfinished_chunk() -> None:
    received = threading.Event()

    def script(visit: Visit) -> None:
        # a chunk of 5,000 bytes of which only the first event is sent until that has been received
        event = b"data: early\n\n"
        visit.send(CHUNKED + b"1388\r\n" + event)
        if received.wait(30):
            visit.send(b":" * (5000 - len(event) - 14) + b"\n" + b"data: late\n\n\n" + b"\r\n")
        visit.hold()

    with SseServer(script) as server:
        feed = source(server)
        found = events(feed)
        assert next(found).raw == b"early"
        received.set()
        assert next(found).raw == b"late"
        feed.close()
        assert list(found) == []


def test_packed_content_is_unpacked_as_it_comes() -> None:
    received = threading.Event()

    def script(visit: Visit) -> None:
        packer = gzip.zlib.compressobj(wbits=31)
        head = HEAD + b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
        one = packer.compress(b"data: one\n\n") + packer.flush(gzip.zlib.Z_SYNC_FLUSH)
        visit.send(head, chunk(one))
        if received.wait(30):
            visit.send(chunk(packer.compress(b"data: two\n\n") + packer.flush()), END)

    with SseServer(script, stream(b":\n")) as server:
        feed = source(server)
        found = events(feed)
        assert next(found).raw == b"one"
        received.set()
        assert next(found).raw == b"two"
        feed.close()
        assert list(found) == []


def test_a_resume_sends_the_cursor_and_every_request_names_us() -> None:
    cursor = '[{"topic":"eqiad.mediawiki.recentchange","partition":0,"timestamp":1772672247000}]'
    with SseServer(cut(f"id: {cursor}x\ndata: a\n\n".encode()), stream(b"data: b\n\n")) as server:
        assert [item.cursor for item in collect(source(server), 2, cursor)] == [cursor + "x"] * 2
        assert [visit.headers["last-event-id"] for visit in server.visits] == [cursor, cursor + "x"]
        assert [visit.headers["user-agent"] for visit in server.visits] == [AGENT] * 2
        assert server.visits[0].headers["accept"] == "text/event-stream"


def test_without_a_cursor_no_id_is_sent_and_one_beyond_latin1_goes_as_utf8() -> None:
    with SseServer(cut("id: dé東\ndata: a\n\n".encode()), stream(b"data: b\n\n")) as server:
        collect(source(server), 2)
        assert "last-event-id" not in server.visits[0].headers
        assert server.visits[1].headers["last-event-id"].encode("latin-1").decode() == "dé東"


def test_after_a_long_connection_a_cut_is_followed_by_a_new_one_at_once() -> None:
    assert Backoff(random.Random(1)).after_cut(connected_s=900.0) == 0.0


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_within_the_host_is_followed(code: int) -> None:
    away = answer(f"{code} Moved", "Location: /elsewhere?since=1")
    with SseServer(lambda visit: visit.send(away), stream(b"data: one\n\n")) as server:
        assert collect(source(server), 1)[0].raw == b"one"
        assert server.visits[1].path == "/elsewhere?since=1"
        assert server.visits[1].headers["user-agent"] == AGENT


@pytest.mark.parametrize(
    "target",
    ["http://localhost:{port}/", "http://127.0.0.1:1/", "https://127.0.0.1:{port}/", "file:///etc"],
)
def test_a_redirect_to_another_host_port_or_scheme_is_not_followed(target: str) -> None:
    def away(visit: Visit) -> None:
        visit.send(answer("302 Found", "Location: " + target.format(port=visit.server.port)))

    with SseServer(away, stream(b"data: one\n\n")) as server:
        feed = source(server, backoff=Backoff(random.Random(1), first_s=30.0))
        thread = threading.Thread(target=lambda: list(feed.items(None)))
        thread.start()
        until(lambda: "redirects to another host" in feed.status().detail)
        feed.close()
        thread.join(30)
        assert len(server.visits) == 1


@pytest.mark.parametrize("target", ["http://[::1", "//[", "http://[x]/"])
def test_a_redirect_to_what_is_no_url_is_refused_at_once(target: str) -> None:
    detail = waiting_detail(answer("302 Found", f"Location: {target}"))
    assert "redirects to what is no URL" in detail
    assert target in detail
    assert "\n" not in detail


def test_a_try_that_was_given_up_leaves_no_thread_and_no_connection() -> None:
    hung_up = threading.Event()

    def drip(visit: Visit) -> None:
        try:
            visit.send(HEAD + b"X-Slow: ")
            while not visit.server.over.is_set():
                visit.send(b"a")
                PAUSE.wait(0.02)
        except OSError:
            hung_up.set()

    before = set(threading.enumerate())
    with SseServer(drip, Visit.hold) as server:
        feed = SseClient(server.url, AGENT, stall_after_s=0.3, connect_timeout_s=0.1)
        thread = threading.Thread(target=lambda: list(feed.events("")))
        thread.start()
        until(lambda: "no answer within 0.3 s" in feed.status().detail)
        until(hung_up.is_set)
        feed.close()
        thread.join(30)
        until(
            lambda: not [one for one in set(threading.enumerate()) - before if one.name == "sse-connect"]
        )


def test_redirects_without_end_are_given_up() -> None:
    away = answer("302 Found", "Location: /again")
    assert "redirects more than 5 times" in waiting_detail(away)


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (answer("204 No Content"), "HTTP 204: has nothing to stream"),
        (
            answer("200 OK", "Content-Type: text/html", body=b"<h1>log in</h1>"),
            "answers with 'text/html'",
        ),
        (answer("404 Not Found"), "HTTP 404 Not Found"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "the connection broke"),
        (b"", "the connection broke"),
    ],
)
def test_answers_that_are_no_stream_are_tried_again_and_said(reply: bytes, says: str) -> None:
    assert says in waiting_detail(reply)
    with SseServer(lambda visit: visit.send(reply), stream(b"data: one\n\n")) as server:
        assert collect(source(server), 1)[0].raw == b"one"


def test_a_broken_chunk_size_or_packing_is_a_drop() -> None:
    packed = HEAD + b"Content-Encoding: gzip\r\n\r\nno gzip at all"
    with SseServer(
        lambda visit: visit.send(CHUNKED, chunk(b"data: one\n\n"), b"zz\r\n"),
        lambda visit: visit.send(packed),
        stream(b"data: two\n\n"),
    ) as server:
        assert [item.raw for item in collect(source(server), 2)] == [b"one", b"two"]


def closes_within_a_second(feed: EventStreamsSource, ready: Callable[[], bool]) -> None:
    ended: list[float] = []

    def iterate() -> None:
        for _ in feed.items(None):
            pass
        ended.append(time.monotonic())

    thread = threading.Thread(target=iterate)
    thread.start()
    until(ready)
    started = time.monotonic()
    feed.close()
    thread.join(30)
    assert ended, "still blocked"
    assert ended[0] - started < 1.0
    assert feed.status().state == "closed"
    assert list(feed.items(None)) == []


def test_close_ends_a_blocked_read() -> None:
    with SseServer(stream(b"data: one\n\n")) as server:
        feed = source(server, stall_after_s=60.0)
        closes_within_a_second(feed, lambda: feed.status().last_item_time is not None)


def test_close_ends_a_wait_for_the_answer() -> None:
    with SseServer(Visit.hold) as server:
        closes_within_a_second(source(server, stall_after_s=3.0), lambda: len(server.visits) == 1)


def test_close_ends_a_wait_between_tries() -> None:
    refuse = answer("429 Too Many Requests", "Retry-After: 600")
    with SseServer(lambda visit: visit.send(refuse)) as server:
        feed = source(server)
        closes_within_a_second(feed, lambda: feed.status().state == "retrying")


def test_status_tells_the_way_from_connecting_to_connected() -> None:
    with SseServer(stream(b"data: one\n\n")) as server:
        feed = source(server)
        assert feed.status().state == "connecting"
        items = feed.items(None)
        next(items)
        status = feed.status()
        assert (status.state, status.detail) == ("connected", f"127.0.0.1:{server.port}")
        assert status.position is None
        assert status.last_item_time is not None
        feed.close()
        assert list(items) == []


def test_an_event_without_data_is_a_sign_of_life_and_moves_the_cursor() -> None:
    with SseServer(stream(b"id: 5\n\n", b"data:\n\n")) as server:
        feed = source(server)
        items = feed.items("4")
        assert next(items) == SourceItem("5")
        assert next(items) == SourceItem("5")
        feed.close()
        assert list(items) == []
