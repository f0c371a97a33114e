"""What an HTTP answer means for a delivery, and how long to wait before the next try."""

from __future__ import annotations

import random
from email.utils import parsedate_to_datetime

import msgspec

RETRIED_4XX = frozenset({408, 425, 429})
MAX_RETRY_AFTER_S = 3600.0


class Delivered(msgspec.Struct, frozen=True):
    pass


class Later(msgspec.Struct, frozen=True):
    """Trying again may help."""

    reason: str
    retry_after_s: float | None = None
    own_error: bool = False
    """The receiver answered 500 or the like: perhaps it fails on this very alert."""


class Refused(msgspec.Struct, frozen=True):
    """The same request again should be refused again."""

    reason: str


Outcome = Delivered | Later | Refused


def outcome_of(status: int, retry_after: str | None, now: float) -> Outcome:
    """Redirects count as refused: the body may be confidential, so it goes nowhere else."""
    if 200 <= status < 300:
        return Delivered()
    if status in RETRIED_4XX or status >= 500:
        wait_s = retry_after_s(retry_after, now)
        own_error = status >= 500 and status not in (502, 503, 504)
        return Later(f"answered HTTP {status}", wait_s, own_error)
    if 300 <= status < 400:
        return Refused(f"answered HTTP {status}: redirects are not followed, set the final address")
    return Refused(f"answered HTTP {status}")


def retry_after_s(value: str | None, now: float) -> float | None:
    """Seconds or an HTTP date (RFC 9110, 10.2.3), at most an hour; None for what is neither."""
    if value is None:
        return None
    if value.isascii() and value.isdigit():
        return min(float(value), MAX_RETRY_AFTER_S)
    try:
        at = parsedate_to_datetime(value).timestamp()
    except (ValueError, OverflowError):
        return None
    return min(max(at - now, 0.0), MAX_RETRY_AFTER_S)


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    first_s: float = 0.5
    longest_s: float = 60.0
    refused_tries: int = 3
    """Tries of an alert that the receiver refuses (a 4xx), then the next has its turn."""
    own_error_s: float = 24 * 3600.0
    """For how long an alert that the receiver fails on (a 500) may hold up those behind it."""

    def gives_up(self, outcome: Later | Refused, refusals: int, waited_s: float) -> bool:
        """An outage is never given up on: alerts wait in the store."""
        if isinstance(outcome, Refused):
            return refusals >= self.refused_tries
        return outcome.own_error and waited_s >= self.own_error_s

    def delay_s(self, outcome: Later | Refused, tries: int, rng: random.Random) -> float:
        """Exponential, with half of it random so that many senders spread; never under Retry-After."""
        exponential = min(self.first_s * 2.0 ** min(tries - 1, 20), self.longest_s)
        delay = exponential * rng.uniform(0.5, 1.0)
        if isinstance(outcome, Later) and outcome.retry_after_s is not None:
            return max(delay, outcome.retry_after_s)
        return delay
