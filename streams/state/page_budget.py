"""How many pages went out lately."""

from __future__ import annotations

DAY_S = 86_400.0


class PageBudget:
    """Grants pages up to a limit in any 24 hours of event time, whatever the order they are asked for in.

    Not a calendar day: it would let twice as many through around midnight UTC, which is the middle of
    somebody's day and of somebody else's night.
    """

    def __init__(self) -> None:
        self._taken: list[float] = []

    def take(self, started: float, limit: int) -> bool:
        """True if a page may begin at this event time, as one of `limit` of all kinds in any 24 hours, and
        it is counted. Were there one too many, the last of them asked for had all others that near."""
        near = sum(1 for other in self._taken if abs(other - started) < DAY_S)
        if near >= limit:
            return False
        self._taken.append(started)
        return True

    def forget_before(self, time: float) -> None:
        """Nothing is asked for a day or more before `time` any more."""
        self._taken = [taken for taken in self._taken if taken > time - DAY_S]
