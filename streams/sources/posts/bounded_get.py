"""One HTTP GET of something small, bounded in bytes and time."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from email.utils import formatdate

import urllib3
from urllib3.exceptions import HTTPError

from streams.content.throttle import retry_after_s
from streams.errors import SourceUnavailable
from streams.sources.sse_connect import reason

CONNECT_TIMEOUT_S = 10.0
#: Between two reads, and of the whole answer.
READ_TIMEOUT_S = 10.0
WHOLE_TIMEOUT_S = 30.0
_BLOCK_BYTES = 1 << 16


class BadAnswer(SourceUnavailable):
    """An answer came, with another status than 200."""

    def __init__(self, status: int, retry_after_s: float | None) -> None:
        super().__init__(f"HTTP {status}", retry_after_s)
        self.status = status


def bounded_get(
    url: str, headers: Mapping[str, str], max_bytes: int, kept: urllib3.PoolManager | None = None
) -> bytes:
    """The answer's body. `kept` holds the connection for the next call. Raises `BadAnswer` or `SourceUnavailable`, whose message names neither `url`
    nor `headers`. Redirects are not followed: no answer names a host to call."""
    until = time.monotonic() + WHOLE_TIMEOUT_S
    timeout = urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=READ_TIMEOUT_S)
    body = bytearray()
    with contextlib.ExitStack() as stack:
        http = kept or stack.enter_context(urllib3.PoolManager(retries=False))
        try:
            response = http.request(
                "GET",
                url,
                headers={**headers, "Accept-Encoding": "identity"},
                timeout=timeout,
                redirect=False,
                preload_content=False,
            )
            if response.status != 200:
                told = response.headers
                date = told.get("Date") or formatdate(usegmt=True)
                response.close()
                raise BadAnswer(response.status, retry_after_s(told.get("Retry-After"), date))
            while block := response.read1(_BLOCK_BYTES, decode_content=False):
                body += block
                if len(body) > max_bytes:
                    response.close()
                    raise SourceUnavailable(f"an answer of more than {max_bytes:,} bytes")
                if time.monotonic() > until:
                    response.close()
                    raise SourceUnavailable(f"no whole answer within {WHOLE_TIMEOUT_S:g} s")
        except (HTTPError, OSError, ValueError) as err:
            raise SourceUnavailable(reason(err, READ_TIMEOUT_S)) from None
    return bytes(body)
