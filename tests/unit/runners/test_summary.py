from __future__ import annotations

from pathlib import Path

from streams.runners.summary import summarize
from tests.core_world import HOUR, Core, EditWorld, MarkedScorer


def test_what_a_replay_showed(tmp_path: Path) -> None:
    """One vandalism caught, one missed, one false alarm, and much that is neither."""
    world = EditWorld()
    base = world.edit("Zoe", "base")
    world.edit("Vic", "caught", risk=0.95)
    world.wait(240)
    base = world.revert("Bob", base)
    world.edit("Wes", "missed", risk=0.2)
    world.revert("Bob", base)
    world.edit("Ann", "base, and a false alarm", risk=0.9)
    for number in range(6):
        world.wait(12 * HOUR)
        world.edit("Cy", f"elsewhere {number}", title="Other")
    with Core(tmp_path, MarkedScorer(world.risks)) as core:
        core.take([*world.records, b"{", b"\xff"])
        core.finish()
        core.store.query("UPDATE edits SET label = 'kept' WHERE label IS NULL AND rev_id < 1008")
        summary = summarize(core.store, "ndjson", taken=14, elapsed_s=2.0)
        assert summarize(core.store, "eventstreams").events == 0
    assert (summary.events, summary.processed, summary.skipped) == (14, 12, {})
    assert summary.dead_letters == {"invalid_utf8": 1, "not_json": 1}
    assert summary.alerts == {
        "edit.suspect": 2,
        "page.contested": 0,
        "fact.corrected": 1,
        "post.repeats": 0,
        "fact.amplified": 0,
    }
    assert (summary.edits, summary.edits_reverted, summary.edits_kept, summary.edits_alerted) == (
        12, 2, 5, 2,
    )  # fmt: skip
    assert (summary.precision, summary.recall) == (0.5, 0.5)
    assert (summary.median_s_to_alert, summary.median_s_to_revert) == (0.0, 300.0)
    assert (summary.events_per_s, summary.elapsed_s) == (7.0, 2.0)


def test_of_nothing_nothing_is_told(tmp_path: Path) -> None:
    with Core(tmp_path, MarkedScorer({})) as core:
        summary = summarize(core.store, "ndjson")
    assert (summary.events, summary.precision, summary.recall) == (0, None, None)
    assert (summary.median_s_to_alert, summary.median_s_to_revert, summary.events_per_s) == (
        None, None, None,
    )  # fmt: skip
