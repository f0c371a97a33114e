"""What people say of edits that alerted, beside the writer: each a transaction of its own."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from streams.partitions import page_key
from streams.records import Alert, EditsVerdict, JudgedEdit, Verdict
from streams.stages.judged import judged
from streams.store.batch import ALERTED
from streams.store.keys import state_id
from streams.store.labelled import first_row_since
from streams.store.sqlite_reader import SqliteReader

#: Edits stand in the log in the order they came: this far from where their time would put them, at most.
_AROUND_S = 86_400.0


class GivenVerdict(msgspec.Struct, frozen=True):
    verdict_id: str
    """Of who gave it: the same one again changes nothing."""
    alert_id: str
    verdict: Verdict
    rev_id: int | None
    """One edit of the alert; None: all that made it."""
    given_by: str
    given_time: float
    note: str


def on_edits(given: GivenVerdict, history: Iterable[Alert]) -> EditsVerdict | None:
    """What was said of an alert, as said of its edits, by all that is known of the alert; None where it has
    none, or not the one that is meant."""
    first: dict[int, Alert] = {}
    # A page that was moved has two titles, and an archive may have read of the newer one first.
    for alert in sorted(judged(history, given.rev_id), key=lambda alert: alert.event_time):
        first.setdefault(alert.rev_id, alert)
    if not first:
        return None
    named = next(iter(first.values()))
    return EditsVerdict(
        verdict_id=given.verdict_id,
        alert_id=given.alert_id,
        wiki=named.wiki,
        title=named.title,
        verdict=given.verdict,
        edits=tuple(JudgedEdit(alert.rev_id, alert.event_time) for alert in first.values()),
        given_time=given.given_time,
        given_by=given.given_by,
        note=given.note,
    )


class Verdicts:
    """Of one store. From any thread."""

    def __init__(self, store: SqliteReader) -> None:
        self._store = store

    def keep(self, given: GivenVerdict) -> int:
        """Write it durably, and say on how many edits it bears: those of an `edit.suspect` alert that are
        still in the log. 0: nothing was written."""
        history = (stored.alert for stored in self._store.history(given.alert_id))
        rows = sorted(
            row
            for alert in judged(history, given.rev_id)
            for row in self._rows(
                state_id(page_key(alert.wiki, alert.title)), alert.rev_id, alert.event_time
            )
        )
        if rows:
            self._store.write(
                "INSERT INTO verdicts (verdict_id, row, verdict, alert_id, given_by, given_time, note)"
                " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (verdict_id, row) DO NOTHING",
                [
                    (
                        given.verdict_id,
                        row,
                        given.verdict,
                        given.alert_id,
                        given.given_by,
                        given.given_time,
                        given.note,
                    )
                    for row in rows
                ],
            )
        return len(rows)

    def _rows(self, page: int, rev_id: int, event_time: float) -> list[int]:
        first = first_row_since(self._store, event_time - _AROUND_S)
        below = first_row_since(self._store, event_time + _AROUND_S)
        found = self._store.query(
            "SELECT row FROM edits WHERE row >= ? AND row < ? AND page = ? AND rev_id = ? AND flags & ?",
            (first, below, page, rev_id, ALERTED),
        )
        return [int(str(row)) for (row,) in found]
