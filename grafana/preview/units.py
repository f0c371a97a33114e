"""Figures as Grafana writes them, for the units that our panels have."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

_SHORT = ((1e9, " Bil"), (1e6, " Mil"), (1e3, " K"))
_BYTES = ((2**40, " TiB"), (2**30, " GiB"), (2**20, " MiB"), (2**10, " KiB"))
_SECONDS = ((86_400, " days"), (3_600, " hours"), (60, " mins"), (1, " s"), (1e-3, " ms"), (1e-6, " µs"))


def written(value: Any, unit: str, decimals: int | None = None, now: float = 0.0) -> str:
    """`now`: Unix seconds, for what is told as an age."""
    if value is None:
        return "–"
    if isinstance(value, datetime):
        value = value.timestamp()
        if unit == "dateTimeFromNow":
            return f"{_scaled(max(0.0, now - value), _SECONDS, 0)} ago"
        return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, str):
        return value
    figure = float(value)
    if math.isnan(figure):
        return "NaN"
    if unit == "percentunit":
        return f"{_digits(figure * 100, decimals)} %"
    if unit == "s":
        return _scaled(figure, _SECONDS, decimals)
    if unit == "bytes":
        return _scaled(figure, _BYTES, decimals)
    if unit == "ops":
        return f"{_digits(figure, decimals)} ops/s"
    return _scaled(figure, _SHORT, decimals) if unit == "short" else _digits(figure, decimals)


def _scaled(figure: float, scale: tuple[tuple[float, str], ...], decimals: int | None) -> str:
    for least, name in scale:
        if abs(figure) >= least:
            return _digits(figure / least, decimals) + name
    smallest = scale[-1][1] if scale is not _SHORT and figure else ""
    return _digits(figure, decimals) + (" s" if scale is _SECONDS else smallest)


def _digits(figure: float, decimals: int | None) -> str:
    if decimals is not None:
        return f"{figure:.{decimals}f}"
    if figure == 0 or abs(figure) >= 100:
        return f"{figure:.0f}"
    return f"{figure:.3g}"
