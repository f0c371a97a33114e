"""A `factwatch run` of its own, started as a user would, asked over its API."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class Program:
    """A running program: its address, its alerts."""

    def __init__(self, process: subprocess.Popen[str], url: str, log: Path) -> None:
        self.process = process
        self.url = url
        self.log = log

    def get(self, path: str) -> Any:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{self.url}{path}", timeout=10) as answer:
            return json.load(answer)

    def alerts(self, **query: str) -> list[dict[str, Any]]:
        """Current states, newest first."""
        asked = "&".join(f"{name}={value}" for name, value in {"limit": "500", **query}.items())
        found: list[dict[str, Any]] = self.get(f"/v1/alerts?{asked}")["alerts"]
        return found

    def until(
        self, wanted: Callable[[list[dict[str, Any]]], bool], within_s: float = 30
    ) -> list[dict[str, Any]]:
        """The alerts, as soon as they are as wanted."""
        deadline = time.monotonic() + within_s
        while True:
            alerts = self.alerts()
            if wanted(alerts):
                return alerts
            if time.monotonic() > deadline:
                shown = [(a["kind"], a["status"], a["title"], a["revert_risk"]) for a in alerts]
                raise TimeoutError(
                    f"not within {within_s} s; alerts: {shown}\n{self.log.read_text()[-3000:]}"
                )
            self._still_running()
            time.sleep(0.1)  # between two looks

    def until_processed(self, events: int, within_s: float = 30) -> dict[str, int]:
        """Outcomes, once so many records have been taken in."""
        deadline = time.monotonic() + within_s
        while True:
            outcomes: dict[str, int] = self.get("/v1/status")["events"]
            if sum(outcomes.values()) >= events:
                return outcomes
            assert time.monotonic() < deadline, f"{outcomes}\n{self.log.read_text()[-3000:]}"
            self._still_running()
            time.sleep(0.1)  # between two looks

    def _still_running(self) -> None:
        assert self.process.poll() is None, self.log.read_text()[-3000:]


@contextmanager
def running(arguments: list[str], environ: Mapping[str, str], directory: Path) -> Iterator[Program]:
    """`factwatch ARGUMENTS` on a free port with its state in `directory`; stopped at the end."""
    log = directory / "factwatch.log"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FACTWATCH_")}
    with log.open("w") as output:
        process = subprocess.Popen(
            [str(Path(sys.executable).parent / "factwatch"), *arguments],
            env={
                **kept,
                "FACTWATCH_DATA_DIR": str(directory / "state"),
                "FACTWATCH_HTTP_BIND": "127.0.0.1:0",
                **environ,
            },
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
        )
    try:
        yield Program(process, _address(process, log), log)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=40)
        finally:
            process.kill()


def histories(program: Program) -> dict[str, float]:
    """Pages met cold that were asked about, by outcome."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{program.url}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    name = "factwatch_page_histories_total{"
    return {line.split('"')[1]: float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name)}


def _address(process: subprocess.Popen[str], log: Path, within_s: float = 90) -> str:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        found = re.search(r"page +(http://[0-9.]+:[0-9]+)/", log.read_text())
        if found:
            return found[1]
        assert process.poll() is None, log.read_text()
        time.sleep(0.05)  # between two looks
    raise TimeoutError(log.read_text())
