"""How it is said: insults, chat and the samples of the editing toolbar, by the wiki's language."""

from __future__ import annotations

import re
from enum import IntEnum
from functools import lru_cache
from math import log1p, nan

from models.manner_tables import ANY_SAMPLES, CHAT, PERSONS, READ_TOO, RUDE, SAMPLES, UNSPACED
from streams.records import Edit
from streams.stages.diff import TextDelta
from streams.stages.values import language_of

MANNER_NAMES = (
    "rude_added",
    "rude_removed",
    "chat_added",
    "persons_added",
    "manner_share",
    "samples_added",
)
MAX_WORDS = 80
"""Different ones looked at on either side."""
MAX_CHARS = 2_000
"""Of added text that samples, and words without spaces, are looked for in."""
_LAUGHTER = re.compile(
    r"[aheio]{0,2}(?:[hjx][aeio]){3,}h?|[хаa]?(?:[хx][ахеиo]){3,}|l+o{2,}l+|k{4,}|w{5,}|5{5,}|ㅋ+|ㅎ+|ه{3,}|x+d{2,}"
)


class _Manner(IntEnum):
    OTHER = 0
    RUDE = 1
    CHAT = 2
    PERSON = 3


_TABLES = ((_Manner.RUDE, RUDE), (_Manner.CHAT, CHAT), (_Manner.PERSON, PERSONS))


def manner_features(edit: Edit, delta: TextDelta) -> list[float]:
    """In the order of `MANNER_NAMES`. Different words that the page has more or fewer of."""
    language = language_of(edit.wiki)
    counts = [0, 0, 0, 0]
    gained = list(delta.gained)[:MAX_WORDS]
    for word in gained:
        counts[_manner(language, word)] += 1
    _, rude, chat, persons = counts
    removed = sum([_manner(language, word) == _Manner.RUDE for word in list(delta.lost)[:MAX_WORDS]])
    samples = 0
    if delta.spans:
        text = "\n".join([span.after for span in delta.spans])[:MAX_CHARS].lower()
        if text:
            samples = sum([sample in text for sample in _samples(language)])
        if language in UNSPACED:
            gone = "\n".join([span.before for span in delta.spans])[:MAX_CHARS].lower()
            rude += _found(RUDE, language, text)
            chat += _found(CHAT, language, text)
            removed += _found(RUDE, language, gone)
    return [
        log1p(rude),
        log1p(removed),
        log1p(chat),
        log1p(persons),
        min((rude + chat + persons) / len(gained), 1.0) if gained else nan,
        log1p(samples),
    ]


@lru_cache(maxsize=65_536)
def _manner(language: str, word: str) -> _Manner:
    for manner, whole, begun in _words(language):
        if word in whole or word.startswith(begun):
            return manner
    return _Manner.CHAT if _LAUGHTER.fullmatch(word[:60]) else _Manner.OTHER


@lru_cache(maxsize=512)
def _words(language: str) -> tuple[tuple[_Manner, frozenset[str], tuple[str, ...]], ...]:
    """Whole words, and those that may end in any way."""
    tables = []
    for manner, table in _TABLES:
        every = [word for name in _read(language) for word in table.get(name, "").split()]
        begun = tuple(word[:-1] for word in every if word.endswith("*"))
        tables.append((manner, frozenset(word for word in every if not word.endswith("*")), begun))
    return tuple(tables)


def _read(language: str) -> tuple[str, ...]:
    """Its own tables, those it is read with, and what is written everywhere."""
    return (language, *filter(None, [READ_TOO.get(language)]), "any")


@lru_cache(maxsize=512)
def _samples(language: str) -> tuple[str, ...]:
    names = dict.fromkeys((*_read(language), "en"))
    return ANY_SAMPLES + tuple(sample for name in names for sample in SAMPLES.get(name, ()))


def _found(table: dict[str, str], language: str, text: str) -> int:
    return sum([word in text for word in table[language].split()])
