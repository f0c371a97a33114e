from __future__ import annotations

from typing import Any

import jsonschema
import msgspec
import pytest

from streams.posts import HotKind
from streams.records import Alert, AlertStatus, Grade, PostRef, Severity
from streams.stages.post_alerts import (
    RELATED_CAP,
    correction_follow_up,
    fact_amplified,
    post_repeats,
    post_settled,
)
from streams.state.spread import Spread
from tests.amplify_world import FACT, T0, corrected_at, correction

REF = PostRef(
    platform="bluesky",
    post_id="at://p/1",
    author="a",
    url="",
    event_time=T0,
    grade=Grade.REPEATS_VANDALISED,
    probability=0.9,
    statement="<b>1808</b>",
)
HEADLINE = "Abraham Lincoln (enwiki): date changed from 1809 to 1808"


def seen(**changes: Any) -> Spread:
    at_first = Spread(
        posts=14,
        authors=11,
        reach=500,
        total_posts=20,
        total_authors=15,
        total_reach=900,
        posts_after=9,
        reposts=2,
        groups=1,
        largest_group=3,
        estimated=False,
    )
    return msgspec.structs.replace(at_first, **changes)


def amplified(
    what: Spread, status: AlertStatus = AlertStatus.OPEN, *, number: int = 0, **changes: Any
) -> Alert:
    fields: dict[str, Any] = {"fact": FACT, "window_s": 3_600.0} | changes
    return fact_amplified(
        fields["fact"],
        what,
        status=status,
        severity=Severity.WARNING,
        alert_id="e1",
        episode_start=T0,
        event_time=T0 + 5.0,
        number=number,
        window_s=fields["window_s"],
        posts=(REF,),
        extra={"peak_posts": 14},
    )


def test_a_spread_is_told_in_plain_words() -> None:
    fact = corrected_at(T0 + 60.0)
    assert amplified(seen(), fact=fact).summary == (
        f"Repeated 14 times by 11 authors in an hour (9 after its revert): {HEADLINE}"
    )
    assert amplified(seen(posts=1, authors=1), window_s=1_800.0).summary == (
        f"Repeated once by 1 author in 30 minutes: {HEADLINE}"
    )
    assert amplified(seen(posts=12_345, authors=6_000, estimated=True), window_s=7_200.0).summary == (
        f"Repeated 12,345 times by about 6,000 authors in 2 hours: {HEADLINE}"
    )
    assert amplified(seen(), AlertStatus.RESOLVED).summary == (
        f"Repeated 20 times by 15 authors in all: {HEADLINE}"
    )


def test_what_is_told_of_a_post_says_how_the_statement_stood_when_it_was_made() -> None:
    def told(at: float, fact: Any = FACT) -> str:
        alert = post_repeats(fact, REF, when=at, severity=Severity.INFO, total_posts=1, folded=0)
        return alert.summary.partition(":")[0]

    fact = corrected_at(T0 + 60.0)
    contested = msgspec.structs.replace(FACT, kind=HotKind.CONTESTED)
    assert told(T0 + 1.0) == "Post on bluesky repeats a vandalised statement"
    assert told(T0 + 59.0, fact) == "Post on bluesky repeats a vandalised statement"
    assert told(T0 + 60.0, fact) == "Post on bluesky repeats a reverted statement"
    assert told(T0 + 1.0, contested) == "Post on bluesky repeats a contested statement"


def test_before_and_after_are_told_only_once_there_was_a_correction() -> None:
    assert "posts_after" not in amplified(seen(posts_after=0)).evidence
    evidence = amplified(seen(), fact=corrected_at(T0 + 60.0)).evidence
    assert (evidence["posts_before"], evidence["posts_after"]) == (11, 9)
    assert evidence["share_after"] == pytest.approx(0.45)


def test_every_state_change_has_an_id_of_its_own_the_same_on_each_replay() -> None:
    def all_states() -> list[Alert]:
        return [
            post_repeats(FACT, REF, when=T0, severity=Severity.INFO, total_posts=1, folded=0),
            post_settled(
                FACT,
                alert_id="p1",
                severity=Severity.INFO,
                episode_start=T0,
                event_time=T0 + 9.0,
                outcome="deleted",
            ),
            amplified(seen()),
            amplified(seen(), AlertStatus.UPDATED, number=1),
            amplified(seen(), AlertStatus.UPDATED, number=2),
            amplified(seen(), AlertStatus.RESOLVED, number=3),
            follow_up(1),
            follow_up(2),
        ]

    states = all_states()
    assert states == all_states()
    assert len({alert.ce_id for alert in states} | {correction(T0 + 60.0).ce_id}) == len(states) + 1


def follow_up(number: int, related: tuple[str, ...] = ("x",)) -> Alert:
    return correction_follow_up(
        corrected_at(T0 + 60.0),
        seen(),
        correction=correction(T0 + 60.0),
        number=number,
        event_time=T0 + 61.0,
        related=related,
        posts=(REF,),
    )


def test_a_correction_keeps_what_it_said_and_names_posts_and_their_alerts() -> None:
    base, alert = correction(T0 + 60.0), follow_up(1, (FACT.alert_id, "e1", "p1"))
    assert alert.alert_id == base.alert_id
    assert alert.related == (FACT.alert_id, "e1", "p1")
    assert alert.posts == (REF,)
    assert (alert.rev_id, alert.performer, alert.fact_changes) == (
        base.rev_id,
        base.performer,
        base.fact_changes,
    )
    assert alert.status is AlertStatus.RESOLVED
    many = follow_up(1, tuple(f"p{n}" for n in range(1_000)))
    assert len(many.related) == RELATED_CAP


def test_a_post_that_was_deleted_is_not_in_what_ends_its_alert() -> None:
    end = post_settled(
        FACT,
        alert_id="p1",
        severity=Severity.WARNING,
        episode_start=T0 + 10.0,
        event_time=T0,
        outcome="deleted",
    )
    assert end.posts == ()
    assert end.severity is Severity.WARNING
    assert end.event_time == T0 + 10.0  # a clock that is behind ends nothing before it began
    assert end.summary == f"Post repeats a statement no more (deleted): {HEADLINE}"


def test_alerts_about_posts_hold_to_the_schema_of_alerts() -> None:
    schema = msgspec.json.schema(Alert)
    for alert in (amplified(seen()), follow_up(1)):
        jsonschema.validate(msgspec.json.decode(msgspec.json.encode(alert)), schema)
