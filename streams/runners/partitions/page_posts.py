"""Posts in the second hop: what post partitions say of them is folded into the facts of this partition's
pages, and what becomes hot there is told to all.

A post is known here as long as it bears on a fact that is hot: by digests, so that its edit or deletion
can undo it, and its reposts count where it does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from streams.kafka.hot_facts import hot_facts_record, spread_record, spreads_go_on
from streams.kafka.records import InRecord, OutRecord
from streams.posts import HotFact, Match, Post, PostsGone, post_key
from streams.records import Alert
from streams.runners.partitions.known_posts import KnownPosts
from streams.runners.partitions.page_facts import PageFacts
from streams.runners.partitions.post_order import PATIENCE_S, PostOrder
from streams.runners.partitions.wire import AlertsOfMoved, decode_matches, encode
from streams.runners.posts.post_processor import LATENESS_S
from streams.stages.amplify import Amplifier
from streams.stages.arriving_posts import author_digest
from streams.state.amplification import key_digest
from streams.state.fact_spread import fact_spread
from streams.store.batch import Batch
from streams.store.changelog import Change, KnownPost, Meta, key_of
from streams.store.keys import state_id
from streams.store.partitions import PartitionStore
from streams.topics import MATCHES

#: Records of `matches` that told of time alone are worth a commit when there are so many.
WORTH_A_COMMIT = 200
#: Processing time after which the topic of spreads is written to, whether there is anything to say or not.
GO_ON_EVERY_S = 5.0


class _Removed:
    """Implements `FactIndex`: nothing is matched here."""

    def __init__(self) -> None:
        self.hot_ids: set[str] = set()

    def put(self, fact: HotFact) -> None:
        self.hot_ids.discard(fact.hot_id)

    def remove(self, hot_id: str) -> None:
        self.hot_ids.add(hot_id)


class PagePosts:
    """`take`, then `work` with the batch that the alerts about edits are in; what it gave is durable when
    `done` is called."""

    def __init__(
        self,
        store: PartitionStore,
        meta: Meta,
        *,
        partition: int,
        partitions: int,
        amplifier: Amplifier,
        now: Callable[[], float],
        patience_s: float = PATIENCE_S,
    ) -> None:
        """`meta` is the one that will be written. `now`: processing time, monotonic seconds."""
        self._store = store
        self._meta = meta
        self._partition = partition
        self._partitions = partitions
        self._amplifier = amplifier
        self._now = now
        self._went_on_s = -math.inf
        self._removed = _Removed()
        self._facts = PageFacts(store, self._removed, amplifier)
        self._published = {
            state_id(page.key): (page.key, tuple(page.facts)) for page in store.hot_pages()
        }
        self._spread_told = {state.hot_id for state, _ in store.spreads() if state.total}
        self._known = KnownPosts(store.known_posts())
        self._order = PostOrder(meta, partitions, now=now, patience_s=patience_s)
        self._passed = meta.posts_done - LATENESS_S
        self._looked_at = 0
        self._of_moved: list[Alert] = []
        """Told by the partitions that their pages are in now."""
        self._elsewhere: list[Alert] = []
        """To be told to those that know of them."""

    @property
    def hot(self) -> int:
        return len(self._facts)

    @property
    def waiting(self) -> bool:
        """Whether something came since the last `work`, or is still to have its turn."""
        return self._order.next_offset != self._looked_at or self._order.first_held != self._looked_at

    def take(self, records: Sequence[InRecord]) -> None:
        for record in records:
            said = decode_matches(record.value or b"")
            if not isinstance(said, AlertsOfMoved):
                self._order.take(record.offset, said)
            elif not self._order.pass_over(record.offset):
                self._of_moved += said.alerts

    def work(self, batch: Batch, edits_time: float) -> None:
        """Fold in what `batch` alerts of edits, then what has come of posts; what follows of it is added
        to the alerts of `batch`, and the states that changed."""
        here, self._elsewhere = self._facts.split(batch.alerts)
        here += self._facts.of_moved(self._of_moved)
        self._of_moved.clear()
        batch.alerts += self._facts.fold(here, self._passed)
        for said in self._order.in_order():
            self._passed = max(self._passed, said.newest - LATENESS_S)
            if said.gone is not None:
                self._forget(batch, said.gone)
            elif said.post is not None:
                self._fold(batch, said.post, said.matches)
        passed = self._passed = self._order.done - LATENESS_S
        self._facts.collect(batch.of_posts)  # notes when each is to be looked at again
        # A fact leaves when its time is over on both sides: how far edits are ahead must not matter.
        batch.alerts += self._facts.expire(min(edits_time, passed), passed)
        self._looked_at = self._order.next_offset
        self._facts.collect(batch.of_posts)
        for hot_id in self._removed.hot_ids:
            self._known.fact_left(hot_id)
        self._removed.hot_ids.clear()

    def worth_a_commit(self, batch: Batch) -> bool:
        """Whether anything but time went on."""
        told = self._order.next_offset - self._store.meta.worked_on.get(MATCHES.name, 0)
        return bool(batch.alerts or batch.of_posts or self._known.changed or told >= WORTH_A_COMMIT)

    def outputs(self, batch: Batch) -> list[OutRecord]:
        """Pages on which something else is hot than was told last, how far the facts have spread that posts were
        counted for, and alerts for other partitions."""
        records = []
        if self._elsewhere:
            value = encode(AlertsOfMoved(self._elsewhere))
            others = [place for place in range(self._partitions) if place != self._partition]
            records += [OutRecord(MATCHES.name, place, b"", value, []) for place in others]
        for key_id, page in batch.of_posts.hot_pages.items():
            facts = tuple(page.facts) if page is not None else ()
            key, before = self._published.get(key_id, (page.key if page is not None else "", ()))
            if facts == before:
                continue
            records.append(hot_facts_record(key, facts, self._partition))
            if facts:
                self._published[key_id] = (key, facts)
            else:
                del self._published[key_id]
        return records + self._spread_records(batch)

    def _spread_records(self, batch: Batch) -> list[OutRecord]:
        records = []
        now = self._now()
        if now - self._went_on_s >= GO_ON_EVERY_S:
            self._went_on_s = now
            records.append(spreads_go_on(self._partition))
        for hot_id, changed in batch.of_posts.spreads.items():
            fact = self._facts.get(hot_id)
            told = fact_spread(fact, changed[0]) if fact is not None and changed is not None else None
            if told is not None:
                self._spread_told.add(hot_id)
            elif hot_id in self._spread_told:
                self._spread_told.remove(hot_id)
            else:
                continue
            records.append(spread_record(hot_id, told, self._partition))
        return records

    def changes(self, batch: Batch) -> list[Change]:
        meta = self._meta
        meta.posts_told, meta.posts_done = self._order.told, self._order.done
        meta.worked_on = {MATCHES.name: self._order.next_offset}
        meta.positions[MATCHES.name] = self._order.first_held
        changes: list[Change] = [
            (key_of("h", key_id), encode(page) if page is not None else None)
            for key_id, page in batch.of_posts.hot_pages.items()
        ]
        changes += [
            (key_of("s", state_id(hot_id)), encode(spread) if spread is not None else None)
            for hot_id, spread in batch.of_posts.spreads.items()
        ]
        return changes + self._known.changes()

    def done(self) -> None:
        self._facts.committed()

    # -- one post ----------------------------------------------------------------------------------

    def _fold(self, batch: Batch, post: Post, matches: Sequence[Match]) -> None:
        key = key_digest(post.key)
        version = post.version_time
        before = self._known.get(key)
        if before is not None and before.version > version:
            return
        held = {match.hot_id: match for match in matches if self._was_hot(match.hot_id, post)}
        bears_on = list(held)
        if post.repost_of is not None and not held:  # its words are the original's
            original = self._known.get(key_digest(post_key(post.platform, post.repost_of)))
            bears_on = list(original.hot_ids) if original is not None else []
        affected = dict.fromkeys(bears_on + (before.hot_ids if before is not None else []))
        for hot_id in affected:
            fact = self._facts.get(hot_id)
            if fact is not None:
                state = self._facts.spread(hot_id)
                batch.alerts += self._amplifier.fold(state, fact, post, held.get(hot_id), self._passed)
        if bears_on:
            author = author_digest(post.platform, post.author)
            self._known.put(KnownPost(key, author, version, post.event_time, bears_on), self._named)
        elif before is not None:
            self._known.pop(key)

    def _was_hot(self, hot_id: str, post: Post) -> bool:
        fact = self._facts.get(hot_id)
        return fact is not None and (fact.expires is None or post.event_time < fact.expires)

    def _named(self, known: KnownPost) -> bool:
        return any(
            self._facts.get(hot_id) is not None and known.key in self._facts.spread(hot_id).named
            for hot_id in known.hot_ids
        )

    def _forget(self, batch: Batch, gone: PostsGone) -> None:
        affected: dict[str, None] = {}
        for key in self._keys_of(gone):
            known = self._known.pop(key)
            if known is not None:
                batch.of_posts.gone = True
                affected.update((hot_id, None) for hot_id in known.hot_ids)
        for hot_id in affected:
            fact = self._facts.get(hot_id)
            if fact is not None:
                state = self._facts.spread(hot_id)
                batch.alerts += self._amplifier.gone(state, fact, gone, self._passed).alerts

    def _keys_of(self, gone: PostsGone) -> Iterable[int]:
        if gone.post_id is not None:
            return (key_digest(post_key(gone.platform, gone.post_id)),)
        return self._known.of_author(author_digest(gone.platform, gone.author or ""))
