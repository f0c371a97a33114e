"""Dates of a sentence as ISO 8601 writes them, whatever language they are in."""

from __future__ import annotations

import re
from itertools import islice

from streams.stages.word_tables import MONTHS

MAX_NUMBERS = 64
"""Numbers, or dates, read of one sentence: more of them are a list."""

_DIGIT = re.compile(r"\d")
_WORD = re.compile(r"[^\W\d_]+")
_WITHOUT_MONTH = re.compile(r"\d-\d|年")
_MONTHS = MONTHS | {name.replace("ı", "i"): month for name, month in MONTHS.items()}
"""Turkish ones as `casefold` gives their capitals, too."""
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_SHORTEST, _LONGEST = min(map(len, _MONTHS)), max(map(len, _MONTHS))
_DATE = re.compile(
    # How any of them begins, cheap to rule out: a number with what follows one in a date, or a word as long as
    # a month's name with a number behind it.
    r"(?:(?=\d{1,4}+(?:-\d|\s?年|(?:st|nd|rd|th|er|º|\.)?\s+(?:of\s+|de\s+)?[^\W\d_]))"
    rf"|\b(?=[^\W\d_]{{{_SHORTEST},{_LONGEST}}}+\.?,?\s+(?:of\s+|de\s+)?\d))(?:"
    r"\b(?P<iy>\d{4})-(?P<im>\d{2})-(?P<id>\d{2})\b"
    r"|(?P<cy>\d{1,4})\s?年\s?(?:(?P<cm>\d{1,2})\s?月\s?(?:(?P<cd>\d{1,2})\s?日)?)?"
    rf"|\b(?P<mm>{_MONTH})\.?\s+(?P<md>\d{{1,2}})(?:st|nd|rd|th)?\b(?!\d)(?:\s*,?\s*(?P<my>\d{{3,4}})(?!\d))?"
    rf"|\b(?P<dd>\d{{1,2}})(?:st|nd|rd|th|er|º|\.)?\s+(?:of\s+|de\s+)?(?P<dm>{_MONTH})\b\.?"
    r"(?:\s*,?\s*(?:de\s+|del\s+)?(?P<dy>\d{3,4})(?!\d))?"
    rf"|\b(?P<nm>{_MONTH})\.?,?\s+(?:of\s+|de\s+)?(?P<ny>\d{{4}})\b)",
    re.I,
)


def take_dates(text: str) -> tuple[str, list[str]]:
    """The text with a mark in place of each date, and the dates."""
    if _DIGIT.search(text) is None or not _may_have_one(text):
        return text, []
    dates: list[str] = []
    rest: list[str] = []
    position = 0
    for match in islice(_DATE.finditer(text), MAX_NUMBERS):
        date = _date(match)
        if date:
            dates.append(date)
            rest += (text[position : match.start()], " \x00 ")
            position = match.end()
    rest.append(text[position:])
    return "".join(rest), dates


def _may_have_one(text: str) -> bool:
    """False for most texts, in a fifth of the time that `_DATE` takes: it is tried at every word."""
    words = map(str.casefold, _WORD.findall(text))
    return not _MONTHS.keys().isdisjoint(words) or _WITHOUT_MONTH.search(text) is not None


def _date(match: re.Match[str]) -> str:
    group = match.groupdict()
    if group["iy"]:
        return f"{group['iy']}-{group['im']}-{group['id']}"
    if group["cy"]:
        return "-".join(part.zfill(2) for part in (group["cy"], group["cm"], group["cd"]) if part)
    month = _MONTHS.get((group["mm"] or group["dm"] or group["nm"] or "").casefold())
    if month is None:
        return ""
    if group["nm"]:
        return f"{group['ny']}-{month:02}"
    day = int(group["md"] or group["dd"])
    if not 1 <= day <= 99:
        return ""
    year = group["my"] or group["dy"]
    return f"{year}-{month:02}-{day:02}" if year else f"--{month:02}-{day:02}"
