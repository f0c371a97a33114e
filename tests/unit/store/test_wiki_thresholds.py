"""Thresholds asked for, by wiki and model."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.errors import BadInput
from streams.store.wiki_thresholds import (
    FILE,
    WikiThreshold,
    keep_threshold,
    read_thresholds,
    thresholds_of,
)


def test_an_answer_holds_for_its_wiki_and_its_model(tmp_path: Path) -> None:
    for wiki, version, threshold in (
        ("enwiki", "1-a", 0.7),
        ("aawiki", "1-a", 0.4),
        ("enwiki", "1-b", 0.5),
    ):
        keep_threshold(tmp_path / "new", WikiThreshold(wiki, version, threshold, "2 a day"))
    assert thresholds_of(tmp_path / "new", "1-a") == {"enwiki": 0.7, "aawiki": 0.4}
    assert thresholds_of(tmp_path / "new", "1-c") == {}


def test_asked_again_the_new_answer_counts(tmp_path: Path) -> None:
    keep_threshold(tmp_path, WikiThreshold("enwiki", "1-a", 0.7, "2 a day"))
    keep_threshold(tmp_path, WikiThreshold("enwiki", "1-a", 0.9, "1 a day"))
    assert read_thresholds(tmp_path) == [WikiThreshold("enwiki", "1-a", 0.9, "1 a day")]


def test_none_asked_for_is_none(tmp_path: Path) -> None:
    assert thresholds_of(tmp_path, "1-a") == {}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "[" * 100_000,
        '{"thresholds": [{"wiki": "a"}]}',
        '{"thresholds": [{"wiki": "a", "model_version": "1", "threshold": 0, "asked": ""}]}',
        '{"thresholds": [{"wiki": "a", "model_version": "1", "threshold": 1.5, "asked": ""}]}',
        '{"other": 1}',
    ],
)
def test_a_file_that_is_not_ours_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(BadInput, match=FILE):
        thresholds_of(tmp_path, "1-a")


def test_a_file_too_large_is_not_read(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b" " * ((1 << 20) + 1))
    with pytest.raises(BadInput, match="larger"):
        read_thresholds(tmp_path)
