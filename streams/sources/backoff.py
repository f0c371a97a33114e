"""How long to wait before the next try to connect. No clock and no I/O."""

from __future__ import annotations

import random

FIRST_WAIT_S = 1.0
MAX_WAIT_S = 60.0
#: A longer Retry-After is a mistake or ill will; after an hour we ask once more.
MAX_RETRY_AFTER_S = 3_600.0
#: A connection that was cut sooner is waited for, so that a server that cuts at once isn't hammered.
SETTLED_AFTER_S = 5.0


def next_try(wait_s: float, at_once: str = "trying now") -> str:
    """For a person: whole seconds, of which 0 would say nothing."""
    return f"next try in {max(round(wait_s), 1)} s" if wait_s > 0 else at_once


class Backoff:
    """Waits grow by two from failure to failure, each between half and all of its size by `rng`, so
    that clients cut together don't come back together."""

    def __init__(
        self, rng: random.Random, first_s: float = FIRST_WAIT_S, max_s: float = MAX_WAIT_S
    ) -> None:
        self._rng = rng
        self._first_s = first_s
        self._max_s = max_s
        self.failures = 0
        self.server_wait_s: float | None = None
        """Set by the stream's `retry:`. It is the wait after each cut and the first after failures."""

    def alive(self) -> None:
        """The stream has carried something: what failed before is forgotten."""
        self.failures = 0

    def after_cut(self, connected_s: float) -> float:
        """The stream was cut after it had carried something: normal every 15 minutes."""
        if self.server_wait_s is not None:
            return self.server_wait_s
        return 0.0 if connected_s >= SETTLED_AFTER_S else self.after_failure()

    def after_failure(self, retry_after_s: float | None = None) -> float:
        """Never less than the server asked for."""
        first = self._first_s if self.server_wait_s is None else max(self.server_wait_s, 0.001)
        whole = min(self._max_s, first * 2.0 ** min(self.failures, 30))
        self.failures += 1
        wait = whole * self._rng.uniform(0.5, 1.0)
        return max(wait, min(retry_after_s or 0.0, MAX_RETRY_AFTER_S))
