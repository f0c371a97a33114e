from __future__ import annotations

import random

import msgspec
import pytest

from streams.matching.folding import fold
from streams.matching.index import MAX_CANDIDATES, Candidate, HotFactIndex
from streams.matching.post_words import post_words
from streams.matching.postings import FEW, Postings
from tests.unit.matching.retrieval_facts import OTHERS, hot, index_of

LINCOLN_LINK = "https://en.wikipedia.org/wiki/Abraham_Lincoln"


def found(index: HotFactIndex, text: str, *links: str) -> list[Candidate]:
    return index.candidates(post_words(fold(text)), links)


def ids(index: HotFactIndex, text: str, *links: str) -> list[str]:
    return [one.hot_id for one in found(index, text, *links)]


@pytest.mark.parametrize(
    "text",
    [
        "Abraham Lincoln was born in 1909!",
        "abe lincoln, born 1909",
        "#AbrahamLincoln came from Kentucky",
        "Аbrаhаm Linсоln was born in Hodgenville",
        "I read that Abraham Lincoln’s birth was in 1809",
    ],
)
def test_a_post_that_names_the_page_and_shares_a_word_finds_its_fact(text: str) -> None:
    index = index_of(hot(names=("Abe Lincoln",)), *OTHERS)
    assert [(one.hot_id, one.named) for one in found(index, text)] == [("lincoln", True)]


@pytest.mark.parametrize(
    "text",
    [
        "He was born on February 12, 1909, in Hodgenville, Kentucky.",
        "did you know? born 1809 in hodgenville, kentucky, of all places",
        "Hodgenville in Kentucky: born there in 1909",
    ],
    ids=["after", "before", "other words"],
)
def test_either_side_is_found_without_a_name(text: str) -> None:
    index = index_of(hot(), *OTHERS)
    assert [(one.hot_id, one.named) for one in found(index, text)] == [("lincoln", False)]


def test_the_surname_and_a_changed_value_are_enough() -> None:
    assert ids(index_of(hot(), *OTHERS), "Lincoln? born in 1909, I swear") == ["lincoln"]


@pytest.mark.parametrize(
    "text",
    [
        "I like Abraham Lincoln",
        "born in Kentucky",
        "Hodgenville",
        "he was the one and it was on and in the",
        "",
        "the mill in the wood",
    ],
)
def test_a_post_that_says_nothing_of_the_fact_finds_nothing(text: str) -> None:
    assert found(index_of(hot(), *OTHERS), text) == []


def test_a_link_to_the_page_names_it_whatever_is_said() -> None:
    index = index_of(hot(names=("Abe Lincoln",)), *OTHERS)
    assert found(index, "wow", LINCOLN_LINK) == [Candidate("lincoln", True, 0.0)]
    assert ids(index, "wow", "https://en.m.wikipedia.org/w/index.php?title=Abe_Lincoln") == ["lincoln"]
    assert ids(index, "wow", "https://de.wikipedia.org/wiki/Abraham_Lincoln") == []
    assert ids(index, "wow", "https://en.wikipedia.org/?curid=307") == []


def test_an_everyday_title_names_nothing() -> None:
    index = index_of(
        hot("The novel sold 30,000 copies in Maine.", "The novel sold 90,000 copies in Maine.", "It")
    )
    assert ids(index, "It was nice in Maine") == []
    assert found(index, "It sold 90,000 copies, the novel")[0].named is False


def test_what_it_says_comes_before_what_it_only_touches() -> None:
    other = hot("Lincoln studied law in Springfield.", "Lincoln studied law in Chicago.", hot_id="law")
    index = index_of(hot(), other, *OTHERS)
    text = "Abraham Lincoln studied law in Chicago, and came from Kentucky"
    assert ids(index, text) == ["law", "lincoln"]


@pytest.mark.parametrize(
    ("before", "after", "title", "text"),
    [
        (
            "亚伯拉罕·林肯生于1809年。",
            "亚伯拉罕·林肯生于1909年。",
            "亚伯拉罕·林肯",
            "听说林肯生于1909年",
        ),
        (
            "エイブラハム・リンカーンは弁護士。",
            "エイブラハム・リンカーンは医師。",
            "エイブラハム・リンカーン",
            "リンカーンは医師だった",
        ),
        ("ลินคอล์นเกิดที่เคนทักกี", "ลินคอล์นเกิดที่ชิคาโก", "อับราฮัม ลินคอล์น", "รู้ไหมลินคอล์นเกิดที่ชิคาโก"),
        (
            "링컨은 켄터키에서 태어났다.",
            "링컨은 시카고에서 태어났다.",
            "에이브러햄 링컨",
            "링컨이 시카고에서 태어났다고",
        ),
        (
            "Линкольн родился в Кентукки.",
            "Линкольн родился в Чикаго.",
            "Авраам Линкольн",
            "Линкольн родился в Чикаго",
        ),
        (
            "ولد لينكولن في كنتاكي عام 1809",
            "ولد لينكولن في شيكاغو عام 1809",
            "أبراهام لينكولن",
            "لينكولن ولد في شيكاغو",
        ),
    ],
    ids=["zh", "ja", "th", "ko", "ru", "ar"],
)
def test_facts_of_any_script_are_found(before: str, after: str, title: str, text: str) -> None:
    assert ids(index_of(hot(before, after, title), *OTHERS), text) == ["lincoln"]


def test_put_again_replaces_and_removed_is_gone() -> None:
    index = index_of(hot(), *OTHERS)
    index.put(
        hot(
            after="He was born in Springfield, Illinois.", before="He was born in Boston, Massachusetts."
        )
    )
    assert len(index) == 1 + len(OTHERS)
    assert ids(index, "born in Hodgenville, Kentucky, 1809") == []
    assert ids(index, "born in Springfield, Illinois") == ["lincoln"]
    assert index.remove("lincoln") is not None
    assert index.remove("lincoln") is None
    assert index.get("lincoln") is None
    assert "lincoln" not in index
    assert ids(index, "Abraham Lincoln was born in Springfield, Illinois", LINCOLN_LINK) == []
    assert sorted(fact.hot_id for fact in index) == sorted(fact.hot_id for fact in OTHERS)


def test_a_fact_that_only_settled_is_the_one_given_back() -> None:
    index = index_of(hot())
    settled = msgspec.structs.replace(hot(), corrected_time=5.0)
    index.put(settled)
    assert index.get("lincoln") == settled
    assert ids(index, "born in Hodgenville, Kentucky") == ["lincoln"]


def test_names_that_came_later_name_it() -> None:
    index = index_of(hot())
    index.put(hot(names=("Honest Abe",)))
    assert found(index, "Honest Abe, of Kentucky")[0].named


def test_an_emptied_index_holds_nothing() -> None:
    index = index_of(hot(), *OTHERS)
    for fact in (hot(), *OTHERS):
        index.remove(fact.hot_id)
    assert len(index) == 0
    held = (index._postings._rare, index._postings._everyday, index._postings._lone)
    assert held == ({}, {}, {})
    assert (index._names._words, index._names._names, index._names._links) == ({}, {}, {})


def test_a_crowd_of_like_facts_gives_a_few_and_the_right_one_first() -> None:
    crowd = [
        hot(
            f"The parish of Ringsted has {at + 5_000} inhabitants.",
            f"The parish of Ringsted has {at + 15_000} inhabitants.",
            f"Place {at}",
            (),
            f"{at:04}",
        )
        for at in range(500)
    ]
    index = index_of(*crowd)
    right = found(index, "Parish of Ringsted: 15,321 inhabitants")
    assert right[0].hot_id == "0321"
    assert len(found(index, "the parish of Ringsted and its inhabitants")) <= MAX_CANDIDATES


def test_what_a_text_finds_does_not_hang_on_the_order_of_facts() -> None:
    facts = (hot(), *OTHERS, *(hot(title=f"Man {at}", hot_id=f"man{at:03}") for at in range(40)))
    forwards, backwards = index_of(*facts), index_of(*reversed(facts))
    backwards.remove("man003")
    backwards.put(facts[len(OTHERS) + 4])
    text = "born in 1909, in Hodgenville, Kentucky"
    assert found(forwards, text) == found(backwards, text) != []
    words = post_words(fold(text))
    assert forwards.similar(words, 7) == backwards.similar(words, 7) != []


def test_the_statements_of_a_text_find_together_what_they_find_one_by_one() -> None:
    """`met_each` does at once what `met` does: with few and with many that meet, and past the entries
    that there is room for."""
    rng = random.Random(3)
    vocabulary = [f"zweig{number}" for number in range(400)]
    postings = Postings()
    for slot in range(600):
        postings.add(slot, rng.sample(vocabulary, rng.choice((1, 3, 6, 9))))
    texts = [rng.sample(vocabulary, count) for count in (0, 1, 2, 3, 5, 8, 20, 80, 250, 400)]
    texts.append(["nowhere", *texts[4], *texts[4]])
    sizes = set()
    for most in (1, 5, 1_000):
        for text, found in zip(texts, postings.met_each(texts, most), strict=True):
            expected = sorted(postings.met(text), reverse=True)
            sizes.add(len(expected))
            if len(expected) > most:
                least = [one for one in expected if one[0] > 0.0][:most][-1:] or expected[-1:]
                expected = [one for one in expected if one[0] >= least[0][0] or one[0] == 0.0]
            assert sorted(found, reverse=True) == expected
    assert min(sizes) == 0
    assert max(sizes) > FEW


def test_a_long_text_gives_what_the_whole_says_then_what_each_statement_says() -> None:
    index = index_of(*OTHERS)
    said = [post_words(fold(fact.fact.after)) for fact in OTHERS]
    found = [one.hot_id for one in index.candidates_in(said, (), 100)]
    whole = [one.hot_id for one in index.candidates([word for words in said for word in words])]
    assert found[: len(whole)] == whole
    assert set(found) == {fact.hot_id for fact in OTHERS}
    assert [one.hot_id for one in index.candidates_in(said, (), 2)] == found[:2]
    assert index.candidates_in([], (), 5) == []
