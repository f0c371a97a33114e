"""The facts that are hot, with how far each has spread, as the topics tell: for a process that only answers
by them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from streams.errors import StoreCorrupt
from streams.kafka.hot_facts import read_spread
from streams.kafka.records import InRecord
from streams.partitions import key_bytes, page_key
from streams.runners.partitions.fact_replica import FactReplica
from streams.state.fact_spread import FactSpread
from streams.store.facts_query import PAGES_LOOKED_AT, FactNow, FactsFound, FactsQuery
from streams.store.keys import state_id
from streams.topics import HEARTBEAT_KEY


class SpreadReplica:
    """A copy of the topic of spreads; one thread's. `take` every partition from its beginning."""

    def __init__(self) -> None:
        self._told: dict[str, bytes] = {}
        """As it came, as of most nobody asks; some 20 KB of each fact that is hot and was repeated."""
        self.complete = False
        """What the topic held when this process started is here."""

    def __contains__(self, hot_id: str) -> bool:
        return hot_id in self._told

    def take(self, partition: int, records: Sequence[InRecord]) -> None:
        """In the order of their offsets. A fact's are all of one partition: it stays where it became
        known."""
        for record in records:
            if record.key == HEARTBEAT_KEY:
                continue
            hot_id = (record.key or b"").decode("utf-8", "replace")
            if record.value is None:
                self._told.pop(hot_id, None)
            else:
                _read(record.value)
                self._told[hot_id] = record.value

    def get(self, hot_id: str) -> FactSpread | None:
        value = self._told.get(hot_id)
        return _read(value) if value is not None else None


def _read(value: bytes) -> FactSpread:
    try:
        return read_spread(value)
    except msgspec.DecodeError as err:
        raise StoreCorrupt(
            f"the spread of a fact can't be read ({err}): written by a newer version?"
        ) from err


class ReplicatedFacts:
    """Implements `streams.web.facts.FactsReader` for the thread that the replicas belong to. A fact and its
    spread may be of two moments, one after the other."""

    def __init__(self, replica: FactReplica, spreads: SpreadReplica) -> None:
        self._replica = replica
        self._spreads = spreads

    def facts(self, query: FactsQuery) -> FactsFound:
        found: list[FactNow] = []
        for looked_at, (page_id, key) in enumerate(self._pages(query), 1):
            found += [
                FactNow(hot=fact, spread=self._spreads.get(fact.hot_id))
                for fact in self._replica.facts_of(key)
                if query.wants(fact) and (not query.repeated or fact.hot_id in self._spreads)
            ]
            if len(found) >= query.limit or looked_at >= PAGES_LOOKED_AT:
                return FactsFound(found, page_id)
        return FactsFound(found, None)

    def _pages(self, query: FactsQuery) -> Iterable[tuple[int, bytes]]:
        least = -1 if query.after is None else query.after
        if query.page is not None:
            named = page_key(*query.page)
            page = state_id(named), key_bytes(named)
            if self._replica.facts_of(page[1]) or query.after is not None:
                return [page] if page[0] > least else []
        return self._replica.pages(least)
