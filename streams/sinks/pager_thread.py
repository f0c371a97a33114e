"""The thread of a `PagerReceiver`: its beginning and end, waits that a stop cuts short, and trouble, which is
said once."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from streams.sinks.retries import Later, Refused
from streams.sources.backoff import next_try
from streams.web.status import Part

log = logging.getLogger("factwatch.pager")


class PagerThread:
    """`news` guards what the receiver keeps for its thread, and is notified of more of it."""

    def __init__(self, run: Callable[[], None], name: str, place: str, meanwhile: str) -> None:
        """`run` returns when `stopping` and all is told, or it is `out_of_time`. `place`: who is told.
        `meanwhile`: what becomes of incidents that are not taken."""
        self.news = threading.Condition()
        self.stopping = False
        self._place = place
        self._meanwhile = meanwhile
        self._drain_until = 0.0
        self._trouble = ""
        self._next_try = 0.0
        self._thread = threading.Thread(target=run, name=f"pager-{name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, drain_s: float) -> None:
        """What waits may be told for so long."""
        with self.news:
            self._drain_until = time.monotonic() + drain_s
            self.stopping = True
            self.news.notify_all()
        if self._thread.ident is not None:
            self._thread.join(drain_s + 1.0)

    @property
    def out_of_time(self) -> bool:
        return self.stopping and time.monotonic() >= self._drain_until

    def wait(self, delay_s: float) -> bool:
        """Before the next try. False when it is out of time before that."""
        until = self._next_try = time.monotonic() + delay_s
        with self.news:
            while (left_s := until - time.monotonic()) > 0:
                if self.out_of_time:
                    return False
                if self.stopping:
                    left_s = min(left_s, self._drain_until - time.monotonic())
                self.news.wait(max(left_s, 0.0))
        return True

    def refused(self, outcome: Later | Refused) -> None:
        """One log line a new trouble, not one a try."""
        trouble = f"{self._place}: {outcome.reason}; {self._meanwhile}"
        if trouble != self._trouble:
            log.warning("%s", trouble)
        self._trouble = trouble

    def taken(self) -> None:
        if self._trouble:
            log.info("%s: takes incidents again", self._place)
        self._trouble = ""

    def status(self, well: str) -> Part:
        """A receiver that is down makes us no less ready: what it was not told is told later."""
        if not self._thread.is_alive() and not self.stopping:
            return Part(False, f"the thread that tells {self._place} has ended: see the log")
        if self._trouble:
            wait_s = self._next_try - time.monotonic()
            return Part(False, f"{self._trouble}; {next_try(wait_s)}", needed=False)
        return Part(True, f"{well} {self._place}", needed=False)
