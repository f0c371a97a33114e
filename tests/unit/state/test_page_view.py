"""The page as an edit meets it."""

from __future__ import annotations

from streams.stages.track import RevertClaim, track, track_log
from streams.state.page import REVERT_RADIUS, PageState, digest_of, view_of
from tests.core_world import START, EditWorld


def story() -> tuple[EditWorld, PageState]:
    """Base, two vandalisms by an address, a revert, a good edit."""
    world = EditWorld()
    base = world.edit("Zoe", "base")
    world.edit("192.0.2.7", "bad")
    world.edit("192.0.2.7", "worse")
    world.revert("Bob", base)
    world.edit("Ann", "better")
    page = PageState("enwiki:Tower")
    for row, edit in enumerate(world.records, 1):
        assert edit.content is not None
        track(page, edit, digest_of(edit.content.revision.sha1), row)
    return world, page


def test_a_page_never_seen() -> None:
    view = view_of(PageState("k"), "Ann", 5, START)
    assert (view.seen, view.age_s, view.since_last_s, view.recent) == (0, None, None, 0)


def test_what_an_edit_meets() -> None:
    world, page = story()
    bad = world.records[1]
    assert bad.content is not None
    view = view_of(page, "192.0.2.7", digest_of(bad.content.revision.sha1), world.now)
    assert (view.seen, view.recent, view.recent_reverted, view.recent_reverts) == (5, 5, 2, 1)
    assert (view.recent_anonymous, view.own_recent, view.own_reverted) == (2, 2, 2)
    assert (view.restores_back, view.restores_reverted) == (4, True)
    assert (view.age_s, view.since_last_s, view.same_performer) == (300.0, 60.0, False)
    assert not view.last_was_revert
    assert not view.last_reverted


def test_restoring_a_text_that_stands() -> None:
    world, page = story()
    base = world.records[0]
    assert base.content is not None
    view = view_of(page, "Cy", digest_of(base.content.revision.sha1), world.now)
    assert (view.restores_back, view.restores_reverted) == (2, False)


def test_what_lies_later_is_not_looked_at() -> None:
    _world, page = story()
    view = view_of(page, "Ann", 0, START + 90)
    assert (view.recent, view.since_last_s) == (2, 30.0)
    assert view_of(page, "Ann", 0, START - 1).recent == 0


def test_at_most_the_radius_is_looked_at() -> None:
    world = EditWorld()
    page = PageState("k")
    for row in range(40):
        track(page, world.edit(f"Editor {row}", f"text {row}"), row + 1, row)
    assert view_of(page, "Ann", 0, world.now).recent == REVERT_RADIUS
    for back in (15, 16):
        assert view_of(page, "Ann", 40 - back + 1, world.now).restores_back == (
            back if back <= 15 else 0
        )


def test_the_newest_protection_counts_in_whatever_order() -> None:
    world, page = story()
    first = world.log("protect", "protect")
    second = world.log("protect", "unprotect")
    for event in (second, first):
        track_log(page, event)
    assert not view_of(page, "Ann", 0, world.now).protected
    track_log(page, world.log("protect", "modify"))
    assert view_of(page, "Ann", 0, world.now).protected
    track_log(page, world.log("delete", "delete"))
    assert view_of(page, "Ann", 0, world.now).protected


def test_a_claim_is_kept_with_the_entry() -> None:
    world, page = story()
    observation = track(page, world.undo("Cy", world.records[-1]), 0, 9, RevertClaim(1_005))
    assert observation.revert is not None
    assert view_of(page, "Ann", 0, world.now).last_was_revert
    assert digest_of(None) == 0
