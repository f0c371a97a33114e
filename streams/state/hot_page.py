"""Hot facts of one page, by the alert that says so. Rebuilt from nothing but itself after a restart."""

from __future__ import annotations

import msgspec

from streams.posts import HotFact

#: Facts of a page held hot at once. 17 alerts can be open on a page, of 8 facts each; past half of that
#: the page is not to be quoted at all, and posts about it are seen by the facts that are left.
FACTS_CAP = 64
#: Alerts remembered, those included that are over: far more than change within a redelivery.
ALERTS_CAP = 64
#: Redirects and aliases of a page: with more, the rare ones tell more about other pages.
NAMES_CAP = 64


class HotAlert(msgspec.Struct, array_like=True):
    """One alert with its facts. After its end it is kept without facts for a time, so that an earlier
    state of it, told again, does not make them hot anew."""

    alert_id: str
    order: tuple[int, int, float, int]
    """Of the newest state folded in: whether resolved, edits of the episode, event time, rev_id."""
    forget_time: float
    """Event time from which nothing of it is kept."""
    facts: list[HotFact] = []


class HotPage(msgspec.Struct, array_like=True):
    key: str
    """`wiki:title`."""
    alerts: list[HotAlert] = []
    """In the order they came to be known."""
    names: list[str] = []
    """What redirects here, and aliases, as far as the wiki was asked."""

    @property
    def facts(self) -> list[HotFact]:
        return [fact for alert in self.alerts for fact in alert.facts]

    @property
    def next_deadline(self) -> float | None:
        """Event time at which something of the page is over; None if there is nothing."""
        return min((alert.forget_time for alert in self.alerts), default=None)

    @property
    def worth_keeping(self) -> bool:
        return bool(self.alerts)

    def alert(self, alert_id: str) -> HotAlert | None:
        for alert in self.alerts:
            if alert.alert_id == alert_id:
                return alert
        return None

    def expire(self, time: float) -> tuple[str, ...]:
        """Drop what is over. `time` is the watermark. Gives the hot_ids that are hot no more."""
        gone = [alert for alert in self.alerts if alert.forget_time <= time]
        if not gone:
            return ()
        self.alerts = [alert for alert in self.alerts if alert not in gone]
        return tuple(fact.hot_id for alert in gone for fact in alert.facts)

    def take_in(self, moved: HotPage) -> None:
        """The page `moved` got this one's title: what is open on it goes on here."""
        known = {alert.alert_id for alert in self.alerts}
        self.alerts += [alert for alert in moved.alerts if alert.alert_id not in known]

    def crowd_out(self) -> tuple[str, ...]:
        """Keep to the bounds: facts of settled alerts go first, the longest settled before others, then
        the oldest. Gives their hot_ids."""
        ranked = sorted(
            (fact for alert in self.alerts for fact in alert.facts),
            key=lambda fact: (fact.expires is None, fact.expires or fact.since, fact.hot_id),
        )
        crowded = {fact.hot_id for fact in ranked[: max(0, len(ranked) - FACTS_CAP)]}
        for alert in self.alerts if crowded else ():
            alert.facts = [fact for fact in alert.facts if fact.hot_id not in crowded]
        spare = len(self.alerts) - ALERTS_CAP
        for alert in [a for a in self.alerts if not a.facts][: max(0, spare)]:
            self.alerts.remove(alert)
        return tuple(sorted(crowded))
