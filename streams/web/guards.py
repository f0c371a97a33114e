"""What stands in front of every request: the host check, the headers, the tokens. Pure ASGI, so that a
stream passes through unbuffered."""

from __future__ import annotations

import ipaddress
import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from streams.web.problems import problem_response
from streams.web.tokens import Scope as TokenScope
from streams.web.tokens import Tokens

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
POSTS_PATH = "/v1/posts"
VERDICT_STARTS, VERDICT_ENDS = "/v1/alerts/", "/verdict"
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]*\]|[^:\[\]]*)(?::[0-9]*)?")
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def is_loopback(host: str) -> bool:
    """Of a bind address or the host part of a Host header, brackets and all."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.removeprefix("[").removesuffix("]")).is_loopback
    except ValueError:
        return False


class LoopbackHosts:
    """Answers only requests to a loopback name. A page elsewhere whose name was made to resolve to
    127.0.0.1 (DNS rebinding) sends its own name in Host, and reads nothing."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not is_loopback(_host_of(Headers(scope=scope).get("host", ""))):
            refusal = problem_response(
                421,
                "Bound to a loopback address, so only http://localhost and http://127.0.0.1 are "
                "answered. A proxy in front must send `Host: localhost`; or set FACTWATCH_HTTP_BIND.",
            )
            await refusal(scope, receive, send)
            return
        await self.app(scope, receive, send)


class SecurityHeaders:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(SECURITY_HEADERS)
                # Pages and scripts are revalidated by their ETag; what the store says is never kept.
                headers.setdefault("Cache-Control", "no-cache" if "etag" in headers else "no-store")
            await send(message)

        await self.app(scope, receive, send_with_headers)


class BearerTokens:
    """/v1 wants a token with `read`. The page itself, /metrics and the health checks are open: they
    carry no text of the wikis. `POST /v1/posts` and verdicts ask for scopes of their own (`PostIntake`,
    `verdict_route`)."""

    def __init__(self, app: ASGIApp, tokens: Tokens | None) -> None:
        self.app = app
        self.tokens = tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.tokens is not None and _is_read(scope):
            kind, _, token = Headers(scope=scope).get("authorization", "").partition(" ")
            granted = self.tokens.scopes_of(token.strip()) if kind.lower() == "bearer" else None
            if granted is None:
                refusal = problem_response(
                    401,
                    "Send `Authorization: Bearer TOKEN` with a token of FACTWATCH_API_TOKENS_FILE.",
                    {"WWW-Authenticate": 'Bearer realm="factwatch"'},
                )
                await refusal(scope, receive, send)
                return
            if TokenScope.READ not in granted:
                refusal = problem_response(
                    403,
                    "This token has no scope `read`: add it to its line in the tokens file.",
                    {"WWW-Authenticate": 'Bearer error="insufficient_scope", scope="read"'},
                )
                await refusal(scope, receive, send)
                return
        await self.app(scope, receive, send)


def _is_read(scope: Scope) -> bool:
    path = scope["path"] if scope["type"] == "http" else ""
    if not path.startswith("/v1"):
        return False
    writes = path == POSTS_PATH or (path.startswith(VERDICT_STARTS) and path.endswith(VERDICT_ENDS))
    return not (writes and scope["method"] == "POST")


def _host_of(header: str) -> str:
    """`localhost:8080` -> `localhost`, `[::1]:8080` -> `[::1]`; nothing of what is no host and port."""
    found = _HOST.fullmatch(header)
    return found[1] if found is not None else ""
