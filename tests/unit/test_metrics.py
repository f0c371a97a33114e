"""What is declared: each figure visible from the start, and no two that get in each other's way."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Histogram

from streams.metrics import (
    QUALITY_WINDOWS,
    ArchiveMetrics,
    DriftMetrics,
    IngestMetrics,
    Metrics,
    ProcessMetrics,
    QualityMetrics,
    WorkerMetrics,
)


def samples(registry: CollectorRegistry) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for metric in registry.collect()
        for sample in metric.samples
    }


def test_programs_can_have_all_that_concerns_them_in_one_registry(tmp_path: Path) -> None:
    run, worker, ingest, archive = (CollectorRegistry() for _ in range(4))
    Metrics(run)
    QualityMetrics(run)
    DriftMetrics(run, ["size"])
    Metrics(worker)
    WorkerMetrics(worker)
    DriftMetrics(worker, ["size"])
    IngestMetrics(ingest)
    ArchiveMetrics(archive)
    for registry in (run, worker, ingest, archive):
        ProcessMetrics(registry, tmp_path)
        names = {name for name, _ in samples(registry)}
        assert {"process_cpu_seconds_total", "process_resident_memory_bytes"} <= names
        assert {"factwatch_disk_free_bytes", "factwatch_disk_bytes"} <= names


def test_what_was_not_seen_yet_is_zero_and_what_is_not_known_is_no_number() -> None:
    registry = CollectorRegistry()
    Metrics(registry)
    QualityMetrics(registry)
    DriftMetrics(registry, ["size"])
    seen = samples(registry)
    for bound in ("0.05", "0.1", "0.25", "0.5", "1.0", "2.0", "5.0", "10.0", "30.0", "60.0", "+Inf"):
        assert seen["factwatch_alert_ready_seconds_bucket", (("le", bound),)] == 0
    for bound in ("60.0", "300.0", "900.0", "3600.0", "14400.0", "86400.0", "172800.0", "+Inf"):
        assert seen["factwatch_correction_seconds_bucket", (("le", bound),)] == 0
    for window in ("1d", "7d"):
        of = (("window", window),)
        assert seen["factwatch_live_judged_edits", of] == 0
        for name in ("precision", "recall", "calibration_error"):
            assert math.isnan(seen[f"factwatch_live_{name}", of])
    for reference in ("training", "first"):
        against = ("reference", reference)
        assert math.isnan(seen["factwatch_score_drift", (against,)])
        assert math.isnan(seen["factwatch_feature_drift", (("feature", "size"), against)])
    assert QUALITY_WINDOWS == {"1d": 86_400, "7d": 604_800}


def test_a_name_is_taken_once() -> None:
    registry = CollectorRegistry()
    Metrics(registry)
    with pytest.raises(ValueError, match="Duplicated"):
        Histogram("factwatch_alert_ready_seconds", "Another.", registry=registry)


def test_a_program_that_keeps_nothing_has_no_disk() -> None:
    registry = CollectorRegistry()
    ProcessMetrics(registry)
    names = {name for name, _ in samples(registry)}
    assert "process_resident_memory_bytes" in names
    assert not {name for name in names if "disk" in name}


def test_a_directory_that_is_gone_is_no_reason_not_to_answer(tmp_path: Path) -> None:
    registry = CollectorRegistry()
    directory = tmp_path / "state"
    ProcessMetrics(registry, directory)
    assert math.isnan(samples(registry)["factwatch_disk_free_bytes", ()])
    directory.mkdir()
    seen = samples(registry)
    assert 0 < seen["factwatch_disk_free_bytes", ()] <= seen["factwatch_disk_bytes", ()]
