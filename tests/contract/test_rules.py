"""Prometheus' rules: promtool takes them, every alert says what a woken person needs, and for each there
are cases in which it fires, resolves, and keeps quiet."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from streams.cli.main import cli
from streams.incidents import IncidentKind
from streams.settings import PARSERS
from tests.conftest import CHECKOUT
from tests.requirements import require

DIRECTORY = CHECKOUT / "grafana" / "prometheus"
RULE_FILES = sorted((DIRECTORY / "rules").glob("*.yml"))
TEST_FILES = sorted((DIRECTORY / "tests").glob("*.yml"))
CONFIGS = sorted(DIRECTORY.glob("*.yml"))
RUNBOOKS = CHECKOUT / "docs" / "runbooks"

RUNBOOK_URL = "https://github.com/factwatch/factwatch/blob/main/docs/runbooks/"
DASHBOARD_URL = "http://127.0.0.1:3000/d/"
DASHBOARDS = {"factwatch-overview", "factwatch-posts", "factwatch-model", "factwatch-pipeline"}
COMPONENTS = {"pipeline", "content", "model", "storage"}
#: Factwatch tells Alertmanager of these itself, without a rule.
INCIDENTS = {"".join(word.capitalize() for word in kind.split(".")) for kind in IncidentKind}
SECTIONS = [
    "What it means",
    "What the reader sees",
    "Three checks",
    "What to do",
    "When to escalate",
]
CAMEL_CASE = re.compile(r"([A-Z][a-z0-9]+){2,}")
RECORDED = re.compile(r"[a-z]+(_[a-z]+)*:factwatch(_[a-z]+)+:[a-z]+(_[a-z]+)*([0-9]+[mhd])?")
DURATION = re.compile(r"[0-9]+(s|m|h|d)")


def _rules() -> Iterator[dict[str, Any]]:
    for file in RULE_FILES:
        for group in yaml.safe_load(file.read_text("utf-8"))["groups"]:
            yield from group["rules"]


ALERTS = {rule["alert"]: rule for rule in _rules() if "alert" in rule}
RECORDINGS = {rule["record"]: rule for rule in _rules() if "record" in rule}
every_alert = pytest.mark.parametrize("name", sorted(ALERTS))


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    program = require("promtool", "needs Debian's prometheus: .ci/packages fetches it")
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False)


def passes(done: subprocess.CompletedProcess[str]) -> bool:
    return done.returncode == 0 and "FAILED" not in done.stdout + done.stderr


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.name)
def test_prometheus_takes_each_configuration_with_all_rules(config: Path) -> None:
    done = promtool("check", "config", config)
    assert passes(done), done.stdout + done.stderr
    assert f"{len(RULE_FILES)} rule files found" in done.stdout


def test_promtool_finds_nothing_to_mend_in_the_rules() -> None:
    done = promtool("check", "rules", "--lint-fatal", *RULE_FILES)
    assert passes(done), done.stdout + done.stderr


@pytest.mark.parametrize("file", TEST_FILES, ids=lambda file: file.name)
def test_alerts_fire_resolve_and_keep_quiet_as_told(file: Path) -> None:
    done = promtool("test", "rules", file)
    assert passes(done), done.stdout + done.stderr


def test_the_cases_bite(tmp_path: Path) -> None:
    """A threshold that is never reached, one that always is, and no waiting: each makes a case fail."""
    changes = [
        ("> 120\n        for: 1m", wrong)
        for wrong in ("> 1200\n        for: 1m", "> 15\n        for: 1m")
    ]
    changes.append(("> 120\n        for: 1m", "> 120\n        for: 5m"))
    pipeline = (DIRECTORY / "rules" / "pipeline.yml").read_text("utf-8")
    (tmp_path / "tests").mkdir()
    (tmp_path / "rules").mkdir()
    (tmp_path / "tests" / "silence.yml").write_bytes((DIRECTORY / "tests" / "silence.yml").read_bytes())
    (tmp_path / "rules" / "recording.yml").write_bytes(
        (DIRECTORY / "rules" / "recording.yml").read_bytes()
    )
    for right, wrong in changes:
        assert right in pipeline
        (tmp_path / "rules" / "pipeline.yml").write_text(pipeline.replace(right, wrong))
        done = promtool("test", "rules", tmp_path / "tests" / "silence.yml")
        assert "FAILED" in done.stdout + done.stderr, wrong
        assert "parse error" not in done.stdout + done.stderr


@every_alert
def test_an_alert_says_what_a_woken_person_needs(name: str) -> None:
    rule = ALERTS[name]
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert DURATION.fullmatch(rule["for"])
    labels, annotations = rule["labels"], rule["annotations"]
    assert set(labels) == {"service", "severity", "component"}
    assert labels["service"] == "factwatch"
    assert labels["severity"] in {"critical", "warning"}
    assert labels["component"] in COMPONENTS
    assert set(annotations) == {"summary", "description", "runbook_url", "dashboard_url"}
    assert 0 < len(re.sub(r"\{\{.*?\}\}", "", annotations["summary"])) <= 100
    assert "\n" not in annotations["description"]


@every_alert
def test_a_description_explains_its_query(name: str) -> None:
    """By the name of a metric that the query reads, or by that of what it is recorded from."""
    rule = ALERTS[name]
    read = set(re.findall(r"\b(?:[a-z]+:)?factwatch_[a-z_]+(?::[a-z0-9_]+)?|\bup\b", rule["expr"]))
    for recorded in read & set(RECORDINGS):
        read |= _read_by(recorded)
    bare = {re.sub(r"_(bucket|count|sum)$", "", metric) for metric in read}
    told = rule["annotations"]["description"]
    assert any(metric in told for metric in bare) or name in EXPLAINED_IN_WORDS


#: Whose queries have an arm for each way to fail: the words are better than five names.
EXPLAINED_IN_WORDS = {"AlertsNotDelivered", "DeadLetterRatioHigh"}


def _read_by(recorded: str) -> set[str]:
    found = set(
        re.findall(r"\b(?:[a-z]+:)?factwatch_[a-z_]+(?::[a-z0-9_]+)?", RECORDINGS[recorded]["expr"])
    )
    for other in found & set(RECORDINGS):
        found |= _read_by(other)
    return found


@every_alert
def test_its_links_lead_somewhere(name: str) -> None:
    annotations = ALERTS[name]["annotations"]
    assert annotations["runbook_url"] == f"{RUNBOOK_URL}{name}.md"
    assert annotations["dashboard_url"].removeprefix(DASHBOARD_URL) in DASHBOARDS


@every_alert
def test_a_number_is_told_as_a_person_reads_it(name: str) -> None:
    for text in ALERTS[name]["annotations"].values():
        for value in re.findall(r"\{\{ *\$value[^}]*\}\}", text):
            assert re.search(r"\| (humanize|humanizeDuration|humanizePercentage|printf)", value), value


def test_names_follow_the_custom() -> None:
    assert [name for name in ALERTS if not CAMEL_CASE.fullmatch(name)] == []
    assert [name for name in RECORDINGS if not RECORDED.fullmatch(name)] == []


def test_no_name_is_given_twice() -> None:
    names = [rule.get("alert") or rule["record"] for rule in _rules()]
    assert len(names) == len(set(names))
    assert not set(ALERTS) & INCIDENTS, "those pages come from Factwatch itself"


def test_what_is_recorded_is_used_by_an_alert() -> None:
    """Dashboards have their own way to it: a recording that only they used would belong to them."""
    texts = [rule["expr"] for rule in _rules()]
    assert [name for name in RECORDINGS if not any(name in text for text in texts)] == []


def test_sums_say_what_they_drop() -> None:
    """`by` would drop a label that somebody's Prometheus adds; `without` keeps it."""
    aggregations = re.compile(r"\b(sum|max|min|avg|count)\s*(by|without|\()")
    for rule in _rules():
        assert {how for _, how in aggregations.findall(rule["expr"])} <= {"without"}, rule


@cache
def _cases() -> dict[str, list[list[tuple[float, bool]]]]:
    """By alert, by case: (when, fires)."""
    found: dict[str, list[list[tuple[float, bool]]]] = {}
    for file in TEST_FILES:
        for case in yaml.safe_load(file.read_text("utf-8"))["tests"]:
            told: dict[str, list[tuple[float, bool]]] = {}
            for expected in case.get("alert_rule_test", []):
                told.setdefault(expected["alertname"], []).append(
                    (_seconds(expected["eval_time"]), bool(expected["exp_alerts"]))
                )
            for name, looks in told.items():
                found.setdefault(name, []).append(sorted(looks))
    return found


def _seconds(text: str) -> float:
    unit_s = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
    return sum(int(n) * unit_s[unit] for n, unit in re.findall(r"([0-9]+)([smhd])", text))


@every_alert
def test_there_is_a_case_in_which_it_fires_and_resolves(name: str) -> None:
    looks = [case for case in _cases().get(name, []) if any(fires for _, fires in case)]
    assert looks, "no case fires it"
    assert any(not case[-1][1] for case in looks), "no case resolves it"


@every_alert
def test_there_is_a_case_in_which_it_keeps_quiet(name: str) -> None:
    assert any(not any(fires for _, fires in case) for case in _cases().get(name, []))


def test_no_case_is_of_an_alert_that_is_not_there() -> None:
    """promtool says nothing of a name that no rule has, if it is expected not to fire."""
    assert set(_cases()) == set(ALERTS)


@pytest.mark.parametrize("name", sorted({*ALERTS, *INCIDENTS}))
def test_there_is_a_runbook(name: str) -> None:
    text = (RUNBOOKS / f"{name}.md").read_text("utf-8")
    assert text.startswith(f"# {name}\n")
    sections = dict(re.findall(r"^## (.+)\n+((?:(?!^## ).*\n?)*)", text, re.MULTILINE))
    assert list(sections) == SECTIONS
    assert all(section.strip() for section in sections.values())
    checks = re.findall(r"^[0-9]\. ", sections["Three checks"], re.MULTILINE)
    assert checks == ["1. ", "2. ", "3. "]
    assert sections["Three checks"].count("```") >= 2, "with commands"


def test_the_list_of_runbooks_is_complete() -> None:
    there = {file.stem for file in RUNBOOKS.glob("*.md")} - {"README"}
    assert there == {*ALERTS, *INCIDENTS}
    listed = re.findall(r"\]\(([A-Za-z]+)\.md\)", (RUNBOOKS / "README.md").read_text("utf-8"))
    assert sorted(listed) == sorted(there)


@pytest.mark.parametrize("file", sorted(RUNBOOKS.glob("*.md")), ids=lambda file: file.stem)
def test_the_commands_of_a_runbook_are_ones_there_are(file: Path) -> None:
    """`fw PROGRAM ARGUMENTS` and `ready PROGRAM`, as the list of runbooks defines them. What `ask` asks is
    asked of a real Prometheus in tests/integration/test_prometheus.py."""
    text = file.read_text("utf-8")
    services = yaml.safe_load((CHECKOUT / "docker-compose.yml").read_text("utf-8"))["services"]
    programs = {name for name, service in services.items() if service["image"].startswith("factwatch:")}
    assert set(re.findall(r"^ *(?:fw|ready) ([a-z][a-z-]*)", text, re.MULTILINE)) <= programs
    called = re.findall(r"(?:^ *|`)fw [a-z-]+ ([^`\n]+)", text, re.MULTILINE)
    called += [
        f"dead-letters {rest}" for rest in re.findall(r"(?:^ *|`)letters ([^`\n]+)", text, re.MULTILINE)
    ]
    for arguments in called:
        command: click.Command = cli
        rest = arguments.split()
        while rest and isinstance(command, click.Group):
            found = command.get_command(click.Context(command), rest.pop(0))
            assert found is not None, arguments
            command = found
        options = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in rest if word.startswith("-")} <= options, arguments
    for variable in re.findall(r"FACTWATCH_[A-Z_]+", text):
        assert variable.removeprefix("FACTWATCH_").lower() in PARSERS, variable
    for link in re.findall(r"\]\(([^):]+)\)", text):
        assert (RUNBOOKS / link).exists(), link


def test_both_deployments_have_the_same_rules_and_jobs_that_these_know() -> None:
    known = re.findall(r'job=~?"([^"]+)"', "".join(rule["expr"] for rule in _rules()))
    named = {job for value in known for job in value.split("|")}
    jobs = set()
    for config in CONFIGS:
        read = yaml.safe_load(config.read_text("utf-8"))
        assert read["rule_files"] == ["rules/*.yml"]
        jobs |= {job["job_name"] for job in read["scrape_configs"]}
    assert named <= jobs
