"""Alert logs for tests of what reads them: one in memory, and the real store with the same `commit`."""

from __future__ import annotations

import threading

from streams.records import Alert
from streams.store.batch import Batch
from streams.store.reader import AlertFilter, StoredAlert
from streams.store.sqlite import SqliteStore


class StoreAlerts(SqliteStore):
    def commit(self, *alerts: Alert) -> None:  # type: ignore[override]  # as the other in this file has it
        super().commit(Batch(source="eventstreams", alerts=list(alerts)), arrived=0.0)


class MemoryAlerts:
    """A whole `AlertReader` and `SinkCursors`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._log: list[StoredAlert] = []
        self.cursors: dict[str, int] = {}

    def commit(self, *alerts: Alert) -> None:
        with self._lock:
            for alert in alerts:
                self._log.append(StoredAlert(len(self._log) + 1, alert))

    def last_seq(self) -> int:
        with self._lock:
            return len(self._log)

    def log(self, after_seq: int, limit: int, where: AlertFilter = AlertFilter()) -> list[StoredAlert]:
        with self._lock:
            rest = self._log[after_seq:]
        return [stored for stored in rest if _passes(stored.alert, where)][:limit]

    def current(
        self, limit: int, before_seq: int | None = None, where: AlertFilter = AlertFilter()
    ) -> list[StoredAlert]:
        with self._lock:
            newest = {stored.alert.alert_id: stored for stored in self._log}
        found = sorted(newest.values(), key=lambda stored: -stored.seq)
        return [
            stored
            for stored in found
            if (before_seq is None or stored.seq < before_seq) and _passes(stored.alert, where)
        ][:limit]

    def history(self, alert_id: str) -> list[StoredAlert]:
        with self._lock:
            return [stored for stored in self._log if stored.alert.alert_id == alert_id]

    def get(self, name: str) -> int:
        return self.cursors.get(name, 0)

    def set(self, name: str, seq: int) -> None:
        self.cursors[name] = seq


def _passes(alert: Alert, where: AlertFilter) -> bool:
    return (
        (not where.kinds or alert.kind in where.kinds)
        and (not where.statuses or alert.status in where.statuses)
        and (where.wiki is None or alert.wiki == where.wiki)
        and (where.title is None or alert.title == where.title)
    )
