"""Addresses for a person to open. Hosts come from the list of wikis; one that an event names is used
only where the list has none, only if it is a host name, and never called by us."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,250}[A-Za-z0-9])?(:[0-9]{1,5})?")


class Links:
    def __init__(self, hosts: Mapping[str, str] | None = None, scheme: str = "https") -> None:
        self._hosts = dict(hosts or {})
        self._scheme = scheme

    def base(self, wiki: str, server_name: str) -> str:
        """`https://en.wikipedia.org`, or "" where no host can be told."""
        host = self._hosts.get(wiki) or server_name
        return f"{self._scheme}://{host}" if _HOST.fullmatch(host) else ""

    def page(self, base: str, script_path: str, title: str) -> str:
        return f"{base}{script_path}/index.php?title={_quoted(title)}" if base else ""

    def revision(self, base: str, script_path: str, rev_id: int | None) -> str:
        return f"{base}{script_path}/index.php?oldid={rev_id}" if base and rev_id else ""

    def diff(self, base: str, script_path: str, rev_id: int, parent_id: int | None) -> str:
        """Against the parent where it is known; MediaWiki finds it itself otherwise."""
        if not base:
            return ""
        old = f"&oldid={parent_id}" if parent_id else ""
        return f"{base}{script_path}/index.php?diff={rev_id}{old}"


def _quoted(title: str) -> str:
    return quote(title.replace(" ", "_"), safe="/:")
