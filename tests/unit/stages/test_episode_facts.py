"""A change in a few words, as headlines have it."""

from __future__ import annotations

import pytest

from streams.records import ChangeType, FactChange
from streams.stages.episode_facts import what_changed

BEFORE, AFTER = "No leak was found in 1968.", "Leaks were found in 1971."


def changed(kind: ChangeType, old: tuple[str, ...] = (), new: tuple[str, ...] = ()) -> FactChange:
    return FactChange(
        fact_key="f", change_type=kind, section="", before=BEFORE, after=AFTER, before_values=old,
        after_values=new,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("fact", "headline"),
    [
        (changed(ChangeType.NUMBER, ("1968",), ("1971",)), "number changed from 1968 to 1971"),
        (changed(ChangeType.NEGATION, ("no",)), "negation “no” taken out"),
        (changed(ChangeType.NUMBER, (), ("1971",)), "number “1971” put in"),
        (changed(ChangeType.WORDING, ("no",)), f"wording changed to “{AFTER}”"),
        (changed(ChangeType.WORDING, ("1968",), ("1971",)), f"wording changed to “{AFTER}”"),
        (changed(ChangeType.NAME), f"name changed to “{AFTER}”"),
        (changed(ChangeType.DELETION), f"removed “{BEFORE}”"),
        (changed(ChangeType.INSERTION), f"added “{AFTER}”"),
    ],
)
def test_headlines(fact: FactChange, headline: str) -> None:
    assert what_changed([fact]) == headline
    assert what_changed([fact, fact, fact]) == f"{headline} (and 2 more)"


def test_of_nothing_that_is_known() -> None:
    assert what_changed([]) == "text not known"
