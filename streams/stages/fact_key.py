"""The name of a fact, and how much of it is shown: what wikitext and Wikidata share."""

from __future__ import annotations

import hashlib

MAX_SHOWN = 600
"""Characters of a statement kept; the rest is "…"."""


def fact_key(wiki: str, title: str, section: str, stable: str) -> str:
    """128 bits, hex: the same for every edit of one statement. The separator stands in no title."""
    parts = "\x1e".join((wiki, title, section.casefold(), stable))
    return hashlib.blake2b(parts.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def cut(text: str, most: int = MAX_SHOWN) -> str:
    """At most `most` characters, ended at a word with …"""
    if len(text) <= most:
        return text
    end = text.rfind(" ", most - 60, most - 1)
    return text[: end if end > 0 else most - 1] + "…"
