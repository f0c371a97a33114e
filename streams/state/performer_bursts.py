"""Which performers have suspect edits open on several pages at once."""

from __future__ import annotations

from collections import OrderedDict

import msgspec

from streams.records import Alert, Severity

#: Performers watched: those with a suspect edit within the window, some thousand an hour on all wikis.
#: The one that was quiet for longest goes for a further one.
PERFORMERS_CAP = 16_384
#: Pages of one performer. A burst is one long before; the oldest goes for a further one.
PAGES_CAP = 256


class SuspectPage(msgspec.Struct, gc=False):
    alert_id: str
    when: float
    """Event time of the newest suspect edit on it."""
    severe: bool


class Watched(msgspec.Struct):
    pages: OrderedDict[str, SuspectPage]
    """By title, the newest last."""
    newest: float

    def within(self, window_s: float) -> list[SuspectPage]:
        """Pages with a suspect edit in the window that ends with the newest one."""
        return [page for page in self.pages.values() if page.when > self.newest - window_s]


class PerformerBursts:
    """Performers are known by the name they edit under: one who hops from address to address, or from
    one temporary account to the next, is several."""

    def __init__(self) -> None:
        self._watched: OrderedDict[tuple[str, str], Watched] = OrderedDict()
        self._place: dict[str, tuple[tuple[str, str], str]] = {}

    def add(self, alert: Alert) -> Watched:
        """Fold in a suspect edit that is open."""
        self.settle(alert.alert_id)  # under the title it had before a move, too
        performer = (alert.wiki, alert.performer)
        watched = self._watched.get(performer)
        if watched is None:
            watched = self._watched[performer] = Watched(OrderedDict(), alert.event_time)
        watched.newest = max(watched.newest, alert.event_time)
        self._watched.move_to_end(performer)
        known = watched.pages.pop(alert.title, None)
        if known is not None:
            self._place.pop(known.alert_id, None)
        severe = alert.severity is not Severity.INFO
        watched.pages[alert.title] = SuspectPage(alert.alert_id, alert.event_time, severe)
        self._place[alert.alert_id] = (performer, alert.title)
        if len(watched.pages) > PAGES_CAP:
            _, page = watched.pages.popitem(last=False)
            self._place.pop(page.alert_id, None)
        if len(self._watched) > PERFORMERS_CAP:
            self._forget(next(iter(self._watched)))
        return watched

    def settle(self, alert_id: str) -> None:
        """The edit was undone, or counts as kept."""
        place = self._place.pop(alert_id, None)
        if place is None:
            return
        performer, title = place
        watched = self._watched[performer]
        watched.pages.pop(title, None)
        if not watched.pages:
            del self._watched[performer]

    def forget_before(self, time: float) -> None:
        """Let go of who was quiet since `time`."""
        while self._watched:
            performer, watched = next(iter(self._watched.items()))
            if watched.newest > time:
                break
            self._forget(performer)

    def _forget(self, performer: tuple[str, str]) -> None:
        for page in self._watched.pop(performer).pages.values():
            self._place.pop(page.alert_id, None)
