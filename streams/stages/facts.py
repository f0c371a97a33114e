"""Fact changes: what a person would say an edit changed, sentence by sentence, before and after.

`changed_sentences` takes the sentences out of the changed lines, `pairing` puts before and after
together, `values` reads what they state; here it is told and named. Both directions of an edit give
the same keys and mirrored values, so that a revert bears on the fact that it restores.
"""

from __future__ import annotations

import re

from rapidfuzz.distance import Indel

from streams.records import ChangeType, Edit, FactChange
from streams.stages.changed_sentences import MAX_COMPARED, Sentence, changed_sentences
from streams.stages.diff import TextDelta
from streams.stages.fact_key import MAX_SHOWN, cut, fact_key
from streams.stages.pairing import pair_sentences
from streams.stages.tokens import words as word_list
from streams.stages.values import Values, gone_and_come, language_of, values_of
from streams.stages.wikidata import entity_changes, is_entity

READ = 2_000
"""Characters of a sentence whose values are read."""
MAX_VALUES = 8
WORDING_AT_MOST = 3
"""Changed words, beside the values themselves, up to which the values are the change."""

_RANK = {
    ChangeType.DATE: 0,
    ChangeType.QUANTITY: 0,
    ChangeType.NUMBER: 0,
    ChangeType.NAME: 1,
    ChangeType.NEGATION: 2,
    ChangeType.WORDING: 3,
    ChangeType.INSERTION: 4,
    ChangeType.DELETION: 5,
}
_IN_NUMBER = re.compile(r"(?<=\d)[.,](?=\d)")


def fact_changes(edit: Edit, delta: TextDelta, limit: int = 8) -> tuple[FactChange, ...]:
    """What `edit` changed, most telling first, at most `limit`. `delta` is of its two texts (of an
    entity it is not looked at). Pure; work is bounded for any text."""
    if is_entity(edit):
        return entity_changes(edit, limit)
    before, after = changed_sentences(delta)
    if not before and not after:
        return ()
    language = language_of(edit.wiki)
    found: list[tuple[tuple[int, ...], FactChange]] = []
    pairs = pair_sentences(before, after)
    for one, other in pairs:
        told = _told(edit, one, other, language)
        if told is not None:
            one_sided = not (told.before_values and told.after_values)
            found.append(((_RANK[told.change_type], one.heading, one_sided, other.order), told))
    paired = {id(one) for pair in pairs for one in pair}
    room = limit - len(found)
    for side, kind in ((after, ChangeType.INSERTION), (before, ChangeType.DELETION)):
        alone = {one.folded: one for one in reversed(side) if id(one) not in paired}
        first = sorted(alone.values(), key=lambda one: (one.heading, one.order))
        found += [
            ((_RANK[kind], one.heading, 0, one.order), _whole(edit, one, kind, language))
            for one in first[: max(room, 0)]
        ]
        room -= len(first)
    found.sort(key=lambda item: item[0])
    return tuple(change for _, change in found[:limit])


def _told(edit: Edit, one: Sentence, other: Sentence, language: str) -> FactChange | None:
    """None where but marks differ (brackets, commas) and no value: no statement changed."""
    common, changed = _aligned(_words(one), _words(other))
    old = values_of(one.stated[:READ], language, sentence=not one.label)
    new = values_of(other.stated[:READ], language, sentence=not other.label)
    if not changed and old == new:
        return None
    kind, gone, come = _kind(old, new, changed, kept=len(common))
    before, after = _windows(one.text, other.text)
    same_label = one.label and one.label == other.label
    stable = "\x1f" + one.label if same_label else _stable(common)
    section = "" if one.heading else min(one.section, other.section)
    return FactChange(
        fact_key=fact_key(edit.wiki, edit.title, section, stable),
        change_type=kind,
        section=other.section,
        before=before,
        after=after,
        before_values=gone[:MAX_VALUES],
        after_values=come[:MAX_VALUES],
    )


def _whole(edit: Edit, one: Sentence, kind: ChangeType, language: str) -> FactChange:
    """A sentence, parameter or heading that came or went as a whole."""
    stated = values_of(one.stated[:READ], language, sentence=not one.label)
    values = (*stated.dates, *stated.quantities, *stated.numbers, *stated.names)[:MAX_VALUES]
    stable = "\x1f" + one.label if one.label else _stable(_words(one))
    gone = kind is ChangeType.DELETION
    shown = cut(one.text)
    return FactChange(
        fact_key=fact_key(edit.wiki, edit.title, "" if one.heading else one.section, stable),
        change_type=kind,
        section=one.section,
        before=shown if gone else "",
        after="" if gone else shown,
        before_values=values if gone else (),
        after_values=() if gone else values,
    )


def _kind(
    before: Values, after: Values, changed: int, kept: int
) -> tuple[ChangeType, tuple[str, ...], tuple[str, ...]]:
    """What a person would call a change of `changed` words beside `kept` ones, and the values. Values
    on both sides tell it, unless so much was rewritten around them that it is new wording; on one side
    alone only in a small change."""
    fields = (
        (ChangeType.DATE, before.dates, after.dates),
        (ChangeType.QUANTITY, before.quantities, after.quantities),
        (ChangeType.NUMBER, before.numbers, after.numbers),
        (ChangeType.NAME, before.names, after.names),
        (ChangeType.NEGATION, before.negations, after.negations),
    )
    compared = ((kind, *gone_and_come(old, new)) for kind, old, new in fields)
    differing = [item for item in compared if item[1] or item[2]]
    for kind, gone, come in differing:
        if gone and come:
            stated = max(sum(value.count(" ") + 1 for value in side) for side in (gone, come))
            if changed <= stated + WORDING_AT_MOST or (kind is not ChangeType.NAME and changed <= kept):
                return kind, gone, come
    for kind, gone, come in differing:
        if kind is ChangeType.NEGATION and changed <= 2 * WORDING_AT_MOST:
            return kind, gone, come
    if changed <= WORDING_AT_MOST and differing:
        return differing[0]
    return (
        ChangeType.WORDING,
        tuple(value for _, values, _ in differing for value in values),
        tuple(value for _, _, values in differing for value in values),
    )


def _aligned(old: list[str], new: list[str]) -> tuple[list[str], int]:
    """The words that both sentences have in order, the same ones for both directions, and how many of
    the longer rest are not among them."""
    first, second = (old, new) if old <= new else (new, old)
    common: list[str] = []
    for op in Indel.opcodes(first, second):
        if op.tag == "equal":
            common += first[op.src_start : op.src_end]
    return common, max(len(old), len(new)) - len(common)


def _words(one: Sentence) -> list[str]:
    """A number is one word, whatever points stand in it."""
    return word_list(_IN_NUMBER.sub("_", one.folded))


def _stable(words: list[str]) -> str:
    return " ".join(words).casefold()


def _windows(before: str, after: str) -> tuple[str, str]:
    """Both texts, cut around the first difference where they are too long to show."""
    if len(before) <= MAX_SHOWN and len(after) <= MAX_SHOWN:
        return before, after
    limit = min(len(before), len(after), MAX_COMPARED)
    start = next((i for i in range(limit) if before[i] != after[i]), limit) - MAX_SHOWN // 3
    if start <= 0:
        return cut(before), cut(after)
    space = before.find(" ", start, start + 60)
    start = space + 1 if space >= 0 else start
    return "…" + cut(before[start:], MAX_SHOWN - 1), "…" + cut(after[start:], MAX_SHOWN - 1)
