"""What was seen live, as outcomes to ask of: by wiki, of this model, and only where there is enough."""

from __future__ import annotations

import numpy as np

from models.features import FEATURE_NAMES
from models.seen_thresholds import MIN_DAMAGING, MIN_EDITS, outcomes_by_wiki
from tests.model.test_retrain import seen

EDITS = MIN_EDITS + 50


def test_each_wiki_with_enough_is_asked_of_with_the_scores_as_given() -> None:
    rows = seen(3 * EDITS)
    rows = rows._replace(
        wiki=np.array(
            ["bbwiki"] * EDITS + ["aawiki"] * EDITS + ["ccwiki"] * 499 + ["ddwiki"] * (EDITS - 499)
        ),
        model=np.array(["1-a"] * (3 * EDITS)),
        risk=np.arange(3 * EDITS) / 5_000,
    )
    found = outcomes_by_wiki(rows, "1-a")
    assert [one.wiki for one in found] == ["aawiki", "bbwiki"]
    assert found[0].score.tolist() == rows.risk[EDITS : 2 * EDITS].tolist()
    assert found[0].reverted.tolist() == rows.damaging[EDITS : 2 * EDITS].tolist()
    assert found[0].weight is not None
    assert found[0].weight.tolist() == rows.weight[EDITS : 2 * EDITS].tolist()


def test_another_models_scores_are_no_answer_nor_edits_that_never_alert() -> None:
    rows = seen(2 * EDITS)
    rows.matrix[:20, FEATURE_NAMES.index("bot")] = 1.0
    rows = rows._replace(model=np.array(["1-a"] * EDITS + ["1-b"] * EDITS))
    (found,) = outcomes_by_wiki(rows, "1-a")
    assert len(found.score) == EDITS - 20
    assert outcomes_by_wiki(rows, "1-c") == []


def test_a_wiki_where_next_to_nothing_was_reverted_gives_no_answer() -> None:
    rows = seen(2 * EDITS)
    few = rows._replace(damaging=np.arange(2 * EDITS) < MIN_DAMAGING - 1)
    assert outcomes_by_wiki(few, few.model[0]) == []
