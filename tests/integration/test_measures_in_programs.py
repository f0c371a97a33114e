"""What the programs themselves show at /metrics after some work: every figure that dashboards and rules
need, with values that make sense."""

from __future__ import annotations

import math
import re
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest

from models import artifact_files
from models.classifier import ARTIFACT_DIR
from models.features import FEATURE_NAMES
from models.reference import reference_of
from tests.benchmarks.events import recent_changes
from tests.integration.kafka_records import make_topics_anew
from tests.integration.program import running
from tests.kafka_world import Process, run_to_end, wait_until

DRIFTING = FEATURE_NAMES[:4]
#: Of every program with a data directory.
OF_THE_MACHINE = {
    "factwatch_disk_free_bytes",
    "factwatch_disk_bytes",
    "process_cpu_seconds_total",
    "process_resident_memory_bytes",
}
OF_THE_PIPELINE = OF_THE_MACHINE | {
    "factwatch_alert_ready_seconds_count",
    "factwatch_correction_seconds_count",
    *(f'factwatch_score_drift{{reference="{of}"}}' for of in ("training", "first")),
    *(
        f'factwatch_feature_drift{{feature="{name}",reference="{of}"}}'
        for name in DRIFTING
        for of in ("training", "first")
    ),
}
OF_ALL_LABELS = {
    f'factwatch_live_{name}{{window="{window}"}}'
    for name in ("precision", "recall", "calibration_error", "judged_edits")
    for window in ("1d", "7d")
}


def metrics(url: str) -> dict[str, float]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{url}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if line[0] != "#"}


def until(
    url: str, wanted: Callable[[dict[str, float]], bool], within_s: float = 60
) -> dict[str, float]:
    deadline = time.monotonic() + within_s
    while True:
        seen = metrics(url)
        if wanted(seen):
            return seen
        assert time.monotonic() < deadline, "\n".join(f"{name} {value}" for name, value in seen.items())
        time.sleep(0.2)  # between two looks


@pytest.fixture
def model_dir(tmp_path: Path) -> str:
    """The model in use, with a reference of edits as no wiki has them."""
    arrays, manifest = artifact_files.read(ARTIFACT_DIR)
    rng = np.random.default_rng(1)
    matrix = rng.normal(5.0, 1.0, (5_000, len(FEATURE_NAMES)))
    reference = reference_of(matrix, rng.uniform(0.5, 1.0, 5_000), DRIFTING)
    manifest = msgspec.structs.replace(manifest, reference=reference)
    artifact_files.write(tmp_path / "model", arrays, manifest, "")
    return str(tmp_path / "model")


def machine_makes_sense(seen: dict[str, float]) -> None:
    assert 0 < seen["factwatch_disk_free_bytes"] <= seen["factwatch_disk_bytes"]
    assert seen["process_resident_memory_bytes"] > 1e7
    assert seen["process_cpu_seconds_total"] > 0


def drift_makes_sense(seen: dict[str, float]) -> None:
    """From training, of which `model_dir` says what never was."""
    assert seen['factwatch_score_drift{reference="training"}'] > 1
    for name in DRIFTING:
        assert seen[f'factwatch_feature_drift{{feature="{name}",reference="training"}}'] > 1


def test_a_run_shows_how_good_its_alerts_were(tmp_path: Path, model_dir: str) -> None:
    edits, per_s = 12_000, 0.033  # four days
    file = tmp_path / "changes.ndjson"
    with file.open("wb") as out:
        out.writelines(line + b"\n" for line in recent_changes(edits, events_per_s=per_s, hot_pages=300))
    environ = {"FACTWATCH_ALERT_THRESHOLD": "0.1", "FACTWATCH_MODEL_DIR": model_dir}
    with running(["run", "--source", str(file)], environ, tmp_path) as program:
        assert metrics(program.url).keys() >= OF_THE_PIPELINE | OF_ALL_LABELS
        program.until_processed(edits, 60)
        seen = until(program.url, lambda seen: seen['factwatch_live_judged_edits{window="1d"}'] > 0)
    for window in ("1d", "7d"):
        for name in ("precision", "recall", "calibration_error"):
            assert 0 < seen[f'factwatch_live_{name}{{window="{window}"}}'] < 1
    # All edits whose 48 h are over, but for those of an hour that has not ended; no others.
    settled = edits - 48 * 3_600 * per_s
    hour = 3_600 * per_s + 10
    assert settled - hour < seen['factwatch_live_judged_edits{window="7d"}'] <= settled
    day = seen['factwatch_live_judged_edits{window="1d"}']
    assert day == pytest.approx(24 * 3_600 * per_s, abs=10)
    assert seen["factwatch_alert_ready_seconds_count"] == 0, "a file does not arrive"
    machine_makes_sense(seen)
    drift_makes_sense(seen)
    assert 0 <= seen['factwatch_score_drift{reference="first"}'] < 0.1
    assert (tmp_path / "state" / "first-edits-ndjson.json").exists()


def test_a_live_feed_shows_how_long_edits_waited_and_facts_for_their_correction(tmp_path: Path) -> None:
    with running(["demo", "--speed", "20"], {}, tmp_path) as program:
        seen = until(program.url, lambda seen: seen["factwatch_correction_seconds_count"] >= 1)
    waited = seen["factwatch_alert_ready_seconds_count"]
    processed = seen['factwatch_events_consumed_total{outcome="processed",source="eventstreams"}']
    assert 0 < waited <= processed + 5
    assert 0 < seen["factwatch_alert_ready_seconds_sum"] / waited < 60
    machine_makes_sense(seen)
    assert math.isnan(seen['factwatch_score_drift{reference="first"}']), "too few edits"


def test_a_worker_shows_how_long_edits_waited(kafka: str, tmp_path: Path, model_dir: str) -> None:
    make_topics_anew(kafka, 2)
    edits = 5_000
    file = tmp_path / "changes.ndjson"
    file.write_bytes(b"\n".join(recent_changes(edits, events_per_s=0.5)) + b"\n")
    environ = {
        "FACTWATCH_KAFKA_BOOTSTRAP": kafka,
        "FACTWATCH_WIKIS": "*",
        "FACTWATCH_CONTENT": "false",
        "FACTWATCH_FEEDBACK_DELAY_S": "36000",  # the end of the file waits for nobody
        "FACTWATCH_MODEL_DIR": model_dir,
    }
    run_to_end(
        ["ingest", "changes", "--source", str(file)],
        {**environ, "FACTWATCH_DATA_DIR": str(tmp_path / "ingest")},
        tmp_path / "ingest.log",
    )
    worker = Process(
        ["worker"], {**environ, "FACTWATCH_DATA_DIR": str(tmp_path / "data")}, tmp_path / "worker.log"
    )
    try:
        wait_until(lambda: "metrics http" in worker.told(), 60, worker.told, 0.1)
        found = re.search(r"metrics (http://[0-9.:]+)/metrics", worker.told())
        assert found is not None
        url = found[1]
        assert metrics(url).keys() >= OF_THE_PIPELINE
        processed = 'factwatch_events_consumed_total{outcome="processed",source="edits"}'
        seen = until(url, lambda seen: seen[processed] > 0.9 * edits)
        assert worker.stop(within_s=15) == 0
    finally:
        if worker.running:
            worker.kill()
    waited = seen["factwatch_alert_ready_seconds_count"]
    assert 0.9 * edits < waited <= edits
    assert 0 < seen["factwatch_alert_ready_seconds_sum"] / waited < 120
    machine_makes_sense(seen)
    drift_makes_sense(seen)


@pytest.mark.parametrize(
    ("arguments", "of_disk"),
    [
        (["archive"], True),
        (["api"], True),
        (["ingest", "changes", "--source", "rcfeed://127.0.0.1:0"], False),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_the_other_programs_show_what_they_take_of_the_machine(
    kafka: str, tmp_path: Path, arguments: list[str], of_disk: bool
) -> None:
    make_topics_anew(kafka, 2)
    environ = {"FACTWATCH_KAFKA_BOOTSTRAP": kafka, "FACTWATCH_DATA_DIR": str(tmp_path)}
    program = Process(arguments, environ, tmp_path / "program.log")
    try:
        wait_until(lambda: "metrics http" in program.told(), 60, program.told, 0.1)
        found = re.search(r"metrics (http://[0-9.:]+)/metrics", program.told())
        assert found is not None
        seen = metrics(found[1])
        assert program.stop(within_s=15) == 0
    finally:
        if program.running:
            program.kill()
    assert seen["process_cpu_seconds_total"] > 0
    if of_disk:  # the archive is a file there
        machine_makes_sense(seen)
    else:
        assert "factwatch_disk_bytes" not in seen
