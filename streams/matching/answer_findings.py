"""What is told of a checked answer: of each statement the hot facts it relies on, and how far it may be
quoted. Never that it is true: what is not hot is not known here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

import msgspec

from streams.posts import HotFact, HotKind, Match
from streams.records import Grade


class States(StrEnum):
    """Which value of a hot fact a statement states."""

    BAD = "bad"
    """What a suspect edit made of it."""
    CONTESTED = "contested"
    """One side of what is being fought over: neither is the good one."""
    UNCLEAR = "unclear"
    """It bears on the fact, but asks, denies, tells both values or says too little."""
    GOOD = "good"
    """What stood before the suspect edit."""

    @property
    def rank(self) -> int:
        """The gravest first."""
        return list(States).index(self)


class Quotable(StrEnum):
    """How far a text may be quoted, by what is known of hot facts."""

    NO = "no"
    """A statement states a bad or a contested value."""
    CAUTION = "caution"
    """A statement relies on a hot fact otherwise, or part of the text was not looked at."""
    NOTHING_KNOWN = "nothing-known"
    """No statement bears on a hot fact. That does not make it true."""


class Finding(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A hot fact that a statement relies on. Times are Unix seconds."""

    hot_id: str
    alert_id: str
    """`/v1/alerts/{alert_id}` has what is known of it."""
    kind: HotKind
    grade: Grade
    states: States
    wiki: str
    title: str
    page_url: str
    section: str
    before: str
    """The sentence before the edit, plain text; "" if it was put in."""
    after: str
    """And after; "" if it was taken out."""
    rev_id: int
    """The revision that made it so."""
    since: float
    """Event time of that edit."""
    corrected_time: float | None
    """Event time of the revert; None while the edit stands."""
    last_good_rev_id: int | None
    """The revision to cite."""
    last_good_url: str
    probability: float
    """Calibrated, that the statement repeats `after` (of a contested fact: either side), 0 to 1."""
    similarity: float
    reasons: tuple[str, ...]
    """In words, the most telling first."""


class CheckedStatement(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    text: str
    """As written: characters `start` to `end` of the text, in Unicode code points."""
    start: int
    end: int
    quotable: Quotable
    check_worthiness: float
    """How much it asserts something that could be looked up, 0 to 1. It says nothing of truth."""
    findings: tuple[Finding, ...] = ()
    """The gravest first."""


class CheckedAnswer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    quotable: Quotable
    """Of its gravest statement."""
    says: str
    """The same in words."""
    hot_facts: int
    """Facts it was held against."""
    characters: int
    """Of the text."""
    read_to: int
    """Characters looked at."""
    statements: tuple[CheckedStatement, ...]
    """In the order of the text."""


def finding_of(fact: HotFact, match: Match) -> Finding:
    return Finding(
        hot_id=fact.hot_id,
        alert_id=fact.alert_id,
        kind=fact.kind,
        grade=match.grade,
        states=_STATES[match.grade],
        wiki=fact.wiki,
        title=fact.title,
        page_url=fact.page_url,
        section=fact.fact.section,
        before=fact.fact.before,
        after=fact.fact.after,
        rev_id=fact.rev_id,
        since=fact.since,
        corrected_time=fact.corrected_time,
        last_good_rev_id=fact.last_good_rev_id,
        last_good_url=fact.last_good_url,
        probability=match.probability,
        similarity=match.similarity,
        reasons=match.reasons,
    )


_STATES = {
    Grade.REPEATS_VANDALISED: States.BAD,
    Grade.REPEATS_CONTESTED: States.CONTESTED,
    Grade.SUGGESTED: States.UNCLEAR,
    Grade.STATES_GOOD: States.GOOD,
}


def quotable_of(findings: Iterable[Finding]) -> Quotable:
    """Of a statement. The good value too wants care: its page may say otherwise now, and a suspect edit
    may be a right one."""
    states = {finding.states for finding in findings}
    if states & {States.BAD, States.CONTESTED}:
        return Quotable.NO
    return Quotable.CAUTION if states else Quotable.NOTHING_KNOWN


def checked_answer(
    statements: Sequence[CheckedStatement], hot_facts: int, characters: int, read_to: int
) -> CheckedAnswer:
    found = {one.quotable for one in statements}
    if read_to < characters:
        found.add(Quotable.CAUTION)
    quotable = next((one for one in Quotable if one in found), Quotable.NOTHING_KNOWN)
    return CheckedAnswer(
        quotable=quotable,
        says=_says(quotable, statements, hot_facts, characters, read_to),
        hot_facts=hot_facts,
        characters=characters,
        read_to=read_to,
        statements=tuple(statements),
    )


def _says(
    quotable: Quotable,
    statements: Sequence[CheckedStatement],
    hot_facts: int,
    characters: int,
    read_to: int,
) -> str:
    said = []
    bad = sum(one.quotable is Quotable.NO for one in statements)
    care = sum(one.quotable is Quotable.CAUTION for one in statements)
    of_all = f"{len(statements)} {'statement' if len(statements) == 1 else 'statements'}"
    if read_to < characters:
        said.append(f"Only the first {read_to:,} of {characters:,} characters were looked at.")
    if bad:
        verb = "states" if bad == 1 else "state"
        said.append(
            f"Not to be quoted as it stands: {bad} of {of_all} {verb} what a suspect edit put there, or"
            " what is being fought over."
        )
    if care:
        opening = "" if bad else "To be quoted with care: "
        verb = "relies" if care == 1 else "rely"
        said.append(
            f"{opening}{care} of {of_all} {verb} on a fact that is contested or was just changed."
        )
    if not bad and not care:
        said.append(_nothing_known(len(statements), hot_facts))
    if quotable is not Quotable.NO:
        said.append("This does not say that it is true.")
    return " ".join(said)


def _nothing_known(statements: int, hot_facts: int) -> str:
    if not statements:
        return "Nothing is known of it: there is no statement there."
    if not hot_facts:
        return "Nothing is known of it: no fact is known to be contested or just changed."
    none = (
        "its statement does not bear"
        if statements == 1
        else f"none of its {statements} statements bears"
    )
    return (
        f"Nothing is known of it: {none} on any of the {hot_facts:,} facts that are contested or were"
        " just changed."
    )
