from __future__ import annotations

import pytest

from streams.stages.names import names_of
from streams.stages.values import (
    as_written,
    gone_and_come,
    language_of,
    plain_number,
    values_of,
)


@pytest.mark.parametrize(
    ("written", "language", "number"),
    [("1,809", "en", "1809"), ("1 809", "fr", "1809"), ("1.809", "de", "1809"), ("1.809", "en", "1.809"),
     ("12,5", "fr", "12.5"), ("1,234,567.80", "en", "1234567.8"), ("1.234.567,8", "de", "1234567.8"),
     ("007", "en", "7"), ("0.50", "en", "0.5"), ("1’000", "de", "1000"), ("0", "en", "0")],
)  # fmt: skip
def test_numbers(written: str, language: str, number: str) -> None:
    assert plain_number(written, language) == number


@pytest.mark.parametrize(
    "written",
    ["February 12, 1809", "12 February 1809", "12th of February, 1809", "Feb. 12 1809", "1809-02-12",
     "12. Februar 1809", "12 février 1809", "12 de febrero de 1809", "12 февраля 1809", "1809年2月12日"],
)  # fmt: skip
def test_one_day_in_many_orders(written: str) -> None:
    assert values_of(f"on {written} it").dates == ("1809-02-12",)


def test_values_by_kind() -> None:
    found = values_of("In 1809 the 16th man, Bob Stone, sold 1,500 cows for $2.5 million in May 1901.")
    assert found.dates == ("1901-05", "1809")
    assert found.quantities == ("2500000 $",)
    assert found.numbers == ("16", "1500")
    assert found.names == ("Bob Stone",)


def test_other_digits_and_scales() -> None:
    assert values_of("x ١٨٠٩ و १२").numbers == ("1809", "12")
    assert values_of("人口は12万人だ", "ja").quantities == ("120000 人",)
    assert values_of("seven thousand cows").numbers == ("7000",)


def test_names() -> None:
    assert names_of("Later the King of Spain met J. R. Stone, and Mary's dog in Rome.") == (
        "King of Spain",
        "J R Stone",
        "Mary",
        "Rome",
    )
    assert names_of("Taking it, she left") == ()
    assert names_of("Billy Bob", sentence=False) == ("Billy Bob",)


def test_languages_of_wikis() -> None:
    assert [language_of(wiki) for wiki in ("ptwiki", "dewiktionary", "zh_yuewiki", "x")] == [
        "pt",
        "de",
        "zh_yue",
        "en",
    ]


def test_gone_and_come_count_repeats() -> None:
    assert gone_and_come(("a", "a", "b"), ("a", "c")) == (("a", "b"), ("c",))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("It had 48,210 inhabitants.", "48,210"),
        ("Il comptait 48 210 habitants.", "48 210"),
        ("Sie hatte 48.210 Einwohner.", "48.210"),
        ("The tower is 1,300.50 m tall.", "1,300.50 m"),
        ("In 1809, it began.", "1809"),
        ("On February 12, 1809 it began.", "1809-02-12"),
        ("It has two million people.", "2000000"),
        ("كان عدد السكان 48210 نسمة", "48210"),
        ("It is at -5 °C.", "-5 °C"),
    ],
)
@pytest.mark.parametrize("language", ["en", "de", "a language nobody knows"])
def test_a_value_is_shown_as_it_was_written(text: str, shown: str, language: str) -> None:
    values = values_of(text, language)
    found = [*values.dates, *values.quantities, *values.numbers]
    assert [as_written(value, text) for value in found] == [shown]
