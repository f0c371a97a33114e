from __future__ import annotations

import pytest

from streams.content.throttle import MAX_RETRY_AFTER_S, HostGate, TokenBucket, retry_after_s


def calls_in(bucket: TokenBucket, until_s: float) -> list[float]:
    """When calls go out if one is always waiting."""
    now, times = 0.0, []
    while now < until_s:
        wait_s = bucket.reserve(now, 1e9)
        assert wait_s is not None
        now += wait_s
        times.append(now)
    return times


def test_no_minute_holds_more_calls_than_the_limit() -> None:
    times = calls_in(TokenBucket(200, 0.0), 600)
    most = max(sum(start <= time < start + 60 for time in times) for start in times)
    assert 190 <= most <= 201  # 201: both ends of the window counted
    assert len(times) > 1_700


def test_a_place_is_not_taken_when_the_wait_would_be_too_long() -> None:
    bucket = TokenBucket(10, 0.0, burst=1)
    assert bucket.reserve(0.0, 0.0) == 0.0
    assert bucket.reserve(0.0, 1.0) is None
    assert bucket.reserve(0.0, 10.0) == pytest.approx(60 / 9)


def test_a_host_that_fails_is_asked_less_and_less_often() -> None:
    gate, now, waits = HostGate(), 0.0, []
    for _ in range(12):
        gate.failed(now, now, None, refused=False, detail="HTTP 500")
        waits.append(gate.wait_s(now))
        now += waits[-1]
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]


def test_retry_after_is_kept_and_one_success_ends_the_backing_off() -> None:
    gate = HostGate()
    gate.failed(0.0, 0.0, 17.0, refused=True, detail="HTTP 429")
    assert gate.wait_s(0.0) == 17
    gate.succeeded()
    assert (gate.wait_s(0.0), gate.failures) == (0, 0)


def test_retry_after_has_bounds_on_both_sides() -> None:
    gate = HostGate()
    gate.failed(0.0, 0.0, 1e9, refused=True, detail="")
    assert gate.wait_s(0.0) == MAX_RETRY_AFTER_S
    gate = HostGate()
    for now in range(4):
        gate.failed(float(now), float(now), 0.0, refused=True, detail="")
    assert gate.wait_s(3.0) == 8


def test_calls_that_failed_together_count_once() -> None:
    gate = HostGate()
    gate.failed(10.0, 9.0, None, refused=True, detail="")
    gate.failed(10.5, 9.2, None, refused=True, detail="")
    assert gate.failures == 1


def test_after_a_failure_one_call_goes_first() -> None:
    gate = HostGate()
    gate.failed(0.0, 0.0, 5.0, refused=True, detail="")
    gate.enter(6.0, hold_s=30.0)
    assert gate.wait_s(7.0) == 29
    gate.let_go(8.0)
    assert gate.wait_s(8.0) == 0


@pytest.mark.parametrize(
    ("value", "date", "seconds"),
    [
        ("5", None, 5.0),
        (" 120 ", None, 120.0),
        (None, None, None),
        ("soon", None, None),
        ("-3", None, None),
        ("99999999999", None, None),
        ("٥", None, None),
        ("Tue, 24 Nov 2026 21:30:31 GMT", "Tue, 24 Nov 2026 21:30:21 GMT", 10.0),
        ("Tue, 24 Nov 2026 21:30:11 GMT", "Tue, 24 Nov 2026 21:30:21 GMT", 0.0),
        ("Tue, 24 Nov 2026 21:30:31 GMT", None, None),
    ],
)
def test_retry_after_is_a_number_or_a_date_by_the_hosts_own_clock(
    value: str | None, date: str | None, seconds: float | None
) -> None:
    assert retry_after_s(value, date) == seconds


def test_one_call_a_minute_is_a_bound_like_any_other() -> None:
    bucket = TokenBucket(1, 0.0)
    assert bucket.reserve(0.0, 0.0) == 0.0
    assert bucket.reserve(1.0, 0.0) is None
    assert bucket.reserve(1.0, 3_600.0) is not None
