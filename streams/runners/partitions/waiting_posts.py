"""Posts that came in and wait to be worked on: for the edits of their time, so that what they may repeat is
known to be hot."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

import msgspec

from streams.kafka.records import InRecord
from streams.posts import Post, PostsGone, decode_record
from streams.runners.partitions.fact_replica import FactReplica
from streams.runners.partitions.wire import marks_of
from streams.stages.posts.normalize import NormalizedPost, PostNormalizer
from streams.state.watermark import LATENESS_S, Watermark


class Waiting(msgspec.Struct, gc=False):
    record: InRecord
    known: NormalizedPost | None
    """None: a heartbeat."""
    newest: float
    """Newest event time of posts when it came in."""
    since: float
    again: bool
    """An operator sent it back."""


class WaitingPosts:
    """`take` in any batches, then `ready` in order."""

    def __init__(
        self,
        replica: FactReplica,
        normalizer: PostNormalizer,
        watermark: Watermark,
        now: Callable[[], float],
        join_s: float,
    ) -> None:
        self._replica = replica
        self._normalize = normalizer
        self.watermark = msgspec.structs.replace(watermark)
        """As of the newest record that came."""
        self._now = now
        self._join_s = join_s
        self._waiting: deque[Waiting] = deque()
        self._newer_since = now()
        self._edits = (replica.newest_edit, now())
        self.late = 0
        """Posts that went on without all edits of their time: on a quiet wiki, most."""

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def quiet_s(self) -> float:
        """For so long no newer post has come; 0 while one waits."""
        return 0.0 if self._waiting else self._now() - self._newer_since

    @property
    def first_offset(self) -> int | None:
        return self._waiting[0].record.offset if self._waiting else None

    def take(self, records: Sequence[InRecord]) -> None:
        now = self._now()
        self._waiting.extend(self._received(record, now) for record in records)

    def ready(self, most: int) -> list[Waiting]:
        """At most `most`, as far as they need not wait."""
        ready: list[Waiting] = []
        waiting, replica = self._waiting, self._replica
        if not replica.complete:
            return ready
        newest_edit, now = replica.newest_edit, self._now()
        if newest_edit != self._edits[0]:
            self._edits = (newest_edit, now)
        # Edits that get on will get there, however far posts are ahead of them: after an outage say.
        patient = now - self._edits[1] < self._join_s
        while waiting and len(ready) < most:
            head = waiting[0]
            if isinstance(head.known, Post) and _said_at(head.known) > newest_edit:
                if patient or now - head.since < self._join_s:
                    break
                self.late += 1
            ready.append(waiting.popleft())
        return ready

    def _received(self, record: InRecord, now: float) -> Waiting:
        marks = marks_of(record.headers)
        position = f"{record.partition}:{record.offset}"
        known = self._normalized(record.value, position) if record.value is not None else None
        watermark, before = self.watermark, self.watermark.newest
        if marks.passed is not None:
            watermark.newest = max(watermark.newest, marks.passed + LATENESS_S)
        elif isinstance(known, Post | PostsGone):
            watermark.advance(known.event_time)
        if watermark.newest > before:
            self._newer_since = now
        return Waiting(record, known, watermark.newest, now, bool(marks.requeued))

    def _normalized(self, raw: bytes, position: str) -> NormalizedPost:
        """Of a producer of ours, or as a platform or a client of `POST /v1/posts` writes it."""
        try:
            return decode_record(raw)
        except msgspec.DecodeError:
            return self._normalize(raw, position)


def _said_at(post: Post) -> float:
    """When it became what it is: an edited one may repeat what became hot after the post was made."""
    return post.event_time if post.edited_time is None else max(post.event_time, post.edited_time)
