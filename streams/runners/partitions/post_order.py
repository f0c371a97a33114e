"""What post partitions say, put into the order in which the posts came in.

Each of them says what it has in that order, and how far it is. A page partition takes what is said from
all of them as one process would have met it: so a deletion finds counted what was counted by then,
whichever partition was faster. Waiting has an end: a partition that is lost makes this less exact, it
does not stop it.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator

from streams.runners.partitions.wire import PostsSaid, Said
from streams.store.changelog import Meta
from streams.topics import MATCHES

#: Processing time that what was said waits for a partition that says nothing.
PATIENCE_S = 60.0
#: Posts, edits and deletions held meanwhile; beyond it nothing is waited for.
HELD_CAP = 50_000


class PostOrder:
    def __init__(
        self,
        meta: Meta,
        partitions: int,
        *,
        now: Callable[[], float],
        patience_s: float = PATIENCE_S,
        held_cap: int = HELD_CAP,
    ) -> None:
        """`meta` as it was read. `now`: processing time, monotonic seconds."""
        self._partitions = partitions
        self._now = now
        self._patience_s = patience_s
        self._held_cap = held_cap
        self._told = dict(meta.posts_told)
        self._done = meta.posts_done
        self._held: dict[int, deque[tuple[int, Said]]] = {}
        """By post partition, in its order, with the offset of the record."""
        self._count = 0
        self._next = meta.positions.get(MATCHES.name, 0)
        self._read_before = meta.worked_on.get(MATCHES.name, 0)
        self._behind = 0.0
        """How far the slowest has told."""
        self._behind_since = now()

    @property
    def done(self) -> float:
        """All posts that came in before this newest event time have been given out."""
        return self._done

    @property
    def next_offset(self) -> int:
        """Of the record to be read next."""
        return self._next

    @property
    def first_held(self) -> int:
        """Offset from which records have to be read again after a restart."""
        return min((held[0][0] for held in self._held.values() if held), default=self._next)

    @property
    def told(self) -> dict[int, float]:
        return dict(self._told)

    def take(self, offset: int, bundle: PostsSaid) -> None:
        again = self.pass_over(offset)
        said = [one for one in bundle.said if not again or one.newest >= self._done]
        if said:
            held = self._held.setdefault(bundle.partition, deque())
            held.extend((offset, one) for one in said)
            self._count += len(said)
        if bundle.newest > self._told.get(bundle.partition, 0.0):
            self._told[bundle.partition] = bundle.newest

    def pass_over(self, offset: int) -> bool:
        """A record is read; True if it has been worked on before, but for what waited."""
        self._next = offset + 1
        return offset < self._read_before

    def in_order(self) -> Iterator[Said]:
        """As far as all have told; what comes later than its turn at once."""
        until = self._until()
        while self._held:
            place = min(self._held, key=lambda place: self._held[place][0][1].newest)
            held = self._held[place]
            if held[0][1].newest >= until and self._count <= self._held_cap:
                break
            _, said = held.popleft()
            self._count -= 1
            if not held:
                del self._held[place]
            self._done = max(self._done, said.newest)
            yield said
        if math.isfinite(until):
            self._done = max(self._done, until)

    def _until(self) -> float:
        now = self._now()
        all_told = len(self._told) == self._partitions
        behind = min(self._told.values()) if all_told else 0.0
        if behind > self._behind or not self._held:
            self._behind, self._behind_since = max(behind, self._behind), now
        if now - self._behind_since >= self._patience_s:
            return math.inf
        return max(behind, self._done)
