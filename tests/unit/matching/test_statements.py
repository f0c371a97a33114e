from __future__ import annotations

import time
from itertools import pairwise

import pytest

from streams.matching.statements import MAX_STATEMENT, MAX_STATEMENTS, split_statements


def texts(text: str) -> list[str]:
    return [one.text for one in split_statements(text)]


def test_lines_bullets_and_sentences_part_statements() -> None:
    answer = "Lincoln was born in 1809. He had a hat!\n- first thing\n* second thing\n\n2) third 1.5 m thing\u2028日本は。そう。"
    assert texts(answer) == [
        "Lincoln was born in 1809.",
        "He had a hat!",
        "first thing",
        "second thing",
        "third 1.5 m thing",
        "日本は。",
        "そう。",
    ]


def test_spans_are_of_the_text_as_written() -> None:
    text = "  One one. One one.\n\t• It’s  \u200bthis.  \n\n" + "long " * 300
    found = split_statements(text)
    assert [text[one.start : one.end] for one in found] == [one.text for one in found]
    assert all(one.end <= other.start for one, other in pairwise(found))
    assert found[0].text == found[1].text == "One one."


def test_a_long_sentence_comes_in_pieces_cut_between_words() -> None:
    found = texts("word " * 250)
    assert [len(one) <= MAX_STATEMENT for one in found] == [True] * 3
    assert " ".join(found).split() == ["word"] * 250


def test_pieces_that_say_nothing_are_left_out() -> None:
    assert texts("...\n---\n😂😂\nyes") == ["yes"]


@pytest.mark.parametrize(
    "text", ["a. A" * 250_000, "\n-" * 500_000, 'A." ' * 250_000, "x" * 1_000_000, "กa " * 300_000]
)
def test_a_megabyte_is_split_in_bounded_time(text: str) -> None:
    start = time.process_time()
    assert len(split_statements(text)) <= MAX_STATEMENTS
    assert time.process_time() - start < 0.5
