"""The facts that are hot, with how far each has spread, as the topics tell: for a process that only answers
by them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from streams.errors import StoreCorrupt
from streams.kafka.hot_facts import read_spread
from streams.kafka.records import InRecord
from streams.runners.partitions.fact_replica import FactReplica
from streams.state.fact_spread import FactSpread
from streams.store.facts_reader import FactNow, FactsFound, is_wanted
from streams.store.keys import state_id
from streams.topics import HEARTBEAT_KEY


class SpreadReplica:
    """A copy of the topic of spreads; one thread's. `take` every partition from its beginning."""

    def __init__(self) -> None:
        self._told: dict[str, bytes] = {}  # as it came: of most nobody asks
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
                self._told[hot_id] = record.value

    def get(self, hot_id: str) -> FactSpread | None:
        value = self._told.get(hot_id)
        if value is None:
            return None
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

    def facts(
        self,
        limit: int,
        after: int | None = None,
        wiki: str | None = None,
        title: str | None = None,
        repeated: bool = False,
    ) -> FactsFound:
        """As `SqliteFactsReader.facts`."""
        found: list[FactNow] = []
        pages = sorted((state_id(key), key) for key in self._replica.page_keys())
        for page_id, key in pages:
            if after is not None and page_id <= after:
                continue
            found += [
                FactNow(hot=fact, spread=self._spreads.get(fact.hot_id))
                for fact in self._replica.facts_of(key)
                if is_wanted(fact, wiki, title) and (not repeated or fact.hot_id in self._spreads)
            ]
            if len(found) >= limit:
                return FactsFound(found, page_id)
        return FactsFound(found, None)
