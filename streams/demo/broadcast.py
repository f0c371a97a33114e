"""What a stand-in has sent, for whoever listens: each listener gets it from now on, or from a time on."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator

import msgspec

KEPT = 5_000  # to resume from: some hours


class Sent(msgspec.Struct, frozen=True):
    number: int
    kind: str
    """The stream or the event's name, as its protocol calls it."""
    at_us: int
    """Unix microseconds."""
    data: bytes


class Broadcast:
    """Thread-safe: one sends, any number listen. Ends with `close`."""

    def __init__(self) -> None:
        self._sent: deque[Sent] = deque(maxlen=KEPT)
        self._news = threading.Condition()
        self._closed = False

    def send(self, kind: str, at_us: int, data: bytes) -> None:
        with self._news:
            number = self._sent[-1].number + 1 if self._sent else 1
            self._sent.append(Sent(number, kind, at_us, data))
            self._news.notify_all()

    def kept(self) -> list[Sent]:
        with self._news:
            return list(self._sent)

    def listen(self, since_us: int | None) -> Iterator[Sent | None]:
        """What comes from now on, or from `since_us` on if given; None after a second without any."""
        with self._news:
            last = self._sent[-1].number if self._sent and since_us is None else 0
        return self._from(last, since_us)

    def _from(self, last: int, since_us: int | None) -> Iterator[Sent | None]:
        while not self._closed:
            with self._news:
                fresh = [sent for sent in self._sent if sent.number > last]
                if not fresh and not self._closed:
                    self._news.wait(timeout=1.0)
            if not fresh:
                yield None
                continue
            last = fresh[-1].number
            for sent in fresh:
                if since_us is None or sent.at_us >= since_us:
                    yield sent

    def close(self) -> None:
        with self._news:
            self._closed = True
            self._news.notify_all()
