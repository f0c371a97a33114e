"""Features in words, for a person who reads why an edit alerts."""

from __future__ import annotations

import math

from models.phrase_table import NONE_OF_IT, ONE_OF_IT, PHRASES

#: Counted no further.
CAPS = {"longest_run": 12.0, "longest_word": 40.0}


def phrase(name: str, value: float) -> str:
    """The feature in words."""
    if math.isnan(value):
        return PHRASES[name].format(n="?", s="?", p="?", t="?", v="?", m="?")
    if value == 0.0 and name in NONE_OF_IT:
        return NONE_OF_IT[name]
    if value == 0.0 and PHRASES[name].startswith("{p} of "):
        return "none" + PHRASES[name][3:]
    count = round(math.expm1(min(abs(value), 40.0)))
    if PHRASES[name].startswith(("{n} ", "{v} ")) and (
        value == 0.0 if "{v}" in PHRASES[name] else count == 0
    ):
        return "no" + PHRASES[name][3:]
    if name in ONE_OF_IT and (value == 1.0 if "{v}" in PHRASES[name] else count == 1):
        return ONE_OF_IT[name]
    if name == "number_jump" and 10.0**value < 1.05:
        return "a number is changed by less than 5 %"
    return PHRASES[name].format(
        n=count,
        s=f"{'+' if value >= 0 else '-'}{count}",
        p=f"{100 * value:.0f} %" if not 0.0 < value < 0.005 else "under 1 %",
        t=_duration(math.expm1(min(max(value, 0.0), 30.0))),
        v=f"{value:.3g}" + (" or more" if value >= CAPS.get(name, math.inf) else ""),
        m=_rounded(10.0 ** min(abs(value), 12.0)),
    )


def _rounded(number: float) -> str:
    """Two digits that count: 1.3, 25, 1,000."""
    if number < 10.0:
        return f"{number:.2g}"
    return f"{round(number, 1 - math.floor(math.log10(number))):,.0f}"


def _duration(seconds: float) -> str:
    for unit, size in (
        ("years", 31_557_600.0),
        ("days", 86_400.0),
        ("hours", 3_600.0),
        ("minutes", 60.0),
    ):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"
