"""The words of a hot fact that a text may share."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from itertools import chain, islice

import msgspec

from streams.matching.common_words import rarity
from streams.matching.folding import fold
from streams.matching.post_words import post_words
from streams.posts import HotFact

MAX_SIDE_WORDS = 64
"""Distinct words of one side."""
MAX_TITLE_WORDS = 16


class FactWords(msgspec.Struct, frozen=True, gc=False):
    """No word twice, no function words; each in the order of the text."""

    shared: tuple[str, ...]
    """Of both sides. This and the two below are without the title's words, which tell the page and not the
    fact; unless nothing else is stated."""
    gone: tuple[str, ...]
    """Of `before` alone."""
    come: tuple[str, ...]
    """Of `after` alone."""
    title: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        return tuple(chain(self.shared, self.gone, self.come, self.title))


def fact_words(hot: HotFact) -> FactWords:
    before = _telling(MAX_SIDE_WORDS, hot.fact.before, *hot.fact.before_values)
    after = _telling(MAX_SIDE_WORDS, hot.fact.after, *hot.fact.after_values)
    title = _telling(MAX_TITLE_WORDS, hot.title)
    if all(word in title for word in chain(before, after)):
        title = {}
    return FactWords(
        shared=_interned(word for word in after if word in before and word not in title),
        gone=_interned(word for word in before if word not in after and word not in title),
        come=_interned(word for word in after if word not in before and word not in title),
        title=_interned(title),
    )


def _interned(words: Iterable[str]) -> tuple[str, ...]:
    """Facts share most of their words: each is held once."""
    return tuple(map(sys.intern, words))


def _telling(limit: int, *texts: str) -> dict[str, None]:
    words = chain.from_iterable(post_words(fold(text)) for text in texts)
    return dict.fromkeys(islice(dict.fromkeys(word for word in words if rarity(word)), limit))
