"""What performers did lately, as each of their edits meets it.

A revert counts against its performer only when `FEEDBACK_DELAY_S` of event time have passed since it
was seen: on Kafka it comes back from another worker, and within that time it always has. So what an edit
meets does not hang on who was faster, and a restart, a replay and any number of workers give the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from streams.records import Edit, PerformerKind
from streams.state.cache import StateCache
from streams.state.page import Entry, EntryFlag
from streams.state.performer import PerformerState, PerformerView, keys_of, meet
from streams.store.keys import state_id

FEEDBACK_DELAY_S = 10.0

_ANONYMOUS = int(EntryFlag.ANONYMOUS)


class Performers(Protocol):
    """Page keys are `wiki:title`; `passed` is the event time that had passed at the record."""

    def prefetch(self, edits: Sequence[tuple[str, Edit]]) -> None:
        """Those of a micro-batch, `(page key, edit)`, are about to be met."""
        ...

    def meet(self, key: str, edit: Edit, passed: float) -> PerformerView | None:
        """What is known of the edit's performer, and fold the edit in. Once an edit. None if nobody
        could say in time."""
        ...

    def reverted(self, key: str, entry: Entry, passed: float) -> None:
        """This edit on the page `key` was undone by somebody else."""
        ...

    def changed(self) -> dict[int, PerformerState]:
        """States to be committed, by `state_id`."""
        ...

    def committed(self) -> None: ...


class LocalPerformers:
    """Implements `Performers` on states of its own."""

    def __init__(
        self,
        states: StateCache[PerformerState],
        *,
        by_page: bool,
        retention_s: float,
        delay_s: float = FEEDBACK_DELAY_S,
    ) -> None:
        """`by_page`: a history, where performers are known by what they did on that page, and a revert
        counts at once. `retention_s`: one not seen for so long is met as if for the first time."""
        self._states = states
        self._by_page = by_page
        self._retention_s = retention_s
        self._delay_s = delay_s
        self._keys: dict[str, tuple[str, str | None]] = {}

    def prefetch(self, edits: Sequence[tuple[str, Edit]]) -> None:
        keys: list[str] = []
        self._keys.clear()
        for key, edit in edits:
            performer, network = self._keys[edit.event_id] = keys_of(
                key if self._by_page else edit.wiki,
                edit.performer,
                is_address=edit.performer_kind is PerformerKind.IP,
            )
            keys.append(performer)
            if network is not None:
                keys.append(network)
        self._states.prefetch(keys)

    def meet(self, key: str, edit: Edit, passed: float) -> PerformerView:
        performer_key, network_key = self._keys[edit.event_id]
        performer = self._states.touch(performer_key)
        network = self._states.touch(network_key) if network_key is not None else None
        if edit.rev_id not in performer.revisions:  # else it was told before, and changes nothing
            self._settle(performer, edit.event_time, passed)
            if network is not None:
                self._settle(network, edit.event_time, passed)
        return meet(performer, network, state_id(key), edit.rev_id, edit.event_time)

    def _settle(self, state: PerformerState, event_time: float, passed: float) -> None:
        state.forget_before(event_time - self._retention_s)
        if state.pending:
            state.settle(passed - self._delay_s)

    def reverted(self, key: str, entry: Entry, passed: float) -> None:
        prefix = key if self._by_page else key.partition(":")[0]
        self.reverted_by_name(
            prefix, entry.performer, is_address=bool(entry.flags & _ANONYMOUS), seen=passed
        )

    def reverted_by_name(self, prefix: str, name: str, *, is_address: bool, seen: float) -> None:
        for key in keys_of(prefix, name, is_address=is_address):
            if key is None:
                continue
            if self._by_page:
                self._states.touch(key).fold_reverted()
            else:
                self._states.touch(key).will_count(seen)

    def changed(self) -> dict[int, PerformerState]:
        return {state_id(key): state for key, state in self._states.dirty.items()}

    def committed(self) -> None:
        self._states.committed()
