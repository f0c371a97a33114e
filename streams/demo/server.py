"""Stands in for Wikimedia on loopback: EventStreams over SSE and the Action API, over real HTTP.

    with DemoServer() as server:
        settings = demo_settings(base, server.url)

The story begins when the first listener connects, and is told again and again. `/v2/stream/NAMES`
serves the streams named, chunked as Wikimedia's are, and resumes by Last-Event-ID or `since`;
`/w/api.php` answers for both wikis.
"""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections import deque
from collections.abc import Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

from streams.demo.articles import HOSTS
from streams.demo.feed import RECENT_CHANGE, TAGS_CHANGE, canary
from streams.demo.pages import Json
from streams.demo.scenario import CANARY_EVERY_S, steps
from streams.demo.wiki import DemoWiki
from streams.settings import Settings

KEPT_EVENTS = 5_000  # to resume from: some three hours
STREAMS = (RECENT_CHANGE, TAGS_CHANGE)
ALIASES = {"recentchange": RECENT_CHANGE, "revision-tags-change": TAGS_CHANGE}


class _Sent(msgspec.Struct, frozen=True):
    number: int
    stream: str
    at_ms: int
    data: bytes


class DemoServer:
    """Serves from its own threads until `close`. Port 0 takes a free one. `speed` 10 tells the story
    in a tenth of its time; the times in the events are always those of the clock."""

    def __init__(self, port: int = 0, speed: float = 1.0) -> None:
        self.wiki = DemoWiki(time.time())
        self._speed = speed
        self._events: deque[_Sent] = deque(maxlen=KEPT_EVENTS)
        self._news = threading.Condition()
        self._stopping = threading.Event()
        self._telling: threading.Thread | None = None
        self._http = _Server(("127.0.0.1", port), _Handler)
        self._http.demo = self
        self._serving = threading.Thread(
            target=self._http.serve_forever, name="demo-server", daemon=True
        )
        self._serving.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def close(self) -> None:
        self._stopping.set()
        with self._news:
            self._news.notify_all()
        self._http.shutdown()
        self._http.server_close()
        self._serving.join()
        if self._telling is not None:
            self._telling.join()

    def __enter__(self) -> DemoServer:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def listen(self, streams: frozenset[str], since_ms: int | None) -> Iterator[_Sent | None]:
        """Events of `streams` as they come, from `since_ms` on if given; None after a second without
        any. Ends when the server closes."""
        with self._news:
            last = self._events[-1].number if self._events and since_ms is None else 0
            if self._telling is None:
                self._telling = threading.Thread(target=self._tell, name="demo-story", daemon=True)
                self._telling.start()
        while not self._stopping.is_set():
            with self._news:
                fresh = [sent for sent in self._events if sent.number > last]
                if not fresh:
                    self._news.wait(timeout=1.0)
            if not fresh:
                yield None
                continue
            last = fresh[-1].number
            for sent in fresh:
                if sent.stream in streams and (since_ms is None or sent.at_ms >= since_ms):
                    yield sent

    def _tell(self) -> None:
        started = time.monotonic()
        canary_s = 0.0
        for step in steps():
            if step.at_s >= canary_s:
                canary_s = step.at_s + CANARY_EVERY_S
                self._send([(stream, canary(stream, time.time())) for stream in STREAMS])
            wait_s = step.at_s / self._speed - (time.monotonic() - started)
            if self._stopping.wait(max(0.0, wait_s)):
                return
            self._send(self.wiki.apply(step, time.time()))

    def _send(self, events: list[tuple[str, Json]]) -> None:
        with self._news:
            for stream, event in events:
                number = self._events[-1].number + 1 if self._events else 1
                event["meta"]["offset"] = number
                data = json.dumps(event, ensure_ascii=False).encode()
                self._events.append(_Sent(number, stream, _milliseconds(event["meta"]["dt"]), data))
            self._news.notify_all()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    demo: DemoServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A listener that goes away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "factwatch-demo"

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        params = {key: values[0] for key, values in parse_qs(parts.query).items()}
        if parts.path.startswith("/v2/stream/"):
            self._stream(unquote(parts.path.removeprefix("/v2/stream/")), params.get("since"))
        elif parts.path.endswith("/w/api.php"):
            self._reply(200, self._demo.wiki.api(params))
        else:
            self._reply(404, {"detail": "only /v2/stream/… and /w/api.php are here"})

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(min(length, 1_000_000)).decode()
        self._reply(200, self._demo.wiki.api({key: v[0] for key, v in parse_qs(body).items()}))

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: the demo's own output is for a person."""

    @property
    def _demo(self) -> DemoServer:
        return cast(_Server, self.server).demo

    def _reply(self, status: int, answer: Json) -> None:
        body = json.dumps(answer, ensure_ascii=False).encode()
        self.send_response(status)
        if "gzip" in self.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body, 1)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, names: str, since: str | None) -> None:
        wanted = frozenset(ALIASES.get(name, name) for name in names.split(","))
        if not wanted <= set(STREAMS):
            self._reply(404, {"detail": f"streams are {', '.join(STREAMS)}"})
            return
        since_ms = _resume_point(self.headers.get("Last-Event-ID"), since)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Cache-Control", "no-cache")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self._chunk(b":ok\n\n")
        for sent in self._demo.listen(wanted, since_ms):
            if sent is None:
                self._chunk(b":\n\n")
                continue
            position = json.dumps(
                [
                    {"topic": f"eqiad.{stream}", "partition": 0, "timestamp": sent.at_ms}
                    for stream in sorted(wanted)
                ]
                + [
                    {"topic": f"codfw.{stream}", "partition": 0, "offset": -1}
                    for stream in sorted(wanted)
                ]
            )
            self._chunk(b"event: message\nid: " + position.encode() + b"\ndata: " + sent.data + b"\n\n")
        self.wfile.write(b"0\r\n\r\n")
        self.close_connection = True

    def _chunk(self, block: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(block), block))


def demo_settings(base: Settings, url: str) -> Settings:
    """`base` with its feed, API and wikis those of a `DemoServer` at `url`."""
    return msgspec.structs.replace(
        base,
        eventstreams_url=f"{url}/v2/stream/{','.join(STREAMS)}",
        mediawiki_api=f"{url}/w/api.php",
        wikis=dict(HOSTS),
        namespaces=frozenset({0}),
    )


def _milliseconds(dt: str) -> int:
    return round(datetime.fromisoformat(dt).timestamp() * 1000)


def _resume_point(last_event_id: str | None, since: str | None) -> int | None:
    """Where to go on, in milliseconds: the earliest of the timestamps in a Last-Event-ID, else
    `since` (milliseconds or ISO 8601). What can't be read counts as not given."""
    try:
        if last_event_id:
            return min(
                int(place["timestamp"]) for place in json.loads(last_event_id) if "timestamp" in place
            )
        if since:
            return int(since) if since.isdigit() else _milliseconds(since)
    except (ValueError, TypeError, KeyError):
        return None
    return None
