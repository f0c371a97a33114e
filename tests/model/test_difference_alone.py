"""An edit of which nothing is known but its difference is told by trees that learnt to go by that."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from models.classifier import Classifier, is_difference_alone, load_classifier
from models.dataset import Rows, Variants
from models.features import FEATURE_NAMES
from models.fit import fit
from models.fit_differences import fit_differences
from models.fit_words import fit_texts
from models.recipe import Recipe
from models.replay import Replay
from models.term_table import TermTable
from models.text import NO_TERMS, TEXT_NAMES, text_terms
from streams.records import Edit
from streams.stages.diff import text_delta
from streams.state.words import WordMemory
from tests.model.histories import edit_of, life

AT = {name: at for at, name in enumerate(FEATURE_NAMES)}
BEFORE = "The bridge over the river was opened by the mayor of the town and stood for many years."


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return load_classifier()


def edit(after: str) -> Edit:
    return msgspec.structs.replace(edit_of(2, after, (1, BEFORE), "10.0.0.1", 1e9), wiki="enwiki")


def alone(classifier: Classifier, after: str) -> list[float]:
    return classifier.row(edit(after), text_delta(BEFORE, after), None, None, None)


def test_it_is_known_by_what_is_missing(classifier: Classifier) -> None:
    after = BEFORE + " It is long."
    delta = text_delta(BEFORE, after)
    met_first = classifier.row(edit(after), delta, None, None, WordMemory())
    followed = [one.row for one in Replay(classifier.text).edits(life(seed=4, edits=40))]
    without_content = classifier.row(edit(after), None, None, None, None)
    rows = [
        alone(classifier, after),
        alone(classifier, BEFORE + "!!!"),
        alone(classifier, ""),
        met_first,
        without_content,
        *followed,
    ]
    assert is_difference_alone(np.array(classifier.matrix(rows))).tolist() == [True] * 3 + [False] * (
        2 + len(followed)
    )


def test_one_whose_words_were_not_all_counted_is_not_told_by_them(classifier: Classifier) -> None:
    after = BEFORE + " It is long."
    delta = msgspec.structs.replace(text_delta(BEFORE, after), words_complete=False)
    row = classifier.matrix([classifier.row(edit(after), delta, None, None, None)])
    assert not is_difference_alone(row)[0]
    assert 0.0 < classifier.score(row)[0] < 1.0


def test_each_row_of_a_batch_goes_to_its_own_trees(classifier: Classifier) -> None:
    followed = [one.row for one in Replay(classifier.text).edits(life(seed=4, edits=6))]
    rows = classifier.matrix(
        [
            alone(classifier, BEFORE + " poop"),
            classifier.row(edit(BEFORE), None, None, None, None),
            *followed,
            alone(classifier, ""),
        ]
    )
    each = np.array([classifier.log_odds(rows[at : at + 1])[0] for at in range(len(rows))])
    assert np.array_equal(classifier.log_odds(rows), each)
    assert each[0] == classifier._difference.of(rows[:1])[0]
    assert each[0] != classifier._full.of(rows[:1])[0]


@pytest.mark.parametrize(
    ("worse", "better"),
    [
        (BEFORE + " u suck lol", BEFORE + " It was closed in the winter."),
        (BEFORE.replace("mayor", "doofus"), BEFORE.replace("mayor", "governor")),
        (BEFORE + " asdfghjkl", BEFORE + " It was closed in the winter."),
        (BEFORE.replace("bridge", "brrrrridge"), BEFORE.replace("bridge", "old bridge")),
    ],
)
def test_what_anybody_sees_is_seen(classifier: Classifier, worse: str, better: str) -> None:
    rows = classifier.matrix([alone(classifier, worse), alone(classifier, better)])
    bad, good = classifier.log_odds(rows)
    assert bad > good + 0.3


def test_its_reasons_are_of_the_difference(classifier: Classifier) -> None:
    row = alone(classifier, BEFORE + " you all are morons lol")
    (reasons,) = classifier.reasons_of([row])
    assert len(reasons) >= 3
    assert not any(math.isnan(row[AT[reason.feature]]) for reason in reasons)
    assert not any(reason.feature.startswith(("page_", "performer_")) for reason in reasons)


def source(*, history: bool, words: NDArray[np.bool_], label: NDArray[np.bool_]) -> Rows:
    """Rows that tell one thing: whether words were added; of a history as the variants with the difference
    alone, which are all there is to tell by."""
    count = len(label)
    matrix = np.full((count, len(FEATURE_NAMES)), np.nan)
    matrix[:, AT["added_words"]] = words
    matrix[:, AT["net_added"]] = words
    terms = TermTable([NO_TERMS] * count)
    rows = Rows(
        "some", matrix, terms, label, np.ones(count, dtype=bool), np.ones(count),
        np.full(count, -1), [0] * count, history,
    )  # fmt: skip
    if not history:
        return rows._replace(fold=np.arange(count) // 2 % 2)
    return rows._replace(matrix=np.zeros_like(matrix), alone=Variants(matrix, terms, np.arange(count)))


def told(sources: list[Rows]) -> tuple[float, float]:
    trees = fit_differences(sources, fit_texts(sources), Recipe())
    assert trees is not None
    rows = np.full((2, len(FEATURE_NAMES)), np.nan)
    rows[:, AT["added_words"]] = rows[:, AT["net_added"]] = [1.0, 0.0]
    with_words, without = trees.log_odds(rows)
    return float(with_words), float(without)


def test_it_is_learnt_from_what_people_labelled_and_from_articles() -> None:
    words = np.arange(400) % 2 == 0
    none = source(history=True, words=words, label=np.arange(400) % 4 < 2)
    people = source(history=False, words=words, label=words)
    article = source(history=True, words=words, label=words)
    for learnt in (people, article):
        with_words, without = told([learnt, none._replace(name="other")])
        assert with_words > without + 1.0


def test_what_people_labelled_outweighs_an_article_that_tells_the_contrary() -> None:
    words = np.arange(400) % 2 == 0
    people = source(history=False, words=words, label=words)
    article = source(history=True, words=words, label=~words)
    with_words, without = told([people, article])
    assert with_words > without + 1.0


def test_without_any_the_other_trees_take_its_place() -> None:
    words = np.arange(400) % 2 == 0
    article = source(history=True, words=words, label=words)
    assert article.alone is not None
    matrix = article.alone.matrix
    matrix[:, AT["anonymous"]] = words
    article = article._replace(matrix=matrix, alone=None)
    sources = [article, article._replace(name="other")]
    assert fit_differences(sources, fit_texts(sources), Recipe()) is None
    fitted = fit(sources)
    assert fitted.difference is fitted.trees


def test_one_in_a_language_not_learnt_is_met_in_learning() -> None:
    """Where only the words tell, what people labelled has to be told without them too."""
    count = 400
    label = np.arange(count) % 2 == 0
    terms = [text_terms(text_delta("", "poop" if bad else "town")) for bad in label]
    rows = source(history=False, words=np.ones(count, dtype=bool), label=label)
    rows = rows._replace(terms=TermTable(terms))
    sources = [rows, rows._replace(name="other")]
    texts = fit_texts(sources)
    trees = fit_differences(sources, texts, Recipe())
    assert trees is not None
    row = np.full((3, len(FEATURE_NAMES)), np.nan)
    row[:, AT["added_words"]] = row[:, AT["net_added"]] = 1.0
    for at in (0, 1):
        row[at, [AT[name] for name in TEXT_NAMES]] = texts.model.of_terms(terms[at])
    bad, good, strange = trees.log_odds(row)
    assert bad > strange + 1.0 > good + 2.0
