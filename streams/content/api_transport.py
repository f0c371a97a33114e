"""One call of an Action API: which host, when, how much of the answer, and what went wrong.

Everything that goes out to a wiki goes through `ApiTransport.ask`, so that its bounds hold for all of
it: hosts of the configured list only, no redirects, at most 3 calls at once and 200 a minute over all
hosts, Retry-After and maxlag honoured, answers bounded in bytes and time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec
import urllib3
from urllib3.exceptions import HTTPError

from streams.content.outcomes import FetchFailure, FetchOutcome, one_line
from streams.content.revisions import ApiAnswer
from streams.content.throttle import HostGate, TokenBucket, retry_after_s
from streams.sources.backoff import next_try

PER_MINUTE = 200.0
"""Wikimedia's limit for a compliant User-Agent; 10 without one."""
AT_ONCE = 3
MAX_ANSWER_BYTES = 32 * 1024 * 1024
"""After gunzip. MediaWiki itself cuts at about 8 to 12 MiB ($wgAPIMaxResultSize)."""
CALL_TIMEOUT_S = 30.0
CONNECT_TIMEOUT_S = 5.0
SLOW_S = 5.0
"""A call that took this long and ran into the deadline counts against the host."""
BLOCK = 65_536
POLL_S = 0.1
REFUSALS = frozenset({401, 403, 429, 503})
REFUSING_CODES = frozenset({"maxlag", "ratelimited", "readapidenied", "blocked", "assertuserfailed"})

AnswerT = TypeVar("AnswerT", bound=ApiAnswer)


class _Fault(msgspec.Struct, frozen=True):
    """A call that gave no usable answer."""

    detail: str
    refused: bool = False
    too_large: bool = False
    retry_after_s: float | None = None


class ApiTransport:
    """Thread-safe. `hosts` maps a wiki to its host (from the settings, never from an event);
    `template` is the API's address with `{server_name}`. `now` and `sleep` are for tests."""

    def __init__(
        self,
        hosts: Mapping[str, str],
        template: str,
        user_agent: str,
        *,
        per_minute: float = PER_MINUTE,
        at_once: int = AT_ONCE,
        max_answer_bytes: int = MAX_ANSWER_BYTES,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        self._urls = {
            wiki: template.replace("{server_name}", host)
            for wiki, host in hosts.items()
            if wiki != "*" and host
        }
        self._hosts = dict(hosts)
        self._max_answer_bytes = max_answer_bytes
        self._now = now
        self._closed = threading.Event()
        self._sleep = sleep or self._closed.wait
        self._lock = threading.Lock()
        self._places = threading.Semaphore(at_once)
        self._bucket = TokenBucket(per_minute, now())
        self._gates: dict[str, HostGate] = {wiki: HostGate() for wiki in self._urls}
        self._calls = 0
        self._warning = ""
        self._http = urllib3.PoolManager(
            num_pools=max(1, min(32, len(self._urls))),
            maxsize=at_once,
            retries=False,
            headers={
                "User-Agent": user_agent,
                "Accept": "application/json",
                **urllib3.util.make_headers(accept_encoding="gzip"),
            },
        )

    @property
    def closed(self) -> bool:
        return self._closed.is_set()

    def lists(self, wiki: str) -> bool:
        return wiki in self._urls

    def ask(
        self, wiki: str, params: Mapping[str, str], answer_type: type[AnswerT], deadline: float
    ) -> AnswerT | FetchFailure:
        """The answer, or why there is none by `deadline` (on the clock `now`). Tries again while the
        deadline leaves room. Returns TOO_LARGE at once: the caller asks for less."""
        url = self._urls.get(wiki)
        if url is None:
            return FetchFailure(FetchOutcome.NOT_LISTED)
        fields = {**params, "format": "json", "formatversion": "2", "maxlag": "5"}
        gate = self._gates[wiki]
        while True:
            blocked = self._wait_for_turn(gate, deadline)
            if blocked is not None:
                return blocked
            called_at = self._now()
            try:
                answer = self._call(url, fields, answer_type, deadline)
            finally:
                self._places.release()
            with self._lock:
                if not isinstance(answer, _Fault):
                    gate.succeeded()
                    if answer.warnings:
                        self._warning = one_line(
                            bytes(next(iter(answer.warnings.values()))).decode("utf-8", "replace")
                        )
                    return answer
                if answer.too_large:
                    gate.succeeded()
                    return FetchFailure(FetchOutcome.TOO_LARGE, answer.detail)
                now = self._now()
                if now >= deadline and now - called_at < SLOW_S:
                    gate.let_go(now)  # it had no time to answer: nothing against the host
                    return FetchFailure(FetchOutcome.DEADLINE, answer.detail)
                gate.failed(now, called_at, answer.retry_after_s, answer.refused, answer.detail)
                if now >= deadline and not answer.refused:
                    return FetchFailure(FetchOutcome.DEADLINE, answer.detail)

    def pause(self, seconds: float) -> None:
        self._sleep(seconds)

    def status(self) -> str:
        """One line for a person."""
        now = self._now()
        with self._lock:
            troubled = [
                f"{one_line(self._hosts[wiki])}: {gate.detail},"
                f" {next_try(gate.wait_s(now), 'next try with the next edit')}"
                for wiki, gate in self._gates.items()
                if gate.failures
            ]
            calls, warning = self._calls, self._warning
        if self.closed:
            return "closed"
        if troubled:
            return "backing off from " + "; ".join(troubled[:3])
        if not self._urls:
            return "no wiki is listed, so no texts are fetched"
        if calls == 0:
            return "nothing asked yet"
        return f"serving, {calls} calls" + (f", last warning: {warning}" if warning else "")

    def close(self) -> None:
        self._closed.set()
        self._http.clear()

    def _wait_for_turn(self, gate: HostGate, deadline: float) -> FetchFailure | None:
        """Waits for the host, a free place and the rate; None when the call may go out, the place
        being taken. Does not wait when it is known that the deadline comes first."""
        while not self.closed:
            now = self._now()
            wait_s = gate.wait_s(now)
            if wait_s > 0:
                if now + wait_s >= deadline:
                    reason = FetchOutcome.REFUSED if gate.refused else FetchOutcome.ERROR
                    return FetchFailure(reason, gate.detail)
                self._sleep(min(wait_s, POLL_S))
                continue
            if not self._places.acquire(timeout=POLL_S):
                if self._now() >= deadline:
                    return FetchFailure(FetchOutcome.DEADLINE, "all places are taken")
                continue
            with self._lock:
                now = self._now()
                stopped = gate.wait_s(now) > 0  # another call failed meanwhile
                turn_s = None if stopped else self._bucket.reserve(now, deadline - now)
                if turn_s is not None:
                    gate.enter(now, turn_s + CALL_TIMEOUT_S)
                    self._calls += 1
            if turn_s is not None:
                if turn_s > 0:
                    self._sleep(turn_s)
                return None
            self._places.release()
            if not stopped:
                return FetchFailure(FetchOutcome.DEADLINE, "the rate limit leaves no room")
        return FetchFailure(FetchOutcome.ERROR, "closed")

    def _call(
        self, url: str, fields: Mapping[str, str], answer_type: type[AnswerT], deadline: float
    ) -> AnswerT | _Fault:
        left_s = max(0.05, min(CALL_TIMEOUT_S, deadline - self._now()))
        try:
            response = self._http.request(
                "GET",
                url,
                fields=dict(fields),
                redirect=False,
                preload_content=False,
                timeout=urllib3.Timeout(connect=min(CONNECT_TIMEOUT_S, left_s), read=left_s),
            )
        except HTTPError as err:
            return _Fault(f"no connection ({type(err).__name__})")
        whole = False
        try:
            body = self._read(response, deadline)
            whole = isinstance(body, bytes)
        except HTTPError as err:
            body = _Fault(f"the answer broke off ({type(err).__name__})")
        finally:
            if whole:
                response.release_conn()
            else:
                response.close()  # unread bytes must not meet the next call
        later_s = retry_after_s(response.headers.get("Retry-After"), response.headers.get("Date"))
        if response.status in REFUSALS:
            hint = " (is the User-Agent compliant?)" if response.status == 403 else ""
            return _Fault(f"HTTP {response.status}{hint}", refused=True, retry_after_s=later_s)
        if 300 <= response.status < 400:
            return _Fault(f"HTTP {response.status}: redirects are not followed")
        if response.status != 200:
            return _Fault(f"HTTP {response.status}", retry_after_s=later_s)
        if isinstance(body, _Fault):
            return body
        return _understand(body, answer_type, later_s)

    def _read(self, response: urllib3.BaseHTTPResponse, deadline: float) -> bytes | _Fault:
        """The body, block by block: a slow drip ends at the deadline, a flood at the byte bound."""
        blocks: list[bytes] = []
        size = 0
        while block := response.read1(BLOCK):
            size += len(block)
            if size > self._max_answer_bytes:
                return _Fault(f"over {self._max_answer_bytes} bytes", too_large=True)
            if self.closed or self._now() >= deadline:
                return _Fault("the answer came too slowly")
            blocks.append(block)
        return b"".join(blocks)


def _understand(body: bytes, answer_type: type[AnswerT], later_s: float | None) -> AnswerT | _Fault:
    try:
        answer = msgspec.json.decode(body, type=answer_type)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as err:
        kind = "HTML" if body.lstrip()[:1] == b"<" else "no JSON we know"
        return _Fault(f"answered {kind} ({one_line(str(err), 80)})", retry_after_s=later_s)
    if answer.error is not None:
        code = one_line(answer.error.code, 40)
        return _Fault(f"API error {code}", answer.error.code in REFUSING_CODES, retry_after_s=later_s)
    return answer
