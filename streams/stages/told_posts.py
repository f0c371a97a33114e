"""Single posts that are told of: how many of a fact, and until when."""

from __future__ import annotations

from streams.posts import HotFact, HotKind
from streams.records import Alert, PostRef, Severity
from streams.stages.amplification_policy import AmplificationPolicy
from streams.stages.post_alerts import post_repeats, post_settled
from streams.state.amplification import TOLD_CAP, AmplificationState, CountedPost, ToldPost


def tell(
    policy: AmplificationPolicy,
    state: AmplificationState,
    fact: HotFact,
    key: int,
    post: CountedPost,
    ref: PostRef,
) -> list[Alert]:
    """An alert about a post that was just counted, or one more that is folded into the next."""
    spaced = post.when >= state.last_told_time + policy.told_every_s
    if state.told_ever >= policy.told_first and not spaced:
        state.folded += 1
        return []
    alerts = []
    if len(state.told) >= TOLD_CAP:
        alerts.append(settled(state, fact, next(iter(state.told)), post.when, "crowded out"))
    wide = fact.kind is HotKind.VANDALISED and post.reach >= policy.reach
    alert = post_repeats(
        fact,
        ref,
        when=post.when,
        severity=Severity.WARNING if wide else Severity.INFO,
        total_posts=state.total,
        folded=state.folded,
    )
    settle_time = post.when + policy.post_open_s
    state.told[key] = ToldPost(alert.alert_id, post.author, post.when, settle_time, alert.severity)
    state.told_ever += 1
    state.folded = 0
    state.last_told_time = max(state.last_told_time, post.when)
    return [*alerts, alert]


def settled(
    state: AmplificationState, fact: HotFact, key: int, event_time: float, outcome: str
) -> Alert:
    """The end of the alert about the post with this key."""
    told = state.told.pop(key)
    return post_settled(
        fact,
        alert_id=told.alert_id,
        severity=told.severity,
        episode_start=told.event_time,
        event_time=event_time,
        outcome=outcome,
    )
