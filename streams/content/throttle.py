"""When the next call may go out: the rate over all hosts, and what each host last said. No clock and
no I/O in here: `now` is monotonic seconds, passed in."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

FIRST_BACKOFF_S = 1.0
MAX_BACKOFF_S = 300.0
MAX_RETRY_AFTER_S = 3600.0
"""A longer Retry-After is a mistake or ill will; after an hour we ask once more."""


class TokenBucket:
    """At most `per_minute` calls in any 60 s: `burst` at once, the rest evenly."""

    def __init__(self, per_minute: float, now: float, burst: int | None = None) -> None:
        self._burst = min(burst if burst is not None else 20, max(1, int(per_minute) // 2))
        self._per_second = max(per_minute - self._burst, per_minute / 4) / 60
        self._tokens = float(self._burst)
        self._at = now

    def reserve(self, now: float, most_wait_s: float) -> float | None:
        """Seconds to wait before calling, the place being kept; None where that is over
        `most_wait_s`, and then nothing is taken."""
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._per_second)
        self._at = now
        wait_s = max(0.0, (1 - self._tokens) / self._per_second)
        if wait_s > most_wait_s:
            return None
        self._tokens -= 1
        return wait_s


class HostGate:
    """Backs off from one host: Retry-After where it says one, else 1, 2, 4 … 300 s. After a failure
    one call at a time goes out to see whether it serves again."""

    def __init__(self) -> None:
        self.failures = 0
        """Failures in a row; calls that were under way together count as one."""
        self.detail = ""
        self.refused = False
        """The last failure was a refusal (403, 429, 503, maxlag), not a fault."""
        self._open_at = float("-inf")
        self._failed_at = float("-inf")

    def wait_s(self, now: float) -> float:
        return max(0.0, self._open_at - now)

    def enter(self, now: float, hold_s: float) -> None:
        """A call goes out. After a failure the others wait for its outcome, up to `hold_s`."""
        if self.failures:
            self._open_at = now + hold_s

    def let_go(self, now: float) -> None:
        """The call that went out says nothing about the host: the next may go."""
        if self.failures:
            self._open_at = now

    def succeeded(self) -> None:
        self.failures = 0
        self._open_at = float("-inf")

    def failed(
        self, now: float, called_at: float, retry_after_s: float | None, refused: bool, detail: str
    ) -> None:
        together = called_at < self._failed_at
        if not together:
            self.failures += 1
        backoff_s = min(MAX_BACKOFF_S, FIRST_BACKOFF_S * 2 ** min(self.failures - 1, 20))
        wait_s = backoff_s if retry_after_s is None else min(retry_after_s, MAX_RETRY_AFTER_S)
        if self.failures > 1:
            wait_s = max(wait_s, backoff_s)  # "Retry-After: 0" again and again is no invitation
        open_at = now + wait_s
        self._open_at = max(self._open_at, open_at) if together else open_at
        self._failed_at = now
        self.refused, self.detail = refused, detail


def retry_after_s(value: str | None, date: str | None) -> float | None:
    """Seconds of a Retry-After header: a number, or a date against the answer's own `Date`, so that
    our clock doesn't matter. None where it says nothing usable."""
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit() and len(value) < 10:
        return float(value)
    try:
        gap = parsedate_to_datetime(value) - parsedate_to_datetime(date or "")
    except (ValueError, TypeError):  # TypeError: one date with a zone, one without
        return None
    return max(0.0, gap.total_seconds())
