"""A file that is not there is said at once and in one way, whichever command is told it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from streams.cli.main import run_command

#: What takes the most of a second to load, or all of it.
HEAVY = ("numpy", "scipy", "sklearn", "starlette")
QUICK = ("run", "demo", "replay", "train", "evaluate", "thresholds", "dead-letters", "topics")

LOADED = f"""
import sys
from streams.cli.main import run_command
sys.argv = ["factwatch", *sys.argv[1:]]
code = run_command(lambda: False)
print("code", code, [name for name in {HEAVY} if name in sys.modules])
"""


def outcome(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["factwatch", *arguments])
        return run_command(lambda: False), capsys.readouterr().err


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACTWATCH_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.xml").write_text("<mediawiki/>")
    (tmp_path / "no-model").mkdir()


@pytest.mark.parametrize(
    "arguments",
    [
        ["replay", "gone"],
        ["run", "--source", "gone"],
        ["run", "--posts", "gone"],
        ["evaluate", "gone"],
        ["evaluate", "good.xml", "--labels", "gone"],
        ["evaluate", "good.xml", "--model", "gone"],
        ["train", "--data", "gone"],
        ["thresholds", "--fpr", "1", "gone"],
        ["thresholds", "--fpr", "1", "--model", "gone", "good.xml"],
        ["check", "--file", "gone"],
        ["check", "--state", "gone", "a text"],
        ["check", "--url", "http://127.0.0.1:1", "--token-file", "gone", "a text"],
        ["dead-letters", "--state", "gone", "list"],
        ["ingest", "changes", "--source", "gone"],
        ["ingest", "posts", "--source", "gone"],
    ],
    ids=" ".join,
)
def test_what_is_not_there_ends_with_3(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code, said = outcome(arguments, capsys)
    assert code == 3, said
    assert said.startswith("factwatch: gone: no such ")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["evaluate", "no-model"], "no-model: is a directory, wants a file in it"),
        (["train", "--data", "no-model"], "no-model: no histories/*.xml.* in it to learn from"),
        (["evaluate", "good.xml", "--model", "good.xml"], "good.xml: is a file, wants a directory"),
        (["evaluate", "good.xml", "--scores", "gone/x.csv"], "gone/x.csv: can't be written"),
        (
            ["replay", "good.xml", "--alerts", "no-model"],
            "no-model: is a directory, wants a file to write",
        ),
        (["run", "--alerts", "gone/x.ndjson"], "gone/x.ndjson: can't be written"),
    ],
)
def test_what_can_not_be_used_so_ends_with_3_too(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = outcome(arguments, capsys)
    assert (code, said.count("\n")) == (3, 1), said
    assert says in said


def test_a_directory_without_a_model_is_no_model(capsys: pytest.CaptureFixture[str]) -> None:
    code, _ = outcome(["evaluate", "good.xml", "--model", "no-model"], capsys)
    assert code == 6


@pytest.mark.parametrize("command", QUICK)
def test_help_loads_nothing_that_takes_long(command: str) -> None:
    assert loaded(command, "--help") == "code 0 []"


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        (3, ["evaluate", "gone"]),
        (3, ["evaluate", "good.xml", "other.txt"]),
        (2, ["evaluate", "good.xml", "--history", "some"]),
        (2, ["thresholds", "good.xml"]),
        (2, ["thresholds", "good.xml", "--fpr", "1", "--history", "some"]),
        (3, ["replay", "other.txt"]),
        (3, ["replay", "good.xml", "--alerts", "gone/x.ndjson"]),
        (2, ["replay", "good.xml", "--pages-per-day", "3"]),
        (3, ["run", "--alerts", "gone/x.ndjson"]),
        (3, ["train", "--data", "no-model"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_is_wrong_is_said_before_anything_is_loaded(code: int, arguments: list[str]) -> None:
    Path("other.txt").write_text("x")
    assert loaded(*arguments) == f"code {code} []"


def loaded(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    return done.stdout.splitlines()[-1]
