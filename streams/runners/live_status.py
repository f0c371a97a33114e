"""What a running program tells of itself: to the page, /readyz and the metrics."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from streams import __version__
from streams.clock import Clock
from streams.runners.run_figures import Progress
from streams.sources.base import Source
from streams.store.sqlite import SqliteStore
from streams.web.status import Part, PostSource, Status

#: Span over which the rate is taken.
RATE_SPAN_S = 60.0


class Rate:
    """Of a count that only grows, over the last `RATE_SPAN_S`."""

    def __init__(self, started: float) -> None:
        self._counts: deque[tuple[float, int]] = deque([(started, 0)], maxlen=2_000)
        self.newest = 0

    def add(self, now: float, count: int) -> None:
        self.newest = count
        if now - self._counts[-1][0] >= 0.5:
            self._counts.append((now, count))

    def per_second(self, now: float) -> float:
        while len(self._counts) > 1 and self._counts[0][0] < now - RATE_SPAN_S:
            self._counts.popleft()
        since, first = self._counts[0]
        return (self._counts[-1][1] - first) / max(now - since, 1.0)


class LiveStatus:
    """Implements `Health` and `StatusProvider`. Thread-safe: the runner calls `committed`, the web
    server's threads read."""

    def __init__(
        self,
        *,
        source: Source,
        store: SqliteStore,
        clock: Clock,
        model_version: str,
        wikis: tuple[str, ...],
        stale_after_s: float | None,
        content: Callable[[], str] | None,
        webhook: Callable[[], Part] | None = None,
        pager: Callable[[], Mapping[str, Part]] | None = None,
        post_sources: Sequence[Source] = (),
    ) -> None:
        self._source = source
        self._store = store
        self._clock = clock
        self._model_version = model_version
        self._wikis = wikis
        self._stale_after_s = stale_after_s
        self._content = content
        self._webhook = webhook
        self._pager = pager
        self._post_sources = tuple(post_sources)
        self._started = clock.now()
        self._lock = threading.Lock()
        self._records = Rate(self._started)
        self._posts = Rate(self._started)
        self._hot_facts: int | None = None
        self._outcomes = {
            outcome: n for (name, outcome), n in store.outcomes().items() if name == source.name
        }
        self._before = dict(self._outcomes)
        self._newest_arrival: float | None = None
        self.failed: str = ""
        """Why the runner stopped; empty while it runs."""

    def committed(self, progress: Progress) -> None:
        now = self._clock.now()
        with self._lock:
            self._newest_arrival = progress.newest_arrival
            self._outcomes = dict(self._before)
            for outcome, n in progress.outcomes.items():
                self._outcomes[outcome] = self._outcomes.get(outcome, 0) + n
            self._records.add(now, progress.records)
            self._posts.add(now, progress.posts)
            self._hot_facts = progress.hot_facts

    def status(self) -> Status:
        now = self._clock.now()
        with self._lock:
            rate, posts_rate = self._records.per_second(now), self._posts.per_second(now)
            posts, hot_facts = self._posts.newest, self._hot_facts
            outcomes = dict(self._outcomes)
            newest = self._newest_arrival
        return Status(
            version=__version__,
            started_time=self._started,
            now=now,
            source_name=self._source.name,
            source=self._source.status(),
            stale_after_s=self._stale_after_s,
            events=outcomes,
            events_per_s=rate,
            freshness_s=max(0.0, now - newest) if newest is not None else None,
            alerts_open=self._store.count_open(),
            model_version=self._model_version,
            wikis=self._wikis,
            post_sources=tuple(
                PostSource(source.name, source.status()) for source in self._post_sources
            ),
            posts=posts,
            posts_per_s=posts_rate,
            hot_facts=hot_facts,
            takes_verdicts=True,
        )

    def parts(self) -> Mapping[str, Part]:
        source = self._source.status()
        good = source.state in ("connected", "ended")
        parts = {
            "source": Part(good, f"{source.state}: {source.detail}".rstrip(": ")),
            "store": Part(not self.failed, self.failed or "commits"),
            "model": Part(True, self._model_version),
        }
        for of_posts in self._post_sources:
            told = of_posts.status()
            parts[f"posts_{of_posts.name}"] = Part(
                told.state in ("connected", "ended"),
                f"{told.state}: {told.detail}".rstrip(": "),
                needed=False,
            )
        if self._content is not None:
            parts["content"] = Part(True, self._content(), needed=False)
        if self._webhook is not None:
            parts["webhook"] = self._webhook()
        if self._pager is not None:
            parts |= self._pager()
        return parts
