"""One micro-batch of posts through the stages: deduplicate, match, amplify.

What a post meets is what was hot at its own event time; how often a fact was repeated is counted when
the posts' watermark passes. So batch borders change nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext

import msgspec

from streams.errors import FactwatchError
from streams.posts import Match, Post, PostsGone, decode_record
from streams.reasons import DeadReason, SkipReason, Stage
from streams.records import DeadLetter, Skip
from streams.runners.guard import failed
from streams.runners.posts.hot_facts import HotFacts
from streams.runners.posts.matching import Matching, match_guarded, says_anything
from streams.runners.posts.post_folding import PostFolding, StoredPosts
from streams.sources.base import SourceItem
from streams.stages.amplify import Amplifier
from streams.stages.deduplicate import RecentIds
from streams.stages.posts.normalize import NormalizedPost, PostNormalizer
from streams.state.watermark import Watermark
from streams.store.batch import Batch

#: Platforms send posts within seconds, and what is told of them should not wait for stragglers: one that
#: comes later counts at once.
LATENESS_S = 10.0
#: Deletions remembered, as some overtake their posts.
GONE_REMEMBERED = 100_000

TakenPost = tuple[SourceItem, NormalizedPost]


class PostProcessor:
    """The states it changes are written by whoever commits the `Batch` it gives; after a failed commit
    it must be thrown away."""

    def __init__(
        self,
        *,
        facts: HotFacts,
        store: StoredPosts,
        matcher: Matching,
        amplifier: Amplifier,
        normalizer: PostNormalizer,
        watermark: Watermark,
        lock: AbstractContextManager[object] | None = None,
        timer: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`lock`: held while facts change or posts are matched, where others match too."""
        self._facts = facts
        self._folding = PostFolding(facts, store, amplifier)
        self._matcher = matcher
        self._normalize = normalizer
        # As hashes of one process: a text that is hashed anyway, and 32 bytes an id.
        self._recent: RecentIds[int] = RecentIds()
        self._gone: RecentIds[int] = RecentIds(GONE_REMEMBERED)
        self._watermark = watermark
        self._lock = lock if lock is not None else nullcontext()
        self._timer = timer

    @property
    def passed(self) -> float:
        """Event time of posts that has passed."""
        return self._watermark.newest - LATENESS_S

    @property
    def hot(self) -> int:
        return len(self._facts)

    def intake(self, items: Sequence[SourceItem], *, ours: bool = False) -> list[TakenPost]:
        """Normalize, in order. Signs of life without a record are left out. `ours`: what was handed in,
        normalized then; from a platform such bytes would be forged."""
        take = self._handed_in if ours else self._taken
        return [(item, take(item, item.raw)) for item in items if item.raw is not None]

    def _taken(self, item: SourceItem, raw: bytes) -> NormalizedPost:
        if item.too_large:
            return DeadLetter(raw, DeadReason.TOO_LARGE, Stage.SOURCE, "cut", item.cursor[:200])
        return self._normalize(raw, item.cursor)

    def _handed_in(self, item: SourceItem, raw: bytes) -> NormalizedPost:
        try:
            return decode_record(raw)
        except msgspec.DecodeError:
            return self._normalize(raw, item.cursor)

    def edits_decided(self, batch: Batch, edits_time: float) -> None:
        """Fold what a batch of edits alerted into the facts that are hot, and add what follows of it
        about posts. `edits_time` is the event time that has passed on the wikis."""
        with self._lock:
            batch.alerts += self._facts.fold(list(batch.alerts), self.passed)
            batch.alerts += self._facts.expire(edits_time, self.passed)
            self._facts.collect(batch.of_posts)

    def take_unnamed(self) -> list[tuple[str, str]]:
        """`(wiki, title)` of pages whose other names should be asked for."""
        return self._facts.take_unnamed()

    def name_pages(self, batch: Batch, named: Iterable[tuple[str, Sequence[str]]]) -> None:
        """`(page key, names)`, as the wikis told."""
        with self._lock:
            for key, names in named:
                self._facts.name(key, names)
            self._facts.collect(batch.of_posts)

    def time_passed(self, batch: Batch, edits_time: float, newest: float) -> None:
        """Without any post: their watermark goes on to that of the edits, so that what is open of posts
        comes to its end."""
        self._watermark.newest = max(self._watermark.newest, newest)
        with self._lock:
            batch.alerts += self._facts.expire(edits_time, self.passed)
            self._facts.collect(batch.of_posts)
        batch.of_posts.watermark = self._watermark

    def process(
        self, source: str, records: Sequence[TakenPost], cursor: str | None, edits_time: float
    ) -> Batch:
        """Fold `records` in and give what changed. A stage that raises makes its record a dead letter,
        and the rest goes on."""
        batch = Batch(source, cursor)
        outcomes: dict[str, int] = {}
        fresh: list[tuple[SourceItem, Post | PostsGone]] = []
        newest_arrival = 0.0
        for taken in records:
            record = taken[1]
            outcome = ""
            arrival: float | None = None
            if isinstance(record, Post):
                arrival = record.arrival_time
                if self._is_new(record):
                    fresh.append((taken[0], record))
                else:
                    outcome = _DUPLICATE
            elif isinstance(record, PostsGone):
                arrival = record.arrival_time
                if record.post_id is not None:
                    self._gone.add(hash((record.platform, record.post_id)))
                fresh.append((taken[0], record))
            elif isinstance(record, Skip):
                arrival = record.arrival_time
                outcome = f"skipped_{record.reason}"
            else:
                batch.dead_letters.append(record)
                outcome = "dead_lettered"
            if arrival is not None and arrival > newest_arrival:
                newest_arrival = arrival
            if outcome:
                outcomes[outcome] = outcomes.get(outcome, 0) + 1
        started = self._timer()
        with self._lock:
            matches = self._match(batch, fresh)
            matched = self._timer()
            self._fold(batch, fresh, matches)
            batch.alerts += self._facts.expire(edits_time, self.passed)
            self._facts.collect(batch.of_posts)
        undone = len(batch.dead_letters) - outcomes.get("dead_lettered", 0)
        if fresh:
            outcomes["processed"] = len(fresh) - undone
        if undone:
            outcomes["dead_lettered"] = outcomes.get("dead_lettered", 0) + undone
        batch.outcomes = outcomes
        batch.newest_arrival = newest_arrival or None
        batch.of_posts.watermark = self._watermark
        batch.stage_seconds = {
            Stage.MATCH: matched - started,
            Stage.AMPLIFY: self._timer() - matched,
        }
        return batch

    def committed(self) -> None:
        """The batch is durable."""
        self._facts.committed()

    def _is_new(self, post: Post) -> bool:
        """An edited post comes again under its name. One that was deleted before it came is no news."""
        name = hash((post.platform, post.post_id))
        if name in self._gone:
            return False
        return self._recent.add(hash((name, post.edited_time, post.text)))

    def _match(
        self, batch: Batch, fresh: Sequence[tuple[SourceItem, Post | PostsGone]]
    ) -> dict[int, tuple[Match, ...]]:
        """By place in `fresh`; posts that bear on nothing are left out."""
        texts = {at: record for at, (_, record) in enumerate(fresh) if says_anything(record)}
        found, broken = match_guarded(self._matcher, texts)
        batch.dead_letters += [failed(fresh[at][0], err, Stage.MATCH) for at, err in broken.items()]
        return found

    def _fold(
        self,
        batch: Batch,
        fresh: Sequence[tuple[SourceItem, Post | PostsGone]],
        matches: dict[int, tuple[Match, ...]],
    ) -> None:
        told = self._folding.told_before(
            post
            for at, (_, post) in enumerate(fresh)
            if isinstance(post, Post) and (at in matches or _tells_of_another(post))
        )
        advance = self._watermark.advance
        for at, (item, record) in enumerate(fresh):
            advance(record.event_time)
            try:
                if isinstance(record, PostsGone):
                    self._folding.forget(batch, record, self.passed)
                elif at in matches or _tells_of_another(record):
                    self._folding.fold(batch, record, matches.get(at, ()), told, self.passed)
            except FactwatchError:
                raise
            except Exception as err:  # noqa: BLE001  # the guard around the stage
                batch.dead_letters.append(failed(item, err, Stage.AMPLIFY))


def _tells_of_another(post: Post) -> bool:
    """Of one posted before, or of itself before it was edited: whatever it says, that may bear on a fact."""
    return post.repost_of is not None or post.edited_time is not None


_DUPLICATE = f"skipped_{SkipReason.DUPLICATE}"
