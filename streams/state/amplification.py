"""What is known of the posts that repeat one hot fact.

Of each post only digests and numbers are kept, and of at most `NAMED_CAP` what an alert may name. Posts
wait in `pending` until the watermark passes them and are then counted in the order of their event times,
so that the order they arrive in changes nothing.
"""

from __future__ import annotations

from hashlib import blake2b

import msgspec

from streams.records import Alert, PostRef, Severity
from streams.state import distinct
from streams.state.event_windows import EventWindow

#: Posts known one by one: within an hour of a fact that spreads. Of earlier ones there are sums only;
#: they are told again without effect, but can't be taken back. About 45 bytes each as stored.
POSTS_CAP = 512
#: Let go at once when that is full, so that it costs little a post.
LET_GO = 64
#: Posts of one fact that wait for the watermark: four a second for a minute. More are counted in the
#: order they came in.
PENDING_CAP = 256
#: Posts whose address and sentence are kept to be named, those of the widest reach.
NAMED_CAP = 50
#: Groups of near-duplicates; the smallest goes for a new one.
GROUPS_CAP = 64
#: Alerts of posts that are open; the oldest is settled for a further one.
TOLD_CAP = 192
#: Episodes of amplification of one fact. One takes an hour at least, and a fact is hot for some days.
EPISODES_CAP = 64

_UNKNOWN = -1.0


class CountedPost(msgspec.Struct, array_like=True, gc=False):
    author: int
    when: float
    """Event time at which it began to repeat the fact."""
    reach: int = 0
    group: int = 0
    """Key of the first post of its near-duplicates; 0 if it is in no group."""
    original: int = 0
    """Key of the post that it reposts; 0 if it has words of its own."""


class PendingPost(msgspec.Struct, array_like=True):
    when: float
    version: float
    """When it became what it is: the time of its newest edit, or its event time."""
    author: int
    reach: int
    original: int
    repeats: bool
    """False of a repost that came without text: it counts if its original does."""
    ref: PostRef | None
    """None of a repost: its words are another's, and go with that one."""
    signature: bytes = b""


class NearDuplicates(msgspec.Struct, array_like=True):
    posts: int
    signature: bytes


class ToldPost(msgspec.Struct, array_like=True):
    """A post that has an alert of its own, open."""

    alert_id: str
    author: int
    event_time: float
    settle_time: float
    severity: Severity


class Amplified(msgspec.Struct, array_like=True):
    """An open episode: the fact is being repeated by many."""

    alert_id: str
    episode_start: float
    next_posts: int
    """Posts in the window at which it is told again."""
    next_reach: int
    severity: Severity
    peak_posts: int = 0
    peak_time: float = 0.0
    updates: int = 0


class FollowUp(msgspec.Struct, array_like=True):
    """The correction of the fact, which is to name the posts."""

    correction: Alert
    due_time: float | None
    """Event time at which it first tells; None afterwards."""
    sent: int = 0
    after: int = 0
    """Posts after the correction, as last counted, and those since: no less than there are."""
    next_after: int = 1
    """Posts after the correction at which it tells again."""


class AmplificationState(msgspec.Struct, array_like=True):
    hot_id: str
    window: EventWindow
    time: float = 0.0
    """Event time up to which everything is counted."""
    posts: dict[int, CountedPost] = {}
    pending: dict[int, PendingPost] = {}
    named: dict[int, PostRef] = {}
    groups: dict[int, NearDuplicates] = {}
    told: dict[int, ToldPost] = {}
    told_ever: int = 0
    last_told_time: float = 0.0
    folded: int = 0
    """Posts not told since the last one that was."""
    newest_when: float = 0.0
    horizon: tuple[float, int] = (_UNKNOWN, 0)
    """(when, key) of the newest post that is not known singly any more: what is not newer is not counted
    again."""
    older_posts: int = 0
    older_after: int = 0
    """Of those, posts after the correction as it was known when they were let go."""
    older_reposts: int = 0
    older_authors: bytes = distinct.EMPTY
    older_reach: int = 0
    episode: Amplified | None = None
    episodes: list[str] = []
    """alert_ids of all episodes, the open one included."""
    follow_up: FollowUp | None = None
    ended: bool = False
    """The fact is hot no more: nothing counts."""

    @property
    def total(self) -> int:
        return len(self.posts) + self.older_posts

    def count_in(self, key: int, post: CountedPost, corrected_time: float | None) -> None:
        self.posts[key] = post
        self.newest_when = max(self.newest_when, post.when)
        self.window.add(post.when, post.reach, self.time)
        group = self.groups.get(post.group)
        if group is not None:
            group.posts += 1
        if len(self.posts) > POSTS_CAP:
            self._let_go(corrected_time)

    def take_out(self, key: int) -> CountedPost | None:
        """Forget one post and what is named of it. None if it is not known."""
        self.named.pop(key, None)
        self.pending.pop(key, None)
        post = self.posts.pop(key, None)
        if post is not None:
            self.window.take(post.when, post.reach)
            group = self.groups.get(post.group)
            if group is not None:
                group.posts -= 1
                if group.posts <= 0:
                    del self.groups[post.group]
        return post

    def reposts_of(self, key: int) -> list[int]:
        counted = [repost for repost, post in self.posts.items() if post.original == key]
        return counted + [repost for repost, post in self.pending.items() if post.original == key]

    def name(self, key: int, ref: PostRef) -> None:
        self.named[key] = ref
        if len(self.named) > NAMED_CAP:
            del self.named[max(self.named, key=lambda k: _rank(self.named[k]))]

    def widest(self, limit: int) -> tuple[PostRef, ...]:
        """Posts to name, the widest reach first."""
        return tuple(sorted(self.named.values(), key=_rank)[:limit])

    def new_group(self, key: int, signature: bytes) -> None:
        """A group without posts yet, which `key` begins."""
        if len(self.groups) >= GROUPS_CAP:
            del self.groups[min(self.groups, key=lambda k: self.groups[k].posts)]
        self.groups[key] = NearDuplicates(0, signature)

    def _let_go(self, corrected_time: float | None) -> None:
        """Only sums are kept of the oldest `LET_GO` posts."""
        oldest = sorted((post.when, key) for key, post in self.posts.items())[:LET_GO]
        self.horizon = max(self.horizon, oldest[-1])
        by_bucket: dict[int, dict[int, int]] = {}
        reach_of: dict[int, int] = {}
        first_of: dict[int, float] = {}
        for when, key in oldest:
            post = self.posts.pop(key)
            number = self.window.number(when)
            first_of.setdefault(number, when)
            for table in (by_bucket.setdefault(number, {}), reach_of):
                table[post.author] = max(table.get(post.author, 0), post.reach)
            self.older_posts += 1
            self.older_after += corrected_time is not None and when >= corrected_time
            self.older_reposts += post.original != 0
        for number, authors in by_bucket.items():
            self.window.let_go(first_of[number], list(authors.items()))
        self.older_authors = distinct.added(self.older_authors, reach_of)
        self.older_reach += sum(reach_of.values())


def key_digest(key: str) -> int:
    """63 bits: fits the integers of every store."""
    return int.from_bytes(blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest()) >> 1


def _rank(ref: PostRef) -> tuple[int, float, str, str]:
    return (-(ref.reach or 0), ref.event_time, ref.platform, ref.post_id)
