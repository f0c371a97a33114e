"""How a live source stands: what a person reads of it, what it lost, and whether it is closed."""

from __future__ import annotations

import logging
import threading
import time

from streams.sources.backoff import next_try
from streams.sources.base import SourceStatus

log = logging.getLogger(__name__)


class Standing:
    """Of one source. Written by the thread that iterates it, read and closed by any."""

    def __init__(self, host: str) -> None:
        self.closing = threading.Event()
        self._host = host
        self._lock = threading.Lock()
        self._state, self._detail = "connecting", host
        self._next_try: float | None = None
        self._last_life: float | None = None
        self._loss = ""

    def alive(self) -> None:
        """Something came just now."""
        self._last_life = time.time()

    def connecting(self, why: str = "") -> None:
        self._say("connecting", f"{self._host}: {why}" if why else self._host)

    def connected(self) -> None:
        self._say("connected", self._host)

    def wait(self, why: str, wait_s: float) -> None:
        """Returns after `wait_s`, or as soon as it is closed."""
        if wait_s > 0:
            self._say("retrying", f"{self._host}: {why}", time.monotonic() + wait_s)
            self.closing.wait(wait_s)
        else:
            self.connecting(f"{why}; connecting again")

    def lost(self, what: str) -> None:
        """Something can't be had any more: logged, and part of the status from now on. `what` is one
        line; what it quotes is escaped."""
        log.warning("%s: %s", self._host, what)
        moment = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
        self._loss = f"loss at {moment}: {what}"

    def close(self) -> None:
        with self._lock:
            self.closing.set()
            self._state, self._detail, self._next_try = "closed", self._host, None

    def status(self, inner: SourceStatus | None = None) -> SourceStatus:
        """`inner` is that of a client which does the connecting, while there is one."""
        if inner is not None:
            state, detail, life = inner.state, inner.detail, inner.last_item_time
        else:
            state, detail, life, at = self._state, self._detail, self._last_life, self._next_try
            if state == "retrying" and at is not None:
                detail = f"{detail}; {next_try(at - time.monotonic())}"
        if self._loss:
            detail = f"{detail}; {self._loss}"
        return SourceStatus(state, detail, life)

    def _say(self, state: str, detail: str, next_try: float | None = None) -> None:
        with self._lock:
            if not self.closing.is_set():
                self._next_try = next_try
                self._detail, self._state = detail, state
