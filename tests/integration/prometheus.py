"""A real Prometheus on loopback, with rule files and targets of a test's choice.

It looks at its targets and its rules every second, so that what takes minutes in production takes
seconds here; `shortened` makes rules that go with that.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.conftest import CHECKOUT
from tests.integration.ports import free_port
from tests.requirements import require

HOW = "needs Debian's prometheus: .ci/packages fetches it"
RULE_FILES = sorted((CHECKOUT / "grafana" / "prometheus" / "rules").glob("*.yml"))
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


class Prometheus:
    """A running one, asked over its API."""

    def __init__(self, process: subprocess.Popen[bytes], url: str, log: Path) -> None:
        self.process = process
        self.url = url
        self._log = log

    def get(self, path: str, **query: str) -> Any:
        """The `data` of an answer."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        asked = f"{self.url}{path}?{urllib.parse.urlencode(query)}"
        with opener.open(asked, timeout=30) as answer:
            body = json.load(answer)
        assert body["status"] == "success", body
        return body["data"]

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The vector that it gives now. Raises `HTTPError` (400) for one that can't be evaluated."""
        data = self.get("/api/v1/query", query=expression)
        if data["resultType"] != "vector":
            return [{"metric": {}, "value": data["result"]}]
        found: list[dict[str, Any]] = data["result"]
        return found

    def rules(self) -> list[dict[str, Any]]:
        return [rule for group in self.get("/api/v1/rules")["groups"] for rule in group["rules"]]

    def alert(self, name: str) -> dict[str, Any] | None:
        """The alert of that name if it is pending or firing."""
        alerts = self.get("/api/v1/alerts")["alerts"]
        return next((alert for alert in alerts if alert["labels"]["alertname"] == name), None)

    def until_firing(self, name: str, within_s: float = 90) -> dict[str, Any]:
        def fires() -> bool:
            alert = self.alert(name)
            return alert is not None and alert["state"] == "firing"

        self.until(fires, f"{name} to fire", within_s)
        alert = self.alert(name)
        assert alert is not None
        return alert

    def until_resolved(self, name: str, within_s: float = 90) -> None:
        self.until(lambda: self.alert(name) is None, f"{name} to be resolved", within_s)

    def until(self, true: Callable[[], bool], what: str, within_s: float = 90) -> None:
        deadline = time.monotonic() + within_s
        while not true():
            assert self.process.poll() is None, self.told()
            if time.monotonic() > deadline:
                raise TimeoutError(f"waited {within_s:g} s for {what}\n{self.told()}")
            time.sleep(0.2)  # between two looks

    def told(self) -> str:
        return self._log.read_text(errors="replace")[-3_000:]


@contextmanager
def running_prometheus(
    directory: Path,
    jobs: Mapping[str, Sequence[str]],
    rule_files: Sequence[Path] = RULE_FILES,
    alertmanagers: Sequence[str] = (),
) -> Iterator[Prometheus]:
    """`jobs`: HOST:PORT of each job's targets. Its data are in `directory`; stopped at the end."""
    program = require("prometheus", HOW)
    port = free_port()
    directory.mkdir(parents=True, exist_ok=True)
    config, log = directory / "prometheus.yml", directory / "prometheus.log"
    config.write_text(yaml.safe_dump(_config(jobs, rule_files, alertmanagers)))
    with log.open("ab") as output:
        process = subprocess.Popen(
            [program, f"--config.file={config}", f"--storage.tsdb.path={directory / 'data'}",
             f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"],
            stdout=output, stderr=output, stdin=subprocess.DEVNULL, cwd=directory,
        )  # fmt: skip
    prometheus = Prometheus(process, f"http://127.0.0.1:{port}", log)
    try:
        prometheus.until(lambda: _ready(prometheus.url), "Prometheus to be ready", 60)
        yield prometheus
    finally:
        process.terminate()
        try:
            process.wait(20)
        finally:
            process.kill()


def _config(
    jobs: Mapping[str, Sequence[str]], rule_files: Sequence[Path], alertmanagers: Sequence[str]
) -> dict[str, Any]:
    return {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(file) for file in rule_files],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": list(alertmanagers)}]}]},
        "scrape_configs": [
            {"job_name": job, "static_configs": [{"targets": list(targets)}]}
            for job, targets in jobs.items()
        ],
    }


def shortened(rule_file: Path, factor: float, directory: Path) -> Path:
    """A copy of `rule_file` in `directory` whose times are all shorter by `factor`, but not below what
    looks made once a second can see: `for`, the spans of ranges and the distances of `offset`, and the
    seconds of thresholds. Everything else is as it is."""
    rules = yaml.safe_load(rule_file.read_text("utf-8"))
    for group in rules["groups"]:
        group.pop("interval", None)
        for rule in group["rules"]:
            if "for" in rule:
                rule["for"] = f"{max(1, round(seconds(rule['for']) / factor))}s"
            rule["expr"] = _shortened_spans(rule["expr"], factor)
            rule["expr"] = _shortened_thresholds(rule["expr"], factor)
    copy = directory / rule_file.name
    copy.write_text(yaml.safe_dump(rules, sort_keys=False))
    return copy


def seconds(duration: str) -> int:
    """Of `1h30m`."""
    return sum(int(n) * _SECONDS[unit] for n, unit in re.findall(r"([0-9]+)([smhd])", duration))


def _shortened_spans(expression: str, factor: float) -> str:
    """Five samples at least, a rate wants two."""

    def shorter(found: re.Match[str]) -> str:
        return f"{found[1]}{max(5, round(seconds(found[2]) / factor))}s"

    return re.sub(r"(\[|offset )([0-9]+[smhd])", shorter, expression)


def _shortened_thresholds(expression: str, factor: float) -> str:
    """Of what is compared in seconds."""

    def shorter(found: re.Match[str]) -> str:
        return f"{found[1]}{max(1.0, float(found[2]) / factor):g}"

    return re.sub(r"(_seconds:(?:min|max)(?:\{[^}]*\})? > (?:bool )?)([0-9]+)", shorter, expression)


def _ready(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{url}/-/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
