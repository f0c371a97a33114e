"""Made-up advertising links: one link comes, the rest of the text stays."""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
import pytest

from models.dataset import history_rows
from models.features import FEATURE_NAMES, extract
from models.made_up_edits import MadeUpEdits
from models.planted_links import LinkKind, planted
from models.replay import Replay
from streams.stages.diff import text_delta
from tests.model.histories import export, life

TEXT = (
    "The bridge over the Alda was opened in 1911 by mayor Henrik Sandvik. It is long. "
    "Trains cross it daily.<ref>[http://archive.example.org/1911 The Times]</ref> It was closed.\n"
) * 4 + (
    "== External links ==\n* [http://bridges.example.org/alda The Alda bridge]\n"
    "* [http://trains.example.org/ Trains]\n\n[[Category:Bridges]]\n[[de:Brücke]]\n"
)


@pytest.mark.parametrize("seed", range(120))
def test_one_address_comes_and_nothing_else_goes(seed: int) -> None:
    made = planted(TEXT, Random(seed))
    assert made is not None
    text, kind = made
    delta = text_delta(TEXT, text)
    if kind is LinkKind.EXCHANGED:
        assert text.count("://") == TEXT.count("://")
        assert text.count("The Alda bridge") == 1
        return
    assert text.count("://") == TEXT.count("://") + 1
    assert not delta.lost
    assert delta.gained
    match kind:
        case LinkKind.START:
            assert text.endswith(TEXT)
        case LinkKind.LISTED:
            assert len(delta.hunks) == 1
            assert delta.hunks[0].after[0].startswith("* ")
        case LinkKind.PROSE:
            assert text.count("\n") == TEXT.count("\n")


def test_every_kind_is_made() -> None:
    assert {made[1] for seed in range(200) if (made := planted(TEXT, Random(seed)))} == set(LinkKind)


@pytest.mark.parametrize(
    "text", ["no links and no sentences here", "x" * 5_000, "[[" * 400, "1.2.3." * 90]
)
def test_a_text_without_places_gives_none_or_ends_with_a_link(text: str) -> None:
    for seed in range(40):
        made = planted(text, Random(seed))
        assert made is None or made[1] in (LinkKind.END, LinkKind.START)


def test_the_same_seed_makes_the_same_edits_and_their_rows_are_those_of_a_link() -> None:
    def made() -> MadeUpEdits:
        links = MadeUpEdits(extract, planted, 0.5, 3)
        Replay(beside=links).edits(life(seed=2, edits=200))
        return links

    one, other = made().made, made().made
    assert len(one) > 10
    assert [(link.rev_id, link.kind) for link in one] == [(link.rev_id, link.kind) for link in other]
    at = {name: index for index, name in enumerate(FEATURE_NAMES)}
    for link in one:
        assert not link.row[at["restores_back"]] > 0
        assert link.row[at["links_unreferenced"]] > 0
        assert link.row[at["new_domains"]] > 0


def test_a_history_has_some_beside_its_rows_by_editors_who_did_damage(tmp_path: Path) -> None:
    path = tmp_path / "made-up.xml"
    path.write_text(export(life(seed=4, edits=450)), encoding="utf-8")
    rows = history_rows(path)
    assert rows.spam is not None
    assert len(rows.spam.of) >= 3
    assert rows.label[rows.spam.of].all()
    at = {name: index for index, name in enumerate(FEATURE_NAMES)}
    assert (rows.spam.matrix[:, at["links_unreferenced"]] > 0).all()
    assert (rows.spam.matrix[:, at["anonymous"]] == rows.matrix[rows.spam.of, at["anonymous"]]).all()
    assert rows.gone is not None
    assert rows.gone.shape == rows.label.shape
    assert np.mean(rows.gone[rows.label]) > np.mean(rows.gone[~rows.label])
