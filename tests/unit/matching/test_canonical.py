"""The same value written in another way is the same word."""

from __future__ import annotations

import pytest

from streams.matching.canonical import MAX_WORDS, canonical_words, is_number, weight_of
from streams.matching.folding import fold


def read(text: str, language: str = "en") -> tuple[str, ...]:
    return canonical_words(fold(text), language)


@pytest.mark.parametrize(
    ("written", "language", "number"),
    [
        ("1,809", "en", "1809"),
        ("1.809", "de", "1809"),
        ("1'809", "en", "1809"),
        ("1\u00a0809", "fr", "1809"),
        ("١٨٠٩", "ar", "1809"),
        ("2 million", "en", "2000000"),
        ("2,1 Millionen", "de", "2100000"),
        ("1.2 million", "en", "1200000"),
        ("120k", "en", "120000"),
        ("2bn", "en", "2000000000"),
        ("940万", "ja", "9400000"),
        ("16th", "en", "16"),
        ("sixteenth", "en", "16"),
        ("four score and seven", "en", "87"),
        ("twenty-one", "en", "21"),
        ("two thousand five hundred", "en", "2500"),
        ("two hundred and fifty", "en", "250"),
        ("a million", "en", "1000000"),
        ("a dozen", "en", "12"),
        ("1.4", "en", "1_4"),
        ("1,4", "de", "1_4"),
    ],
)
def test_a_number_is_the_same_word_however_it_is_written(
    written: str, language: str, number: str
) -> None:
    assert read(f"some {written} then", language)[1:-1] == (number,)


def test_numbers_side_by_side_stay_apart() -> None:
    assert read("five and six, seven eight") == ("5", "and", "6", "7", "8")
    assert read("in 1861 200 men") == ("in", "1861", "200", "men")


@pytest.mark.parametrize(
    "written",
    ["February 12, 1809", "12 Feb 1809", "12th of February 1809", "1809-02-12", "1809年2月12日"],
)
def test_a_date_is_its_year_month_and_day(written: str) -> None:
    assert set(read(written)) == {"1809", "m:2", "d:12"}


def test_a_year_alone_agrees_with_a_date_as_far_as_it_goes() -> None:
    assert set(read("born in 1809")) & set(read("born on 12 Feb 1809")) == {"born", "1809"}


def test_links_are_left_out_and_hashtags_are_words() -> None:
    assert read("#AbrahamLincoln was born https://t.co/1808x") == ("abraham", "lincoln", "was", "born")


def test_short_negations_are_spelt_out() -> None:
    assert read("He wasn’t there and cannot go") == (
        "he",
        "was",
        "not",
        "there",
        "and",
        "can",
        "not",
        "go",
    )


def test_a_minus_is_part_of_a_number_a_dash_between_years_is_not() -> None:
    assert "neg_5" in read("It was -5 degrees")
    assert read("1861-1865") == ("1861", "1865")


def test_function_words_weigh_little_and_negations_as_much_as_any() -> None:
    assert weight_of("the") < weight_of("not") == weight_of("slave") == weight_of("1809") == 1.0


def test_what_is_a_number() -> None:
    assert all(map(is_number, ("1809", "1_4", "m:2", "d:12", "neg_5")))
    assert not any(map(is_number, ("lincoln", "m", "die")))


def test_a_huge_text_gives_a_bounded_number_of_words() -> None:
    assert len(read("one hundred thousand million billion " * 50_000)) <= MAX_WORDS
