"""The hop of posts: one partition of `posts`, held against all facts that are hot.

A post waits until edits up to its time have been decided everywhere and what is hot of them is here, so
that one process and many give the same. What bears on a fact goes to the partition of its page; reposts
without words of their own, edits and deletions go to all of them, as only those know what has been told
of a post. Nothing of posts is kept here but digests of those seen lately.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from hashlib import blake2b

import msgspec

from streams.kafka.records import InRecord, OutRecord
from streams.partitions import key_bytes, places_in_posts
from streams.posts import Match, Post, PostsGone, encode_record, post_key
from streams.reasons import SkipReason, Stage
from streams.records import DeadLetter, Skip
from streams.runners.guard import failed
from streams.runners.partitions.dead import dead_letter_of
from streams.runners.partitions.fact_replica import FactReplica
from streams.runners.partitions.ids import RememberedIds
from streams.runners.partitions.to_pages import ToPages
from streams.runners.partitions.waiting_posts import Waiting, WaitingPosts
from streams.runners.partitions.wire import Figures, Work, encode
from streams.runners.posts.matching import Matching, match_guarded, says_anything
from streams.runners.posts.post_runner import JOIN_S, QUIET_S
from streams.sources.base import SourceItem
from streams.stages.amplify import REPEATS
from streams.stages.posts.normalize import PostNormalizer
from streams.state.amplification import key_digest
from streams.store.changelog import META, Change
from streams.store.keys import state_id
from streams.store.partitions import PartitionStore
from streams.topics import POSTS, POSTS_GONE

#: Event time after which pages are told again how far posts are, and processing time too where there is
#: nothing else to tell them: edits that are caught up with bring an hour in a few seconds. Records that
#: tell of time alone after which that is made durable.
TELL_EVERY_S = 1.0
WORTH_A_COMMIT = 1_000
_DUPLICATE = f"skipped_{SkipReason.DUPLICATE}"


class PostPartition:
    """`take` records in any batches, then `work` until it gives None. What `work` gave must be made
    durable before `done` is called; if that fails, the partition must be thrown away."""

    def __init__(
        self,
        store: PartitionStore,
        *,
        partition: int,
        partitions: int,
        replica: FactReplica,
        matcher: Matching,
        normalizer: PostNormalizer,
        now: Callable[[], float],
        join_s: float = JOIN_S,
        quiet_s: float = QUIET_S,
        tell_every_s: float = TELL_EVERY_S,
        timer: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`matcher` is that of the replica's index. `now`: processing time, monotonic seconds. `join_s`:
        how long a post waits for edits that don't get on; `quiet_s`: after so long without a newer post
        their time goes on with that of edits."""
        self._store = store
        self._partition = partition
        self._partitions = partitions
        self._replica = replica
        self._matcher = matcher
        self._now = now
        self._quiet_s = quiet_s
        self._tell_every_s = tell_every_s
        self._told_s = -math.inf
        self._timer = timer
        self._meta = msgspec.structs.replace(store.meta)
        self._ids = RememberedIds(store, self._meta, partitions)
        self._waiting = WaitingPosts(replica, normalizer, store.meta.watermark, now, join_s)
        self._newest = store.meta.watermark.newest
        """Of posts that were worked on, or of edits where there are none."""
        self._positions = dict(store.meta.positions)

    @property
    def positions(self) -> dict[str, int]:
        """Where to go on reading, by topic; a topic that is absent, from its beginning."""
        return dict(self._positions)

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def late(self) -> int:
        """Posts that went on without all edits of their time."""
        return self._waiting.late

    def take(self, topic: str, records: Sequence[InRecord]) -> None:
        """Records of one topic, in the order of their offsets; older ones than were taken are passed
        over."""
        expected = self._positions.get(topic, 0)
        fresh = [record for record in records if record.offset >= expected]
        if not fresh:
            return
        self._positions[topic] = fresh[-1].offset + 1
        self._waiting.take(fresh)

    def work(self, most: int) -> Work | None:
        """At most `most` records, as far as they need not wait. None when there is nothing to do."""
        ready = self._waiting.ready(most)
        for one in ready:
            self._newest = one.newest = max(self._newest, one.newest)
        if self._waiting.quiet_s >= self._quiet_s:
            self._newest = max(self._newest, self._replica.newest_edit)
        due = self._newest - self._meta.decided >= self._tell_every_s and (
            bool(ready) or self._now() - self._told_s >= self._tell_every_s
        )
        if not due and not self._is_worth_a_commit(ready):
            return None
        figures = Figures()
        outputs: list[OutRecord] = []
        ids: list[str] = []
        fresh = [one for one in ready if self._is_fresh(one, figures, ids, outputs)]
        to_pages = ToPages(self._partition, self._partitions, self._newest)
        started = self._timer()
        matched = self._matched(fresh, figures, outputs)
        figures.stage_seconds = {Stage.MATCH: self._timer() - started} if fresh else {}
        for at, one in enumerate(fresh):
            if isinstance(one.known, PostsGone):
                to_pages.tell_all(one.newest, gone=one.known)
                outputs += self._for_the_archive(one.known)
            elif isinstance(one.known, Post):
                self._send_on(one.known, one.newest, matched.get(at, ()), figures, to_pages)
        undone = len(figures.dead_letters) - figures.outcomes.get("dead_lettered", 0)
        for outcome, n in (("processed", len(fresh) - undone), ("dead_lettered", undone)):
            if n:
                figures.outcomes[outcome] = figures.outcomes.get(outcome, 0) + n
        outputs += to_pages.records(everyone=due)
        if due:
            self._meta.decided, self._told_s = self._newest, self._now()
        self._meta.count(figures.outcomes)
        return Work(outputs, self._changes(ids), figures)

    def _is_worth_a_commit(self, ready: Sequence[Waiting]) -> bool:
        if any(one.known is not None for one in ready):
            return True
        durable = self._store.meta.positions.get(POSTS.name, 0)
        return bool(ready) and ready[-1].record.offset - durable >= WORTH_A_COMMIT

    def _is_fresh(
        self, one: Waiting, figures: Figures, ids: list[str], outputs: list[OutRecord]
    ) -> bool:
        """Whether it goes on to the stages; how it ends is counted if not."""
        known = one.known
        if known is None:
            return False
        if isinstance(known, Skip):
            outcome = f"skipped_{known.reason}"
        elif isinstance(known, DeadLetter):
            outputs.append(dead_letter_of(one.record, known, self._partitions))
            figures.dead_letters.append((known.stage, known.reason))
            outcome = "dead_lettered"
        else:
            figures.newest_arrival = max(figures.newest_arrival or 0.0, known.arrival_time)
            if isinstance(known, PostsGone) or one.again or self._is_new(known, ids):
                if isinstance(known, PostsGone) and known.post_id is not None:
                    self._remember(_gone_id(known.platform, known.post_id), ids)
                return True
            outcome = _DUPLICATE
        figures.outcomes[outcome] = figures.outcomes.get(outcome, 0) + 1
        return False

    def _is_new(self, post: Post, ids: list[str]) -> bool:
        """An edited post comes again under its name. One that was deleted before it came is no news."""
        if _gone_id(post.platform, post.post_id) in self._ids.recent:
            return False
        return self._remember(_version_id(post), ids)

    def _remember(self, event_id: str, ids: list[str]) -> bool:
        if not self._ids.add(event_id):
            return False
        ids.append(event_id)
        return True

    def _matched(
        self, fresh: Sequence[Waiting], figures: Figures, outputs: list[OutRecord]
    ) -> dict[int, tuple[Match, ...]]:
        """By place in `fresh`; posts that bear on nothing are left out."""
        texts = {at: one.known for at, one in enumerate(fresh) if says_anything(one.known)}
        if not texts:
            return {}
        found, broken = match_guarded(self._matcher, texts)
        for at, err in broken.items():
            record = fresh[at].record
            item = SourceItem(f"{record.partition}:{record.offset}", record.value)
            dead = failed(item, err, Stage.MATCH)
            outputs.append(dead_letter_of(record, dead, self._partitions))
            figures.dead_letters.append((dead.stage, dead.reason))
        return found

    def _send_on(
        self,
        post: Post,
        newest: float,
        matches: Sequence[Match],
        figures: Figures,
        to_pages: ToPages,
    ) -> None:
        held = [match for match in matches if self._was_hot(match.hot_id, post)]
        for match in held:
            figures.matched[match.grade] = figures.matched.get(match.grade, 0) + 1
        by_place: dict[int, list[Match]] = {}
        for match in held:
            place = self._replica.partition_of(match.hot_id)
            if place is not None and match.grade in REPEATS:
                by_place.setdefault(place, []).append(match)
        if post.edited_time is not None or (post.repost_of is not None and not held):
            to_pages.tell_all(newest, post=post, apart_from=by_place)
        for place, of_place in by_place.items():
            to_pages.tell(place, newest, post, of_place)

    def _was_hot(self, hot_id: str, post: Post) -> bool:
        fact = self._replica.get(hot_id)
        return fact is not None and (fact.expires is None or post.event_time < fact.expires)

    def _for_the_archive(self, gone: PostsGone) -> list[OutRecord]:
        """A deletion; that of an account is told by one of the partitions that it came to."""
        key, place = places_in_posts(gone, self._partitions)[0]
        if gone.post_id is None and state_id(key) % self._partitions != self._partition:
            return []
        place = self._partition
        return [OutRecord(POSTS_GONE.name, place, key_bytes(key), encode_record(gone), [])]

    def _changes(self, ids: list[str]) -> list[Change]:
        meta = self._meta
        meta.number += 1
        changes = self._ids.changes(ids)
        meta.watermark = msgspec.structs.replace(self._waiting.watermark, newest=self._newest)
        meta.positions = dict(self._positions)
        first = self._waiting.first_offset
        if first is not None:
            meta.positions[POSTS.name] = first
        changes.append((META, encode(meta)))
        return changes

    def done(self) -> None:
        """What `work` gave is durable, and the store has it."""


def _version_id(post: Post) -> str:
    said = f"{post.edited_time or ''}\x1f{post.text}".encode("utf-8", "surrogatepass")
    return f"{key_digest(post.key):x}.{blake2b(said, digest_size=4).hexdigest()}"


def _gone_id(platform: str, post_id: str) -> str:
    return f"{key_digest(post_key(platform, post_id)):x}."
