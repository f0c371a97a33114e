from __future__ import annotations

import time
import unicodedata

import pytest

from streams.matching.folding import MAX_READ, fold
from streams.matching.post_words import post_words


@pytest.mark.parametrize(
    "written",
    [
        "VACCINE",
        "vac\u200bcine",
        "v\u00adaccine",
        "\u202evaccine\u202c",
        "vac\x00cine",
        "v\ufe0faccine",
        "ｖａｃｃｉｎｅ",
        "𝐯𝐚𝐜𝐜𝐢𝐧𝐞",
        "v\u0336a\u0336c\u0336c\u0336i\u0336n\u0336e\u0336",
        "vасcinе",
        "ᴠᴀᴄᴄɪɴᴇ",
        "🅥🅐🅒🅒🅘🅝🅔",
        "<b>vac</b>cine",
        "v&#97;ccine",
        "#Vaccine",
    ],
)
def test_a_word_in_disguise_is_the_word(written: str) -> None:
    assert post_words(fold(written)) == ["vaccine"]


def test_a_word_of_nothing_but_lookalikes_is_latin_only_in_a_latin_text() -> None:
    assert fold("the сор said") == "the cop said"
    assert fold("он сор вынес, said") == "он сор вынес, said"


def test_a_cyrillic_text_stays_cyrillic_and_loses_latin_letters_put_in() -> None:
    assert fold("Москва — столица") == "москва - столица"
    assert fold("Мocквa") == "москва"


def test_greek_text_stays_greek() -> None:
    assert fold("η Αθήνα") == "η αθήνα"


def test_letters_keep_the_accents_that_are_theirs_however_they_are_encoded() -> None:
    text = "Été naïve Việt Nam йод " * 100
    assert fold(unicodedata.normalize("NFD", text)) == fold(text)
    assert "été" in fold(text)


def test_quotes_and_dashes_are_those_of_a_keyboard() -> None:
    assert fold("“It’s” 1914–1918 «x»") == '"it\'s" 1914-1918 "x"'


def test_addresses_say_nothing_and_tags_of_blocks_part_words() -> None:
    assert post_words(fold("one<br>two https://t.co/aBc three<p>four</p>")) == [
        "one",
        "two",
        "three",
        "four",
    ]


def test_hash_tags_come_apart_where_words_begin() -> None:
    assert post_words(fold("#AbrahamLincoln1809 #abraham_lincoln")) == [
        "abraham",
        "lincoln",
        "1809",
        "abraham",
        "lincoln",
    ]


def test_less_than_and_ampersands_that_are_no_markup_stay() -> None:
    assert fold("1 < 2 & AT&T") == "1 < 2 & at&t"


def test_foreign_digits_are_digits() -> None:
    assert post_words(fold("١٨٠٩ १८०९ １８０９")) == ["1809"] * 3


@pytest.mark.parametrize(
    "text",
    [
        "a\u0301\u0323" * 300_000,
        "\ufdfa" * 500_000,
        "\u200b" * 900_000,
        "vас " * 250_000,
        "<a " * 300_000,
        "ß" * 900_000,
    ],
    ids=["marks", "ligatures", "zero-width", "look-alikes", "tags", "sharp s"],
)
def test_a_megabyte_is_read_in_bounded_time(text: str) -> None:
    start = time.process_time()
    folded = fold(text)
    assert time.process_time() - start < 0.5
    assert len(folded) <= MAX_READ


def test_what_stands_behind_the_bound_is_not_read() -> None:
    assert "late" not in fold("x " * MAX_READ + "late")
    assert "early" in fold("early " + "x " * MAX_READ)


@pytest.mark.parametrize("text", ["U\u00b5", "V\u03bc", "I\u0434", "J\u0434"])
def test_a_mixed_word_is_one_script_whatever_its_case(text: str) -> None:
    assert fold(fold(text)) == fold(text) == fold(text.lower())


def test_a_character_is_folded_alike_beside_one_that_is_taken_out() -> None:
    """Texts without anything to take out go a shorter way."""
    for code in range(0x80, 0x10000):
        written = f"{chr(code)}x 1"
        assert fold(written) == fold(f"{written}\u200b"), f"U+{code:04X}"
