"""What a statement says of a fact: which of the words, numbers and names that only one side has it has too.

The two sides of a fact share most of their words, so likeness tells little; what was changed tells. Some
0.1 ms a pair.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec
from rapidfuzz import fuzz, process
from rapidfuzz.distance import Indel

from streams.matching.canonical import weigh, weight_of
from streams.matching.readings import Reading, Side, Sides

PAIR_WEIGHT = 0.5
"""Of two neighbouring words that only one side has: order tells where no word does."""
TYPO_LENGTH = 5
TYPO_LIKENESS = 80.0
"""Likeness (0 to 100) from which a word that stands on neither side is one of them, mistyped."""
MAX_TYPOS = 12
DENIED_WITHIN = 5
"""Words behind a negation that it may deny."""
GAP = 4
"""Words that may stand in place of others between two that agree."""


class _Denial(NamedTuple):
    """What a statement's negations take back."""

    apart: frozenset[str]
    """Words that only one side has and that are denied: "1809, not 1808"."""
    stray: int
    """Negations that deny none of these."""
    of_before: bool
    of_after: bool


_NO_DENIAL = _Denial(frozenset(), 0, False, False)


class Agreement(msgspec.Struct, frozen=True, gc=False):
    """Of a statement with one side of a fact; shares are 0 to 1, None where that side has nothing of the
    kind."""

    words: float | None
    """Share of the words only this side has, by weight."""
    evidence: float
    """The same with pairs of neighbouring words; 0 if the side is empty."""
    numbers: float | None
    """Share of the numbers only this side has."""
    found: tuple[str, ...]
    """Words only this side has, in the statement, as it orders them."""
    missing: tuple[str, ...]
    covered: float
    """Share of all words of the side, by weight."""
    covered_common: float | None
    """The same of the words both sides have."""
    covered_pairs: float
    beyond_names: float
    """Weight of the words it shares with the side that are not of the page's names."""
    explained: float
    """Share of the statement's words that the side or the page's names have."""
    own: float
    """Share of the statement's words that only this side has."""
    subject: float | None
    """Share of the page's name that the side has and the statement too."""
    substituted: float
    """Weight of words in whose place the statement has others: another value, another person."""
    other_subject: bool
    """The page's name is among them."""
    negations_more: int
    """Negations beyond those the side has, without those that set the sides apart."""
    denied: bool
    """A negation that the side does not have stands before what only it says, or amid it all."""


def agree(said: Reading, sides: Sides) -> tuple[Agreement, Agreement]:
    """With the side before and the side after."""
    before, after = sides.before, sides.after
    mistyped = _mistyped(said, before, after)
    denial = _denial(said, before, after)
    return (
        _agreement(said, before, sides, mistyped, denial, denial.of_before),
        _agreement(said, after, sides, mistyped, denial, denial.of_after),
    )


def _agreement(
    said: Reading,
    side: Side,
    sides: Sides,
    mistyped: frozenset[str],
    denial: _Denial,
    denied: bool,
) -> Agreement:
    apart = denial.apart
    found = [
        word for word in side.only if (word in said.vocabulary or word in mistyped) and word not in apart
    ]
    found_weight = sum(side.only[word] for word in found)
    total = side.only_weight + PAIR_WEIGHT * len(side.only_pairs)
    shared_pairs = len(side.only_pairs & said.pairs)
    shared = said.vocabulary & side.vocabulary - apart
    slips = [word for word in found if word in mistyped]
    covered = weigh(shared) + sum(side.only[word] for word in slips)
    beyond_names = weigh(shared - sides.names)
    beyond_names += sum(side.only[word] for word in slips if word not in sides.names)
    named = weigh((said.vocabulary & sides.title) - side.vocabulary)
    subject = side.vocabulary & sides.title
    substituted, other_subject = _substituted(said, side, sides.title)
    return Agreement(
        words=found_weight / side.only_weight if side.only else None,
        evidence=(found_weight + PAIR_WEIGHT * shared_pairs) / total if total else 0.0,
        numbers=_share(side.only_numbers & said.numbers - apart, side.only_numbers),
        found=tuple(found),
        missing=tuple(word for word in side.only if word not in found),
        covered=covered / side.weight if side.weight else 0.0,
        covered_common=weigh(said.vocabulary & side.common) / side.common_weight
        if side.common
        else None,
        covered_pairs=len(side.pairs & said.pairs) / len(side.pairs) if side.pairs else 0.0,
        beyond_names=beyond_names,
        explained=(covered + named) / said.weight if said.weight else 0.0,
        own=found_weight / said.weight if said.weight else 0.0,
        subject=_share(subject & said.vocabulary, subject),
        substituted=substituted,
        other_subject=other_subject,
        negations_more=denial.stray - side.negations,
        denied=denied,
    )


def _share(some: frozenset[str], of_all: frozenset[str]) -> float | None:
    return len(some) / len(of_all) if of_all else None


def _substituted(said: Reading, side: Side, title: frozenset[str]) -> tuple[float, bool]:
    """Weight of the side's words in whose place the statement has others, between words that both have;
    and whether the page's name is among them. Slips are none."""
    if not side.words:
        return 0.0, False
    weight, subject = 0.0, False
    at_side = at_said = 0
    blocks = [
        (block.src_start, block.dest_start, block.src_end, block.dest_end)
        for block in Indel.opcodes(side.words, said.words)
        if block.tag == "equal"
    ]
    end = (len(side.words), len(said.words), 0, 0)
    for side_start, said_start, side_end, said_end in (*blocks, end):
        gap, filled = side.words[at_side:side_start], said.words[at_said:said_start]
        if gap and filled and len(gap) <= GAP and len(filled) <= GAP:
            lost = [word for word in gap if weight_of(word) == 1.0 and word not in said.vocabulary]
            new = [word for word in filled if weight_of(word) == 1.0 and word not in side.vocabulary]
            if lost and new and not _slips(lost, new):
                weight += len(lost)
                subject = subject or any(_slips([word], list(title)) for word in lost)
        at_side, at_said = side_end, said_end
    return weight, subject


def _slips(lost: list[str], new: list[str]) -> bool:
    return all(
        len(word) >= TYPO_LENGTH - 1 and any(fuzz.ratio(word, other) >= TYPO_LIKENESS for other in new)
        for word in lost
    )


def _mistyped(said: Reading, before: Side, after: Side) -> frozenset[str]:
    """Words only one side has that the statement has with a slip. A slip that is as near to a word of
    the other side tells nothing: vandals change letters too."""
    missing = [
        word
        for side in (before, after)
        for word in side.only
        if word not in said.vocabulary and len(word) >= TYPO_LENGTH and word.isalpha()
    ][:MAX_TYPOS]
    if not missing:
        return frozenset()
    rest = [
        word
        for word in dict.fromkeys(said.words)
        if len(word) >= TYPO_LENGTH - 1
        and word not in before.vocabulary
        and word not in after.vocabulary
    ][:MAX_TYPOS]
    found = set()
    for word in rest:
        best = process.extract(word, missing, scorer=fuzz.ratio, score_cutoff=TYPO_LIKENESS, limit=2)
        if best and (
            len(best) == 1 or best[0][1] > best[1][1] or _same_side(best[0][0], best[1][0], before)
        ):
            intended = best[0][0]
            rival = after if intended in before.only else before
            # The correct word may stand on the other side: "Lincon" is nearer to "Lincoln" than to "Lincol".
            if not process.extractOne(
                word, rival.vocabulary, scorer=fuzz.ratio, score_cutoff=best[0][1]
            ):
                found.add(intended)
    return frozenset(found)


def _same_side(one: str, other: str, before: Side) -> bool:
    return (one in before.only) == (other in before.only)


def _denial(said: Reading, before: Side, after: Side) -> _Denial:
    """Each negation denies the first word behind it that tells the sides apart. One amid what is stated
    that finds none denies whatever is stated."""
    if not said.negations:
        return _NO_DENIAL
    apart: set[str] = set()
    stray = own = 0
    for at in said.negations:
        if said.words[at] in before.only or said.words[at] in after.only:
            own += 1
            continue
        behind = said.words[at + 1 : at + 1 + DENIED_WITHIN]
        word = next((one for one in behind if one in before.only or one in after.only), None)
        if word is None:
            stray += 1
        else:
            side = before if word in before.only else after
            apart.update(one for one in behind[behind.index(word) :] if one in side.only)
    inside = _inside(said, before, after) if stray or apart else 0
    denied = []
    for side in (before, after):
        more = len(said.negations) > side.negations
        of_side = not apart.isdisjoint(side.only)
        denied.append(more and (of_side or (stray > 0 and not apart and inside > side.negations)))
    if not any(denied):
        return _Denial(frozenset(), len(said.negations), False, False)
    return _Denial(frozenset(apart), stray + own, denied[0], denied[1])


def _inside(said: Reading, before: Side, after: Side) -> int:
    """Negations amid what the fact says too: between its first and last telling word, or between two of
    its words however light ("had never bought")."""
    known = [word in before.vocabulary or word in after.vocabulary for word in said.words]
    telling = [
        at
        for at, word in enumerate(said.words)
        if known[at] and weight_of(word) == 1.0 and at not in said.negations
    ]
    if not telling:
        return 0
    return sum(
        telling[0] < at < telling[-1] or (0 < at < len(known) - 1 and known[at - 1] and known[at + 1])
        for at in said.negations
    )
