"""Hot facts for tests, and an index that knows them all."""

from __future__ import annotations

from streams.matching.agreement import Agreement, agree
from streams.matching.readings import read_statement, sides_of
from streams.posts import HotFact, HotKind
from streams.records import ChangeType, FactChange

BORN_BEFORE = "Abraham Lincoln was born on February 12, 1809, in Kentucky."
BORN_AFTER = "Abraham Lincoln was born on February 12, 1808, in Kentucky."


def hot(
    before: str = BORN_BEFORE,
    after: str = BORN_AFTER,
    *,
    title: str = "Abraham Lincoln",
    kind: HotKind = HotKind.VANDALISED,
    wiki: str = "enwiki",
    hot_id: str = "h1",
) -> HotFact:
    fact = FactChange(
        fact_key=hot_id, change_type=ChangeType.WORDING, section="", before=before, after=after
    )
    return HotFact(
        hot_id=hot_id,
        alert_id="a1",
        kind=kind,
        wiki=wiki,
        server_name="en.wikipedia.org",
        title=title,
        names=(title,),
        fact=fact,
        rev_id=7,
        since=0.0,
    )


def agreement(said: str, before: str, after: str, **more: str) -> tuple[Agreement, Agreement]:
    sides = sides_of(
        hot(before, after, title=more.get("title", "Abraham Lincoln"), wiki=more.get("wiki", "enwiki"))
    )
    return agree(read_statement(said, sides.language), sides)
