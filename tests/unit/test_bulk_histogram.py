"""Many observations at once, exposed as Prometheus's own histogram exposes one at a time."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram, generate_latest

from streams.bulk_histogram import BulkHistogram

BUCKETS = (0.05, 0.1, 1, 2.5, 60)


def exposed(registry: CollectorRegistry) -> dict[str, float]:
    lines = re.findall(r"^(waits_seconds_\S+) (\S+)$", generate_latest(registry).decode(), re.MULTILINE)
    return {name: float(value) for name, value in lines if "_created" not in name}


@given(st.lists(st.lists(st.sampled_from([0.0, 0.05, 0.07, 0.1, 1.0, 2.0, 2.5, 59.0, 60.0, 61.0, 1e6]))))
def test_it_exposes_what_a_histogram_that_sees_each_alone_does(batches: list[list[float]]) -> None:
    one_by_one, at_once = CollectorRegistry(), CollectorRegistry()
    alone = Histogram("waits_seconds", "Waits.", buckets=BUCKETS, registry=one_by_one)
    bulk = BulkHistogram("waits_seconds", "Waits.", buckets=BUCKETS, registry=at_once)
    for batch in batches:
        bulk.observe_all(batch)
        for value in batch:
            alone.observe(value)
    assert exposed(at_once) == pytest.approx(exposed(one_by_one))
    assert (
        f'waits_seconds_bucket{{le="+Inf"}} {float(sum(map(len, batches)))}'
        in generate_latest(at_once).decode()
    )


def test_zero_is_visible_before_anything_was_observed() -> None:
    registry = CollectorRegistry()
    BulkHistogram("waits_seconds", "Waits.", buckets=BUCKETS, registry=registry)
    assert exposed(registry) == {
        'waits_seconds_bucket{le="0.05"}': 0,
        'waits_seconds_bucket{le="0.1"}': 0,
        'waits_seconds_bucket{le="1.0"}': 0,
        'waits_seconds_bucket{le="2.5"}': 0,
        'waits_seconds_bucket{le="60.0"}': 0,
        'waits_seconds_bucket{le="+Inf"}': 0,
        "waits_seconds_count": 0,
        "waits_seconds_sum": 0,
    }
