"""Which facts are hot: from the alerts of a page, in their order, to what posts are held against.

What the end of an alert means for its facts:

- *reverted, withdrawn*: the statement is known to have been taken back. It stays hot for `hot_after_s`
  with `corrected_time`: who repeats it now repeats what was corrected.
- *kept, settled*: the edit stood, the dispute is over. Nothing speaks against the statement any more: it
  goes at once.
- *page deleted*: there is no revision left to point to, and a deletion tells nothing of one statement:
  it goes at once.
- *crowded out*: nobody looked at the edit, further suspects only took its place, and no later state of its
  alert will come. It stays hot for `hot_after_s`, not corrected.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from streams.posts import HotFact, HotKind
from streams.records import Alert, AlertKind, AlertStatus, FactChange
from streams.stages.alerts import digest
from streams.state.hot_page import NAMES_CAP, HotAlert, HotPage

#: How long a fact stays hot after its alert ended: posts are read and passed on for about a day.
HOT_AFTER_S = 86_400.0
#: How long an open alert of which nothing more is told is believed. An edit counts as kept after 48 h;
#: only an alert whose end was lost, by a move of its page say, comes to this.
LOST_AFTER_S = 7 * 86_400.0

_KINDS = {
    AlertKind.EDIT_SUSPECT: HotKind.VANDALISED,
    AlertKind.PAGE_CONTESTED: HotKind.CONTESTED,
}
_CORRECTED = ("reverted", "withdrawn")
_LEFT_OPEN = "crowded out"


class HotChanges(msgspec.Struct, frozen=True, gc=False):
    """What is hot from now on, and what no more. A put replaces what was put under its hot_id."""

    puts: tuple[HotFact, ...] = ()
    removed: tuple[str, ...] = ()
    """hot_ids."""


def hot_changes(page: HotPage, alert: Alert, hot_after_s: float = HOT_AFTER_S) -> HotChanges:
    """Fold one state of an alert of this page in. Other kinds, a state told before and one older than
    the newest known change nothing. Changes `page` in place."""
    kind = _KINDS.get(alert.kind)
    if kind is None:
        return HotChanges()
    order = _order_of(alert)
    known = page.alert(alert.alert_id)
    if known is not None and order <= known.order:
        return HotChanges()
    if known is None:
        known = HotAlert(alert.alert_id, order, 0.0)
        page.alerts.append(known)
    before = {fact.hot_id: fact for fact in known.facts}
    known.order = order
    known.facts = _facts_of(page, alert, kind, before, hot_after_s)
    over = alert.status is AlertStatus.RESOLVED
    known.forget_time = alert.event_time + (hot_after_s if over else LOST_AFTER_S)
    own = {fact.hot_id for fact in known.facts}
    crowded = page.crowd_out()
    puts = tuple(fact for fact in known.facts if before.get(fact.hot_id) != fact)
    left = {fact.hot_id for fact in known.facts}
    removed = tuple(hot_id for hot_id in before if hot_id not in left)
    others = tuple(hot_id for hot_id in crowded if hot_id not in own)
    return HotChanges(puts, removed + others)


def with_names(fact: HotFact, names: Iterable[str]) -> HotFact:
    """`fact`, with these ways to name its page beside the title: redirects and aliases."""
    all_names = dict.fromkeys((fact.title, *(name for name in names if name)))
    return msgspec.structs.replace(fact, names=tuple(all_names)[:NAMES_CAP])


def name_page(page: HotPage, names: Iterable[str]) -> HotChanges:
    """The wiki told what redirects to the page: for the facts that are hot and those to come."""
    page.names = list(dict.fromkeys(name for name in names if name))[:NAMES_CAP]
    puts = []
    for alert in page.alerts:
        named = [with_names(fact, page.names) for fact in alert.facts]
        puts += [new for new, old in zip(named, alert.facts, strict=True) if new != old]
        alert.facts = named
    return HotChanges(tuple(puts))


def _order_of(alert: Alert) -> tuple[int, int, float, int]:
    """An edit that came late updates an alert at an earlier time than that of its last state: the count
    of edits tells which came later."""
    edits = alert.evidence.get("edits", 0)
    return (
        int(alert.status is AlertStatus.RESOLVED),
        edits if isinstance(edits, int) else 0,
        alert.event_time,
        alert.rev_id,
    )


def _facts_of(
    page: HotPage, alert: Alert, kind: HotKind, before: dict[str, HotFact], hot_after_s: float
) -> list[HotFact]:
    corrected = expires = None
    if alert.status is AlertStatus.RESOLVED:
        outcome = alert.evidence.get("outcome")
        if outcome not in (*_CORRECTED, _LEFT_OPEN):
            return []
        expires = alert.event_time + hot_after_s
        corrected = alert.event_time if outcome in _CORRECTED else None
    facts = {}
    for change in alert.fact_changes:
        fact = _hot(alert, kind, change, before.get(digest(alert.alert_id, change.fact_key)))
        fact = msgspec.structs.replace(fact, corrected_time=corrected, expires=expires)
        facts[fact.hot_id] = with_names(fact, page.names)
    return list(facts.values())


def _hot(alert: Alert, kind: HotKind, change: FactChange, known: HotFact | None) -> HotFact:
    """`rev_id` and `since` are those of the edit that made the statement what it is; `since` of a
    contested one stays that of its first appearance, as either side was in dispute from then on."""
    if known is not None and known.fact == change:
        return known
    since = alert.event_time if alert.status is not AlertStatus.RESOLVED else alert.episode_start
    if known is not None and kind is HotKind.CONTESTED:
        since = known.since
    return HotFact(
        hot_id=digest(alert.alert_id, change.fact_key),
        alert_id=alert.alert_id,
        kind=kind,
        wiki=alert.wiki,
        server_name=alert.server_name,
        title=alert.title,
        names=(alert.title,),
        fact=change,
        rev_id=alert.rev_id,
        since=since,
        page_url=alert.page_url,
        last_good_rev_id=alert.last_good_rev_id,
        last_good_url=alert.last_good_url,
    )
