"""The invariants of the design, each with the tests that hold it. The shortest are here; of the others
the table names where they are, and that they are there is a test."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from streams.errors import StoreCorrupt
from streams.metrics import OUTCOMES, SOURCES
from streams.reasons import SkipReason
from tests.conftest import CHECKOUT
from tests.core_world import Core, EditWorld, ListSource, MarkedScorer, TouchyScorer, raw_change, replay

INVARIANTS: dict[int, tuple[str, ...]] = {
    1: (
        "contract/test_invariants.py::test_1_every_record_ends_as_exactly_one_outcome",
        "property/test_hostile_input.py::test_a_hundred_thousand_mutated_events",
        "unit/cli/test_dead_letters_cli.py::test_what_parses_now_is_processed_and_the_counters_add_up",
    ),
    2: (
        "contract/test_invariants.py::test_2_redelivery_restart_and_replay_give_the_same_ids",
        "property/test_core_properties.py::test_repeats_change_nothing",
        "chaos/test_kill.py::test_thirty_kills_lose_nothing_and_repeat_nothing",
    ),
    3: (
        "unit/store/test_sqlite_store.py::test_a_failure_in_the_middle_of_a_commit_leaves_nothing",
        "chaos/test_crash_points.py::test_a_crash_at_a_named_point",
    ),
    4: (
        "unit/runners/test_processor.py::test_a_stage_that_raises_makes_a_dead_letter_and_the_rest_goes_on",
        "unit/runners/test_processor.py::test_the_second_pass_is_guarded_too",
        "unit/runners/test_embedded.py::test_a_source_that_breaks_is_loud",
    ),
    5: (
        "chaos/test_crash_points.py::test_a_slow_sink_slows_the_source",
        "unit/stages/test_track.py::test_everything_kept_is_bounded",
        "unit/store/test_sqlite_store.py::test_recent_ids_are_bounded",
        "unit/stages/test_deduplicate.py::test_the_oldest_are_forgotten",
        "unit/state/test_state_cache.py::test_nothing_dirty_leaves_and_the_oldest_clean_ones_do",
    ),
    6: (
        "contract/test_invariants.py::test_6_bad_data_is_kept_and_own_corruption_is_loud",
        "unit/store/test_sqlite_store.py::test_a_broken_state_is_loud_when_it_is_met",
        "property/test_hostile_input.py::test_a_hundred_thousand_mutated_events",
    ),
    7: (
        "contract/test_invariants.py::test_7_untrusted_text_is_no_label_no_host_and_no_line",
        "unit/stages/test_links.py::test_the_list_of_wikis_tells_the_host_whatever_the_event_says",
        "unit/cli/test_dead_letters_cli.py::test_hostile_bytes_make_no_line_and_no_colour",
    ),
    8: (
        "unit/stages/test_track.py::test_a_revision_told_again_is_stale_at_whatever_time",
        "unit/stages/test_track.py::test_what_is_older_than_the_window_is_stale_and_changes_nothing",
        "unit/runners/test_processor.py::test_a_stale_edit_changes_no_state_at_all",
    ),
    9: (
        "contract/test_invariants.py::test_9_pure_code_reads_no_clock",
        "property/test_core_properties.py::test_batch_borders_and_restarts_change_nothing",
        "unit/state/test_watermark.py::test_one_clock_off_by_years_does_not_move_it_and_three_do",
    ),
    10: ("contract/test_invariants.py::test_10_no_pickle_anywhere",),
}


def names_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("number", INVARIANTS)
def test_the_tests_named_are_there(number: int) -> None:
    for name in INVARIANTS[number]:
        path, _, test = name.partition("::")
        assert test in names_in(CHECKOUT / "tests" / path), name


def test_every_invariant_of_the_design_is_in_the_table() -> None:
    design = CHECKOUT.parent / "shared" / "DESIGN.md"
    if not design.is_file():
        pytest.skip("the design lies beside the checkout, and not here")
    section = design.read_text("utf-8").partition("## Invariants")[2].partition("\n## ")[0]
    assert {int(number) for number in re.findall(r"^(\d+)\. ", section, re.MULTILINE)} == set(INVARIANTS)


def test_1_every_record_ends_as_exactly_one_outcome(tmp_path: Path) -> None:
    raws = [raw_change(), raw_change(), b"", b"{}", raw_change(meta={"domain": "canary"}),
            raw_change(meta={"id": "b"}, revision=None), raw_change(meta={"id": "c"}, title="a\nb")]  # fmt: skip
    with Core(tmp_path, MarkedScorer({})) as core:
        core.take(raws)
        outcomes = core.outcomes()
        dead = core.store.query("SELECT count(*) FROM dead_letters")[0][0]
    assert sum(outcomes.values()) == len(raws)
    assert outcomes["dead_lettered"] == dead == 3
    assert set(outcomes) <= set(OUTCOMES)
    assert {"processed", "forwarded", "dead_lettered"} | {
        f"skipped_{reason}" for reason in SkipReason
    } == set(OUTCOMES)


def test_2_redelivery_restart_and_replay_give_the_same_ids(tmp_path: Path) -> None:
    world = EditWorld()
    base = world.edit("Zoe", "The tower is 300 m high.")
    world.edit("192.0.2.7", "The tower is 3 m high.", risk=0.95)
    world.revert("Bob", base)
    world.war(reverts=4)
    once = [alert.ce_id for alert in replay(world, tmp_path / "once")]
    restarted = replay(world, tmp_path / "restarted", batch=1, restart=True)
    assert [alert.ce_id for alert in restarted] == once
    world.records += world.records
    assert [alert.ce_id for alert in replay(world, tmp_path / "twice", batch=3)] == once


def test_6_bad_data_is_kept_and_own_corruption_is_loud(tmp_path: Path) -> None:
    with Core(tmp_path, TouchyScorer()) as core:
        core.take([b"\x00", raw_change()])
        assert core.store.query("SELECT raw FROM dead_letters") == [(b"\x00",)]
        core.store.settle_states()
        core.store.query("UPDATE pages SET state = x'00'")
    with Core(tmp_path, TouchyScorer()) as core, pytest.raises(StoreCorrupt):
        core.take([raw_change(meta={"id": "b"}, revision={"old": 1, "new": 2})])


def test_7_untrusted_text_is_no_label_no_host_and_no_line(tmp_path: Path) -> None:
    hostile = "<script>\u202e evil.example"
    raws = [
        raw_change(title=hostile, user=hostile, comment="a\nb\x1b[2J", server_name="evil.example"),
        raw_change(meta={"id": hostile}, title=hostile + "\n", user=hostile),
    ]
    with Core(tmp_path, MarkedScorer({1_001: 0.95})) as core:
        (alert,) = core.take(raws)
        assert alert.page_url.startswith("https://en.wikipedia.org/w/index.php?title=%3Cscript%3E")
        assert "\n" not in alert.summary
        runner = core.runner(ListSource([]))
        for family in runner._metrics.registry.collect():
            for sample in family.samples:
                assert not any("evil" in value for value in sample.labels.values())
        assert "\n" not in str(core.store.query("SELECT message FROM dead_letters")[0][0])
    assert set(SOURCES) == {
        "eventstreams", "rcfeed", "ndjson", "history", "jetstream", "mastodon", "posts", "http",
        "changes", "edits",
    }  # fmt: skip


PURE = [*sorted((CHECKOUT / "streams" / "stages").glob("*.py")),
        *sorted((CHECKOUT / "streams" / "state").glob("*.py"))]  # fmt: skip


@pytest.mark.parametrize("path", PURE, ids=lambda path: path.stem)
def test_9_pure_code_reads_no_clock(path: Path) -> None:
    """Nor chance, network, settings or files: the same input gives the same output for ever."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        for name in names:
            assert name.partition(".")[0] not in FORBIDDEN, f"{path.name} imports {name}"
            assert not name.startswith(FORBIDDEN_OURS), f"{path.name} imports {name}"
        if isinstance(node, ast.Attribute):
            assert node.attr not in ("now", "utcnow", "today"), f"{path.name}:{node.lineno}"


FORBIDDEN = {"time", "random", "uuid", "secrets", "os", "socket", "urllib3", "requests", "sqlite3",
             "prometheus_client", "threading", "asyncio", "logging", "click"}  # fmt: skip
FORBIDDEN_OURS = ("streams.settings", "streams.metrics", "streams.store", "streams.sinks", "streams.web",
                  "streams.cli", "streams.runners", "streams.sources", "models")  # fmt: skip


def test_10_no_pickle_anywhere() -> None:
    for path in [*(CHECKOUT / "streams").rglob("*.py"), *(CHECKOUT / "models").rglob("*.py")]:
        text = path.read_text("utf-8")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [alias.name for alias in node.names]
                names.append(getattr(node, "module", None) or "")
                assert not {"pickle", "joblib", "cloudpickle", "dill", "marshal", "shelve"} & set(
                    names
                ), path
        assert "allow_pickle=True" not in text, path
