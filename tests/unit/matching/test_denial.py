"""Who denies, doubts or asks does not repeat."""

from __future__ import annotations

import pytest

from streams.matching.denial import is_question, negations_at, takes_back


@pytest.mark.parametrize(
    "text",
    [
        "It's not true that Lincoln was born in 1808",
        "debunked: Lincoln was born in 1808",
        "Wikipedia wrongly says Lincoln was born in 1808",
        "there is no evidence that Lincoln was born in 1808",
        "somebody vandalised his page",
        "es stimmt nicht, dass er 1808 geboren wurde",
        "c'est faux",
        "no es cierto que naciera en 1808",
        "это неправда",
        "谣言：他出生于1808年",
        "これはデマです",
        "이것은 사실이 아니다",
    ],
)
def test_what_takes_a_statement_back(text: str) -> None:
    assert takes_back(text)


@pytest.mark.parametrize(
    "text",
    [
        "lies!",
        "lies: its elevation is 9,849 metres",
        "that is a lie",
        "these are all lies",
        "wikipedia is lying",
        "whoever wrote that lies about it",
        "they lied to you",
        "il a tort",
    ],
)
def test_who_calls_it_a_lie_takes_it_back(text: str) -> None:
    assert takes_back(text)


@pytest.mark.parametrize(
    "text",
    [
        "lincoln was born in 1808 in kentucky, they say",
        "it lies in the himalayas",
        "the village lies about 40 km north of oslo",
        "the ruins lie along the coast",
        "a town lying on the river",
        "the body is lying in state",
        "lies in the himalayas",
        "it has 500 people and lies in norway",
        "both villages lie, like all others, in norway",
        "the problem lies in its size",
        "berlin liegt mit 3,5 millionen vorn",  # Polish for a myth
        "a judge of tort law",
    ],
)
def test_plain_statements_take_nothing_back(text: str) -> None:
    assert takes_back(text) == ""


def test_words_of_the_fact_itself_are_no_doubt() -> None:
    text = "The Piltdown find was a hoax"
    assert takes_back(text) == "hoax"
    assert takes_back(text, frozenset({"hoax"})) == ""


@pytest.mark.parametrize(
    "text",
    [
        "was lincoln born in 1808?",
        "lincoln was born in 1808?!",
        "was he born in 1808",
        "彼は1808年に生まれた？",
    ],
)
def test_questions_ask(text: str) -> None:
    assert is_question(text)


@pytest.mark.parametrize(
    "text",
    [
        "did you know that lincoln was born in 1808?",
        "wusstest du, dass er 1808 geboren wurde?",
        "he was born.",
    ],
)
def test_some_questions_tell(text: str) -> None:
    assert not is_question(text)


@pytest.mark.parametrize(
    ("words", "language", "places"),
    [
        (("he", "was", "not", "born"), "en", (2,)),
        (("er", "war", "nicht", "da"), "de", (2,)),
        (("他", "不", "是"), "zh", (1,)),
        (("行", "か", "な", "い"), "ja", (2,)),
        (("하지", "않았다"), "ko", (1,)),
        (("ไ", "ม", "่", "ใ"), "th", (0,)),
        (("he", "was", "born"), "xx", ()),
    ],
)
def test_negations_are_found_where_they_stand(
    words: tuple[str, ...], language: str, places: tuple[int, ...]
) -> None:
    assert negations_at(words, language) == places
