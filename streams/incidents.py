"""Incidents: what somebody is told at once (a page) or in working hours (a ticket), made of alerts.

An alert is one episode on one page of a wiki; an incident is what a person deals with: all alerts of one
page or of one performer, from the first that counts until the last is settled. Which ones there are and
which of them page is `stages.paging_policy`, how they come to be `state.incident_book`.
"""

from __future__ import annotations

from enum import StrEnum
from hashlib import blake2b

import msgspec

from streams.records import Severity

#: Alerts that an incident names. More are counted: it is read by a person, and sent again every minute.
ALERT_IDS_CAP = 50


class IncidentKind(StrEnum):
    FACT_AMPLIFIED = "fact.amplified"
    PERFORMER_BURST = "performer.burst"
    PAGE_CONTESTED = "page.contested"


class IncidentStatus(StrEnum):
    FIRING = "firing"
    RESOLVED = "resolved"


class Incident(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One state of an incident. All times are event times."""

    incident_id: str
    """The same for all states of one incident, and on every replay."""
    kind: IncidentKind
    wiki: str
    key: str
    """Of the page's title, for a burst of the performer's name (`key_of`): a name never becomes a label.
    Of one kind, wiki, key and severity at most one incident is open at a time."""
    severity: Severity
    """critical: a page. warning: a ticket. Fixed when it opens: one that grows from a ticket to a page
    resolves the ticket and opens a page."""
    status: IncidentStatus
    started: float
    changed: float
    """Of this state."""
    ended: float | None = None
    alert_ids: tuple[str, ...]
    """The newest last, at most `ALERT_IDS_CAP`."""
    alerts_total: int
    summary: str
    """One line. Untrusted text in it: escape it where you show it."""
    description: str
    """What is known, and why it is a page or a ticket. Untrusted text in it."""
    page_url: str = ""
    diff_url: str = ""
    last_good_url: str = ""
    held_back: bool = False
    """It would have been a page, but the day's pages were used up."""
    outcome: str = ""
    """How a resolved one ended, in words: corrected, settled, quiet …"""


def key_of(name: str) -> str:
    """16 hex digits that stand for a title or a performer's name."""
    return blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def incident_id(kind: IncidentKind, wiki: str, key: str, severity: Severity, started: float) -> str:
    text = "\x1f".join((kind, wiki, key, severity, repr(started)))
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
