"""Words of any language: Unicode letters, digits and marks; scripts written without spaces by character."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import lru_cache

_SINGLE = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u30fa"
    "\u30fc-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
"""Thai, Lao, Burmese, Khmer, Kana and Han: words are not delimited, so a character is one."""


def _word_class() -> str:
    """Every letter, digit, mark and underscore that joins into words, as ranges: an explicit class is
    one table look-up a character, `[^\\W…]` tests each range, and `\\w` leaves marks out."""
    ranges: list[list[int]] = []
    for code in range(0x10000):
        character = chr(code)
        joins = character.isalnum() or character == "_" or unicodedata.category(character)[0] == "M"
        if joins and not _SINGLE.match(character):
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
    basic = "".join(f"\\u{first:04x}-\\u{last:04x}" for first, last in ranges)
    return basic + "\U00010000-\U0001efff"


_JOINED = _word_class()
_ASCII_WORD = re.compile(r"\w+", re.ASCII)
_WORD = re.compile(rf"[{_JOINED}]+|{_SINGLE.pattern}")
_ASCII_PIECE = re.compile(r"\w+\s*|\S\s*|\s+", re.ASCII)
_PIECE = re.compile(rf"[{_JOINED}]+\s*|\S\s*|\s+")


def words(text: str) -> list[str]:
    """The words in order, as written. Digits and underscores are word characters, as in `\\w`."""
    return _ASCII_WORD.findall(text) if text.isascii() else _WORD.findall(text)


def pieces(text: str) -> list[str]:
    """Words and single other signs, each with the white space after it: joined, they are the text."""
    return _ASCII_PIECE.findall(text) if text.isascii() else _PIECE.findall(text)


def joins_word(character: str) -> bool:
    """Whether this character is of a word."""
    if character.isascii():
        return character.isalnum() or character == "_"
    return _WORD.match(character) is not None


@lru_cache(maxsize=16)
def count_words(text: str) -> Counter[str]:
    """Lower-cased words and their counts. Cached, as large texts come back with reverts: don't change it."""
    return Counter(words(text.lower()))
