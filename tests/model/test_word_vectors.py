"""Words that are used alike have vectors that lie close, and an edit's words are weighed by theirs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from models.embedding import MAX_EMBEDDED, Embedding, EmbeddingWeights, embedded
from models.make_word_vectors import FREQUENT, chosen_of, stepped
from models.text import BUCKETS, TextModel, text_terms
from models.word_vectors import DIMENSIONS, LEVELS, WORDS, vectors, word_at, word_hash
from streams.stages.diff import text_delta

Vectors = NDArray[np.float32]


@pytest.fixture(scope="module")
def table() -> Vectors:
    return vectors()


def likeness(table: Vectors, one: str, other: str) -> float:
    first, second = table[word_at(one)], table[word_at(other)]
    return float(first @ second / (np.linalg.norm(first) * np.linalg.norm(second)))


def test_the_table_is_whole(table: Vectors) -> None:
    assert table.shape == (WORDS, DIMENSIONS)
    assert 0.2 < np.abs(table).max() < 1.0
    assert len(np.unique(table)) == 2 * LEVELS + 1


@pytest.mark.parametrize(
    ("word", "kin", "stranger"),
    [
        ("moron", "idiot", "treaty"),
        ("president", "senator", "guitar"),
        ("vagina", "penis", "senate"),
        ("monday", "tuesday", "moron"),
    ],
)
def test_words_used_alike_lie_closer(table: Vectors, word: str, kin: str, stranger: str) -> None:
    assert likeness(table, word, kin) > likeness(table, word, stranger) + 0.2


@pytest.mark.parametrize("word", ["qwzxv", "", "1865", "it's", "President", "щщжжъ", "a" * 10_000])
def test_what_is_no_usual_word_has_none(word: str) -> None:
    assert word_at(word) == -1
    assert embedded([word]) == ()


def test_a_frequent_word_says_less(table: Vectors) -> None:
    assert np.linalg.norm(table[word_at("of")]) < 0.6 * np.linalg.norm(table[word_at("moron")])


def test_a_table_is_made_of_words_of_letters() -> None:
    ranked = ["the", ",", "don't", "The", "1865", "x2", "bridge", "größe", "river"]
    words = ("the", "bridge", "größe")
    assert chosen_of(ranked, 3) == {word_hash(word): ranked.index(word) for word in words}


def test_a_vector_is_kept_in_steps_and_shorter_where_its_word_is_frequent() -> None:
    given = np.random.default_rng(3).normal(size=(2, DIMENSIONS))
    packed, step = stepped(given, np.array([20, 50_000]))
    found = np.empty((2, DIMENSIONS))
    found[:, 0::2], found[:, 1::2] = packed >> 4, packed & 15
    wanted = given / np.linalg.norm(given, axis=1, keepdims=True)
    wanted[0] *= np.log(21) / np.log(FREQUENT + 1)
    np.testing.assert_allclose((found - LEVELS) * step, wanted, atol=0.51 * step)


def test_a_word_never_met_weighs_what_its_kin_do(table: Vectors) -> None:
    """Weights learnt of one insult alone."""
    weights = EmbeddingWeights(table[word_at("idiot")].astype(float), np.zeros(DIMENSIONS), -0.1)
    embedding = Embedding(weights)
    met, kin, other = (embedding.of_words(embedded([word]), ()) for word in ("idiot", "moron", "treaty"))
    assert met > kin > other + 0.2


def test_the_score_is_the_mean_of_what_came_and_of_what_went(table: Vectors) -> None:
    rng = np.random.default_rng(5)
    weights = EmbeddingWeights(rng.normal(size=DIMENSIONS), rng.normal(size=DIMENSIONS), 0.5)
    came, went = embedded(["bridge", "river", "qwzxv"]), embedded(["mayor"])
    assert len(came) == 2
    wanted = (
        table[list(came)].mean(axis=0) @ weights.came
        + table[list(went)].mean(axis=0) @ weights.went
        + 0.5
    )
    assert Embedding(weights).of_words(came, went) == pytest.approx(wanted, rel=1e-5)
    assert Embedding(weights).of_words(came, ()) == pytest.approx(
        table[list(came)].mean(axis=0) @ weights.came + 0.5, rel=1e-5
    )
    assert math.isnan(Embedding(weights).of_words((), went))


def test_so_many_words_are_looked_at() -> None:
    assert len(embedded(["bridge"] * 1_000)) == MAX_EMBEDDED


def test_in_a_language_not_learnt_nothing_is_said() -> None:
    weights = np.zeros(BUCKETS, dtype=np.float32)
    text = TextModel(weights, 0.0, EmbeddingWeights(np.ones(DIMENSIONS), np.ones(DIMENSIONS), 0.0))
    before = "Silta joen yli avattiin ja se seisoi monta vuotta kaupungin keskellä"
    terms = text_terms(text_delta(before, before + " idiot"))
    assert terms.came
    assert all(math.isnan(value) for value in text.of_terms(terms))
