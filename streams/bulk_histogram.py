"""A histogram that takes many observations at once: one call for each edit would cost 3 % at 17,000 edits
a second."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector


class BulkHistogram(Collector):
    """Exposed as `prometheus_client.Histogram` without labels would be."""

    def __init__(
        self, name: str, documentation: str, *, buckets: Sequence[float], registry: CollectorRegistry
    ) -> None:
        """`buckets`: upper bounds, rising; `+Inf` is added."""
        self._name = name
        self._documentation = documentation
        self._bounds = tuple(float(bound) for bound in buckets)
        self._at_most = [0] * len(self._bounds)
        self._count = 0
        self._sum = 0.0
        self._lock = threading.Lock()
        registry.register(self)

    def observe_all(self, values: Iterable[float]) -> None:
        ordered = sorted(values)
        if not ordered:
            return
        at_most = [bisect_right(ordered, bound) for bound in self._bounds]
        total = sum(ordered)
        with self._lock:
            self._at_most = [n + more for n, more in zip(self._at_most, at_most, strict=True)]
            self._count += len(ordered)
            self._sum += total

    def describe(self) -> Iterable[HistogramMetricFamily]:
        return [HistogramMetricFamily(self._name, self._documentation)]

    def collect(self) -> Iterable[HistogramMetricFamily]:
        with self._lock:
            at_most, count, total = list(self._at_most), self._count, self._sum
        buckets = [(repr(bound), float(n)) for bound, n in zip(self._bounds, at_most, strict=True)]
        buckets.append(("+Inf", float(count)))
        return [HistogramMetricFamily(self._name, self._documentation, buckets, total)]
