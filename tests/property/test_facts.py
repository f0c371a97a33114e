"""Fact changes for any text: bounded, never raising, and the same seen from either side."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from streams.records import ChangeType, Edit, FactChange, PerformerKind
from streams.stages.diff import Hunk, TextDelta, text_delta
from streams.stages.fact_key import MAX_SHOWN
from streams.stages.facts import fact_changes
from streams.stages.sentences import split_sentences
from streams.stages.wikidata_summary import parse_summary

EDIT = Edit(
    event_id="e",
    wiki="enwiki",
    server_name="en.wikipedia.org",
    title="Ada Example",
    namespace=0,
    rev_id=2,
    parent_id=1,
    performer="192.0.2.7",
    performer_kind=PerformerKind.IP,
    event_time=0.0,
    arrival_time=0.0,
)
MIRROR = {ChangeType.INSERTION: ChangeType.DELETION, ChangeType.DELETION: ChangeType.INSERTION}

VOCABULARY = (
    "Ada Bob Kent she was born died in not never 1809 1890 1,500 12 km $5 May 3, the war of four nine"
    " 他 不是"
)
MARKS = (
    "{{ }} [[ ]] | = '' ''' <ref> </ref> <!-- --> <nowiki> {| |- |} || == \n * # &amp; . [http://x ]"
    " \x02 \x03"
)
WORDS = st.sampled_from(VOCABULARY.split())
SENTENCE = st.lists(WORDS, min_size=1, max_size=9).map(" ".join).map("{}.".format)
LINE = st.one_of(
    st.lists(SENTENCE, min_size=1, max_size=4).map(" ".join),
    st.tuples(st.sampled_from(["born", "died", "name"]), WORDS).map(
        lambda pair: f"| {pair[0]} = {pair[1]}"
    ),
    st.sampled_from(["== Life ==", "== War ==", "", "{{Infobox person", "}}", "{{cn}}"]),
)
PAGE = st.lists(LINE, max_size=8).map("\n".join)
MARKUP = st.lists(st.one_of(st.sampled_from(MARKS.split(" ")), st.text(max_size=12)), max_size=60).map(
    "".join
)


def turned(delta: TextDelta) -> TextDelta:
    hunks = tuple(Hunk(h.after_start, h.after, h.before_start, h.before) for h in delta.hunks)
    return msgspec.structs.replace(
        delta, before_lines=delta.after_lines, after_lines=delta.before_lines, hunks=hunks
    )


def mirrored(change: FactChange) -> tuple[object, ...]:
    return (
        change.fact_key,
        MIRROR.get(change.change_type, change.change_type),
        change.after,
        change.before,
        change.after_values,
        change.before_values,
    )


def as_told(change: FactChange) -> tuple[object, ...]:
    return (
        change.fact_key,
        change.change_type,
        change.before,
        change.after,
        change.before_values,
        change.after_values,
    )


@given(PAGE, PAGE)
def test_a_revert_has_the_keys_of_what_it_reverts_and_mirrored_values(before: str, after: str) -> None:
    delta = text_delta(before, after)
    there = fact_changes(EDIT, delta, limit=1_000)
    back = fact_changes(EDIT, turned(delta), limit=1_000)
    assert sorted(map(mirrored, there)) == sorted(map(as_told, back))


@given(PAGE)
def test_an_edit_that_changes_nothing_changes_no_fact(page: str) -> None:
    assert fact_changes(EDIT, text_delta(page, page)) == ()


@given(MARKUP, MARKUP)
def test_any_markup_is_told_within_bounds(before: str, after: str) -> None:
    changes = fact_changes(EDIT, text_delta(before, after), limit=5)
    assert len(changes) <= 5
    for change in changes:
        assert len(change.before) <= MAX_SHOWN
        assert len(change.after) <= MAX_SHOWN
        assert change.before or change.after
        assert len(change.fact_key) == 32
    assert fact_changes(EDIT, text_delta(before, after), limit=5) == changes


@given(st.text())
def test_sentences_are_the_line(line: str) -> None:
    joined = "".join("".join(split_sentences(line)).split())
    assert joined == "".join(line.split())


@given(st.text(), st.text())
def test_no_summary_raises(before: str, after: str) -> None:
    parse_summary(f"/* {before}:1|{after} */ {after}")
    parse_summary(before)
