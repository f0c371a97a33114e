"""Packed terms score as the classifier's part on words does, edit by edit."""

from __future__ import annotations

import numpy as np

from models.replay import Replay
from models.term_table import TermTable
from models.text import BUCKETS, NO_TERMS, Terms, TextModel
from tests.model.histories import life


def text_model() -> TextModel:
    random = np.random.default_rng(5)
    weights = random.normal(size=BUCKETS).astype(np.float32)
    weights[random.random(BUCKETS) < 0.3] = 0.0
    return TextModel(weights, -0.5)


def terms() -> list[Terms]:
    replayed = Replay(keep_terms=True).edits(life(seed=3, edits=150))
    found = [one.terms or NO_TERMS for one in replayed]
    return [NO_TERMS, *found, Terms([], [5, 9], [], []), Terms([(3, BUCKETS - 1)], [], [], [1] * 9)]


def test_the_table_gives_the_models_scores() -> None:
    text, each = text_model(), terms()
    np.testing.assert_allclose(
        TermTable(each).scores(text), [text.of_terms(one) for one in each], rtol=1e-9, atol=1e-9
    )


def test_a_summary_alone_is_no_changed_word() -> None:
    table = TermTable([Terms([], [], [7], [])])
    assert table.known.tolist() == [False]
    assert np.isnan(table.scores(text_model())).all()


def test_the_word_that_weighs_most_is_told_apart_from_the_many() -> None:
    weights = np.zeros(BUCKETS, dtype=np.float32)
    weights[1:40] = -0.1
    weights[50] = 4.0
    mild = [(at,) for at in range(1, 20)]
    score, peak = TextModel(weights, 0.0).of_terms(Terms([*mild, (50,)], [], [], []))
    assert peak == 4.0
    assert 0 < score < 1
