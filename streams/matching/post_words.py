"""The words of a folded text, in any script, as the index and the comparisons count them.

Scripts written without spaces give each two neighbouring characters as a word (overlapping bigrams);
numbers are one word however they are grouped; a possessive 's and Korean particles are left out.
"""

from __future__ import annotations

import re
from itertools import pairwise

from streams.stages.tokens import words

MAX_WORDS = 2_000
"""Words of one text that are looked at."""

_ASCII_WORD = re.compile(r"[a-z0-9_]+")
_POSSESSIVE = re.compile(r"'s(?![a-z0-9])")
_INNER_POINT = re.compile(r"\d[.,'٬٫]\d")
_POINT = re.compile("[.,'٬٫]")
_WRITTEN_NUMBER = re.compile(r"(?<![\d.,'])\d+(?:[.,'٬٫]\d+)+(?!\d)")
_GROUPED = re.compile(r"\d{1,3}(?:([.,'٬])\d{3})(?:\1\d{3})*(?:[.,٫]\d+)?")
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u30fa"
    "\u30fc-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_IS_UNSPACED = re.compile(f"[{_UNSPACED}]")
_RUN = re.compile(f"[{_UNSPACED}]+|[^{_UNSPACED}]+")
_IS_HANGUL = re.compile("[가-힣]")
_PARTICLE = re.compile(
    "(?<=[가-힣]{2})(?:에서|으로|에게|부터|까지|은|는|이|가|을|를|의|에|도|와|과|로)(?![가-힣])"
)


def post_words(folded: str) -> list[str]:
    """Of a text as `fold` gives it: the words in order, at most MAX_WORDS, with repeats. A decimal is
    one word with a point ("3.5"); 1,809 and 1.809 and 1'809 are "1809"."""
    if "'s" in folded:
        folded = _POSSESSIVE.sub("", folded)
    pointed = _INNER_POINT.search(folded) is not None
    if pointed:
        folded = _WRITTEN_NUMBER.sub(_plain, folded)
    found = _ASCII_WORD.findall(folded) if folded.isascii() else _words(folded)
    if len(found) > MAX_WORDS:
        found = found[:MAX_WORDS]
    return [word.replace("_", ".") for word in found] if pointed else found


def _plain(written: re.Match[str]) -> str:
    """A number as one word: without grouping, the decimal mark an underscore, which folded text has
    none of. Anything else with points in it (a date, a version) comes apart."""
    number = written[0]
    grouped = _GROUPED.fullmatch(number)
    if grouped:
        number = number.replace(grouped[1], "")
    parts = _POINT.split(number)
    return "_".join(parts) if len(parts) <= 2 else " ".join(parts)


def _words(folded: str) -> list[str]:
    if _IS_HANGUL.search(folded):
        folded = _PARTICLE.sub("", folded)
    if not _IS_UNSPACED.search(folded):
        return words(folded)
    found: list[str] = []
    for run in _RUN.findall(folded):
        if not _IS_UNSPACED.match(run):
            found += words(run)
        elif len(run) == 1:
            found.append(run)
        else:
            found += map("".join, pairwise(run))
    return found
