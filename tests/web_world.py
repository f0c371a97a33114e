"""A served page and API around an alert log in memory, with states that a test sets."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry
from starlette.routing import Route

from streams.metrics import Metrics
from streams.sources.base import SourceStatus
from streams.web.app import build_app
from streams.web.server import WebServer
from streams.web.status import Part, Status
from streams.web.stream import AlertFeed
from streams.web.tokens import Tokens
from tests.memory_alerts import MemoryAlerts, StoreAlerts

Value = TypeVar("Value")


class WebWorld:
    """Also the `Health` and `StatusProvider` of the app it serves."""

    def __init__(self, alerts: MemoryAlerts | StoreAlerts | None = None) -> None:
        self.alerts = alerts or MemoryAlerts()
        self.metrics = Metrics(CollectorRegistry())
        self.source = SourceStatus("connected")
        self.health = {"source": Part(True, "connected"), "store": Part(True)}
        self.wikis: tuple[str, ...] = ("enwiki", "arwiki", "wikidatawiki")
        self.events = {"processed": 0}
        self.takes_verdicts = False
        self.started = time.time()
        self.url = ""

    def parts(self) -> Mapping[str, Part]:
        return self.health

    def status(self) -> Status:
        return Status(
            version="0.1.0",
            started_time=self.started,
            now=time.time(),
            source_name="eventstreams",
            source=self.source,
            events=self.events,
            events_per_s=27.4 if self.events["processed"] else 0.0,
            model_version="2026.11",
            wikis=self.wikis,
            takes_verdicts=self.takes_verdicts,
        )

    def get(
        self, path: str, headers: Mapping[str, str] | None = None, method: str = "GET"
    ) -> tuple[int, http.client.HTTPMessage, Any]:
        """Status, headers and body; JSON bodies decoded."""
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=10)
        try:
            connection.request(method, path, headers=dict(headers or {}))
            answer = connection.getresponse()
            body: Any = answer.read()
        finally:
            connection.close()
        if body and "json" in answer.headers.get("Content-Type", ""):
            body = json.loads(body)
        return answer.status, answer.headers, body


@contextmanager
def serve(
    world: WebWorld,
    tokens: Tokens | None = None,
    bind: str = "127.0.0.1:0",
    more: Sequence[Route] = (),
    **bounds: Any,
) -> Iterator[WebWorld]:
    app = build_app(
        world.alerts,
        world.metrics.registry,
        world,
        world,
        tokens,
        AlertFeed(world.alerts, **bounds),
        more=more,
    )
    server = WebServer(app, bind)
    server.start()
    world.url = server.url
    try:
        yield world
    finally:
        server.stop()


def eventually(found: Callable[[], Value], within_s: float = 30.0) -> Value:
    """What `found` gives, once it is true. Fails after `within_s`."""
    until = time.monotonic() + within_s
    while not (value := found()):
        assert time.monotonic() < until, f"not so within {within_s} s"
        time.sleep(0.01)
    return value
