"""How well pairs are told by a matcher that never saw their article: figures of the report and the card."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

import msgspec

from models.pair_maker import PostPair, Says
from models.pair_rows import named_in
from streams.matching.folding import fold
from streams.matching.matcher import Matcher, PairScorer, PostText
from streams.matching.post_words import MAX_WORDS, post_words
from streams.posts import HotFact, HotKind, Match
from streams.records import Grade

REPEATS = frozenset({Grade.REPEATS_VANDALISED, Grade.REPEATS_CONTESTED})
NONE = "none"


class PairFigures(msgspec.Struct, frozen=True):
    """Of one article. `precision` and `recall` are of repeats-vandalised: posts that state the side after."""

    name: str
    pairs: int
    stating_after: int
    stating_before: int
    precision: float
    recall: float
    good_flagged: float
    """Share of the posts that state what stood before, and are taken for repeats."""
    good_told: float
    """Share of them graded states-good."""
    denials_flagged: float
    grades_by_kind: dict[str, dict[str, int]]
    """By what is said and how the pair was made."""


class _Candidate(NamedTuple):
    hot_id: str
    named: bool


class _Given:
    """Gives each post the facts it is paired with, and nothing else: what is measured is telling, not
    finding."""

    def __init__(self, pairs: Sequence[PostPair]) -> None:
        self._facts = {pair.fact.hot_id: pair.fact for pair in pairs}
        self._by_words: dict[tuple[str, ...], dict[str, _Candidate]] = {}
        for pair in pairs:
            of_text = self._by_words.setdefault(_words(pair.text), {})
            of_text[pair.fact.hot_id] = _Candidate(pair.fact.hot_id, named_in(pair))

    def candidates(self, words: Sequence[str], links: Sequence[str] = ()) -> list[_Candidate]:
        return list(self._by_words.get(tuple(words), {}).values())

    def candidates_in(
        self, statements: Sequence[Sequence[str]], links: Sequence[str], limit: int
    ) -> list[_Candidate]:
        found: dict[str, _Candidate] = {}
        whole = list(chain.from_iterable(statements))[:MAX_WORDS]
        for words in (whole, *statements):
            for one in self.candidates(words):
                found.setdefault(one.hot_id, one)
        return list(found.values())[:limit]

    def get(self, hot_id: str) -> HotFact | None:
        return self._facts.get(hot_id)


def _words(text: str) -> tuple[str, ...]:
    return tuple(post_words(fold(text)))


def as_vandalised(pairs: Sequence[PostPair]) -> list[PostPair]:
    """The same pairs, every fact held against as one that was vandalised: the side after is the bad one."""
    replace = msgspec.structs.replace
    return [replace(pair, fact=replace(pair.fact, kind=HotKind.VANDALISED)) for pair in pairs]


def matches_of(pairs: Sequence[PostPair], model: PairScorer) -> list[Match | None]:
    """What the matcher says of each post and the fact of its pair."""
    found: list[Match | None] = []
    for start in range(0, len(pairs), 256):
        batch = pairs[start : start + 256]
        posts = [PostText(pair.text, pair.links) for pair in batch]
        matched = Matcher(_Given(batch), model).match_many(posts)
        found += [
            next((one for one in matches if one.hot_id == pair.fact.hot_id), None)
            for pair, matches in zip(batch, matched, strict=True)
        ]
    return found


def figures_of(name: str, pairs: Sequence[PostPair], model: PairScorer) -> PairFigures:
    pairs = as_vandalised(pairs)
    grades = [None if match is None else match.grade for match in matches_of(pairs, model)]
    flagged = [grade in REPEATS for grade in grades]

    def share(says: Says, hits: Sequence[bool]) -> float:
        of_kind = [hit for pair, hit in zip(pairs, hits, strict=True) if pair.says is says]
        return sum(of_kind) / len(of_kind) if of_kind else 0.0

    right = sum(hit and pair.says is Says.AFTER for pair, hit in zip(pairs, flagged, strict=True))
    by_kind: dict[str, Counter[str]] = {}
    for pair, grade in zip(pairs, grades, strict=True):
        by_kind.setdefault(f"{pair.says}: {pair.kind}", Counter())[grade.value if grade else NONE] += 1
    return PairFigures(
        name=name,
        pairs=len(pairs),
        stating_after=sum(pair.says is Says.AFTER for pair in pairs),
        stating_before=sum(pair.says is Says.BEFORE for pair in pairs),
        precision=right / max(1, sum(flagged)),
        recall=share(Says.AFTER, flagged),
        good_flagged=share(Says.BEFORE, flagged),
        good_told=share(Says.BEFORE, [grade is Grade.STATES_GOOD for grade in grades]),
        denials_flagged=share(Says.DENIES, flagged),
        grades_by_kind={kind: dict(sorted(by_kind[kind].items())) for kind in sorted(by_kind)},
    )
