"""What of a post is held against a fact: its statements, and neighbours together where a fact spans two."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from streams.matching.canonical import weigh, weight_of
from streams.matching.denial import is_question, takes_back
from streams.matching.folding import fold
from streams.matching.readings import Reading, Side, Sides, read_statement
from streams.matching.statements import MAX_STATEMENT, split_statements
from streams.stages.tokens import words as words_of
from streams.stages.word_tables import word_set

ALONE = 2
"""Statements of a post that are held against one fact, those that share most with it."""
ASIDE = 80
"""Characters of a neighbour that may be a remark on the statement: "That is false.\""""
MIN_SHARED = 1.5
"""Weight of shared words from which a statement may bear on a fact at all."""
READ_ALL_CHARS = 1_000
READ_ALL = 16
"""Statements, and characters, of a post that is read as a whole."""
READ_CHARS = 1_600
"""Characters of one post that are read in all, two statements together counted again: 0.3 ms a thousand."""
FREQUENT = 16
"""Statements with one word, from which it tells none of them."""
_PRONOUNS = word_set(
    "he she it they his her its their er sie es sein seine ihr ihre il elle ils elles son sa él ella su ele ela"
    " lui lei egli hij zij ze он она оно они его её han hon 他 她 它 彼"
)
"""By which a statement goes on about who was named before it."""


class Unit(msgspec.Struct, frozen=True, gc=False):
    """A statement, or two together."""

    text: str
    """As written."""
    reading: Reading
    folded: tuple[str, ...]
    """The statement as it is compared, then the short remarks on either side of it."""
    parts: tuple[Reading, ...] = ()
    """The two, of two together."""


class PostStatements:
    """The statements of one post, read when they are asked for, each once and few in all."""

    def __init__(self, text: str) -> None:
        statements = split_statements(text)
        self._texts = [one.text for one in statements]
        self._folded = [fold(written) for written in self._texts]
        self._units: dict[tuple[str, int, int], Unit | None] = {}
        self._room = READ_CHARS
        self._short = len(statements) <= READ_ALL and sum(map(len, self._texts)) <= READ_ALL_CHARS
        self._places: dict[str, list[int]] = {}
        """Of a long one: where words of the facts looked for stand."""

    @property
    def folded(self) -> Sequence[str]:
        """Each as it is compared, in order."""
        return self._folded

    def look_for(self, facts: Iterable[Sides]) -> None:
        """All that `bearing_on` will be asked about: before it is."""
        if self._short:
            return
        words = frozenset[str]().union(*(sides.vocabulary for sides in facts))
        for at, folded in enumerate(self._folded):
            for word in words.intersection(words_of(folded)):
                self._places.setdefault(word, []).append(at)

    def bearing_on(self, sides: Sides) -> list[Unit]:
        """The few that may state the fact, the likeliest first: at most ALONE, and the first of them
        joined with a neighbour that says more of it."""
        units = self._near(sides)
        ranked = sorted(
            ((_shared(unit.reading, sides), -at) for at, unit in units.items()), reverse=True
        )
        places = [-at for weight, at in ranked[:ALONE] if weight >= MIN_SHARED]
        if not places and len(units) > 1:
            places = [-at for weight, at in ranked[:1] if weight > 0]
        found = [units[at] for at in places]
        if places:
            joined = self._joined(units, places[0], sides)
            if joined is not None:
                found.append(joined)
        return found

    def _near(self, sides: Sides) -> dict[int, Unit]:
        """By place: all of a short post, of a long one those that share most with the fact."""
        places: Iterable[int] = range(len(self._texts))
        if not self._short:
            places = self._likeliest(sides)
        found = {}
        for at in places:
            unit = self._unit(at, sides.language)
            if unit is not None:
                found[at] = unit
        return found

    def _likeliest(self, sides: Sides) -> list[int]:
        """By words as they are written; then the neighbours of the first."""
        weights: dict[int, float] = {}
        for word in sides.vocabulary & self._places.keys():
            places = self._places[word]
            if len(places) <= FREQUENT:
                weight = weight_of(word) / (1 + (word in sides.names))
                for at in places:
                    weights[at] = weights.get(at, 0.0) + weight
        ranked = sorted(weights, key=lambda at: (-weights[at], at))[:ALONE] or [0]
        beside = (at for at in (ranked[0] - 1, ranked[0] + 1) if 0 <= at < len(self._texts))
        return [*ranked, *(at for at in beside if at not in ranked)]

    def _unit(self, at: int, language: str) -> Unit | None:
        """None where no more may be read."""
        key = (language, at, at)
        if key not in self._units:
            reading = self._read(self._texts[at], language, self._folded[at])
            around = [
                near
                for near in (*self._folded[max(0, at - 1) : at], *self._folded[at + 1 : at + 2])
                if len(near) <= ASIDE
            ]
            folded = (self._folded[at], *around)
            self._units[key] = Unit(self._texts[at], reading, folded) if reading is not None else None
        return self._units[key]

    def _read(self, text: str, language: str, folded: str | None = None) -> Reading | None:
        if len(text) > self._room:
            return None
        self._room -= len(text)
        return read_statement(text, language, folded)

    def _joined(self, units: dict[int, Unit], at: int, sides: Sides) -> Unit | None:
        """With the neighbour that adds a word that tells the sides apart, or else the most of their words."""
        own = units[at].reading.vocabulary
        telling = (sides.before.only.keys() | sides.after.only.keys()) - own
        theirs = sides.vocabulary - own
        best, adds = -1, 1
        for near in (at - 1, at + 1):
            if near in units:
                words = units[near].reading.vocabulary
                more = 2 * len(words & telling) + sum(weight_of(word) == 1.0 for word in words & theirs)
                if more > adds:
                    best, adds = near, more
        if best < 0:
            return None
        return self._together(min(at, best), max(at, best), sides.language)

    def _together(self, first: int, second: int, language: str) -> Unit | None:
        key = (language, first, second)
        if key not in self._units:
            one, other = self._units[language, first, first], self._units[language, second, second]
            assert one is not None
            assert other is not None
            text = f"{one.text} {other.text}"
            reading = self._read(text, language) if len(text) <= MAX_STATEMENT else None
            folded = (f"{self._folded[first]} {self._folded[second]}",)
            parts = (one.reading, other.reading)
            self._units[key] = Unit(text, reading, folded, parts) if reading is not None else None
        return self._units[key]


def doubt_of(unit: Unit, sides: Sides) -> str:
    """The words by which it takes itself back, "?" where it asks, else "". What the fact says itself is
    no doubt."""
    folded, *around = unit.folded
    for text in (folded, *around):
        cue = takes_back(text, sides.vocabulary)
        if cue:
            return cue
    return "?" if is_question(folded) and not sides.asks else ""


def of_two_subjects(unit: Unit, sides: Sides, side: Side) -> bool:
    """Whether, of two statements together, the one that says what only `side` has is about somebody or
    something else than the fact: "Lincoln was president. Edison was born in 1808." """
    if not unit.parts:
        return False
    telling = max(unit.parts, key=lambda part: weigh(part.vocabulary & side.only.keys()))
    opening: list[str] = []
    for word in telling.words:
        if word in side.vocabulary and word not in sides.names and weight_of(word) == 1.0:
            break
        opening.append(word)
    if not _PRONOUNS.isdisjoint(opening):
        return False
    known = side.vocabulary | sides.names
    if any(word not in known and weight_of(word) == 1.0 for word in opening):
        return True
    return telling.vocabulary.isdisjoint(sides.names) and not telling.names <= known


def _shared(reading: Reading, sides: Sides) -> float:
    return weigh(reading.vocabulary & sides.vocabulary)
