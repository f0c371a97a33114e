"""One try to reach an SSE stream: redirects, refusals, and what went wrong in words for a person."""

from __future__ import annotations

import contextlib
import socket
import threading
from email.utils import formatdate
from http.client import HTTPException
from urllib.parse import SplitResult, urljoin, urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    ReadTimeoutError,
    SSLError,
)

from streams.content.throttle import retry_after_s
from streams.errors import SourceUnavailable

MAX_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
#: What reading a connection can raise. ValueError: a chunk size or header that is none.
NETWORK_ERRORS = (HTTPError, HTTPException, OSError, ValueError)
_PORTS = {"http": 80, "https": 443}


_running = threading.local()
"""`attempt` that a thread is making."""


class _Plain(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _told(super()._new_conn())


class _Tls(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _told(super()._new_conn())  # before TLS, whose handshake may drip as well


class _PlainPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Plain


class _TlsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _Tls


def pools() -> urllib3.PoolManager:
    """What an `Attempt` connects through: it can let go of a connection before its answer has come."""
    http = urllib3.PoolManager(num_pools=2, maxsize=1, retries=False)
    http.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}
    return http


def _told(connection: socket.socket) -> socket.socket:
    attempt: Attempt | None = getattr(_running, "attempt", None)
    if attempt is not None:
        attempt.opened(connection)
    return connection


class Attempt:
    """One try to connect, redirects within the host included. Run by a thread; whoever waits takes
    its result or abandons it, which ends the thread: a server that sends its head byte by byte never
    runs into the timeout of a read."""

    def __init__(
        self, http: urllib3.PoolManager, url: str, headers: dict[str, str], timeout: urllib3.Timeout
    ) -> None:
        self.done = threading.Event()
        self._http = http
        self._url = url
        self._headers = headers
        self._timeout = timeout
        self._lock = threading.Lock()
        self._abandoned = False
        self._response: urllib3.BaseHTTPResponse | None = None
        self._failure: SourceUnavailable | None = None
        self._socket: socket.socket | None = None
        """A duplicate of the connection's, until the answer's head has come."""

    def run(self) -> None:
        _running.attempt = self
        try:
            self._http.clear()  # a connection that was kept would not be told of
            response = self._ask()
        except SourceUnavailable as err:
            self._failure = err
        else:
            with self._lock:
                self._response = response
                if self._abandoned:
                    response.close()
        finally:
            self._forget_socket()
            self.done.set()

    def opened(self, connection: socket.socket) -> None:
        self._forget_socket()
        with self._lock:
            self._socket = connection.dup()
            if self._abandoned:
                _hang_up(self._socket)

    def result(self) -> urllib3.BaseHTTPResponse:
        if self._response is None:
            raise self._failure or SourceUnavailable("no answer")
        return self._response

    def abandon(self) -> None:
        with self._lock:
            self._abandoned = True
            if self._response is not None:
                self._response.close()
            if self._socket is not None:
                _hang_up(self._socket)

    def _forget_socket(self) -> None:
        with self._lock:
            if self._socket is not None:
                self._socket.close()
                self._socket = None

    def _ask(self) -> urllib3.BaseHTTPResponse:
        url = self._url
        for _ in range(MAX_REDIRECTS + 1):
            try:
                response = self._http.request(
                    "GET",
                    url,
                    headers=self._headers,
                    timeout=self._timeout,
                    preload_content=False,
                    redirect=False,
                )
            except NETWORK_ERRORS as err:
                raise SourceUnavailable(reason(err, float(self._timeout.read_timeout or 0))) from None
            if response.status not in _REDIRECTS:
                return _checked(response)
            location = response.headers.get("Location", "")
            response.close()
            try:
                target = urljoin(url, location)
                place = urlsplit(target)
            except ValueError:
                raise SourceUnavailable(f"redirects to what is no URL: {location!r:.100}") from None
            if not _same_place(urlsplit(url), place):
                raise SourceUnavailable(f"redirects to another host: {place.netloc!r:.100}")
            url = target
        raise SourceUnavailable(f"redirects more than {MAX_REDIRECTS} times")


def _checked(response: urllib3.BaseHTTPResponse) -> urllib3.BaseHTTPResponse:
    """The response if it is a stream. Raises `SourceUnavailable` with how long the server asks to
    wait, if it does."""
    status, headers = response.status, response.headers
    if status == 200:
        kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind == "text/event-stream":
            return response
        why = f"answers with {kind or 'no content type'!r:.60}, not an event stream"
    elif status == 204:
        why = "HTTP 204: has nothing to stream"
    else:
        why = f"HTTP {status} {response.reason or ''!s:.60}".rstrip()
    response.close()
    wait = retry_after_s(headers.get("Retry-After"), headers.get("Date") or formatdate(usegmt=True))
    raise SourceUnavailable(why, wait)


def _same_place(one: SplitResult, other: SplitResult) -> bool:
    """Same scheme, host and port, or the same host's http turned into https."""
    try:
        ports = one.port or _PORTS.get(one.scheme), other.port or _PORTS.get(other.scheme)
    except ValueError:
        return False
    if one.hostname != other.hostname or other.scheme not in _PORTS:
        return False
    if one.scheme == other.scheme:
        return ports[0] == ports[1]
    return one.scheme == "http" and ports == (80, 443)


def _hang_up(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it has ended by itself
        connection.shutdown(socket.SHUT_RDWR)


def reason(err: Exception, waited_s: float) -> str:
    """One line for a person."""
    if isinstance(err, NameResolutionError):
        return "its name can't be resolved"
    if isinstance(err, ReadTimeoutError | TimeoutError):
        return f"silent for {waited_s:g} s"
    if isinstance(err, ConnectTimeoutError) and not isinstance(err, NewConnectionError):
        return "can't be reached: no answer to the connection"
    if isinstance(err, NewConnectionError):
        return f"can't be reached: {str(err).rpartition('] ')[2] or err}"
    if isinstance(err, SSLError):
        return " ".join(f"TLS: {err}".split())[:200]
    if len(err.args) > 1 and isinstance(err.args[-1], Exception):
        err = err.args[-1]  # urllib3 wraps what http.client or the socket said
    return " ".join(f"the connection broke: {err}".split())[:200]
