"""A fact's two sides and a post's statement, read so that they can be compared: the dear part of it.

A fact is read once (`sides_of`), a statement once (`read_statement`); `agreement` compares what was read.
"""

from __future__ import annotations

import msgspec

from streams.matching.canonical import (
    FUNCTION_WEIGHT,
    MAX_CHARS,
    canonical_words,
    is_number,
    weigh,
    weight_of,
)
from streams.matching.denial import negations_at
from streams.matching.folding import fold
from streams.posts import HotFact
from streams.stages.names import names_of
from streams.stages.tokens import words as words_of
from streams.stages.values import language_of

START, END = "\x02", "\x03"
NEAR = 3
"""Unchanged words kept around a change to be looked for as one piece."""
MAX_NAMES = 8
MAX_ALL_NAMES = 50
"""As many as the index finds a page by."""

Pair = tuple[str, str]


class Side(msgspec.Struct, frozen=True, gc=False):
    """One side of a fact, read against the other."""

    words: tuple[str, ...]
    vocabulary: frozenset[str]
    pairs: frozenset[Pair]
    weight: float
    """Of its vocabulary."""
    common: frozenset[str]
    """Words the other side has too."""
    common_weight: float
    only: dict[str, float]
    """Words the other side lacks, and what they weigh."""
    only_pairs: frozenset[Pair]
    only_weight: float
    only_numbers: frozenset[str]
    numbers: frozenset[str]
    text: str
    """The canonical words."""
    near: str
    """The changed words and a few around them."""
    negations: int


class Sides(msgspec.Struct, frozen=True, gc=False):
    """A fact as it is compared."""

    before: Side
    after: Side
    vocabulary: frozenset[str]
    """Of both."""
    title: frozenset[str]
    """Words of the page's names: a statement may have them where the sentence says "he"."""
    names: frozenset[str]
    """The same of all its names: who says no more only names the page."""
    language: str
    asks: bool
    """A side of it is itself a question."""


class Reading(msgspec.Struct, frozen=True, gc=False):
    """A statement of a post, read to be compared."""

    words: tuple[str, ...]
    vocabulary: frozenset[str]
    pairs: frozenset[Pair]
    weight: float
    numbers: frozenset[str]
    names: frozenset[str]
    """Words of its names, as far as capitals tell."""
    text: str
    negations: tuple[int, ...]
    """Where they stand."""


def sides_of(fact: HotFact) -> Sides:
    """Both sides of a fact, read. Cost grows with its length, some 0.2 ms: do it once a fact."""
    language = language_of(fact.wiki)
    before = canonical_words(fold(fact.fact.before), language)
    after = canonical_words(fold(fact.fact.after), language)
    names = fact.names[:MAX_NAMES] or (fact.title,)
    title = frozenset(word for name in names for word in canonical_words(fold(name), language))
    return Sides(
        before=_side(before, after, title, language),
        after=_side(after, before, title, language),
        vocabulary=frozenset((*before, *after)),
        title=title,
        names=title | frozenset(words_of(fold("\n".join((fact.title, *fact.names[:MAX_ALL_NAMES]))))),
        language=language,
        asks="?" in fact.fact.before[-3:] + fact.fact.after[-3:],
    )


def _side(words: tuple[str, ...], others: tuple[str, ...], title: frozenset[str], language: str) -> Side:
    vocabulary, pairs = frozenset(words), _pairs(words)
    theirs = frozenset(others)
    common = vocabulary & theirs
    # Who names the page has its words, whichever side is stated.
    only = {
        word: FUNCTION_WEIGHT if word in title and theirs else weight_of(word)
        for word in words
        if word not in theirs
    }
    only_pairs = pairs - _pairs(others)
    return Side(
        words=words,
        vocabulary=vocabulary,
        pairs=pairs,
        weight=weigh(vocabulary),
        common=common,
        common_weight=weigh(common),
        only=only,
        only_pairs=only_pairs,
        only_weight=sum(only.values()),
        only_numbers=frozenset(filter(is_number, only)),
        numbers=frozenset(filter(is_number, vocabulary)),
        text=" ".join(words),
        near=" ".join(_near(words, others)),
        negations=len(negations_at(words, language)),
    )


def _pairs(words: tuple[str, ...]) -> frozenset[Pair]:
    return frozenset(zip((START, *words), (*words, END), strict=True)) if words else frozenset()


def _near(words: tuple[str, ...], others: tuple[str, ...]) -> tuple[str, ...]:
    shorter = min(len(words), len(others))
    first = next((at for at in range(shorter) if words[at] != others[at]), shorter)
    last = next(
        (at for at in range(shorter - first) if words[-1 - at] != others[-1 - at]), shorter - first
    )
    return words[max(0, first - NEAR) : len(words) - last + NEAR]


def read_statement(written: str, language: str, folded: str | None = None) -> Reading:
    """`written` as its author wrote it: capitals tell names; `folded`, where that is known already.
    `language` is the fact's: it says how numbers are grouped and what denies."""
    if folded is None:
        folded = fold(written[:MAX_CHARS])
    words = canonical_words(folded, language)
    vocabulary = frozenset(words)
    return Reading(
        words=words,
        vocabulary=vocabulary,
        pairs=_pairs(words),
        weight=weigh(vocabulary),
        numbers=frozenset(filter(is_number, vocabulary)),
        names=frozenset(words_of(fold(" ".join(names_of(written[:MAX_CHARS]))))),
        text=" ".join(words),
        negations=negations_at(words, language),
    )
