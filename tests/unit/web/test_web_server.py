"""Binding: what is told when an address can't be had, and who is let in."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from streams.errors import BadSetting
from streams.web import server as web_server
from streams.web.app import build_app
from streams.web.server import WebServer
from streams.web.tokens import Scope, Tokens, load_tokens
from tests.sample_alerts import sample_alert
from tests.web_world import WebWorld, serve

READER, INGESTER = "a-token-that-reads", "a-token-that-ingests"


def server(bind: str) -> WebServer:
    world = WebWorld()
    return WebServer(build_app(world.alerts, world.metrics.registry, world, world), bind)


def test_a_taken_port_is_told_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(BadSetting) as caught:
            server(f"127.0.0.1:{port}").start()
    assert f"FACTWATCH_HTTP_BIND: 127.0.0.1:{port} can't be had (Address already in use)" in str(
        caught.value
    )
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("bind", ["203.0.113.1:8080", "no-such-host.invalid:8080"])
def test_an_address_that_is_not_ours_is_told(bind: str) -> None:
    with pytest.raises(BadSetting, match="FACTWATCH_HTTP_BIND"):
        server(bind).start()


def test_stopping_ends_the_thread_and_frees_the_port() -> None:
    with serve(WebWorld()) as world:
        bind = world.url.removeprefix("http://")
    assert "web" not in [thread.name for thread in threading.enumerate()]
    with serve(WebWorld(), bind=bind) as again:
        assert again.get("/healthz")[0] == 200


def test_stop_without_start_is_harmless() -> None:
    server("127.0.0.1:0").stop()


def test_with_tokens_the_api_wants_one_that_reads() -> None:
    tokens = Tokens({READER: frozenset({Scope.READ}), INGESTER: frozenset({Scope.INGEST})})
    with serve(WebWorld(), tokens) as world:
        for path in ("/v1/alerts", "/v1/alerts/stream", "/v1/status", "/v1/alerts/x"):
            status, headers, body = world.get(path)
            assert (status, headers["WWW-Authenticate"]) == (401, 'Bearer realm="factwatch"')
            assert "FACTWATCH_API_TOKENS_FILE" in body["detail"]
        for refused in (f"Bearer {READER}x", f"Basic {READER}", "Bearer", "Bearer \xe4", READER):
            assert world.get("/v1/alerts", {"Authorization": refused})[0] == 401
        assert world.get("/v1/alerts", {"Authorization": f"Bearer {INGESTER}"})[0] == 403
        assert world.get("/v1/alerts", {"Authorization": f"bearer {READER}"})[0] == 200
        for path in ("/", "/static/page.js", "/metrics", "/healthz", "/readyz"):
            assert world.get(path)[0] == 200


def test_tokens_are_read_from_a_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "tokens"
    path.write_text(f"# who: the dashboard\n{READER} read\n\n{INGESTER}  ingest,verdict\n")
    path.chmod(0o600)
    tokens = load_tokens(path)
    assert tokens.scopes_of(READER) == {Scope.READ}
    assert tokens.scopes_of(INGESTER) == {Scope.INGEST, Scope.VERDICT}
    assert tokens.scopes_of("") is None
    assert caplog.text == ""
    path.chmod(0o644)
    load_tokens(path)
    assert "chmod 600" in caplog.text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "holds no token"),
        ("# none\n", "holds no token"),
        (READER, "line 1: wants `token scope"),
        (f"{READER} read write", "line 1: wants"),
        (f"\n{READER} write", "line 2: a scope is one of read, ingest, verdict, admin"),
        ("short read", "line 1: a token has at least 16"),
        (f"{READER} read\n{READER} admin", "line 2: this token stands on an earlier line"),
    ],
)
def test_a_bad_tokens_file_names_its_line_and_no_token(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "tokens"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(BadSetting) as caught:
        load_tokens(path)
    assert told in str(caught.value)
    assert READER not in str(caught.value)


def test_a_missing_tokens_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="No such file"):
        load_tokens(tmp_path / "none")


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nx",
    ],
    ids=["silent", "half a head", "half a body"],
)
def test_a_request_that_does_not_come_whole_ends_its_connection(
    monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    monkeypatch.setattr(web_server, "REQUEST_S", 0.1)
    with serve(WebWorld()) as world, _connected(world) as sock:
        sock.sendall(begun)
        while sock.recv(4_096):
            pass  # a test that waits for ever fails at the timeout of the socket


def test_half_of_a_second_request_ends_its_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_server, "REQUEST_S", 0.1)
    with serve(WebWorld()) as world, _connected(world) as sock:
        sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert sock.recv(4_096).startswith(b"HTTP/1.1 200")
        sock.sendall(b"GET /healthz")  # uvicorn's keep-alive timer ends with it
        while sock.recv(4_096):
            pass


def test_drops_of_a_request_buy_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_server, "REQUEST_S", 0.1)
    with serve(WebWorld()) as world, _connected(world) as sock:
        sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n")
        sock.settimeout(0.02)
        assert any(_closed_at_a_drop(sock) for _ in range(200))


def _closed_at_a_drop(sock: socket.socket) -> bool:
    try:
        sock.sendall(b"a")
        return sock.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


def test_streams_and_kept_connections_outlive_the_time_for_a_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(web_server, "REQUEST_S", 0.2)
    world = WebWorld()
    with serve(world), _connected(world) as stream, _connected(world) as kept:
        stream.sendall(b"GET /v1/alerts/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert stream.recv(4_096).startswith(b"HTTP/1.1 200")
        kept.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        _read_to(kept, b'{"alive":true}')
        with _connected(world) as silent:
            assert silent.recv(1) == b""  # so the time of the earlier two is over
        world.alerts.commit(sample_alert(1))
        _read_to(stream, b"id: 1")
        kept.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        _read_to(kept, b'{"alive":true}')


def _read_to(sock: socket.socket, wanted: bytes) -> None:
    got = b""
    while wanted not in got:
        more = sock.recv(4_096)
        assert more, f"closed after {got!r}"
        got += more


def _connected(world: WebWorld) -> socket.socket:
    address = urlsplit(world.url)
    return socket.create_connection((address.hostname or "", address.port or 0), timeout=60)
