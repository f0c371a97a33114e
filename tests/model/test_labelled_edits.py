"""What a file of labelled edits, words alone, tells and what it can't."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from models.dataset import PAN_BASE_RATE, PAN_DIFFS, Rows, load
from models.features import FEATURE_NAMES
from tests.model.histories import export, life

EDITS = [
    ("the recieved view of the town", "the received view of the town", "spelling", False),
    ("", "tenne lolz in the town", "", True),
    ("born in the town of 1911", "born in the town of 2911", "", True),
    ("a bridge over the river", "a bridge over the river Alda", "/* Bridges */", False),
]
AT = {name: at for at, name in enumerate(FEATURE_NAMES)}


def labelled(tmp_path: Path) -> Rows:
    (tmp_path / "histories").mkdir()
    (tmp_path / "edits").mkdir()
    history = export(life(seed=1, edits=12))
    (tmp_path / "histories" / "enwiki-one.xml").write_text(history, encoding="utf-8")
    with gzip.open(tmp_path / "edits" / PAN_DIFFS, "wt", encoding="utf-8") as out:
        for removed, added, comment, vandalism in EDITS:
            record = {"vandalism": vandalism, "anon": True, "comment": comment, "removed": removed,
                      "added": added, "length_old": 900}  # fmt: skip
            out.write(json.dumps(record) + "\n")
    return load(tmp_path, lambda what, share: None).sources[-1]


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    return labelled(tmp_path_factory.mktemp("data"))


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("added_words", [True] * 4),
        ("swap_likeness", [True, False, False, False]),
        ("number_swaps", [True] * 4),
        ("odd_capitals", [True] * 4),
        ("rarity_mean", [True] * 2 + [False] + [True]),
        ("position", [False] * 4),
        ("added_exclaims", [False] * 4),
        ("added_share", [False] * 4),
        ("gibberish", [False] * 4),
        ("page_reverted_share", [False] * 4),
        ("performer_edits", [False] * 4),
    ],
)
def test_only_what_words_tell_is_known(rows: Rows, name: str, known: list[bool]) -> None:
    assert (~np.isnan(rows.matrix[:, AT[name]])).tolist() == known


def test_damage_weighs_as_often_as_it_is_real_and_the_file_as_it_is_broad(rows: Rows) -> None:
    damaging, whole = rows.weight[rows.label].sum(), rows.weight.sum()
    assert damaging / whole == pytest.approx(PAN_BASE_RATE)
    assert whole == pytest.approx(np.sqrt(len(EDITS)))
