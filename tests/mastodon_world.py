"""A local Mastodon over real sockets: its description, its public stream as server-sent events and its
public timeline. It fails as a test says."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

Status = dict[str, Any]
Event = tuple[str, Any]
TOKEN = "a-token-of-the-server"
#: Ids as Mastodon makes them: milliseconds since 1970, then 16 bits.
FIRST_MS = 1_790_000_000_000


def recorded_statuses(shared_data: Path) -> list[Status]:
    packed = (shared_data / "posts" / "mastodon-statuses.jsonl.gz").read_bytes()
    return [json.loads(line) for line in gzip.decompress(packed).splitlines()]


def recorded_streams(shared_data: Path) -> list[bytes]:
    """Bodies of streams as a server sent them."""
    packed = (shared_data / "posts" / "mastodon-streaming-raw.jsonl.gz").read_bytes()
    return [json.loads(line)["sse"].encode() for line in gzip.decompress(packed).splitlines()]


def made_id(seconds: float) -> str:
    return str((FIRST_MS + int(seconds * 1000)) << 16)


def made_status(number: int, content: str = "", **fields: Any) -> Status:
    """Made `60 * number` seconds after the first."""
    status_id = made_id(number * 60)
    return {
        "id": status_id,
        "created_at": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()),
        "visibility": "public",
        "language": "en",
        "uri": f"https://elsewhere.example/users/somebody/statuses/{number}",
        "url": f"https://elsewhere.example/@somebody/{number}",
        "content": content or f"<p>Status number {number}</p>",
        "spoiler_text": "",
        "in_reply_to_id": None,
        "edited_at": None,
        "reblog": None,
        "account": {
            "id": "9",
            "acct": "somebody@elsewhere.example",
            "uri": "https://elsewhere.example/users/somebody",
            "followers_count": 41,
        },
        **fields,
    }


def updates(statuses: Sequence[Status]) -> list[Event]:
    return [("update", status) for status in statuses]


@dataclass
class Plan:
    """What one connection to the stream gets."""

    most: int | None = None
    """Events, then it is cut; None: all there are, and then it stays open."""
    mid_event: bool = False
    meanwhile: int = 0
    """Events that nobody is connected for, after the cut."""
    body: bytes | None = None
    """These bytes instead of events."""
    silent: bool = False


@dataclass
class Visit:
    path: str
    query: dict[str, list[str]]
    authorization: str | None
    status: int = 200
    time: float = field(default_factory=time.monotonic)


class MastodonWorld:
    """Events happen in order; a connection sees those that happen from then on. The n-th connection
    gets the n-th plan, later ones the whole stream."""

    def __init__(
        self,
        events: Sequence[Event],
        *,
        plans: Sequence[Plan] = (),
        timeline_failures: Sequence[tuple[int, dict[str, str]]] = (),
        instance: bytes | None = None,
        instance_failures: Sequence[int] = (),
        token: str | None = TOKEN,
    ) -> None:
        self.events = list(events)
        self.plans = list(plans)
        self.timeline_failures = list(timeline_failures)
        self.instance_failures = list(instance_failures)
        self.token = token
        self.happened = 0
        self.visits: list[Visit] = []
        self.connections = 0
        self.over = threading.Event()
        self.lock = threading.Lock()
        world = self

        class Handler(_Handler):
            pass

        Handler.world = world
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self.host = f"127.0.0.1:{self.port}"
        self.spec = f"mastodon+http://{self.host}"
        streaming = {"configuration": {"urls": {"streaming": f"ws://{self.host}"}}}
        self.instance = instance if instance is not None else json.dumps(streaming).encode()
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def asked(self, part: str) -> list[Visit]:
        return [visit for visit in self.visits if part in visit.path]

    def timeline(self, query: dict[str, list[str]]) -> list[Status]:
        """The newest first, as the server gives it."""
        gone = {data for name, data in self.events[: self.happened] if name == "delete"}
        held = [status for name, status in self.events[: self.happened] if name == "update"]
        since, before = int(query["since_id"][0]), int(query.get("max_id", [str(1 << 70)])[0])
        found = [
            status for status in held if since < int(status["id"]) < before and status["id"] not in gone
        ]
        found.sort(key=lambda status: int(status["id"]), reverse=True)
        return found[: int(query["limit"][0])]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    world: MastodonWorld

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        visit = Visit(parts.path, query, self.headers.get("Authorization"))
        with self.world.lock:
            self.world.visits.append(visit)
        with contextlib.suppress(ConnectionError, OSError):
            self._answer(parts.path, query, visit)

    def _answer(self, path: str, query: dict[str, list[str]], visit: Visit) -> None:
        world = self.world
        if path == "/api/v2/instance":
            if world.instance_failures:
                self._send(visit, world.instance_failures.pop(0), b"{}")
            else:
                self._send(visit, 200, world.instance)
        elif world.token is not None and visit.authorization != f"Bearer {world.token}":
            self._send(visit, 401, b'{"error":"The access token is invalid"}')
        elif path == "/api/v1/timelines/public":
            if world.timeline_failures:
                status, headers = world.timeline_failures.pop(0)
                self._send(visit, status, b"{}", headers)
            else:
                self._send(visit, 200, json.dumps(world.timeline(query)).encode())
        elif path == "/api/v1/streaming/public":
            self._stream()
        else:
            self._send(visit, 404, b"{}")

    def _send(
        self, visit: Visit, status: int, body: bytes, headers: dict[str, str] | None = None
    ) -> None:
        visit.status = status
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _stream(self) -> None:
        world = self.world
        with world.lock:
            number = world.connections
            world.connections += 1
        plan = world.plans[number] if number < len(world.plans) else Plan()
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if plan.body is not None:
            self._chunk(plan.body)
        elif not plan.silent:
            self._chunk(b":)\n")
            index = world.happened
            last = len(world.events) if plan.most is None else min(index + plan.most, len(world.events))
            while index < last:
                world.happened = index + 1
                self._chunk(_sse(*world.events[index]))
                index += 1
            if plan.most is not None:
                if plan.mid_event and index < len(world.events):
                    whole = _sse(*world.events[index])
                    self._chunk(whole[: len(whole) // 2])
                world.happened = min(index + plan.meanwhile, len(world.events))
                self.connection.shutdown(socket.SHUT_RDWR)
                return
        while not world.over.wait(0.05):
            if not plan.silent:
                self._chunk(b":thump\n")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def log_message(self, *_: object) -> None: ...


def _sse(name: str, data: Any) -> bytes:
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    return f"event: {name}\ndata: {text}\n\n".encode("utf-8", "surrogateescape")
