"""Which edits are kept to learn from, and that they stand for all."""

from __future__ import annotations

from array import array
from math import isnan, nan

import numpy as np

from models.classifier import load_classifier
from models.features import FEATURE_NAMES
from streams.runners.training_sample import ONE_OF, RISKY, TrainingSample, packed
from streams.store.batch import EditRow, TrainingRow

EDITS = 40_000


def edit(rev_id: int, risk: float, wiki: str = "enwiki") -> EditRow:
    return EditRow(rev_id, 7, rev_id, 1_000.0, risk, 0, f"{wiki}:Some: page")


def chosen(edits: list[EditRow]) -> list[TrainingRow]:
    return TrainingSample("1-a", "f").of(edits, [[0.5]] * len(edits))


def test_every_edit_that_looks_risky_is_kept_as_itself() -> None:
    found = chosen([edit(number, RISKY) for number in range(100)])
    assert [one.weight for one in found] == [1.0] * 100


def test_of_the_others_a_share_is_kept_that_stands_for_all() -> None:
    for wiki in ("enwiki", "dewiki", "x"):
        found = chosen(
            [edit(number, RISKY - 0.01, wiki) for number in range(1_000_000, 1_000_000 + EDITS)]
        )
        assert sum(one.weight for one in found) == len(found) * ONE_OF
        assert abs(len(found) * ONE_OF / EDITS - 1) < 0.1


def test_revisions_in_steps_are_no_way_around_it() -> None:
    for step in (2, 8, 32, 1_000):
        found = chosen([edit(number * step, 0.0) for number in range(EDITS)])
        assert abs(len(found) * ONE_OF / EDITS - 1) < 0.2


def test_the_same_are_chosen_in_whatever_batches_they_come_and_others_on_another_wiki() -> None:
    edits = [edit(number, 0.1) for number in range(EDITS)]
    one_by_one = [one.row for each in edits[:5_000] for one in chosen([each])]
    assert one_by_one == [one.row for one in chosen(edits[:5_000])]
    other = [one.row for one in chosen([edit(number, 0.1, "dewiki") for number in range(EDITS)])]
    assert other != [one.row for one in chosen(edits)]


def test_a_row_says_of_which_wiki_and_by_whom_it_was_scored() -> None:
    (found,) = chosen([edit(5, 0.9)])
    assert (found.wiki, found.model, found.feature_set, found.risk) == ("enwiki", "1-a", "f", 0.9)


def test_what_is_missing_at_the_end_takes_no_room_and_comes_back_as_missing() -> None:
    row = [1.5, nan, -2.0, *[nan] * 100]
    assert array("f", packed(row)).tolist()[::2] == [1.5, -2.0]
    assert isnan(array("f", packed(row))[1])
    assert packed([nan] * 20) == b""
    assert len(packed([0.0] * 127)) == 4 * 127
    # Minus two ends in the bytes that a missing number has too.
    assert array("f", packed([-2.0, nan])).tolist() == [-2.0]


def test_scores_of_what_was_kept_are_those_that_were_given() -> None:
    """float32 is near enough: the model in use says the same of nearly every row."""
    model = load_classifier()
    random = np.random.default_rng(3)
    matrix = np.abs(random.normal(0, 2, (500, len(FEATURE_NAMES))))
    matrix[random.random(matrix.shape) < 0.3] = nan
    kept = np.full(matrix.shape, nan)
    for at, row in enumerate(matrix.tolist()):
        known = np.frombuffer(packed(row), dtype="<f4")
        kept[at, : len(known)] = known
    assert np.abs(model.score(matrix) - model.score(kept)).max() < 0.01
