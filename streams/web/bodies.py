"""Reading a request's body within bounds."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from starlette.requests import ClientDisconnect, Request

from streams.web.problems import Problem


async def read_body(request: Request, max_bytes: int, timeout_s: float) -> bytes:
    """Counted as it comes: a Content-Length is only what a client says. Raises `Problem` (413, 408, 400)."""
    body = bytearray()
    try:
        async with asyncio.timeout(timeout_s):
            async for chunk in request.stream():
                body += chunk
                if len(body) > max_bytes:
                    raise hung_up(413, f"More than {max_bytes:,} bytes: send less in one request.")
    except TimeoutError:
        raise hung_up(408, f"The body did not come within {timeout_s:g} s.") from None
    except ClientDisconnect:
        raise hung_up(400, "The body did not come whole.") from None
    return bytes(body)


def hung_up(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Problem:
    """The rest of the body is not read."""
    return Problem(status, detail, {**(headers or {}), "Connection": "close"})
