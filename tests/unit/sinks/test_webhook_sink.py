"""The webhook against a real receiver on loopback: in order, at least once, never in the way."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from streams.errors import BadSetting
from streams.metrics import Metrics
from streams.sinks.retries import Later, Refused, RetryPolicy, outcome_of, retry_after_s
from streams.sinks.signature import HEADER, is_genuine, load_key, signature
from streams.sinks.webhook import WebhookSink
from tests.memory_alerts import MemoryAlerts, StoreAlerts
from tests.sample_alerts import HOSTILE_TITLE, resolved, sample_alert
from tests.web_world import eventually

KEY = b"a key of some length"
QUICK = RetryPolicy(first_s=0.01, longest_s=0.05)


class Delivery(msgspec.Struct):
    path: str
    headers: dict[str, str]
    body: bytes
    time: float

    @property
    def seq(self) -> int:
        return int(json.loads(self.body)["seq"])


class Receiver:
    """Answers with what `answers` gives next (status, headers, seconds to wait), then with 200."""

    def __init__(self, port: int = 0) -> None:
        self.seen: list[Delivery] = []
        self.answers: list[tuple[int, dict[str, str], float]] = []
        self.body = b"thanks"
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                delivery = Delivery(self.path, dict(self.headers.items()), body, time.monotonic())
                receiver.seen.append(delivery)
                status, headers, wait_s = receiver.answers.pop(0) if receiver.answers else (200, {}, 0.0)
                receiver.released.wait(wait_s)
                try:
                    self.send_response(status)
                    for name, value in headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(receiver.body)))
                    self.end_headers()
                    self.wfile.write(receiver.body)
                except OSError:
                    self.close_connection = True

            def log_message(self, *args: object) -> None:
                pass

        self.released = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        self.url = f"http://127.0.0.1:{self.port}/hook?team=ts"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    @property
    def seqs(self) -> list[int]:
        return [delivery.seq for delivery in self.seen]

    def close(self) -> None:
        self.released.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class World:
    def __init__(self) -> None:
        self.alerts: MemoryAlerts | StoreAlerts = MemoryAlerts()
        self.metrics = Metrics(CollectorRegistry())

    def sink(
        self, url: str, policy: RetryPolicy = QUICK, timeout_s: float = 5.0, key: bytes | None = KEY
    ) -> WebhookSink:
        return WebhookSink(
            self.alerts, self.alerts, self.metrics, url, key,
            user_agent="factwatch/test", policy=policy, timeout_s=timeout_s,
        )  # fmt: skip

    def commit(self, *numbers: int) -> None:
        self.alerts.commit(*(sample_alert(number) for number in numbers))

    def count(self, outcome: str) -> float:
        value = self.metrics.registry.get_sample_value(
            "factwatch_webhook_deliveries_total", {"outcome": outcome}
        )
        assert value is not None
        return value

    def backlog(self) -> float | None:
        return self.metrics.registry.get_sample_value(
            "factwatch_sink_backlog_alerts", {"sink": "webhook"}
        )


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@contextmanager
def running(sink: WebhookSink, drain_s: float = 5.0) -> Iterator[WebhookSink]:
    sink.start()
    try:
        yield sink
    finally:
        sink.stop(drain_s)


def until(condition: Callable[[], object]) -> None:
    eventually(condition)


def test_each_state_change_arrives_signed_in_order(world: World, receiver: Receiver) -> None:
    first = sample_alert(1, title=HOSTILE_TITLE)
    world.alerts.commit(first, resolved(first))
    with running(world.sink(receiver.url)):
        until(lambda: len(receiver.seen) == 2)
        world.commit(2)
        until(lambda: receiver.seqs == [1, 2, 3])
        until(lambda: world.backlog() == 0)
    delivery = receiver.seen[0]
    assert delivery.path == "/hook?team=ts"
    assert delivery.headers["Content-Type"] == "application/json"
    assert delivery.headers["User-Agent"] == "factwatch/test"
    assert delivery.headers["X-Factwatch-Event-Id"] == first.ce_id
    assert json.loads(delivery.body)["title"] == HOSTILE_TITLE
    assert is_genuine(KEY, delivery.headers[HEADER], delivery.body, time.time())
    assert not is_genuine(KEY, delivery.headers[HEADER], delivery.body + b" ", time.time())
    assert (world.count("delivered"), world.count("retried")) == (3, 0)
    assert world.alerts.cursors["webhook"] == 3


def test_without_a_key_there_is_no_signature(world: World, receiver: Receiver) -> None:
    world.commit(1)
    with running(world.sink(receiver.url, key=None)):
        until(lambda: receiver.seen)
    assert HEADER not in receiver.seen[0].headers


def test_a_receiver_that_is_down_gets_everything_when_it_is_up(world: World) -> None:
    receiver = Receiver()
    port = receiver.port
    receiver.close()
    world.commit(1, 2, 3)
    with running(world.sink(receiver.url)) as sink:
        until(lambda: world.count("retried") >= 3)
        assert not sink.status().ok
        assert not sink.status().needed
        assert "nothing answers there" in sink.status().detail
        assert "next try in 0 s" not in sink.status().detail
        assert world.backlog() == 3
        up = Receiver(port)
        until(lambda: up.seqs == [1, 2, 3])
        until(lambda: sink.status().ok)
    up.close()


def test_server_errors_are_tried_again_in_order(world: World, receiver: Receiver) -> None:
    receiver.answers = [(500, {}, 0), (503, {}, 0), (502, {}, 0)]
    world.commit(1, 2)
    with running(world.sink(receiver.url)):
        until(lambda: len(receiver.seen) == 5)
    assert receiver.seqs == [1, 1, 1, 1, 2]
    assert len({delivery.headers["X-Factwatch-Event-Id"] for delivery in receiver.seen}) == 2
    assert world.count("retried") == 3


def test_a_slow_receiver_times_out_and_is_tried_again(world: World, receiver: Receiver) -> None:
    receiver.answers = [(200, {}, 30)]
    world.commit(1)
    with running(world.sink(receiver.url, timeout_s=0.1)) as sink:
        until(lambda: world.count("delivered") == 1)
        assert sink.status().ok
    assert receiver.seqs == [1, 1]


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured(world: World, receiver: Receiver, status: int) -> None:
    receiver.answers = [(status, {"Retry-After": "1"}, 0)]
    world.commit(1)
    with running(world.sink(receiver.url)):
        until(lambda: len(receiver.seen) == 2)
    assert receiver.seen[1].time - receiver.seen[0].time >= 1


@pytest.mark.parametrize("status", [400, 404, 410, 301, 307])
def test_a_refused_alert_is_given_up_and_the_next_has_its_turn(
    world: World, receiver: Receiver, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.answers = [(status, {"Location": "http://127.0.0.1:1/"}, 0)] * 3
    world.commit(1, 2)
    with running(world.sink(receiver.url)):
        until(lambda: receiver.seqs == [1, 1, 1, 2])
    assert (world.count("given_up"), world.count("delivered")) == (1, 1)
    assert f"gave alert 1 up after 3 tries: answered HTTP {status}" in caplog.text
    assert "team=ts" not in caplog.text


def test_an_endless_answer_is_not_read(world: World, receiver: Receiver) -> None:
    receiver.body = b"x" * 5_000_000
    world.commit(1, 2)
    with running(world.sink(receiver.url)):
        until(lambda: world.count("delivered") == 2)
    assert receiver.seqs == [1, 2]


class Killed(MemoryAlerts):
    """A cursor that never becomes durable, as when the program is killed before."""

    def set(self, name: str, seq: int) -> None:
        pass


def test_a_kill_between_post_and_cursor_repeats_with_the_same_id(
    world: World, receiver: Receiver
) -> None:
    world.alerts = Killed()
    world.commit(1, 2)
    for _ in range(2):
        with running(world.sink(receiver.url)):
            until(lambda: len(receiver.seen) % 2 == 0 and receiver.seen)
            until(lambda: world.backlog() == 0)
    assert receiver.seqs == [1, 2, 1, 2]
    ids = [delivery.headers["X-Factwatch-Event-Id"] for delivery in receiver.seen]
    assert ids[:2] == ids[2:]


def test_a_restart_goes_on_behind_the_cursor(world: World, receiver: Receiver) -> None:
    world.commit(1, 2)
    with running(world.sink(receiver.url)):
        until(lambda: len(receiver.seen) == 2)
    world.commit(3)
    with running(world.sink(receiver.url)):
        until(lambda: len(receiver.seen) == 3)
    assert receiver.seqs == [1, 2, 3]


def test_with_the_real_store_a_restart_goes_on_behind_the_cursor(
    world: World, receiver: Receiver, tmp_path: Path
) -> None:
    for number in (1, 2):
        world.alerts = StoreAlerts(tmp_path / "factwatch.sqlite")
        world.commit(number)
        with running(world.sink(receiver.url)):
            until(lambda number=number: len(receiver.seen) == number)
        assert world.alerts.get("webhook") == number
        world.alerts.close()
    assert receiver.seqs == [1, 2]


def test_stop_drains_what_waits(world: World, receiver: Receiver) -> None:
    sink = world.sink(receiver.url)
    sink.start()
    world.commit(*range(1, 301))
    sink.stop(drain_s=10)
    assert receiver.seqs == list(range(1, 301))
    assert world.alerts.cursors["webhook"] == 300


def test_stop_does_not_wait_for_a_receiver_that_hangs(world: World, receiver: Receiver) -> None:
    receiver.answers = [(200, {}, 600)] * 5
    world.commit(1, 2)
    sink = world.sink(receiver.url, timeout_s=600)
    sink.start()
    until(lambda: receiver.seen)
    sink.stop(drain_s=0.1)
    receiver.released.set()
    sink._thread.join(30)
    assert "webhook" not in world.alerts.cursors


def test_stop_ends_a_long_wait_for_the_next_try(world: World, receiver: Receiver) -> None:
    receiver.answers = [(429, {"Retry-After": "600"}, 0)]
    world.commit(1)
    sink = world.sink(receiver.url)
    sink.start()
    until(lambda: not sink.status().ok)
    sink.stop(drain_s=0.2)


def test_stop_without_start_is_harmless(world: World) -> None:
    world.sink("http://127.0.0.1:1/").stop(0)


def test_a_login_in_the_address_is_sent_and_not_told(world: World, receiver: Receiver) -> None:
    world.commit(1)
    with running(world.sink(receiver.url.replace("//", "//me:p%40ss@"))) as sink:
        until(lambda: receiver.seen)
        assert "p@ss" not in sink.status().detail
    assert receiver.seen[0].headers["authorization"] == "Basic bWU6cEBzcw=="


def test_what_an_answer_means() -> None:
    assert isinstance(outcome_of(408, None, 0), Later)
    assert isinstance(outcome_of(425, None, 0), Later)
    assert isinstance(outcome_of(401, None, 0), Refused)
    assert isinstance(outcome_of(302, None, 0), Refused)
    assert outcome_of(500, None, 0) == Later("answered HTTP 500", None, own_error=True)
    assert outcome_of(503, "7", 0) == Later("answered HTTP 503", 7.0)


def test_retry_after_is_seconds_or_a_date_and_bounded() -> None:
    now = 1_764_000_000.0
    date = format_datetime(datetime.fromtimestamp(now + 90, UTC), usegmt=True)
    assert retry_after_s(date, now) == 90
    assert retry_after_s(date, now + 1000) == 0
    assert retry_after_s("999999999999", now) == 3600
    assert retry_after_s("soon", now) is None
    assert retry_after_s("-5", now) is None
    assert retry_after_s(None, now) is None


def test_waits_grow_to_a_bound_and_differ() -> None:
    policy, rng = RetryPolicy(), random.Random(1)
    waits = [[policy.delay_s(Later(""), tries, rng) for _ in range(50)] for tries in range(1, 40)]
    assert all(0.25 <= wait <= 0.5 for wait in waits[0])
    assert all(30 <= wait <= 60 for wait in waits[-1])
    assert len(set(waits[-1])) > 40


def test_an_outage_is_never_given_up_but_an_alert_the_receiver_fails_on_is() -> None:
    policy = RetryPolicy()
    year_s = 365 * 86_400.0
    assert not policy.gives_up(Later("nothing answers there"), 0, year_s)
    assert not policy.gives_up(Later("answered HTTP 500", own_error=True), 0, 3_600)
    assert policy.gives_up(Later("answered HTTP 500", own_error=True), 0, 86_400)


def test_a_signature_is_bound_to_key_body_and_time() -> None:
    header = signature(KEY, b"{}", 1_764_000_000.9)
    assert header == ("t=1764000000,v1=" + header.rpartition("=")[2])
    assert is_genuine(KEY, header, b"{}", 1_764_000_100)
    assert is_genuine(KEY, header + ",v2=abc", b"{}", 1_764_000_100)
    assert not is_genuine(b"another key, as long", header, b"{}", 1_764_000_100)
    assert not is_genuine(KEY, header, b"{} ", 1_764_000_100)
    assert not is_genuine(KEY, header, b"{}", 1_764_000_301)
    assert not is_genuine(KEY, header.replace("t=1764000000", "t=1764000009"), b"{}", 1_764_000_010)
    for broken in ("", "t=,v1=", "v1=abc", "t=x,v1=abc", "t=1\u0661,v1=\u00e4", "=,="):
        assert not is_genuine(KEY, broken, b"{}", 1_764_000_100)


def test_the_signature_is_the_documented_one() -> None:
    """Computed with `printf '1764000000.{}' | openssl dgst -sha256 -hmac 'a key of some length'`."""
    assert signature(KEY, b"{}", 1_764_000_000) == "t=1764000000,v1=" + (
        "6d850996cf28aa096e2daae3de06e1c56af52f69bbc20a1fdace2232b0f91e5f"
    )


def test_a_key_file_without_a_key_is_told(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("\n")
    with pytest.raises(BadSetting, match="FACTWATCH_WEBHOOK_SECRET_FILE"):
        load_key(path)
    with pytest.raises(BadSetting, match="No such file"):
        load_key(tmp_path / "none")
    path.write_text("0123456789abcdef\n")
    assert load_key(path) == b"0123456789abcdef"
