"""What kind of account a name is: registered, temporary or an IP address."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from ipaddress import ip_address

from streams.records import PerformerKind

MAX_ADDRESS_CHARS = 45
"""Of IPv6 with an IPv4 address at its end."""

_TEMPORARY = re.compile(r"^~2[0-9]{3}-[0-9]+(-[0-9]+)*$")


def default_temporary(name: str) -> bool:
    """Wikimedia's pattern of temporary accounts, `~2026-12345-67`."""
    return _TEMPORARY.match(name) is not None


def performer_kind(
    name: str | None, is_temporary: Callable[[str], bool] = default_temporary
) -> PerformerKind:
    """IP by what the name is: old exports keep names in `<ip>`, and mask the last part (`.xxx`)."""
    if not name:
        return PerformerKind.HIDDEN
    first = name[0]
    if first == "~":
        return PerformerKind.TEMPORARY if is_temporary(name) else PerformerKind.REGISTERED
    if (first in "0123456789" or ":" in name) and "%" not in name:
        candidate = name[:-3] + "0" if name.endswith(".xxx") else name
        if len(candidate) <= MAX_ADDRESS_CHARS and _is_address(candidate):
            return PerformerKind.IP
    return PerformerKind.REGISTERED


@lru_cache(maxsize=4_096)  # who edits once often goes on
def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
