"""What of a post is held against a fact: its statements, and neighbours together where a fact spans two."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from streams.matching.canonical import weight_of
from streams.matching.denial import is_question, takes_back
from streams.matching.folding import fold
from streams.matching.readings import Reading, Sides, read_statement
from streams.matching.statements import MAX_STATEMENT, split_statements

ALONE = 2
"""Statements of a post that are held against one fact, those that share most with it."""
ASIDE = 80
"""Characters of a neighbour that may be a remark on the statement: "That is false.\""""
MIN_SHARED = 1.5
"""Weight of shared words from which a statement may bear on a fact at all."""


class Unit(msgspec.Struct, frozen=True, gc=False):
    """A statement, or two together."""

    text: str
    """As written."""
    reading: Reading
    folded: tuple[str, ...]
    """The statement as it is compared, then the short remarks on either side of it."""
    joined: bool = False


def units_of(text: str, language: str) -> list[Unit]:
    """The statements of a post in order, read as a fact of this language is."""
    statements = [(one.text, fold(one.text)) for one in split_statements(text)]
    units = []
    for at, (written, folded) in enumerate(statements):
        around = [
            near
            for _, near in (*statements[max(0, at - 1) : at], *statements[at + 1 : at + 2])
            if len(near) <= ASIDE
        ]
        units.append(Unit(written, read_statement(written, language), (folded, *around)))
    return units


def bearing_on(units: Sequence[Unit], sides: Sides) -> list[Unit]:
    """The few that may state the fact, the likeliest first: at most ALONE, and the first of them joined
    with a neighbour that says more of it."""
    ranked = sorted(
        ((_shared(unit.reading, sides), -at) for at, unit in enumerate(units)),
        reverse=True,
    )
    places = [-at for weight, at in ranked[:ALONE] if weight >= MIN_SHARED]
    if not places and len(units) > 1:
        places = [-at for weight, at in ranked[:1] if weight > 0]
    found = [units[at] for at in places]
    if places and len(units) > 1:
        joined = _joined(units, places[0], sides)
        if joined is not None:
            found.append(joined)
    return found


def doubt_of(unit: Unit, sides: Sides) -> str:
    """The words by which it takes itself back, "?" where it asks, else "". What the fact says itself is
    no doubt."""
    folded, *around = unit.folded
    vocabulary = sides.before.vocabulary | sides.after.vocabulary
    for text in (folded, *around):
        cue = takes_back(text, vocabulary)
        if cue:
            return cue
    return "?" if is_question(folded) and not sides.asks else ""


def _shared(reading: Reading, sides: Sides) -> float:
    words = reading.vocabulary & (sides.before.vocabulary | sides.after.vocabulary)
    return sum(map(weight_of, words))


def _joined(units: Sequence[Unit], at: int, sides: Sides) -> Unit | None:
    """With the neighbour that adds a word that tells the sides apart, or else the most of their words."""
    own = units[at].reading.vocabulary
    telling = (sides.before.only.keys() | sides.after.only.keys()) - own
    theirs = (sides.before.vocabulary | sides.after.vocabulary) - own
    best, adds = -1, 1
    for near in (at - 1, at + 1):
        if 0 <= near < len(units):
            words = units[near].reading.vocabulary
            more = 2 * len(words & telling) + sum(weight_of(word) == 1.0 for word in words & theirs)
            if more > adds:
                best, adds = near, more
    if best < 0:
        return None
    first, second = units[min(at, best)], units[max(at, best)]
    text = f"{first.text} {second.text}"
    if len(text) > MAX_STATEMENT:
        return None
    return Unit(
        text, read_statement(text, sides.language), (f"{first.folded[0]} {second.folded[0]}",), True
    )
