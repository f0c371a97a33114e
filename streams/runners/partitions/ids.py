"""Event ids lately taken in by a partition, and their place in its changelog: one value a unit."""

from __future__ import annotations

from streams.stages.deduplicate import RecentIds
from streams.store.changelog import Change, Meta, key_of
from streams.store.partitions import PartitionStore

#: Of all partitions together, as the embedded runner remembers: about an hour at 50 events/s.
CAPACITY = 200_000
#: Of one, however many there are.
LEAST = 5_000
#: What one unit of work may bring.
ROOM = 4_096


class RememberedIds:
    def __init__(self, store: PartitionStore, meta: Meta, partitions: int) -> None:
        """`meta` is the one that will be written: what is remembered is counted there."""
        self._store = store
        self._meta = meta
        self._capacity = max(CAPACITY // partitions, LEAST)
        # Room beyond what the changelog keeps: ids leave it a unit of work at a time.
        self._recent = RecentIds(self._capacity + ROOM, store.recent_ids())

    @property
    def recent(self) -> RecentIds[str]:
        return self._recent

    def add(self, event_id: str) -> bool:
        """True if it was not seen before."""
        return self._recent.add(event_id)

    def changes(self, ids: list[str]) -> list[Change]:
        """Those of the unit of work `meta.number`, and the oldest that leave."""
        meta = self._meta
        changes: list[Change] = []
        if ids:
            changes.append((key_of("i", meta.number), "\n".join(ids).encode("utf-8", "surrogatepass")))
            meta.ids += len(ids)
        while meta.ids > self._capacity and meta.first_ids < meta.number:
            leaving = self._store.ids_of(meta.first_ids)
            if meta.ids - leaving < self._capacity:
                break
            if leaving:
                changes.append((key_of("i", meta.first_ids), None))
            meta.ids -= leaving
            meta.first_ids += 1
        return changes
