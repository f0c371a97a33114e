"""Grafana's dashboards and their provisioning: the linter's rules, Grafana's types, and names that must
exist on both sides. What the queries give: tests/integration/test_dashboard_queries.py."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from grafana.definitions.__main__ import DIRECTORY, dashboards, text
from tests.conftest import CHECKOUT
from tests.contract.dashboard_linter import RULES, panels, selectors, targets

Json = dict[str, Any]

SCHEMAS = {
    file.stem: Draft7Validator(json.loads(file.read_text("utf-8")))
    for file in (Path(__file__).parent / "grafana-schema").glob("*.json")
}
FILES = {file.name: json.loads(file.read_text("utf-8")) for file in sorted(DIRECTORY.glob("*.json"))}
PROVISIONING = CHECKOUT / "grafana" / "provisioning"
PROVIDERS: Json = yaml.safe_load((PROVISIONING / "dashboards" / "dashboards.yml").read_text("utf-8"))
SOURCES: Json = yaml.safe_load((PROVISIONING / "datasources" / "datasources.yml").read_text("utf-8"))
COMPOSE: Json = yaml.safe_load((CHECKOUT / "docker-compose.yml").read_text("utf-8"))

every_dashboard = pytest.mark.parametrize("name", sorted(FILES))
every_rule = pytest.mark.parametrize("rule", sorted(RULES))


@every_dashboard
def test_what_is_committed_is_what_the_definitions_make(name: str) -> None:
    """If not: `python -m grafana.definitions`."""
    assert (DIRECTORY / name).read_text("utf-8") == text(dashboards()[name])


def test_there_are_the_four_that_pages_and_rules_link_to() -> None:
    uids = {dashboard["uid"] for dashboard in FILES.values()}
    assert uids == {f"factwatch-{name}" for name in ("overview", "posts", "model", "pipeline")}
    assert set(FILES) == set(dashboards())


@every_rule
@every_dashboard
def test_the_rule_of_the_linter_holds(name: str, rule: str) -> None:
    assert RULES[rule](FILES[name]) == []


def _panel(dashboard: Json, kind: str) -> Json:
    return next(panel for panel in panels(dashboard) if panel["type"] == kind)


def _target(dashboard: Json) -> Json:
    found: Json = _panel(dashboard, "timeseries")["targets"][0]
    return found


def _variable(dashboard: Json, name: str) -> Json:
    return next(each for each in dashboard["templating"]["list"] if each["name"] == name)


def _with_query(expr: str) -> Callable[[Json], None]:
    return lambda dashboard: _target(dashboard).update(expr=expr)


#: How each rule is broken.
BROKEN: dict[str, list[Callable[[Json], object]]] = {
    "template-datasource-rule": [
        lambda dashboard: dashboard["templating"]["list"].clear(),
        lambda dashboard: _variable(dashboard, "prometheus_datasource").update(name="metrics"),
        lambda dashboard: _variable(dashboard, "prometheus_datasource").update(label="Metrics"),
    ],
    "template-job-rule": [lambda dashboard: _variable(dashboard, "job").update(multi=False)],
    "template-instance-rule": [
        lambda dashboard: _variable(dashboard, "instance").update(name="host"),
        lambda dashboard: _variable(dashboard, "instance").update(allValue=".*"),
    ],
    "template-label-promql-rule": [
        lambda dashboard: _variable(dashboard, "job")["query"].update(query="SELECT 1"),
    ],
    "template-on-time-change-reload-rule": [
        lambda dashboard: _variable(dashboard, "job").update(refresh=1),
    ],
    "panel-datasource-rule": [
        lambda dashboard: _panel(dashboard, "stat")["datasource"].update(uid="prometheus"),
        lambda dashboard: _target(dashboard)["datasource"].update(uid="${other}"),
    ],
    "panel-title-description-rule": [lambda dashboard: _panel(dashboard, "stat").update(description="")],
    "panel-units-rule": [
        lambda dashboard: _panel(dashboard, "stat")["fieldConfig"]["defaults"].pop("unit"),
        lambda dashboard: _panel(dashboard, "stat")["fieldConfig"]["defaults"].update(unit="edits"),
    ],
    "panel-no-targets-rule": [lambda dashboard: _panel(dashboard, "stat").update(targets=[])],
    "target-promql-rule": [_with_query("sum by (rate(x[5m])"), _with_query("")],
    "target-rate-interval-rule": [_with_query("sum(rate(x_total{}[5m]))")],
    "target-job-rule": [
        _with_query('x{instance=~"$instance"}'),
        _with_query('x{job="$job", instance=~"$instance"}'),
        _with_query("sum by (kind) (x) + 1"),
    ],
    "target-instance-rule": [_with_query('x{job=~"$job"}')],
    "target-counter-agg-rule": [
        _with_query("sum(x_total{})"),
        _with_query("max_over_time(x_total{}[5m])"),
    ],
    "uneditable-dashboard": [lambda dashboard: dashboard.pop("editable")],
}


@every_rule
def test_the_rule_bites(rule: str) -> None:
    for change in BROKEN[rule]:
        dashboard = copy.deepcopy(FILES["pipeline.json"])
        change(dashboard)
        assert RULES[rule](dashboard), change


def test_selectors_are_found_however_they_are_written() -> None:
    found = selectors(
        'sum by (le, kind) (rate(a_total{job=~"$job"}[5m])) / b - on (job) c{} > bool 1e-9'
    )
    assert [(each.metric, each.function, each.over) for each in found] == [
        ("a_total", "rate", "5m"),
        ("c", "", ""),
        ("b", "", ""),
    ]


def schema_errors(dashboard: Json) -> list[str]:
    """Against the types of Grafana, those of each kind of panel too."""
    found = [
        f"{error.json_path}: {error.message}" for error in SCHEMAS["dashboard"].iter_errors(dashboard)
    ]
    for panel in panels(dashboard):
        config = panel["fieldConfig"]
        given = [{"options": panel["options"], "custom": config["defaults"].get("custom", {})}]
        given += [
            {"options": panel["options"], "custom": _custom(override["properties"])}
            for override in config["overrides"]
        ]
        for each in given:
            if panel["type"] in ("stat", "bargauge") and not each["custom"]:
                del each["custom"]
            errors = SCHEMAS[panel["type"]].iter_errors(each)
            found += [f"{panel['title']}: {error.json_path}: {error.message}" for error in errors]
    return found


def _custom(properties: list[Json]) -> Json:
    """What overrides of `custom.NAME.NAME` come to."""
    custom: Json = {}
    for each in properties:
        if each["id"].startswith("custom."):
            *path, last = each["id"].split(".")[1:]
            place = custom
            for step in path:
                # Of the two that an override of `hideFrom` leaves alone nothing is said.
                place = place.setdefault(step, {"legend": False, "tooltip": False, "viz": False})
            place[last] = each["value"]
    return custom


@every_dashboard
def test_it_is_what_the_types_of_grafana_allow(name: str) -> None:
    assert schema_errors(FILES[name]) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda dashboard: dashboard.pop("schemaVersion"),
        lambda dashboard: dashboard.update(editible=False),
        lambda dashboard: _panel(dashboard, "stat").update(datasource="prometheus"),
        lambda dashboard: _panel(dashboard, "stat")["options"].update(colorMode="colour"),
        lambda dashboard: _panel(dashboard, "timeseries")["options"].pop("legend"),
        lambda dashboard: _panel(dashboard, "timeseries")["fieldConfig"]["defaults"]["custom"].update(
            drawStyle="lines"
        ),
        lambda dashboard: _panel(dashboard, "table")["fieldConfig"]["overrides"][0]["properties"].append(
            {"id": "custom.wdth", "value": 3}
        ),
        lambda dashboard: _variable(dashboard, "job").update(refresh=7),
    ],
)
def test_the_types_bite(change: Callable[[Json], object]) -> None:
    dashboard = copy.deepcopy(FILES["overview.json"])
    change(dashboard)
    assert schema_errors(dashboard)


def test_the_types_are_those_of_the_grafana_that_compose_starts() -> None:
    image = COMPOSE["services"]["grafana"]["image"]
    notice = (Path(__file__).parent / "grafana-schema" / "NOTICE").read_text("utf-8")
    (types,) = re.findall(r"@grafana/schema (\d+\.\d+)\.", notice)
    assert image.startswith(f"grafana/grafana:{types}.")
    assert {dashboard["schemaVersion"] for dashboard in FILES.values()} == {42}, "that of 12.4"


@every_dashboard
def test_each_panel_asks_a_question(name: str) -> None:
    assert [panel["title"] for panel in panels(FILES[name]) if "?" not in panel["description"]] == []


@every_dashboard
def test_panels_have_places_and_numbers_of_their_own(name: str) -> None:
    everything = FILES[name]["panels"]
    assert len({panel["id"] for panel in everything}) == len(everything)
    taken: set[tuple[int, int]] = set()
    for panel in everything:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24, panel["title"]
        assert not cells & taken, panel["title"]
        taken |= cells


@every_dashboard
def test_every_variable_that_is_used_is_there(name: str) -> None:
    known = {variable["name"] for variable in FILES[name]["templating"]["list"]}
    known |= {"__rate_interval", "__range", "__interval", "__unixEpochFilter", "__unixEpochGroupAlias"}
    used = set(re.findall(r"\$\{?(\w+)", text(FILES[name]))) - {"__data", "__all"}
    assert used <= known
    assert {"job", "instance", "__rate_interval"} <= used


@every_dashboard
def test_the_data_sources_chosen_at_first_are_provisioned(name: str) -> None:
    provisioned = {source["uid"]: source for source in SOURCES["datasources"]}
    kinds = {
        target["datasource"]["uid"]: target["datasource"]["type"] for _, target in targets(FILES[name])
    }
    for variable in FILES[name]["templating"]["list"]:
        if variable["type"] == "datasource":
            source = provisioned[variable["current"]["value"]]
            assert source["name"] == variable["current"]["text"]
            assert source["type"] == kinds[f"${{{variable['name']}}}"]
            assert source["type"] in (variable["query"], f"grafana-{variable['query']}ql-datasource")


def links(dashboard: Json) -> Iterator[tuple[Json, str]]:
    for panel in panels(dashboard):
        for override in panel["fieldConfig"]["overrides"]:
            for each in override["properties"]:
                if each["id"] == "links":
                    yield from ((panel, link["url"]) for link in each["value"])


def test_an_episode_leads_to_the_triage_page_and_to_the_diff() -> None:
    urls = {url for _, url in links(FILES["overview.json"])}
    assert any(url.startswith("${factwatch_url:raw}/#") for url in urls)
    assert "${__data.fields.diff:raw}" in urls
    assert _variable(FILES["overview.json"], "factwatch_url")["query"].startswith(
        "http://127.0.0.1:8080"
    )


@every_dashboard
def test_a_link_begins_with_our_address_or_is_a_field_of_its_row(name: str) -> None:
    """What such a field may hold: tests/integration/test_dashboard_queries.py."""
    for panel, url in links(FILES[name]):
        if url.startswith("${factwatch_url:raw}/"):
            # Escaped by Grafana where nothing is said of a format.
            assert ":raw" not in url.removeprefix("${factwatch_url:raw}"), url
            continue
        field = re.fullmatch(r"\$\{__data\.fields\.(\w+):raw\}", url)
        assert field is not None, url
        assert field[1] in panel["targets"][0]["rawSql"]


def test_the_address_of_ours_can_not_be_changed_by_a_link_to_the_dashboard() -> None:
    for dashboard in FILES.values():
        variable = _variable(dashboard, "factwatch_url")
        assert (variable["type"], variable["skipUrlSync"], variable["hide"]) == ("constant", True, 2)


def test_dashboards_are_provisioned_from_where_compose_mounts_them_and_can_not_be_edited() -> None:
    """Grafana publishes no schema of its provisioning files: these are the keys of its documentation."""
    (provider,) = PROVIDERS["providers"]
    assert PROVIDERS["apiVersion"] == 1
    assert set(provider) <= {
        "name", "orgId", "folder", "folderUid", "type", "disableDeletion", "updateIntervalSeconds",
        "allowUiUpdates", "options",
    }  # fmt: skip
    assert provider["folder"] == "Factwatch"
    assert provider["allowUiUpdates"] is False
    assert provider["type"] == "file"
    mounts = [volume.split(":") for volume in COMPOSE["services"]["grafana"]["volumes"]]
    source = {target: source for source, target, *_ in mounts}[provider["options"]["path"]]
    assert (CHECKOUT / source).resolve() == DIRECTORY


def test_data_sources_have_the_keys_that_grafana_reads() -> None:
    assert set(SOURCES) == {"apiVersion", "datasources"}
    for source in SOURCES["datasources"]:
        assert set(source) <= {
            "name", "uid", "type", "access", "url", "user", "isDefault", "editable", "jsonData",
            "secureJsonData", "database", "orgId", "version", "basicAuth", "basicAuthUser", "withCredentials",
        }  # fmt: skip
        assert source["editable"] is False
    assert [source["uid"] for source in SOURCES["datasources"] if source.get("isDefault")] == [
        "prometheus"
    ]
