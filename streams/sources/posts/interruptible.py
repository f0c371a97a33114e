"""Blocking calls that a source's `close` must not wait for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from streams.errors import SourceUnavailable

POLL_S = 0.1
Result = TypeVar("Result")


class _Call(Generic[Result]):
    """One call in a thread of its own. Whoever waits takes its result or abandons it."""

    def __init__(self, call: Callable[[], Result], discard: Callable[[Result], object]) -> None:
        self.done = threading.Event()
        self._call = call
        self._discard = discard
        self._lock = threading.Lock()
        self._abandoned = False
        self._results: list[Result] = []
        self._error: SourceUnavailable | None = None

    def run(self) -> None:
        try:
            result = self._call()
        except SourceUnavailable as err:
            self._error = err
        else:
            with self._lock:
                if self._abandoned:
                    self._discard(result)
                else:
                    self._results.append(result)
        finally:
            self.done.set()

    def result(self) -> Result:
        if self._error is not None:
            raise self._error
        if not self._results:
            raise RuntimeError("the call failed otherwise than it may: its thread's traceback says how")
        return self._results[0]

    def abandon(self) -> None:
        with self._lock:
            self._abandoned = True
            for result in self._results:
                self._discard(result)


def interruptibly(
    call: Callable[[], Result],
    closing: threading.Event,
    discard: Callable[[Result], object] = lambda result: None,
) -> Result | None:
    """What `call` returns, or the `SourceUnavailable` it raises; None as soon as `closing` is set. A
    result that comes after that goes to `discard`. The call must end by itself: by its own timeouts."""
    running = _Call(call, discard)
    threading.Thread(target=running.run, name="source-call", daemon=True).start()
    while not running.done.wait(POLL_S):
        if closing.is_set():
            running.abandon()
            return None
    return running.result()
