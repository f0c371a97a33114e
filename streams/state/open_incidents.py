"""The incidents that are open, and the budget of those that page: how one opens, grows, is told again and
ends. At most one is open at a slot, as an Alertmanager tells them apart by just that."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Mapping, Sequence

import msgspec

from streams.incidents import Incident, IncidentKind
from streams.records import Severity
from streams.state.open_incident import About, OpenIncident, Slot
from streams.state.page_budget import DAY_S, PageBudget

#: Incidents open at once. A person can look at some dozens; the oldest ticket goes for a further one.
OPEN_CAP = 1_024
#: Alerts that an incident has open. The end of one more is not waited for.
MEMBERS_CAP = 1_024
#: Incidents that ended, remembered so that one which begins in the same second gets an id of its own.
ENDED_CAP = 1_024


class OpenIncidents:
    """`page_limits`: pages in 24 hours, of all kinds together, up to which a kind may page.
    `burst_quiet_s`: how long a burst is kept open after its last edit."""

    def __init__(self, page_limits: Mapping[IncidentKind, int], burst_quiet_s: float) -> None:
        self._page_limits = page_limits
        self._burst_quiet_s = burst_quiet_s
        self._budget = PageBudget()
        self._open: OrderedDict[Slot, OpenIncident] = OrderedDict()
        self._slot_of: dict[str, Slot] = {}
        """By alert_id."""
        self._quieting: dict[Slot, float] = {}
        """Bursts of which nothing is open, and when they are over."""
        self._ended: OrderedDict[str, None] = OrderedDict()
        self._time = -math.inf

    def states(self) -> Sequence[Incident]:
        return [incident.state for incident in self._open.values()]

    def at(self, slot: Slot) -> OpenIncident | None:
        return self._open.get(slot)

    def slot_of(self, alert_id: str) -> Slot | None:
        """Of the open incident that this alert belongs to."""
        return self._slot_of.get(alert_id)

    def pass_time(self, time: float) -> list[Incident]:
        self._time = time
        self._budget.forget_before(time - DAY_S)
        over = [(when, slot) for slot, when in self._quieting.items() if when <= time]
        return [self._end(self._open[slot], when, "") for when, slot in sorted(over)]

    def fold(
        self,
        slot: Slot,
        time: float,
        alerts: Mapping[str, tuple[str, ...]],
        severity: Severity | None,
        about: About,
    ) -> list[Incident]:
        """These alerts, by id and each with what it waits for, belong to what is open at `slot`. It opens,
        or grows to a page, as `severity` has it; None leaves an open one as it is and opens none."""
        incident = self._open.get(slot)
        if incident is None and severity is None:
            return []
        told: list[Incident] = []
        held_back = False
        if severity is Severity.CRITICAL and (incident is None or not incident.is_page):
            started = max(time, self._time - DAY_S)  # an alert that is later counts as of then
            held_back = not self._budget.take(started, self._page_limits[slot[0]])
            if not held_back:
                incident = self._grow(slot, incident, started, told)
        if incident is None:
            incident = self._begin(slot, Severity.WARNING, time, told)
        for alert_id, waits_for in alerts.items():
            if len(incident.members) < MEMBERS_CAP or alert_id in incident.members:
                incident.join(alert_id, waits_for)
                self._slot_of[alert_id] = slot
        self._quieting.pop(slot, None)
        incident.newest_time = max(incident.newest_time, time)
        incident.about = about if about.why else msgspec.structs.replace(about, why=incident.about.why)
        told.append(incident.told(time, held_back=held_back))
        return told

    def settle(self, alert_id: str, time: float, outcome: str) -> list[Incident]:
        """An alert is open no more; with its last one the incident is over, a burst once it is quiet."""
        slot = self._slot_of.pop(alert_id, None)
        if slot is None:
            return []
        incident = self._open[slot]
        del incident.members[alert_id]
        incident.outcomes[outcome] += 1
        if incident.members:
            return [incident.told(time)]
        if slot[0] is IncidentKind.PERFORMER_BURST:
            quiet = incident.newest_time + self._burst_quiet_s
            if quiet > max(time, self._time):
                self._quieting[slot] = quiet
                return [incident.told(time)]
        return [self._end(incident, time, "")]

    def settle_waiting(self, event: str, time: float, outcome: str) -> list[Incident]:
        """Settle what waited for this."""
        waiting = [
            alert_id
            for incident in self._open.values()
            for alert_id, waits_for in incident.members.items()
            if event in waits_for
        ]
        return [state for alert_id in waiting for state in self.settle(alert_id, time, outcome)]

    def _grow(
        self, slot: Slot, ticket: OpenIncident | None, started: float, told: list[Incident]
    ) -> OpenIncident:
        """Open a page; the ticket that there was ends in it. Facts that had been corrected already stay
        behind: the page is to end with the correction of those that were not."""
        if ticket is None:
            return self._begin(slot, Severity.CRITICAL, started, told)
        members = dict(ticket.members)
        told.append(self._end(ticket, started, "became a page"))
        page = self._begin(slot, Severity.CRITICAL, started, told)
        for alert_id, waits_for in members.items():
            if slot[0] is IncidentKind.FACT_AMPLIFIED and not waits_for:
                continue
            page.join(alert_id, waits_for)
            self._slot_of[alert_id] = slot
        return page

    def _begin(
        self, slot: Slot, severity: Severity, started: float, told: list[Incident]
    ) -> OpenIncident:
        incident = OpenIncident(slot, severity, started)
        while incident.state.incident_id in self._ended:
            started = math.nextafter(started, math.inf)
            incident = OpenIncident(slot, severity, started)
        if len(self._open) >= OPEN_CAP:
            tickets = (other for other in self._open.values() if not other.is_page)
            oldest = next(tickets, next(iter(self._open.values())))
            told.append(self._end(oldest, started, "crowded out"))
        self._open[slot] = incident
        return incident

    def _end(self, incident: OpenIncident, time: float, outcome: str) -> Incident:
        del self._open[incident.slot]
        self._quieting.pop(incident.slot, None)
        for alert_id in incident.members:
            self._slot_of.pop(alert_id, None)
        state = incident.ended(time, outcome or incident.outcome())
        self._ended[state.incident_id] = None
        if len(self._ended) > ENDED_CAP:
            self._ended.popitem(last=False)
        return state
