"""The memory of a page's words: right after any edits, the same whatever the batches, and bounded."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.stages.diff import text_delta
from streams.stages.tokens import words
from streams.state import words as module
from streams.state.words import CAPACITY, GONE_FLOOR, UNKNOWN, PackedWords, WordMemory

DAY_S = 86_400.0
PAGES = st.lists(
    st.lists(st.sampled_from("ant bee cat dog eel fox gnu hen".split()), max_size=8).map(" ".join),
    min_size=1,
    max_size=8,
)


def follow(memory: WordMemory, texts: list[str], reverts: frozenset[int] = frozenset()) -> WordMemory:
    """Fold in the revisions 1, 2, … a day apart."""
    before: str | None = None
    for rev_id, text in enumerate(texts, start=1):
        now = DAY_S * rev_id
        delta = text_delta(before, text)
        memory.stand_at(rev_id - 1 if before is not None else None, before, now)
        memory.advance(delta.gained, delta.lost, rev_id, now, reverts_others=rev_id in reverts)
        before = text
    return memory


def state_of(memory: WordMemory) -> PackedWords:
    return memory.pack()


def column(memory: WordMemory, name: str, word: str) -> int:
    value: int = getattr(memory, name)[memory.index[word]]
    return value


@given(PAGES)
def test_counts_are_the_pages_own(texts: list[str]) -> None:
    memory = follow(WordMemory(), texts)
    here = {word: memory.count[at] for word, at in memory.index.items() if memory.count[at]}
    assert here == dict(Counter(words(texts[-1])))
    assert memory.total == len(words(texts[-1]))
    assert memory.present == len(here)


@given(PAGES, st.frozensets(st.integers(1, 8)))
def test_many_words_at_once_or_one_by_one_give_the_same(
    texts: list[str], reverts: frozenset[int]
) -> None:
    one_by_one = state_of(follow(WordMemory(), texts, reverts))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BULK", 1)
        at_once = follow(WordMemory(), texts, reverts)
    assert table(WordMemory.unpack(one_by_one)) == table(at_once)


def table(memory: WordMemory) -> dict[str, tuple[int, ...]]:
    columns = ("count", "since_rev", "since_s", "life_revs", "life_s", "thrown")
    return {
        word: tuple(getattr(memory, name)[at] for name in columns) for word, at in memory.index.items()
    }


@given(PAGES, st.frozensets(st.integers(1, 8)))
def test_writing_and_reading_between_edits_changes_nothing(
    texts: list[str], reverts: frozenset[int]
) -> None:
    straight = follow(WordMemory(), texts, reverts)
    stored, before = WordMemory(), None
    for rev_id, text in enumerate(texts, start=1):
        packed = msgspec.msgpack.encode(stored.pack())
        stored = WordMemory.unpack(msgspec.msgpack.decode(packed, type=PackedWords))
        delta = text_delta(before, text)
        stored.stand_at(rev_id - 1 if before is not None else None, before, DAY_S * rev_id)
        stored.advance(
            delta.gained, delta.lost, rev_id, DAY_S * rev_id, reverts_others=rev_id in reverts
        )
        before = text
    assert state_of(stored) == state_of(straight)


def test_a_word_lives_from_when_it_came_until_it_went() -> None:
    memory = follow(WordMemory(), ["ant", "ant bee", "ant bee", "ant bee", "ant"])
    assert column(memory, "life_revs", "bee") == 3
    assert column(memory, "life_s", "bee") == 3 * DAY_S
    assert column(memory, "count", "bee") == 0
    assert column(memory, "since_rev", "ant") == 1


def test_what_a_revert_takes_away_was_thrown_out() -> None:
    memory = follow(WordMemory(), ["ant", "ant bee", "ant"], reverts=frozenset({3}))
    assert column(memory, "thrown", "bee") == 1
    assert column(memory, "thrown", "ant") == 0
    assert memory.thrown_total == 1


def test_a_page_first_met_live_does_not_pretend_to_know_ages() -> None:
    memory = WordMemory()
    memory.stand_at(41, "ant bee", 1_000.0)
    assert not memory.from_creation
    assert column(memory, "since_rev", "ant") == UNKNOWN
    assert column(memory, "count", "bee") == 1


def test_revisions_that_were_missed_are_caught_up_with() -> None:
    memory = follow(WordMemory(), ["ant bee", "ant bee cat"])
    memory.stand_at(9, "ant dog dog", 9 * DAY_S)
    here = {word: memory.count[at] for word, at in memory.index.items() if memory.count[at]}
    assert here == {"ant": 1, "dog": 2}
    assert column(memory, "since_rev", "ant") == 1, "it stood all the time"
    assert column(memory, "since_rev", "dog") == UNKNOWN, "nobody saw it come"
    assert memory.total == 3


def test_an_incomplete_difference_is_counted_anew_at_the_next_edit() -> None:
    memory = WordMemory()
    memory.stand_at(None, None, 0.0)
    memory.advance({"ant": 1}, {}, 1, 0.0, reverts_others=False, complete=False)
    memory.stand_at(1, "ant bee", 1.0)
    assert column(memory, "count", "bee") == 1


def test_it_is_bounded_and_drops_what_is_gone_longest() -> None:
    memory = WordMemory()
    memory.stand_at(None, None, 0.0)
    memory.advance({"stays": 1}, {}, 1, 0.0, reverts_others=False)
    memory.advance({"graffito": 1}, {}, 2, 1.0, reverts_others=False)
    memory.advance({}, {"graffito": 1}, 3, 2.0, reverts_others=True)
    for rev_id in range(4, 3 * GONE_FLOOR):
        gained = {f"word{rev_id}": 1}
        lost = {f"word{rev_id - 1}": 1} if rev_id > 4 else {}
        memory.advance(gained, lost, rev_id, float(rev_id), reverts_others=False)
    assert len(memory.index) <= 2 * (GONE_FLOOR + 2) + 1
    assert "word4" not in memory.index
    assert "graffito" in memory.index, "what reverts threw out is kept longest"
    assert column(memory, "count", "stays") == 1


def test_a_text_of_very_many_words_stays_within_the_capacity() -> None:
    memory = WordMemory()
    memory.stand_at(7, " ".join(f"w{n}" for n in range(3 * CAPACITY)), 0.0)
    assert len(memory.index) <= CAPACITY
