"""What a replay showed, from what it committed: so that an interrupted one sums up as one."""

from __future__ import annotations

from statistics import median

import msgspec

from streams.records import AlertKind
from streams.store.batch import ALERTED, KEPT_AFTER_S
from streams.store.sqlite import SqliteStore


class ReplaySummary(msgspec.Struct, frozen=True, kw_only=True):
    """Counts since the replay began; times in seconds of event time. None: nothing to take it from."""

    events: int
    processed: int
    skipped: dict[str, int]
    dead_letters: dict[str, int]
    alerts: dict[str, int]
    """Alerts opened, by kind."""
    edits: int
    edits_reverted: int
    """Within 48 h by another user."""
    edits_kept: int
    edits_alerted: int
    precision: float | None
    """Of edits alerted on whose label is known, the share that was reverted."""
    recall: float | None
    """Of edits reverted, the share alerted on."""
    median_s_to_alert: float | None
    median_s_to_revert: float | None
    """Of the edits alerted on that were reverted."""
    events_per_s: float | None = None
    elapsed_s: float | None = None
    """Processing time of this run alone."""


def summarize(
    store: SqliteStore, source: str, *, taken: int = 0, elapsed_s: float | None = None
) -> ReplaySummary:
    """`taken` and `elapsed_s` are of this run, for its speed."""
    outcomes = {outcome: n for (name, outcome), n in store.outcomes().items() if name == source}
    alerts = {str(kind): 0 for kind in AlertKind}
    for kind, n in store.query("SELECT kind, count(*) FROM alerts_now GROUP BY kind"):
        alerts[str(kind)] = _int(n)
    dead = {
        str(reason): _int(n)
        for reason, n in store.query("SELECT reason, count(*) FROM dead_letters GROUP BY reason")
    }
    counts = {
        (str(label) if label is not None else "", bool(alerted)): _int(n)
        for label, alerted, n in store.query(
            "SELECT label, flags & ? != 0, count(*) FROM edits GROUP BY 1, 2", (ALERTED,)
        )
    }
    true, false = counts.get(("reverted", True), 0), counts.get(("kept", True), 0)
    missed = counts.get(("reverted", False), 0)
    to_revert = [
        float(str(seconds))
        for (seconds,) in store.query(
            "SELECT labelled_time - event_time FROM edits WHERE label = 'reverted' AND flags & ?"
            " AND labelled_time - event_time <= ?",
            (ALERTED, KEPT_AFTER_S),
        )
    ]
    alerted = sum(n for (_, is_alerted), n in counts.items() if is_alerted)
    return ReplaySummary(
        events=sum(outcomes.values()),
        processed=outcomes.get("processed", 0),
        skipped={
            outcome.removeprefix("skipped_"): n
            for outcome, n in sorted(outcomes.items())
            if outcome.startswith("skipped_")
        },
        dead_letters=dead,
        alerts=alerts,
        edits=sum(counts.values()),
        edits_reverted=true + missed,
        edits_kept=false + counts.get(("kept", False), 0),
        edits_alerted=alerted,
        precision=true / (true + false) if true + false else None,
        recall=true / (true + missed) if true + missed else None,
        median_s_to_alert=0.0 if alerted else None,
        median_s_to_revert=median(to_revert) if to_revert else None,
        events_per_s=taken / elapsed_s if elapsed_s else None,
        elapsed_s=elapsed_s,
    )


def _int(value: object) -> int:
    return int(str(value))
