"""What could not be processed, for a person at a terminal: seen, shown, sent back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from streams.cli.dead_letters import dead_letters
from streams.errors import BadInput, BadSetting
from streams.sources.base import SourceItem
from tests.core_world import Core, EditWorld, ListSource, MarkedScorer, raw_change

HOSTILE = b'{"meta": {}, "x": "\x1b[2J\xe2\x80\xaegnp.exe\nid 99 fake line"'


def run(directory: Path, *args: str) -> Result:
    return CliRunner().invoke(dead_letters, ["--state", str(directory / "core.sqlite"), *args])


@pytest.fixture
def state(tmp_path: Path) -> Path:
    with Core(tmp_path, MarkedScorer({})) as core:
        core.take([b"\xff\xfe", HOSTILE, raw_change(title=None), raw_change()])
    return tmp_path


def test_the_newest_come_first(state: Path) -> None:
    result = run(state, "list")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["3", "2", "1"]
    assert "ndjson normalize/bad_title" in lines[0]
    assert "3 dead letters" in result.stderr
    assert run(state, "list", "--limit", "1").stdout.splitlines() == lines[:1]


def test_hostile_bytes_make_no_line_and_no_colour(state: Path) -> None:
    for args in (("list",), ("show", "2")):
        output = run(state, *args).stdout
        assert "\x1b" not in output
        assert "\u202e" not in output
        assert not any(line.startswith("id 99") for line in output.splitlines())


def test_each_is_one_json_object(state: Path) -> None:
    letters = [json.loads(line) for line in run(state, "list", "--json").stdout.splitlines()]
    assert [letter["id"] for letter in letters] == [3, 2, 1]
    assert letters[0]["reason"] == "bad_title"
    assert letters[0]["requeued"] is False
    assert letters[2]["size"] == 2


def test_one_whole(state: Path) -> None:
    shown = run(state, "show", "1").stdout
    assert "reason    invalid_utf8" in shown
    assert "\\xff\\xfe" in shown
    assert run(state, "show", "2", "--raw").stdout_bytes == HOSTILE
    missing = run(state, "show", "77")
    assert isinstance(missing.exception, BadInput)
    assert "77" in str(missing.exception)


def test_no_state_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACTWATCH_DATA_DIR", str(tmp_path))
    result = CliRunner().invoke(dead_letters, ["list"])
    assert isinstance(result.exception, BadSetting)


def test_requeue_wants_numbers_or_all(state: Path) -> None:
    for args in ((), ("1", "--all")):
        assert run(state, "requeue", *args).exit_code == 2
    result = run(state, "requeue", "1", "77", "1")
    assert "1 of those numbers: not there, or sent back before" in result.stderr
    assert "1 sent back" in result.stderr
    assert "(sent back)" in run(state, "list").stdout.splitlines()[2]
    assert "0 sent back" in run(state, "requeue", "1").stderr
    assert "2 sent back" in run(state, "requeue", "--all").stderr


def test_what_parses_now_is_processed_and_the_counters_add_up(tmp_path: Path) -> None:
    """A stage was broken, was mended, and the operator sent its dead letters back."""
    world = EditWorld()
    for number in range(3):
        world.edit("Ann", f"text {number}")

    class Broken(MarkedScorer):
        def row(self, *args: Any, **named: Any) -> list[float]:
            raise RuntimeError("broken")

    with Core(tmp_path, Broken({})) as core:
        core.take([*world.records, b"{", raw_change(meta={"id": "wire"}, title="Other")])
        assert core.outcomes() == {"dead_lettered": 5}
    assert "5 sent back" in run(tmp_path, "requeue", "--all").stderr
    with Core(tmp_path, MarkedScorer({})) as core:
        core.runner(ListSource([])).take_requeued()
        assert core.outcomes() == {"processed": 4, "dead_lettered": 1}
        assert core.store.query("SELECT reason, requeued FROM dead_letters") == [("not_json", 0)]
        assert sorted(core.labels()) == [1_001, 1_001, 1_002, 1_003] or len(core.labels()) == 3
        assert core.page().seen == 3
        core.runner(ListSource([])).take_requeued()
        assert core.outcomes() == {"processed": 4, "dead_lettered": 1}


def test_a_running_program_takes_what_was_sent_back(tmp_path: Path) -> None:
    with Core(tmp_path, MarkedScorer({})) as core:
        core.take([b"{"])
        run(tmp_path, "requeue", "1")
        source = ListSource([SourceItem("", raw=raw_change())])
        core.runner(source).run_live()
        assert core.outcomes() == {"processed": 1, "dead_lettered": 1}
        assert core.store.query("SELECT id FROM dead_letters") == [(2,)]


def test_a_number_that_can_be_none_is_refused_in_one_line(state: Path) -> None:
    for number in ("0", "-1", "99999999999999999999", "one"):
        for command in ("show", "requeue"):
            result = run(state, command, "--", number)
            assert result.exit_code == 2, result.output
            assert not isinstance(result.exception, OverflowError)
