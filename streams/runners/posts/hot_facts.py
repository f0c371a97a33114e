"""The facts that are hot and how far each spreads: in memory, in the matcher's index, and written with
the batch that changes them."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from streams.partitions import page_key
from streams.posts import HotFact
from streams.records import Alert, AlertKind
from streams.stages.amplify import Amplifier
from streams.stages.hot_facts import HotChanges, hot_changes, name_page
from streams.state.amplification import AmplificationState
from streams.state.cache import StateCache
from streams.state.hot_page import HotPage
from streams.store.batch import PostChanges
from streams.store.keys import state_id

#: States of spread in memory, most of a few KB: those of the facts that are being repeated now.
SPREADS_IN_MEMORY = 4_000


class SpreadStore(Protocol):
    """Where both are read from at the start."""

    def hot_pages(self) -> list[HotPage]: ...

    def load_spreads(self, hot_ids: Sequence[str]) -> dict[str, AmplificationState]: ...

    def spread_deadlines(self) -> list[tuple[float | None, str]]: ...


class FactIndex(Protocol):
    """What posts are matched by."""

    def put(self, fact: HotFact) -> None: ...

    def remove(self, hot_id: str) -> object: ...


class HotFacts:
    """One thread's. `time` is the watermark of posts wherever it is asked for."""

    def __init__(self, store: SpreadStore, index: FactIndex, amplifier: Amplifier) -> None:
        self._index = index
        self._amplifier = amplifier
        self._pages: dict[str, HotPage] = {}
        self._unnamed: dict[str, tuple[str, str]] = {}
        self._keys: dict[str, str] = {}
        """Of pages, by alert_id."""
        self._facts: dict[str, HotFact] = {}
        self._touched_pages: set[str] = set()
        self._ended: set[str] = set()
        self._page_timers: list[tuple[float, str]] = []
        self._spreads = StateCache(SPREADS_IN_MEMORY, store.load_spreads, amplifier.new)
        self._kept: set[str] = set()
        """hot_ids that have a state of spread."""
        self._timers: list[tuple[float, str]] = []
        for page in store.hot_pages():
            self._pages[page.key] = page
            self._keys.update((alert.alert_id, page.key) for alert in page.alerts)
            self._look_again(page)
            if not page.names and page.facts:
                self._unnamed[page.key] = (page.facts[0].wiki, page.facts[0].title)
            for fact in page.facts:
                self._put(fact)
        for deadline, hot_id in store.spread_deadlines():
            self._kept.add(hot_id)
            if deadline is not None:
                heapq.heappush(self._timers, (deadline, hot_id))

    def __len__(self) -> int:
        return len(self._facts)

    def __iter__(self) -> Iterator[HotFact]:
        return iter(self._facts.values())

    def get(self, hot_id: str) -> HotFact | None:
        return self._facts.get(hot_id)

    def spread(self, hot_id: str) -> AmplificationState:
        """To be changed in place: it is written with the batch."""
        self._kept.add(hot_id)
        state = self._spreads.touch(hot_id)
        if state.ended:  # of a time when the fact was hot before
            state = self._amplifier.new(hot_id)
            self._spreads.replace(hot_id, state)
        return state

    def take_unnamed(self) -> list[tuple[str, str]]:
        """`(wiki, title)` of pages that became hot since it was last asked, and of those whose other
        names are not known at the start."""
        taken, self._unnamed = list(self._unnamed.values()), {}
        return taken

    def name(self, key: str, names: Sequence[str]) -> None:
        """How else the page `key` is called. Of one that is hot no more nobody cares."""
        page = self._pages.get(key)
        if page is not None:
            for fact in name_page(page, names).puts:
                self._put(fact)
            self._touched_pages.add(key)

    def fold(self, alerts: Iterable[Alert], time: float) -> list[Alert]:
        """What alerts about edits change, in their order; gives alerts about posts that follow."""
        told: list[Alert] = []
        for alert in alerts:
            if alert.kind is AlertKind.FACT_CORRECTED:
                told += self._corrected(alert, time)
                continue
            key = self._key_of(alert.alert_id, alert)
            page = self._pages.get(key) or HotPage(key)
            changes = hot_changes(page, alert)
            if page.worth_keeping and key not in self._pages:
                self._unnamed[key] = (alert.wiki, alert.title)
            if page.worth_keeping:
                self._pages[key] = page
                self._keys[alert.alert_id] = key
                self._touched_pages.add(key)
                self._look_again(page)
            outcome = alert.evidence.get("outcome")
            told += self._apply(changes, time, outcome if isinstance(outcome, str) else "changed")
        return told

    def _corrected(self, alert: Alert, time: float) -> list[Alert]:
        told: list[Alert] = []
        for alert_id in alert.related:
            page = self._pages.get(self._key_of(alert_id, alert))
            for fact in page.facts if page is not None else ():
                if fact.alert_id == alert_id:
                    told += self._amplifier.corrected(self.spread(fact.hot_id), fact, alert, time)
        return told

    def _key_of(self, alert_id: str, alert: Alert) -> str:
        """Of the page that `alert_id` became known with: it may have moved since, and later states of
        the alert then carry the new title."""
        return self._keys.get(alert_id) or page_key(alert.wiki, alert.title)

    def _apply(self, changes: HotChanges, time: float, outcome: str) -> list[Alert]:
        for fact in changes.puts:
            self._put(fact)
        told: list[Alert] = []
        for hot_id in changes.removed:
            told += self._remove(hot_id, time, outcome)
        return told

    def _put(self, fact: HotFact) -> None:
        self._facts[fact.hot_id] = fact
        self._index.put(fact)

    def _remove(self, hot_id: str, time: float, outcome: str) -> list[Alert]:
        fact = self._facts.pop(hot_id, None)
        if fact is None:
            return []
        self._index.remove(hot_id)
        if hot_id not in self._kept:
            return []
        told = self._amplifier.end(self._spreads.touch(hot_id), fact, time, outcome)
        self._kept.discard(hot_id)
        self._ended.add(hot_id)
        return told

    def _look_again(self, page: HotPage) -> None:
        deadline = page.next_deadline
        if deadline is not None:
            heapq.heappush(self._page_timers, (deadline, page.key))

    def expire(self, edits_time: float, time: float) -> list[Alert]:
        """What is over on pages when `edits_time` has passed on the wikis, and what is due of posts at
        `time`; each at its own time, so that the order is that of the deadlines."""
        told: list[Alert] = []
        self._set_timers()
        while self._timers and self._timers[0][0] < time:
            deadline, hot_id = heapq.heappop(self._timers)
            fact = self._facts.get(hot_id)
            if fact is None or hot_id not in self._kept:
                continue
            told += self._amplifier.advance(self.spread(hot_id), fact, time)
        while self._page_timers and self._page_timers[0][0] <= edits_time:
            deadline, key = heapq.heappop(self._page_timers)
            page = self._pages.get(key)
            if page is None:
                continue
            known = {alert.alert_id for alert in page.alerts}
            for hot_id in page.expire(deadline):
                told += self._remove(hot_id, max(time, deadline), "expired")
            for alert_id in known - {alert.alert_id for alert in page.alerts}:
                self._keys.pop(alert_id, None)
            self._touched_pages.add(key)
            self._look_again(page)
        return told

    def _set_timers(self) -> None:
        """For what was touched since the last commit: it may be due at once."""
        for hot_id, state in self._spreads.dirty.items():
            fact = self._facts.get(hot_id)
            deadline = self._amplifier.next_deadline(state, fact) if fact is not None else None
            if deadline is not None:
                heapq.heappush(self._timers, (deadline, hot_id))

    def collect(self, changes: PostChanges) -> None:
        """Write down what changed since the last commit."""
        for key in self._touched_pages:
            page = self._pages[key]
            changes.hot_pages[state_id(key)] = page if page.worth_keeping else None
        for hot_id in self._ended:
            changes.spreads[hot_id] = None
        for hot_id, state in self._spreads.dirty.items():
            fact = self._facts.get(hot_id)
            if fact is None or hot_id not in self._kept:
                changes.spreads[hot_id] = None
                continue
            deadline = self._amplifier.next_deadline(state, fact)
            changes.spreads[hot_id] = (state, deadline)
            if deadline is not None:
                heapq.heappush(self._timers, (deadline, hot_id))

    def committed(self) -> None:
        """What was collected is durable."""
        for key in self._touched_pages:
            if not self._pages[key].worth_keeping:
                del self._pages[key]
        self._touched_pages.clear()
        self._ended.clear()
        self._spreads.committed()
