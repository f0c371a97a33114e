"""Where the pager's alerts come from: a seam between the store of one process and the topics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from streams.records import Alert, EditsVerdict, Label
from streams.sinks.pager_receiver import PagerPosition
from streams.store.reader import AlertReader

BATCH = 500


class Fetched(NamedTuple):
    alerts: Sequence[Alert] = ()
    """In the order they were committed in."""
    labels: Sequence[Label] = ()
    upto: PagerPosition = PagerPosition()
    """After them."""
    caught_up: bool = False
    """There was nothing behind them when it was looked."""
    verdicts: Sequence[EditsVerdict] = ()


class PagerFeed(Protocol):
    """For one thread. Every call may raise `BrokerUnavailable`; after that of `poll`, `start` comes next
    and nothing is passed over."""

    def start(self) -> None:
        """Go to where reading begins, or goes on after an outage."""
        ...

    def poll(self, most: PagerPosition | None) -> Fetched:
        """What comes next: at once if there is something, else nothing after a short while. `most`: nothing
        behind it, which makes that `caught_up`."""
        ...

    def close(self) -> None: ...


class StoreFeed:
    """The log of alerts in the store of this process, from its beginning: what retention leaves of it."""

    def __init__(self, reader: AlertReader, wait: Callable[[], object]) -> None:
        """`wait` is called where there is nothing to read: a short while, or until told to stop."""
        self._reader = reader
        self._watermark = 0.0
        self._wait = wait
        self._seq = 0
        self._passed = 0.0

    def passed(self, watermark: float) -> None:
        """Event time that has passed, all that it gave being committed. From any thread."""
        self._watermark = watermark

    def start(self) -> None: ...

    def poll(self, most: PagerPosition | None) -> Fetched:
        watermark = self._watermark  # before the log is read, which then holds all up to there
        limit = BATCH if most is None else min(BATCH, most.seq - self._seq)
        batch = self._reader.log(self._seq, limit) if limit > 0 else []
        if most is not None:
            batch = [stored for stored in batch if stored.seq <= most.seq]
        if batch:
            self._seq = batch[-1].seq
            return Fetched([stored.alert for stored in batch], upto=self._position())
        if most is not None:
            self._seq = max(self._seq, most.seq)
            self._passed = max(self._passed, most.watermark)
            return Fetched(upto=self._position(), caught_up=True)
        if watermark <= self._passed:
            self._wait()
        self._passed = max(self._passed, watermark)
        return Fetched(upto=self._position(), caught_up=True)

    def close(self) -> None: ...

    def _position(self) -> PagerPosition:
        return PagerPosition(self._seq, self._passed)
