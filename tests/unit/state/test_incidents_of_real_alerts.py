"""The stages' own alerts, not hand-made ones: what they are named by is what incidents read."""

from __future__ import annotations

from pathlib import Path

import msgspec

from streams.incidents import Incident
from streams.records import Alert, AlertKind
from streams.stages.paging_policy import PagingPolicy
from streams.state.incident_book import IncidentBook
from tests import amplify_world
from tests.amplify_world import MINUTE_S, T0, Spreading, post
from tests.core_world import EditWorld, replay
from tests.incident_world import correction, story
from tests.sample_alerts import sample_alert

EDIT = sample_alert(1, title=amplify_world.FACT.title, episode_start=T0, event_time=T0)


def folded(alerts: list[Alert], policy: PagingPolicy | None = None) -> list[Incident]:
    book = IncidentBook(policy or PagingPolicy())
    return [state for alert in alerts for state in book.fold(alert)]


def spread_to(posts: int, *, corrected_after: int | None = None) -> list[Alert]:
    """One post a second; the edit is reverted after so many of them."""
    world = Spreading()
    alerts = [EDIT]
    for number in range(1, posts + 1):
        at = T0 + number
        alerts += world.fold(post(number, at, reach=10))
        if number == corrected_after:
            alerts += [correction(EDIT, at), *world.correct(at)]
    return alerts + world.until(T0 + 48 * 3_600.0)


def test_a_hundred_posts_in_an_hour_are_a_page_that_ends_when_they_come_to_rest() -> None:
    states = folded(spread_to(200))
    assert story(states) == [
        "fact.amplified warning firing",
        "fact.amplified warning resolved became a page",
        "fact.amplified critical firing",
        "fact.amplified critical resolved quiet",
    ]
    page = states[-1]
    assert "posts by" in page.description
    assert "in 60 minutes" in page.description
    assert "Abraham Lincoln" in page.summary
    assert "1809 to 1808" in page.summary


def test_the_revert_ends_the_page_and_what_spreads_on_is_a_ticket() -> None:
    states = folded(spread_to(2_000, corrected_after=300))
    assert story(states)[2:] == [
        "fact.amplified critical firing",
        "fact.amplified critical resolved corrected",
        "fact.amplified warning firing",
        "fact.amplified warning resolved quiet",
    ]
    assert "posts after the revert" in states[-1].description


def test_nothing_of_a_post_is_in_an_incident() -> None:
    world = Spreading()
    alerts = [EDIT]
    for number in range(1, 150):
        secret = f"{amplify_world.STATEMENT} said zanzibar-{number}"
        alerts += world.fold(post(number, T0 + number, text=secret, author=f"someone-{number}"))
    alerts += world.until(T0 + MINUTE_S * 20)
    assert any("zanzibar" in msgspec.json.encode(alert).decode() or alert.posts for alert in alerts)
    for state in folded(alerts):
        sent = msgspec.json.encode(state).decode()
        assert not any(word in sent for word in ("zanzibar", "someone-", "at://", "bsky.app"))


def test_a_vandal_on_many_pages_is_a_burst_until_all_is_reverted(tmp_path: Path) -> None:
    world = EditWorld()
    good = [world.edit("Ann", f"Tower {n} is 300 m high.", title=f"Tower {n}") for n in range(16)]
    for number in range(16):
        world.edit("192.0.2.7", f"Tower {number} is 3 m high.", title=f"Tower {number}", risk=0.95)
    for edit in good:
        world.revert("Ben", to=edit)
    world.wait(3_600.0)
    world.edit("Zoe", "Another page.", title="Elsewhere")
    book = IncidentBook(PagingPolicy())
    alerts = replay(world, tmp_path)
    states = [state for alert in alerts for state in book.fold(alert)] + book.pass_time(world.now)
    assert story(states) == [
        "performer.burst warning firing",
        "performer.burst warning resolved became a page",
        "performer.burst critical firing",
        "performer.burst critical resolved 16 reverted",
    ]


def test_an_edit_war_of_four_is_a_ticket_until_a_day_is_quiet(tmp_path: Path) -> None:
    world = EditWorld()
    world.war("Ann", "Ben", reverts=4)
    world.war("Cleo", "Dan", reverts=4)
    for hours in (12, 12, 12):  # the watermark believes no single event that jumps by a day
        world.wait(hours * 3_600.0)
        world.edit("Zoe", f"Another page, {hours}.", title="Elsewhere")
    alerts = replay(world, tmp_path)
    disputes = [alert for alert in alerts if alert.kind is AlertKind.PAGE_CONTESTED]
    assert story(folded(disputes)) == [
        "page.contested warning firing",
        "page.contested warning resolved settled",
    ]
