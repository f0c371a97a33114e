"""An SSE stream that is read for ever: it connects, reads, and connects again where it was cut.

Stands in for sseclient's `SSEClient`, over urllib3 itself: that one reads below HTTP's chunks, waits
for ever on a silent connection, lets HTTP errors out of the iterator and prints. What is left of
sseclient is in `sse_parser`.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import urllib3

from streams.errors import SourceUnavailable
from streams.sources.backoff import Backoff, next_try
from streams.sources.base import SourceStatus
from streams.sources.sse_connect import NETWORK_ERRORS, Attempt, pools, reason
from streams.sources.sse_parser import SseEvent, SseParser

CONNECT_TIMEOUT_S = 10.0
#: `read1` returns what one read of the socket gave, at most this much.
READ_BYTES = 1 << 16
#: How often a wait for an answer looks whether it was closed.
POLL_S = 0.1
#: Lines without an event are told of at most this often: most are the first half of one.
LIFE_EVERY_S = 1.0


class SseClient:
    """One stream. `events` is iterated by one thread; `status` and `close` may be called by any.

    A 204 does not end it, as it would a browser's: a watcher that stops for good on one wrong answer
    is worse than one that asks again each minute.
    """

    def __init__(
        self,
        url: str,
        user_agent: str,
        *,
        stall_after_s: float,
        max_event_bytes: int = 1 << 20,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
        backoff: Backoff | None = None,
    ) -> None:
        self._url = url
        self._user_agent = user_agent
        self._stall_after_s = stall_after_s
        self._max_event_bytes = max_event_bytes
        self._connect_timeout_s = connect_timeout_s
        self._backoff = backoff or Backoff(random.Random())  # noqa: S311  # spreads load, keeps no secret
        self._host = urlsplit(url).netloc.rpartition("@")[2]
        self._http = pools()
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._response: urllib3.BaseHTTPResponse | None = None
        self._state, self._detail = "connecting", self._host
        self._next_try: float | None = None
        self._last_life: float | None = None
        self.last_id = ""

    def events(self, last_id: str) -> Iterator[SseEvent | None]:
        """Everything after `last_id` (empty: from now), as soon as its blank line has come. None is
        a sign of life without an event. Ends after `close` only; never raises for an outage."""
        self.last_id = last_id
        try:
            while not self._closing.is_set():
                try:
                    response = self._connect()
                except SourceUnavailable as err:
                    self._wait(str(err), self._backoff.after_failure(err.retry_after_s))
                    continue
                if response is None:
                    break
                connected_at = time.monotonic()
                alive = False
                why = "the server closed the connection"
                parser = SseParser(self.last_id, self._max_event_bytes)
                try:
                    for found in self._read(response, parser):
                        if not alive:
                            alive = True
                            self._backoff.alive()
                        yield found
                except SourceUnavailable as err:
                    why = str(err)
                finally:
                    self._let_go(response)
                connected_s = time.monotonic() - connected_at
                backoff = self._backoff
                self._wait(why, backoff.after_cut(connected_s) if alive else backoff.after_failure())
        finally:
            self._http.clear()

    def status(self) -> SourceStatus:
        state, detail, at = self._state, self._detail, self._next_try
        if state == "retrying" and at is not None:
            detail = f"{detail}; {next_try(at - time.monotonic())}"
        return SourceStatus(state, detail, self._last_life)

    def close(self) -> None:
        """Ends a blocked read, wait or connect of the iterating thread within a second."""
        with self._lock:
            self._closing.set()
            self._state, self._detail, self._next_try = "closed", self._host, None
            if self._response is not None:
                _shut_down(self._response)

    def _say(self, state: str, detail: str, next_try: float | None = None) -> None:
        with self._lock:
            if not self._closing.is_set():
                self._next_try = next_try
                self._detail, self._state = detail, state

    def _wait(self, why: str, wait_s: float) -> None:
        if wait_s > 0:
            self._say("retrying", f"{self._host}: {why}", time.monotonic() + wait_s)
            self._closing.wait(wait_s)
        else:
            self._say("connecting", f"{self._host}: {why}; connecting again")

    def _connect(self) -> urllib3.BaseHTTPResponse | None:
        """An answered stream, or None once closed. Asks in a thread of its own, since neither a name's
        resolution nor a connection under way can be interrupted."""
        if self._state != "connecting":
            self._say("connecting", self._host)
        attempt = Attempt(self._http, self._url, self._headers(), self._timeout())
        threading.Thread(target=attempt.run, name="sse-connect", daemon=True).start()
        patience = time.monotonic() + self._connect_timeout_s + self._stall_after_s
        while not attempt.done.wait(POLL_S):
            if self._closing.is_set() or time.monotonic() > patience:
                attempt.abandon()
                if self._closing.is_set():
                    return None
                raise SourceUnavailable(f"no answer within {self._stall_after_s:g} s")
        response = attempt.result()
        with self._lock:
            if self._closing.is_set():
                response.close()
                return None
            self._response = response
        self._say("connected", self._host)
        return response

    def _headers(self) -> dict[str, str]:
        headers = {
            "User-Agent": self._user_agent,
            "Accept": "text/event-stream",
            "Cache-Control": "no-cache",
            "Accept-Encoding": "identity",  # packing may hold events back; it is read if it comes
        }
        if self.last_id:
            # http.client writes Latin-1; the standard wants the id's own UTF-8.
            headers["Last-Event-ID"] = self.last_id.encode().decode("latin-1")
        return headers

    def _timeout(self) -> urllib3.Timeout:
        return urllib3.Timeout(connect=self._connect_timeout_s, read=self._stall_after_s)

    def _read(self, response: urllib3.BaseHTTPResponse, parser: SseParser) -> Iterator[SseEvent | None]:
        lines = 0
        told = -LIFE_EVERY_S
        life = time.monotonic()
        while True:
            try:
                chunk = response.read1(READ_BYTES)
            except NETWORK_ERRORS as err:
                if self._closing.is_set():
                    return
                raise SourceUnavailable(reason(err, self._stall_after_s)) from None
            if not chunk or self._closing.is_set():
                return
            events = parser.feed(chunk)
            if parser.retry_ms is not None:
                self._backoff.server_wait_s = parser.retry_ms / 1000
            now = time.monotonic()
            if parser.lines > lines:
                lines = parser.lines
                life = now
                self._last_life = time.time()
                for event in events:
                    self.last_id = event.last_id
                    yield event
                self.last_id = parser.last_id
                if events:
                    told = now
                elif now - told >= LIFE_EVERY_S:
                    told = now
                    yield None
                life = time.monotonic()  # a slow consumer is no silence
            elif now - life > self._stall_after_s:
                raise SourceUnavailable(f"no whole line within {self._stall_after_s:g} s")

    def _let_go(self, response: urllib3.BaseHTTPResponse) -> None:
        with self._lock:
            self._response = None
        response.close()


def _shut_down(response: urllib3.BaseHTTPResponse) -> None:
    try:
        response.shutdown()
    except (OSError, ValueError, RuntimeError):
        return  # it has ended by itself
