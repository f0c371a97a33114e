"""`factwatch check` beside a program that runs: by its state file, and over its API."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from streams.demo.server import DemoServer
from tests.integration.program import running
from tests.integration.test_run_command import settings_of

GOOD, BAD = "14 March 1931", "14 March 1971"
ANSWER = (
    "Mira Valdane is known for her drift bottles. Mira Valdane (born {born}) is a limnologist who mapped the"
    " deep currents of Lake Orrin."
)


def checked(environ: dict[str, str], *args: str, stdin: str = "") -> tuple[int, dict[str, Any]]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FACTWATCH_")}
    done = subprocess.run(
        [str(Path(sys.executable).parent / "factwatch"), "check", "--json", *args],
        env={**kept, **environ},
        input=stdin.encode(),
        capture_output=True,
        timeout=60,
    )
    assert done.returncode in (0, 10), done.stderr.decode()
    assert done.stderr == b""
    return done.returncode, json.loads(done.stdout)


def suspected(alerts: list[dict[str, Any]]) -> bool:
    return any(
        alert["kind"] == "edit.suspect"
        and any(BAD[-4:] in one["after"] for one in alert["fact_changes"])
        for alert in alerts
    )


def corrected(alerts: list[dict[str, Any]]) -> bool:
    return any(
        alert["kind"] == "fact.corrected" and alert["title"] == "Mira Valdane" for alert in alerts
    )


def test_a_bad_value_is_told_while_the_program_runs_and_after(tmp_path: Path) -> None:
    state = {"FACTWATCH_DATA_DIR": str(tmp_path / "state")}
    with (
        DemoServer(speed=20) as server,
        running(["run"], settings_of(server.url), tmp_path) as program,
    ):
        program.until(suspected)
        code, by_state = checked(state, ANSWER.format(born=BAD))
        assert code == 10
        code, over_http = checked({}, "--url", program.url, stdin=ANSWER.format(born=BAD))
        assert code == 10
        code, good = checked(state, stdin=ANSWER.format(born=GOOD))
        assert code == 0
        program.until(corrected)
    plain, found = by_state["statements"]
    assert plain["findings"] == []
    (bad,) = (one for one in found["findings"] if one["states"] == "bad")
    assert bad["title"] == "Mira Valdane"
    assert BAD in bad["after"]
    assert GOOD in bad["before"]
    assert str(bad["last_good_rev_id"]) in bad["last_good_url"]
    assert bad["hot_id"] in [one["hot_id"] for one in over_http["statements"][1]["findings"]]
    assert good["quotable"] == "caution"
    assert "good" in [one["states"] for one in good["statements"][1]["findings"]]

    code, stopped = checked(state, ANSWER.format(born=BAD))
    assert code == 10
    since = {one["hot_id"]: one["corrected_time"] for one in stopped["statements"][1]["findings"]}
    assert since[bad["hot_id"]] is not None
