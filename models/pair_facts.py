"""Fact changes that pairs are made of: those of edits that others took back, from real histories."""

from __future__ import annotations

import random
import re
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path

from models.replay import edits_of
from streams.posts import HotFact, HotKind
from streams.records import ChangeType, Edit
from streams.stages.diff import delta_of
from streams.stages.facts import fact_changes

REVERT_RADIUS = 15
FACTS_AN_EDIT = 4
MIN_WORDS = 4
"""Of a side, below which a post cannot be said to state it: "load of crap"."""
MAX_WORDS = 70
FACTS_AN_ARTICLE = 450
FOUGHT_OVER = 2
"""Times the same change was made, from which it was fought over."""


def article_facts(path: Path, most: int = FACTS_AN_ARTICLE) -> list[HotFact]:
    """Facts of one history that pairs are made of."""
    return statable(reverted_facts(edits_of(path)), most)


def reverted_facts(edits: Iterable[Edit]) -> Iterator[HotFact]:
    """Facts of the edits that somebody else identity-reverted within 15 revisions, page by page. A revert
    that was reverted itself is one of them: what is fought over comes in both directions."""
    window: deque[tuple[Edit, str]] = deque(maxlen=REVERT_RADIUS + 1)
    told: set[tuple[str, int]] = set()
    made: dict[tuple[str, str, str], int] = {}
    for edit in edits:
        sha1 = edit.content.revision.sha1 if edit.content is not None else None
        if window and window[-1][0].title != edit.title:
            window.clear()
        if sha1 is None:
            continue
        known = list(window)
        same = max((at for at, (_, seen) in enumerate(known) if seen == sha1), default=len(known))
        undone = [one for one, _ in known[same + 1 :]]
        if all(one.performer != edit.performer for one in undone):
            for one in undone:
                delta = delta_of(one) if (one.wiki, one.rev_id) not in told else None
                told.add((one.wiki, one.rev_id))
                for fact in fact_changes(one, delta, FACTS_AN_EDIT) if delta is not None else ():
                    key = (one.title, fact.before, fact.after)
                    made[key] = made.get(key, 0) + 1
                    fought = made[key] >= FOUGHT_OVER
                    yield HotFact(
                        hot_id=f"{one.rev_id}:{fact.fact_key}",
                        alert_id=str(one.rev_id),
                        kind=HotKind.CONTESTED if fought else HotKind.VANDALISED,
                        wiki=one.wiki,
                        server_name=one.server_name,
                        title=one.title,
                        names=(one.title,),
                        fact=fact,
                        rev_id=one.rev_id,
                        since=one.event_time,
                    )
        window.append((edit, sha1))


def statable(facts: Iterable[HotFact], most: int = FACTS_AN_ARTICLE, seed: int = 0) -> list[HotFact]:
    """Each change once (the last time it was made), of those with a side that a post can state; drawn
    evenly over the kinds of change, as most edits only insert or delete."""
    by_change = {(one.title, one.fact.before, one.fact.after): one for one in facts}
    by_type: dict[ChangeType, list[HotFact]] = {}
    for one in by_change.values():
        lengths = [len(side.split()) for side in (one.fact.before, one.fact.after) if side]
        if all(MIN_WORDS <= length <= MAX_WORDS for length in lengths) and differ(one):
            by_type.setdefault(one.fact.change_type, []).append(one)
    rng = random.Random(seed)  # noqa: S311
    for group in by_type.values():
        rng.shuffle(group)
    found: list[HotFact] = []
    groups = [by_type[kind] for kind in sorted(by_type)]
    while len(found) < most and any(groups):
        found += [group.pop() for group in groups if group]
    return found[:most]


def changed_part(other: str, this: str) -> str:
    """Of `this`, what differs from `other`, with the word on either side; all of it if `other` is ""."""
    theirs, ours = other.split(), this.split()
    if not theirs:
        return this
    shorter = min(len(theirs), len(ours))
    first = next((at for at in range(shorter) if theirs[at] != ours[at]), shorter)
    last = next(
        (at for at in range(shorter - first) if theirs[-1 - at] != ours[-1 - at]), shorter - first
    )
    return " ".join(ours[max(0, first - 1) : len(ours) - last + 1])


def differ(fact: HotFact) -> bool:
    """In more than capitals and marks: else who states one side states the other."""
    return re.findall(r"\w+", fact.fact.before.casefold()) != re.findall(
        r"\w+", fact.fact.after.casefold()
    )
