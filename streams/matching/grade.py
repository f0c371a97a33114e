"""The grade of a statement held against a hot fact: what the evidence allows to say, and no more.

The model gives two probabilities, that the statement states the side after the edit and the side before.
Rules stand above it: who denies, doubts or asks does not repeat, and a side that says next to nothing cannot
be told from small talk.
"""

from __future__ import annotations

import msgspec

from streams.matching.agreement import Agreement
from streams.posts import HotKind
from streams.records import Grade

MIN_SAID = 2.0
"""Weight of what a statement shares with a side, below which it may be chance: two telling words."""
MIN_BEYOND_NAMES = 1.0
"""Weight of what it shares with a side besides words of the page's names, below which it only names the page:
one telling word."""
MIN_EVIDENCE = 0.3
"""Share of what only one side has, below which the statement may be about anything the sides share."""


class Thresholds(msgspec.Struct, frozen=True, gc=False):
    """Probabilities, chosen on the articles learnt from."""

    suggested: float
    confirmed: float


class Evidence(msgspec.Struct, frozen=True, gc=False):
    """What is known of one statement and one side."""

    agreement: Agreement
    probability: float
    """That it states this side."""
    shared_weight: float
    """Of the words it shares with the side."""


class Graded(msgspec.Struct, frozen=True, gc=False):
    grade: Grade
    probability: float
    """That it repeats what was vandalised; of a contested fact, that it states either side."""
    after: bool
    """Which side the grade is about."""


def grade_of(
    kind: HotKind, before: Evidence, after: Evidence, doubt: str, thresholds: Thresholds
) -> Graded | None:
    """None where it has nothing to do with the fact. `doubt`: words by which it takes itself back or asks,
    "" where it does neither."""
    if max(side.agreement.beyond_names for side in (before, after)) < MIN_BEYOND_NAMES:
        return None
    states_after = _states(after, before, thresholds.confirmed)
    states_before = _states(before, after, thresholds.confirmed)
    contested = kind is HotKind.CONTESTED
    probability = max(after.probability, before.probability) if contested else after.probability
    nearer_after = after.probability >= before.probability
    if (states_after or (states_before and contested)) and not doubt:
        grade = Grade.REPEATS_CONTESTED if contested else Grade.REPEATS_VANDALISED
        return Graded(grade, probability, states_after)
    if states_before and not contested and not doubt:
        return Graded(Grade.STATES_GOOD, probability, False)
    if probability >= thresholds.suggested or (
        doubt and max(before.probability, probability) >= thresholds.suggested
    ):
        return Graded(Grade.SUGGESTED, probability, nearer_after)
    return None


def _states(this: Evidence, other: Evidence, threshold: float) -> bool:
    return (
        this.probability >= threshold
        and this.probability > other.probability
        and this.agreement.evidence >= MIN_EVIDENCE
        and this.shared_weight >= MIN_SAID
        and this.agreement.beyond_names >= MIN_BEYOND_NAMES
        and not this.agreement.denied
    )
