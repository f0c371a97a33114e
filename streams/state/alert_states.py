"""Which alerts are open, by what was told of them: the same state told twice, or an older one told late,
is no news."""

from __future__ import annotations

from collections import OrderedDict

import msgspec

from streams.records import Alert, AlertKind, AlertStatus

#: State changes remembered. All wikis together have some 50,000 a day; what is told again after a crash
#: or a change of partitions is seconds old. 200 bytes each.
REMEMBERED_CAP = 65_536
#: Open alerts. An edit that nobody reverts is open for 48 hours: some 30,000 for all wikis. The one of
#: which nothing was told for longest goes for a further one. About 500 bytes each.
OPEN_CAP = 65_536
#: An open alert of which nothing more is told: its end was lost. As for hot facts.
LOST_AFTER_S = 7 * 86_400.0


class OpenAlert(msgspec.Struct, gc=False):
    kind: AlertKind
    order: tuple[int, float]
    told_time: float
    """Event time of its newest state."""
    diff_url: str


class AlertStates:
    def __init__(self) -> None:
        self._open: OrderedDict[str, OpenAlert] = OrderedDict()
        self._told: OrderedDict[str, None] = OrderedDict()
        self._over: OrderedDict[str, None] = OrderedDict()
        self.open_by_kind: dict[AlertKind, int] = dict.fromkeys(AlertKind, 0)

    def is_news(self, alert: Alert) -> bool:
        """Fold one state change in. False: it was told before, or a newer one was."""
        if alert.ce_id in self._told:
            return False
        _remember(self._told, alert.ce_id)
        known = self._open.get(alert.alert_id)
        if alert.status is AlertStatus.RESOLVED:
            # A correction is resolved from the start, and told again as posts come to light.
            if known is None and alert.alert_id in self._over:
                return alert.kind is AlertKind.FACT_CORRECTED
            self.drop(alert.alert_id)
            _remember(self._over, alert.alert_id)
            return True
        order = _order_of(alert)
        if alert.alert_id in self._over or (known is not None and order < known.order):
            return False
        if known is None:
            self.open_by_kind[alert.kind] += 1
            self._open[alert.alert_id] = OpenAlert(alert.kind, order, alert.event_time, alert.diff_url)
        else:
            known.order, known.told_time = order, alert.event_time
            self._open.move_to_end(alert.alert_id)
        return True

    def diff_url(self, alert_id: str) -> str:
        """Of the edit that opened it; "" if it is not open."""
        known = self._open.get(alert_id)
        return known.diff_url if known is not None else ""

    def drop(self, alert_id: str) -> None:
        known = self._open.pop(alert_id, None)
        if known is not None:
            self.open_by_kind[known.kind] -= 1

    def given_up(self, time: float) -> list[tuple[str, float]]:
        """Alerts whose end was lost, or that are too many: they are open no more. By alert_id, with the
        event time, `time` at the latest, since when."""
        lost: list[tuple[str, float]] = []
        while self._open:
            alert_id, oldest = next(iter(self._open.items()))
            lost_time = oldest.told_time + LOST_AFTER_S
            if len(self._open) <= OPEN_CAP and lost_time > time:
                break
            self.drop(alert_id)
            lost.append((alert_id, min(lost_time, time)))
        return lost


def _remember(ids: OrderedDict[str, None], new: str) -> None:
    ids[new] = None
    if len(ids) > REMEMBERED_CAP:
        ids.popitem(last=False)


def _order_of(alert: Alert) -> tuple[int, float]:
    """An edit that came late updates an alert at an earlier time than that of its last state: the count
    of edits tells which came later."""
    edits = alert.evidence.get("edits", 0)
    return (edits if isinstance(edits, int) else 0, alert.event_time)
