"""What is told of an answer, statement by statement."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import pytest

from models.pair_model import load_pair_model
from streams.matching.answer_findings import CheckedAnswer, Finding, Quotable, States
from streams.matching.check import MAX_CHECKED, MAX_READ, TOGETHER, Checker, links_in, split_answer
from streams.matching.index import HotFactIndex
from streams.matching.matcher import Matcher, PostText
from streams.matching.statements import split_statements
from streams.posts import HotFact, HotKind, Match
from streams.records import Grade
from tests.answer_world import (
    BANGKOK,
    BERLIN,
    CAIRO,
    EVEREST,
    FACTS,
    FALKENMARK,
    LINCOLN,
    TOKYO,
    checker,
    fact,
)

CHECKER = checker()
BORN_1808 = "Abraham Lincoln was born on February 12, 1808, in a log cabin in Kentucky."
BORN_1809 = "Abraham Lincoln was born on February 12, 1809, in a log cabin in Kentucky."


def checked(text: str) -> CheckedAnswer:
    answer = CHECKER.check(text)
    for one in answer.statements:
        assert text[one.start : one.end] == one.text
    return answer


def told(answer: CheckedAnswer) -> list[tuple[str, list[tuple[str, States]]]]:
    """Of the statements that something is told of: the text, and title and value of each fact."""
    return [
        (one.text, [(finding.title, finding.states) for finding in one.findings])
        for one in answer.statements
        if one.findings
    ]


def test_a_bad_value_is_told_with_the_revision_to_cite_instead() -> None:
    text = f"A short life story. {BORN_1808} He became president in 1861."
    answer = checked(text)
    assert answer.quotable is Quotable.NO
    assert answer.says.startswith("Not to be quoted as it stands: 1 of 3 statements states")
    assert [one.quotable for one in answer.statements] == [
        Quotable.NOTHING_KNOWN,
        Quotable.NO,
        Quotable.NOTHING_KNOWN,
    ]
    (finding,) = answer.statements[1].findings
    assert (finding.states, finding.grade) == (States.BAD, Grade.REPEATS_VANDALISED)
    assert (finding.hot_id, finding.alert_id) == (LINCOLN.hot_id, LINCOLN.alert_id)
    assert (finding.before, finding.after) == (BORN_1809, BORN_1808)
    assert finding.last_good_rev_id == LINCOLN.last_good_rev_id
    assert finding.last_good_url == LINCOLN.last_good_url
    assert (finding.rev_id, finding.since) == (LINCOLN.rev_id, LINCOLN.since)
    assert finding.corrected_time is None
    assert finding.probability > 0.9
    assert any("1808" in reason and "1809" in reason for reason in finding.reasons)


def test_the_good_value_wants_care_and_is_not_called_true() -> None:
    answer = checked(BORN_1809)
    assert told(answer) == [(BORN_1809, [("Abraham Lincoln", States.GOOD)])]
    assert answer.quotable is Quotable.CAUTION
    assert answer.statements[0].findings[0].probability < 0.1
    assert answer.says.endswith("This does not say that it is true.")


def test_either_side_of_what_is_fought_over_is_contested() -> None:
    for county in ("Norrland", "Uppland"):
        text = f"Falkenmark has belonged to the county of {county} since 1952."
        answer = checked(text)
        assert told(answer) == [(text, [("Falkenmark", States.CONTESTED)])]
        assert answer.quotable is Quotable.NO
        assert answer.statements[0].findings[0].kind is HotKind.CONTESTED


def test_a_corrected_value_stays_a_bad_one_and_says_since_when_it_is_corrected() -> None:
    (statement,) = checked("The elevation of Mount Everest is 9,849 metres above sea level.").statements
    (finding,) = statement.findings
    assert (finding.states, finding.corrected_time) == (States.BAD, EVEREST.corrected_time)


def test_what_nothing_is_known_of_is_not_called_true() -> None:
    answer = checked("The Eiffel Tower was opened in 1889. It is made of iron.")
    assert answer.quotable is Quotable.NOTHING_KNOWN
    assert answer.says == (
        f"Nothing is known of it: none of its 2 statements bears on any of the {len(FACTS)} facts that"
        " are contested or were just changed. This does not say that it is true."
    )
    assert answer.hot_facts == len(FACTS)


@pytest.mark.parametrize("text", ["", " \n\t ", "🙂 … !!", "\x00\x00", "---\n***\n"])
def test_where_there_is_no_statement_that_is_said(text: str) -> None:
    answer = checked(text)
    assert answer.statements == ()
    assert answer.quotable is Quotable.NOTHING_KNOWN
    assert "no statement" in answer.says


def test_without_hot_facts_nothing_can_be_known() -> None:
    answer = checker(()).check(BORN_1808)
    assert answer.quotable is Quotable.NOTHING_KNOWN
    assert "no fact is known" in answer.says
    assert "does not say that it is true" in answer.says


def test_a_question_and_a_denial_are_for_a_person_to_look_at() -> None:
    for text in ("Was Abraham Lincoln born on February 12, 1808?", f"It is a myth that {BORN_1808}"):
        answer = checked(text)
        assert [value for _, values in told(answer) for _, value in values] == [States.UNCLEAR]
        assert answer.quotable is Quotable.CAUTION


def test_a_remark_beside_it_takes_a_statement_back() -> None:
    for text in (f"{BORN_1808} That is a hoax.", f"That is a hoax: a page said so. {BORN_1808}"):
        (_, values) = next(one for one in told(checked(text)) if one[0] == BORN_1808)
        assert values == [("Abraham Lincoln", States.UNCLEAR)]
    far = f"{BORN_1808} He had four children, and three of them died young. That is a hoax."
    assert told(checked(far)) == [(BORN_1808, [("Abraham Lincoln", States.BAD)])]


def test_who_only_names_the_page_does_not_repeat_what_was_put_in_there() -> None:
    put_in = fact(20, "Lake Orrin", "", "LAKE ORRIN SUCKS!!!!!")
    text = "# Lake Orrin\n\nLake Orrin. Lake Orrin is 118 metres deep.\n\nLake Orrin sucks."
    answer = checker([put_in]).check(text)
    assert told(answer) == [("Lake Orrin sucks.", [("Lake Orrin", States.BAD)])]


def test_what_was_taken_out_may_be_good() -> None:
    gone = "The dam was certified as safe by the Teska Institute in 1968."
    answer = checker([fact(21, "Orrin Dam", gone, "")]).check(f"The Orrin Dam. {gone}")
    assert told(answer) == [(gone, [("Orrin Dam", States.GOOD)])]


def test_each_statement_has_its_own_value_however_often_it_is_said() -> None:
    filler = (
        "The war between the states began in the same spring and went on for four long years, at a cost"
        " of more than half a million soldiers."
    )
    answer = checked(" ".join((BORN_1809, filler, BORN_1808, filler, BORN_1808, filler, BORN_1808)))
    assert [values for _, values in told(answer)] == [
        [("Abraham Lincoln", States.GOOD)],
        *[[("Abraham Lincoln", States.BAD)]] * 3,
    ]


def test_who_he_is_may_stand_far_before() -> None:
    """The page is named once; what is said of it later has only a pronoun."""
    aside = "The weather was cold and the roads were deep in mud for most of that winter in the west. "
    text = f"Abraham Lincoln was the 16th president. {aside * 3}He was born on February 12, 1808."
    assert ("Abraham Lincoln", States.BAD) in told(checked(text))[-1][1]
    unnamed = text.replace("Abraham Lincoln was", "This was")
    assert all(("Abraham Lincoln", States.BAD) not in values for _, values in told(checked(unnamed)))


def test_a_cited_link_names_the_page_too() -> None:
    said = "He was born on February 12, 1808."
    text = f"{said} Source: [1](https://en.wikipedia.org/wiki/Abraham_Lincoln)."
    assert told(checked(text))[0] == (said, [("Abraham Lincoln", States.BAD)])


@pytest.mark.parametrize(
    "text",
    [
        "Abraham Lincoln was the 16th president. Thomas Alva Edison was born in Ohio on February 12, 1808.",
        "Mount Everest has an elevation above sea level. K2 and Lhotse have 9,849 metres.",
        "Das Brandenburger Tor wurde errichtet. Der Dom in Mainz 1688 bis 1691.",
    ],
)
def test_what_only_two_statements_together_say_is_no_accusation(text: str) -> None:
    """Together they have name and value, but of two subjects."""
    answer = checked(text)
    assert answer.quotable is not Quotable.NO
    assert any(TOGETHER in finding.reasons for one in answer.statements for finding in one.findings)


@pytest.mark.parametrize(
    ("hot", "before", "after"),
    [
        (BERLIN, "Es steht in der Mitte der Stadt. ", " Es ist aus Sandstein."),
        (TOKYO, "東京には塔がある。", "とても有名な場所だ。"),
        (BANGKOK, "นี่คือเมืองใหญ่ ", " เป็นเมืองที่สวยงาม"),
        (CAIRO, "هذه قصة كاتب كبير. ", " كتب روايات كثيرة."),
    ],
    ids=["de", "ja", "th", "ar"],
)
def test_it_works_in_languages_with_and_without_spaces(hot: HotFact, before: str, after: str) -> None:
    for said, states in ((hot.fact.after, States.BAD), (hot.fact.before, States.GOOD)):
        answer = checked(f"{before}{said}{after}")
        assert told(answer) == [(said, [(hot.title, states)])]
        assert len(answer.statements) == 3


def test_spans_count_code_points_of_the_text_as_written() -> None:
    text = f"\ufeff🙂🙂\r\n\r\n- \u200f“Tall tales”\r\n2. {BORN_1808}\x00\r\n"
    found = next(one for one in checked(text).statements if one.findings)
    assert found.text.rstrip("\x00") == BORN_1808
    assert found.start == text.index("Abraham")


def test_the_gravest_finding_comes_first() -> None:
    facts = (
        *FACTS,
        fact(
            99,
            "Log cabin",
            "Abraham Lincoln was born on February 12, 1807, in a log cabin in Kentucky.",
            "Abraham Lincoln was born on February 12, 1809, in a log cabin in Kentucky.",
        ),
    )
    (statement,) = checker(facts).check(BORN_1809).statements
    assert [finding.states for finding in statement.findings] == [States.BAD, States.GOOD]
    assert statement.quotable is Quotable.NO


def test_check_worthiness_sorts_claims_before_talk() -> None:
    claim, talk = checked("The bridge was opened in 1889 by Otto Lind. I love it so much!").statements
    assert claim.check_worthiness > 0.5 > talk.check_worthiness


def test_what_stands_late_in_a_long_answer_is_seen() -> None:
    filler = [
        f"Paragraph {number} tells of the quiet village life by the river." for number in range(240)
    ]
    text = "\n".join([*filler[:230], BORN_1808, *filler[230:]])
    answer = checked(text)
    assert answer.read_to == answer.characters == len(text)
    assert told(answer) == [(BORN_1808, [("Abraham Lincoln", States.BAD)])]


def test_what_is_too_long_to_look_at_is_not_called_unknown() -> None:
    """Somebody could hide a bad value behind a long text."""
    filler = "The quiet village lies by the river and has a mill. "
    for text in (filler * 2_000 + BORN_1808, "tin\n" * 300 + BORN_1808):
        answer = checked(text)
        assert answer.read_to < len(text)
        assert answer.quotable is Quotable.CAUTION
        assert answer.says.startswith(f"Only the first {answer.read_to:,} of {len(text):,} characters")
    assert len(answer.statements) == MAX_CHECKED


def test_a_fact_that_goes_meanwhile_is_left_out() -> None:
    class Forgetting(Matcher):
        def match_many(self, posts: Sequence[PostText]) -> list[tuple[Match, ...]]:
            found = super().match_many(posts)
            index.remove(LINCOLN.hot_id)
            return found

    index = HotFactIndex()
    index.put(LINCOLN)
    (statement,) = Checker(index, Forgetting(index, load_pair_model())).check(BORN_1808).statements
    assert statement.findings == ()
    assert statement.quotable is Quotable.NOTHING_KNOWN


def test_the_lock_is_held_while_facts_are_asked_and_free_between() -> None:
    class Lock:
        def __init__(self) -> None:
            self.lock = threading.Lock()
            self.taken = 0

        def __enter__(self) -> None:
            assert self.lock.acquire(timeout=30)
            self.taken += 1

        def __exit__(self, *error: object) -> None:
            self.lock.release()

    class Watched(Matcher):
        def match_many(self, posts: Sequence[PostText]) -> list[tuple[Match, ...]]:
            asked.append(lock.lock.locked())
            return super().match_many(posts)

    lock, asked = Lock(), list[bool]()
    index = HotFactIndex()
    index.put(LINCOLN)
    Checker(index, Watched(index, load_pair_model()), lock=lock).check("\n".join([BORN_1808] * 200))
    assert asked
    assert all(asked)
    assert lock.taken >= 4
    assert not lock.lock.locked()


HOSTILE = {
    "one word": "a" * 1_000_000,
    "no words": "." * 1_000_000,
    "lines": "\n" * 1_000_000,
    "short lines": "a fact\n" * 100_000,
    "bullets": "- 1. " * 200_000,
    "short sentences": "a. " * 300_000,
    "NUL": "\x00" * 1_000_000,
    "surrogates": "\ud800 \udfff." * 100_000,
    "right to left": "\u202e\u200f" * 500_000,
    "stacked accents": ("a" + "\u0301" * 30) * 30_000,
    "one character of eighteen": "\ufdfa" * 300_000,
    "Thai without an end": "กรุงเทพ" * 150_000,
    "the fact, again and again": f"{BORN_1808} " * 14_000,
    "tags": "<a <b " * 160_000,
    "links": "https://en.wikipedia.org/wiki/Abraham_Lincoln?" * 20_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_megabyte_takes_bounded_work(name: str) -> None:
    text = HOSTILE[name]
    CHECKER.check(BORN_1808)
    begun = time.process_time()
    answer = checked(text)
    assert time.process_time() - begun < 5.0  # 0.5 s on a slow core at the worst of these
    assert len(answer.statements) <= MAX_CHECKED
    assert answer.read_to <= MAX_READ


def test_a_long_text_is_split_as_a_short_one_is() -> None:
    """No statement is cut, lost or told twice where one piece ends and the next begins."""
    for length in range(1, 200, 7):
        sentences = [f"Number {at} is {'x' * (at * length % 97)} told." for at in range(60)]
        text = " ".join(sentences)
        found, read_to = split_answer(text)
        assert [one.text for one in found] == sentences
        assert read_to == len(text)
        assert found == split_statements(text)


def test_no_half_statement_is_told_where_reading_ends() -> None:
    sentences = [f"Number {at} is {'x' * 380} told." for at in range(200)]
    text = " ".join(sentences)
    found, read_to = split_answer(text)
    assert [one.text for one in found] == sentences[: len(found)]
    assert MAX_READ - 500 < read_to < MAX_READ
    assert text[read_to:].startswith(sentences[len(found)])


def test_many_short_lines_are_all_read() -> None:
    text = "\n".join(["-", "", "tin"] * 250)
    found, read_to = split_answer(text)
    assert len(found) == 250
    assert read_to == len(text)
    assert all(text[one.start : one.end] == one.text == "tin" for one in found)


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("see https://a.example/wiki/B.", ("https://a.example/wiki/B",)),
        ("[B](https://a.example/wiki/B).", ("https://a.example/wiki/B",)),
        ("https://a.example/wiki/B_(c)", ("https://a.example/wiki/B_(c)",)),
        ("(https://a.example/wiki/B_(c)), too", ("https://a.example/wiki/B_(c)",)),
        ("<https://a.example/x> https://a.example/x", ("https://a.example/x",)),
        ("javascript:alert(1) ftp://x", ()),
    ],
)
def test_links_are_read_as_answers_cite_them(text: str, links: tuple[str, ...]) -> None:
    assert links_in(text) == links


def test_findings_of_one_statement_are_at_most_one_a_fact() -> None:
    answer = checked(f"{BORN_1808} {FALKENMARK.fact.after}")
    found: list[Finding] = [finding for one in answer.statements for finding in one.findings]
    assert sorted(finding.hot_id for finding in found) == [LINCOLN.hot_id, FALKENMARK.hot_id]
