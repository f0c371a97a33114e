"""A promoted model is taken into use whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.errors import BadInput
from streams.store.champion import champion_of, promote


def model(directory: Path, text: str) -> Path:
    directory.mkdir(parents=True)
    (directory / "manifest.json").write_text(text)
    return directory


def test_the_one_promoted_last_is_used_and_the_one_before_is_kept(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert champion_of(data) is None
    for version in ("1-a", "1-b"):
        promote(data, model(tmp_path / version, version), version)
    found = champion_of(data)
    assert found is not None
    assert (found / "manifest.json").read_text() == "1-b"
    assert (data / "models" / "1-a" / "manifest.json").read_text() == "1-a"


def test_it_is_a_copy_that_the_next_challenger_does_not_change(tmp_path: Path) -> None:
    challenger = model(tmp_path / "challenger", "first")
    promote(tmp_path, challenger, "1-a")
    (challenger / "manifest.json").write_text("second")
    assert (tmp_path / "champion" / "manifest.json").read_text() == "first"


def test_what_an_interrupted_promotion_left_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "champion.new").symlink_to("nowhere")
    model(tmp_path / "models" / "1-a.new", "half")
    promote(tmp_path, model(tmp_path / "challenger", "whole"), "1-a")
    assert (tmp_path / "champion" / "manifest.json").read_text() == "whole"


def test_a_promotion_that_fails_leaves_what_is_in_use(tmp_path: Path) -> None:
    promote(tmp_path, model(tmp_path / "one", "one"), "1-a")
    with pytest.raises(BadInput, match="stays as it is"):
        promote(tmp_path, tmp_path / "missing", "1-b")
    assert (tmp_path / "champion" / "manifest.json").read_text() == "one"
