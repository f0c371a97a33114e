"""Made-up false facts: one value is changed, the rest of the text and of the moment stays."""

from __future__ import annotations

from random import Random

import pytest

from models.features import FEATURE_NAMES, extract
from models.made_up_edits import MadeUpEdits
from models.replay import Replay
from models.swapped_edits import SHARE, SwapKind, swapped
from streams.stages.diff import text_delta
from tests.model.histories import life

TEXT = (
    "The bridge over the Alda was opened in 1911 by mayor Henrik Sandvik, and it is 187 m long. "
    "It was closed from April to August 1944, when Erika Lund and Jonas Berg were in office. "
    "See http://bridges.example/1911/187 and [[File:Bridge 1911.jpg]]. There were 2,450 workers. "
) * 4


def found(seed: int, text: str = TEXT) -> tuple[str, SwapKind] | None:
    return swapped(text, Random(seed))


@pytest.mark.parametrize("seed", range(40))
def test_one_value_is_changed_and_it_is_of_the_kind_said(seed: int) -> None:
    made = found(seed)
    if made is None:
        return
    text, kind = made
    delta = text_delta(TEXT, text)
    assert len(delta.spans) == 1
    before, after = delta.spans[0].before.strip(), delta.spans[0].after.strip()
    assert before != after
    match kind:
        case SwapKind.NUMBER:
            assert any(map(str.isdigit, before))
            assert any(map(str.isdigit, after))
        case SwapKind.NAME:
            assert before[0].isupper()
            assert after[0].isupper()
        case SwapKind.DATE:
            assert {before, after} <= {"April", "August"}
        case SwapKind.NEGATION:
            assert "not" in (before, after) or after.endswith("not")


def test_every_kind_is_made() -> None:
    kinds = {made[1] for made in map(found, range(300)) if made is not None}
    assert kinds == set(SwapKind)


@pytest.mark.parametrize("seed", range(300))
def test_addresses_and_link_targets_stay(seed: int) -> None:
    made = found(seed)
    if made is not None:
        assert made[0].count("http://bridges.example/1911/187") == 4
        assert made[0].count("[[File:Bridge 1911.jpg]]") == 4


@pytest.mark.parametrize("text", ["", "no values here", "x" * 5_000, "[[" * 400])
def test_a_text_without_values_gives_none(text: str) -> None:
    assert all(found(seed, text) is None for seed in range(20))


def test_the_same_seed_makes_the_same_edits_and_their_rows_are_those_of_a_swap() -> None:
    def made() -> MadeUpEdits:
        swaps = MadeUpEdits(extract, swapped, SHARE, 3)
        Replay(beside=swaps).edits(life(seed=2, edits=200))
        return swaps

    one, other = made().made, made().made
    assert len(one) > 10
    assert [(swap.rev_id, swap.kind) for swap in one] == [(swap.rev_id, swap.kind) for swap in other]
    at = {name: index for index, name in enumerate(FEATURE_NAMES)}
    for swap in one:
        assert not swap.row[at["restores_back"]] > 0
        if swap.kind is SwapKind.NUMBER:
            assert swap.row[at["number_swaps"]] > 0


def test_made_up_edits_leave_the_replay_as_it_was() -> None:
    edits = life(seed=2, edits=120)
    plain = [one.row for one in Replay().edits(edits)]
    beside = [one.row for one in Replay(beside=MadeUpEdits(extract, swapped, SHARE, 3)).edits(edits)]
    assert repr(plain) == repr(beside)
