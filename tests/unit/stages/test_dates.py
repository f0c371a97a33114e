"""Dates are found in whatever language and form; what is no date stays as it is."""

from __future__ import annotations

import pytest

from streams.stages.dates import take_dates
from streams.stages.word_tables import MONTHS


@pytest.mark.parametrize(("name", "month"), MONTHS.items())
def test_every_month_is_known_in_every_form(name: str, month: int) -> None:
    iso = f"1809-{month:02}-12"
    for written, date in (
        (f"12 {name} 1809", iso),
        (f"12. {name} 1809", iso),
        (f"{name} 12, 1809", iso),
        (f"{name.upper()}. 12, 1809", iso),
        (f"12 de {name.title()} de 1809", iso),
        (f"the 12th of {name}", f"--{month:02}-12"),
        (f"in {name}, 1809", f"1809-{month:02}"),
        (f"({name} 1809)", f"1809-{month:02}"),
    ):
        rest, dates = take_dates(f"born {written} there")
        assert dates == [date], written
        assert "1809" not in rest


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("on 1809-02-12 he", "1809-02-12"),
        ("昭和20年8月15日に", "20-08-15"),
        ("于1809年2月12日出生", "1809-02-12"),
        ("in 1809年", "1809"),
    ],
)
def test_dates_without_a_month_in_words(text: str, date: str) -> None:
    assert take_dates(text)[1] == [date]


@pytest.mark.parametrize(
    "text",
    ["", "he may", "12 men of 1809", "may_12 1809x", "1809-1865", "a score of 3-1", "12 kasimpasa 1809"],
)
def test_what_is_no_date_stays(text: str) -> None:
    assert take_dates(text) == (text, [])
