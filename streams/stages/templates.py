"""What a template call shows, as far as the call itself tells: templates are never expanded."""

from __future__ import annotations

import re

from streams.stages.word_tables import word_set

FIELD_MARK, VALUE_MARK = "\x02", "\x03"
"""Stand before a parameter's name and before its value, where a template becomes lines."""
_CITATION_NAME = re.compile(
    r"(?:cit(?:e|ation|a|ar)\b|sfn|harv|ref|efn|refn|note|notelist|webarchive|literatur|internetquelle"
    r"|ouvrage|article\b|lien web|книга|статья|cytuj|isbn|doi|coord|defaultsort|authority control)"
)
_CITATION_FIELDS = frozenset(
    ("url", "isbn", "doi", "accessdate", "access-date", "archiveurl", "archive-url")
)
DROPPED_FIELDS = word_set(
    "style class align valign width height bgcolor colspan rowspan border cellpadding cellspacing scope"
    " nowrap id image_size imagesize image size image_width titlestyle liststyle"
)
#: Templates that show their text: name -> position of that text.
_SHOWN = {
    "lang": 2, "langx": 2, "nowrap": 1, "nobr": 1, "small": 1, "big": 1, "smaller": 1, "flag": 1,
    "flagu": 1, "flagcountry": 1, "circa": 1, "c.": 1, "val": 1, "formatnum": 1, "abbr": 1,
    "tooltip": 1, "sic": 1, "sc": 1, "smallcaps": 1, "sort": 2, "sortname": 1, "party": 1,
    "start date": 1, "age": 1, "citation needed span": 1, "fact span": 1, "nihongo": 1, "transl": 2,
    "ill": 1, "interlanguage link": 1, "lien": 1, "nbsp": 1, "currency": 1, "us$": 1, "inr": 1,
    "gbp": 1, "quote": 1, "cquote": 1, "blockquote": 1,
}  # fmt: skip
_LISTS = frozenset(
    ("ubl", "unbulleted list", "plainlist", "hlist", "flatlist", "collapsible list", "bulleted list")
)
_UNIT_TEMPLATES = frozenset(("convert", "cvt", "unité", "unité/2", "высота", "măsură"))
_NOT_IN_NAME = frozenset('<>"[]{}\n')


def shown_template(parts: list[str], closed: bool) -> str:
    """What a template shows, as far as its call tells. One that is not closed here goes on in lines that
    did not change: all its parameters count. A closed one with a lone parameter is most often a
    maintenance template with its date."""
    name, colon, argument = parts[0].partition(":")
    name = " ".join(name.replace("_", " ").split()).casefold()
    if colon and name != "formatnum":
        return ""
    named: list[tuple[str, str]] = []
    positional: list[str] = [argument.strip()] if colon else []
    for part in parts[1:]:
        parameter = parameter_of(part)
        if parameter is None:
            positional.append(part.strip())
        elif parameter[0].isdecimal():
            positional.append(parameter[1])
        else:
            named.append(parameter)
    if _CITATION_NAME.match(name) or any(field.casefold() in _CITATION_FIELDS for field, _ in named):
        return ""
    if date := _date(positional):
        return date
    if name in _UNIT_TEMPLATES:
        return " ".join(_measures(positional))
    if name in _LISTS:
        return ", ".join(item.replace("\n", " ").lstrip("* ") for item in positional if item)
    position = _SHOWN.get(name)
    if position is not None:
        return positional[position - 1] if len(positional) >= position else (positional or [""])[-1]
    rows = [
        f"{FIELD_MARK}{field}{VALUE_MARK}{_one_line(value)}"
        for field, value in named
        if value and field.casefold() not in DROPPED_FIELDS
    ]
    prose = [item for item in positional if item.count(" ") >= 3]
    if closed and len(named) < 2 and not prose:
        return ""
    return "\n" + "\n".join((*rows, *prose)) + "\n" if rows or prose else ""


def parameter_of(part: str) -> tuple[str, str] | None:
    """`name = value`, both stripped; None where there is no name."""
    name, equals, value = part.partition("=")
    name = name.strip()
    if not equals or not 0 < len(name) <= 60 or not _NOT_IN_NAME.isdisjoint(name):
        return None
    return name, value.strip()


def _one_line(value: str) -> str:
    """A value of several lines (a list, a template of its own) on one."""
    if "\n" not in value:
        return value
    shown = (
        line.strip("*#:; ")
        for line in value.replace(FIELD_MARK, "").replace(VALUE_MARK, ": ").split("\n")
    )
    return ", ".join(line for line in shown if line)


def _date(positional: list[str]) -> str:
    """`{{birth date|1809|2|12}}` and its kin in any language: only numbers, year first or last."""
    numbers = positional[:3]
    if len(numbers) < 3 or not all(item.isdecimal() for item in positional if item):
        return ""
    if not all(numbers):
        return ""
    year, month, day = (int(item[:6]) for item in numbers)
    if year <= 31 and day > 31:
        year, day = day, year
    if not (31 < year <= 9999 and 1 <= month <= 12 and 1 <= day <= 31):
        return ""
    return f"{year:04}-{month:02}-{day:02}"


def _measures(positional: list[str]) -> list[str]:
    """Number and unit, as long as they alternate: `{{convert|6|ft|4|in|cm}}` is "6 ft 4 in"."""
    shown: list[str] = []
    for index in range(0, min(len(positional) - 1, 6), 2):
        if not positional[index][:1].isdigit():
            break
        shown += positional[index : index + 2]
    return shown or positional[:1]
