"""A sliding window of event time, in buckets: what is old leaves by whole buckets, whoever asks when."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from streams.state import distinct


class Bucket(msgspec.Struct, array_like=True):
    posts: int = 0
    reach: int = 0
    """Of its posts, each author as often as they posted: no less than each author once."""
    older_authors: bytes = distinct.EMPTY
    """Sketch of the authors of posts that are not known one by one any more."""
    older_reach: int = 0
    """Of those, each author once for each time some were let go."""


class EventWindow(msgspec.Struct, array_like=True):
    """Holds at most `length` buckets of `bucket_s` seconds: the newest one and those before it. At event
    time t the window reaches from (length - 1) to length whole buckets back."""

    bucket_s: float = 300.0
    length: int = 12
    buckets: dict[int, Bucket] = {}

    @property
    def width_s(self) -> float:
        return self.bucket_s * self.length

    def start(self, now: float) -> float:
        """Event time from which the window counts, as seen from `now`."""
        return (self._number(now) - self.length + 1) * self.bucket_s

    def add(self, when: float, reach: int, now: float) -> None:
        """Count one in, unless it lies before the window."""
        number = self._number(when)
        if number <= self._number(now) - self.length:
            return
        bucket = self.buckets.get(number)
        if bucket is None:
            oldest = self._number(now) - self.length
            self.buckets = {n: b for n, b in self.buckets.items() if n > oldest}
            bucket = self.buckets[number] = Bucket()
        bucket.posts += 1
        bucket.reach += reach

    def take(self, when: float, reach: int) -> None:
        """Take back one that was counted in."""
        bucket = self.buckets.get(self._number(when))
        if bucket is not None:
            bucket.posts -= 1
            bucket.reach -= reach

    def let_go(self, when: float, authors: Sequence[tuple[int, int]]) -> None:
        """These (author, reach), all in the bucket of `when`, are counted but no longer known singly."""
        bucket = self.buckets.get(self._number(when))
        if bucket is not None:
            bucket.older_authors = distinct.added(bucket.older_authors, [a for a, _ in authors])
            bucket.older_reach += sum(reach for _, reach in authors)

    def posts(self, now: float) -> int:
        return sum(bucket.posts for bucket in self._within(now))

    def reach_bound(self, now: float) -> int:
        """No less than the reach of the authors in the window."""
        return sum(bucket.reach for bucket in self._within(now))

    def older_authors(self, now: float) -> bytes:
        return distinct.united([bucket.older_authors for bucket in self._within(now)])

    def older_reach(self, now: float) -> int:
        return sum(bucket.older_reach for bucket in self._within(now))

    def next_border(self, now: float) -> float:
        """The next event time at which the window moves on."""
        return (self._number(now) + 1) * self.bucket_s

    def number(self, when: float) -> int:
        return self._number(when)

    def _number(self, when: float) -> int:
        return int(when // self.bucket_s)

    def _within(self, now: float) -> list[Bucket]:
        newest = self._number(now)
        oldest = newest - self.length
        return [bucket for number, bucket in self.buckets.items() if oldest < number <= newest]
