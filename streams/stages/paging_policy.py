"""Which incidents there are and which of them page: the thresholds, each with its reason.

A page wakes somebody. It is for what is wrong now, seen by many or left standing by everybody, and not
being dealt with; anything else is a ticket, or stays an alert.
"""

from __future__ import annotations

import msgspec

from streams.incidents import IncidentKind
from streams.records import Alert, Severity

_HOUR_S = 3_600.0
_UNPROTECTED = "unprotect"


class Judgement(msgspec.Struct, frozen=True, gc=False):
    severity: Severity | None
    """None: no incident."""
    why: str = ""


_NOTHING = Judgement(None)


class PagingPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Judges; what it judges by is kept in `state.incident_book`."""

    pages_per_day: int = 5
    """Pages in any 24 hours of event time, over all wikis: there is one pager. Above about five a day
    people stop reading them. Further ones are tickets."""
    kept_share: float = 0.4
    """Of these, what only facts that spread may use: bursts in the night must not hold back the one page
    that is about many readers at once."""
    burst_window_s: float = _HOUR_S
    """A performer's suspect edits count together for so long."""
    burst_ticket_pages: int = 5
    """Pages with a suspect edit of one performer that nobody undid. Patrollers undo most within minutes
    and block after about four warnings: five left at once means that they have not seen this one."""
    burst_page_pages: int = 15
    """The same for a page: three times a ticket."""
    burst_severe_share: float = 0.5
    """Share of them that are warnings. Of the edits that were rightly suspected two in three are, of
    those that stood a quarter: many at low risk are somebody who edits fast, and is misjudged alike."""
    burst_quiet_s: float = _HOUR_S
    """Without a further suspect edit for so long, a burst is over once nothing of it is left open."""
    contested_ticket_editors: int = 4
    """Two or three who revert one another are every day's edit war: the wiki has a place for those."""
    contested_page_editors: int = 8
    """So many who revert one another within a day are news …"""
    contested_page_reverts: int = 16
    """… if each of them does it twice: the page shows another text every few minutes."""
    contested_ticket_posts: int = 3
    """Posts that repeat a contested statement: it has left the wiki."""
    contested_page_posts: int = 30
    """Three times what makes `fact.amplified`, which says that it spreads *now*: this counts all posts
    since the dispute began."""
    contested_page_reach: int = 1_000_000
    """The reach of one post from which `fact.amplified` is critical, which wants two authors."""

    def page_limit(self, kind: IncidentKind) -> int:
        """Pages in 24 hours, of all kinds together, up to which one of this kind may page."""
        kept = int(self.kept_share * self.pages_per_day)
        return self.pages_per_day - (0 if kind is IncidentKind.FACT_AMPLIFIED else kept)

    def of_amplified(self, alert: Alert, *, corrected: bool) -> Judgement:
        """`corrected`: the fact has been. What is left then is to follow up with those who passed it on,
        which can wait until the morning: `fact.corrected` names the posts."""
        critical = alert.severity is Severity.CRITICAL
        if corrected and not critical:
            return _NOTHING
        level = "critical" if critical else "not critical"
        if corrected:
            state = f"{level}. The page has been corrected, posts go on repeating what it said"
        else:
            state = f"{level}, and not corrected"
        severity = Severity.CRITICAL if critical and not corrected else Severity.WARNING
        return Judgement(severity, f"{_spread(alert)}: {state}.")

    def of_burst(self, *, pages: int, severe: int) -> Judgement:
        """Pages with a suspect edit of the performer within the window, not undone; how many of them are
        warnings."""
        if pages < self.burst_ticket_pages or severe < self.burst_severe_share * pages:
            return _NOTHING
        why = f"{pages} pages at once, {severe} of them at high risk"
        if pages >= self.burst_page_pages:
            return Judgement(Severity.CRITICAL, f"{why}: nobody is undoing this performer's edits.")
        return Judgement(Severity.WARNING, f"{why}.")

    def of_contested(self, alert: Alert, *, posts: int, reach: int) -> Judgement:
        """`posts` that repeat a side of the dispute, and the widest `reach` of one of them."""
        editors, reverts = _editors(alert), _count(alert, "mutual_reverts")
        known = f"{reverts} mutual reverts of {_at_least(editors)} editors in a day"
        if posts:
            known += f"; repeated in {posts:,} {'post' if posts == 1 else 'posts'}"
        if reach:
            known += f", one of them with a reach of {reach:,}"
        many = editors >= self.contested_page_editors and reverts >= self.contested_page_reverts
        wide = posts >= self.contested_page_posts or reach >= self.contested_page_reach
        if (many or wide or alert.severity is Severity.CRITICAL) and not _is_protected(alert):
            return Judgement(Severity.CRITICAL, f"{known}.")
        if (
            many
            or wide
            or alert.severity is Severity.CRITICAL
            or editors >= self.contested_ticket_editors
            or posts >= self.contested_ticket_posts
        ):
            note = " The page has been protected." if _is_protected(alert) else ""
            return Judgement(Severity.WARNING, f"{known}.{note}")
        return _NOTHING


def _spread(alert: Alert) -> str:
    posts, authors = _count(alert, "posts"), _count(alert, "authors")
    reach, after = _count(alert, "reach"), _count(alert, "posts_after")
    within = _count(alert, "window_s") / 60
    said = f"{posts:,} posts by {authors:,} authors in {within:.0f} minutes, reach {reach:,}"
    return f"{said}, {after:,} posts after the revert" if after else said


def _count(alert: Alert, name: str) -> int:
    value = alert.evidence.get(name, 0)
    return int(value) if isinstance(value, int | float) else 0


def _editors(alert: Alert) -> int:
    editors = alert.evidence.get("editors", [])
    return len(editors) if isinstance(editors, list) else 0


def _at_least(editors: int) -> str:
    """An alert names ten of them at most."""
    return "ten or more" if editors >= 10 else str(editors)


def _is_protected(alert: Alert) -> bool:
    """Since its last revert: administrators have seen it."""
    action = alert.evidence.get("protection", _UNPROTECTED)
    return action != _UNPROTECTED
