"""States in memory in front of the store: written back by the commit, bounded, oldest out first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class StateCache(Generic[T]):
    """States by key. What a micro-batch touched is in `dirty` until `committed`; only clean ones
    leave. `size_of` weighs a state against `capacity` (1 each by default)."""

    def __init__(
        self,
        capacity: int,
        load: Callable[[Sequence[str]], Mapping[str, T]],
        new: Callable[[str], T],
        size_of: Callable[[T], int] | None = None,
        worth_keeping: Callable[[T], bool] = lambda state: True,
    ) -> None:
        """`load` gives those of the keys that were ever written; `new` makes one that was not. A state that
        is not `worth_keeping` leaves with its commit, while there is room too."""
        self._capacity = capacity
        self._load = load
        self._new = new
        self._size_of = size_of
        self._worth_keeping = worth_keeping
        # Not a dict: finding its oldest key takes the longer, the more were deleted before it.
        self._states: OrderedDict[str, T] = OrderedDict()
        self._sizes: dict[str, int] = {}
        self._size = 0
        self.dirty: dict[str, T] = {}

    def prefetch(self, keys: Iterable[str]) -> None:
        """Have them in memory, by one look into the store."""
        states = self._states
        missing = [key for key in dict.fromkeys(keys) if key not in states]
        if missing:
            found = self._load(missing)
            for key in missing:
                states[key] = found[key] if key in found else self._new(key)

    def touch(self, key: str) -> T:
        """The state of `key`, to be changed in place: it is written with the batch."""
        state = self.dirty.get(key)
        if state is None:
            state = self._states.pop(key, None)
            if state is None:
                state = self._load((key,)).get(key) or self._new(key)
            self._states[key] = self.dirty[key] = state
        return state

    def replace(self, key: str, state: T) -> None:
        self._states.pop(key, None)
        self._states[key] = self.dirty[key] = state

    def committed(self) -> None:
        """The batch is durable: nothing is dirty any more, and what is over capacity leaves."""
        states = self._states
        for key, state in self.dirty.items():
            if not self._worth_keeping(state):
                del states[key]
                self._size -= self._sizes.pop(key, 0)
            elif self._size_of is not None:
                size = self._size_of(state)
                self._size += size - self._sizes.get(key, 0)
                self._sizes[key] = size
        self.dirty.clear()
        while states and (self._size if self._size_of is not None else len(states)) > self._capacity:
            oldest, _ = states.popitem(last=False)
            self._size -= self._sizes.pop(oldest, 0)

    def __len__(self) -> int:
        return len(self._states)
