"""Who reverted whom, as told by texts, summaries and tags, in time or late."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import pytest

from streams.records import Edit
from streams.stages.controversy import DISPUTE_WINDOW_S
from streams.stages.track import (
    STALE,
    Observation,
    RevertClaim,
    last_good,
    place_of,
    track,
    track_tag,
)
from streams.state.page import EDITORS_CAP, PAIRS_CAP, REVERT_RADIUS, WINDOW, PageState, digest_of
from tests.core_world import DAY, EditWorld


class Page:
    """One page's state, and what each edit showed."""

    def __init__(self) -> None:
        self.state = PageState("enwiki:Tower")
        self.rows = 0

    def fold(self, edit: Edit, claim: RevertClaim | None = None) -> Observation:
        self.rows += 1
        digest = digest_of(edit.content.revision.sha1) if edit.content is not None else 0
        return track(self.state, edit, digest, self.rows, claim)

    def fold_all(self, edits: Iterable[object]) -> list[Observation]:
        return [self.fold(edit) for edit in edits if isinstance(edit, Edit)]

    @property
    def reverted(self) -> dict[int, int]:
        return {entry.rev_id: entry.reverted_by for entry in self.state.entries if entry.reverted_by}


def labelled(observation: Observation) -> list[tuple[int, int, str, bool]]:
    return [
        (label.entry.rev_id, label.reverted_by, label.evidence, label.retracted)
        for label in observation.labels
    ]


def test_an_identity_revert_undoes_what_lies_between() -> None:
    world, page = EditWorld(), Page()
    base = world.edit("Zoe", "base")
    bad, worse = world.edit("Vic", "bad"), world.edit("Wes", "worse")
    back = world.revert("Bob", base)
    *_, observation = page.fold_all(world.records)
    assert observation.revert is not None
    assert (observation.revert.to_rev, observation.revert.evidence) == (base.rev_id, "identity")
    assert [entry.rev_id for entry in observation.revert.undone] == [bad.rev_id, worse.rev_id]
    assert labelled(observation) == [
        (bad.rev_id, back.rev_id, "identity", False),
        (worse.rev_id, back.rev_id, "identity", False),
    ]
    assert page.reverted == {bad.rev_id: back.rev_id, worse.rev_id: back.rev_id}
    assert page.state.reverts == 1


@pytest.mark.parametrize(("between", "found"), [(REVERT_RADIUS - 1, True), (REVERT_RADIUS, False)])
def test_a_revert_reaches_fifteen_revisions_back(between: int, found: bool) -> None:
    world, page = EditWorld(), Page()
    base = world.edit("Zoe", "base")
    for number in range(between):
        world.edit("Vic", f"bad {number}")
    world.revert("Bob", base)
    *_, observation = page.fold_all(world.records)
    assert (observation.revert is not None) is found
    assert len(observation.labels) == (between if found else 0)


def test_a_null_edit_is_no_revert() -> None:
    world, page = EditWorld(), Page()
    base = world.edit("Zoe", "base")
    world.revert("Bob", base)
    *_, observation = page.fold_all(world.records)
    assert observation.revert is None
    assert page.reverted == {}


def test_a_null_edit_after_vandalism_does_not_bring_it_back() -> None:
    world, page = EditWorld(), Page()
    world.edit("Zoe", "base")
    bad = world.edit("Vic", "bad")
    world.revert("Wes", bad, comment="Undid revision 1")
    assert page.fold_all(world.records)[-1].revert is None


def test_a_self_revert_withdraws_and_labels_nothing() -> None:
    world, page = EditWorld(), Page()
    base = world.edit("Zoe", "base")
    test = world.edit("Vic", "test")
    world.revert("Vic", base)
    *_, observation = page.fold_all(world.records)
    assert observation.revert is not None
    assert observation.revert.self_revert
    assert observation.labels == ()
    assert [entry.rev_id for entry in page.state.entries if entry.withdrawn_by] == [test.rev_id]
    assert page.state.reverts == 0


def test_a_revert_of_oneself_and_others_labels_the_others() -> None:
    world, page = EditWorld(), Page()
    base = world.edit("Zoe", "base")
    bad, own = world.edit("Vic", "bad"), world.edit("Bob", "worse")
    back = world.revert("Bob", base)
    *_, observation = page.fold_all(world.records)
    assert labelled(observation) == [(bad.rev_id, back.rev_id, "identity", False)]
    assert [entry.rev_id for entry in page.state.entries if entry.withdrawn_by] == [own.rev_id]
    assert observation.revert is not None
    assert not observation.revert.self_revert


def test_an_undo_claims_one_revision() -> None:
    world, page = EditWorld(), Page()
    bad = [world.edit("Zoe", None), world.edit("Vic", None), world.edit("Ann", None)][1]
    page.fold_all(world.records)
    back = world.undo("Bob", bad)
    observation = page.fold(back, RevertClaim(rev_id=bad.rev_id))
    assert labelled(observation) == [(bad.rev_id, back.rev_id, "comment", False)]


def test_a_rollback_claims_the_last_run_of_a_performer() -> None:
    world, page = EditWorld(), Page()
    for who in ("Vic", "Zoe", "Vic", "Vic"):
        world.edit(who, None)
    page.fold_all(world.records)
    observation = page.fold(world.rollback("Bob", "Vic"), RevertClaim(performer="Vic"))
    assert [label.entry.rev_id for label in observation.labels] == [1_003, 1_004]
    assert observation.revert is not None
    assert observation.revert.to_rev == 1_002


def test_a_rollback_of_somebody_else_undoes_nothing() -> None:
    world, page = EditWorld(), Page()
    world.edit("Zoe", None)
    world.edit("Ann", None)
    page.fold_all(world.records)
    assert page.fold(world.rollback("Bob", "Zoe"), RevertClaim(performer="Zoe")).revert is None


def test_a_claim_to_restore_a_revision() -> None:
    world, page = EditWorld(), Page()
    base = world.edit("Zoe", None)
    world.edit("Vic", None)
    world.edit("Wes", None)
    page.fold_all(world.records)
    observation = page.fold(world.edit("Bob", None), RevertClaim(to_rev=base.rev_id))
    assert [label.entry.rev_id for label in observation.labels] == [1_002, 1_003]


def test_an_undo_of_the_first_revision_seen_restores_one_that_is_not_known() -> None:
    world, page = EditWorld(), Page()
    bad = world.edit("Vic", None)
    page.fold(bad)
    observation = page.fold(world.undo("Bob", bad), RevertClaim(rev_id=bad.rev_id))
    assert observation.revert is not None
    assert observation.revert.to_rev == -1


def test_a_tag_labels_once() -> None:
    world, page = EditWorld(), Page()
    world.edit("Zoe", "base")
    bad = world.edit("Vic", "bad")
    page.fold_all(world.records)
    label = track_tag(page.state, bad.rev_id, world.now)
    assert label is not None
    assert (label.entry.rev_id, label.reverted_by, label.evidence) == (bad.rev_id, 0, "tag")
    assert track_tag(page.state, bad.rev_id, world.now) is None
    assert track_tag(page.state, 99, world.now) is None
    assert last_good(page.state) is None


def test_a_tag_after_the_revert_and_a_revert_after_the_tag_label_once() -> None:
    for tag_first in (True, False):
        world, page = EditWorld(), Page()
        base = world.edit("Zoe", "base")
        bad = world.edit("Vic", "bad")
        page.fold_all(world.records)
        given = 0
        if tag_first:
            given += track_tag(page.state, bad.rev_id, world.now) is not None
        given += len(page.fold(world.revert("Bob", base)).labels)
        if not tag_first:
            given += track_tag(page.state, bad.rev_id, world.now) is not None
        assert given == 1


def test_a_late_vandalism_is_known_as_reverted() -> None:
    world, page = EditWorld(), Page()
    base = world.edit("Zoe", "base")
    bad = world.edit("Vic", "bad")
    back = world.revert("Bob", base)
    page.fold_all([base, back])
    observation = page.fold(bad)
    assert observation.already_reverted
    assert labelled(observation) == [(bad.rev_id, back.rev_id, "identity", False)]
    assert [entry.rev_id for entry in page.state.entries] == [base.rev_id, bad.rev_id, back.rev_id]


def test_a_late_base_makes_a_revert_of_what_came_before_it() -> None:
    world, page = EditWorld(), Page()
    base, bad = world.edit("Zoe", "base"), world.edit("Vic", "bad")
    back = world.revert("Bob", base)
    page.fold_all([bad, back])
    assert page.reverted == {}
    assert labelled(page.fold(base)) == [(bad.rev_id, back.rev_id, "identity", False)]


def test_a_late_edit_takes_a_label_back() -> None:
    """Bob restored "base", it seemed; a late edit of the same text shows that he undid nothing."""
    world, page = EditWorld(), Page()
    base, ann = world.edit("Zoe", "base"), world.edit("Ann", "good")
    late, bob = world.revert("Cy", base), world.revert("Bob", base)
    page.fold_all([base, ann, bob])
    assert page.reverted == {ann.rev_id: bob.rev_id}
    page.fold(late)
    assert page.reverted == {ann.rev_id: late.rev_id}


def test_a_late_edit_retracts_what_only_its_absence_made() -> None:
    world, page = EditWorld(), Page()
    first = world.edit("Ann", None)
    late, last = world.edit("Cy", None), world.rollback("Bob", "Ann")
    page.fold(first)
    claim = RevertClaim(performer="Ann")
    assert labelled(page.fold(last, claim)) == [(first.rev_id, last.rev_id, "comment", False)]
    assert labelled(page.fold(late)) == [(first.rev_id, 0, "", True)]
    assert page.reverted == {}


def test_what_is_older_than_the_window_is_stale_and_changes_nothing() -> None:
    world, page = EditWorld(), Page()
    edits = [world.edit(f"Editor {number}", f"text {number}") for number in range(WINDOW + 10)]
    late = edits.pop(WINDOW + 10 - (WINDOW - REVERT_RADIUS) - 1)
    too_late = edits.pop(5)
    page.fold_all(edits)
    before = msgspec.json.encode(page.state)
    assert page.fold(too_late) is STALE
    assert msgspec.json.encode(page.state) == before
    assert place_of(page.state, late.event_time, late.rev_id) is not None
    assert page.fold(late).entry is not None


@pytest.mark.parametrize("shift_s", [0.0, 30.0, -30.0, 5_000.0])
def test_a_revision_told_again_is_stale_at_whatever_time(shift_s: float) -> None:
    world, page = EditWorld(), Page()
    base, bad = world.edit("Zoe", "base"), world.edit("Vic", "bad")
    world.revert("Bob", base)
    page.fold_all(world.records)
    before = msgspec.json.encode(page.state)
    again = msgspec.structs.replace(bad, event_time=bad.event_time + shift_s, event_id="other")
    assert page.fold(again) is STALE
    assert msgspec.json.encode(page.state) == before


def test_ids_are_no_order_but_time_is() -> None:
    """Imported histories have ids mixed up."""
    world, page = EditWorld(), Page()
    base = world.edit("Zoe", "base")
    bad = msgspec.structs.replace(world.edit("Vic", "bad"), rev_id=5)
    back = world.revert("Bob", base)
    page.fold_all([base, bad, back])
    assert page.reverted == {5: back.rev_id}


def test_two_of_one_second_stand_by_their_ids() -> None:
    world, page = EditWorld(step_s=0), Page()
    one, two, three = (world.edit(who, who) for who in ("Ann", "Ben", "Cy"))
    page.fold_all([three, one, two])
    assert [entry.rev_id for entry in page.state.entries] == [one.rev_id, two.rev_id, three.rev_id]


def test_the_last_good_revision() -> None:
    world, page = EditWorld(), Page()
    base = world.edit("Zoe", "base")
    assert page.fold(base).last_good_rev is None
    bad = world.edit("Vic", "bad")
    assert page.fold(bad).last_good_rev == base.rev_id
    assert page.fold(world.edit("Vic", "worse")).last_good_rev == base.rev_id
    assert last_good(page.state) == base.rev_id
    back = world.revert("Bob", base)
    page.fold(back)
    assert last_good(page.state) == back.rev_id
    assert page.fold(world.edit("Ann", "more")).last_good_rev == back.rev_id


def test_controversy_by_hand() -> None:
    """Ann (3 edits) and Ben (3) revert one another, Ann and Cy (2) too: 3 editors, weights
    min(3, 3) and min(3, 2); without the top pair M = 3 * 2."""
    world, page = EditWorld(), Page()
    for who, text in (("Ben", "b0"), ("Ben", "b1"), ("Cy", "c0"), ("Zoe", "base")):
        world.edit(who, text)
    for who, text in (("Ann", "a"), ("Ben", "base"), ("Ann", "a"), ("Cy", "base"), ("Ann", "a")):
        world.edit(who, text)
    observations = page.fold_all(world.records)
    assert [o.dispute.controversy if o.dispute else None for o in observations[5:]] == [None, 0, 0, 6]
    dispute = observations[-1].dispute
    assert dispute is not None
    assert dispute.mutual_reverts == 4
    assert dispute.editors == ("Ann", "Ben", "Cy")
    assert [entry.rev_id for entry in dispute.involved] == [1_005, 1_006, 1_007, 1_008]


def test_one_sided_reverts_are_no_dispute() -> None:
    world, page = EditWorld(), Page()
    base = world.edit("Zoe", "base")
    for number in range(3):
        world.edit("Vic", f"bad {number}")
        world.revert("Bob", base)
    assert all(observation.dispute is None for observation in page.fold_all(world.records))


def test_reverts_further_apart_than_a_day_are_no_war() -> None:
    world, page = EditWorld(step_s=DISPUTE_WINDOW_S + 1), Page()
    world.war(reverts=4)
    assert [o.dispute for o in page.fold_all(world.records)][-1] is None


def test_a_war_longer_than_the_window_keeps_its_pairs() -> None:
    world, page = EditWorld(step_s=DAY), Page()
    for who in ("Ann", "Cy"):
        world.war(who, "Ben", reverts=40)
    observation = page.fold_all(world.records)[-1]
    assert len(page.state.entries) == WINDOW
    assert observation.dispute is not None
    assert observation.dispute.controversy > 0
    assert {"Ben\nAnn", "Ann\nBen", "Ben\nCy", "Cy\nBen"} <= set(page.state.pairs)


def test_everything_kept_is_bounded() -> None:
    world, page = EditWorld(step_s=1), Page()
    for number in range(300):
        base = world.edit(f"Good {number}", f"base {number}")
        world.edit(f"Vic {number}", f"bad {number}")
        world.revert(f"Bob {number}", base)
    page.fold_all(world.records)
    state = page.state
    assert len(state.entries) == WINDOW
    assert len(state.editors) <= EDITORS_CAP
    assert len(state.pairs) <= PAIRS_CAP
    assert state.seen == 900
    assert len(msgspec.msgpack.encode(state)) < 16_000
