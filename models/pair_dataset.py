"""Pairs of a post and a fact, made of real fact changes: what edits that others took back had changed.

Both sides of each are stated in words of their own (`pair_texts`), and beside them stand what must not be
taken for either: a part both share, other facts of the page and of other pages, another value, another
subject, a denial. The same histories and seed give the same pairs.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from zlib import crc32

import msgspec

from models.pair_facts import MIN_WORDS, changed_part, differ
from models.pair_maker import PairMaker, PostPair, Says, spoken
from models.pair_texts import paraphrase
from streams.posts import HotFact


def pairs_of(
    article: str, facts: Sequence[HotFact], others: Sequence[HotFact], seed: int
) -> list[PostPair]:
    """All pairs of an article's facts; `others` are of other pages."""
    pairs: list[PostPair] = []
    for at, fact in enumerate(facts):
        rng = random.Random(crc32(f"{seed}/{fact.hot_id}".encode()))  # noqa: S311
        maker = PairMaker(article, fact, rng)
        maker.state(Says.AFTER)
        maker.state(Says.BEFORE)
        maker.brief()
        maker.in_words()
        maker.retold()
        maker.shared_part()
        maker.other_value(
            facts[(at + 1 + rng.randrange(len(facts) - 1)) % len(facts)] if len(facts) > 1 else fact
        )
        maker.other_subject()
        maker.other_claim(rng.choice(facts))
        maker.denials()
        maker.contrasts()
        near = _nearest(fact, facts)
        for other in (*near, *(rng.choice(facts) for _ in range(2))):
            maker.elsewhere("same page", other)
        if others:
            maker.elsewhere("other page", rng.choice(others))
        pairs += maker.pairs
        pairs += _of_short_fact(article, fact, rng)
    return pairs


def _of_short_fact(article: str, fact: HotFact, rng: random.Random) -> list[PostPair]:
    """The fact cut down to some words around the change, and posts that say more than it does."""
    sides = {Says.AFTER: fact.fact.after, Says.BEFORE: fact.fact.before}
    if not all(sides.values()):
        return []
    changed = {
        Says.AFTER: changed_part(fact.fact.before, fact.fact.after),
        Says.BEFORE: changed_part(fact.fact.after, fact.fact.before),
    }
    left, right = rng.randint(3, 8), rng.randint(0, 4)
    short = {}
    for says, text in sides.items():
        part = changed[says]
        if text.count(part) != 1 or not 2 <= len(part.split()) <= 14:
            return []
        head, _, tail = text.partition(part)
        short[says] = " ".join([*head.split()[-left:], part, *tail.split()[:right]])
    cut = msgspec.structs.replace(
        fact,
        hot_id=f"{fact.hot_id}:short",
        fact=msgspec.structs.replace(fact.fact, before=short[Says.BEFORE], after=short[Says.AFTER]),
    )
    if not differ(cut) or min(len(text.split()) for text in short.values()) < MIN_WORDS:
        return []
    maker = PairMaker(article, cut, rng)
    for says, text in sides.items():
        maker.add("longer post", spoken(text, fact.title), says)
        told, _ = paraphrase(text, changed[says], rng)
        maker.add("longer post", told, says)
    maker.other_value(fact)
    maker.other_subject()
    maker.denials()
    return maker.pairs


def _nearest(fact: HotFact, facts: Sequence[HotFact], most: int = 3) -> list[HotFact]:
    """Other facts that share the most words with this one."""
    mine = set((fact.fact.before + " " + fact.fact.after).casefold().split())
    ranked = sorted(
        (one for one in facts if one is not fact and one.fact.fact_key != fact.fact.fact_key),
        key=lambda one: (
            -len(mine & set((one.fact.before + " " + one.fact.after).casefold().split())),
            one.hot_id,
        ),
    )
    return ranked[:most]
