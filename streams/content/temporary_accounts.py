"""Names that MediaWiki gives to people without an account: neither IPs nor registered users."""

from __future__ import annotations

import re
from collections.abc import Sequence

#: Wikimedia's names, where the wiki was not asked: `~2026-12345-67`, and `~2026-12345` for a low number.
_DEFAULT = re.compile(r"~2[0-9]{3}-[0-9]{1,9}(?:-[0-9]{1,9}){0,6}")
MAX_PATTERNS = 20
MAX_NAME = 255


class TemporaryAccounts:
    """`patterns` are siteinfo's `autocreatetempuser.matchPatterns`, such as `~2$1`, where `$1` is
    anything; None: the wiki was not asked, or has none, and the default holds."""

    def __init__(self, patterns: Sequence[str] | None = None) -> None:
        self._affixes = [
            (start, end)
            for start, mark, end in (text.partition("$1") for text in (patterns or ())[:MAX_PATTERNS])
            if mark and (start or end)  # "$1" alone would be every name
        ]

    def matches(self, name: str) -> bool:
        if len(name) > MAX_NAME:
            return False
        if not self._affixes:
            return _DEFAULT.fullmatch(name) is not None
        return any(
            name.startswith(start) and name.endswith(end) and len(name) > len(start) + len(end)
            for start, end in self._affixes
        )
