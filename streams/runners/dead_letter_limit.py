"""When too large a share can't be processed: better loud than drained into the dead letters."""

from __future__ import annotations

from collections import deque

from streams.errors import TooManyDeadLetters

#: Records over which the share is taken, and how many dead letters there must be to stop.
WINDOW = 10_000
LEAST = 200
LIST_COMMAND = "factwatch dead-letters list"


class DeadLetterLimit:
    """A source that sends mostly what we can't read is a fault of ours or of theirs. Count here, once it
    is durable, only what the source sent: what an operator sent back tells nothing of it."""

    def __init__(self, share: float, command: str = LIST_COMMAND) -> None:
        """`command`: by which an operator sees them."""
        self._share = share
        self._command = command
        self._recent: deque[tuple[int, int]] = deque()  # at most `WINDOW`: none is without records
        self._records = self._dead = 0

    def add(self, records: int, dead: int) -> None:
        """`dead` of these `records` are dead letters. Raises `TooManyDeadLetters`."""
        if not records:
            return
        self._recent.append((records, dead))
        self._records += records
        self._dead += dead
        while self._records - self._recent[0][0] >= WINDOW:
            oldest = self._recent.popleft()
            self._records -= oldest[0]
            self._dead -= oldest[1]
        if self._dead >= LEAST and self._dead > self._share * self._records:
            raise TooManyDeadLetters(
                f"{self._dead} of the last {self._records} records could not be processed, more than the"
                f" limit of {self._share:.0%}: look at `{self._command}`{self._advice()}"
            )

    def _advice(self) -> str:
        if self._dead == self._records:
            return "; is the source one of recent changes?"
        return ", mend the cause, or raise FACTWATCH_DEAD_LETTER_LIMIT"
