"""The HTTP face of the program: API, alert stream, page, metrics and health, put together."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from importlib.resources import files

import msgspec
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from streams.sinks.alert_json import alert_json
from streams.store.reader import AlertReader, StoredAlert
from streams.web.guards import BearerTokens, SecurityHeaders
from streams.web.problems import Problem, on_http_exception, on_unexpected
from streams.web.queries import ListQuery, StreamQuery, refuse_parameters
from streams.web.status import Health, StatusProvider
from streams.web.stream import AlertFeed, AlertStream
from streams.web.tokens import Tokens

STATIC = str(files("streams.web") / "static")


def build_app(
    reader: AlertReader,
    registry: CollectorRegistry,
    health: Health,
    status: StatusProvider,
    tokens: Tokens | None = None,
    feed: AlertFeed | None = None,
    more: Sequence[Route] = (),
) -> Starlette:
    """`more`: endpoints of a program that has more to answer by than alerts. `feed` is given by tests that want other bounds. The app keeps it as `app.state.feed`, so that
    the server can end the streams when it stops."""
    alert_feed = feed or AlertFeed(reader)
    api = Api(reader, registry, health, status, alert_feed)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        watching = asyncio.create_task(alert_feed.watch())
        yield
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)

    app = Starlette(
        routes=[
            Route("/", page),
            Mount("/static", StaticFiles(directory=STATIC)),
            Route("/v1/alerts", api.alerts),
            Route("/v1/alerts/stream", api.stream),
            Route("/v1/alerts/{alert_id}", api.history),
            Route("/v1/status", api.status),
            Route("/metrics", api.metrics),
            Route("/healthz", healthz),
            Route("/readyz", api.readyz),
            *more,
        ],
        middleware=[Middleware(SecurityHeaders), Middleware(BearerTokens, tokens=tokens)],
        exception_handlers={HTTPException: on_http_exception, Exception: on_unexpected},
        lifespan=lifespan,
    )
    app.state.feed = alert_feed
    app.state.open_to_all = tokens is None
    return app


class Api:
    """The endpoints that read something. Plain functions run in a thread, so the store may block."""

    def __init__(
        self,
        reader: AlertReader,
        registry: CollectorRegistry,
        health: Health,
        status: StatusProvider,
        feed: AlertFeed,
    ) -> None:
        self._reader = reader
        self._registry = registry
        self._health = health
        self._status = status
        self._feed = feed

    def alerts(self, request: Request) -> Response:
        """`last_seq` is read first: a stream begun after it misses nothing that this list has not."""
        query = ListQuery(request.query_params)
        last_seq = self._reader.last_seq()
        found = self._reader.current(query.limit + 1, query.before, query.where)
        shown = found[: query.limit]
        after = shown[-1].seq if len(found) > query.limit else None
        return _json(
            b'{"alerts":%s,"next":%s,"last_seq":%d}'
            % (_array(shown), b"null" if after is None else b"%d" % after, last_seq)
        )

    def history(self, request: Request) -> Response:
        refuse_parameters(request.query_params)
        changes = self._reader.history(request.path_params["alert_id"])
        if not changes:
            raise Problem(404, "No alert has this id; /v1/alerts lists those there are.")
        return _json(b'{"changes":%s}' % _array(changes))

    def stream(self, request: Request) -> AlertStream:
        """Without a place to resume at: what is committed after the request was read, which is before
        the client has the first byte of the answer."""
        query = StreamQuery(request.query_params, request.headers.get("last-event-id"))
        newest = self._reader.last_seq()
        if query.after is not None and query.after > newest:
            raise Problem(
                409,
                f"{query.after} lies beyond the newest alert here, {newest}: it is of another store. "
                "Begin anew with ?after=0, or without `after` and Last-Event-ID for new alerts only.",
            )
        return AlertStream(self._feed, query.where, newest if query.after is None else query.after)

    def status(self, request: Request) -> Response:
        """`last_seq` tells a paused page how much waits."""
        refuse_parameters(request.query_params)
        last_seq = self._reader.last_seq()
        return _json(b'{"last_seq":%d,' % last_seq + msgspec.json.encode(self._status.status())[1:])

    def metrics(self, request: Request) -> Response:
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(self._registry), headers={"Content-Type": content_type})

    def readyz(self, request: Request) -> Response:
        parts = self._health.parts()
        ready = all(part.ok or not part.needed for part in parts.values())
        return _json(msgspec.json.encode({"ready": ready, "parts": parts}), 200 if ready else 503)


def page(request: Request) -> Response:
    return FileResponse(f"{STATIC}/index.html", media_type="text/html")


async def healthz(request: Request) -> Response:
    """In the event loop itself: it answers as long as the loop turns."""
    return _json(b'{"alive":true}')


def _array(stored: list[StoredAlert]) -> bytes:
    return b"[" + b",".join(map(alert_json, stored)) + b"]"


def _json(body: bytes, status: int = 200) -> Response:
    return Response(body, status, media_type="application/json")
