"""How far a hot fact spreads: its posts counted in sliding windows of event time, and what is told of it.

A post counts when the watermark passes it, in the order of event time, and every deadline that
lies before it is kept first. So neither the order of arrival within the lateness nor the borders of
batches change what is told. A post that comes later than the watermark counts at once. The versions of
one post have to come in their order, or within the lateness.

- `post.repeats`: open when a post is told of, resolved when it is deleted, repeats the fact no more or is
  `post_open_s` old, or when the fact is hot no more. Of each fact the first `told_first`, then one every
  `told_every_s`; `folded` in its evidence counts those in between.
- `fact.amplified`: one alert an episode, from the threshold until below half of it and a quiet time.
- `fact.corrected`: told again with the posts (`correction_posts`).

A repost counts, as does its author, but is neither told nor named: its words are another's, and it goes
with its original.
"""

from __future__ import annotations

import msgspec

from streams.posts import HotFact, Match, Post, PostsGone, post_key
from streams.records import Alert, Grade
from streams.stages.amplification_policy import AmplificationPolicy
from streams.stages.arriving_posts import arriving, author_digest, post_ref
from streams.stages.correction_posts import follow_up
from streams.stages.near_duplicates import nearest
from streams.stages.post_alerts import repeats_id
from streams.stages.spread_episodes import close, closes_at, measure, next_look
from streams.stages.told_posts import settled, tell
from streams.state.amplification import (
    PENDING_CAP,
    AmplificationState,
    CountedPost,
    FollowUp,
    PendingPost,
    key_digest,
)
from streams.state.event_windows import EventWindow

REPEATS = (Grade.REPEATS_VANDALISED, Grade.REPEATS_CONTESTED)


class Gone(msgspec.Struct, frozen=True, gc=False):
    """What is to be done about posts that were deleted."""

    redact: tuple[str, ...]
    """alert_ids whose stored states may name them: all of this fact that could. Of an author's posts,
    alerts about single ones are among them only while they are open."""
    alerts: list[Alert]
    """State changes to send."""


class Amplifier:
    """Measures by `policy`; keeps nothing itself. Every call takes the state of one fact, which it
    changes in place, and that fact as it is now; `time` is the watermark."""

    def __init__(self, policy: AmplificationPolicy) -> None:
        self.policy = policy

    def new(self, hot_id: str) -> AmplificationState:
        return AmplificationState(hot_id, EventWindow(self.policy.bucket_s, self.policy.buckets))

    def fold(
        self, state: AmplificationState, fact: HotFact, post: Post, match: Match | None, time: float
    ) -> list[Alert]:
        """Take one post in, as it stands. Told again it changes nothing; edited, it replaces what it was.
        `match` is None, or of another grade, where it does not (or no longer) repeat the fact; a repost
        then counts if its original does. One made before the fact was hot repeats nothing."""
        alerts = self.advance(state, fact, time)
        key = key_digest(post.key)
        repeats = match is not None and match.grade in REPEATS
        if state.ended:
            return alerts
        if not repeats and post.repost_of is None:
            return alerts + _withdraw(state, fact, key, "edited", post.edited_time or time)
        if key in state.posts:
            if key in state.named and match is not None and post.edited_time is not None:
                state.named[key] = post_ref(post, match)
            return alerts
        arrival = arriving(post, match if repeats else None)
        waiting = state.pending.get(key)
        if waiting is not None:
            newer, older = (
                (arrival, waiting) if arrival.version > waiting.version else (waiting, arrival)
            )
            newer.when = min(newer.when, older.when)
            state.pending[key] = newer
        elif arrival.when < fact.since or (arrival.when, key) <= state.horizon:
            return alerts
        elif arrival.when < state.time:
            alerts += self._count(state, fact, key, arrival)
        else:
            state.pending[key] = arrival
            if len(state.pending) > PENDING_CAP:
                first = min(state.pending, key=lambda key: _turn(state, key))
                alerts += self._count_due(state, fact, first)
        return alerts

    def advance(self, state: AmplificationState, fact: HotFact, time: float) -> list[Alert]:
        """Count what the watermark has passed, and keep the deadlines up to it. Nothing before `time`
        is expected any more."""
        alerts: list[Alert] = []
        if state.pending:
            due = [key for key, pending in state.pending.items() if pending.when < time]
            for key in sorted(due, key=lambda key: _turn(state, key)):
                alerts += self._count_due(state, fact, key)
        alerts += self._keep_deadlines(state, fact, time)
        state.time = max(state.time, time)
        return alerts

    def next_deadline(self, state: AmplificationState, fact: HotFact) -> float | None:
        """Event time from which `advance` may have something to do; None if nothing waits or is open.
        A post that waits is due when the watermark is past this."""
        if state.ended:
            return None
        times = [pending.when for pending in state.pending.values()]
        times += [time for time in self._deadlines(state, fact) if time is not None]
        look = next_look(self.policy, state)
        if look is not None:
            times.append(look)
        return min(times, default=None)

    def corrected(
        self, state: AmplificationState, fact: HotFact, correction: Alert, time: float
    ) -> list[Alert]:
        """The fact was corrected, by the `fact.corrected` alert `correction`, whose `related` names the
        fact's. `fact` is to have its `corrected_time`. The first correction stays."""
        alerts = self.advance(state, fact, time)
        if not state.ended and state.follow_up is None and fact.alert_id in correction.related:
            state.follow_up = FollowUp(correction, correction.event_time)
            alerts += self._keep_deadlines(state, fact, time)
        return alerts

    def gone(self, state: AmplificationState, fact: HotFact, gone: PostsGone, time: float) -> Gone:
        """A post was deleted, or all of an author's: they count no more, and nothing names them."""
        alerts = self.advance(state, fact, time)
        redact = list(state.episodes)
        if state.follow_up is not None and state.follow_up.sent:
            redact.append(state.follow_up.correction.alert_id)
        if gone.post_id is not None:
            key = post_key(gone.platform, gone.post_id)
            if state.told_ever:
                redact.append(repeats_id(fact.hot_id, key))
            alerts += _withdraw(state, fact, key_digest(key), "deleted", gone.event_time)
        elif gone.author:
            author = author_digest(gone.platform, gone.author)
            redact += [told.alert_id for told in state.told.values() if told.author == author]
            for number in _keys_of(state, author, (gone.platform, gone.author)):
                alerts += _withdraw(state, fact, number, "deleted", gone.event_time)
        return Gone(tuple(redact), alerts)

    def end(
        self, state: AmplificationState, fact: HotFact, time: float, outcome: str = "expired"
    ) -> list[Alert]:
        """The fact is hot no more: what is open about its posts is over."""
        alerts = self.advance(state, fact, time)
        return alerts if state.ended else alerts + self._end(state, fact, time, outcome)

    def _end(self, state: AmplificationState, fact: HotFact, time: float, outcome: str) -> list[Alert]:
        alerts = close(self.policy, state, fact, time, outcome)
        alerts += [settled(state, fact, key, time, outcome) for key in list(state.told)]
        state.pending.clear()
        state.ended = True
        return alerts

    def _deadlines(self, state: AmplificationState, fact: HotFact) -> tuple[float | None, ...]:
        """Of the follow-up, of the oldest post told of, of the fact."""
        due = state.follow_up.due_time if state.follow_up is not None else None
        settle = min((told.settle_time for told in state.told.values()), default=None)
        return due, settle, fact.expires

    def _keep_deadlines(self, state: AmplificationState, fact: HotFact, until: float) -> list[Alert]:
        """All up to `until`, in their order: what is told at one shows what was counted by then."""
        alerts: list[Alert] = []
        while not state.ended:
            due, settle, expires = self._deadlines(state, fact)
            over = closes_at(self.policy, state, until)
            now = min((t for t in (due, over, settle, expires) if t is not None), default=None)
            if now is None or now > until:
                break
            state.time = max(state.time, now)
            if now == due and state.follow_up is not None:
                state.follow_up.due_time = None
                alerts += follow_up(self.policy, state, fact)
            elif now == over:
                alerts += close(self.policy, state, fact, now, "quiet")
            elif now == settle:
                key = next(key for key, told in state.told.items() if told.settle_time == now)
                alerts.append(settled(state, fact, key, now, "old"))
            else:
                alerts += self._end(state, fact, now, "expired")
        return alerts

    def _count_due(self, state: AmplificationState, fact: HotFact, key: int) -> list[Alert]:
        alerts = self._keep_deadlines(state, fact, state.pending[key].when) if not state.ended else []
        pending = state.pending.pop(key, None)
        if pending is None:  # the fact ended before it
            return alerts
        state.time = max(state.time, pending.when)
        return alerts + self._count(state, fact, key, pending)

    def _count(
        self, state: AmplificationState, fact: HotFact, key: int, arrival: PendingPost
    ) -> list[Alert]:
        """One post whose time has come."""
        original = state.posts.get(arrival.original)
        if original is None and not arrival.repeats:
            return []
        group = original.group if original is not None else _group_of(state, key, arrival.signature)
        post = CountedPost(arrival.author, arrival.when, arrival.reach, group, arrival.original)
        state.count_in(key, post, fact.corrected_time)
        alerts: list[Alert] = []
        if arrival.ref is not None:
            state.name(key, arrival.ref)
            alerts += tell(self.policy, state, fact, key, post, arrival.ref)
        alerts += measure(self.policy, state, fact)
        if state.follow_up is not None:
            state.follow_up.after += 1
            alerts += follow_up(self.policy, state, fact)
        return alerts


def _turn(state: AmplificationState, key: int) -> tuple[float, bool, int]:
    """The order in which posts count. A repost of the same second comes after its original."""
    pending = state.pending[key]
    return pending.when, pending.original != 0, key


def _withdraw(
    state: AmplificationState, fact: HotFact, key: int, outcome: str, event_time: float
) -> list[Alert]:
    """Take one post out, with its reposts."""
    for repost in state.reposts_of(key):
        state.take_out(repost)
    state.take_out(key)
    return [settled(state, fact, key, event_time, outcome)] if key in state.told else []


def _group_of(state: AmplificationState, key: int, wanted: bytes) -> int:
    if not wanted:
        return 0
    place = nearest(wanted, [group.signature for group in state.groups.values()])
    if place is not None:
        return list(state.groups)[place]
    state.new_group(key, wanted)
    return key


def _keys_of(state: AmplificationState, author: int, named: tuple[str, str]) -> list[int]:
    """Of all that is known of an author's posts."""
    tables = (state.posts, state.pending, state.told)
    keys = [key for table in tables for key, post in table.items() if post.author == author]
    keys += [key for key, ref in state.named.items() if (ref.platform, ref.author) == named]
    return list(dict.fromkeys(keys))
