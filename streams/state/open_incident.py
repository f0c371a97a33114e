"""One incident while it is open, and the states of it that are told."""

from __future__ import annotations

from collections import Counter

import msgspec

from streams.incidents import ALERT_IDS_CAP, Incident, IncidentKind, IncidentStatus, incident_id
from streams.records import Severity

#: (kind, wiki, key): of one, at most one incident is open.
Slot = tuple[IncidentKind, str, str]
#: Characters of untrusted text in a summary: a title has 255 bytes, a changed value 80.
SUMMARY_CHARS = 500
HELD_BACK = "Held back: the pages of 24 hours leave no room for it, so this is a ticket."


class About(msgspec.Struct, frozen=True, gc=False):
    """What is said of an incident, by its newest alert."""

    summary: str
    why: str
    page_url: str = ""
    diff_url: str = ""
    last_good_url: str = ""


class OpenIncident:
    """Changed in place; `state` is what was told last."""

    def __init__(self, slot: Slot, severity: Severity, started: float) -> None:
        kind, wiki, key = slot
        self.slot = slot
        self.members: dict[str, tuple[str, ...]] = {}
        """Its open alerts, and what settles each before its own end: the alerts of the edits that a
        correction may name."""
        self.outcomes: Counter[str] = Counter()
        """How those that are open no more ended."""
        self.newest_time = started
        """Event time of the newest alert that is not the end of one."""
        self.about = About("", "")
        self._named: dict[str, None] = {}
        self._total = 0
        self.state = Incident(
            incident_id=incident_id(kind, wiki, key, severity, started),
            kind=kind,
            wiki=wiki,
            key=key,
            severity=severity,
            status=IncidentStatus.FIRING,
            started=started,
            changed=started,
            alert_ids=(),
            alerts_total=0,
            summary="",
            description="",
        )

    @property
    def is_page(self) -> bool:
        return self.state.severity is Severity.CRITICAL

    def join(self, alert_id: str, waits_for: tuple[str, ...]) -> None:
        if alert_id not in self.members:
            self._total += 1
        self.members[alert_id] = waits_for
        self._named.pop(alert_id, None)
        self._named[alert_id] = None
        if len(self._named) > ALERT_IDS_CAP:
            del self._named[next(iter(self._named))]

    def told(self, time: float, *, held_back: bool = False) -> Incident:
        """What is known at `time`."""
        held_back |= self.state.held_back
        note = f" {HELD_BACK}" if held_back else ""
        self.state = msgspec.structs.replace(
            self.state,
            changed=max(time, self.state.changed),
            alert_ids=tuple(self._named),
            alerts_total=self._total,
            summary=" ".join(self.about.summary.split())[:SUMMARY_CHARS],
            description=f"{self.about.why}{self._standing()}{note}",
            page_url=self.about.page_url,
            diff_url=self.about.diff_url,
            last_good_url=self.about.last_good_url,
            held_back=held_back,
        )
        return self.state

    def ended(self, time: float, outcome: str) -> Incident:
        self.told(time)
        self.state = msgspec.structs.replace(
            self.state, status=IncidentStatus.RESOLVED, ended=self.state.changed, outcome=outcome
        )
        return self.state

    def outcome(self) -> str:
        """Of all its alerts: `corrected`, or `12 reverted, 2 kept`."""
        if len(self.outcomes) == 1 and self.state.kind is not IncidentKind.PERFORMER_BURST:
            return next(iter(self.outcomes))
        return ", ".join(f"{n} {outcome}" for outcome, n in self.outcomes.most_common(4))

    def _standing(self) -> str:
        if self._total < 2:
            return ""
        if not self.members:
            return f" All of its {self._total} alerts are settled."
        return f" {len(self.members)} of its {self._total} alerts are open."
