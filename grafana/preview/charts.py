"""Courses over time as SVG."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any

from grafana.preview.answers import BARS, POINTS, Point, Series
from grafana.preview.units import written

Json = dict[str, Any]

NAMED = {
    "green": "#73bf69",
    "orange": "#ff9830",
    "red": "#f2495c",
    "blue": "#5794f2",
    "purple": "#b877d9",
    "transparent": "#8e8e9a",
}
PALETTE = (
    "#73bf69", "#f2cc0c", "#8ab8ff", "#ff780a", "#f2495c", "#5794f2", "#b877d9", "#705da0", "#37872d",
    "#fade2a", "#447ebc", "#c15c17", "#890f02", "#0a437c", "#6d1f62",
)  # fmt: skip
LEFT, RIGHT, TOP, BOTTOM = 62, 10, 8, 22


def colors(panel: Json, names: Sequence[str]) -> dict[str, str]:
    """By the panel's overrides; the others take turns in the palette, without those."""
    fixed = {
        override["matcher"]["options"]: NAMED[each["value"]["fixedColor"]]
        for override in panel["fieldConfig"]["overrides"]
        for each in override["properties"]
        if each["id"] == "color"
    }
    rest = [color for color in PALETTE if color not in {fixed.get(name) for name in names}]
    free = [name for name in names if name not in fixed]
    return fixed | {name: rest[place % len(rest)] for place, name in enumerate(free)}


def course(panel: Json, series: list[Series], start: float, end: float, size: tuple[int, int]) -> str:
    width, height = size
    custom = panel["fieldConfig"]["defaults"]["custom"]
    is_stacked = custom["stacking"]["mode"] == "normal"
    is_bars = custom["drawStyle"] == "bars"
    layers = list(_layers(series, stacked=is_stacked))
    scale = _Scale(panel, [value for _, points in layers for _, _, value in points], height)
    parts = list(_axes(scale, start, end, width, height, panel["fieldConfig"]["defaults"]["unit"]))
    chosen = colors(panel, [name for name, _ in layers])

    def x(when: float) -> float:
        return LEFT + (when - start) / (end - start) * (width - LEFT - RIGHT)

    for name, points in reversed(layers):
        color = chosen[name]
        if is_bars:
            step = (end - start) / BARS
            wide = max(2.0, x(start + step) - x(start) - 2)
            parts += [
                f'<rect x="{x(when):.1f}" y="{scale.y(high):.1f}" width="{wide:.1f}" '
                f'height="{max(1.0, scale.y(low) - scale.y(high)):.1f}" fill="{color}" fill-opacity=".8"/>'
                for when, low, high in points
            ]
            continue
        for run in _runs(points, (end - start) / POINTS * 3):
            line = " ".join(f"{x(when):.1f},{scale.y(high):.1f}" for when, _, high in run)
            back = " ".join(f"{x(when):.1f},{scale.y(low):.1f}" for when, low, _ in reversed(run))
            opacity = custom["fillOpacity"] / 100
            parts.append(f'<polygon points="{line} {back}" fill="{color}" fill-opacity="{opacity}"/>')
            parts.append(f'<polyline points="{line}" fill="none" stroke="{color}" stroke-width="1.4"/>')
    for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"][1:]:
        if custom["thresholdsStyle"]["mode"] != "off" and scale.holds(step["value"]):
            y = scale.y(step["value"])
            parts.append(
                f'<line x1="{LEFT}" x2="{width - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" '
                f'stroke="{NAMED[step["color"]]}" stroke-dasharray="6 5"/>'
            )
    return f'<svg width="{width}" height="{height}">{"".join(parts)}</svg>{_legend(layers, chosen)}'


def sparkline(points: list[Point], color: str, size: tuple[int, int]) -> str:
    width, height = size
    low, high = min(value for _, value in points), max(value for _, value in points)
    first, last = points[0][0], points[-1][0]
    spread = (high - low) or max(abs(high), 1.0)
    line = " ".join(
        f"{(when - first) / ((last - first) or 1) * width:.1f},"
        f"{height - 3 - (value - low) / spread * (height - 8):.1f}"
        for when, value in points
    )
    return (
        f'<svg class="spark" width="{width}" height="{height}">'
        f'<polygon points="0,{height} {line} {width},{height}" fill="{color}" fill-opacity=".16"/>'
        f'<polyline points="{line}" fill="none" stroke="{color}" stroke-width="1.4"/></svg>'
    )


def _layers(
    series: list[Series], *, stacked: bool
) -> Iterator[tuple[str, list[tuple[float, float, float]]]]:
    """(name, (when, from, to) of each point)."""
    below: dict[float, float] = {}
    for one in series:
        points = []
        for when, value in one.points:
            low = below.get(when, 0.0) if stacked else 0.0
            points.append((when, low, low + value))
            below[when] = low + value
        yield one.name, points


def _runs(
    points: list[tuple[float, float, float]], gap_s: float
) -> Iterator[list[tuple[float, float, float]]]:
    """Where figures are missing the line has a gap."""
    run: list[tuple[float, float, float]] = []
    for point in points:
        if run and point[0] - run[-1][0] > gap_s:
            yield run
            run = []
        run.append(point)
    if run:
        yield run


class _Scale:
    def __init__(self, panel: Json, values: list[float], height: int) -> None:
        defaults = panel["fieldConfig"]["defaults"]
        self._height = height
        self._logarithmic = "scaleDistribution" in defaults["custom"]
        values = values or [1.0]
        if self._logarithmic:
            positive = [value for value in values if value > 0] or [1e-3, 1.0]
            self._low: float = math.floor(math.log10(min(positive)))
            self._high: float = max(math.ceil(math.log10(max(positive))), self._low + 1)
            self.ticks = [10.0**power for power in range(int(self._low), int(self._high) + 1)]
            return
        low, high = min(defaults.get("min", min(values)), min(values)), max(values)
        step = _nice((high - low or abs(high) or 1) / 4, 2 if defaults["unit"] == "bytes" else 10)
        self._low = math.floor(low / step) * step
        self._high = max(math.ceil(high * 1.02 / step), 1) * step
        if "max" in defaults:
            self._high = min(self._high, defaults["max"])
        self.ticks = [self._low + step * n for n in range(round((self._high - self._low) / step) + 1)]

    def y(self, value: float) -> float:
        if self._logarithmic:
            value = math.log10(value) if value > 0 else self._low
        part = (value - self._low) / (self._high - self._low)
        return self._height - BOTTOM - min(max(part, 0), 1) * (self._height - BOTTOM - TOP)

    def holds(self, value: float) -> bool:
        return self._logarithmic or self._low <= value <= self._high


def _nice(step: float, base: int) -> float:
    if base == 2:
        return 2.0 ** math.ceil(math.log2(step))
    power = 10.0 ** math.floor(math.log10(step))
    return next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= step * 0.999)


def _axes(scale: _Scale, start: float, end: float, width: int, height: int, unit: str) -> Iterator[str]:
    for tick in scale.ticks:
        y = scale.y(tick)
        yield f'<line class="grid" x1="{LEFT}" x2="{width - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        label = escape(written(tick, unit))
        yield f'<text class="tick" x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{label}</text>'
    step = next((each for each in (15, 30, 60, 120, 300, 600, 3600) if (end - start) / each <= 6), 7200)
    for when in range(int(start // step + 1) * step, int(end) + 1, step):
        x = LEFT + (when - start) / (end - start) * (width - LEFT - RIGHT)
        name = datetime.fromtimestamp(when, UTC).strftime("%H:%M" if step >= 60 else "%H:%M:%S")
        yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{height - BOTTOM}"/>'
        if x < width - 24:
            yield f'<text class="tick" x="{x:.1f}" y="{height - 6}" text-anchor="middle">{name}</text>'


def _legend(layers: list[tuple[str, Any]], chosen: dict[str, str]) -> str:
    names = [name for name, _ in layers if name]
    items = [f'<span><i style="background:{chosen[name]}"></i>{escape(name)}</span>' for name in names]
    return f'<div class="legend">{"".join(items)}</div>'
