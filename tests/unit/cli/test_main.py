"""What a command says that was not meant so: one line, what is wrong and what to do."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from streams.cli.main import run_command


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["rn"], "no command rn; did you mean run? (`factwatch --help` says more)"),
        (["zzz"], "no command zzz (`factwatch --help` says more)"),
        (["x\x1b[2J\nhim"], "no command x"),
        (["doctor", "--setings"], "--settings? (`factwatch doctor --help` says more)"),
        (["replay", "eventstreams"], "replay wants a file; `factwatch run --source`"),
        (["replay", "rcfeed://127.0.0.1:1"], "rcfeed://127.0.0.1:1: replay wants a file"),
        (["run", "--source", "http://x"], "goes into FACTWATCH_EVENTSTREAMS_URL"),
        (["run", "--posts", "foo://x"], "foo://x: no platform that is known; wants jetstream"),
        (["train", "--promote"], "--promote goes with --from-archive"),
    ],
)
def test_a_wrong_option_is_told_in_one_line_and_ends_with_2(
    arguments: list[str],
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("FACTWATCH_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["factwatch", *arguments])
    try:
        code = run_command(lambda: False)
    finally:
        said = capsys.readouterr().err
    assert code == 2
    assert said.startswith("factwatch: ")
    assert says in said
    assert said.count("\n") == 1
    assert "\x1b" not in said


def test_a_file_of_another_kind_says_so_and_where_its_dead_letters_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FACTWATCH_DATA_DIR", str(tmp_path / "data"))
    wrong = tmp_path / "wrong.ndjson"
    wrong.write_text("# not an event\n" * 300)
    monkeypatch.setattr(sys, "argv", ["factwatch", "replay", str(wrong)])
    assert run_command(lambda: False) == 7
    said = capsys.readouterr().err
    assert "is the source one of recent changes?" in said
    look = said.partition("look at `factwatch ")[2].partition("`")[0].split()
    monkeypatch.setattr(sys, "argv", ["factwatch", *look])
    assert run_command(lambda: False) == 0
    listed = capsys.readouterr().out
    assert "no dead letters" not in listed
    assert listed.count("not_json") >= 50
