"""From a post to the hot facts it bears on, with the model and the index that the program has."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from models.pair_model import load_pair_model
from streams.matching.grade import Thresholds
from streams.matching.index import HotFactIndex
from streams.matching.matcher import COMPARED_CHARS, MAX_PAIRS, Matcher, PostText
from streams.posts import HotFact, HotKind, Match
from streams.records import Grade
from tests.unit.matching.facts import BORN_AFTER, BORN_BEFORE, hot

MODEL = load_pair_model()


def matcher(*facts: HotFact) -> Matcher:
    index = HotFactIndex()
    for fact in facts or (hot(),):
        index.put(fact)
    return Matcher(index, MODEL)


def only(text: str, *facts: HotFact) -> Match:
    (match,) = matcher(*facts).match(text)
    return match


def test_a_post_that_repeats_what_was_vandalised() -> None:
    match = only("TIL Abraham Lincoln was born 12 Feb 1808 in Kentucky! #history")
    assert match.grade is Grade.REPEATS_VANDALISED
    assert match.hot_id == "h1"
    assert match.statement == "TIL Abraham Lincoln was born 12 Feb 1808 in Kentucky!"
    assert match.reasons[0] == "states 1808, as after the edit; it was 1809"
    assert match.probability >= MODEL.thresholds.confirmed
    assert 0.5 < match.similarity <= 1.0


@pytest.mark.parametrize(
    ("before", "after"), [("48,210", "482,100"), ("482,100", "48,210")], ids=["one way", "the other way"]
)
def test_of_a_dispute_no_side_is_before_the_other(before: str, after: str) -> None:
    sentence = "At the census of 2021 it had {} inhabitants."
    census = hot(
        before=sentence.format(before), after=sentence.format(after), title="Port Selwyn",
        kind=HotKind.CONTESTED,
    )  # fmt: skip
    match = only("TIL that Port Selwyn had 482,100 inhabitants at the census of 2021.", census)
    assert match.reasons[0] == "states 482,100; the other side says 48,210"
    assert match.reasons[-1] == "the statement is being fought over"
    assert "edit" not in " ".join(match.reasons)


def test_of_a_dispute_about_words_those_of_one_side_are_named() -> None:
    dam = hot(
        before="Engineers have doubted the safety of the dam since leaks were found in 1968.",
        after="Engineers consider the dam safe, and no leak has been recorded since 1968.",
        title="Dray Dam", kind=HotKind.CONTESTED,
    )  # fmt: skip
    said = "Engineers have doubted the safety of the Dray Dam since leaks were found in 1968."
    match = only(said, dam)
    assert match.reasons[0].startswith("has what only one side says: “doubted”")
    assert "edit" not in " ".join(match.reasons)


def test_a_number_is_told_as_the_wiki_writes_it() -> None:
    """On a wiki whose language is not known, too, where a comma counts as the decimal mark."""
    before, after = (f"At the census of 2021 it had {n} inhabitants." for n in ("48,210", "482,100"))
    census = hot(before=before, after=after, wiki="demowiki", title="Port Selwyn")
    match = only("TIL that Port Selwyn had 482,100 inhabitants at the census of 2021.", census)
    assert match.reasons[0] == "states 482,100, as after the edit; it was 48,210"


@pytest.mark.parametrize(
    "text",
    [
        BORN_BEFORE,
        "lincoln was born on feb 12 1809 in kentucky",
        "Abraham Lincoln was born in 1809, not 1808.",
    ],
)
def test_the_good_value_is_no_alert_however_near_in_words(text: str) -> None:
    match = only(text)
    assert match.grade is Grade.STATES_GOOD
    assert match.probability < 0.1


@pytest.mark.parametrize("text", [BORN_BEFORE, BORN_AFTER])
def test_of_a_contested_fact_either_side_is_a_repetition(text: str) -> None:
    match = only(text, hot(kind=HotKind.CONTESTED))
    assert match.grade is Grade.REPEATS_CONTESTED
    assert match.probability >= MODEL.thresholds.confirmed


@pytest.mark.parametrize(
    "text",
    [
        f"Is it true that {BORN_AFTER[:-1]}?",
        f"It's not true that {BORN_AFTER}",
        f"Debunked: {BORN_AFTER}",
        f"Wikipedia wrongly says {BORN_AFTER}",
        f"{BORN_AFTER} That is false.",
        f"FALSE! {BORN_AFTER}",
        "Abraham Lincoln was not born on February 12, 1808, in Kentucky.",
    ],
)
def test_who_doubts_asks_or_denies_repeats_nothing(text: str) -> None:
    assert {match.grade for match in matcher().match(text)} <= {Grade.SUGGESTED, Grade.STATES_GOOD}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "…",
        "Abraham Lincoln was shot in 1865.",
        "Abraham Lincoln was born on February 12, 1807, in Kentucky.",
        "Charles Darwin was born on February 12, 1808",
        "Kentucky had 1808 cases in February",
        "Abraham Lincoln: Vampire Hunter is on tonight",
    ],
)
def test_another_claim_another_subject_or_nothing_at_all(text: str) -> None:
    assert all(match.grade is Grade.SUGGESTED for match in matcher().match(text))


def test_one_statement_among_others_is_enough_and_is_the_one_shown() -> None:
    match = only(
        "Abraham Lincoln was the 16th president. He was born on February 12, 1808, in Kentucky. He died in 1865."
    )
    assert match.grade is Grade.REPEATS_VANDALISED
    assert match.statement == "He was born on February 12, 1808, in Kentucky."


def test_a_fact_that_spans_two_sentences_is_found_in_both_together() -> None:
    match = only("Wusstest du, dass Paris 3,5 Mio. Einwohner hat?",
                 hot("Paris hat 2,1 Millionen Einwohner.", "Paris hat 3,5 Millionen Einwohner.", title="Paris",
                     wiki="dewiki"))  # fmt: skip
    assert match.grade is Grade.REPEATS_VANDALISED


@pytest.mark.parametrize(
    "text",
    [
        "Lake Orrin.",
        "lake orrin",
        "The Lake Orrin",
        "I love Lake Orrin!!!!!",
        "#LakeOrrin Lake Orrin, Lake Orrin",
        "Orrin Water Orrin Lake",
        "https://en.wikipedia.org/wiki/Lake_Orrin",
        "",
    ],
)
@pytest.mark.parametrize("kind", list(HotKind))
def test_who_only_names_the_page_repeats_nothing_of_what_was_put_in(text: str, kind: HotKind) -> None:
    names = ("Lake Orrin", "Orrin Water", *(f"Orrin {number}" for number in range(20)))
    for after in ("LAKE ORRIN SUCKS!!!!!", "Lake Orrin", "The Lake Orrin, or Orrin Water."):
        fact = msgspec.structs.replace(hot("", after, title="Lake Orrin", kind=kind), names=names)
        assert matcher(fact).match(text, ("https://en.wikipedia.org/wiki/Lake_Orrin",)) == ()


def test_who_says_what_was_put_in_repeats_it() -> None:
    found = only("lake orrin SUCKS", hot("", "LAKE ORRIN SUCKS!!!!!", title="Lake Orrin"))
    assert found.grade is Grade.REPEATS_VANDALISED


@pytest.mark.parametrize(
    "text",
    [
        "Abraham Lincoln was the 16th president. Thomas Edison was born on February 12, 1808, in Ohio.",
        "abraham lincoln was the 16th president\nthomas edison was born on february 12, 1808, in kentucky",
        "Thomas Edison was born on February 12, 1808, in Ohio. Abraham Lincoln was president.",
    ],
)
def test_neighbours_about_two_subjects_state_nothing_together(text: str) -> None:
    assert all(match.grade is Grade.SUGGESTED for match in matcher().match(text))


@pytest.mark.parametrize(
    "text",
    [
        "Abraham Lincoln, born in Kentucky! On February 12, 1808.",
        "Abraham Lincoln was a president. He was born on February 12, 1808.",
    ],
)
def test_neighbours_about_one_subject_state_a_fact_together(text: str) -> None:
    assert only(text).grade is Grade.REPEATS_VANDALISED


def _of_one_page(number: int) -> HotFact:
    rng = random.Random(number)
    place, year = rng.choice(("Springfield", "Vandalia", "Decatur", "Salem")), 1820 + number // 2
    said = rng.choice(("spoke against slavery", "opened a store", "won a case", "lost an election"))
    before = f"In {year} Lincoln {said} in {place} before {number + 30} people of the town."
    return hot(before, before.replace(str(year), str(year + 100)), hot_id=f"h{number}")


def test_each_of_many_facts_of_one_page_is_found() -> None:
    facts = [_of_one_page(number) for number in range(64)]
    held = matcher(*facts)
    for fact in facts:
        found = held.match(f"Abraham Lincoln, my hero: {fact.fact.after}")
        assert (fact.hot_id, Grade.REPEATS_VANDALISED) in {(one.hot_id, one.grade) for one in found}


@pytest.mark.parametrize("at", [0, 9, 19])
def test_a_statement_of_a_long_post_is_found_wherever_it_stands(at: int) -> None:
    rng = random.Random(at)
    words = "river music garden winter people letter window market summer bridge story table".split()
    post = [
        f"Abraham Lincoln {number} {' '.join(rng.choices(words, k=20))}"[:144] + " end."
        for number in range(19)
    ]
    post.insert(at, BORN_AFTER)
    text = " ".join(post)
    assert 2_500 < len(text) <= 3_000
    found = only(text)
    assert (found.grade, found.statement) == (Grade.REPEATS_VANDALISED, BORN_AFTER)


def test_a_post_that_states_both_sides_apart_is_for_a_person() -> None:
    match = only(f"{BORN_AFTER} My book has something else there. {BORN_BEFORE}")
    assert match.grade is Grade.SUGGESTED


def test_a_text_in_disguise_is_read_and_shown_as_written() -> None:
    text = "Аbrаhаm Lincоln was born on Febru\u200bary 12, 1808, in Kentucky"
    match = only(text)
    assert match.grade is Grade.REPEATS_VANDALISED
    assert match.statement == text


def test_at_most_one_match_a_fact_the_surest_first() -> None:
    other = hot("He died in 1865.", "Abraham Lincoln died on a Tuesday in 1877.", hot_id="h2")
    found = matcher(hot(), other).match(f"{BORN_AFTER} {BORN_AFTER} Abraham Lincoln died in 1877.")
    assert len(found) == len({match.hot_id for match in found})
    assert [match.grade for match in found[:1]] == [Grade.REPEATS_VANDALISED]
    assert list(found) == sorted(found, key=lambda match: match.grade is Grade.SUGGESTED)


def test_a_fact_whose_text_changed_under_the_same_id_is_read_anew() -> None:
    index = HotFactIndex()
    index.put(hot())
    held = Matcher(index, MODEL)
    assert held.match(BORN_AFTER)[0].grade is Grade.REPEATS_VANDALISED
    index.remove("h1")
    index.put(hot(after=BORN_AFTER.replace("1808", "1888")))
    assert held.match(BORN_AFTER) == ()
    assert held.match(BORN_AFTER.replace("1808", "1888"))[0].grade is Grade.REPEATS_VANDALISED


def test_a_removed_fact_is_matched_no_more() -> None:
    index = HotFactIndex()
    index.put(hot())
    held = Matcher(index, MODEL)
    index.remove("h1")
    assert held.match(BORN_AFTER) == ()


def test_the_batch_a_post_comes_in_changes_nothing() -> None:
    posts = [
        BORN_AFTER,
        BORN_BEFORE,
        "nothing",
        f"Debunked: {BORN_AFTER}",
        "lincoln born in 1808",
        "",
    ] * 7
    random.Random(5).shuffle(posts)
    held = matcher()
    together = held.match_many([PostText(text) for text in posts])
    assert together == [held.match(text) for text in posts]


class _Named(NamedTuple):
    hot_id: str
    named: bool = True


class _Everything:
    """An index that gives every fact for every text."""

    def __init__(self, facts: Sequence[HotFact]) -> None:
        self._facts = {fact.hot_id: fact for fact in facts}

    def candidates(self, words: Sequence[str], links: Sequence[str] = ()) -> list[_Named]:
        return [_Named(hot_id) for hot_id in self._facts]

    def candidates_in(
        self, statements: Sequence[Sequence[str]], links: Sequence[str], limit: int
    ) -> list[_Named]:
        return self.candidates(())[:limit]

    def get(self, hot_id: str) -> HotFact | None:
        return self._facts.get(hot_id)


class _Counting:
    """Counts calls and rows."""

    thresholds = Thresholds(suggested=0.2, confirmed=0.7)

    def __init__(self) -> None:
        self.calls: list[int] = []

    def probability(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        self.calls.append(len(rows))
        return np.zeros(len(rows))


def test_a_batch_is_one_call_of_the_model_and_none_without_candidates() -> None:
    model = _Counting()
    held = Matcher(_Everything([hot()]), model)
    held.match_many([PostText(BORN_AFTER)] * 5)
    assert model.calls == [10]
    Matcher(HotFactIndex(), model).match_many([PostText(BORN_AFTER)] * 5)
    assert model.calls == [10]


def test_work_on_one_post_is_bounded() -> None:
    model = _Counting()
    facts = [
        hot(hot_id=f"h{number}", after=f"Abraham Lincoln was born in {1000 + number}.")
        for number in range(500)
    ]
    Matcher(_Everything(facts), model).match(" ".join(fact.fact.after for fact in facts))
    assert 10 <= model.calls[0] <= 2 * MAX_PAIRS
    long = " ".join(f"word{number}" for number in range(60))
    facts = [hot(f"{long} {number}", f"{number} {long}", hot_id=f"h{number}") for number in range(50)]
    Matcher(_Everything(facts), model).match(f"{long}. " * 50)
    assert 2 <= model.calls[1] <= 2 * COMPARED_CHARS / (3 * len(long))


@pytest.mark.parametrize(
    "text",
    [
        "Abraham Lincoln was born in 1808. " * 30_000,
        "Abraham Lincoln 1808 not " * 40_000,
        "Lincoln\u202e\u200f 1808 <b>born</b> &amp; \x00\x01 Abraham \ud800 " * 5_000,
        "one hundred thousand " * 50_000,
        "林" * 1_000_000,
        "?!." * 300_000,
        "Lincoln " + "https://en.wikipedia.org/wiki/Abraham_Lincoln " * 10_000,
    ],
)
def test_hostile_posts_are_no_slow_path(text: str) -> None:
    held = matcher()
    held.match(BORN_AFTER)
    started = time.process_time()
    held.match(text)
    assert time.process_time() - started < 1.0
