"""Which edits a person means who says something of an alert: only suspect edits can be judged."""

from __future__ import annotations

from collections.abc import Iterable

from streams.records import Alert, AlertKind


def judged(history: Iterable[Alert], rev_id: int | None) -> list[Alert]:
    """Of an alert's state changes, by title and edit, the first that tells of it: that has the time at which
    the edit was made. `rev_id`: one edit of them; None: all that made the alert."""
    first: dict[tuple[str, int], Alert] = {}
    for alert in history:
        if alert.kind is not AlertKind.EDIT_SUSPECT or alert.revert_risk is None:
            continue
        if rev_id is not None and alert.rev_id != rev_id:
            continue
        known = first.setdefault((alert.title, alert.rev_id), alert)
        if alert.event_time < known.event_time:
            first[alert.title, alert.rev_id] = alert
    return list(first.values())
