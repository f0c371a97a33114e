"""Retrieval against what it stands for: whatever facts come and go, an index is as one filled anew."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.matching.folding import MAX_READ, fold
from streams.matching.index import HotFactIndex
from streams.matching.post_words import post_words
from streams.matching.ranking import rank
from streams.matching.statements import MAX_STATEMENT, MAX_STATEMENTS, split_statements
from streams.posts import HotFact
from tests.unit.matching.retrieval_facts import hot, index_of

WORDS = st.sampled_from(
    "lincoln kentucky hodgenville born 1809 1909 mill arvenbury 林肯生于 die the law".split()
)
TEXTS = st.lists(WORDS, max_size=12).map(" ".join)
HOT_FACTS = st.builds(
    hot,
    TEXTS,
    TEXTS,
    TEXTS,
    st.lists(TEXTS, max_size=3).map(tuple),
    st.sampled_from("abcdef"),
)
CHANGES = st.lists(st.tuples(st.booleans(), HOT_FACTS), max_size=20)


@given(CHANGES, TEXTS)
def test_an_index_is_as_one_filled_anew(changes: list[tuple[bool, HotFact]], text: str) -> None:
    index = HotFactIndex()
    kept: dict[str, HotFact] = {}
    for put, fact in changes:
        if put:
            index.put(fact)
            kept[fact.hot_id] = fact
        else:
            assert index.remove(fact.hot_id) == kept.pop(fact.hot_id, None)
    anew = index_of(*sorted(kept.values(), key=lambda fact: fact.hot_id))
    words = post_words(fold(text))
    assert index.candidates(words) == anew.candidates(words)
    assert index.similar(words, 3) == anew.similar(words, 3)
    assert rank(index, text) == rank(anew, text)
    assert {fact.hot_id: fact for fact in index} == kept


@given(st.lists(HOT_FACTS, min_size=1, max_size=6, unique_by=lambda fact: fact.hot_id))
def test_a_fact_with_two_rare_words_is_found_by_what_it_says(facts: list[HotFact]) -> None:
    index = index_of(*facts)
    for fact in facts:
        words = post_words(fold(fact.fact.after))
        if (
            len(
                {"lincoln", "kentucky", "hodgenville", "arvenbury"}
                & set(words) - set(fact.title.split())
            )
            >= 2
        ):
            assert fact.hot_id in {one.hot_id for one in index.candidates(words)}


@given(st.text(max_size=400), st.lists(st.text(max_size=60), max_size=5))
def test_any_text_and_links_are_taken(text: str, links: list[str]) -> None:
    index = index_of(hot(text, text[::-1], text[:50], (text[5:30],)), hot(hot_id="other"))
    folded = fold(text)
    assert len(folded) <= MAX_READ
    found = index.candidates(post_words(folded), links)
    assert all(0.0 <= one.overlap <= 1.0 + 1e-9 for one in found)
    assert index.remove("lincoln") is not None


@given(st.text())
def test_words_of_a_folded_text_stay_the_same_when_it_is_folded_again(text: str) -> None:
    words = post_words(fold(text))
    assert all(words)
    assert post_words(fold(" ".join(words))) == post_words(" ".join(words))


@given(st.text(alphabet=st.sampled_from("ab .!?\n-•。1 \u200b"), max_size=2_000))
def test_statements_are_pieces_of_the_text_in_order(text: str) -> None:
    found = split_statements(text)
    assert len(found) <= MAX_STATEMENTS
    end = 0
    for one in found:
        assert one.start >= end
        assert text[one.start : one.end] == one.text
        assert 0 < len(one.text) <= MAX_STATEMENT
        end = one.end
