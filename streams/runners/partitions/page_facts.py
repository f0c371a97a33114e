"""The hot facts of one page partition, where pages come and go by moves.

What is hot of a page stays with the partition in which its alert became known: posts are sent there, and
what is known of them is there. Later states of the alert come from where the page is now.
"""

from __future__ import annotations

from collections.abc import Sequence

from streams.records import Alert, AlertKind, AlertStatus
from streams.runners.posts.hot_facts import HotFacts

_OF_EDITS = (AlertKind.EDIT_SUSPECT, AlertKind.PAGE_CONTESTED)


class PageFacts(HotFacts):
    def knows(self, alert_id: str) -> bool:
        return alert_id in self._keys

    def split(self, alerts: Sequence[Alert]) -> tuple[list[Alert], list[Alert]]:
        """Those that are to be folded in here, and those that another partition is to be told of; of a
        correction it may be both."""
        here: list[Alert] = []
        elsewhere: list[Alert] = []
        opened: set[str] = set()
        for alert in alerts:
            if alert.kind is AlertKind.FACT_CORRECTED:
                known = [one for one in alert.related if one in opened or self.knows(one)]
                if known or not alert.related:
                    here.append(alert)
                if len(known) < len(alert.related):
                    elsewhere.append(alert)
            elif alert.kind not in _OF_EDITS or alert.status is AlertStatus.OPEN:
                opened.add(alert.alert_id)
                here.append(alert)
            elif alert.alert_id in opened or self.knows(alert.alert_id):
                here.append(alert)
            else:
                elsewhere.append(alert)
        return here, elsewhere

    def of_moved(self, alerts: Sequence[Alert]) -> list[Alert]:
        """Of those that another partition could do nothing with: those that belong here."""
        return [
            alert
            for alert in alerts
            if self.knows(alert.alert_id) or any(self.knows(one) for one in alert.related)
        ]
