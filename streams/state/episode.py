"""What is open on a page: suspect edits not yet settled, a dispute that goes on."""

from __future__ import annotations

import msgspec

from streams.records import Alert


class OpenSuspect(msgspec.Struct, array_like=True):
    """One performer's suspect edits in a row on a page: one alert, however many they are."""

    alert_id: str
    performer: str
    episode_start: float
    rev_ids: list[int]
    standing: list[int]
    """Those of `rev_ids` that nobody undid yet: when none is left, the episode is over."""
    last: Alert
    """The latest state change sent: what an update or a resolution starts from."""
    deadline: float
    """Event time at which it counts as kept."""
    decides: float | None = None
    """Highest risk that the model alone gave one of `rev_ids`; None: written by an older version."""


class OpenDispute(msgspec.Struct, array_like=True):
    alert_id: str
    episode_start: float
    mutual_reverts: int
    last: Alert
    deadline: float
    """Event time at which it has settled, moved on by every further revert."""


class EpisodeState(msgspec.Struct, array_like=True):
    """Open episodes of one page. Kept only while something is open or cooling down."""

    key: str
    suspects: list[OpenSuspect] = []
    dispute: OpenDispute | None = None
    dispute_quiet_until: float = 0.0
    """Cool-down: a settled dispute does not open anew before this event time."""

    @property
    def next_deadline(self) -> float | None:
        """The next event time at which something settles by itself, or at which a cool-down is over and
        nothing is left to keep; None when there is nothing."""
        deadlines = [suspect.deadline for suspect in self.suspects]
        if self.dispute is not None:
            deadlines.append(self.dispute.deadline)
        return min(deadlines) if deadlines else self.dispute_quiet_until or None

    def worth_keeping(self, watermark_time: float) -> bool:
        return (
            bool(self.suspects)
            or self.dispute is not None
            or (self.dispute_quiet_until > watermark_time)
        )
