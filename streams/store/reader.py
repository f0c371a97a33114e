"""What the HTTP API, the page and the sinks read: alerts as committed, never half a batch."""

from __future__ import annotations

from typing import Protocol

import msgspec

from streams.records import Alert, AlertKind, AlertStatus


class StoredAlert(msgspec.Struct, frozen=True):
    """An alert state change with its place in the log. `seq` counts from 1; settled alerts past
    the retention leave from its beginning."""

    seq: int
    alert: Alert


class AlertFilter(msgspec.Struct, frozen=True):
    """None or empty: no condition. Conditions are joined by and."""

    kinds: tuple[AlertKind, ...] = ()
    statuses: tuple[AlertStatus, ...] = ()
    """Of `current`: the alert's latest status. open and updated together are "still open"."""
    wiki: str | None = None
    title: str | None = None


class AlertReader(Protocol):
    """Thread-safe. Reading sees whole commits only."""

    def last_seq(self) -> int:
        """0 when there is none yet. Cheap enough to be asked several times a second."""
        ...

    def log(self, after_seq: int, limit: int, where: AlertFilter = AlertFilter()) -> list[StoredAlert]:
        """State changes with `seq > after_seq`, oldest first, at most `limit`."""
        ...

    def current(
        self, limit: int, before_seq: int | None = None, where: AlertFilter = AlertFilter()
    ) -> list[StoredAlert]:
        """The latest state of each alert, newest state change first, with `seq < before_seq`."""
        ...

    def history(self, alert_id: str) -> list[StoredAlert]:
        """Every state change of one alert, oldest first; empty if there is none."""
        ...
