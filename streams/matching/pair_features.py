"""One row for a statement and one side of a fact: how far it states that side, and not the other.

The same row is made for either side, with the roles exchanged, so that one model tells both. No word is a
feature: only agreement, likeness and lengths, so that what is learnt on one article holds on another.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log1p, nan
from typing import NamedTuple

from rapidfuzz import fuzz

from streams.matching.agreement import Agreement, agree
from streams.matching.readings import Reading, Side, Sides

FEATURE_NAMES: tuple[str, ...] = (
    "words",
    "words_other",
    "evidence",
    "evidence_other",
    "evidence_lead",
    "numbers",
    "numbers_other",
    "numbers_foreign",
    "names_foreign",
    "covered",
    "covered_other",
    "covered_common",
    "covered_pairs",
    "covered_pairs_lead",
    "explained",
    "explained_lead",
    "own",
    "found_weight",
    "token_set",
    "partial",
    "partial_lead",
    "near",
    "near_lead",
    "title_share",
    "named",
    "subject",
    "substituted",
    "substituted_lead",
    "other_subject",
    "denied",
    "denied_other",
    "negations_more",
    "side_weight",
    "only_weight",
    "other_only_weight",
    "statement_weight",
    "length_ratio",
    "shared_weight",
)
RISING = frozenset(
    {"words", "evidence", "evidence_lead", "numbers", "covered", "covered_pairs", "covered_pairs_lead",
     "explained", "explained_lead", "own", "found_weight", "token_set", "partial", "partial_lead", "near",
     "near_lead", "title_share", "named", "denied_other", "shared_weight", "subject",
     "covered_common"}
)  # fmt: skip
"""More of it never makes the side less likely to be what is stated; the model is held to that."""
FALLING = frozenset(
    {"words_other", "evidence_other", "numbers_other", "numbers_foreign", "names_foreign", "denied",
     "negations_more", "substituted", "substituted_lead", "other_subject"}
)  # fmt: skip


LONG = 160
"""Characters."""


class Pair(NamedTuple):
    """A statement held against a fact."""

    before: Agreement
    after: Agreement
    before_row: list[float]
    after_row: list[float]
    similarity: float
    """Of the nearer side, 0 to 1."""


def pair_of(said: Reading, sides: Sides, named: bool) -> Pair:
    """`named`: the post names or links the page. Both rows are of `FEATURE_NAMES`."""
    before, after = agree(said, sides)
    like_before, like_after = _likeness(said, sides.before), _likeness(said, sides.after)
    shared = _shared(said, sides, named)
    return Pair(
        before,
        after,
        _row(said, before, after, like_before, like_after, sides.before, sides.after, shared),
        _row(said, after, before, like_after, like_before, sides.after, sides.before, shared),
        max(like_before[0], like_after[0]),
    )


class _Likeness(NamedTuple):
    token_set: float
    partial: float
    near: float


class _Shared(NamedTuple):
    """What does not depend on the side."""

    numbers_foreign: float
    names_foreign: float
    title_share: float
    named: float
    shared_weight: float
    """Of the statement's words that both sides have."""


def _likeness(said: Reading, side: Side) -> _Likeness:
    if not side.text or not said.text:
        return _Likeness(0.0, 0.0, 0.0)
    return _Likeness(
        fuzz.token_set_ratio(said.text, side.text) / 100.0,
        _partial(said, side.text, side.words),
        _partial(said, side.near)
        if len(side.near) <= len(said.text)
        else fuzz.ratio(said.text, side.near) / 100.0,
    )


def _partial(said: Reading, other: str, words: Sequence[str] = ()) -> float:
    """Likeness of the shorter and the nearest part of the longer. Of long ones word by word: letter by letter
    it takes the square of the shorter."""
    if min(len(said.text), len(other)) > LONG:
        return fuzz.partial_ratio(said.words, words or other.split()) / 100.0
    return fuzz.partial_ratio(said.text, other) / 100.0


def _shared(said: Reading, sides: Sides, named: bool) -> _Shared:
    before, after = sides.before, sides.after
    title = sides.title
    foreign_names = said.names - before.vocabulary - after.vocabulary - title
    known = sum(1 for word in title if word in said.vocabulary)
    both = before.common if before.words and after.words else title
    return _Shared(
        float(min(4, len(said.numbers - before.numbers - after.numbers - title))),
        len(foreign_names) / max(1, len(said.names)),
        known / len(title) if title else 0.0,
        float(named),
        float(sum(len(word) > 2 for word in said.vocabulary & both)),
    )


def _row(
    said: Reading,
    side: Agreement,
    other: Agreement,
    like: _Likeness,
    like_other: _Likeness,
    this: Side,
    that: Side,
    shared: _Shared,
) -> list[float]:
    return [
        nan if side.words is None else side.words,
        nan if other.words is None else other.words,
        side.evidence,
        other.evidence,
        side.evidence - other.evidence,
        nan if side.numbers is None else side.numbers,
        nan if other.numbers is None else other.numbers,
        shared.numbers_foreign,
        shared.names_foreign,
        side.covered,
        other.covered,
        nan if side.covered_common is None else side.covered_common,
        side.covered_pairs,
        side.covered_pairs - other.covered_pairs,
        side.explained,
        side.explained - other.explained,
        side.own,
        log1p(side.own * said.weight),
        like.token_set,
        like.partial,
        like.partial - like_other.partial,
        like.near,
        like.near - like_other.near,
        shared.title_share,
        shared.named,
        nan if side.subject is None else side.subject,
        side.substituted,
        side.substituted - other.substituted,
        float(side.other_subject),
        float(side.denied),
        float(other.denied),
        float(max(-2, min(2, side.negations_more))),
        log1p(this.weight),
        log1p(this.only_weight),
        log1p(that.only_weight),
        log1p(said.weight),
        min(4.0, said.weight / this.weight) if this.weight else 0.0,
        log1p(shared.shared_weight),
    ]
