"""Why a statement was given its grade, in words for a person."""

from __future__ import annotations

from streams.matching.agreement import Agreement
from streams.matching.canonical import is_number, weight_of
from streams.matching.grade import Graded
from streams.posts import HotFact, HotKind
from streams.records import Grade
from streams.stages.values import as_written

MAX_REASONS = 4
MAX_SHOWN_WORDS = 5
MAX_WORD = 40


def reasons_of(
    fact: HotFact, graded: Graded, before: Agreement, after: Agreement, doubt: str, named: bool
) -> tuple[str, ...]:
    """The most telling first. What is quoted of posts and facts is untrusted."""
    contested = fact.kind is HotKind.CONTESTED
    values, words = (_one_value, _one_side) if contested else (_values, _words)
    found = list(filter(None, [_doubted(doubt, graded), values(fact, before, after)]))
    if not found:
        found.append(words(fact, before, after))
    side = after if graded.after else before
    if after.denied or before.denied:
        found.append(
            "denies one side"
            if contested
            else "denies " + ("what the edit says" if after.denied else "what stood before the edit")
        )
    which = "of that side" if contested else "after the edit" if graded.after else "before the edit"
    found.append(f"says {side.covered:.0%} of the words of the sentence {which}")
    if named:
        found.append(f"names the page “{_cut(fact.title)}”")
    if contested:
        found.append("the statement is being fought over")
    if graded.grade is Grade.SUGGESTED and not doubt:
        found.append("too little agrees to be sure")
    return tuple(found[:MAX_REASONS])


def _doubted(doubt: str, graded: Graded) -> str:
    if not doubt or graded.grade is not Grade.SUGGESTED:
        return ""
    return "asks, does not state" if doubt == "?" else f"takes it back: “{_cut(doubt)}”"


def _values(fact: HotFact, before: Agreement, after: Agreement) -> str:
    """`states 1808, as after the edit; it was 1809`: as the wiki writes them."""
    old, new = fact.fact.before, fact.fact.after
    come, gone = _numbers(after.found, new), _numbers(before.found, old)
    if come and not gone:
        was = _numbers(before.missing, old)
        return f"states {come}, as after the edit" + (f"; it was {was}" if was else "")
    if gone and not come:
        now = _numbers(after.missing, new)
        return f"states {gone}, as before the edit" + (f"; it was changed to {now}" if now else "")
    if come and gone:
        return f"states both {come} (after the edit) and {gone} (before it)"
    return ""


def _words(fact: HotFact, before: Agreement, after: Agreement) -> str:
    come, gone = _telling(after.found), _telling(before.found)
    if come and after.evidence >= before.evidence:
        return f"has what only the sentence after the edit says: {come}"
    if gone:
        return f"has what only the sentence before the edit says: {gone}"
    if after.evidence > before.evidence:
        return "puts the words as they stand after the edit"
    if before.evidence > after.evidence:
        return "puts the words as they stood before the edit"
    return "says what both sides of the edit say"


def _one_value(fact: HotFact, before: Agreement, after: Agreement) -> str:
    """Of a dispute: each revert makes the other side the one before it."""
    sides = [(before, fact.fact.before), (after, fact.fact.after)]
    stated = [_numbers(side.found, text) for side, text in sides]
    if all(stated):
        return f"states both sides: {stated[0]} and {stated[1]}"
    for own, (side, text) in zip(stated, reversed(sides), strict=True):
        if own:
            other = _numbers(side.missing, text)
            return f"states {own}" + (f"; the other side says {other}" if other else "")
    return ""


def _one_side(fact: HotFact, before: Agreement, after: Agreement) -> str:
    side = after if after.evidence >= before.evidence else before
    own = _telling(side.found)
    return f"has what only one side says: {own}" if own else "says what both sides say"


def _numbers(words: tuple[str, ...], text: str) -> str:
    numbers = [as_written(_plain(word), text) for word in words if is_number(word)]
    return ", ".join(numbers[:MAX_SHOWN_WORDS])


def _telling(words: tuple[str, ...]) -> str:
    ranked = [word for word in words if weight_of(word) == 1.0] or list(words)
    return ", ".join(f"“{_cut(word)}”" for word in ranked[:MAX_SHOWN_WORDS])


def _plain(word: str) -> str:
    """A canonical word as a person writes it: `neg_1_4` -> -1.4, `m:2` -> month 2."""
    if word.startswith("m:"):
        return f"month {word[2:]}"
    if word.startswith("d:"):
        return f"day {word[2:]}"
    return _cut(word.replace("neg_", "-").replace("_", "."))


def _cut(text: str) -> str:
    return text if len(text) <= MAX_WORD else text[: MAX_WORD - 1] + "…"
