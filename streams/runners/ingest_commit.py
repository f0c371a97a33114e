"""Each flush is in Kafka once, written by the one process whose turn it is.

Kafka fences a writer for two reasons and tells no difference: another of its name was opened, or it stood
still for so long in the middle of a flush (SIGSTOP, a paused machine) that the transaction timed out. But a
new owner commits its position right after it opened. So one that was fenced looks for that a while; where
none comes, it takes its turn again. Of two that fence each other, the first to commit stays, and the other
finds its position. Until one commits, their waits grow and differ, so that one gets there.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from streams.errors import BrokerUnavailable, Fenced
from streams.kafka.cursors import Position
from streams.kafka.writer import Sending, fenced
from streams.sources.backoff import Backoff

log = logging.getLogger("factwatch.ingest")

MAX_WAIT_S = 10.0
#: At most so long, at first, and half of it at least, a new owner's position is looked for. Between opening
#: and its commit are a few requests.
OWNER_TELLS_WITHIN_S = 8.0
MAX_OWNER_WAIT_S = 64.0
LOOK_EVERY_S = 0.5


class Writer(Protocol):
    """`streams.kafka.writer.KafkaWriter`, or a test's."""

    def position(self, *, wait: bool = True) -> Position | None: ...

    def open(self) -> None: ...

    def write(self, sendings: Sequence[Sending]) -> None: ...

    def close(self) -> None: ...

    def discard(self) -> None: ...


class Committer:
    """`position` is the last that this process knows to be in Kafka."""

    def __init__(
        self,
        writer: Writer,
        name: str,
        owner: str,
        *,
        told: Callable[[BrokerUnavailable | None], None],
        stopping: threading.Event,
        rng: random.Random,
        timer: Callable[[], float],
    ) -> None:
        """`told`: that Kafka is away, with why, and None when it is there again."""
        self._writer = writer
        self._name = name
        self._owner = owner
        self._told = told
        self._stopping = stopping
        self._timer = timer
        self._backoff = Backoff(rng, 0.5, MAX_WAIT_S)
        self._turns = Backoff(rng, OWNER_TELLS_WITHIN_S, MAX_OWNER_WAIT_S)
        self.position = Position()

    def open(self) -> Position:
        """Whoever wrote before can't from here on. Raises `BrokerUnavailable`."""
        self._writer.open()
        self.position = self._writer.position() or Position()
        return self.position

    def commit(self, position: Position, sendings: Sequence[Sending]) -> None:
        """Returns when they are there, once. `position` is among them and comes next after the last. Raises
        `Fenced` when another process took over, `BrokerUnavailable` when told to stop before that is known
        or while Kafka is away."""
        while True:
            outlived = False
            try:
                self._writer.write(sendings)
                break
            except BrokerUnavailable as err:
                self._told(err)
            except Fenced:
                self._look_for_owner()
                outlived = True
            found = self._reopened()
            if outlived:
                log.warning(
                    "%s: stood still for so long that Kafka ended the transaction under way; nobody took "
                    "over, so this process goes on, with nothing lost or written twice",
                    self._name,
                )
            if found is not None and found.flush == position.flush:
                break  # the answer was lost, not the flush
        self._told(None)
        self._turns.alive()
        self.position = position

    def _look_for_owner(self) -> None:
        """Raises `Fenced` as soon as a new owner's position is there."""
        wait_s = self._turns.after_failure()
        until = self._timer() + wait_s
        while True:
            try:
                self._refuse_other(self._writer.position(wait=False))
                self._told(None)
            except BrokerUnavailable as err:
                self._told(err)
                until = self._timer() + wait_s  # an owner can't tell either
            left_s = until - self._timer()
            if left_s <= 0:
                return
            if self._stopping.wait(min(LOOK_EVERY_S, left_s)):
                raise BrokerUnavailable(
                    "stopped after Kafka had ended the transaction under way: the next start goes on from "
                    "the last flush"
                )

    def _reopened(self) -> Position | None:
        """Once Kafka takes transactions again: what it has. The position is read before `open` too, so
        that we don't fence off one that took over from us; what is open then is ours, and `open` ends it."""
        while True:
            try:
                self._refuse_other(self._writer.position(wait=False))
                self._writer.open()
                found = self._writer.position()
                self._refuse_other(found)
                self._backoff.alive()
                return found
            except BrokerUnavailable as err:
                self._told(err)
                if self._stopping.wait(self._backoff.after_failure()):
                    raise BrokerUnavailable(
                        f"stopped while Kafka was away, the next start goes on from the last flush: {err}"
                    ) from None

    def _refuse_other(self, found: Position | None) -> None:
        if found is not None and found.flush > self.position.flush and found.owner != self._owner:
            raise fenced(self._name)
