"""One function for each kind of panel. `width` is in 24ths of the page; the dashboard places them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from grafana.definitions.queries import Json

#: The same thing has the same colour on every dashboard.
KINDS = {
    "edit.suspect": "orange",
    "page.contested": "purple",
    "fact.corrected": "green",
    "post.repeats": "blue",
    "fact.amplified": "red",
}
SEVERITIES = {"critical": "red", "warning": "orange", "info": "blue"}
LABELS = {"reverted": "orange", "kept": "green"}
OUTCOMES = {"processed": "green", "forwarded": "blue", "dead_lettered": "red"}
FETCHES = {"fetched": "green", "cached": "blue", "refused": "red", "deadline": "orange", "error": "red"}
GRADES = {
    "repeats-vandalised": "red",
    "repeats-contested": "purple",
    "states-good": "green",
    "suggested": "blue",
}

#: Value from which on a colour holds. The first is that of the least values.
Steps = Sequence[tuple[float | None, str]]
PLAIN: Steps = ((None, "blue"),)
ZERO: Steps = ((None, "green"), (1e-9, "red"))


def stat(
    title: str,
    question: str,
    *targets: Json,
    unit: str,
    width: int = 4,
    steps: Steps = PLAIN,
    decimals: int | None = None,
    course: bool = True,
    name: bool = False,
) -> Json:
    """One figure, with its course behind it; `name`: the name of the series instead of its value."""
    defaults = _defaults(unit, steps, decimals) | {"noValue": "–"}
    options = {
        "colorMode": "value",
        "graphMode": "area" if course else "none",
        "justifyMode": "auto",
        "orientation": "auto",
        "percentChangeColorMode": "standard",
        "reduceOptions": _last(),
        "showPercentChange": False,
        "textMode": "name" if name else "auto",
        "wideLayout": True,
    }
    return _panel("stat", title, question, targets, width, defaults, options)


def should_be_zero(title: str, question: str, expr: Json, width: int = 3) -> Json:
    return stat(title, question, expr, unit="short", width=width, steps=ZERO, decimals=0, course=False)


def timeseries(
    title: str,
    question: str,
    *targets: Json,
    unit: str,
    width: int = 12,
    stacked: bool = False,
    bars: bool = False,
    limits: Steps = (),
    logarithmic: bool = False,
    least: float | None = 0,
    most: float | None = None,
    interval: str = "",
    colors: Mapping[str, str] = {},
) -> Json:
    """`limits`: lines, each in its colour. `interval`: no finer steps than these. `colors`: by name of a
    series; the others get those that are left."""
    custom: Json = {
        "drawStyle": "bars" if bars else "line",
        "fillOpacity": 80 if bars else 25 if stacked else 8,
        "lineWidth": 0 if bars else 1,
        "showPoints": "never",
        "stacking": {"group": "A", "mode": "normal" if stacked else "none"},
        "thresholdsStyle": {"mode": "dashed" if limits else "off"},
    }
    if logarithmic:
        custom["scaleDistribution"] = {"type": "log", "log": 10}
    defaults = _defaults(unit, ((None, "transparent"), *limits), None)
    defaults |= {"color": {"mode": "palette-classic"}, "custom": custom}
    defaults |= {key: value for key, value in (("min", least), ("max", most)) if value is not None}
    options = {
        "legend": {"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    panel = _panel("timeseries", title, question, targets, width, defaults, options)
    panel["fieldConfig"]["overrides"] = [
        _override(name, {"color": {"mode": "fixed", "fixedColor": color}})
        for name, color in colors.items()
    ]
    # 96 bars a day are a quarter of an hour each.
    return panel | ({"interval": interval, "maxDataPoints": 96} if interval else {})


def bar_gauge(
    title: str,
    question: str,
    *targets: Json,
    unit: str,
    width: int = 6,
    steps: Steps = PLAIN,
    decimals: int | None = None,
    most: float | None = None,
) -> Json:
    """A bar for each series, longest first if the query sorts them."""
    defaults = _defaults(unit, steps, decimals) | {"min": 0, "noValue": "–"}
    if most is not None:
        defaults["max"] = most
    options = {
        "displayMode": "basic",
        "legend": {"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": False},
        "maxVizHeight": 300,
        "minVizHeight": 16,
        "minVizWidth": 8,
        "namePlacement": "left",
        "orientation": "horizontal",
        "reduceOptions": _last(),
        "showUnfilled": True,
        "sizing": "auto",
        "valueMode": "color",
    }
    return _panel("bargauge", title, question, targets, width, defaults, options)


class Column(NamedTuple):
    """How a column of a table is shown; one that is not named is shown as it is."""

    name: str
    unit: str = ""
    width: int | None = None
    colors: Mapping[str, str] = {}
    """By value."""
    links: Sequence[tuple[str, str]] = ()
    """(title, address); `${__data.fields.NAME}` is another field of the row."""
    hidden: bool = False
    decimals: int | None = None


def table(title: str, question: str, target: Json, *columns: Column, width: int = 24) -> Json:
    defaults = _defaults("string", PLAIN, None) | {
        "custom": {
            "align": "auto",
            "cellOptions": {"type": "auto"},
            "filterable": True,
            "inspect": False,
        },
        "noValue": "–",
    }
    options = {"cellHeight": "sm", "enablePagination": True, "frameIndex": 0, "showHeader": True}
    panel = _panel("table", title, question, [target], width, defaults, options)
    panel["fieldConfig"]["overrides"] = [
        _override(column.name, _properties(column)) for column in columns
    ]
    return panel


def _properties(column: Column) -> Json:
    properties: Json = {}
    if column.unit:
        properties["unit"] = column.unit
    if column.decimals is not None:
        properties["decimals"] = column.decimals
    if column.width is not None:
        properties["custom.width"] = column.width
    if column.hidden:
        properties["custom.hideFrom.viz"] = True
    if column.colors:
        options = {value: {"color": color} for value, color in column.colors.items()}
        properties["mappings"] = [{"type": "value", "options": options}]
        properties["custom.cellOptions"] = {"type": "color-text"}
    if column.links:
        properties["links"] = [
            {"title": title, "url": url, "targetBlank": True} for title, url in column.links
        ]
    return properties


def _panel(
    kind: str,
    title: str,
    question: str,
    targets: Sequence[Json],
    width: int,
    defaults: Json,
    options: Json,
) -> Json:
    numbered = [target | {"refId": chr(ord("A") + index)} for index, target in enumerate(targets)]
    return {
        "type": kind,
        "title": title,
        "description": question,
        "datasource": targets[0]["datasource"],
        "gridPos": {"w": width},
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": options,
        "targets": numbered,
    }


def _defaults(unit: str, steps: Steps, decimals: int | None) -> Json:
    defaults: Json = {
        "unit": unit,
        "color": {"mode": "thresholds"},
        "thresholds": {
            "mode": "absolute",
            "steps": [{"value": value, "color": color} for value, color in steps],
        },
    }
    return defaults if decimals is None else defaults | {"decimals": decimals}


def _override(name: str, properties: Json) -> Json:
    return {
        "matcher": {"id": "byName", "options": name},
        "properties": [{"id": key, "value": value} for key, value in properties.items()],
    }


def _last() -> Json:
    return {"calcs": ["lastNotNull"], "fields": "", "values": False}
