"""Features of addresses that an edit puts in: what an advertisement has about it and a source has not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import log1p, nan

from streams.stages.diff import Span, TextDelta

LINK_NAMES = (
    "links_unreferenced",
    "link_front_page",
    "link_exchanged",
    "link_only",
    "link_in_list",
    "link_host_told",
    "host_changed",
    "addresses_in_prose",
)
_NO_LINK = [nan] * 6
MAX_CHARS = 20_000
"""Of one added text."""
MAX_LINKS = 40
MAX_PLACES = 24
MAX_OPEN = 2_000
"""Characters to the left of a link in which a reference may be open."""
_LINK = re.compile(
    r"\[?https?://(?:www\.)?([^/\s\]|<>\"{}]{3,60})(/?[^\s\]|<>\"{}]{0,200})([^\]\n<>{}]{0,100}\])?",
    re.I,
)
_HOST_BEGUN = re.compile(r"://[\w.-]{0,60}$")
# Of an address in prose: its ending, which is looked for first, as to begin at each word is dear.
_ENDING = re.compile(r"\.(?:com|net|org|info|biz)\b", re.I)
_NAME = re.compile(r"(?<![\w./@:-])(?:www\.)?[\w-]{2,40}\Z", re.I)
_LONGEST_NAME = 44
_ENDINGS = (".com", ".net", ".org", ".info", ".biz")
_WORD = re.compile(r"[^\W\d_]{4,}")


def link_features(delta: TextDelta) -> list[float]:
    """In the order of `LINK_NAMES`. All but the last two are missing where no link came."""
    spans = delta.spans[:MAX_PLACES]
    placed = [span for span in spans if "://" in span.after]
    row = _links(placed, spans) if placed else list(_NO_LINK)
    changed = any(
        "://" in span.left and span.before and span.after and _HOST_BEGUN.search(span.left)
        for span in spans
    )
    row += (1.0 if changed else 0.0, log1p(sum(map(_addresses, spans))))
    return row


def _links(placed: list[Span], spans: tuple[Span, ...]) -> list[float]:
    gone = {
        match[1].lower()
        for span in spans
        if "://" in span.before
        for match in links_in(span.before[:MAX_CHARS])
    }
    came = unreferenced = front = told = linked = written = 0
    in_list = 0.0
    for span in placed:
        text = span.after[:MAX_CHARS]
        written += len(text.strip())
        for number, match in enumerate(links_in(text)):
            if number == MAX_LINKS:
                break
            linked += len(match[0])
            host = match[1].lower()
            if host in gone:
                continue
            came += 1
            left = (span.left + text[: match.start()])[-MAX_OPEN:]
            unreferenced += not _inside(left)
            front += len(match[2]) <= 1
            told += _told(host, match[3] or "")
            if left[left.rfind("\n") + 1 :].lstrip()[:1] in ("*", "#"):
                in_list = 1.0
    if not came:
        return list(_NO_LINK)
    return [
        log1p(unreferenced),
        front / came,
        1.0 if gone else 0.0,
        min(linked / max(written, 1), 1.0),
        in_list,
        told / came,
    ]


def links_in(text: str) -> Iterator[re.Match[str]]:
    """As `_LINK.finditer`, which would try at each character."""
    done = at = 0
    while (colon := text.find("://", at)) >= 0:
        at = colon + 3
        scheme = 5 if text[colon - 1 : colon] in "sSſ" else 4
        start = colon - scheme
        if start > done and text[start - 1] == "[":
            start -= 1
        match = _LINK.match(text, start) if start >= done else None
        if match is not None:
            done = at = match.end()
            yield match


def _inside(left: str) -> bool:
    """Of a reference or a template: what stands to the left leaves one open."""
    return left.rfind("<ref") > left.rfind("</ref") or left.rfind("{{") > left.rfind("}}")


def _told(host: str, label: str) -> bool:
    """Whether the label says the site's own name."""
    name = host.replace("-", "").replace(".", "")
    return any(word.lower() in name for word in _WORD.findall(label))


def _addresses(span: Span) -> int:
    """Written out as words, without a link."""
    text = span.after[:MAX_CHARS]
    if "." not in text or not any(ending in text for ending in _ENDINGS):
        return 0
    return addresses_in(text)


def addresses_in(text: str) -> int:
    """How many `example.com` and `www.example.com` there are in it; an ending may have another in it."""
    names = (
        _NAME.search(text, max(0, ending.start() - _LONGEST_NAME), ending.start())
        for ending in _ENDING.finditer(text)
    )
    return len({name.start() for name in names if name is not None})
