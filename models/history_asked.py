"""How much is to be known of a page before each edit, as it is asked for: "full", "none" or "recent:N"."""

from __future__ import annotations

from streams.errors import BadSetting

FULL_HISTORY, RECENT_HISTORY, NO_HISTORY = "full", "recent:50", "none"


def revisions_known(history: str) -> int | None:
    """At most so many before each edit; None for all. Raises `BadSetting` for what is no such name."""
    if history == FULL_HISTORY:
        return None
    if history == NO_HISTORY:
        return 0
    kind, _, count = history.partition(":")
    if kind != "recent" or not count.isascii() or not count.isdecimal() or not 0 < int(count) <= 500:
        raise BadSetting(f"history {history!r}: wants full, none, all, or recent:N with N from 1 to 500")
    return int(count)
