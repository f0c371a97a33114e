"""The HTTP face of a process that has no page: metrics and health, as `streams.web.app` has them."""

from __future__ import annotations

import msgspec
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from streams.web.app import healthz
from streams.web.guards import SecurityHeaders
from streams.web.problems import on_http_exception, on_unexpected
from streams.web.status import Health


class _NoStreams:
    """What the server ends when it stops."""

    def close(self) -> None: ...


def build_operations_app(registry: CollectorRegistry, health: Health) -> Starlette:
    """/metrics, /healthz and /readyz. Nothing of what was read is shown, so no token is asked for."""

    def metrics(request: Request) -> Response:
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), headers={"Content-Type": content_type})

    def readyz(request: Request) -> Response:
        parts = health.parts()
        ready = all(part.ok or not part.needed for part in parts.values())
        body = msgspec.json.encode({"ready": ready, "parts": parts})
        return Response(body, 200 if ready else 503, media_type="application/json")

    app = Starlette(
        routes=[
            Route("/metrics", metrics),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
        ],
        middleware=[Middleware(SecurityHeaders)],
        exception_handlers={HTTPException: on_http_exception, Exception: on_unexpected},
    )
    app.state.feed = _NoStreams()
    app.state.open_to_all = False
    return app
