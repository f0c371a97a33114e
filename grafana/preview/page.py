"""A dashboard as one HTML page: its panels where their `gridPos` puts them."""

from __future__ import annotations

from html import escape
from typing import Any

from grafana.preview.answers import Answers, Series
from grafana.preview.charts import NAMED, course, sparkline
from grafana.preview.units import written

Json = dict[str, Any]

WIDTH, CELL, GAP = 1400, 36, 8
HEADER = 54
TITLE = 30

STYLE = """
body { margin: 0; background: #111217; color: #ccccdc; font: 13px/1.4 Inter, "DejaVu Sans", sans-serif; }
h1 { position: absolute; left: 12px; top: 12px; margin: 0; font-size: 19px; font-weight: 500; }
.note { position: absolute; right: 12px; top: 18px; color: #8e8e9a; font-size: 12px; }
.row { position: absolute; left: 12px; font-size: 15px; font-weight: 500; }
.panel { position: absolute; background: #181b1f; border: 1px solid #2a2d34; border-radius: 3px;
  overflow: hidden; box-sizing: border-box; }
.panel h2 { margin: 0; padding: 6px 10px; font-size: 13px; font-weight: 500; white-space: nowrap;
  overflow: hidden; text-overflow: ellipsis; height: 18px; }
.stat { position: absolute; inset: 26px 0 0 0; display: flex; align-items: center;
  justify-content: center; font-size: 30px; font-weight: 500; white-space: nowrap; z-index: 1; }
.stat.small { font-size: 19px; }
.above { inset: 20px 0 42% 0; }
.spark { position: absolute; left: 0; bottom: 0; }
svg { display: block; }
.grid { stroke: #ccccdc; stroke-opacity: .09; }
.tick { fill: #9a9aa8; font-size: 11px; }
.legend { height: 34px; padding: 0 10px; overflow: hidden; font-size: 11.5px; line-height: 17px; }
.legend span { margin-right: 12px; white-space: nowrap; display: inline-block; }
.legend i { display: inline-block; width: 14px; height: 4px; border-radius: 2px; margin-right: 5px;
  vertical-align: middle; }
.none { position: absolute; inset: 26px 0 0 0; display: flex; align-items: center;
  justify-content: center; color: #8e8e9a; }
table { border-collapse: collapse; width: 100%; font-size: 12.5px; }
th { text-align: left; color: #6e9fff; font-weight: 500; }
th, td { padding: 5px 10px; border-bottom: 1px solid #24272d; white-space: nowrap; overflow: hidden;
  text-overflow: ellipsis; max-width: 330px; }
td.figure, th.figure { text-align: right; }
a { color: #6e9fff; text-decoration: none; }
.gauge { display: grid; grid-template-columns: max-content 1fr max-content; gap: 7px 10px;
  padding: 6px 12px; font-size: 12.5px; align-items: center; }
.gauge div.bar { background: #22252b; height: 15px; border-radius: 2px; }
.gauge div.bar div { height: 100%; border-radius: 2px; opacity: .85; }
"""


def page(dashboard: Json, answers: Answers, note: str) -> str:
    panels = "".join(_placed(panel, answers) for panel in dashboard["panels"])
    return (
        f'<!doctype html><meta charset="utf-8"><style>{STYLE}</style>'
        f"<h1>{escape(dashboard['title'])}</h1><div class=note>{escape(note)}</div>{panels}"
    )


def height(dashboard: Json) -> int:
    lowest = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in dashboard["panels"])
    return HEADER + int(lowest) * CELL + GAP


def _placed(panel: Json, answers: Answers) -> str:
    place = panel["gridPos"]
    column = (WIDTH - GAP) / 24
    left, top = GAP + place["x"] * column, HEADER + place["y"] * CELL
    if panel["type"] == "row":
        return f'<div class="row" style="top:{top + 6}px">▾ {escape(panel["title"])}</div>'
    size = (round(place["w"] * column - GAP), place["h"] * CELL - GAP)
    inside = {"stat": _stat, "timeseries": _course, "bargauge": _gauge, "table": _table}[panel["type"]]
    return (
        f'<div class="panel" style="left:{left:.0f}px;top:{top}px;width:{size[0]}px;height:{size[1]}px">'
        f"<h2>{escape(panel['title'])}</h2>{inside(panel, answers, size)}</div>"
    )


def _color(panel: Json, value: float) -> str:
    steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    reached = [step for step in steps if step["value"] is None or value >= step["value"]]
    return NAMED[reached[-1]["color"]]


def _text(panel: Json, value: Any) -> str:
    defaults = panel["fieldConfig"]["defaults"]
    return escape(written(value, defaults["unit"], defaults.get("decimals")))


def _stat(panel: Json, answers: Answers, size: tuple[int, int]) -> str:
    series = answers.series(panel)
    if not series:
        return '<div class="stat" style="color:#8e8e9a">–</div>'
    points = series[0].points
    color = _color(panel, points[-1][1])
    if panel["options"]["textMode"] == "name":
        names = "<br>".join(escape(one.name) for one in series)
        return f'<div class="stat small" style="color:{color}">{names}</div>'
    behind, above = "", ""
    if panel["options"]["graphMode"] == "area" and len(points) > 1:
        behind, above = sparkline(points, color, (size[0], (size[1] - TITLE) * 2 // 5)), " above"
    return f'{behind}<div class="stat{above}" style="color:{color}">{_text(panel, points[-1][1])}</div>'


def _course(panel: Json, answers: Answers, size: tuple[int, int]) -> str:
    series = answers.series(panel)
    if not series:
        return '<div class="none">No data</div>'
    return course(panel, series, answers.start, answers.end, (size[0] - 2, size[1] - TITLE - 36))


def _gauge(panel: Json, answers: Answers, size: tuple[int, int]) -> str:
    series = answers.series(panel)
    if not series:
        return '<div class="none">No data</div>'
    widest = panel["fieldConfig"]["defaults"].get("max", max(one.points[-1][1] for one in series)) or 1
    return f'<div class="gauge">{"".join(_bar(panel, one, widest) for one in series)}</div>'


def _bar(panel: Json, one: Series, widest: float) -> str:
    value = one.points[-1][1]
    part, color = min(1.0, value / widest) * 100, _color(panel, value)
    return (
        f'<div>{escape(one.name)}</div><div class="bar">'
        f'<div style="width:{part:.1f}%;background:{color}"></div></div>'
        f'<div style="color:{color}">{_text(panel, value)}</div>'
    )


def _table(panel: Json, answers: Answers, size: tuple[int, int]) -> str:
    rows = answers.rows(panel)
    if not rows:
        return '<div class="none">No data</div>'
    shown = (size[1] - TITLE - 34) // 30
    overrides = {
        override["matcher"]["options"]: {each["id"]: each["value"] for each in override["properties"]}
        for override in panel["fieldConfig"]["overrides"]
    }
    names = [name for name in rows[0] if not overrides.get(name, {}).get("custom.hideFrom.viz")]
    heads = "".join(f"<th{_class(rows[0][name])}>{escape(name)}</th>" for name in names)
    lines = "".join(
        "<tr>"
        + "".join(_cell(row[name], overrides.get(name, {}), answers.end) for name in names)
        + "</tr>"
        for row in rows[:shown]
    )
    return f"<table><tr>{heads}</tr>{lines}</table>"


def _class(value: Any) -> str:
    return "" if isinstance(value, str) or hasattr(value, "year") else ' class="figure"'


def _cell(value: Any, properties: Json, now: float) -> str:
    text = escape(written(value, properties.get("unit", "string"), properties.get("decimals"), now))
    style = ""
    for mapping in properties.get("mappings", []):
        if value in mapping["options"]:
            style = f' style="color:{NAMED[mapping["options"][value]["color"]]}"'
    if "links" in properties:
        text = f"<a>{text}</a>"
    return f"<td{_class(value)}{style}>{text}</td>"
