"""Fact changes of an episode of several edits, and the most telling one in a few words."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from streams.records import ChangeType, FactChange
from streams.stages.values import as_written

_MIRRORED = {
    ChangeType.INSERTION: ChangeType.DELETION,
    ChangeType.DELETION: ChangeType.INSERTION,
}


def merged(
    known: tuple[FactChange, ...], new: tuple[FactChange, ...], limit: int = 8
) -> tuple[FactChange, ...]:
    """Changes of one episode, the newest state of each fact; `before` stays that of its first."""
    by_key = {fact.fact_key: fact for fact in known}
    for fact in new:
        first = by_key.get(fact.fact_key)
        if first is not None:
            fact = msgspec.structs.replace(fact, before=first.before, before_values=first.before_values)
        by_key[fact.fact_key] = fact
    return tuple(by_key.values())[-limit:]


def newest_first(
    new: tuple[FactChange, ...], known: tuple[FactChange, ...], limit: int = 8
) -> tuple[FactChange, ...]:
    """The disputed sentences: as the latest revert changed them, then those of earlier ones."""
    keys = {fact.fact_key for fact in new}
    return (new + tuple(fact for fact in known if fact.fact_key not in keys))[:limit]


def mirrored(fact: FactChange) -> FactChange:
    """As the revert of its edit changes it."""
    return msgspec.structs.replace(
        fact,
        before=fact.after,
        after=fact.before,
        change_type=_MIRRORED.get(fact.change_type, fact.change_type),
        before_values=fact.after_values,
        after_values=fact.before_values,
    )


def what_changed(facts: Sequence[FactChange]) -> str:
    """The most telling change, in a few words."""
    if not facts:
        return "text not known"
    first = facts[0]
    more = f" (and {len(facts) - 1} more)" if len(facts) > 1 else ""
    if first.change_type is ChangeType.DELETION:
        return f"removed “{_cut(first.before)}”{more}"
    if first.change_type is ChangeType.INSERTION:
        return f"added “{_cut(first.after)}”{more}"
    old = _listed(first.before_values, first.before)
    new = _listed(first.after_values, first.after)
    if first.change_type is ChangeType.WORDING or not (old or new):
        return f"{first.change_type} changed to “{_cut(first.after)}”{more}"
    if old and new:
        return f"{first.change_type} changed from {_cut(old)} to {_cut(new)}{more}"
    return f"{first.change_type} “{_cut(old or new)}” {'taken out' if old else 'put in'}{more}"


def _listed(values: Sequence[str], text: str) -> str:
    return ", ".join(as_written(value, text) for value in values[:3])


def _cut(text: str, limit: int = 80) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
