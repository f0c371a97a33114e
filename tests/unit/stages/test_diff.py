"""A difference says what changed, in words that add up, in work that is bounded."""

from __future__ import annotations

import time
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from streams.stages import diff
from streams.stages.diff import TextDelta, text_delta
from streams.stages.tokens import joins_word, pieces, words

LINES = st.lists(
    st.text(alphabet=st.sampled_from("ab c1_.[[]]é ß漢字かไท्কি'\u0301!"), max_size=12), max_size=8
)
TEXTS = LINES.map("\n".join)


def applied(delta: TextDelta) -> list[str]:
    """The lines before, with the hunks put in."""
    lines, at = [], 0
    for hunk in delta.hunks:
        lines += delta.before_lines[at : hunk.before_start]
        assert len(lines) == hunk.after_start
        assert tuple(delta.before_lines[hunk.before_start :][: len(hunk.before)]) == hunk.before
        lines += hunk.after
        at = hunk.before_start + len(hunk.before)
    return lines + delta.before_lines[at:]


def word_counts(text: str) -> Counter[str]:
    return Counter(words(text.lower()))


@given(TEXTS, TEXTS)
def test_hunks_turn_one_text_into_the_other(before: str, after: str) -> None:
    delta = text_delta(before, after)
    assert "\n".join(applied(delta)) == after


@given(TEXTS, TEXTS)
def test_words_gained_and_lost_are_the_difference_of_the_pages_words(before: str, after: str) -> None:
    delta = text_delta(before, after)
    old, new = word_counts(before), word_counts(after)
    assert delta.gained == dict(new - old)
    assert delta.lost == dict(old - new)


@given(TEXTS)
def test_pieces_put_together_are_the_text_and_hold_its_words(text: str) -> None:
    found = pieces(text)
    assert "".join(found) == text
    assert [piece.rstrip() for piece in found if joins_word(piece[0])] == words(text)


def test_a_changed_number_is_one_place_with_what_stands_before_it() -> None:
    delta = text_delta(
        "Intro\nHe was born in 1809 in Kentucky.\nEnd", "Intro\nHe was born in 1909 in Kentucky.\nEnd"
    )
    [span] = delta.spans
    assert (span.before.strip(), span.after.strip()) == ("1809", "1909")
    assert span.left.endswith("born in ")
    assert (delta.added_words, delta.removed_words) == (("1909",), ("1809",))
    assert [hunk.before_start for hunk in delta.hunks] == [1]


def test_two_places_in_one_line_are_two_spans() -> None:
    delta = text_delta("the red fox saw the blue hen", "the grey fox saw the white hen")
    assert [(span.before.strip(), span.after.strip()) for span in delta.spans] == [
        ("red", "grey"),
        ("blue", "white"),
    ]


def test_a_moved_line_neither_gains_nor_loses_words() -> None:
    delta = text_delta("one two\nthree four\nfive six", "five six\none two\nthree four")
    assert (delta.gained, delta.lost) == ({}, {})
    assert delta.hunks


def test_words_of_scripts_without_spaces_are_characters() -> None:
    assert words("林肯1809年") == ["林", "肯", "1809", "年"]
    assert words("ลินคอล์น")[:2] == ["ล", "ิ"]


def test_marks_stay_in_their_word() -> None:
    assert words("हिन्दी किताब") == ["हिन्दी", "किताब"]
    assert words("cafe\u0301 noir") == ["cafe\u0301", "noir"]


def test_a_page_that_did_not_exist_gains_all_its_words() -> None:
    delta = text_delta(None, "Hello hello world")
    assert delta.gained == {"hello": 2, "world": 1}
    assert delta.lost == {}


def test_equal_texts_have_no_hunks() -> None:
    assert text_delta("same\ntext", "same\ntext").hunks == ()


def test_a_blanking_and_its_revert_mirror_each_other() -> None:
    page = "\n".join(f"Line {n} says word{n} and word{n * 7}." for n in range(800))
    blanked, restored = text_delta(page, "meow"), text_delta("meow", page)
    assert blanked.lost == restored.gained
    assert blanked.gained == restored.lost == {"meow": 1}


def test_a_huge_rewrite_is_capped_in_work_and_says_so() -> None:
    before = "\n".join(f"alpha{n} beta{n % 977} gamma" for n in range(40_000))
    after = "\n".join(f"delta{n} beta{n % 983} gamma" for n in range(40_000))
    started = time.perf_counter()
    delta = text_delta(before, after)
    seconds = time.perf_counter() - started
    assert delta.truncated
    assert not delta.words_complete
    assert len(delta.spans) <= diff.MAX_SPANS
    assert seconds < 3.0, "hundreds of times what it takes, for a busy machine; uncapped it is minutes"


def test_one_very_long_changed_line_falls_back_to_counting() -> None:
    before = " ".join(f"w{n}" for n in range(3_000))
    after = " ".join(f"w{(n * 7) % 3_001}" for n in range(3_000))
    delta = text_delta(before, after)
    assert delta.truncated
    assert delta.words_complete
    old, new = word_counts(before), word_counts(after)
    assert (delta.gained, delta.lost) == (dict(new - old), dict(old - new))
