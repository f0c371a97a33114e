from __future__ import annotations

import msgspec
import pytest

from streams.posts import HotKind, Match, Post, PostsGone
from streams.records import AlertKind, AlertStatus, Grade, Severity
from streams.stages.alerts import digest
from streams.stages.amplification_policy import AmplificationPolicy
from streams.stages.correction_posts import correction_of
from streams.stages.post_alerts import repeats_id
from streams.state.amplification import NAMED_CAP, PENDING_CAP, POSTS_CAP
from streams.state.spread import spread
from tests.amplify_world import (
    FACT,
    HOUR_S,
    MINUTE_S,
    T0,
    Spreading,
    corrected_at,
    correction,
    match,
    of_kind,
    post,
)

REPEATS, AMPLIFIED, CORRECTED = (
    AlertKind.POST_REPEATS,
    AlertKind.FACT_AMPLIFIED,
    AlertKind.FACT_CORRECTED,
)


def a_minute_apart(count: int, start: float = T0 + 600.0, first: int = 1) -> list[Post]:
    return [post(first + n, start + n * MINUTE_S) for n in range(count)]


def deleted(one: Post, at: float) -> PostsGone:
    return PostsGone(platform=one.platform, post_id=one.post_id, event_time=at, arrival_time=at)


# Single posts


def test_a_post_that_repeats_is_told_once_the_watermark_has_passed_it() -> None:
    world = Spreading()
    one = post(1, T0 + 600.0, reach=42)
    assert world.fold(one) == []
    (alert,) = world.until(T0 + 601.0)
    assert (alert.kind, alert.status, alert.severity) == (REPEATS, AlertStatus.OPEN, Severity.INFO)
    assert alert.alert_id == digest(REPEATS, FACT.hot_id, one.key) == repeats_id("h1", one.key)
    assert alert.summary == (
        "Post on bluesky repeats a vandalised statement: Abraham Lincoln (enwiki): "
        "date changed from 1809 to 1808"
    )
    assert alert.related == (FACT.alert_id,)
    assert alert.fact_changes == (FACT.fact,)
    assert (alert.event_time, alert.last_good_rev_id) == (one.event_time, FACT.last_good_rev_id)
    (ref,) = alert.posts
    assert (ref.post_id, ref.author, ref.url, ref.reach) == (one.post_id, one.author, one.url, 42)
    assert (ref.grade, ref.probability) == (Grade.REPEATS_VANDALISED, 0.97)
    assert ref.statement == "Lincoln was born in 1808."


def test_a_post_waits_while_another_of_its_second_may_still_come() -> None:
    world = Spreading()
    world.fold(post(1, T0 + 600.0))
    assert world.amplifier.next_deadline(world.state, world.fact) == T0 + 600.0
    assert world.until(T0 + 600.0) == []
    assert len(world.until(T0 + 600.001)) == 1


def test_a_post_told_twice_counts_once() -> None:
    world = Spreading()
    for _ in range(3):
        world.fold(post(1, T0 + 600.0))
    world.until(T0 + HOUR_S)
    world.fold(post(1, T0 + 600.0))  # counted already
    world.until(T0 + 2 * HOUR_S)
    assert world.state.total == 1
    assert len(world.alerts) == 1


@pytest.mark.parametrize("grade", [Grade.STATES_GOOD, Grade.SUGGESTED])
def test_what_states_the_good_value_or_is_only_suggested_never_counts(grade: Grade) -> None:
    world = Spreading()
    for one in a_minute_apart(30):
        world.fold(one, match(grade))
    world.until(T0 + 2 * HOUR_S)
    assert world.alerts == []
    assert world.state.total == 0


def test_a_post_made_before_the_edit_repeats_nothing() -> None:
    world = Spreading()
    world.fold(post(1, T0 - 1.0))
    world.fold(post(2, T0))
    world.until(T0 + HOUR_S)
    assert world.state.total == 1


def test_a_contested_statement_is_never_called_vandalised() -> None:
    world = Spreading()
    world.fact = msgspec.structs.replace(FACT, kind=HotKind.CONTESTED)
    world.fold(post(1, T0 + 60.0, reach=10_000_000), match(Grade.REPEATS_CONTESTED))
    (alert,) = world.until(T0 + HOUR_S)
    assert "a contested statement" in alert.summary
    assert alert.severity is Severity.INFO
    assert alert.posts[0].grade is Grade.REPEATS_CONTESTED


def test_a_post_of_wide_reach_is_a_warning() -> None:
    world = Spreading()
    world.fold_all([post(1, T0 + 60.0, reach=99_999), post(2, T0 + 61.0, reach=100_000)])
    told = world.until(T0 + 500.0)
    assert [alert.severity for alert in told if alert.kind is REPEATS] == [
        Severity.INFO,
        Severity.WARNING,
    ]


def test_after_the_first_posts_of_a_fact_one_in_ten_minutes_is_told_with_a_count_of_the_others() -> None:
    world = Spreading()
    world.fold_all(a_minute_apart(40))
    world.until(T0 + 2 * HOUR_S)
    told = of_kind(world.alerts, REPEATS)
    minutes = [round((alert.event_time - T0 - 600.0) / MINUTE_S) for alert in told]
    assert minutes == [0, 1, 2, 3, 4, 14, 24, 34]
    assert [alert.evidence["folded"] for alert in told] == [0, 0, 0, 0, 0, 9, 9, 9]


def test_a_late_post_that_is_told_does_not_hasten_the_next() -> None:
    world = Spreading(AmplificationPolicy(told_first=2))
    world.fold(post(1, T0 + 1_800.0))
    world.until(T0 + 1_900.0)
    world.fold(post(2, T0 + 60.0))  # late, but one of the first
    world.fold(post(3, T0 + 2_000.0))
    world.until(T0 + 2_100.0)
    assert [alert.event_time for alert in world.alerts] == [T0 + 1_800.0, T0 + 60.0]


def test_the_alert_of_a_post_ends_after_a_day_or_with_the_fact() -> None:
    world = Spreading()
    world.fold_all([post(1, T0 + 60.0), post(2, T0 + 20 * HOUR_S)])
    world.until(T0 + 21 * HOUR_S)
    assert world.amplifier.next_deadline(world.state, world.fact) == T0 + 60.0 + 24 * HOUR_S
    (old,) = world.until(T0 + 30 * HOUR_S)
    assert (old.status, old.evidence["outcome"]) == (AlertStatus.RESOLVED, "old")
    assert old.event_time == T0 + 60.0 + 24 * HOUR_S
    ended = world.amplifier.end(world.state, world.fact, T0 + 31 * HOUR_S, "kept")
    assert [(a.alert_id, a.evidence["outcome"]) for a in ended] == [
        (repeats_id("h1", post(2, 0.0).key), "kept")
    ]
    assert world.amplifier.end(world.state, world.fact, T0 + 32 * HOUR_S) == []
    assert world.amplifier.next_deadline(world.state, world.fact) is None


# Edits, deletions, reposts


def test_an_edited_post_that_no_longer_repeats_is_taken_back() -> None:
    world = Spreading()
    world.fold_all(a_minute_apart(3))
    world.until(T0 + HOUR_S)
    edited = post(2, T0 + 660.0, text="In 1809, sorry.", edited_time=T0 + HOUR_S)
    (end,) = world.fold(edited, match(Grade.STATES_GOOD))
    assert (end.status, end.evidence["outcome"]) == (AlertStatus.RESOLVED, "edited")
    assert end.alert_id == repeats_id("h1", edited.key)
    assert end.posts == ()
    assert world.state.total == 2
    assert spread(world.state, T0 + HOUR_S, None).posts == 2


def test_an_edited_post_that_still_repeats_is_named_as_it_stands() -> None:
    world = Spreading()
    original = post(1, T0 + 600.0)
    world.fold(original)
    world.until(T0 + HOUR_S)
    edited = post(1, T0 + 600.0, edited_time=T0 + HOUR_S)
    assert world.fold(edited, match(statement="Edited: 1808.")) == []
    world.fold(original)  # the first version, told again
    assert [ref.statement for ref in world.state.widest(5)] == ["Edited: 1808."]
    assert world.state.total == 1


def test_a_post_and_its_edit_in_either_order_are_the_edit_made_when_the_post_was() -> None:
    original = post(1, T0 + 600.0)
    edited = msgspec.structs.replace(original, edited_time=T0 + 620.0)
    first, second = Spreading(), Spreading()
    first.fold(original)
    first.fold(edited, match(statement="Edited: 1808."))
    second.fold(edited, match(statement="Edited: 1808."))
    second.fold(original)
    for world in (first, second):
        world.until(T0 + HOUR_S)
    assert first.alerts == second.alerts
    assert first.state == second.state
    (alert,) = first.alerts
    assert alert.event_time == original.event_time
    assert alert.posts[0].statement == "Edited: 1808."


def test_a_post_edited_into_repeating_counts_from_its_edit() -> None:
    world = Spreading()
    world.fact = corrected_at(T0 + HOUR_S)
    world.fold(post(1, T0 - 9 * HOUR_S, edited_time=T0 + 2 * HOUR_S))
    (alert,) = world.until(T0 + 3 * HOUR_S)
    assert alert.event_time == T0 + 2 * HOUR_S
    assert "repeats a reverted statement" in alert.summary


def test_a_deleted_post_is_taken_out_and_all_alerts_that_may_name_it_are_told() -> None:
    world = Spreading()
    posts = a_minute_apart(12)
    world.fold_all(posts)
    world.until(T0 + 1_400.0)
    world.correct(T0 + 1_400.0)
    world.until(T0 + 1_500.0)
    (episode,) = {alert.alert_id for alert in of_kind(world.alerts, AMPLIFIED)}
    gone = world.amplifier.gone(world.state, world.fact, deleted(posts[0], T0 + 1_600.0), T0 + 1_600.0)
    named_in = {
        alert.alert_id
        for alert in world.alerts
        if posts[0].post_id in [ref.post_id for ref in alert.posts]
    }
    assert len(named_in) == 3
    assert named_in <= set(gone.redact)
    assert episode in gone.redact
    (end,) = gone.alerts
    assert (end.alert_id, end.evidence["outcome"]) == (repeats_id("h1", posts[0].key), "deleted")
    assert spread(world.state, T0 + 1_600.0, None).posts == 11
    assert posts[0].post_id.encode() not in msgspec.msgpack.encode(world.state)
    assert all(posts[0].post_id not in str(alert) for alert in gone.alerts)


def test_a_post_deleted_long_after_its_alert_ended_is_still_to_be_redacted() -> None:
    world = Spreading()
    world.fold(post(1, T0 + 60.0))
    world.until(T0 + 30 * HOUR_S)
    world.amplifier.end(world.state, world.fact, T0 + 30 * HOUR_S)
    gone = world.amplifier.gone(
        world.state, world.fact, deleted(post(1, 0.0), T0 + 31 * HOUR_S), T0 + 31 * HOUR_S
    )
    assert repeats_id("h1", post(1, 0.0).key) in gone.redact
    assert gone.alerts == []


def test_a_post_deleted_while_it_waits_never_counts() -> None:
    world = Spreading()
    one = post(1, T0 + 600.0)
    world.fold(one)
    world.amplifier.gone(world.state, world.fact, deleted(one, T0 + 601.0), T0 + 540.0)
    world.until(T0 + HOUR_S)
    assert world.alerts == []
    assert world.state.total == 0


def test_when_an_account_is_deleted_all_its_posts_go_and_no_others() -> None:
    world = Spreading()
    world.fold_all(
        [post(n, T0 + 600.0 + n, author="sock" if n % 2 else f"other {n}") for n in range(1, 8)]
    )
    world.until(T0 + 700.0)
    world.fold(post(9, T0 + 750.0, author="sock"))  # waits
    gone = world.amplifier.gone(
        world.state,
        world.fact,
        PostsGone(platform="bluesky", author="sock", event_time=T0 + 800.0, arrival_time=T0 + 800.0),
        T0 + 700.0,
    )
    assert world.state.total == 3
    assert {alert.alert_id for alert in gone.alerts} == {
        repeats_id("h1", post(n, 0.0).key) for n in (1, 3, 5)
    }
    assert {alert.alert_id for alert in gone.alerts} <= set(gone.redact)
    assert b"sock" not in msgspec.msgpack.encode(world.state)
    world.until(T0 + HOUR_S)
    assert world.state.total == 3


def test_an_account_of_the_same_name_elsewhere_keeps_its_posts() -> None:
    world = Spreading()
    world.fold(post(1, T0 + 600.0, author="anna"))
    world.until(T0 + HOUR_S)
    gone = PostsGone(platform="mastodon", author="anna", event_time=T0, arrival_time=T0)
    world.amplifier.gone(world.state, world.fact, gone, T0 + HOUR_S)
    assert world.state.total == 1


def test_reposts_count_with_their_original_and_go_with_it() -> None:
    world = Spreading()
    original = post(1, T0 + 600.0)
    reposts = [
        post(n, T0 + 600.0 + n, repost_of=original.post_id, reach=1_000, text=" ") for n in range(2, 6)
    ]
    world.fold_all([reposts[0], original, *reposts[1:]])  # within the lateness, any order
    world.until(T0 + 700.0)
    seen = spread(world.state, T0 + 700.0, None)
    assert (seen.posts, seen.authors, seen.reposts, seen.reach) == (5, 5, 4, 4_000)
    assert seen.largest_group == 5
    assert len(of_kind(world.alerts, REPEATS)) == 1
    assert [ref.post_id for ref in world.state.widest(9)] == [original.post_id]
    world.amplifier.gone(world.state, world.fact, deleted(original, T0 + 800.0), T0 + 800.0)
    assert world.state.total == 0
    assert world.state.groups == {}


def test_a_repost_of_what_does_not_repeat_never_counts() -> None:
    world = Spreading()
    world.fold(post(2, T0 + 600.0, repost_of="at://p/unknown", text=" "))
    world.until(T0 + HOUR_S)
    assert world.state.total == 0


def test_a_repost_that_brings_the_text_counts_without_its_original_but_is_not_named() -> None:
    """Its words are another's: the statement would outlive the deletion of that post."""
    world = Spreading()
    world.fold(post(2, T0 + 600.0, repost_of="at://p/unknown"), match())
    world.until(T0 + HOUR_S)
    assert world.state.total == 1
    assert world.alerts == []
    assert world.state.named == {}
    gone = deleted(post(1, 0.0), T0 + HOUR_S)
    gone = msgspec.structs.replace(gone, post_id="at://p/unknown")
    world.amplifier.gone(world.state, world.fact, gone, T0 + HOUR_S)
    assert world.state.total == 0


def test_copies_are_grouped() -> None:
    world = Spreading()
    text = "Wow: Abraham Lincoln was born in 1808 in a one-room log cabin near Hodgenville, Kentucky"
    world.fold_all(
        [post(n, T0 + 600.0 + n, text=f"{text} {'!' * n} https://x.example/{n}") for n in range(1, 5)]
    )
    world.fold_all(a_minute_apart(3, T0 + 700.0, first=10))
    world.until(T0 + HOUR_S)
    seen = spread(world.state, T0 + HOUR_S, None)
    assert (seen.groups, seen.largest_group) == (1, 4)


# Episodes of amplification


def test_a_fact_is_amplified_from_ten_posts_by_five_authors() -> None:
    world = Spreading()
    posts = [post(n, T0 + 600.0 + 60.0 * n, author=f"a{n % 5}") for n in range(10)]
    world.fold_all(posts[:9])
    world.until(posts[8].event_time + 1.0)
    assert of_kind(world.alerts, AMPLIFIED) == []
    world.fold(posts[9])
    (alert,) = of_kind(world.until(posts[9].event_time + 1.0), AMPLIFIED)
    assert (alert.status, alert.severity) == (AlertStatus.OPEN, Severity.WARNING)
    assert alert.alert_id == digest(AMPLIFIED, FACT.hot_id, posts[9].event_time)
    assert alert.summary == (
        "Repeated 10 times by 5 authors in an hour: Abraham Lincoln (enwiki): "
        "date changed from 1809 to 1808"
    )
    assert (alert.evidence["posts"], alert.evidence["authors"]) == (10, 5)
    assert len(alert.posts) == 10
    assert alert.related == (FACT.alert_id,)


def test_four_authors_however_busy_do_not_amplify() -> None:
    world = Spreading()
    world.fold_all([post(n, T0 + 600.0 + n, author=f"a{n % 4}") for n in range(60)])
    world.until(T0 + HOUR_S)
    assert of_kind(world.alerts, AMPLIFIED) == []


def test_posts_spread_over_more_than_the_window_do_not_amplify() -> None:
    world = Spreading()
    world.fold_all([post(n, T0 + n * 400.0) for n in range(60)])
    world.until(T0 + 8 * HOUR_S)
    assert of_kind(world.alerts, AMPLIFIED) == []


def test_reach_amplifies_from_two_authors_each_counted_once() -> None:
    world = Spreading()
    world.fold_all([post(n, T0 + 600.0 + n, author="star", reach=5_000_000) for n in range(5)])
    world.until(T0 + 700.0)
    assert of_kind(world.alerts, AMPLIFIED) == []
    world.fold(post(7, T0 + 701.0, reach=1))
    (alert,) = of_kind(world.until(T0 + 710.0), AMPLIFIED)
    assert alert.evidence["reach"] == 5_000_001
    assert alert.severity is Severity.CRITICAL


def test_an_episode_is_told_again_when_it_has_doubled_and_critical_from_ten_times_the_threshold() -> (
    None
):
    world = Spreading()
    world.fold_all([post(n, T0 + 600.0 + n) for n in range(170)])
    world.until(T0 + 800.0)
    told = of_kind(world.alerts, AMPLIFIED)
    assert [(a.status, a.evidence["posts"], a.severity) for a in told] == [
        (AlertStatus.OPEN, 10, Severity.WARNING),
        (AlertStatus.UPDATED, 20, Severity.WARNING),
        (AlertStatus.UPDATED, 40, Severity.WARNING),
        (AlertStatus.UPDATED, 80, Severity.WARNING),
        (AlertStatus.UPDATED, 160, Severity.CRITICAL),
    ]
    assert len({alert.ce_id for alert in told}) == 5
    assert len({alert.alert_id for alert in told}) == 1


def test_an_episode_ends_when_the_window_is_below_half_and_it_was_quiet() -> None:
    world = Spreading()
    world.fold_all(a_minute_apart(12))  # from 10 to 21 min after T0
    world.until(T0 + 1_300.0)
    # Quiet from 51 min on. Five posts leave the window with their bucket at 70 min, five more at 75.
    assert of_kind(world.until(T0 + 75 * MINUTE_S - 1.0), AMPLIFIED) == []
    (end,) = of_kind(world.until(T0 + 20 * HOUR_S), AMPLIFIED)
    assert end.status is AlertStatus.RESOLVED
    assert end.event_time == T0 + 75 * MINUTE_S
    assert end.evidence["posts"] == 2
    assert end.evidence["outcome"] == "quiet"
    assert (end.evidence["peak_posts"], end.evidence["total_posts"]) == (12, 12)
    assert end.evidence["open_s"] == end.event_time - end.episode_start
    assert end.summary.startswith("Repeated 12 times by 12 authors in all: ")


def test_an_episode_is_told_again_when_its_reach_has_doubled() -> None:
    world = Spreading()
    reach = (60_000, 60_000, 119_999, 1, 1, 800_000)
    world.fold_all([post(n, T0 + 600.0 + n, reach=wide) for n, wide in enumerate(reach)])
    world.until(T0 + 700.0)
    told = of_kind(world.alerts, AMPLIFIED)
    assert [(a.status, a.evidence["reach"], a.severity) for a in told] == [
        (AlertStatus.OPEN, 120_000, Severity.WARNING),
        (AlertStatus.UPDATED, 240_000, Severity.WARNING),
        (AlertStatus.UPDATED, 1_040_001, Severity.CRITICAL),
    ]


def test_authors_who_post_again_do_not_double_the_reach_of_an_episode() -> None:
    world = Spreading()
    world.fold_all([post(n, T0 + 600.0 + n, author=f"a{n % 5}", reach=6_000) for n in range(19)])
    world.until(T0 + 700.0)
    (told,) = of_kind(world.alerts, AMPLIFIED)
    assert told.evidence["reach"] == 30_000


def test_an_episode_of_wide_reach_stays_open_until_that_has_left_the_window() -> None:
    world = Spreading()
    world.fold_all([post(n, T0 + 600.0 + n, reach=60_000) for n in range(2)])
    (end,) = [a for a in world.until(T0 + 20 * HOUR_S) if a.kind is AMPLIFIED][1:]
    assert end.event_time == T0 + 70 * MINUTE_S


def test_an_episode_that_deletions_ended_does_not_begin_again_at_the_same_time() -> None:
    world = Spreading()
    world.until(T0 + HOUR_S)
    posts = [post(n, T0 + 1_200.0 + n) for n in range(30)]  # late: they count at once
    world.fold_all(posts[:10])
    for one in posts[:8]:
        gone = deleted(one, T0 + HOUR_S)
        world.alerts += world.amplifier.gone(world.state, world.fact, gone, T0 + HOUR_S).alerts
    world.until(T0 + HOUR_S)
    world.fold_all(posts[10:])
    told = of_kind(world.alerts, AMPLIFIED)
    assert [a.status for a in told] == [AlertStatus.OPEN, AlertStatus.RESOLVED]


def test_a_trickle_keeps_an_episode_open_and_a_new_burst_after_its_end_is_another() -> None:
    world = Spreading()
    world.fold_all(a_minute_apart(10))
    trickle = [post(100 + n, T0 + 1_200.0 + n * 1_700.0) for n in range(8)]  # never 30 min quiet
    world.fold_all(trickle)
    world.until(trickle[-1].event_time + 60.0)
    assert [a.status for a in of_kind(world.alerts, AMPLIFIED)] == [AlertStatus.OPEN]
    burst = a_minute_apart(10, trickle[-1].event_time + 3 * HOUR_S, first=200)
    world.fold_all(burst)
    world.until(burst[-1].event_time + 60.0)
    told = of_kind(world.alerts, AMPLIFIED)
    assert [a.status for a in told] == [AlertStatus.OPEN, AlertStatus.RESOLVED, AlertStatus.OPEN]
    assert told[1].event_time == trickle[-1].event_time + 1_800.0
    assert told[0].alert_id == told[1].alert_id != told[2].alert_id


def test_deadlines_are_told_ahead_and_kept_at_their_own_time() -> None:
    """However the watermark moves, in one step or in many, the same is told."""
    steps, leap = Spreading(), Spreading()
    for world in (steps, leap):
        world.fold_all(a_minute_apart(15))
    while (deadline := steps.amplifier.next_deadline(steps.state, steps.fact)) is not None:
        before = len(steps.alerts), steps.state.time
        steps.until(deadline + 0.001)
        assert (len(steps.alerts), steps.state.time) > before
    leap.until(T0 + 90 * HOUR_S)
    assert steps.alerts == leap.alerts
    assert [a.status for a in of_kind(leap.alerts, AMPLIFIED)] == [
        AlertStatus.OPEN,
        AlertStatus.RESOLVED,
    ]


def test_an_episode_ends_with_its_fact() -> None:
    world = Spreading()
    world.fold_all(a_minute_apart(12))
    world.until(T0 + 1_300.0)
    world.fact = msgspec.structs.replace(FACT, expires=T0 + 1_400.0)
    world.until(T0 + 1_500.0)
    (end,) = [a for a in of_kind(world.alerts, AMPLIFIED) if a.status is AlertStatus.RESOLVED]
    assert (end.event_time, end.evidence["outcome"]) == (T0 + 1_400.0, "expired")
    assert world.state.ended
    told = len(world.alerts)
    world.fold(post(90, T0 + 1_600.0))
    world.until(T0 + 2 * HOUR_S)
    assert (len(world.alerts), world.state.total) == (told, 12)


def test_a_post_at_or_after_the_end_of_the_fact_that_waits_does_not_count() -> None:
    world = Spreading()
    world.fact = msgspec.structs.replace(FACT, expires=T0 + 700.0)
    world.fold_all([post(1, T0 + 699.0), post(2, T0 + 700.0), post(3, T0 + 701.0)])
    world.until(T0 + HOUR_S)
    assert world.state.total == 1


# Corrections


def test_a_correction_is_told_again_with_the_posts_before_it() -> None:
    world = Spreading()
    world.fold_all([post(n, T0 + 60.0 * n, reach=100 * n) for n in range(1, 13)])
    reverted = T0 + 725.0
    assert of_kind(world.correct(reverted), CORRECTED) == []  # the watermark has not passed it
    (told,) = of_kind(world.until(reverted + 1.0), CORRECTED)
    base = correction(reverted)
    assert (told.alert_id, told.kind, told.status) == (base.alert_id, CORRECTED, AlertStatus.RESOLVED)
    assert told.ce_id not in ("", base.ce_id)
    assert (told.evidence["posts_before"], told.evidence["posts_after"]) == (12, 0)
    assert [ref.reach for ref in told.posts] == [100 * n for n in range(12, 0, -1)]
    assert told.related[0] == FACT.alert_id
    others = {a.alert_id for a in world.alerts if a.kind in (REPEATS, AMPLIFIED)}
    assert others == set(told.related[1:])
    assert told.summary == (
        "Corrected; repeated 12 times by 12 authors (0 since): Abraham Lincoln (enwiki): "
        "date changed from 1809 to 1808"
    )
    assert told.rev_id == base.rev_id
    assert told.performer == base.performer


def test_a_correction_nobody_repeats_is_not_told_again() -> None:
    world = Spreading()
    world.correct(T0 + 600.0)
    world.until(T0 + 20 * HOUR_S)
    assert world.alerts == []


def test_a_correction_is_told_again_each_time_the_posts_after_it_have_doubled() -> None:
    policy = AmplificationPolicy(follow_ups=5)
    world = Spreading(policy)
    world.fold(post(1, T0 + 60.0))
    world.until(T0 + 500.0)
    world.correct(T0 + 600.0)
    world.fold_all([post(n, T0 + 600.0 + n) for n in range(2, 100)])
    world.until(T0 + HOUR_S)
    told = of_kind(world.alerts, CORRECTED)
    assert [alert.evidence["posts_after"] for alert in told] == [0, 1, 2, 4, 8]
    assert {alert.evidence["posts_before"] for alert in told} == {1}
    assert len({alert.ce_id for alert in told}) == 5
    assert len({alert.alert_id for alert in told}) == 1


def test_the_share_after_the_revert_is_told() -> None:
    world = Spreading()
    world.fold_all([post(n, T0 + 600.0 + n) for n in range(5)])
    world.until(T0 + 700.0)
    world.correct(T0 + 700.0)
    world.fold_all([post(n, T0 + 700.0 + n) for n in range(10, 19)])
    world.until(T0 + 800.0)
    (alert,) = of_kind(world.alerts, AMPLIFIED)
    assert "Repeated 10 times by 10 authors in an hour (5 after its revert)" in alert.summary
    world.until(T0 + 20 * HOUR_S)
    end = of_kind(world.alerts, AMPLIFIED)[-1]
    assert (end.evidence["posts_before"], end.evidence["posts_after"]) == (5, 9)
    assert end.evidence["share_after"] == pytest.approx(9 / 14, abs=1e-4)


def test_a_correction_of_another_alert_is_not_taken() -> None:
    world = Spreading()
    world.fold(post(1, T0 + 60.0))
    other = msgspec.structs.replace(correction(T0 + 600.0), related=("another",))
    world.amplifier.corrected(world.state, world.fact, other, T0 + 700.0)
    world.until(T0 + HOUR_S)
    assert of_kind(world.alerts, CORRECTED) == []


def test_a_correction_is_not_told_again_before_all_posts_up_to_it_are_counted() -> None:
    world = Spreading()
    world.fold(post(1, T0 + 60.0))
    world.until(T0 + 500.0)
    world.correct(T0 + 600.0)
    world.fold(post(2, T0 + 560.0))
    assert of_kind(world.until(T0 + 599.0), CORRECTED) == []
    (told,) = of_kind(world.until(T0 + 600.0), CORRECTED)
    assert told.evidence["posts_before"] == 2


def test_the_first_correction_stays() -> None:
    world = Spreading()
    world.fold(post(1, T0 + 60.0))
    world.correct(T0 + 600.0)
    again = msgspec.structs.replace(correction(T0 + 601.0), alert_id="c2")
    world.amplifier.corrected(world.state, world.fact, again, T0 + 590.0)
    told = of_kind(world.until(T0 + HOUR_S), CORRECTED)
    assert [alert.alert_id for alert in told] == [correction(T0).alert_id]


def test_what_a_correction_names_is_bounded() -> None:
    world = Spreading()
    world.fold_all([post(n, T0 + 60.0 + n * 30.0, reach=n) for n in range(1_000)])
    world.until(T0 + 9 * HOUR_S)
    touched = correction_of(world.state, corrected_at(T0 + HOUR_S))
    assert [ref.reach for ref in touched.posts] == list(range(999, 999 - NAMED_CAP, -1))
    (told,) = of_kind(world.correct(T0 + 9 * HOUR_S), CORRECTED)
    assert len(told.posts) == NAMED_CAP
    assert len(told.related) <= 100


# Bounds, restarts, hostile input


def test_a_restart_changes_nothing() -> None:
    posts = a_minute_apart(60)
    through, restarted = Spreading(), Spreading()
    for number, one in enumerate(posts):
        for world in (through, restarted):
            world.fold(one)
            if number == 30:
                world.correct(one.event_time)
        restarted.restart()
    for world in (through, restarted):
        world.until(T0 + 40 * HOUR_S)
    assert restarted.alerts == through.alerts
    assert restarted.state == through.state


def test_a_flood_is_counted_exactly_as_to_posts_and_nearly_as_to_authors() -> None:
    world = Spreading()
    count = 3_000
    for n in range(count):
        world.fold(post(n, T0 + 600.0 + n * 0.5, text="Lincoln was born in 1808", reach=10))
    world.until(T0 + 600.0 + count)
    assert len(world.state.posts) <= POSTS_CAP
    assert len(world.state.pending) <= PENDING_CAP
    seen = spread(world.state, world.state.time, None)
    assert (seen.total_posts, seen.posts, seen.estimated) == (count, count, True)
    assert seen.authors == pytest.approx(count, rel=0.2)
    assert seen.total_authors == pytest.approx(count, rel=0.2)
    assert seen.reach == seen.total_reach == 10 * count
    assert len(msgspec.msgpack.encode(world.state)) < 100_000
    for n in range(200):  # told again, long after: known to be old
        world.fold(post(n, T0 + 600.0 + n * 0.5, text="Lincoln was born in 1808"))
    assert world.state.total == count


def test_more_posts_than_may_wait_are_counted_early_not_lost() -> None:
    world = Spreading()
    count = PENDING_CAP + 40
    world.fold_all([post(n, T0 + 600.0 + n / 100.0) for n in range(count)])
    assert len(world.state.pending) == PENDING_CAP
    assert world.state.total == 40
    world.until(T0 + HOUR_S)
    assert world.state.total == count


def test_a_late_post_counts_when_it_comes() -> None:
    world = Spreading()
    world.until(T0 + HOUR_S / 2)
    (alert,) = world.fold(post(1, T0 + 60.0))
    assert alert.event_time == T0 + 60.0
    assert spread(world.state, T0 + HOUR_S / 2, None).posts == 1  # the window has its bucket still
    world.until(T0 + 5 * HOUR_S)
    world.fold(post(2, T0 + 61.0))
    seen = spread(world.state, T0 + 5 * HOUR_S, None)
    assert (seen.posts, seen.total_posts) == (0, 2)


def test_hostile_numbers_and_texts_do_no_harm() -> None:
    world = Spreading()
    hostile = Match(
        hot_id="h1",
        grade=Grade.REPEATS_VANDALISED,
        probability=1.0,
        similarity=1.0,
        statement="<script>" * 10_000,
        reasons=("x",) * 1_000,
    )
    world.fold(post(1, T0 + 60.0, reach=10**30, text="\x00\u202e" + "a" * 1_000_000), hostile)
    world.fold(post(2, T0 + 61.0, reach=-5), match())
    world.until(T0 + HOUR_S)
    world.restart()
    assert len(msgspec.msgpack.encode(world.state)) < 3_000
    seen = spread(world.state, T0 + 70.0, None)
    assert seen.reach == 10**10
    assert world.state.widest(9)[1].reach == 0


def test_posts_of_a_platform_that_tells_no_authors_count_as_one_authors() -> None:
    world = Spreading()
    for n in range(30):
        world.fold(msgspec.structs.replace(post(n, T0 + 600.0 + n), author=""))
    world.until(T0 + HOUR_S)
    assert spread(world.state, T0 + 700.0, None).authors == 1
    assert of_kind(world.alerts, AMPLIFIED) == []
