"""What is old leaves the changelog, a little at a time: no unit of work waits for a look at everything."""

from __future__ import annotations

from collections.abc import Callable, Container

import msgspec

from streams.state.page import PageState
from streams.state.performer import PerformerState
from streams.store.changelog import Table
from streams.store.partitions import PartitionStore

#: Units of work between two looks, and states that one looks at.
EVERY = 32
STATES = 1_000


class OldStates:
    """Walks the states of one table round and round. A state that should have left but did not yet is
    not used either (`Processor` and `LocalPerformers` see to that), so when the walk passes does not
    matter."""

    def __init__(
        self,
        store: PartitionStore,
        table: Table,
        last_time: Callable[[bytes], float],
        retention_s: float,
    ) -> None:
        """`last_time` gives the event time at which an encoded state was last touched."""
        self._store = store
        self._table: Table = table
        self._last_time = last_time
        self._retention_s = retention_s
        self._looks = 0
        self._at = -1

    def found(self, passed: float, in_use: Container[int]) -> list[int]:
        """Ids of some that were not touched for so long, but for those `in_use`. Called once a unit."""
        self._looks += 1
        if self._looks % EVERY:
            return []
        states = self._store.states(self._table, self._at, STATES)
        self._at = states[-1][0] if len(states) == STATES else -1
        before = passed - self._retention_s
        return [
            key_id
            for key_id, state in states
            if key_id not in in_use and self._last_time(state) < before
        ]


def page_last_time(state: bytes) -> float:
    page = _PAGE.decode(state)
    return page.entries[-1].event_time if page.entries else page.first_time


def performer_last_time(state: bytes) -> float:
    return _PERFORMER.decode(state).last_time


_PAGE = msgspec.msgpack.Decoder(PageState)
_PERFORMER = msgspec.msgpack.Decoder(PerformerState)
