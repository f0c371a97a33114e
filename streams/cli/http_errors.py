"""Why an HTTP client got no answer, in a few words."""

from __future__ import annotations

import urllib3

from streams.cli.output import safe


def cause_of(error: BaseException) -> str:
    """The innermost words: urllib3's own name objects and addresses."""
    refused = isinstance(error, urllib3.exceptions.NewConnectionError)  # which is a `TimeoutError` there
    if isinstance(error, urllib3.exceptions.TimeoutError) and not refused:
        return "no answer in time"
    while error.__cause__ is not None:
        error = error.__cause__
    return safe(getattr(error, "strerror", None) or type(error).__name__)
