"""Episodes of amplification: when one opens, doubles and is over."""

from __future__ import annotations

from streams.posts import HotFact
from streams.records import Alert, AlertStatus, Severity
from streams.stages.amplification_policy import AmplificationPolicy
from streams.stages.post_alerts import Evidence, amplified_id, fact_amplified
from streams.state.amplification import EPISODES_CAP, AmplificationState, Amplified
from streams.state.spread import authors_and_reach, spread


def measure(policy: AmplificationPolicy, state: AmplificationState, fact: HotFact) -> list[Alert]:
    """After a post was counted: open an episode, or tell that it has doubled since it was last told.
    Changes `state` in place."""
    now, episode = state.time, state.episode
    posts, bound = state.window.posts(now), state.window.reach_bound(now)
    if episode is None:
        return _opened(policy, state, fact, posts, bound)
    if posts > episode.peak_posts:
        episode.peak_posts, episode.peak_time = posts, now
    if posts < episode.next_posts and bound < episode.next_reach:
        return []
    _, reach = authors_and_reach(state, now)
    if posts < episode.next_posts and reach < episode.next_reach:
        return []
    while episode.next_posts <= posts:
        episode.next_posts *= 2
    while episode.next_reach <= reach:
        episode.next_reach *= 2
    if _severity(policy, posts, reach) is Severity.CRITICAL:
        episode.severity = Severity.CRITICAL  # and stays so to its end: it is the same alert
    episode.updates += 1
    return [_alert(policy, state, fact, episode, AlertStatus.UPDATED, now)]


def closes_at(policy: AmplificationPolicy, state: AmplificationState, until: float) -> float | None:
    """The first event time up to `until` at which the open episode is over, if nothing more comes."""
    if state.episode is None:
        return None
    now = max(state.newest_when + policy.quiet_s, state.time)
    while now <= until:
        if state.window.posts(now) < policy.close_share * policy.posts:
            _, reach = authors_and_reach(state, now)
            if reach < policy.close_share * policy.reach:
                return now
        now = state.window.next_border(now)
    return None


def next_look(policy: AmplificationPolicy, state: AmplificationState) -> float | None:
    """Event time at which the open episode may be over: no later than it is."""
    if state.episode is None:
        return None
    quiet = state.newest_when + policy.quiet_s
    return quiet if quiet > state.time else state.window.next_border(state.time)


def close(
    policy: AmplificationPolicy, state: AmplificationState, fact: HotFact, time: float, outcome: str
) -> list[Alert]:
    """End the open episode, if there is one."""
    episode = state.episode
    if episode is None:
        return []
    state.episode = None
    return [_alert(policy, state, fact, episode, AlertStatus.RESOLVED, time, outcome)]


def _opened(
    policy: AmplificationPolicy, state: AmplificationState, fact: HotFact, posts: int, bound: int
) -> list[Alert]:
    if posts < policy.posts and bound < policy.reach:
        return []
    now = state.time
    authors, reach = authors_and_reach(state, now)
    many = posts >= policy.posts and authors >= policy.authors
    wide = reach >= policy.reach and authors >= policy.reach_authors
    alert_id = amplified_id(fact.hot_id, now)
    if not (many or wide) or alert_id in state.episodes:  # ended at this very time: that was its end
        return []
    severity = _severity(policy, posts, reach)
    next_reach = max(2 * reach, policy.reach)
    state.episode = Amplified(alert_id, now, 2 * posts, next_reach, severity, posts, now)
    state.episodes = [*state.episodes[1 - EPISODES_CAP :], alert_id]
    return [_alert(policy, state, fact, state.episode, AlertStatus.OPEN, now)]


def _severity(policy: AmplificationPolicy, posts: int, reach: int) -> Severity:
    factor = policy.critical_factor
    critical = posts >= factor * policy.posts or reach >= factor * policy.reach
    return Severity.CRITICAL if critical else Severity.WARNING


def _alert(
    policy: AmplificationPolicy,
    state: AmplificationState,
    fact: HotFact,
    episode: Amplified,
    status: AlertStatus,
    time: float,
    outcome: str = "",
) -> Alert:
    extra: Evidence = {"peak_posts": episode.peak_posts, "peak_time": episode.peak_time}
    if outcome:
        extra |= {"outcome": outcome, "open_s": time - episode.episode_start}
    return fact_amplified(
        fact,
        spread(state, time, fact.corrected_time),
        status=status,
        severity=episode.severity,
        alert_id=episode.alert_id,
        episode_start=episode.episode_start,
        event_time=time,
        number=episode.updates,
        window_s=state.window.width_s,
        posts=state.widest(policy.amplified_named),
        extra=extra,
    )
