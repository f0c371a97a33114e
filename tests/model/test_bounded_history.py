"""A page met as live meets it: nothing known of it, or a bounded recent history."""

from __future__ import annotations

import math

import numpy as np
import pytest

from models import bounded_history as bounded_history_module
from models.bounded_history import BoundedHistory
from models.dataset import RECENT
from models.evaluate import bounded_history
from models.features import FEATURE_NAMES, PAGE_NAMES
from models.replay import Replay, ReplayedEdit
from models.word_features import WORD_HISTORY_NAMES
from streams.content import page_history
from streams.errors import BadSetting
from streams.stages import recent_history
from tests.model.histories import life

AT = {name: at for at, name in enumerate(FEATURE_NAMES)}
EDITS = life(seed=12, edits=160)


def replayed(history: BoundedHistory | None) -> list[ReplayedEdit]:
    return Replay(history=history).edits(EDITS)


def matrix(history: BoundedHistory | None) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return np.array([one.row for one in replayed(history)])


def test_without_history_nothing_of_the_page_or_the_editor_is_known() -> None:
    rows = matrix(BoundedHistory(0))
    for name in PAGE_NAMES + WORD_HISTORY_NAMES:
        assert np.isnan(rows[1:, AT[name]]).all(), name
    assert not np.isnan(rows[:, AT["surprise_mean"]]).all()
    assert set(rows[:, AT["performer_edits"]]) == {0.0}


def test_what_is_learnt_of_the_outcomes_does_not_hang_on_it() -> None:
    whole = [one.reverted for one in replayed(None)]
    assert any(whole)
    for revisions in (0, 5, 50):
        assert [one.reverted for one in replayed(BoundedHistory(revisions))] == whole


def test_a_history_as_long_as_the_page_knows_what_the_whole_one_knows_of_the_last_edits() -> None:
    """But for the counts of what lies further back than the window that is kept of a page."""
    few = EDITS[:20]
    whole = np.array([one.row for one in Replay().edits(few)])
    bounded = np.array([one.row for one in Replay(history=BoundedHistory(50, 50)).edits(few)])
    # The bounded one does not know that the page began here.
    same = [AT[name] for name in (*PAGE_NAMES, "restores_back", "restores_reverted", "performer_edits")]
    np.testing.assert_allclose(bounded[:, same], whole[:, same])


def test_words_thrown_out_within_the_texts_fetched_are_known() -> None:
    rows = matrix(BoundedHistory(50))
    whole = matrix(None)
    thrown = AT["thrown_share"]
    known = ~np.isnan(rows[:, thrown])
    assert known.sum() > 20
    assert (rows[known, thrown] <= whole[known, thrown] + 1e-12).all()


def test_what_comes_later_changes_no_row() -> None:
    alone = np.array([one.row for one in Replay(history=BoundedHistory(10)).edits(EDITS[:60])])
    assert np.array_equal(alone, matrix(BoundedHistory(10))[:60], equal_nan=True)


def test_live_fetches_as_much_as_was_learnt_from() -> None:
    assert (page_history.TEXTS, recent_history.REVISIONS) == (bounded_history_module.TEXTS, RECENT)


@pytest.mark.parametrize("asked", ["", "recent", "recent:", "recent:0", "recent:x", "recent:501", "all"])
def test_a_history_that_is_none_is_refused(asked: str) -> None:
    with pytest.raises(BadSetting, match="history"):
        bounded_history(asked)


def test_full_is_not_bounded() -> None:
    assert bounded_history("full") is None
    assert bounded_history("recent:7") is not None
    assert not math.isnan(matrix(None)[5, AT["page_reverted_share"]])
