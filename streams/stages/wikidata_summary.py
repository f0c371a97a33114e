"""Wikibase autosummaries: what the comment of an edit says it did.

Format: `/* action:count|argument|argument */ text`, the text naming properties and values; tools append
`#tool` or a link to an edit group (Wikibase, docs/topics/summaries).
"""

from __future__ import annotations

import re

import msgspec

_SUMMARY = re.compile(r"\s*/\*\s*([a-z][a-z0-9-]*):([^|*]{0,12})((?:\|[^|*]*)*)\*/\s?(.*)$", re.S)
_CLAIM = re.compile(r"\[\[(?:Property:)?(P\d{1,12})(?:\|[^\[\]]*)?\]\]:\s*")
_ENTITY_LINK = re.compile(r"\[\[(?:[A-Za-z]+:)?([QPL]\d{1,12}(?:-[FS]\d+)?)(?:\|[^\[\]]*)?\]\]")
_TOOL = re.compile(
    r"(?:,?\s{0,3}#([\w.-]{2,40})|[,;]?\s{0,3}\(?\[\[:?toollabs:[^\[\]]{0,200}\]\]\)?)\s{0,3}\)?$"
)


class Summary(msgspec.Struct, frozen=True, gc=False):
    """A Wikibase autosummary, taken apart."""

    action: str
    """`wbsetclaim-update`, `undo`, …"""
    arguments: tuple[str, ...]
    """Between the pipes: language, site, or of undo and restore the revision and its user."""
    text: str
    """What follows, without the tool's mark."""
    tool: str = ""
    statements: tuple[tuple[str, str], ...] = ()
    """Property and value, where the text names them."""


def parse_summary(comment: str) -> Summary | None:
    """None where `comment` holds no autosummary. Never raises."""
    match = _SUMMARY.match(comment[:2_000])
    if match is None:
        return None
    text, tool = match[4].strip(), ""
    for _ in range(3):
        mark = _TOOL.search(text)
        if mark is None:
            break
        tool = mark[1] or tool
        text = text[: mark.start()].rstrip(" ,;(")
    statements = []
    parts = list(_CLAIM.finditer(text))
    for number, claim in enumerate(parts[:50]):
        end = parts[number + 1].start() if number + 1 < len(parts) else len(text)
        entity = _ENTITY_LINK.match(text, claim.end())
        # behind an item only a person's own words can follow
        value = entity[1] if entity else text[claim.end() : end].strip(" ,")
        statements.append((claim[1], value))
    arguments = tuple(part.strip() for part in match[3].split("|")[1:])
    return Summary(match[1], arguments, text, tool, tuple(statements))
