"""Advertising links made up: what an edit would have been if its author had put in a site of their own.

Few of those that histories hold were reverted in time to be told from sources, and each page has its own.
"""

from __future__ import annotations

import re
from enum import StrEnum
from random import Random

from streams.stages.word_tables import word_set

SHARE = 0.12
"""Of the edits with texts, for which a link is made up."""
_SITE_WORDS = sorted(
    word_set(
        "online shop store deals fans fan info blog hub guide portal web world zone club live direct best"
        " free cheap sale tickets hotels travel loans casino poker games movies music video tube books"
    )
)
_SYLLABLES = sorted(
    word_set("ba be bo ca co da de do fa fi go ha ka ki la le li lo ma me mi mo na ne ni no")
)
_ENDINGS = (
    "com",
    "com",
    "com",
    "com",
    "net",
    "org",
    "info",
    "biz",
    "co.uk",
    "ru",
    "de",
    "us",
    "tk",
    "me",
)
_PATHS = (
    "", "", "", "/", "/index.html", "/index.php?id={n}", "/forum/showthread.php?t={n}", "/blog/{n}", "/{word}",
    "/{word}.html",
)  # fmt: skip
_LABELS = (
    "{Word}", "{Word} {Site}", "{Host}", "{Host}", "{Word} Forum", "{Word} Blog", "{Word} Fan Site", "Free {Word}",
    "Cheap {Word} online", "Best {word} site on the web", "Great site about {word}", "Visit our site", "Click here",
    "Official Site", "{Word} Pictures and Videos", "More about {word}", "{Host} - {Word} {Site}",
)  # fmt: skip
_PITCHES = (
    "Visit {link}", "For more information visit {link}", "{link}", "{link}", "check out {link}", "See {link} for more.",
)  # fmt: skip
_HOST = re.compile(r"(?<=://)[^\s/\]|<>\"{}]{3,60}")
_WORD = re.compile(r"(?<![^\W\d_])(?!https?|index|html)[^\W\d_]{4,12}(?![^\W\d_])")
_SENTENCE_END = re.compile(r"(?<=[a-zа-яё\])]\.)(?= )")
_CATEGORIES = re.compile(r"^\[\[[^\]\n|]{3,20}:[^\]\n]*\]\]\s*$", re.M)
TRIES = 4
WINDOW_CHARS = 6_000
"""Searched for words and places, from a random place on."""


class LinkKind(StrEnum):
    LISTED = "listed"
    """A line of its own among those that link."""
    END = "end"
    START = "start"
    PROSE = "prose"
    """Within the text."""
    EXCHANGED = "exchanged"
    """Another host in place of one that is linked to; what is said of it stays."""


_KINDS = tuple(LinkKind)
#: How often each is tried.
_OFTEN = (5.0, 2.0, 1.0, 2.0, 2.0)


def planted(text: str, random: Random, language: str = "en") -> tuple[str, LinkKind] | None:
    """`text` with one advertising link more, and how; None where there is no place for it."""
    kind = random.choices(_KINDS, _OFTEN)[0]
    if kind is LinkKind.EXCHANGED:
        found = list(_HOST.finditer(text))
        if not found:
            return None
        place = random.choice(found)
        www = "www." if place[0].startswith("www.") else ""
        return text[: place.start()] + www + _host(_word_of(text, random), random) + text[
            place.end() :
        ], kind
    link = _link(text, random)
    if kind is LinkKind.LISTED:
        listed = [match.end() for match in re.finditer(r"^[*#][^\n]*://[^\n]*$", text, re.M)]
        if not listed:
            return None
        at = random.choice([*listed, listed[-1]])
        return f"{text[:at]}\n* {link}{text[at:]}", kind
    if kind is LinkKind.START:
        return f"{_pitch(link, random)}\n{text}", kind
    if kind is LinkKind.PROSE:
        start = random.randrange(len(text))
        ends = [match.end() for match in _SENTENCE_END.finditer(text, start, start + WINDOW_CHARS)]
        ends = ends or [match.end() for match in _SENTENCE_END.finditer(text, 0, WINDOW_CHARS)]
        if not ends:
            return None
        at = random.choice(ends)
        return f"{text[:at]} {_pitch(link, random)}{text[at:]}", kind
    last = _CATEGORIES.search(text) if random.random() < 0.5 else None
    at = last.start() if last else len(text)
    line = random.choice((f"* {link}", link, _pitch(link, random)))
    return f"{text[:at].rstrip()}\n{line}\n{text[at:]}", kind


def _pitch(link: str, random: Random) -> str:
    return random.choice(_PITCHES).format(link=link)


def _link(text: str, random: Random) -> str:
    word = _word_of(text, random)
    host = _host(word, random)
    secure = "s" if "https://" in text and random.random() < 0.5 else ""
    address = f"http{secure}://{random.choice(('www.', 'www.', ''))}{host}"
    path = random.choice(_PATHS).format(n=random.randint(1, 99_999), word=word.lower())
    if random.random() < 0.25:
        return address + path
    site = random.choice(_SITE_WORDS)
    label = random.choice(_LABELS).format(
        word=word.lower(), Word=word.capitalize(), Site=site.capitalize(), Host=host
    )
    return f"[{address}{path} {label}]"


def _host(word: str, random: Random) -> str:
    """Of a site that there may well be."""
    how = random.random()
    if how < 0.5 and word.isascii():
        site = random.choice(_SITE_WORDS)
        name = random.choice((f"{word}{site}", f"{site}{word}", f"{word}-{site}"))
    elif how < 0.75:
        name = "".join(random.choices(_SITE_WORDS, k=2))
    else:
        name = "".join(random.choices(_SYLLABLES, k=random.randint(2, 4)))
    return f"{name.lower()}.{random.choice(_ENDINGS)}"


def _word_of(text: str, random: Random) -> str:
    """What the page is about, more or less."""
    for _ in range(TRIES):
        start = random.randrange(max(1, len(text) - 200))
        found = _WORD.findall(text, start, start + WINDOW_CHARS)
        if found:
            return str(random.choice(found))
    return "".join(random.choices(_SYLLABLES, k=3))
