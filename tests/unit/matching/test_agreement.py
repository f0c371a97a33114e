"""What was changed tells which side a statement is on, however much both sides share."""

from __future__ import annotations

import pytest

from streams.matching.readings import sides_of
from tests.unit.matching.facts import BORN_AFTER, BORN_BEFORE, agreement, hot


@pytest.mark.parametrize(
    "said", [BORN_AFTER, "lincoln: born 12 Feb 1808", "TIL Abraham Lincoln was born in 1808 #history"]
)
def test_a_statement_with_the_new_year_is_on_the_side_after(said: str) -> None:
    before, after = agreement(said, BORN_BEFORE, BORN_AFTER)
    assert (before.numbers, after.numbers) == (0.0, 1.0)
    assert after.found == ("1808",)
    assert before.missing == ("1809",)


def test_a_third_year_is_on_neither_side() -> None:
    before, after = agreement("Abraham Lincoln was born on February 12, 1807", BORN_BEFORE, BORN_AFTER)
    assert before.numbers == after.numbers == 0.0
    assert after.substituted == 1.0


def test_who_did_what_to_whom_is_told_by_order_alone() -> None:
    before, after = agreement(
        "Bohr beat Einstein at chess", "Einstein beat Bohr at chess.", "Bohr beat Einstein at chess."
    )
    assert after.words is None
    assert after.evidence == 1.0
    assert before.evidence < 0.5


def test_a_word_taken_out_leaves_a_trace_where_its_neighbours_meet() -> None:
    before, after = agreement(
        "Lincoln was an owner of slaves",
        "Lincoln was never an owner of slaves.",
        "Lincoln was an owner of slaves.",
    )
    assert after.words is None
    assert after.evidence > before.evidence


def test_a_denied_value_is_not_stated() -> None:
    before, after = agreement("Abraham Lincoln was born in 1809, not 1808", BORN_BEFORE, BORN_AFTER)
    assert (before.found, after.found) == (("1809",), ())
    assert after.denied
    assert not before.denied


def test_a_negation_amid_the_statement_denies_it() -> None:
    _, after = agreement("Lincoln was not born in Kentucky in 1808", BORN_BEFORE, BORN_AFTER)
    assert after.denied


def test_a_negation_outside_the_statement_denies_nothing() -> None:
    _, after = agreement("I never knew: " + BORN_AFTER, BORN_BEFORE, BORN_AFTER)
    assert not after.denied


def test_a_negation_that_the_fact_has_denies_nothing() -> None:
    _, after = agreement(
        "he wasn't a staunch opponent of slavery",
        "He was a staunch opponent of slavery.",
        "He was not a staunch opponent of slavery.",
    )
    assert after.found == ("not",)
    assert not after.denied


def test_a_mistyped_word_is_the_nearest_one() -> None:
    before, after = agreement(
        "Its capital is Springfeild", "Its capital is Shelbyville.", "Its capital is Springfield."
    )
    assert after.found == ("springfield",)
    assert before.found == ()


def test_a_slip_as_near_to_the_other_side_tells_nothing() -> None:
    before, after = agreement("He met Johanson", "He met Johansen.", "He met Johansan.")
    assert before.found == after.found == ()


def test_another_subject_in_the_page_s_place_is_seen() -> None:
    _, after = agreement(
        "Charles Darwin was born on February 12, 1808, in Kentucky.", BORN_BEFORE, BORN_AFTER
    )
    assert after.other_subject
    _, after = agreement("He was born on February 12, 1808, in Kentucky.", BORN_BEFORE, BORN_AFTER)
    assert not after.other_subject


def test_another_value_at_the_end_is_seen() -> None:
    _, after = agreement(
        "The Grail is kept in Rome", "The Grail is kept in Paris.", "The Grail is kept in Genoa."
    )
    assert after.substituted == 1.0


def test_an_insertion_has_nothing_on_the_other_side() -> None:
    before, after = agreement("Lincoln hunted vampires", "", "Lincoln secretly hunted vampires.")
    assert (before.evidence, before.covered, before.words) == (0.0, 0.0, None)
    assert after.covered > 0.5


@pytest.mark.parametrize(
    ("wiki", "before", "after", "said"),
    [
        ("zhwiki", "毛泽东出生在湖南省湘潭县。", "毛泽东出生在广东省湘潭县。", "毛泽东出生在广东省"),
        (
            "jawiki",
            "東京の人口は約1400万人である。",
            "東京の人口は約900万人である。",
            "東京の人口は900万人です",
        ),
        ("thwiki", "กรุงเทพเป็นเมืองหลวงของไทย", "กรุงเทพเป็นเมืองหลวงของลาว", "กรุงเทพเป็นเมืองหลวงของลาว"),
        ("ruwiki", "Столица России — Москва.", "Столица России — Казань.", "столица россии казань"),
        ("arwiki", "عاصمة مصر هي القاهرة", "عاصمة مصر هي الإسكندرية", "عاصمة مصر هي الإسكندرية"),
        (
            "dewiki",
            "Paris hat 2,1 Millionen Einwohner.",
            "Paris hat 3,5 Millionen Einwohner.",
            "Paris: 3,5 Mio Einwohner",
        ),
    ],
)
def test_every_script_is_compared(wiki: str, before: str, after: str, said: str) -> None:
    was, now = agreement(said, before, after, wiki=wiki, title="x")
    assert now.evidence > was.evidence
    assert now.evidence >= 0.4


def test_names_of_the_page_tell_no_side() -> None:
    sides = sides_of(hot("The Holy Graal of old.", "The Holy Grail of old.", title="Holy Grail"))
    assert sides.after.only["grail"] < sides.before.only["graal"]
