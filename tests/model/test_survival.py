"""An edit that nobody reverted may have left no trace on its page all the same."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from models.dataset import Rows
from models.features import FEATURE_NAMES
from models.fit import Fitted, fit
from models.replay import Replay
from models.survival import LOOKS, Survival
from models.term_table import TermTable
from models.text import NO_TERMS
from tests.model.histories import edit_of

PAGE = "The bridge over the Alda was opened in spring"


def followed(texts: Sequence[str]) -> Survival:
    """Revisions 1, 2, … of a page, each by somebody else."""
    survival = Survival()
    parents = [None, *[(at + 1, text) for at, text in enumerate(texts)]]
    Replay(beside=survival).edits(
        edit_of(at + 1, text, parent, f"Editor {at}", 1e9 + 3_600.0 * at)
        for at, (text, parent) in enumerate(zip(texts, parents, strict=False))
    )
    return survival


def busy(start: str, *changes: str, until: int = LOOKS[-1] + 3) -> list[str]:
    """A page, what it becomes, and edits of its last line from then on."""
    return [start, *changes, *[f"{changes[-1]}\nNote {at}" for at in range(until)]]


def test_words_that_stay_lasted() -> None:
    survival = followed(busy(PAGE, f"{PAGE} by mayor Sandvik"))
    assert survival.kept[2] == 1.0
    assert not survival.gone(2)


def test_words_that_somebody_takes_out_by_hand_are_gone() -> None:
    survival = followed(busy(PAGE, f"{PAGE} by poopy heads", f"{PAGE} of 1911"))
    assert survival.kept[2] == 0.0
    assert survival.gone(2)
    assert not survival.gone(3)


def test_words_taken_out_that_come_back_are_a_removal_that_is_gone() -> None:
    survival = followed(busy(PAGE, "The bridge", f"{PAGE}, they say"))
    assert survival.gone(2)


@pytest.mark.parametrize("seen_at", LOOKS)
def test_a_page_blanked_at_all_looks_but_one_takes_nothing_from_what_lasted(seen_at: int) -> None:
    texts = busy(PAGE, f"{PAGE} by mayor Sandvik")
    for look in set(LOOKS) - {seen_at}:
        texts[2 + look - 1] = ""  # what the page is as that look is taken
    survival = followed(texts)
    assert survival.kept[2] == 1.0


def test_a_change_that_too_few_edits_came_after_is_not_judged() -> None:
    texts = busy(PAGE, f"{PAGE} by poopy heads", PAGE, until=LOOKS[0] - 1)
    survival = followed(texts)
    assert 2 not in survival.kept
    assert not survival.gone(2)
    assert 2 in followed([*texts, "more"]).kept


def test_an_edit_without_words_changes_none() -> None:
    survival = followed(busy(PAGE, f"{PAGE}!!!"))
    assert 2 not in survival.kept


def learnt(*, gone: bool) -> Fitted:
    """From two histories: half of what people without an account write is reverted, the other half
    stood; `gone`: by its label only."""
    count = 200
    anonymous = np.arange(2 * count) % 2 == 0
    label = anonymous & (np.arange(2 * count) % 4 == 0)
    matrix = np.full((2 * count, len(FEATURE_NAMES)), np.nan)
    matrix[:, FEATURE_NAMES.index("anonymous")] = anonymous
    matrix[:, FEATURE_NAMES.index("added_words")] = 1.0
    history = Rows(
        "some",
        matrix,
        TermTable([NO_TERMS] * len(matrix)),
        label,
        np.ones(len(matrix), dtype=bool),
        np.ones(len(matrix)),
        np.full(len(matrix), -1),
        [0] * len(matrix),
        True,
        gone=anonymous & gone,
    )
    return fit([history, history._replace(name="other")])


def test_what_stood_by_its_label_alone_is_not_taken_for_good_where_texts_are_not_known() -> None:
    row = np.full((1, len(FEATURE_NAMES)), np.nan)
    row[0, FEATURE_NAMES.index("anonymous")] = 1.0
    assert abs(learnt(gone=False).bare.log_odds(row)[0]) < 0.5
    assert learnt(gone=True).bare.log_odds(row)[0] > 1.0
