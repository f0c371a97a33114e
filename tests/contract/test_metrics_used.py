"""Metrics and who reads them agree, both ways: rules, dashboards and runbooks name only what some program
exports, and nothing is exported that nobody looks at."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry

from streams.metrics import (
    ArchiveMetrics,
    DriftMetrics,
    IngestMetrics,
    Metrics,
    PagerMetrics,
    ProcessMetrics,
    QualityMetrics,
    WorkerMetrics,
)
from tests.conftest import CHECKOUT

RULES = sorted((CHECKOUT / "grafana" / "prometheus" / "rules").glob("*.yml"))
CASES = sorted((CHECKOUT / "grafana" / "prometheus" / "tests").glob("*.yml"))
DASHBOARDS = sorted((CHECKOUT / "grafana" / "dashboards").glob("*.json"))
RUNBOOKS = sorted((CHECKOUT / "docs" / "runbooks").glob("*.md"))

#: A name of ours or of a process, and not part of a recorded one, which has colons.
NAME = re.compile(r"(?<![\w:])(?:factwatch|process)_[a-z0-9_]+(?![\w:])")
RECORDED = re.compile(r"(?<![\w:])[a-z]+(?:_[a-z]+)*:factwatch_[a-z_]+:[a-z0-9_]+")
HISTOGRAM = ("_bucket", "_sum", "_count")


def exported() -> dict[str, set[str]]:
    """By metric: the names under which Prometheus knows it."""
    registry = CollectorRegistry()
    Metrics(registry)
    QualityMetrics(registry)
    DriftMetrics(registry, ["a_feature"])
    ProcessMetrics(registry, Path("/"))
    WorkerMetrics(registry)
    PagerMetrics(registry)
    others = [CollectorRegistry(), CollectorRegistry()]
    ArchiveMetrics(others[0])
    IngestMetrics(others[1])
    found: dict[str, set[str]] = {}
    for one in (registry, *others):
        for family in one.collect():
            names = {
                "counter": {f"{family.name}_total"},
                "histogram": {family.name + suffix for suffix in HISTOGRAM},
            }
            found[family.name] = names.get(family.type, {family.name})
    return found


def recorded() -> set[str]:
    return {
        rule["record"]
        for file in RULES
        for group in yaml.safe_load(file.read_text("utf-8"))["groups"]
        for rule in group["rules"]
        if "record" in rule
    }


def _of_rules() -> Iterator[tuple[str, str]]:
    for file in RULES:
        for group in yaml.safe_load(file.read_text("utf-8"))["groups"]:
            for rule in group["rules"]:
                yield rule.get("alert") or rule["record"], rule["expr"]


def _of_dashboards() -> Iterator[tuple[str, str]]:
    for file in DASHBOARDS:
        for expression in _expressions(json.loads(file.read_text("utf-8"))):
            yield file.name, expression


def _expressions(value: Any) -> Iterator[str]:
    """Of panels (`expr`) and of variables (`query`, `definition`)."""
    if isinstance(value, list):
        for one in value:
            yield from _expressions(one)
    elif isinstance(value, dict):
        for key, one in value.items():
            if key in {"expr", "query", "definition"} and isinstance(one, str):
                yield one
            else:
                yield from _expressions(one)


def _of_runbooks() -> Iterator[tuple[str, str]]:
    for file in RUNBOOKS:
        for expression in re.findall(r"^ *ask '([^']+)'", file.read_text("utf-8"), re.MULTILINE):
            yield file.name, expression


def _of_cases() -> Iterator[tuple[str, str]]:
    for file in CASES:
        for case in yaml.safe_load(file.read_text("utf-8"))["tests"]:
            for series in case["input_series"]:
                yield file.name, series["series"]


WHO_READS = {
    "rules": _of_rules,
    "dashboards": _of_dashboards,
    "runbooks": _of_runbooks,
    "cases of the rules": _of_cases,
}


@pytest.mark.parametrize("who", WHO_READS)
def test_what_is_read_is_exported(who: str) -> None:
    known = {name for names in exported().values() for name in names}
    read = list(WHO_READS[who]())
    assert read
    unknown = {
        (where, name)
        for where, expression in read
        for name in NAME.findall(expression)
        if name not in known
    }
    assert unknown == set()


@pytest.mark.parametrize("who", WHO_READS)
def test_what_is_read_as_recorded_is_recorded(who: str) -> None:
    unknown = {
        (where, name)
        for where, expression in WHO_READS[who]()
        for name in RECORDED.findall(expression)
        if name not in recorded()
    }
    assert unknown == set()


def test_what_is_exported_is_read_by_a_rule_or_a_dashboard() -> None:
    read = {
        name
        for who in (_of_rules, _of_dashboards)
        for _, expression in who()
        for name in NAME.findall(expression)
    }
    ours = {metric: names for metric, names in exported().items() if metric.startswith("factwatch_")}
    assert {metric for metric, names in ours.items() if not names & read} == set()
