"""Who is told of incidents: a seam, since an Alertmanager forgets and a webhook remembers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from streams.incidents import Incident
from streams.web.status import Part

#: Nobody is told of what last changed so long ago (event time against the clock): it was found in a
#: history, or while catching up after a long outage, and is nothing that anybody must act on now.
MAX_AGE_S = 7 * 86_400.0


class PagerPosition(NamedTuple):
    """How much of the log of alerts an `IncidentBook` has taken in."""

    seq: int = 0
    watermark: float = 0.0
    """Event time that it was told has passed."""


class PagerReceiver(Protocol):
    """With a thread of its own: no call waits for the network. Thread-safe."""

    @property
    def name(self) -> str:
        """A label of metrics."""
        ...

    @property
    def place(self) -> str:
        """Scheme, host and port: may be shown."""
        ...

    @property
    def resume(self) -> PagerPosition | None:
        """Up to here everything was told before the last stop. None: nothing is known of that, and what
        is over now is not told at all."""
        ...

    @property
    def backlog(self) -> int:
        """States of incidents that are not delivered yet."""
        ...

    def begin(self, known: Sequence[Incident], upto: PagerPosition) -> None:
        """Once, before `tell`: what is open at `resume`, or now if that is None."""
        ...

    def tell(self, states: Sequence[Incident], upto: PagerPosition) -> None:
        """New states in order, perhaps none; `upto`: they are all there are up to here."""
        ...

    def start(self) -> None: ...

    def stop(self, drain_s: float) -> None:
        """Delivers what waits, for at most `drain_s`."""
        ...

    def status(self) -> Part: ...
