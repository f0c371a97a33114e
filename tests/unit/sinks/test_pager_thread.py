"""What both receivers of pages lean on: a stop cuts every wait short, a trouble is said once, an end that
nobody asked for is told."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest

from streams.sinks.pager_thread import PagerThread
from streams.sinks.retries import Later
from tests.web_world import eventually

PLACE = "http://pager.example"


def thread_of(run: Callable[[], Any]) -> PagerThread:
    return PagerThread(run, "test", PLACE, "they wait")


def nothing() -> None:
    """A thread that has ended as soon as it is started."""


def test_stopping_ends_a_wait_of_an_hour_when_the_drain_is_over() -> None:
    waited: list[bool] = []
    thread = thread_of(lambda: waited.append(thread.wait(3_600.0)))
    thread.start()
    thread.stop(0.05)
    eventually(lambda: waited == [False])
    assert thread.out_of_time


def test_a_wait_that_ends_within_the_drain_leaves_time_for_a_try() -> None:
    thread = thread_of(nothing)
    thread.stop(60.0)  # before it was started: nothing to join
    assert thread.wait(0.01)
    assert not thread.out_of_time


def test_a_trouble_is_one_line_whatever_the_tries_and_its_end_another(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "factwatch.pager")
    running = threading.Event()
    thread = thread_of(running.wait)
    thread.start()
    for _ in range(3):
        thread.refused(Later("HTTP 503"))
    part = thread.status("paging")
    assert (part.ok, part.needed) == (False, False)
    assert part.detail.startswith(f"{PLACE}: HTTP 503; they wait; ")
    thread.taken()
    thread.taken()
    assert [record.getMessage() for record in caplog.records] == [
        f"{PLACE}: HTTP 503; they wait",
        f"{PLACE}: takes incidents again",
    ]
    assert thread.status("paging").detail == f"paging {PLACE}"
    running.set()
    thread.stop(10.0)


def test_one_that_ended_by_itself_makes_the_program_not_ready() -> None:
    thread = thread_of(nothing)
    thread.start()
    eventually(lambda: not thread.status("paging").ok)
    part = thread.status("paging")
    assert part.needed
    assert part.detail == f"the thread that tells {PLACE} has ended: see the log"
    thread.stop(0.0)
    assert thread.status("paging").ok
