"""How a text may name a page: a link to it in any of a wiki's forms, its title or an alias in words."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

from streams.matching.common_words import rarity
from streams.matching.folding import fold
from streams.matching.post_words import post_words

MAX_LINK = 2_048
"""Characters; a longer address is no link to a page."""
MAX_NAME_WORDS = 16

_LINK = re.compile(
    r"https?://(?:[^/?#@\s]*@)?(?P<host>[a-z0-9.-]{1,255})(?::\d{1,5})?/"
    r"(?P<path>[^?#\s]*)(?:\?(?P<query>[^#\s]*))?",
    re.I,
)
_MOBILE = re.compile(r"^m\.|(?<=\.)m\.|(?<=\.)zero\.")
_TITLE_PATH = re.compile(r"(?:wiki|w/index\.php|index\.php|entity|[a-z]{2,3}-[a-z]{2,8})/(.+)", re.I)
_TITLE_QUERY = re.compile(r"(?:^|&)title=([^&]+)")
_QUALIFIER = re.compile(r"(?<=\S)\s*[(（][^()（）]*[)）]$")


@lru_cache(maxsize=256)
def linked_page(link: str) -> tuple[str, str] | None:
    """Server name and title (spaces, first letter a capital) that an address of a wiki points to, or None.
    Mobile hosts count as their desktop ones. Numbers (`curid`, `oldid` alone) tell no title. Cached: a
    platform tells the links that stand in a post's text again beside it."""
    match = _LINK.match(link) if len(link) <= MAX_LINK else None
    if match is None:
        return None
    named = _TITLE_QUERY.search(match["query"] or "") or _TITLE_PATH.fullmatch(match["path"])
    title = (
        plain_title(unquote(named[1].replace("+", " ") if named.re is _TITLE_QUERY else named[1]))
        if named
        else ""
    )
    return (plain_host(match["host"]), title) if title else None


def plain_host(host: str) -> str:
    """`en.m.wikipedia.org` -> `en.wikipedia.org`; `wikidata.org` and `m.wikidata.org` -> `www.wikidata.org`."""
    host = _MOBILE.sub("", host.lower().rstrip("."))
    return "www." + host if host.count(".") == 1 else host


def plain_title(title: str) -> str:
    """As MediaWiki makes a title of what is in an address."""
    title = " ".join(title.replace("_", " ").split())
    return title[:1].upper() + title[1:]


def name_words(name: str) -> tuple[str, ...]:
    """The words by which a post would name it; () for what names nothing on its own in running text: one
    everyday word ("It", "Love"), two of the commonest ("The End"), a bare number."""
    words = tuple(post_words(fold(name)))
    if not 0 < len(words) <= MAX_NAME_WORDS:
        return ()
    rarities = [rarity(word) for word in words]
    telling = 2 in rarities or rarities.count(1) >= 2 or (len(words) >= 4 and 1 in rarities)
    if all(word[0].isdigit() for word in words):
        return ()
    return words if telling else ()


@lru_cache(maxsize=256)
def spoken_names(names: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """The words of each of these names, and of each without its qualifier: "Mercury (planet)". Cached: the
    facts of a page have the same names."""
    found: dict[tuple[str, ...], None] = {}
    for name in names:
        for form in (name, _QUALIFIER.sub("", name)):
            words = name_words(form)
            if words:
                found[words] = None
    return tuple(found)


class Anchor(NamedTuple):
    """Where a name is looked for in a text: at its rarest word, if the one beside it is there too."""

    word: str
    pair: tuple[str, str]
    """The rarest word and the next one (of the last word: the one before it, and it); alone: it and ""."""
    offset: int
    """Of the rarest word in the name."""


def anchor(name: tuple[str, ...]) -> Anchor:
    """The same for equal names."""
    word = max(name, key=lambda word: (rarity(word), len(word), word))
    offset = name.index(word)
    if len(name) == 1:
        return Anchor(word, (word, ""), 0)
    start = min(offset, len(name) - 2)
    return Anchor(word, (name[start], name[start + 1]), offset)
