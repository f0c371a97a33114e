"""A page whose history was fetched is as one that was followed; nothing else comes of its past."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from models.bounded_history import BoundedHistory
from models.features import extract
from streams.records import Content, Edit
from streams.stages.fold import Folded, fold_edit
from streams.stages.recent_history import (
    UNLOGGED,
    is_cold,
    known_better,
    performer_among,
    with_history,
)
from streams.stages.track import last_good
from streams.state.page import EntryFlag, PageState, digest_of
from streams.state.performer import PerformerState, PerformerView, view_of
from streams.state.words import WordMemory
from tests.core_world import EditWorld

NOBODY = view_of(PerformerState(), None, 0.0)
GOOD = "The tower stands in Port Alder. It is 187 metres high and was opened in 1911."


def fold(
    edit: Edit, page: PageState, words: WordMemory, performer: PerformerView = NOBODY, row: int = 1
) -> Folded[list[float]]:
    folded = fold_edit(
        edit,
        page=page,
        performer=performer,
        words=lambda: words,
        number=row,
        claim=None,
        features=extract,
    )
    assert folded is not None
    return folded


def met_cold(edits: Sequence[Edit]) -> tuple[PageState, WordMemory, Folded[list[float]]]:
    """Only these edits were met."""
    page, words = PageState("enwiki:Tower"), WordMemory()
    for row, edit in enumerate(edits, 1):
        folded = fold(edit, page, words, row=row)
    return page, words, folded


def nothing(edit: Edit) -> None:
    return None


def vandalised(world: EditWorld) -> list[Edit]:
    """A page on which one word was put in and thrown out again and again."""
    good = world.edit("Zoe", GOOD)
    edits = [good]
    for turn in range(4):
        edits.append(world.edit(f"203.0.113.{turn}", GOOD.replace("187", "zork") + f" {turn}"))
        edits.append(world.revert("Ann", to=good))
    return edits


def test_an_edit_met_cold_and_then_with_its_history_has_the_row_that_evaluation_gives_it() -> None:
    world = EditWorld()
    past = vandalised(world)
    bad = world.edit("203.0.113.77", GOOD.replace("187", "zork"))

    page, _, folded = met_cold([bad])
    entry = folded.observation.entry
    assert entry is not None
    whole, words = with_history(page, entry, past, nothing)
    live = fold(bad, whole, words, known_better(NOBODY, performer_among(whole.entries, bad)))

    followed, history = PageState("enwiki:Tower"), BoundedHistory(50, 50)
    own = WordMemory()
    for edit in past:
        one = fold(edit, followed, own)
        revert = one.observation.revert
        history.folded(followed.key, edit, one.delta, revert is not None and not revert.self_revert)
    assert bad.content is not None
    known = history.before(followed, bad, digest_of(bad.content.revision.sha1), folded.delta)
    expected = extract(bad, folded.delta, known.page, known.performer, known.words)
    assert live.row == pytest.approx(expected, nan_ok=True)
    assert live.row != pytest.approx(folded.row, nan_ok=True)


def test_the_word_that_reverts_threw_out_is_remembered() -> None:
    world = EditWorld()
    past = vandalised(world)
    bad = world.edit("203.0.113.77", GOOD.replace("187", "zork"))
    page, words, folded = met_cold([bad])
    assert "zork" not in words.index or not words.thrown[words.index["zork"]]
    assert folded.observation.entry is not None
    whole, words = with_history(page, folded.observation.entry, past, nothing)
    assert words.thrown[words.index["zork"]] == 4
    assert whole.reverts == 4
    assert last_good(whole) is not None


def test_fetched_revisions_have_no_number_and_say_so() -> None:
    world = EditWorld()
    past = vandalised(world)
    page, _, folded = met_cold([world.edit("Ann", GOOD + " It is painted red.")])
    assert folded.observation.entry is not None
    whole, _ = with_history(page, folded.observation.entry, past, nothing)
    assert {entry.row for entry in whole.entries} == {UNLOGGED}
    assert all(entry.flags & EntryFlag.FETCHED for entry in whole.entries)


def test_what_was_met_stays_the_same_object_with_its_number_and_what_was_said_of_it() -> None:
    world = EditWorld()
    past = vandalised(world)
    met = world.edit("Ann", GOOD + " It is painted red.")
    bad = world.edit("203.0.113.77", GOOD)
    page, _, _ = met_cold([met, bad])
    first, last = page.entries
    first.flags |= EntryFlag.SUSPECT
    assert not first.reverted_by  # that text was never seen before, by what was met

    whole, words = with_history(page, last, [*past, met], nothing)
    assert whole.entries[-1] is first
    assert (first.row, bool(first.flags & EntryFlag.SUSPECT)) == (1, True)
    assert not first.flags & EntryFlag.FETCHED
    fold(bad, whole, words)
    assert first.reverted_by == bad.rev_id


def test_a_met_revision_that_the_history_lacks_is_kept() -> None:
    world = EditWorld()
    past = vandalised(world)
    met = world.edit("Ann", GOOD + " It is painted red.")
    bad = world.edit("203.0.113.77", GOOD + " lol")
    page, _, _ = met_cold([met, bad])
    first, last = page.entries
    whole, _ = with_history(page, last, past, nothing)
    assert whole.entries[-1] is first
    assert whole.seen == len(past) + 1


def test_what_came_after_the_edit_is_not_looked_at() -> None:
    world = EditWorld()
    past = vandalised(world)
    bad = world.edit("203.0.113.77", GOOD + " lol")
    later = [world.revert("Ann", to=past[0]), bad]
    page, _, folded = met_cold([bad])
    assert folded.observation.entry is not None
    whole, _ = with_history(page, folded.observation.entry, [*later, *past], nothing)
    assert [entry.rev_id for entry in whole.entries] == [edit.rev_id for edit in past]


def test_without_texts_the_page_is_known_and_its_words_are_not() -> None:
    world = EditWorld()
    past = [_bare(edit) for edit in vandalised(world)]
    bad = world.edit("203.0.113.77", GOOD.replace("187", "zork"))
    page, _, folded = met_cold([bad])
    assert folded.observation.entry is not None
    whole, words = with_history(page, folded.observation.entry, past, nothing)
    assert whole.reverts == 4
    assert words.ordinal == 0
    fold(bad, whole, words)
    assert words.rev_id == bad.rev_id


def test_a_revision_that_comes_late_and_was_fetched_counts_once() -> None:
    world = EditWorld()
    past = vandalised(world)
    late = past[-1]
    bad = world.edit("203.0.113.77", GOOD + " lol")
    page, _, folded = met_cold([bad])
    assert folded.observation.entry is not None
    whole, words = with_history(page, folded.observation.entry, past, nothing)
    fold(bad, whole, words, row=7)
    before = (whole.seen, whole.reverts, len(whole.entries))

    again = fold(late, whole, words, row=8)
    assert again.observation.entry is not None
    assert again.observation.entry.row == 8
    assert (whole.seen, whole.reverts, len(whole.entries)) == before
    assert [entry.rev_id for entry in whole.entries].count(late.rev_id) == 1
    assert fold_edit(
        late, page=whole, performer=NOBODY, words=lambda: words, number=9, claim=None, features=extract
    ) is None  # fmt: skip


def test_a_page_is_cold_until_its_history_is_known_or_fifteen_edits_were_seen() -> None:
    world = EditWorld()
    world.edit("Zoe", GOOD)
    page, words = PageState("enwiki:Tower"), WordMemory()
    for turn in range(16):
        fold(world.edit("Ann", f"{GOOD} {turn}"), page, words)
        assert is_cold(page, words) == (turn < 15)
    page.history_known, page.seen = True, 2
    assert not is_cold(page, words)


def test_a_page_whose_beginning_was_seen_is_not_cold() -> None:
    page, words, _ = met_cold(vandalised(EditWorld())[:3])
    assert not is_cold(page, words)


def test_a_performer_is_known_by_the_page_where_that_tells_more() -> None:
    world = EditWorld()
    for turn in range(3):
        world.edit("203.0.113.77", f"{GOOD} {turn}")
    edits = [record for record in world.records if isinstance(record, Edit)]
    page, _, _ = met_cold(edits)
    next_edit = world.edit("203.0.113.77", GOOD)
    here = performer_among(page.entries, next_edit)
    assert here.edits == 3
    assert known_better(NOBODY, here).edits == 3
    assert known_better(None, here) == here
    busy = msgspec.structs.replace(here, edits=40, network_edits=1)
    merged = known_better(busy, here)
    assert (merged.edits, merged.network_edits) == (40, here.network_edits)


def _bare(edit: Edit) -> Edit:
    assert edit.content is not None
    revision = msgspec.structs.replace(edit.content.revision, text=None)
    return msgspec.structs.replace(edit, content=Content(revision, None))
