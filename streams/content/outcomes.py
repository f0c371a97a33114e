"""What became of a revision asked for; the values are those of `metrics.FETCH_OUTCOMES`."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class FetchOutcome(StrEnum):
    FETCHED = "fetched"
    CACHED = "cached"
    HIDDEN = "hidden"
    """The text is suppressed; the edit goes on with a revision whose text is None."""
    MISSING = "missing"
    """The wiki knows no such revision: deleted, or not yet on the replica asked."""
    TOO_LARGE = "too_large"
    DEADLINE = "deadline"
    """Not there in time; the edit goes on without."""
    REFUSED = "refused"
    """The host told us to go away or come later (403, 429, 503, maxlag), beyond the deadline."""
    ERROR = "error"
    NOT_LISTED = "not_listed"
    """The wiki is not on the configured list, so no host is asked."""


class FetchFailure(msgspec.Struct, frozen=True, gc=False):
    """Why there is no content."""

    reason: FetchOutcome
    detail: str = ""
    """One line for a person; may quote the host, escaped and shortened."""


def one_line(text: str, limit: int = 200) -> str:
    """Untrusted text for a log line: printable, short, on one line."""
    shown = "".join(char if char.isprintable() else repr(char)[1:-1] for char in text[:limit])
    return shown[:limit]
