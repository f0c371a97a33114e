"""The cascade from a post to the hot facts it bears on: candidates of the index, statements, rows, grades.

Rows of a whole batch go to the model in one call: its overhead is that of some hundred rows.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from streams.matching.folding import fold
from streams.matching.grade import Evidence, Graded, Thresholds, grade_of
from streams.matching.pair_features import Pair, pair_of
from streams.matching.pair_reasons import reasons_of
from streams.matching.post_words import post_words
from streams.matching.readings import Side, Sides, sides_of
from streams.matching.units import PostStatements, Unit, doubt_of, of_two_subjects
from streams.posts import HotFact, Match
from streams.records import Grade

MAX_SHOWN = 500
LONG = 500
"""Characters of a post from which its statements look for facts of their own."""
MAX_READ = 3_200
"""Characters of a post that are looked at; of longer texts whoever has them gives parts, as `check` does."""
MAX_FACTS = 24
"""Facts that one long post is held against."""
_ADDRESS = re.compile(r"https?://[^\s<>\"]{1,2000}")
MAX_PAIRS = 20
"""Statements held against facts for one post: those that say most of what one side has."""
COMPARED_CHARS = 6_000
"""Characters of the facts' two sides and, twice, of these statements: some 0.15 ms a thousand."""
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


class Text(Protocol):
    """What the matcher takes of a post."""

    @property
    def text(self) -> str: ...
    @property
    def links(self) -> tuple[str, ...]: ...


class PostText(NamedTuple):
    """The same of what is no post."""

    text: str
    links: tuple[str, ...] = ()


class Found(Protocol):
    """A hot fact that a text may be about."""

    @property
    def hot_id(self) -> str: ...
    @property
    def named(self) -> bool: ...


class Candidates(Protocol):
    """The index of hot facts."""

    def candidates(self, words: Sequence[str], links: Sequence[str] = ()) -> Sequence[Found]: ...
    def candidates_in(
        self, statements: Sequence[Sequence[str]], links: Sequence[str], limit: int
    ) -> Sequence[Found]: ...
    def get(self, hot_id: str) -> HotFact | None: ...


class PairScorer(Protocol):
    """The trained model."""

    @property
    def thresholds(self) -> Thresholds: ...
    def probability(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """That a statement states a side, by row of `FEATURE_NAMES`. Shape (n, features) -> (n,)."""
        ...


class _Chosen(NamedTuple):
    """A statement to be held against a fact."""

    fact: HotFact
    sides: Sides
    unit: Unit
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

    def match(self, text: str, links: Sequence[str] = ()) -> tuple[Match, ...]:
        """At most one a hot fact, the surest first; () for most posts."""
        return self.match_many([PostText(text, tuple(links))])[0]

    def match_many(self, posts: Sequence[Text]) -> list[tuple[Match, ...]]:
        """Of each post, in order."""
        # One thing after the other for all: held against facts one by one in between, a post in a hundred
        # would throw the index out of the processor's caches.
        bearing = [(at, found) for at, post in enumerate(posts) if (found := self._candidates(post))[0]]
        held = [
            one
            for at, (found, statements) in bearing
            for one in self._held(at, statements or PostStatements(posts[at].text), found)
        ]
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

    def _candidates(self, post: Text) -> tuple[Sequence[Found], PostStatements | None]:
        """Of the whole post; of a long one also of each statement, which are read then."""
        text, links = post.text, post.links
        if len(text) > MAX_READ:
            text = text[:MAX_READ]
        if "://" in text:
            links = (*links, *_ADDRESS.findall(text))
        if len(text) <= LONG:
            return self._index.candidates(post_words(fold(text)), links), None
        statements = PostStatements(text)
        words = [post_words(folded) for folded in statements.folded]
        return self._index.candidates_in(words, links, MAX_FACTS), statements

    def _held(self, at: int, statements: PostStatements, found: Iterable[Found]) -> Iterator[_Held]:
        facts = [
            (fact, self._read(fact), candidate.named)
            for candidate in found
            if (fact := self._index.get(candidate.hot_id)) is not None
        ]
        statements.look_for(sides for _, sides, _ in facts)
        chosen = [
            _Chosen(fact, sides, unit, named)
            for fact, sides, named in facts
            for unit in statements.bearing_on(sides)
        ]
        for fact, sides, unit, named in _within(chosen):
            yield _Held(at, fact, sides, unit, named, pair_of(unit.reading, sides, named))

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
        graded = grade_of(
            one.fact.kind,
            Evidence(one.pair.before, before, one.pair.before.explained * weight),
            Evidence(one.pair.after, after, one.pair.after.explained * weight),
            doubt,
            self._model.thresholds,
        )
        if graded is None or graded.grade is Grade.SUGGESTED:
            return graded
        side = one.sides.after if graded.after else one.sides.before
        if of_two_subjects(one.unit, one.sides, side):
            if graded.grade is Grade.STATES_GOOD:
                return None
            return Graded(Grade.SUGGESTED, graded.probability, graded.after)
        return graded


def _within(chosen: Sequence[_Chosen]) -> Sequence[_Chosen]:
    """As many as there is room for in one post, in their order."""
    if len(chosen) <= MAX_PAIRS and sum(map(_size, chosen)) <= COMPARED_CHARS:
        return chosen
    room = COMPARED_CHARS
    kept: list[int] = []
    for at in sorted(range(len(chosen)), key=lambda at: -_promise(chosen[at])):
        room -= _size(chosen[at])
        if room < 0 or len(kept) == MAX_PAIRS:
            break
        kept.append(at)
    return [chosen[at] for at in sorted(kept)]


def _size(one: _Chosen) -> int:
    return 2 * len(one.unit.reading.text) + len(one.sides.before.text) + len(one.sides.after.text)


def _promise(one: _Chosen) -> float:
    """Of the nearer side, the share of what only it has that is said, names of the page apart, and half that
    of all its words."""
    said, names = one.unit.reading.vocabulary, one.sides.names
    return max(_said_of(side, said, names) for side in (one.sides.before, one.sides.after))


def _said_of(side: Side, said: frozenset[str], names: frozenset[str]) -> float:
    if not side.only:
        return 0.0
    shared = (side.vocabulary & said) - names
    telling = sum(side.only[word] for word in shared if word in side.only) / side.only_weight
    return telling + 0.5 * len(shared) / len(side.vocabulary)


def _best(of_fact: Sequence[tuple[_Held, Graded, str]]) -> Match:
    """Of the statements that bear on one fact, a single one rather than two together. A post that has
    what both sides of a vandalised one say may be telling them apart: for a person to look at."""
    one, graded, doubt = max(
        of_fact, key=lambda item: (_RANK[item[1].grade], not item[0].unit.parts, item[1].probability)
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
