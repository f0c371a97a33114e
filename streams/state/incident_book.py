"""From alerts to incidents: which open, which grow, which are over.

Everything is on event time and in the order of the alerts, so the same alerts give the same incidents.
Titles and changed values are all that is kept of what alerts say; of posts only how many there are and
how far they reach, so that the deletion of a post leaves nothing to take back here.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec

from streams.incidents import Incident, IncidentKind, key_of
from streams.records import Alert, AlertKind, AlertStatus, PerformerKind
from streams.state.alert_states import AlertStates
from streams.state.open_incident import About, Slot
from streams.state.open_incidents import OpenIncidents
from streams.state.performer_bursts import PerformerBursts

if TYPE_CHECKING:  # of the layer above: it judges by what is kept here
    from streams.stages.paging_policy import PagingPolicy

#: Edits whose correction is remembered: posts are counted some seconds to minutes after edits, and all
#: wikis together have about one correction in two seconds.
CORRECTED_CAP = 4_096
#: Disputes open at once, each with its newest alert: more than all wikis have. The oldest goes.
DISPUTES_CAP = 1_024
_TAKEN_BACK = ("reverted", "withdrawn")
_WHO = {
    PerformerKind.REGISTERED: "One registered editor",
    PerformerKind.TEMPORARY: "One temporary account",
    PerformerKind.IP: "One IP address",
}


class _Dispute(msgspec.Struct):
    newest: Alert
    posts: int = 0
    """That repeat a side of it."""
    reach: int = 0
    """Of one of them, the widest."""


class IncidentBook:
    """Folds alerts by `policy`."""

    def __init__(self, policy: PagingPolicy) -> None:
        self._policy = policy
        self._alerts = AlertStates()
        limits = {kind: policy.page_limit(kind) for kind in IncidentKind}
        self._incidents = OpenIncidents(limits, policy.burst_quiet_s)
        self._bursts = PerformerBursts()
        self._disputes: OrderedDict[str, _Dispute] = OrderedDict()
        self._corrected: OrderedDict[str, None] = OrderedDict()
        self._time = -math.inf

    @property
    def open(self) -> Sequence[Incident]:
        """The newest state of each incident that is not resolved, the oldest first."""
        return self._incidents.states()

    @property
    def open_alerts(self) -> dict[AlertKind, int]:
        return dict(self._alerts.open_by_kind)

    def fold(self, alert: Alert) -> list[Incident]:
        """One state change of an alert: the new states of incidents, in order. One told before, or older
        than the newest of its alert, changes nothing."""
        told = self.pass_time(alert.event_time)
        if not self._alerts.is_news(alert):
            return told
        resolved = alert.status is AlertStatus.RESOLVED
        match alert.kind:
            case AlertKind.EDIT_SUSPECT if resolved:
                self._bursts.settle(alert.alert_id)
                told += self._settle(alert)
                if _outcome_of(alert) in _TAKEN_BACK:  # by the wiki's own tag: no correction follows
                    told += self._correct((alert.alert_id,), alert.event_time)
            case AlertKind.EDIT_SUSPECT:
                told += self._suspect(alert)
            case AlertKind.PAGE_CONTESTED if resolved:
                self._disputes.pop(alert.alert_id, None)
                told += self._settle(alert)
            case AlertKind.PAGE_CONTESTED:
                dispute = self._disputes.setdefault(alert.alert_id, _Dispute(alert))
                dispute.newest = alert
                if len(self._disputes) > DISPUTES_CAP:
                    self._disputes.popitem(last=False)
                told += self._contested(dispute, alert.event_time)
            case AlertKind.FACT_CORRECTED:
                told += self._correct(alert.related, alert.event_time)
            case AlertKind.POST_REPEATS if not resolved:
                told += self._repeated(alert)
            case AlertKind.FACT_AMPLIFIED if resolved:
                told += self._settle(alert)
            case AlertKind.FACT_AMPLIFIED:
                told += self._amplified(alert)
        return told

    def pass_time(self, watermark: float) -> list[Incident]:
        """What time alone settles. To call it oftener changes nothing but how soon that is known."""
        told: list[Incident] = []
        for alert_id, lost_time in self._alerts.given_up(max(watermark, self._time)):
            self._time = max(self._time, lost_time)
            told += self._incidents.pass_time(self._time)
            self._disputes.pop(alert_id, None)
            self._bursts.settle(alert_id)
            told += self._incidents.settle(alert_id, self._time, "nothing heard")
        self._time = max(self._time, watermark)
        told += self._incidents.pass_time(self._time)
        self._bursts.forget_before(self._time - self._policy.burst_window_s)
        return told

    def _suspect(self, alert: Alert) -> list[Incident]:
        who = _WHO.get(alert.performer_kind)
        if who is None or not alert.performer:
            return []  # hidden: could be anybody
        pages = self._bursts.add(alert).within(self._policy.burst_window_s)
        severe = sum(1 for page in pages if page.severe)
        judged = self._policy.of_burst(pages=len(pages), severe=severe)
        slot = (IncidentKind.PERFORMER_BURST, alert.wiki, key_of(alert.performer))
        known = self._incidents.at(slot)
        ids = dict.fromkeys((page.alert_id for page in pages), ())
        standing = len(ids.keys() | known.members.keys()) if known is not None else len(ids)
        summary = f"{who} has suspect edits standing on {standing} pages of {alert.wiki}"
        about = _about(alert, judged.why, f"{summary}, the newest: {alert.title}")
        return self._incidents.fold(slot, alert.event_time, ids, judged.severity, about)

    def _contested(self, dispute: _Dispute, time: float) -> list[Incident]:
        alert = dispute.newest
        judged = self._policy.of_contested(alert, posts=dispute.posts, reach=dispute.reach)
        slot = self._slot(IncidentKind.PAGE_CONTESTED, alert)
        about = _about(alert, judged.why)
        return self._incidents.fold(slot, time, {alert.alert_id: ()}, judged.severity, about)

    def _repeated(self, alert: Alert) -> list[Incident]:
        """A post alone is no incident: it tells how far a dispute has got."""
        told: list[Incident] = []
        for alert_id in alert.related:
            dispute = self._disputes.get(alert_id)
            if dispute is None:
                continue
            total = alert.evidence.get("total_posts", 1)
            dispute.posts = max(dispute.posts, total if isinstance(total, int) else 1)
            dispute.reach = max([dispute.reach, *(post.reach or 0 for post in alert.posts)])
            told += self._contested(dispute, alert.event_time)
        return told

    def _amplified(self, alert: Alert) -> list[Incident]:
        time, told = alert.event_time, []
        corrected = "posts_after" in alert.evidence or any(
            cause in self._corrected for cause in alert.related
        )
        if corrected:
            slot = self._incidents.slot_of(alert.alert_id)
            known = self._incidents.at(slot) if slot is not None else None
            if known is not None and known.members[alert.alert_id]:
                told += self._incidents.settle(alert.alert_id, time, "corrected")
        slot = self._slot(IncidentKind.FACT_AMPLIFIED, alert)
        known = self._incidents.at(slot)
        if corrected and known is not None and known.is_page:
            return told  # it is about another fact of the page, and ends when that is corrected
        judged = self._policy.of_amplified(alert, corrected=corrected)
        waits_for = () if corrected else alert.related
        diffs = (self._alerts.diff_url(cause) for cause in alert.related)  # it has none of its own
        about = msgspec.structs.replace(
            _about(alert, judged.why), diff_url=alert.diff_url or next(filter(None, diffs), "")
        )
        return told + self._incidents.fold(
            slot, time, {alert.alert_id: waits_for}, judged.severity, about
        )

    def _correct(self, causes: Iterable[str], time: float) -> list[Incident]:
        """The edits of these alerts were undone: what repeats them repeats no standing fact any more."""
        told: list[Incident] = []
        for cause in causes:
            self._corrected[cause] = None
            if len(self._corrected) > CORRECTED_CAP:
                self._corrected.popitem(last=False)
            told += self._incidents.settle_waiting(cause, time, "corrected")
        return told

    def _settle(self, alert: Alert) -> list[Incident]:
        return self._incidents.settle(alert.alert_id, alert.event_time, _outcome_of(alert))

    def _slot(self, kind: IncidentKind, alert: Alert) -> Slot:
        """A page that was moved keeps the incident of its former title."""
        known = self._incidents.slot_of(alert.alert_id)
        return known or (kind, alert.wiki, key_of(alert.title))


def _about(alert: Alert, why: str, summary: str = "") -> About:
    links = (alert.page_url, alert.diff_url, alert.last_good_url)
    return About(summary or alert.summary, why, *links)


def _outcome_of(alert: Alert) -> str:
    return str(alert.evidence.get("outcome", "settled"))
