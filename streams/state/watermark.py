"""Event time that has passed: what timers run on, so that a replay gives what live gave."""

from __future__ import annotations

import msgspec

#: Feeds of two data centres and a resume by timestamp bring events seconds out of order.
LATENESS_S = 60.0
#: A step further ahead than this is believed when `CONFIRMATIONS` events in a row make it: one
#: event with a clock off by years must not close every episode.
STEP_S = 86_400.0
CONFIRMATIONS = 3


class Watermark(msgspec.Struct, array_like=True):
    """Follows the event times seen. `time` is Unix seconds; 0 before the first event."""

    newest: float = 0.0
    ahead: int = 0
    """Events in a row beyond `STEP_S`."""
    ahead_from: float = 0.0
    """Least event time of those."""
    near: int = 0
    """Events seen within `STEP_S` of `newest`, up to `CONFIRMATIONS`: until then it may be the first
    event's clock that is off, and an event long before it takes its place."""

    @property
    def time(self) -> float:
        """No event before this is expected any more."""
        return self.newest - LATENESS_S

    def advance(self, event_time: float) -> None:
        newest = self.newest
        if event_time < newest - STEP_S and self.near < CONFIRMATIONS:
            self.newest, self.ahead, self.near = event_time, 0, 1
        elif event_time <= newest:
            self.ahead = 0
            self._seen_near(event_time)
        elif event_time <= newest + STEP_S or not newest:
            self.newest = event_time
            self.ahead = 0
            self._seen_near(event_time)
        else:
            self.ahead_from = min(self.ahead_from, event_time) if self.ahead else event_time
            self.ahead += 1
            if self.ahead >= CONFIRMATIONS:
                self.newest = self.ahead_from
                self.ahead = 0
                self.near = CONFIRMATIONS

    def _seen_near(self, event_time: float) -> None:
        if self.near < CONFIRMATIONS and self.newest - event_time <= STEP_S:
            self.near += 1
