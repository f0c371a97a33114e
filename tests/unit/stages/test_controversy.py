"""Mutual reverts: a quarrel between editors, or the cleaning up after vandals."""

from __future__ import annotations

from streams.records import Edit
from streams.stages.controversy import ESTABLISHED_EDITS, Dispute, is_quarrel
from streams.stages.track import track
from streams.state.page import EntryFlag, PageState, digest_of
from tests.core_world import EditWorld

RISKY = 0.9


def dispute_of(world: EditWorld) -> Dispute:
    """As of the last revert, each edit marked as its risk says."""
    page = PageState("enwiki:Tower")
    last: Dispute | None = None
    for number, edit in enumerate(world.records):
        assert isinstance(edit, Edit)
        assert edit.content is not None
        observation = track(page, edit, digest_of(edit.content.revision.sha1), number)
        assert observation.entry is not None
        if world.risks[edit.rev_id] >= RISKY:
            observation.entry.flags |= int(EntryFlag.SUSPECT)
        last = observation.dispute
    assert last is not None
    return last


def back_and_forth(
    world: EditWorld, one: str, other: str, reverts: int, *, risk_of_one: float = 0.1
) -> None:
    """`one` changes the text; the two undo one another, `other` first."""
    base = world.edit("Zoe", f"before {one}")
    mine = world.edit(one, f"by {one}", risk=risk_of_one)
    for turn in range(reverts):
        if turn % 2:
            world.revert(one, mine, risk=risk_of_one)
        else:
            world.revert(other, base)


def test_two_who_undo_each_other_quarrel() -> None:
    world = EditWorld()
    back_and_forth(world, "Ann", "Ben", 3)
    dispute = dispute_of(world)
    assert is_quarrel(dispute, 3)
    assert not is_quarrel(dispute, 4)


def test_edits_that_were_fetched_and_never_scored_make_nobody_an_editor() -> None:
    world = EditWorld()
    back_and_forth(world, "Ann", "Ben", 3)
    dispute = dispute_of(world)
    for entry in dispute.involved:
        entry.flags |= int(EntryFlag.FETCHED)
    assert not is_quarrel(dispute, 3)


def test_two_vandals_each_undone_by_somebody_else_are_no_quarrel() -> None:
    world = EditWorld()
    back_and_forth(world, "192.0.2.7", "Pat", 2, risk_of_one=RISKY)
    back_and_forth(world, "198.51.100.9", "Sue", 2, risk_of_one=RISKY)
    dispute = dispute_of(world)
    assert dispute.mutual_reverts == 4
    assert not is_quarrel(dispute, 2)


def test_a_vandal_whose_edits_look_harmless_needs_as_many_reverts_as_anybody() -> None:
    world = EditWorld()
    back_and_forth(world, "192.0.2.7", "Pat", 2)
    back_and_forth(world, "198.51.100.9", "Sue", 2, risk_of_one=RISKY)
    dispute = dispute_of(world)
    assert dispute.mutual_reverts == 4
    assert not is_quarrel(dispute, 3)


def one_against_two(world: EditWorld, one: str) -> None:
    base = world.edit("Zoe", "before")
    mine = world.edit(one, "mine", risk=RISKY)
    for other in ("Pat", "Sue"):
        world.revert(other, base)
        world.revert(one, mine, risk=RISKY)


def test_two_who_clean_up_after_one_address_do_not_quarrel() -> None:
    world = EditWorld()
    one_against_two(world, "192.0.2.7")
    dispute = dispute_of(world)
    assert set(dispute.editors) == {"192.0.2.7", "Pat", "Sue"}
    assert not is_quarrel(dispute, 3)


def test_an_account_that_two_editors_oppose_is_a_side() -> None:
    world = EditWorld()
    one_against_two(world, "Vic")
    assert is_quarrel(dispute_of(world), 3)


def test_a_newcomer_whose_edits_look_like_vandalism_is_no_side() -> None:
    world = EditWorld()
    back_and_forth(world, "Vic", "Ben", 4, risk_of_one=RISKY)
    assert not is_quarrel(dispute_of(world), 3)


def test_an_editor_of_the_page_is_a_side_whatever_its_edits_look_like() -> None:
    for performer, is_side in (("Vic", True), ("192.0.2.7", False)):
        world = EditWorld()
        for number in range(ESTABLISHED_EDITS):
            world.edit(performer, f"more {number}")
        back_and_forth(world, performer, "Ben", 3, risk_of_one=RISKY)
        assert is_quarrel(dispute_of(world), 3) is is_side


def test_reverts_of_several_quarrels_add_up() -> None:
    world = EditWorld()
    back_and_forth(world, "Ann", "Ben", 2)
    back_and_forth(world, "Cy", "Dan", 2)
    dispute = dispute_of(world)
    assert is_quarrel(dispute, 4)
    assert not is_quarrel(dispute, 5)


def test_edits_of_the_page_are_those_that_stand_and_those_that_left_the_window() -> None:
    world = EditWorld()
    world.edit("Ann", "first")
    back_and_forth(world, "Ann", "Ben", 2)
    # Ann's first edit and her revert stand; Ben's only one was undone.
    assert dispute_of(world).edits == {"Ann": 2, "Ben": 0}
