"""How alerts about posts are put together: one post that repeats a hot fact, a fact that spreads, the
posts that a correction touches. Ids are digests of what happened, so a replay gives the same ones.

`namespace`, `page_id`, `performer` and `diff_url` are empty in them: they are about posts, and the alert
of the edit, in `related`, has those.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from streams.posts import HotFact, HotKind, post_key
from streams.records import Alert, AlertKind, AlertStatus, PerformerKind, PostRef, Severity
from streams.stages.alerts import digest
from streams.stages.episode_facts import what_changed
from streams.state.spread import Spread

Evidence = dict[str, float | int | str | list[str]]

#: Alerts that a correction names: those of the edits, then the newest about posts.
RELATED_CAP = 96


def repeats_id(hot_id: str, key: str) -> str:
    """alert_id of the post with this key (`Post.key`), whether it got an alert or not."""
    return digest(AlertKind.POST_REPEATS, hot_id, key)


def amplified_id(hot_id: str, episode_start: float) -> str:
    return digest(AlertKind.FACT_AMPLIFIED, hot_id, episode_start)


def post_repeats(
    fact: HotFact, post: PostRef, *, when: float, severity: Severity, total_posts: int, folded: int
) -> Alert:
    """`when`: event time at which the post began to repeat the fact. `folded`: how many did since the
    last that was told of."""
    alert_id = repeats_id(fact.hot_id, post_key(post.platform, post.post_id))
    return _alert(
        fact,
        kind=AlertKind.POST_REPEATS,
        status=AlertStatus.OPEN,
        severity=severity,
        alert_id=alert_id,
        ce_id=digest(alert_id, AlertStatus.OPEN, when),
        event_time=when,
        episode_start=when,
        what=f"Post on {post.platform} repeats a {_state_of(fact, when)} statement",
        posts=(post,),
        evidence={"hot_id": fact.hot_id, "total_posts": total_posts, "folded": folded},
    )


def post_settled(
    fact: HotFact,
    *,
    alert_id: str,
    severity: Severity,
    episode_start: float,
    event_time: float,
    outcome: str,
) -> Alert:
    """The end of a post's alert. It doesn't name the post: it may have been deleted."""
    return _alert(
        fact,
        kind=AlertKind.POST_REPEATS,
        status=AlertStatus.RESOLVED,
        severity=severity,
        alert_id=alert_id,
        ce_id=digest(alert_id, AlertStatus.RESOLVED, outcome, episode_start),
        event_time=max(event_time, episode_start),
        episode_start=episode_start,
        what=f"Post repeats a statement no more ({outcome})",
        evidence={"hot_id": fact.hot_id, "outcome": outcome},
    )


def fact_amplified(
    fact: HotFact,
    seen: Spread,
    *,
    status: AlertStatus,
    severity: Severity,
    alert_id: str,
    episode_start: float,
    event_time: float,
    number: int,
    window_s: float,
    posts: tuple[PostRef, ...],
    extra: Mapping[str, float | int | str | list[str]],
) -> Alert:
    """One state change of an episode, `number` counting them from 0."""
    corrected = fact.corrected_time is not None
    if status is AlertStatus.RESOLVED:
        spread = _spread_words(seen.total_posts, seen.total_authors, "in all", seen.estimated)
    else:
        within = f"in {_duration(window_s)}"
        spread = _spread_words(seen.posts, seen.authors, within, seen.estimated)
    after = f" ({seen.posts_after:,} after its revert)" if corrected else ""
    return _alert(
        fact,
        kind=AlertKind.FACT_AMPLIFIED,
        status=status,
        severity=severity,
        alert_id=alert_id,
        ce_id=digest(alert_id, status, number),
        event_time=event_time,
        episode_start=episode_start,
        what=f"{spread}{after}",
        posts=posts,
        evidence=spread_evidence(fact, seen) | {"window_s": window_s} | dict(extra),
    )


def correction_follow_up(
    fact: HotFact,
    seen: Spread,
    *,
    correction: Alert,
    number: int,
    event_time: float,
    related: tuple[str, ...],
    posts: tuple[PostRef, ...],
) -> Alert:
    """A further state change of the `fact.corrected` alert `correction`. It stays resolved, as a
    correction is from the start: an update would make it an open alert that nothing ever closes."""
    spread = _spread_words(seen.total_posts, seen.total_authors, "", seen.estimated)
    return msgspec.structs.replace(
        correction,
        ce_id=digest(correction.alert_id, "posts", fact.hot_id, number),
        event_time=event_time,
        summary=_summary(f"Corrected; {_lowered(spread)} ({seen.posts_after:,} since)", fact),
        related=tuple(dict.fromkeys(correction.related + related))[:RELATED_CAP],
        posts=posts,
        evidence=correction.evidence | spread_evidence(fact, seen),
    )


def spread_evidence(fact: HotFact, seen: Spread) -> Evidence:
    evidence: Evidence = {
        "hot_id": fact.hot_id,
        "posts": seen.posts,
        "authors": seen.authors,
        "reach": seen.reach,
        "total_posts": seen.total_posts,
        "total_authors": seen.total_authors,
        "total_reach": seen.total_reach,
        "reposts": seen.reposts,
        "copied_groups": seen.groups,
        "largest_group": seen.largest_group,
        "estimated": int(seen.estimated),
    }
    if fact.corrected_time is not None:
        evidence |= {
            "posts_before": seen.posts_before,
            "posts_after": seen.posts_after,
            "share_after": round(seen.posts_after / max(1, seen.total_posts), 4),
        }
    return evidence


def _alert(
    fact: HotFact,
    *,
    kind: AlertKind,
    status: AlertStatus,
    severity: Severity,
    alert_id: str,
    ce_id: str,
    event_time: float,
    episode_start: float,
    what: str,
    evidence: Evidence,
    posts: tuple[PostRef, ...] = (),
) -> Alert:
    return Alert(
        alert_id=alert_id,
        ce_id=ce_id,
        kind=kind,
        status=status,
        severity=severity,
        wiki=fact.wiki,
        server_name=fact.server_name,
        title=fact.title,
        namespace=0,
        page_id=None,
        rev_id=fact.rev_id,
        parent_id=None,
        performer="",
        performer_kind=PerformerKind.HIDDEN,
        event_time=event_time,
        episode_start=episode_start,
        summary=_summary(what, fact),
        fact_changes=(fact.fact,),
        page_url=fact.page_url,
        last_good_rev_id=fact.last_good_rev_id,
        last_good_url=fact.last_good_url,
        related=(fact.alert_id,),
        posts=posts,
        evidence=evidence,
    )


def _summary(what: str, fact: HotFact) -> str:
    return f"{what}: {fact.title} ({fact.wiki}): {what_changed((fact.fact,))}"


def _state_of(fact: HotFact, when: float) -> str:
    if fact.kind is HotKind.CONTESTED:
        return "contested"
    reverted = fact.corrected_time is not None and when >= fact.corrected_time
    return "reverted" if reverted else "vandalised"


def _spread_words(posts: int, authors: int, within: str, estimated: bool) -> str:
    times = "once" if posts == 1 else f"{posts:,} times"
    about = "about " if estimated else ""
    people = f"{about}{authors:,} author{'' if authors == 1 else 's'}"
    return f"Repeated {times} by {people}{' ' if within else ''}{within}"


def _lowered(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _duration(seconds: float) -> str:
    for size, one, many in ((86_400, "a day", "days"), (3_600, "an hour", "hours")):
        if seconds >= size:
            count = seconds / size
            return one if count == 1 else f"{count:g} {many}"
    return f"{seconds / 60:g} minutes"
