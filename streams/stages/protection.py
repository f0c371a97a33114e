"""What a protection log event protects, from whom and until when.

MediaWiki sends both `details` (since 2015) and a `description` for people, in the wiki's language.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

import msgspec

MAX_DETAILS = 16

_DESCRIBED = re.compile(
    r"\[(\w{1,30})=(\w{1,60})\](?:\s*\(([^()]{0,80}(?:\([^()]{0,20}\))?[^()]{0,20})\))?"
)


class Restriction(msgspec.Struct, frozen=True, gc=False):
    action: str
    """edit, move, create or upload."""
    level: str
    """Who may: autoconfirmed, extendedconfirmed, sysop …"""
    expiry: float | None = None
    """Unix seconds; None: without end, or not told."""


class _Detail(msgspec.Struct):
    type: str
    level: str
    expiry: str = "infinity"


class _Params(msgspec.Struct):
    details: list[_Detail] | None = None
    description: str = ""


_PARAMS = msgspec.json.Decoder(_Params)


def restrictions(log_params: bytes) -> tuple[Restriction, ...]:
    """From the JSON of `log_params`; empty for an unprotection and for what can't be read."""
    try:
        params = _PARAMS.decode(log_params)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return ()
    if params.details is not None:
        return tuple(
            Restriction(detail.type[:30], detail.level[:60], _expiry(detail.expiry))
            for detail in params.details[:MAX_DETAILS]
        )
    described = _DESCRIBED.findall(params.description[:2_000])
    return tuple(Restriction(action, level) for action, level, _ in described[:MAX_DETAILS])


def _expiry(written: str) -> float | None:
    """`infinity`, or a time as 20260501120000 or 2026-05-01T12:00:00Z."""
    for form in ("%Y%m%d%H%M%S", "%Y-%m-%dT%H:%M:%SZ"):
        try:
            return datetime.strptime(written, form).replace(tzinfo=UTC).timestamp()
        except ValueError:
            continue
    return None
