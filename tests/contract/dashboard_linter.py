"""The rules of Grafana's dashboard-linter, strict: a warning counts as an error, and nothing is excluded.

Written anew after the documentation and the behaviour of github.com/grafana/dashboard-linter, for what our
dashboards are made of. `RULES` has them by the linter's names. Each takes a dashboard and says what it finds.
Whether PromQL is valid, Prometheus itself says (`target_promql_rule`).
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from tests.requirements import require

Json = dict[str, Any]
Rule = Callable[[Json], list[str]]

#: Units of Grafana that we use; the linter knows more.
UNITS = {
    "none", "string", "short", "percentunit", "bytes", "s", "ops", "dateTimeFromNow",
}  # fmt: skip


def panels(dashboard: Json) -> Iterator[Json]:
    """Without the headings of rows."""
    yield from (panel for panel in dashboard["panels"] if panel["type"] != "row")


def targets(dashboard: Json) -> Iterator[tuple[Json, Json]]:
    yield from ((panel, target) for panel in panels(dashboard) for target in panel.get("targets", []))


def queries(dashboard: Json) -> Iterator[tuple[str, str]]:
    """(panel's title, PromQL) of the targets that ask Prometheus."""
    for panel, target in targets(dashboard):
        if "postgres" not in target["datasource"]["type"]:
            yield panel["title"], target.get("expr", "")


def substituted(expr: str) -> str:
    """Without Grafana's variables, for a parser."""
    expr = re.sub(r"\$__(rate_interval|interval|range)\b", "5m", expr)
    return re.sub(r"\$(job|instance)\b", ".+", expr)


class Selector(NamedTuple):
    metric: str
    matchers: dict[str, str]
    """Label with operator: value, as in `job=~`."""
    over: str
    """The range, "" for an instant."""
    function: str
    """The function that it stands directly in."""


_SELECTOR = re.compile(
    r"(?P<function>[a-z_]+\()?(?P<metric>[a-zA-Z_:][a-zA-Z0-9_:]*)\{(?P<matchers>[^}]*)\}(\[(?P<over>[^\]]*)\])?"
)
_MATCHER = re.compile(r'([a-zA-Z_]\w*)\s*(=~|!=|!~|=)\s*"((?:[^"\\]|\\.)*)"')
_CLAUSE = re.compile(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)")
_WORDS = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*(?!\s*\(|[a-zA-Z0-9_:])")
_NUMBER = re.compile(r"\b\d[\d.]*(e[-+]?\d+)?\b")
_OPERATORS = {"by", "and", "or", "unless", "bool", "offset", "inf", "nan", "on", "group_left"}


def selectors(expr: str) -> list[Selector]:
    """All of an expression, those written without braces too."""
    found = [
        Selector(
            match["metric"],
            {label + operator: value for label, operator, value in _MATCHER.findall(match["matchers"])},
            match["over"] or "",
            (match["function"] or "").rstrip("("),
        )
        for match in _SELECTOR.finditer(expr)
    ]
    rest = _CLAUSE.sub("", _SELECTOR.sub(lambda match: match["function"] or "", expr))
    rest = _NUMBER.sub("", rest)
    bare = [word for word in _WORDS.findall(rest) if word.lower() not in _OPERATORS]
    return found + [Selector(word, {}, "", "") for word in bare]


def template_datasource_rule(dashboard: Json) -> list[str]:
    sources = _variables(dashboard, "datasource")
    found = [] if sources else ["has no data source variable"]
    for source in sources:
        names = {f"{source['query']}_datasource"} | ({"datasource"} if len(sources) == 1 else set())
        labels = {f"{source['query'].title()} data source"}
        labels |= {"Data source"} if len(sources) == 1 else set()
        if source["name"] not in names:
            found.append(f"{source['name']}: should be named {names}")
        if source.get("label") not in labels:
            found.append(f"{source['name']}: should be labelled {labels}")
    return found


def template_job_rule(dashboard: Json) -> list[str]:
    return _label_variable(dashboard, "job")


def template_instance_rule(dashboard: Json) -> list[str]:
    return _label_variable(dashboard, "instance")


def _label_variable(dashboard: Json, name: str) -> list[str]:
    named = [variable for variable in dashboard["templating"]["list"] if variable["name"] == name]
    if not named:
        return [f"has no variable {name}"]
    wanted = {
        "type": "query",
        "label": name.title(),
        "multi": True,
        "allValue": ".+",
        "datasource": {"type": "prometheus", "uid": "${prometheus_datasource}"},
    }
    return [
        f"{name}: {key} is no {value}" for key, value in wanted.items() if named[0].get(key) != value
    ]


def template_label_promql_rule(dashboard: Json) -> list[str]:
    found = []
    for variable in _variables(dashboard, "query"):
        query = variable["query"]["query"]
        call = re.fullmatch(r"(label_names|label_values|metrics|query_result)\((.+)\)", query)
        if call is None or not re.fullmatch(r"\{[^{}]+\}, [a-z_]+", call[2]):
            found.append(f"{variable['name']}: {query!r} asks Prometheus nothing")
    return found


def template_on_time_change_reload_rule(dashboard: Json) -> list[str]:
    stale = [variable for variable in _variables(dashboard, "query") if variable.get("refresh") != 2]
    return [f"{variable['name']}: is not asked again when the time changes" for variable in stale]


def panel_datasource_rule(dashboard: Json) -> list[str]:
    known = {f"${{{source['name']}}}" for source in _variables(dashboard, "datasource")}
    asked = [(panel, panel.get("datasource")) for panel in panels(dashboard)]
    asked += [(panel, target.get("datasource")) for panel, target in targets(dashboard)]
    return [f"{panel['title']}: {uid}" for panel, uid in asked if (uid or {}).get("uid") not in known]


def panel_title_description_rule(dashboard: Json) -> list[str]:
    return [
        f"panel {panel['id']}: no title or no description"
        for panel in panels(dashboard)
        if not panel.get("title") or not panel.get("description")
    ]


def panel_units_rule(dashboard: Json) -> list[str]:
    found = []
    for panel in panels(dashboard):
        config = panel["fieldConfig"]
        units = [config["defaults"].get("unit")]
        for override in config["overrides"]:
            units += [each["value"] for each in override["properties"] if each["id"] == "unit"]
        found += [f"{panel['title']}: {unit!r} is no unit" for unit in units if unit not in UNITS]
    return found


def panel_no_targets_rule(dashboard: Json) -> list[str]:
    return [panel["title"] for panel in panels(dashboard) if not panel.get("targets")]


def target_promql_rule(dashboard: Json) -> list[str]:
    promtool = require("promtool", "needs Debian's prometheus: .ci/packages fetches it")
    asked = [(title, substituted(expr)) for title, expr in queries(dashboard)]
    rules = [
        {"record": "a:panel:query", "labels": {"place": str(place)}, "expr": expr}
        for place, (_, expr) in enumerate(asked)
    ]
    groups = {"groups": [{"name": "panels", "rules": rules}]}
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        file.write(json.dumps(groups))  # JSON is YAML
        file.flush()
        command = [promtool, "check", "rules", "--lint=none", file.name]
        done = subprocess.run(command, capture_output=True, text=True)
    return [] if done.returncode == 0 else [done.stdout + done.stderr]


def target_rate_interval_rule(dashboard: Json) -> list[str]:
    return [
        f"{title}: {selector.metric}[{selector.over}]"
        for title, expr in queries(dashboard)
        for selector in selectors(expr)
        if selector.function in ("rate", "irate") and selector.over != "$__rate_interval"
    ]


def target_job_rule(dashboard: Json) -> list[str]:
    return _without_matcher(dashboard, "job")


def target_instance_rule(dashboard: Json) -> list[str]:
    return _without_matcher(dashboard, "instance")


def _without_matcher(dashboard: Json, label: str) -> list[str]:
    return [
        f"{title}: {selector.metric} without {label}"
        for title, expr in queries(dashboard)
        for selector in selectors(expr)
        if selector.matchers.get(f"{label}=~") != f"${label}"
    ]


def target_counter_agg_rule(dashboard: Json) -> list[str]:
    return [
        f"{title}: {selector.metric} is a counter"
        for title, expr in queries(dashboard)
        for selector in selectors(expr)
        if selector.metric.endswith("_total")
        and (selector.function not in ("rate", "irate", "increase") or not selector.over)
    ]


def uneditable_dashboard_rule(dashboard: Json) -> list[str]:
    return [] if dashboard.get("editable") is False else ["can be edited"]


def _variables(dashboard: Json, kind: str) -> list[Json]:
    return [variable for variable in dashboard["templating"]["list"] if variable["type"] == kind]


RULES: dict[str, Rule] = {
    "template-datasource-rule": template_datasource_rule,
    "template-job-rule": template_job_rule,
    "template-instance-rule": template_instance_rule,
    "template-label-promql-rule": template_label_promql_rule,
    "template-on-time-change-reload-rule": template_on_time_change_reload_rule,
    "panel-datasource-rule": panel_datasource_rule,
    "panel-title-description-rule": panel_title_description_rule,
    "panel-units-rule": panel_units_rule,
    "panel-no-targets-rule": panel_no_targets_rule,
    "target-promql-rule": target_promql_rule,
    "target-rate-interval-rule": target_rate_interval_rule,
    "target-job-rule": target_job_rule,
    "target-instance-rule": target_instance_rule,
    "target-counter-agg-rule": target_counter_agg_rule,
    "uneditable-dashboard": uneditable_dashboard_rule,
}
