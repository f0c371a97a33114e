"""All hot facts of all pages, as a worker process holds them: a copy of the topic of hot facts."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Sequence
from typing import Protocol

import msgspec

from streams.errors import StoreCorrupt
from streams.kafka.hot_facts import read_hot_facts
from streams.kafka.records import InRecord
from streams.posts import HotFact
from streams.runners.partitions.wire import marks_of
from streams.runners.posts.hot_facts import FactIndex
from streams.state.watermark import LATENESS_S
from streams.store.keys import state_id
from streams.topics import HEARTBEAT_KEY


class Facts(FactIndex, Protocol):
    """`streams.matching.index.HotFactIndex`."""

    def get(self, hot_id: str) -> HotFact | None: ...

    def __len__(self) -> int: ...


class FactReplica:
    """One thread's, with the matcher of its index. `take` every partition from its beginning; nothing is
    to be matched before `complete`."""

    def __init__(self, index: Facts, partitions: int) -> None:
        self._index = index
        self._partitions = partitions
        self._places: dict[str, tuple[int, bytes]] = {}
        """Of each fact: partition and page key of the record that says so."""
        self._pages: dict[bytes, dict[int, dict[str, None]]] = {}
        """By page key and partition, in the order that they are told in."""
        self._page_ids: list[int] = []
        self._key_of: dict[int, bytes] = {}
        self._decided: dict[int, float] = {}
        self.complete = False
        """What the topic held when this process started is here."""

    def __len__(self) -> int:
        return len(self._index)

    @property
    def newest_edit(self) -> float:
        """Newest event time up to which all that is hot is here: everywhere edits have been decided up
        to it."""
        if len(self._decided) < self._partitions:
            return -math.inf
        return min(self._decided.values())

    def get(self, hot_id: str) -> HotFact | None:
        return self._index.get(hot_id)

    def partition_of(self, hot_id: str) -> int | None:
        """Whose page it is; None if it is hot no more."""
        place = self._places.get(hot_id)
        return place[0] if place is not None else None

    def pages(self, after: int) -> Iterator[tuple[int, bytes]]:
        """`(state_id, page key)` of those with a greater id that anything is hot of, by id."""
        for at in range(bisect_right(self._page_ids, after), len(self._page_ids)):
            page_id = self._page_ids[at]
            yield page_id, self._key_of[page_id]

    def facts_of(self, key: bytes) -> list[HotFact]:
        return [
            fact
            for partition, told in self._pages.get(key, {}).items()
            for hot_id in told
            if self._places.get(hot_id) == (partition, key)
            and (fact := self._index.get(hot_id)) is not None
        ]

    def take(self, partition: int, records: Sequence[InRecord]) -> None:
        """In the order of their offsets; told again they change nothing that stays."""
        for record in records:
            if record.key == HEARTBEAT_KEY:
                passed = marks_of(record.headers).passed
                if passed is not None:
                    self._decided[partition] = passed + LATENESS_S
            else:
                self._take_page((partition, record.key or b""), record.value)

    def _take_page(self, place: tuple[int, bytes], value: bytes | None) -> None:
        partition, key = place
        facts = _facts_of(value)
        told = dict.fromkeys(fact.hot_id for fact in facts)
        for hot_id in self._pages.get(key, {}).get(partition, {}).keys() - told.keys():
            if self._places.get(hot_id) == place:  # not told by another page since: this one was moved
                del self._places[hot_id]
                self._index.remove(hot_id)
        for fact in facts:
            self._places[fact.hot_id] = place
            self._index.put(fact)
        if told:
            if key not in self._pages:
                page_id = _page_id(key)
                self._key_of[page_id] = key
                insort(self._page_ids, page_id)
            self._pages.setdefault(key, {})[partition] = told
        elif key in self._pages:
            self._pages[key].pop(partition, None)
            if not self._pages[key]:
                del self._pages[key]
                page_id = _page_id(key)
                del self._key_of[page_id]
                del self._page_ids[bisect_left(self._page_ids, page_id)]


def _page_id(key: bytes) -> int:
    return state_id(key.decode("utf-8", "surrogatepass"))


def _facts_of(value: bytes | None) -> tuple[HotFact, ...]:
    if value is None:
        return ()
    try:
        return read_hot_facts(value).facts
    except msgspec.DecodeError as err:
        raise StoreCorrupt(
            f"hot facts of a page can't be read ({err}): written by a newer version?"
        ) from err
