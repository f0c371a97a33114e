"""Numbers, dates, quantities, names and negations of a sentence, in a form that compares.

The same value written in another way gives the same string: 1,809 and ١٨٠٩ and 1.809 (on a wiki
whose language groups by points) are "1809"; "February 12, 1809" and "12 Feb 1809" are "1809-02-12".
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from itertools import islice

import msgspec

from streams.stages.dates import MAX_NUMBERS, take_dates
from streams.stages.names import names_of
from streams.stages.tokens import words
from streams.stages.word_tables import (
    MONTHS,
    NEGATION_CHARS,
    NEGATIONS,
    POINT_IS_DECIMAL,
    SCALES,
    WORD_NUMBERS,
)

DIGITS = {
    code: str(unicodedata.decimal(chr(code)))
    for code in range(0x660, 0x20000)  # the planes of scripts
    if chr(code).isdecimal()
}
_SCALE = (
    r"hundred|thousand|million(?:s|en|es)?|billion(?:s|en|es)?|trillion|mio|mrd|milliard(?:s|en)?"
    r"|mill(?:ones|ón)|milhões|milioni|miliardi|mil|mln|mlrd|тыс|млн|млрд|тысяч|миллион(?:а|ов)?|[万萬億亿千]"
)
_UNIT = (
    r"°\s?[CF]|km²|km2|m²|km/h|mph|km|cm|mm|m|kg|mg|g|t|lbs?|lb|oz|ft|feet|foot|in|inch(?:es)?"
    r"|mi|miles?|yd|yards?|acres?|ha|hectares?|kilomet(?:er|re)s?|met(?:er|re)s?|kilograms?|tonnes?"
    r"|tons?|pounds?|dollars?|euros?|percent|per cent|USD|EUR|GBP|kW|MW|GW|V|Hz|kHz|MHz|GHz|GB|MB"
    r"|км|м|кг|см|га|руб"
)
_UNSPACED_UNIT = "年|人|岁|歳|公里|キロ|メートル|%"
_GAP = "[ \u00a0\u202f\u2009'’]"
_NUMBER = re.compile(
    rf"(?<![0-9A-Za-zÀ-ɏА-я_.])(?P<number>\d{{1,3}}(?:{_GAP}\d{{3}})+(?!\d)(?:[.,]\d{{1,9}})?"
    r"|\d[\d.,٬٫]{0,40}\d|\d)(?P<ordinal>(?:st|nd|rd|th)\b)?"
    rf"(?:[ \u00a0-]?(?P<scale>{_SCALE})(?![a-zа-я]))?"
    rf"(?:\s?(?P<unit>(?:{_UNIT})(?![\w²])(?!\s?[A-Z])|{_UNSPACED_UNIT}))?"
    r"(?P<euro>\s?[€₽£])?"
)
_BEFORE_NUMBER = re.compile(r"(?P<sign>(?:(?<=\s)(?<!\d\s)|^)[-−])?(?P<currency>[$€£¥₹₽])?\s?$")
_NUMBER_SPACES = re.compile(r"[ \u00a0\u202f\u2009'’٬]")
_GROUPED = {
    ",": re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?"),
    ".": re.compile(r"\d{1,3}(?:\.\d{3})+(?:,\d+)?"),
}
_GROUPED_ALL = {
    ",": re.compile(r"\d{1,3}(?:,\d{3}){2,}"),
    ".": re.compile(r"\d{1,3}(?:\.\d{3}){2,}"),
}
"""Of a mark that is decimal where the wiki is written: twice, it groups all the same (1.234.567)."""
_WORD_NUMBER = re.compile(
    r"\b(?P<word>" + "|".join(WORD_NUMBERS) + r")(?:[ -](?P<scale>hundred|thousand|million"
    r"|billion))?\b",
    re.I,
)
_LANGUAGE = re.compile(r"([a-z_]+?)(?:wiki(?:quote|source|news|books|versity|voyage)?|wiktionary)$")


class Values(msgspec.Struct, frozen=True, gc=False):
    """What a sentence states, by kind, each in the order it stands."""

    dates: tuple[str, ...] = ()
    quantities: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    negations: tuple[str, ...] = ()


def language_of(wiki: str) -> str:
    """`ptwiki` -> `pt`; English where the name does not tell (the rules read most of the rest too)."""
    match = _LANGUAGE.match(wiki)
    return match[1] if match else "en"


def values_of(text: str, language: str = "en", sentence: bool = True) -> Values:
    """What `text` states. `sentence`: its first capital may be one only because it starts."""
    if not text.isascii():
        text = text.translate(DIGITS)
    folded = text.casefold()
    folded_words = words(folded)
    dates: list[str] = []
    has_digit = any(map(str.isdigit, text))
    if has_digit and ("年" in text or "-" in text or not MONTHS.keys().isdisjoint(folded_words)):
        text, dates = take_dates(text)
    quantities: list[str] = []
    numbers: list[str] = []
    for match in islice(_NUMBER.finditer(text), MAX_NUMBERS) if has_digit else ():
        number = plain_number(match["number"], language)
        if match["scale"]:
            number = _scaled(number, match["scale"].casefold())
        start = match.start()
        before = _BEFORE_NUMBER.search(text, max(0, start - 3), start)
        currency = None
        if before is not None:
            currency = before["currency"]
            if before["sign"]:
                number = "-" + number
        unit = currency or (match["euro"] or "").strip() or match["unit"]
        if unit:
            quantities.append(f"{number} {unit}")
        elif not match["scale"] and not match["ordinal"] and _is_year(text, match):
            dates.append(number)
        else:
            numbers.append(number)
    if not WORD_NUMBERS.keys().isdisjoint(folded_words):
        for match in islice(_WORD_NUMBER.finditer(text), MAX_NUMBERS):
            number = str(WORD_NUMBERS[match["word"].casefold()])
            numbers.append(_scaled(number, match["scale"].casefold()) if match["scale"] else number)
    return Values(
        tuple(dates),
        tuple(quantities),
        tuple(numbers),
        names_of(text, sentence),
        _negations(folded, folded_words, language),
    )


def plain_number(written: str, language: str = "en") -> str:
    """Digits with at most one decimal point, without grouping and leading zeros."""
    if written.isdigit():
        return written.lstrip("0") or "0"
    number = _NUMBER_SPACES.sub("", written).replace("٫", ".").strip(".,")
    grouping, decimal = (",", ".") if language in POINT_IS_DECIMAL else (".", ",")
    if _GROUPED[grouping].fullmatch(number):
        number = number.replace(grouping, "")
    elif _GROUPED_ALL[decimal].fullmatch(number):
        number = number.replace(decimal, "")
    if number.count(decimal) == 1 and grouping not in number:
        number = number.replace(decimal, ".")
    if "." in number and number.replace(".", "", 1).isdigit():
        number = number.rstrip("0").rstrip(".")
    return number if number.startswith("0.") else number.lstrip("0") or "0"


def as_written(value: str, text: str) -> str:
    """A number or quantity of `values_of(text)` for a person to read: 48,210 as it stands in the text,
    whichever mark was taken for the decimal one. Other values as they are."""
    number, space, unit = value.partition(" ")
    if not number.replace(".", "", 1).isdecimal():
        return value
    for match in islice(_NUMBER.finditer(text), MAX_NUMBERS):
        written = match["number"].rstrip(".,")
        if number in (plain_number(written, "en"), plain_number(written, "de")):
            return f"{written}{space}{unit}"
    return value


def _scaled(number: str, scale: str) -> str:
    power = SCALES.get(scale, SCALES.get(scale.rstrip("s"), 0))
    if not power:
        power = 9 if scale.startswith(("billion", "milliard")) else 6 if scale[:1] in "mм" else 0
    whole, _, fraction = number.partition(".")
    if not (whole + fraction).isdigit():
        return number
    digits = whole + fraction[:power].ljust(power, "0")
    tail = fraction[power:]
    return (digits.lstrip("0") or "0") + ("." + tail if tail else "")


_YEAR_BEFORE = re.compile(
    r"(?:^|\b(?:in|since|from|until|till|by|of|to|and|between|around|circa|c|ca|about|early|late"
    r"|during|year|before"
    r"|after|born|died|b|d|im|jahr|seit|bis|von|en|de|depuis|desde|nel|dal|em|sinds|в|с|до|по"
    r"|год)\.?\s+"
    r"|[(,;–—/:\[\x00-]\s*)$",
    re.I,
)
_PLURAL_AFTER = re.compile(r"\s+(?:[a-z]{3,}s|men|people|women|children|troops)\b")


def _is_year(text: str, match: re.Match[str]) -> bool:
    written = match["number"].rstrip(".,")
    if not (len(written) == 4 and written.isdigit() and "1000" <= written <= "2100"):
        return False
    if _PLURAL_AFTER.match(text, match.end("number")):
        return False
    return bool(_YEAR_BEFORE.search(text, max(0, match.start("number") - 12), match.start("number")))


def _negations(folded: str, folded_words: list[str], language: str) -> tuple[str, ...]:
    marks = NEGATION_CHARS.get(language)
    if marks is not None:
        return tuple(mark for mark in marks for _ in range(folded.count(mark)))
    known = NEGATIONS.get(language, NEGATIONS["en"])
    shortened = folded.count("n't") + folded.count("n’t") if known is NEGATIONS["en"] else 0
    return (*(word for word in folded_words if word in known), *["n't"] * shortened)


def gone_and_come(
    before: tuple[str, ...], after: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What only one side has, with multiplicity, in order."""
    if before == after:
        return (), ()
    return _minus(before, after), _minus(after, before)


def _minus(these: tuple[str, ...], others: tuple[str, ...]) -> tuple[str, ...]:
    left = Counter(others)
    found = []
    for value in these:
        if left[value] > 0:
            left[value] -= 1
        else:
            found.append(value)
    return tuple(found)
