"""Packed terms score as the classifier's part on words does, edit by edit."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from models.embedding import EmbeddingWeights
from models.replay import Replay
from models.term_table import TermTable
from models.text import BUCKETS, MIN_CONTEXT, NO_TERMS, TEXT_NAMES, Terms, TextModel
from models.word_vectors import DIMENSIONS
from tests.model.histories import life


def text_model() -> TextModel:
    random = np.random.default_rng(5)
    weights = random.normal(size=BUCKETS).astype(np.float32)
    weights[random.random(BUCKETS) < 0.3] = 0.0
    embedding = EmbeddingWeights(random.normal(size=DIMENSIONS), random.normal(size=DIMENSIONS), -0.2)
    return TextModel(weights, -0.5, embedding)


def told(weights: NDArray[np.float32], terms: Terms) -> dict[str, float]:
    return dict(zip(TEXT_NAMES, TextModel(weights, 0.0).of_terms(terms), strict=True))


def terms() -> list[Terms]:
    replayed = Replay(keep_terms=True).edits(life(seed=3, edits=150))
    found = [one.terms or NO_TERMS for one in replayed]
    assert sum(bool(one.came) for one in found) > 20
    return [
        NO_TERMS,
        *found,
        Terms([], [5, 9], [], []),
        Terms([(3, BUCKETS - 1)], [], [], [1] * 9, (4, 7, 7), (59_999,)),
        Terms([(3,)], [], [], [], (0,)),
        Terms([(3,)], [], [], [], (), (2, 3)),
    ]


def test_the_table_gives_the_models_scores() -> None:
    text, each = text_model(), terms()
    np.testing.assert_allclose(
        TermTable(each).scores(text), [text.of_terms(one) for one in each], rtol=1e-9, atol=1e-9
    )


def test_a_summary_alone_is_no_changed_word() -> None:
    table = TermTable([Terms([], [], [7], [])])
    assert table.known.tolist() == [False]
    found = table.scores(text_model())[0]
    told = TEXT_NAMES.index("text_comment")
    assert np.isnan(np.delete(found, told)).all()
    assert found[told] == text_model().weights[7]


def test_the_word_that_weighs_most_is_told_apart_from_the_many() -> None:
    weights = np.zeros(BUCKETS, dtype=np.float32)
    weights[1:40] = -0.1
    weights[50] = 4.0
    mild = [(at,) for at in range(1, 20)]
    found = told(weights, Terms([*mild, (50,)], [], [], []))
    assert found["text_peak"] == 4.0
    assert found["text_least"] == pytest.approx(-0.1)
    assert 0 < found["text_score"] < 1
    assert found["text_mean"] == pytest.approx((4.0 - 1.9) / 20)


def test_words_never_met_in_training_are_counted_by_the_word_and_not_by_its_letters() -> None:
    weights = np.zeros(BUCKETS, dtype=np.float32)
    weights[[5, 600]] = 1.0
    met, unmet = (5, 600, 601), (6, 600, 601)
    found = told(weights, Terms([met, unmet, unmet, unmet], [], [], []))
    assert found["text_unknown"] == 0.75


def test_a_summary_weighs_apart_from_the_words() -> None:
    weights = np.zeros(BUCKETS, dtype=np.float32)
    weights[[5, 8, 9]] = [2.0, -1.0, -3.0]
    found = told(weights, Terms([(5,)], [], [8, 9, 10, 11], []))
    assert found["text_comment"] == -2.0
    assert found["text_peak"] == 2.0
    assert math.isnan(told(weights, Terms([(5,)], [], [], []))["text_comment"])


def test_in_a_language_not_learnt_a_summary_says_nothing_either() -> None:
    weights = np.zeros(BUCKETS, dtype=np.float32)
    weights[[5, 8]] = 1.0
    found = told(weights, Terms([(5,)], [], [8], list(range(100, 100 + MIN_CONTEXT))))
    assert all(math.isnan(value) for value in found.values())
