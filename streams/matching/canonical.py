"""A text as comparable words: the same value written in another way gives the same word.

"1,809", "1809" and "eighteen hundred nine" meet where the writing allows; a date is its year, month and day,
each a word, so that "in 1809" agrees with "12 Feb 1809" as far as it goes. Both a post and a fact go through
here, so a reading that is odd is odd on both sides.
"""

from __future__ import annotations

import re
from collections.abc import Set
from functools import lru_cache

from streams.stages.dates import take_dates
from streams.stages.tokens import words
from streams.stages.values import plain_number
from streams.stages.word_tables import NAME_GLUE, NOT_NAMES, SCALES, WORD_NUMBERS

MAX_CHARS = 800
"""Characters of a statement that are compared: a fact's side holds 600 at most."""
MAX_WORDS = 160
FUNCTION_WEIGHT = 0.25
"""Of "the" or "in", where a number or any other word weighs 1."""
_NEGATED = re.compile(r"n't\b|\bcannot\b")
_POSSESSIVE = re.compile(r"(?<=\w)'s\b")
_NUMBER = re.compile(
    r"(?<![\w.])(?P<sign>(?:(?<=\s)|^)-(?=\d))?"
    r"(?P<number>\d{1,3}(?:[ ']\d{3})+(?!\d)|\d[\d.,٬٫]{0,30}\d|\d)"
    r"(?:(?P<ordinal>st|nd|rd|th)\b|(?P<short>k|bn|mn)\b|[ -]?(?P<scale>million(?:s|en|es)?"
    r"|billion(?:s|en|es)?|trillion|thousand|hundred|mio|mrd|mln|milliard(?:s|en)?|mill(?:ones|ón)"
    r"|milhões|milioni|miliardi|тыс|млн|млрд|тысяч|миллион(?:а|ов)?)(?![^\W\d_])|(?P<sign_scale>[万萬億亿千]))?"
)
_POWERS = {"k": 3, "mn": 6, "bn": 9, **SCALES}
_UNITS = {
    ord("%"): " percent ",
    ord("$"): " dollars ",
    ord("€"): " euros ",
    ord("£"): " pounds ",
    ord("¥"): " yen ",
    ord("\x00"): " ",
}
_IS_UNIT = re.compile(f"[{''.join(map(chr, _UNITS))}]")
_ORDINAL_WORDS = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
    "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth",
    "nineteenth", "twentieth",
)  # fmt: skip
_ORDINALS = {word: number for number, word in enumerate(_ORDINAL_WORDS, start=1)}
_READ = {**WORD_NUMBERS, **_ORDINALS}
_MULTIPLES = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000,
              "dozen": 12, "score": 20}  # fmt: skip
_NUMBER_WORDS = frozenset(_READ) | frozenset(_MULTIPLES)
_SIGNS = frozenset(chr(code) for code in range(0x80) if not chr(code).isdigit())
_LIGHT = (NOT_NAMES | NAME_GLUE | _SIGNS | {"as", "than"}) - {"not", "no", "never", "none"}


def canonical_words(folded: str, language: str = "en") -> tuple[str, ...]:
    """The words of a text that `fold` gave, in order; numbers as digits (a decimal point is `_`), a date
    as its year, `m:MONTH` and `d:DAY`. `language` tells how numbers are grouped."""
    text = folded[:MAX_CHARS]
    if "n't" in text or "cannot" in text:
        text = _NEGATED.sub(lambda short: " not" if short[0][0] == "n" else "can not", text)
    if "'s" in text:
        text = _POSSESSIVE.sub("", text)
    if _IS_UNIT.search(text):
        text = text.translate(_UNITS)
    found: list[str] = []
    rest, dates = take_dates(text)
    for at, part in enumerate(rest.split("\x00") if dates else (rest,)):
        if at:
            found += _date_words(dates[at - 1])
        if any(map(str.isdigit, part)):
            part = _NUMBER.sub(lambda match: _number(match, language), part)
        found += words(part)
    if not _NUMBER_WORDS.isdisjoint(found):
        found = _with_numbers_read(found)
    return tuple(found[:MAX_WORDS])


def weight_of(word: str) -> float:
    """How much a word says: function words little, so that statements don't agree by them."""
    return FUNCTION_WEIGHT if word in _LIGHT else 1.0


def weigh(words: Set[str]) -> float:
    """What all of them say."""
    return len(words) - (1.0 - FUNCTION_WEIGHT) * len(_LIGHT & words)


@lru_cache(maxsize=65_536)
def is_number(word: str) -> bool:
    """Whether a canonical word is a number, or the month or day of a date."""
    return word[0].isdigit() or word[1:2] == ":" or word.startswith("neg_")


def _date_words(date: str) -> list[str]:
    """`1809-02-12` -> 1809, m:2, d:12; of what is written alone only what is known."""
    year, *rest = ("", *date[2:].split("-")) if date.startswith("--") else date.split("-")
    found = [year.lstrip("0") or "0"] if year else []
    return [*found, *(f"{mark}{int(part)}" for mark, part in zip(("m:", "d:"), rest, strict=False))]


def _number(match: re.Match[str], language: str) -> str:
    number = plain_number(match["number"], language)
    scale = match["short"] or match["scale"] or match["sign_scale"]
    if scale:
        number = _scaled(number, scale.casefold())
    sign = "neg_" if match["sign"] else ""
    return f" {sign}{number.replace('.', '_').replace(',', '_')} "


def _scaled(number: str, scale: str) -> str:
    power = _POWERS.get(scale, 9 if scale.startswith(("billion", "milliard")) else 6)
    whole, _, fraction = number.partition(".")
    if not (whole + fraction).isdigit():
        return number
    tail = fraction[power:].rstrip("0")
    digits = (whole + fraction[:power].ljust(power, "0")).lstrip("0") or "0"
    return f"{digits}.{tail}" if tail else digits


def _with_numbers_read(found: list[str]) -> list[str]:
    """Numbers in words as digits: twenty-one, four score and seven, two thousand three hundred."""
    read: list[str] = []
    at = 0
    while at < len(found):
        value, end = _number_at(found, at)
        read.append(found[at] if value is None else str(value))
        at = end
    return read


def _number_at(found: list[str], at: int) -> tuple[int | None, int]:
    """The number that begins at this word, and where it ends; None if there is none."""
    scaled = at + 1 < len(found) and found[at + 1] in _MULTIPLES
    value = _below_hundred(found[at])
    if not value and scaled:
        value = 1 if found[at] in ("a", "one") else int(found[at]) if _short_digits(found[at]) else 0
    if not value:
        return None, at + 1
    total = 0
    at += 1
    while at < len(found) and value + total < 10**15:
        word = found[at]
        joined = at + (word == "and")
        below = _unit_or_more(found[joined]) if joined < len(found) else 0
        if word in _MULTIPLES:
            value *= _MULTIPLES[word]
            if _MULTIPLES[word] >= 1_000:
                total, value = total + value, 0
        elif below and _may_follow(below, value, joined > at):
            value += below
            at = joined
        else:
            break
        at += 1
    return total + value, at


def _may_follow(below: int, value: int, with_and: bool) -> bool:
    """Whether a number below a hundred goes on one: seventy | five, six hundred | (and) five."""
    if value % 100 == 0:
        return True
    if value % 100 >= 20 and value % 10 == 0 and below < 10:
        return True
    return with_and and value % 20 == 0 and below < 20  # four score and eleven


def _below_hundred(word: str) -> int:
    return _READ.get(word, 0)


def _unit_or_more(word: str) -> int:
    return 1 if word == "one" else _READ.get(word, 0)


def _short_digits(word: str) -> bool:
    return word.isdigit() and len(word) <= 12
