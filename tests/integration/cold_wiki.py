"""A wiki whose pages have a past that nobody watched, over real HTTP: the demo's articles, answered as
MediaWiki does (`test_recent_histories` holds that against a real one). What it does with a call for a page's
history can be set; texts of revisions are always had."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from streams.demo.articles import HOSTS
from streams.demo.feed import RECENT_CHANGE
from streams.demo.scenario import AnyStep
from streams.demo.wiki import DemoWiki

NOON = 1_767_268_800.0

Fault = Callable[["ColdWiki", BaseHTTPRequestHandler], None]


class ColdWiki:
    """`fault` answers a call for a history itself, or leaves it without an answer."""

    def __init__(self, fault: Fault | None = None) -> None:
        self.asked: list[str] = []
        """Page ids whose history was asked for, one a call."""
        self.let_go = threading.Event()
        """For a fault that holds a call: set at the end."""
        self._wiki = DemoWiki(NOON)
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                params = {key: values[0] for key, values in parse_qs(urlsplit(self.path).query).items()}
                if "pageids" in params:
                    outer.asked.append(params["pageids"])
                    if fault is not None:
                        fault(outer, self)
                        return
                answer(self, 200, json.dumps(outer._wiki.api(params)).encode())

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *gone: None  # type: ignore[method-assign]  # cut on purpose
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}
        )
        self._thread.start()

    @property
    def environ(self) -> dict[str, str]:
        return {
            "FACTWATCH_MEDIAWIKI_API": f"http://127.0.0.1:{self._server.server_port}/w/api.php",
            "FACTWATCH_WIKIS": ",".join(f"{wiki}={host}" for wiki, host in HOSTS.items()),
        }

    def happens(self, step: AnyStep) -> bytes:
        """What the feed says of it, a line each."""
        events = self._wiki.apply(step, NOON + step.at_s)
        changes = [event for stream, event in events if stream == RECENT_CHANGE]
        assert changes, step
        return b"".join(json.dumps(event).encode() + b"\n" for event in changes)

    def close(self) -> None:
        self.let_go.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def cold_wiki(fault: Fault | None = None) -> Iterator[ColdWiki]:
    wiki = ColdWiki(fault)
    try:
        yield wiki
    finally:
        wiki.close()


def answer(handler: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def holds(wiki: ColdWiki, handler: BaseHTTPRequestHandler) -> None:
    """Says nothing as long as anybody waits."""
    wiki.let_go.wait(120)
    handler.close_connection = True


def raves(wiki: ColdWiki, handler: BaseHTTPRequestHandler) -> None:
    answer(handler, 200, b'{"query": {"pages": [{"pageid": "\xff\xfe<html>')


def refuses(wiki: ColdWiki, handler: BaseHTTPRequestHandler) -> None:
    answer(handler, 429, b"slow down", Retry_After="600")


def hangs_up(wiki: ColdWiki, handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True
