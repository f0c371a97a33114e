"""What is open on a page, as others are told."""

from __future__ import annotations

from streams.records import Alert, FactChange, PageStatus, PageStatusKind
from streams.state.episode import EpisodeState

#: Statements told of one page; more than that in doubt at once is a page not to be quoted at all.
FACTS_CAP = 20


def status_of(episode: EpisodeState) -> PageStatus | None:
    """None when nothing is open. A dispute's last good revision wins: it lies before all of it."""
    suspects = [suspect.last for suspect in episode.suspects]
    dispute = episode.dispute.last if episode.dispute is not None else None
    open_alerts = suspects if dispute is None else [dispute, *suspects]
    if not open_alerts:
        return None
    first = open_alerts[0]
    wiki, _, title = episode.key.partition(":")
    good = next((alert for alert in open_alerts if alert.last_good_rev_id is not None), None)
    return PageStatus(
        wiki=wiki,
        title=title,
        status=PageStatusKind.SUSPECT if dispute is None else PageStatusKind.CONTESTED,
        event_time=max(alert.event_time for alert in open_alerts),
        alert_ids=tuple(
            alert.alert_id for alert in sorted(open_alerts, key=lambda alert: alert.episode_start)
        ),
        rev_ids=tuple(rev_id for suspect in episode.suspects for rev_id in suspect.standing),
        last_good_rev_id=good.last_good_rev_id if good is not None else None,
        last_good_url=good.last_good_url if good is not None else first.last_good_url,
        fact_changes=_facts(open_alerts),
    )


def _facts(alerts: list[Alert]) -> tuple[FactChange, ...]:
    """The newest of each statement."""
    facts: dict[str, FactChange] = {}
    for alert in alerts:
        for fact in alert.fact_changes:
            facts[fact.fact_key] = fact
    return tuple(facts.values())[:FACTS_CAP]
