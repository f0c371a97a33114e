from __future__ import annotations

import random

from streams.sources.backoff import Backoff, next_try


def test_waits_double_up_to_the_limit_each_with_jitter() -> None:
    backoff = Backoff(random.Random(3), first_s=1.0, max_s=60.0)
    waits = [backoff.after_failure() for _ in range(40)]
    wholes = [min(60.0, 2.0**number) for number in range(40)]
    assert all(whole / 2 <= wait <= whole for wait, whole in zip(waits, wholes, strict=True))
    assert len(set(waits)) == 40


def test_the_same_seed_waits_the_same() -> None:
    one, other = Backoff(random.Random(5)), Backoff(random.Random(5))
    assert [one.after_failure() for _ in range(9)] == [other.after_failure() for _ in range(9)]


def test_a_sign_of_life_begins_anew() -> None:
    backoff = Backoff(random.Random(3))
    for _ in range(10):
        backoff.after_failure()
    backoff.alive()
    assert backoff.after_failure() <= 1.0


def test_retry_after_is_a_floor_and_bounded_by_an_hour() -> None:
    backoff = Backoff(random.Random(3))
    assert backoff.after_failure(retry_after_s=120.0) == 120.0
    assert backoff.after_failure(retry_after_s=1e9) == 3600.0
    assert backoff.after_failure(retry_after_s=0.0) > 0


def test_a_cut_right_after_the_connection_is_waited_for_and_one_after_minutes_is_not() -> None:
    backoff = Backoff(random.Random(3))
    assert backoff.after_cut(connected_s=0.1) > 0
    assert backoff.after_cut(connected_s=900.0) == 0.0


def test_a_server_that_cuts_after_each_event_is_not_hammered() -> None:
    backoff = Backoff(random.Random(3))
    for _ in range(10):
        backoff.alive()
        assert backoff.after_cut(connected_s=0.1) >= 0.5


def test_a_wait_is_told_in_whole_seconds_and_never_as_none() -> None:
    assert next_try(12.4) == "next try in 12 s"
    assert next_try(0.2) == "next try in 1 s"
    assert next_try(0.0) == next_try(-3.0) == "trying now"
