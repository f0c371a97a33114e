"""How usual an added word is in the wiki's language is known in forty of them."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest

from models.make_usual_words import packed, rarities_of
from models.usual_features import MAX_WORDS, USUAL_NAMES, usual_features
from models.usual_words import LANGUAGES, WORDS, usual_words, word_hash
from streams.stages.diff import text_delta
from tests.model.histories import edit_of

PAGE = "The bridge over the river was opened by the mayor of the town and stood for many years.\n"


def told(after: str, before: str = PAGE, wiki: str = "enwiki") -> dict[str, float]:
    edit = msgspec.structs.replace(edit_of(2, after, (1, before), "10.0.0.1", 1e9), wiki=wiki)
    return dict(zip(USUAL_NAMES, usual_features(edit, text_delta(before, after)), strict=True))


@pytest.mark.parametrize(
    ("language", "usual", "rarer", "none"),
    [
        ("en", "the", "president", "qwzxv"),
        ("simple", "the", "president", "qwzxv"),
        ("de", "und", "präsident", "qwzxv"),
        ("fr", "les", "président", "qwzxv"),
        ("no", "og", "president", "qwzxv"),
        ("ru", "не", "президент", "щщжжъ"),
        ("el", "και", "πρόεδρος", "ξξψψω"),
        ("de", "der", "große", "qwzxv"),
        ("he", "את", "נשיא", "קקצצט"),
        ("hi", "है", "राष्ट्रपति", "झझढढ"),
        ("vi", "là", "tổng", "qwzxv"),
        ("hr", "je", "predsjednik", "qwzxv"),
    ],
)
def test_usual_words_are_known_by_language(language: str, usual: str, rarer: str, none: str) -> None:
    table = usual_words(language)
    assert table is not None
    assert table.rarity(usual) < table.rarity(rarer) < table.rarity(none) == table.unknown


def test_every_table_is_whole_and_ends_where_words_get_rare() -> None:
    for language in LANGUAGES:
        table = usual_words(language)
        assert table is not None
        assert len(table._hashes) == len(table._rarities) == WORDS
        assert list(table._hashes) == sorted(set(table._hashes))
        assert 20 <= table.unknown <= 26


@pytest.mark.parametrize("wiki", ["aawiki", "zhwiki", "jawiki", "thwiki", "kowiki", "xhwiki"])
def test_of_a_language_without_a_table_nothing_is_known(wiki: str) -> None:
    assert all(math.isnan(value) for value in told(PAGE + "poop", wiki=wiki).values())


@pytest.mark.parametrize(
    "page",
    [
        "Kuli num qangooruk maqna sinamah elle qaddoisam duda gambi woa elle takkem.\n",
        "Мост через реку был открыт мэром города и стоял многие годы без ремонта.\n",
    ],
)
def test_of_a_page_in_another_language_nothing_is_known(page: str) -> None:
    assert all(math.isnan(value) for value in told(page + "poop", page).values())


def test_a_word_that_is_none_is_the_rarest() -> None:
    known = told(PAGE + "It was long.")
    strange = told(PAGE + "It was tenne.")
    assert strange["rarity_max"] == 0 > known["rarity_max"]
    assert strange["rarity_mean"] > known["rarity_mean"]
    assert strange["rarity_unknown"] - known["rarity_unknown"] == pytest.approx(1 / 3)
    assert strange["rarity_against_page"] > 0 > told(PAGE + "and of the")["rarity_against_page"]


def test_a_spelling_put_right_goes_the_other_way_than_one_spoilt() -> None:
    wrong, right = PAGE + "It was definately built.", PAGE + "It was definitely built."
    spoilt, put_right = told(wrong, right)["rarity_gained"], told(right, wrong)["rarity_gained"]
    assert spoilt > 0 > put_right
    assert spoilt == -put_right


def test_where_only_one_side_has_words_there_is_nothing_to_compare() -> None:
    assert math.isnan(told(PAGE + "long")["rarity_gained"])
    assert all(math.isnan(value) for value in told(PAGE, PAGE + "long").values())


def test_numbers_and_letters_are_no_words() -> None:
    assert all(math.isnan(value) for value in told(PAGE + "1911 x 7th").values())
    assert told(PAGE + "1911 x long") == told(PAGE + "long")


def test_few_words_around_do_not_tell_a_language() -> None:
    found = told("Qangooruk maqna. poop", "Qangooruk maqna.")
    assert not math.isnan(found["rarity_mean"])
    assert math.isnan(found["rarity_against_page"])


def test_only_so_many_words_are_looked_at() -> None:
    many = " ".join(["long", *(f"zz{at}q" for at in range(MAX_WORDS * 3))])
    none = told(PAGE + "zzq")["rarity_unknown"]
    assert told(PAGE + many)["rarity_unknown"] == pytest.approx(none - 1 / MAX_WORDS)


def test_an_inflected_language_has_more_unknown_words_and_that_is_taken_off() -> None:
    english, finnish = usual_words("en"), usual_words("fi")
    assert english is not None
    assert finnish is not None
    assert 0.0 < english.usual_unknown < finnish.usual_unknown < 0.5
    assert english.usual_rarity < finnish.usual_rarity
    page = "Silta joen yli avattiin kaupungin johdosta ja se on ollut paikallaan monta vuotta niin kuin ennen.\n"
    assert told(page + "qwzxv", page, "fiwiki")["rarity_unknown"] == 1.0 - finnish.usual_unknown
    assert told(PAGE + "qwzxv")["rarity_unknown"] == 1.0 - english.usual_unknown


@pytest.mark.parametrize(
    ("wiki", "page", "sober", "strange"),
    [
        ("enwiki", PAGE, "The work was done by the people of the town.", "wassup yo zzq lolz"),
        (
            "dewiki",
            "Die Brücke über den Fluss wurde vom Bürgermeister der Stadt eröffnet und steht seit vielen Jahren.\n",
            "Die Arbeit wurde von den Menschen der Stadt gemacht.",
            "digga alda zzq lolz",
        ),
        (
            "ruwiki",
            "Мост через реку был открыт главой города и стоял многие годы без ремонта, как и раньше.\n",
            "Эту работу делали люди из города.",
            "азаза чуваки ололо зззк",
        ),
    ],
)
def test_sober_words_are_as_usual_in_one_language_as_in_another(
    wiki: str, page: str, sober: str, strange: str
) -> None:
    calm, odd = told(page + sober, page, wiki), told(page + strange, page, wiki)
    assert calm["rarity_mean"] < 1.5 < odd["rarity_mean"]
    assert calm["rarity_unknown"] < 0.1 < odd["rarity_unknown"]


def test_the_table_is_made_of_words_as_they_are_cut_here() -> None:
    found = rarities_of({"Don't": 1e-3, "don": 1e-5, "7th": 0.1, "a": 0.5, "rare": 10**-5.25}, 3)
    assert found == {word_hash("don"): 12, word_hash("rare"): 21}


def test_the_most_frequent_words_are_kept() -> None:
    assert set(rarities_of({"one": 1e-3, "two": 1e-2, "three": 1e-4}, 2)) == {
        word_hash("one"),
        word_hash("two"),
    }


def test_packing_keeps_order_and_rarity() -> None:
    gaps, rarities = packed({500: 9, 7: 3, 60_000: 1})
    assert np.cumsum(gaps, dtype=np.uint32).tolist() == [7, 500, 60_000]
    assert rarities.tolist() == [3, 9, 1]
