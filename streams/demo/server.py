"""Stands in for Wikimedia, Bluesky and Mastodon on loopback: EventStreams over SSE, the Action API, a
Jetstream over a websocket, a Mastodon's stream and timeline; all over real HTTP.

    with DemoServer() as server:
        settings = demo_settings(base, server.url)
        sources = server.post_specs

The story begins when the first listener of EventStreams connects, and is told again and again.
`/v2/stream/NAMES` serves the streams named, chunked as Wikimedia's are, and resumes by Last-Event-ID or
`since`; `/w/api.php` answers for both wikis; `/api/…` is Mastodon's.
"""

from __future__ import annotations

import gzip
import heapq
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

from streams.demo import mastodon_server
from streams.demo.articles import HOSTS
from streams.demo.broadcast import Broadcast, Sent
from streams.demo.eventstreams import event_blocks, milliseconds, resume_point
from streams.demo.feed import RECENT_CHANGE, TAGS_CHANGE, canary
from streams.demo.pages import Json
from streams.demo.people import Network
from streams.demo.post_story import AnyPostStep, post_steps
from streams.demo.posters import Posters
from streams.demo.scenario import CANARY_EVERY_S, AnyStep, steps
from streams.demo.wiki import DemoWiki
from streams.settings import Settings

if TYPE_CHECKING:
    from streams.demo.jetstream import DemoJetstream

STREAMS = (RECENT_CHANGE, TAGS_CHANGE)
ALIASES = {"recentchange": RECENT_CHANGE, "revision-tags-change": TAGS_CHANGE}


class DemoServer:
    """Serves from its own threads until `close`. Port 0 takes a free one. `speed` 10 tells the story
    in a tenth of its time; the times in the events are always those of the clock."""

    def __init__(self, port: int = 0, speed: float = 1.0) -> None:
        self.wiki = DemoWiki(time.time())
        self.events = Broadcast()
        self.frames = Broadcast()
        self.statuses = Broadcast()
        self._posters = Posters()
        self._offset = 0
        self._speed = speed
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._telling: threading.Thread | None = None
        self._jetstream = _open_jetstream(self.frames)
        self._http = _Server(("127.0.0.1", port), _Handler)
        self._http.demo = self
        self._serving = threading.Thread(
            target=self._http.serve_forever, name="demo-server", daemon=True
        )
        self._serving.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    @property
    def post_specs(self) -> tuple[str, ...]:
        """The sources of posts, as `--posts` takes them: those that this installation can read."""
        own = f"mastodon+http://127.0.0.1:{self._http.server_port}"
        return (own,) if self._jetstream is None else (self._jetstream.spec, own)

    def close(self) -> None:
        self._stopping.set()
        for broadcast in (self.events, self.frames, self.statuses):
            broadcast.close()
        self._http.shutdown()
        self._http.server_close()
        self._serving.join()
        if self._jetstream is not None:
            self._jetstream.close()
        if self._telling is not None:
            self._telling.join()

    def __enter__(self) -> DemoServer:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def listen(self, streams: frozenset[str], since_ms: int | None) -> Iterator[Sent | None]:
        """Events of `streams` as they come, from `since_ms` on if given; None after a second without
        any. Ends when the server closes."""
        listening = self.events.listen(None if since_ms is None else since_ms * 1000)
        self._begin()
        for sent in listening:
            if sent is None or sent.kind in streams:
                yield sent

    def _begin(self) -> None:
        with self._lock:
            if self._telling is None and not self._stopping.is_set():
                self._telling = threading.Thread(target=self._tell, name="demo-story", daemon=True)
                self._telling.start()

    def _tell(self) -> None:
        started = time.monotonic()
        canary_s = 0.0
        for at_s, tell in self._steps():
            if at_s >= canary_s:
                canary_s = at_s + CANARY_EVERY_S
                self._send([(stream, canary(stream, time.time())) for stream in STREAMS])
            wait_s = at_s / self._speed - (time.monotonic() - started)
            if self._stopping.wait(max(0.0, wait_s)):
                return
            tell()

    def _steps(self) -> Iterator[tuple[float, Callable[[], None]]]:
        """What is done on the wikis and what is posted, by time."""
        edits = ((step.at_s, self._doing(step)) for step in steps())
        posts = ((step.at_s, self._posting(telling, step)) for telling, step in post_steps())
        return heapq.merge(edits, posts, key=lambda told: told[0])

    def _doing(self, step: AnyStep) -> Callable[[], None]:
        return lambda: self._send(self.wiki.apply(step, time.time()))

    def _posting(self, telling: int, step: AnyPostStep) -> Callable[[], None]:
        return lambda: self._post(telling, step)

    def _post(self, telling: int, step: AnyPostStep) -> None:
        now = time.time()
        happened = self._posters.apply(telling, step, now)
        body = happened.body
        data = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
        to = self.frames if happened.network is Network.BLUESKY else self.statuses
        to.send(happened.kind, round(now * 1e6), data.encode())

    def _send(self, events: list[tuple[str, Json]]) -> None:
        for stream, event in events:
            self._offset += 1
            event["meta"]["offset"] = self._offset
            data = json.dumps(event, ensure_ascii=False).encode()
            self.events.send(stream, milliseconds(event["meta"]["dt"]) * 1000, data)


def _open_jetstream(frames: Broadcast) -> DemoJetstream | None:
    """None where this installation has no websockets, so that the rest of the demo goes on."""
    try:
        from streams.demo.jetstream import DemoJetstream
    except ImportError:
        return None
    return DemoJetstream(frames)


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
        elif parts.path == mastodon_server.STREAM:
            self._blocks(mastodon_server.stream(self._demo.statuses))
        elif parts.path == mastodon_server.TIMELINE:
            self._reply(200, mastodon_server.timeline(self._demo.statuses, params))
        else:
            self._reply(404, {"detail": "only /v2/stream/…, /w/api.php and Mastodon's are here"})

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(min(length, 1_000_000)).decode()
        self._reply(200, self._demo.wiki.api({key: v[0] for key, v in parse_qs(body).items()}))

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: the demo's own output is for a person."""

    @property
    def _demo(self) -> DemoServer:
        return cast(_Server, self.server).demo

    def _reply(self, status: int, answer: Json | list[Json]) -> None:
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
        since_ms = resume_point(self.headers.get("Last-Event-ID"), since)
        self._blocks(event_blocks(self._demo.listen(wanted, since_ms), sorted(wanted)))

    def _blocks(self, blocks: Iterator[bytes]) -> None:
        """Server-sent events, each a chunk of its own."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Cache-Control", "no-cache")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for block in blocks:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(block), block))
        self.wfile.write(b"0\r\n\r\n")
        self.close_connection = True


def demo_settings(base: Settings, url: str) -> Settings:
    """`base` with its feed, API and wikis those of a `DemoServer` at `url`."""
    return msgspec.structs.replace(
        base,
        eventstreams_url=f"{url}/v2/stream/{','.join(STREAMS)}",
        mediawiki_api=f"{url}/w/api.php",
        wikis=dict(HOSTS),
        namespaces=frozenset({0}),
    )
