"""Posts held against the facts that are hot, so that one which can't be is a dead letter and no other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeGuard

from streams.errors import FactwatchError
from streams.matching.matcher import Text
from streams.posts import Match, Post


class Matching(Protocol):
    def match_many(self, posts: Sequence[Text]) -> list[tuple[Match, ...]]: ...


def says_anything(record: object) -> TypeGuard[Post]:
    return isinstance(record, Post) and bool(record.text or record.links)


def match_guarded(
    matcher: Matching, texts: Mapping[int, Text]
) -> tuple[dict[int, tuple[Match, ...]], dict[int, Exception]]:
    """`(matches, errors)` by the keys of `texts`; posts that bear on nothing are in neither. Raises
    `FactwatchError`: what is no post's fault."""
    broken: dict[int, Exception] = {}
    try:
        found = matcher.match_many(list(texts.values()))
    except FactwatchError:
        raise
    except Exception:  # noqa: BLE001  # one by one: the one that can't be matched
        found = [_match_one(matcher, at, text, broken) for at, text in texts.items()]
    return {at: matches for at, matches in zip(texts, found, strict=True) if matches}, broken


def _match_one(
    matcher: Matching, at: int, text: Text, broken: dict[int, Exception]
) -> tuple[Match, ...]:
    try:
        return matcher.match_many([text])[0]
    except Exception as err:  # noqa: BLE001  # the guard around the stage
        broken[at] = err
        return ()
