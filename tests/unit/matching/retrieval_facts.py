"""Hot facts that retrieval is tried on, and indexes of them."""

from __future__ import annotations

from streams.matching.index import HotFactIndex
from streams.posts import HotFact, HotKind
from streams.records import ChangeType, FactChange


def hot(
    before: str = "He was born on February 12, 1809, in Hodgenville, Kentucky.",
    after: str = "He was born on February 12, 1909, in Hodgenville, Kentucky.",
    title: str = "Abraham Lincoln",
    names: tuple[str, ...] = (),
    hot_id: str = "lincoln",
    server_name: str = "en.wikipedia.org",
) -> HotFact:
    return HotFact(
        hot_id=hot_id,
        alert_id="alert",
        kind=HotKind.VANDALISED,
        wiki="enwiki",
        server_name=server_name,
        title=title,
        names=(title, *names),
        fact=FactChange(
            fact_key=hot_id, change_type=ChangeType.DATE, section="", before=before, after=after
        ),
        rev_id=1,
        since=0.0,
    )


def index_of(*facts: HotFact) -> HotFactIndex:
    index = HotFactIndex()
    for fact in facts:
        index.put(fact)
    return index


OTHERS = tuple(
    hot(
        f"The {word} mill burned in 17{at:02}.",
        f"The {word} mill burned in 16{at:02}.",
        f"{word.title()} Mill",
        (),
        word,
    )
    for at, word in enumerate(
        "arvenbury bristock calderwick dunmoorle eastrigg farnholm grenloch".split()
    )
)
