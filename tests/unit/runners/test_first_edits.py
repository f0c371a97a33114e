"""What drift is held against outlives a restart, and never stops one."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.runners.first_edits import FirstEdits
from streams.state.drift import Distribution, DriftReference

SPREAD = Distribution((0.1, 0.25), (0.5, 0.25, 0.15), 0.1)
FIRST = DriftReference(SPREAD, {"size": SPREAD})


def test_it_is_there_again_after_a_restart_for_the_same_model_alone(tmp_path: Path) -> None:
    path = tmp_path / "state" / "first-edits.json"
    assert FirstEdits(path, "model 1").load() is None
    FirstEdits(path, "model 1").save(FIRST)
    assert FirstEdits(path, "model 1").load() == FIRST
    assert FirstEdits(path, "model 2").load() is None
    FirstEdits(path, "model 2").save(FIRST)
    assert FirstEdits(path, "model 1").load() is None
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff", b"[]", b'{"model_version":"model 1","first":{"score":{"edges":[1]}}}'],
)
def test_a_file_that_is_damaged_is_told_and_passed_over(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "first-edits.json"
    path.write_bytes(content)
    assert FirstEdits(path, "model 1").load() is None
    assert "drift starts anew" in caplog.text
    FirstEdits(path, "model 1").save(FIRST)
    assert FirstEdits(path, "model 1").load() == FIRST


def test_a_place_that_can_not_be_written_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("no directory")
    FirstEdits(tmp_path / "file" / "first-edits.json", "model 1").save(FIRST)
    assert "can't be kept" in caplog.text
