"""The rules in a real Prometheus that scrapes a real Factwatch, alone and on Kafka: each is evaluated, each
reads what is exported, and a stream that is lost is told through a real Alertmanager, and so is its end."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from streams.demo.server import DemoServer
from tests.conftest import CHECKOUT
from tests.integration.alertmanager import Notified, running_alertmanager, shipped_config
from tests.integration.deployment import address, demo_environ, deployed
from tests.integration.program import running
from tests.integration.prometheus import RULE_FILES, Prometheus, running_prometheus, shortened
from tests.web_world import eventually

#: By what the times of the rules are shortened where a test waits for an alert: StreamSilent fires after
#: 6 s of silence and 3 s more, in place of two minutes and one.
FACTOR = 20.0

SELECTOR = re.compile(r'(?<![\w:"])(?:[a-z]+:)?(?:factwatch_[\w:]*|up)\b(?:\{[^}]*\})?')

#: What the rules read and a healthy Factwatch of its kind does not have, and why.
OF_WORKERS = "workers have it, and there are none"
OF_ARCHIVE = "the archive has it, and there is none"
OF_INGEST = "ingest has it, and there is none"
TOO_EARLY = "edits are judged 48 hours after they were made, 500 of them at least"
EMPTY_ALONE = {
    "factwatch_archive_lag": OF_ARCHIVE,
    "factwatch_archive_last_write_timestamp_seconds": OF_ARCHIVE,
    'factwatch_archive_records_total{outcome=~"rejected|expired"}': OF_ARCHIVE,
    "factwatch_consumer_lag": OF_WORKERS,
    "factwatch_edits_without_answer_total": OF_WORKERS,
    "factwatch_ingested_records_total": OF_INGEST,
    'factwatch_ingested_records_total{outcome="dead_lettered"}': OF_INGEST,
    'factwatch_ingested_records_total{source=~"eventstreams|rcfeed",outcome="routed"}': OF_INGEST,
    'factwatch_last_event_timestamp_seconds{job="worker",source="edits"}': OF_WORKERS,
    "topic:factwatch_consumer_lag:sum": OF_WORKERS,
    "window:factwatch_live_precision:max": TOO_EARLY,
    'window:factwatch_live_precision:max{window="7d"}': TOO_EARLY,
}
EMPTY_ON_KAFKA = {
    "window:factwatch_live_precision:max": TOO_EARLY,
    'window:factwatch_live_precision:max{window="7d"}': TOO_EARLY,
}
#: Alerts that may be pending here, as they say how fast a machine is and how full its disk.
OF_THIS_MACHINE = {
    "AlertReadyBurnFast",
    "AlertReadyBurnSlow",
    "AlertReadyBurnTicket",
    "FreshnessBurnFast",
    "FreshnessBurnSlow",
    "FreshnessBurnTicket",
    "DiskFilling",
}


def _rules() -> list[dict[str, Any]]:
    return [
        rule
        for file in RULE_FILES
        for group in yaml.safe_load(file.read_text("utf-8"))["groups"]
        for rule in group["rules"]
    ]


def selectors() -> set[str]:
    """Everything that the rules read, and everything they record."""
    rules = _rules()
    read = {selector for rule in rules for selector in SELECTOR.findall(rule["expr"])}
    return read | {rule["record"] for rule in rules if "record" in rule}


def asked_by_runbooks() -> list[str]:
    asked = [
        expression
        for file in sorted((CHECKOUT / "docs" / "runbooks").glob("*.md"))
        for expression in re.findall(r"^ *ask '([^']+)'", file.read_text("utf-8"), re.MULTILINE)
    ]
    assert asked
    return asked


def assert_all_rules_work(prometheus: Prometheus, empty: dict[str, str]) -> None:
    """All are evaluated without an error, and so is what runbooks ask; what rules read is there, but for
    `empty`, which is not; no alert fires."""
    wanted = selectors()
    assert set(empty) <= wanted, "the table names what no rule reads"

    def missing() -> set[str]:
        return {selector for selector in wanted - set(empty) if not prometheus.query(selector)}

    try:
        prometheus.until(lambda: not missing(), "what the rules read", within_s=120)
    except TimeoutError:
        assert missing() == set()
    assert [selector for selector in empty if prometheus.query(selector)] == []
    for expression in [*(rule["expr"] for rule in _rules()), *asked_by_runbooks()]:
        prometheus.query(expression)
    prometheus.until(
        lambda: all(rule["health"] != "unknown" for rule in prometheus.rules()), "the first evaluation"
    )
    evaluated = prometheus.rules()
    assert len(evaluated) == len(_rules())
    assert [(rule["name"], rule.get("lastError")) for rule in evaluated if rule["health"] != "ok"] == []

    def pending() -> set[str]:
        found = {
            rule["name"] for rule in prometheus.rules() if rule.get("state", "inactive") != "inactive"
        }
        return found - OF_THIS_MACHINE

    try:  # an alert that was on its way at one look is not at all looks
        prometheus.until(lambda: not pending(), "no alert to be pending")
    except TimeoutError:
        assert pending() == set()


def test_all_rules_work_on_a_program_that_has_everything(tmp_path: Path) -> None:
    with (
        running(["demo", "--speed", "20"], {}, tmp_path) as program,
        running_prometheus(tmp_path / "prometheus", {"factwatch": [address(program.url)]}) as prometheus,
    ):
        program.until_processed(20)
        assert_all_rules_work(prometheus, EMPTY_ALONE)


@pytest.fixture
def told() -> Iterator[Notified]:
    receiver = Notified()
    yield receiver
    receiver.close()


@contextmanager
def watching(directory: Path, jobs: Mapping[str, list[str]], told: Notified) -> Iterator[Prometheus]:
    """A Prometheus with the shortened rules, and an Alertmanager as it ships that tells `told`."""
    rules = directory / "rules"
    rules.mkdir()
    short = [shortened(file, FACTOR, rules) for file in RULE_FILES]
    config = shipped_config(told, directory / "secrets", pages="webhook", tickets="webhook")
    with (
        running_alertmanager(directory / "alertmanager", config) as alertmanager,
        running_prometheus(
            directory / "prometheus", jobs, short, [address(alertmanager.url)]
        ) as prometheus,
    ):
        yield prometheus


def stream_silent(told: Notified, status: str) -> list[dict[str, Any]]:
    """What was told of it, in order."""
    return [
        alert
        for notification in told.of("/webhook")
        for alert in notification["alerts"]
        if alert["labels"]["alertname"] == "StreamSilent" and alert["status"] == status
    ]


def test_a_lost_stream_is_told_and_so_is_its_return(tmp_path: Path, told: Notified) -> None:
    with ExitStack() as stack:
        server = stack.enter_context(DemoServer(speed=20))
        program = stack.enter_context(running(["run"], demo_environ(server.url), tmp_path))
        jobs = {"factwatch": [address(program.url)]}
        prometheus = stack.enter_context(watching(tmp_path, jobs, told))
        program.until_processed(5)
        prometheus.until(
            lambda: bool(prometheus.query("service:factwatch_age_seconds:max < 3")), "a fresh state"
        )
        assert prometheus.alert("StreamSilent") is None

        server.close()
        fired = prometheus.until_firing("StreamSilent")
        assert fired["labels"] == {
            "alertname": "StreamSilent",
            "service": "factwatch",
            "severity": "critical",
            "component": "pipeline",
            "source": "eventstreams",
        }
        assert re.fullmatch(
            r"No sign of life from eventstreams for [0-9.]+s", fired["annotations"]["summary"]
        )
        [notified] = eventually(lambda: stream_silent(told, "firing"), 30)[:1]
        assert notified["labels"] == fired["labels"]
        assert prometheus.query('up{job="factwatch"} == 1'), "the program itself goes on"

        stack.enter_context(DemoServer(port=urlsplit(server.url).port or 0, speed=20))
        prometheus.until_resolved("StreamSilent")
        [over] = eventually(lambda: stream_silent(told, "resolved"), 30)[:1]
        assert over["fingerprint"] == notified["fingerprint"]


@pytest.mark.timeout(600)
def test_on_kafka_all_rules_work_and_an_ingest_that_is_killed_is_told(
    kafka: str, tmp_path: Path, told: Notified
) -> None:
    config = shipped_config(told, tmp_path / "secrets", pages="webhook", tickets="webhook")
    with ExitStack() as stack:
        demo = stack.enter_context(DemoServer(speed=20))
        alertmanager = stack.enter_context(running_alertmanager(tmp_path / "of_pager", config))
        programs = stack.enter_context(deployed(kafka, tmp_path / "programs", demo, alertmanager.url))
        with running_prometheus(tmp_path / "long", programs.jobs) as prometheus:
            assert_all_rules_work(prometheus, EMPTY_ON_KAFKA)

        prometheus = stack.enter_context(watching(tmp_path, programs.jobs, told))
        prometheus.until(
            lambda: bool(prometheus.query("service:factwatch_age_seconds:max < 3")), "a fresh state"
        )
        assert prometheus.alert("StreamSilent") is None

        programs.kill("ingest")
        fired = prometheus.until_firing("StreamSilent")
        [notified] = eventually(lambda: stream_silent(told, "firing"), 30)[:1]
        assert notified["labels"] == fired["labels"]
        assert notified["annotations"]["runbook_url"].endswith("/docs/runbooks/StreamSilent.md")
        assert prometheus.query('up{job="ingest"} == 0'), "it is gone, and its series with it"
        assert not prometheus.query('factwatch_last_event_timestamp_seconds{job="ingest"}')

        programs.start_again("ingest")
        prometheus.until_resolved("StreamSilent")
        [over] = eventually(lambda: stream_silent(told, "resolved"), 30)[:1]
        assert over["fingerprint"] == notified["fingerprint"]
