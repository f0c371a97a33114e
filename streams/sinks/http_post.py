"""One address that JSON is POSTed to, and what its answers mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import urllib3

from streams.sinks.retries import Later, Outcome, outcome_of

MAX_RESPONSE = 2048
"""Bytes of an answer that are read. Nothing in it is used; a short one lets the connection live on."""


class Answer(NamedTuple):
    outcome: Outcome
    status: int
    """0 where there was no answer."""


class HttpPost:
    """For one thread at a time. `place` may be logged and shown: path, query and user, which often hold
    a secret, are not in it."""

    def __init__(self, url: str, *, user_agent: str, timeout_s: float = 10.0) -> None:
        parts = urlsplit(url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        self.place = f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")
        self._url = parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment="").geturl()
        self._headers = {"Content-Type": "application/json", "User-Agent": user_agent}
        if parts.username is not None:
            login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self._headers |= urllib3.make_headers(basic_auth=login)
        self._timeout_s = timeout_s
        self._pool = urllib3.PoolManager(
            maxsize=1,
            retries=False,
            timeout=urllib3.Timeout(connect=min(timeout_s, 5.0), read=timeout_s),
        )

    def send(self, body: bytes, headers: Mapping[str, str], now: float) -> Answer:
        """Never raises for what the network or the receiver does."""
        try:
            response = self._pool.request(
                "POST", self._url, body=body, headers=self._headers | dict(headers), redirect=False,
                preload_content=False,
            )  # fmt: skip
        except urllib3.exceptions.HTTPError as err:
            return Answer(Later(_reason(err, self._timeout_s)), 0)
        _finish(response)
        outcome = outcome_of(response.status, response.headers.get("Retry-After"), now)
        return Answer(outcome, response.status)


def _finish(response: urllib3.BaseHTTPResponse) -> None:
    """Leaves the connection for the next delivery, unless the answer's body is long or broken."""
    try:
        is_short = len(response.read(MAX_RESPONSE, decode_content=False)) < MAX_RESPONSE
    except urllib3.exceptions.HTTPError:
        is_short = False
    if is_short:
        response.release_conn()
    else:
        response.close()


def _reason(error: urllib3.exceptions.HTTPError, timeout_s: float) -> str:
    """Without the address, which urllib3 puts into its messages."""
    if isinstance(error, urllib3.exceptions.NameResolutionError):
        return "its name can't be resolved"
    if isinstance(error, urllib3.exceptions.NewConnectionError):
        return "nothing answers there"
    if isinstance(error, urllib3.exceptions.TimeoutError):
        return f"no answer within {timeout_s:g} s"
    if isinstance(error, urllib3.exceptions.SSLError):
        return "its certificate is not accepted"
    return f"the connection broke ({type(error).__name__})"
