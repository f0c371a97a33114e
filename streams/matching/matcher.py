"""The cascade from a post to the hot facts it bears on: candidates of the index, statements, rows, grades.

Rows of a whole batch go to the model in one call: its overhead is that of some hundred rows.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from streams.matching.folding import MAX_READ, fold
from streams.matching.grade import Evidence, Graded, Thresholds, grade_of
from streams.matching.pair_features import Pair, pair_of
from streams.matching.pair_reasons import reasons_of
from streams.matching.post_words import post_words
from streams.matching.readings import Sides, sides_of
from streams.matching.statements import split_statements
from streams.matching.units import Unit, bearing_on, doubt_of, units_of
from streams.posts import HotFact, Match
from streams.records import Grade

MAX_SHOWN = 500
LONG = 500
"""Characters of a post from which its statements look for facts of their own."""
MAX_FACTS = 20
"""Facts that one long post is held against."""
_ADDRESS = re.compile(r"https?://[^\s<>\"]{1,2000}")
MAX_PAIRS = 40
"""Statements held against facts for one post, 0.15 ms each: its best candidates go first."""
BOTH_SIDES = 0.5
"""Share of what only the side before has, from which another statement of the post states it too."""
CACHED_FACTS = 20_000
"""Facts that stay read, some 12 KB each; another is read again in 0.3 ms when a post is about it."""
_RANK = {
    Grade.REPEATS_VANDALISED: 3,
    Grade.REPEATS_CONTESTED: 3,
    Grade.STATES_GOOD: 2,
    Grade.SUGGESTED: 1,
}


class PostText(NamedTuple):
    """What the matcher takes of a post."""

    text: str
    links: tuple[str, ...] = ()
    language: str | None = None


class Found(Protocol):
    """A hot fact that a text may be about."""

    @property
    def hot_id(self) -> str: ...
    @property
    def named(self) -> bool: ...


class Candidates(Protocol):
    """The index of hot facts."""

    def candidates(self, words: Sequence[str], links: Sequence[str] = ()) -> Sequence[Found]: ...
    def get(self, hot_id: str) -> HotFact | None: ...


class PairScorer(Protocol):
    """The trained model."""

    @property
    def thresholds(self) -> Thresholds: ...
    def probability(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """That a statement states a side, by row of `FEATURE_NAMES`. Shape (n, features) -> (n,)."""
        ...


class _Candidate(NamedTuple):
    hot_id: str
    named: bool


class _Held(NamedTuple):
    """One statement held against one fact."""

    post: int
    fact: HotFact
    sides: Sides
    unit: Unit
    named: bool
    pair: Pair


class Matcher:
    """Says what posts do with hot facts. The result for a post depends on it and on the facts that are
    hot, not on the batch it came in."""

    def __init__(self, index: Candidates, model: PairScorer) -> None:
        self._index = index
        self._model = model
        self._sides: OrderedDict[str, tuple[HotFact, Sides]] = OrderedDict()

    def match(
        self, text: str, links: Sequence[str] = (), language: str | None = None
    ) -> tuple[Match, ...]:
        """At most one a hot fact, the surest first; () for most posts."""
        return self.match_many([PostText(text, tuple(links), language)])[0]

    def match_many(self, posts: Sequence[PostText]) -> list[tuple[Match, ...]]:
        """Of each post, in order."""
        held: list[_Held] = []
        for at, post in enumerate(posts):
            found = self._candidates(post)
            if found:
                held += self._held(at, post.text, found)
        if not held:
            return [()] * len(posts)
        rows = [row for one in held for row in (one.pair.before_row, one.pair.after_row)]
        probability = self._model.probability(np.array(rows)).reshape(-1, 2).tolist()
        by_post: dict[int, dict[str, list[tuple[_Held, Graded, str]]]] = {}
        for one, (before, after) in zip(held, probability, strict=True):
            doubt = doubt_of(one.unit, one.sides)
            graded = self._graded(one, before, after, doubt)
            if graded is not None:
                by_post.setdefault(one.post, {}).setdefault(one.fact.hot_id, []).append(
                    (one, graded, doubt)
                )
        return [
            _ranked(_best(of_fact) for of_fact in by_post[at].values()) if at in by_post else ()
            for at in range(len(posts))
        ]

    def _candidates(self, post: PostText) -> list[_Candidate]:
        """Of the whole post; of a long one also of each statement, as one of many says little in the
        whole. The page may be named in any of them."""
        links = (
            (*post.links, *_ADDRESS.findall(post.text[:MAX_READ])) if "://" in post.text else post.links
        )
        words = post_words(fold(post.text))
        whole = self._index.candidates(words, links)
        found = {one.hot_id: _Candidate(one.hot_id, one.named) for one in whole}
        if len(post.text) > LONG:
            for statement in split_statements(post.text):
                for one in self._index.candidates(post_words(fold(statement.text))):
                    if one.hot_id not in found and len(found) < MAX_FACTS:
                        found[one.hot_id] = _Candidate(one.hot_id, one.named)
        return list(found.values())

    def _held(self, at: int, text: str, found: Iterable[_Candidate]) -> list[_Held]:
        held: list[_Held] = []
        units: dict[str, list[Unit]] = {}
        for candidate in found:
            fact = self._index.get(candidate.hot_id)
            if fact is None:
                continue
            sides = self._read(fact)
            language = sides.language
            if language not in units:
                units[language] = units_of(text, language)
            for unit in bearing_on(units[language], sides):
                if len(held) == MAX_PAIRS:
                    return held
                pair = pair_of(unit.reading, sides, candidate.named)
                held.append(_Held(at, fact, sides, unit, candidate.named, pair))
        return held

    def _read(self, fact: HotFact) -> Sides:
        known = self._sides.get(fact.hot_id)
        if known is not None and known[0].fact == fact.fact and known[0].names == fact.names:
            self._sides.move_to_end(fact.hot_id)
            return known[1]
        sides = sides_of(fact)
        self._sides[fact.hot_id] = fact, sides
        if len(self._sides) > CACHED_FACTS:
            self._sides.popitem(last=False)
        return sides

    def _graded(self, one: _Held, before: float, after: float, doubt: str) -> Graded | None:
        weight = one.unit.reading.weight
        return grade_of(
            one.fact.kind,
            Evidence(one.pair.before, before, one.pair.before.explained * weight),
            Evidence(one.pair.after, after, one.pair.after.explained * weight),
            doubt,
            self._model.thresholds,
        )


def _best(of_fact: Sequence[tuple[_Held, Graded, str]]) -> Match:
    """Of the statements that bear on one fact, a single one rather than two together. A post that has
    what both sides of a vandalised one say may be telling them apart: for a person to look at."""
    one, graded, doubt = max(
        of_fact, key=lambda item: (_RANK[item[1].grade], not item[0].unit.joined, item[1].probability)
    )
    if graded.grade is Grade.REPEATS_VANDALISED and any(
        other.grade is Grade.STATES_GOOD or (held.pair.before.words or 0.0) >= BOTH_SIDES
        for held, other, _ in of_fact
        if held is not one
    ):
        graded = Graded(Grade.SUGGESTED, graded.probability, graded.after)
    return Match(
        hot_id=one.fact.hot_id,
        grade=graded.grade,
        probability=round(graded.probability, 4),
        similarity=round(one.pair.similarity, 4),
        statement=one.unit.text[:MAX_SHOWN],
        reasons=reasons_of(one.fact, graded, one.pair.before, one.pair.after, doubt, one.named),
    )


def _ranked(matches: Iterable[Match]) -> tuple[Match, ...]:
    return tuple(
        sorted(matches, key=lambda match: (-_RANK[match.grade], -match.probability, match.hot_id))
    )
