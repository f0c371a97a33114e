from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from streams.posts import HotFact, HotKind
from streams.records import Alert, AlertKind, AlertStatus, ChangeType, FactChange
from streams.stages.alerts import digest
from streams.stages.hot_facts import (
    HOT_AFTER_S,
    HotChanges,
    hot_changes,
    name_page,
    with_names,
)
from streams.state.hot_page import ALERTS_CAP, FACTS_CAP, NAMES_CAP, HotPage
from tests.core_world import DAY, EditWorld, replay
from tests.sample_alerts import correction_of, resolved, sample_alert

DAY_S = 86_400.0


def fact(key: str, after: str = "It is 9,998 m high.") -> FactChange:
    return FactChange(
        fact_key=key,
        change_type=ChangeType.NUMBER,
        section="",
        before="It is 8,848 m high.",
        after=after,
    )


def suspect(number: int = 1, *facts: FactChange, **changes: object) -> Alert:
    return sample_alert(number, fact_changes=facts or (fact("f1"),), **changes)


def updated(alert: Alert, *facts: FactChange, edits: int = 2, after_s: float = 60.0) -> Alert:
    return msgspec.structs.replace(
        alert,
        status=AlertStatus.UPDATED,
        ce_id=f"{edits:032x}",
        fact_changes=facts,
        rev_id=alert.rev_id + edits,
        event_time=alert.episode_start + after_s,
        evidence={"edits": edits},
    )


def contested(*facts: FactChange, **changes: object) -> Alert:
    return sample_alert(
        1, kind=AlertKind.PAGE_CONTESTED, fact_changes=facts, evidence={"mutual_reverts": 3}, **changes
    )


def ended(alert: Alert, outcome: str, after_s: float = 300.0) -> Alert:
    return msgspec.structs.replace(
        alert,
        status=AlertStatus.RESOLVED,
        event_time=alert.episode_start + after_s,
        evidence=alert.evidence | {"outcome": outcome},
    )


def hot_after(*alerts: Alert) -> list[HotFact]:
    """What a consumer of the changes holds in the end: the same as the page's own state."""
    page, held = HotPage("enwiki:Mount Everest"), dict[str, HotFact]()
    for alert in alerts:
        changes = hot_changes(page, alert)
        for hot_id in changes.removed:
            held.pop(hot_id, None)
        held |= {put.hot_id: put for put in changes.puts}
    assert held == {hot.hot_id: hot for hot in page.facts}
    return page.facts


def test_a_suspect_edit_makes_each_of_its_statements_hot() -> None:
    alert = suspect(1, fact("f1"), fact("f2"))
    first, second = hot_after(alert)
    assert first == HotFact(
        hot_id=digest(alert.alert_id, "f1"),
        alert_id=alert.alert_id,
        kind=HotKind.VANDALISED,
        wiki="enwiki",
        server_name="en.wikipedia.org",
        title="Mount Everest",
        names=("Mount Everest",),
        fact=fact("f1"),
        rev_id=alert.rev_id,
        since=alert.event_time,
        page_url=alert.page_url,
        last_good_rev_id=alert.last_good_rev_id,
        last_good_url=alert.last_good_url,
    )
    assert second.fact.fact_key == "f2"


def test_a_dispute_makes_its_statements_contested() -> None:
    (hot,) = hot_after(contested(fact("f1")))
    assert hot.kind is HotKind.CONTESTED


def test_a_correction_and_alerts_about_posts_change_nothing_by_themselves() -> None:
    page = HotPage("p")
    hot_changes(page, suspect())
    for kind in (AlertKind.FACT_CORRECTED, AlertKind.POST_REPEATS, AlertKind.FACT_AMPLIFIED):
        assert hot_changes(page, suspect(2, kind=kind)) == HotChanges()
    assert hot_changes(page, correction_of(suspect())) == HotChanges()
    assert len(page.facts) == 1


def test_after_its_revert_a_statement_stays_hot_for_a_day() -> None:
    for outcome in ("reverted", "withdrawn"):
        alert = suspect()
        end = ended(alert, outcome)
        (hot,) = hot_after(alert, end)
        assert hot.corrected_time == end.event_time
        assert hot.expires == end.event_time + HOT_AFTER_S == end.event_time + DAY_S


def test_how_long_it_stays_is_an_argument_and_ends_by_the_watermark() -> None:
    page, alert = HotPage("p"), suspect()
    hot_changes(page, alert, 600.0)
    end = resolved(alert)
    hot_changes(page, end, 600.0)
    assert page.next_deadline == end.event_time + 600.0
    assert page.expire(end.event_time + 599.0) == ()
    assert page.expire(end.event_time + 600.0) == (digest(alert.alert_id, "f1"),)
    assert not page.worth_keeping


def test_an_open_alert_of_which_nothing_more_is_heard_is_forgotten_after_a_week() -> None:
    page, alert = HotPage("p"), suspect()
    hot_changes(page, alert)
    lost = alert.event_time + 7 * DAY_S
    assert page.next_deadline == lost
    assert page.expire(lost - 1.0) == ()
    assert page.expire(lost) == (digest(alert.alert_id, "f1"),)


def test_what_was_kept_or_settled_or_has_no_page_any_more_is_hot_no_more() -> None:
    for outcome in ("kept", "page deleted"):
        assert hot_after(suspect(), ended(suspect(), outcome)) == []
    dispute = contested(fact("f1"))
    for outcome in ("settled", "page deleted"):
        assert hot_after(dispute, ended(dispute, outcome)) == []


def test_what_was_crowded_out_of_the_open_alerts_stays_for_a_day_uncorrected() -> None:
    end = ended(suspect(), "crowded out")
    (hot,) = hot_after(suspect(), end)
    assert hot.corrected_time is None
    assert hot.expires == end.event_time + DAY_S


def test_an_update_with_fewer_statements_drops_those_that_went() -> None:
    alert = suspect(1, fact("f1"), fact("f2"))
    page = HotPage("p")
    hot_changes(page, alert)
    changes = hot_changes(page, updated(alert, fact("f2"), fact("f3")))
    assert changes.removed == (digest(alert.alert_id, "f1"),)
    assert [put.fact.fact_key for put in changes.puts] == ["f3"]  # f2 is as it was


def test_a_statement_changed_again_is_the_same_hot_fact_of_another_revision() -> None:
    alert = suspect()
    later = updated(alert, fact("f1", "It is 12 m high."))
    (hot,) = hot_after(alert, later)
    assert hot.hot_id == digest(alert.alert_id, "f1")
    assert (hot.rev_id, hot.since) == (later.rev_id, later.event_time)
    dispute = contested(fact("f1"))
    swapped = updated(dispute, fact("f1", "It is 12 m high."))
    (fought,) = hot_after(dispute, swapped)
    assert (fought.rev_id, fought.since) == (swapped.rev_id, dispute.event_time)


def test_a_state_seen_again_or_an_older_one_changes_nothing() -> None:
    alert = suspect(1, fact("f1"), fact("f2"))
    later = updated(alert, fact("f1"), fact("f2"), fact("f3"))
    end = ended(later, "reverted")
    page = HotPage("p")
    for state in (alert, later, end):
        hot_changes(page, state)
        held = list(page.facts)
        for earlier in (alert, later, end)[: (alert, later, end).index(state) + 1]:
            assert hot_changes(page, earlier) == HotChanges()
        assert page.facts == held


def test_what_was_kept_does_not_come_back_with_a_redelivered_alert() -> None:
    page, alert = HotPage("p"), suspect()
    hot_changes(page, alert)
    hot_changes(page, ended(alert, "kept"))
    assert hot_changes(page, alert) == HotChanges()
    assert page.facts == []


def test_an_edit_that_came_late_still_adds_its_statements() -> None:
    """It updates the alert at an event time before that of the state told last."""
    alert = suspect()
    late = updated(alert, fact("f1"), fact("f0"), edits=2, after_s=-5.0)
    assert {hot.fact.fact_key for hot in hot_after(alert, late)} == {"f1", "f0"}


def test_an_end_that_is_the_first_known_of_an_alert_counts() -> None:
    """The log of alerts may begin after an alert was opened."""
    end = ended(suspect(), "reverted")
    (hot,) = hot_after(end)
    assert (hot.since, hot.corrected_time) == (end.episode_start, end.event_time)


def test_a_page_names_its_facts_those_to_come_too() -> None:
    page = HotPage("p")
    hot_changes(page, suspect(1))
    changes = name_page(page, ["Everest", "", "Mount Everest", "Chomolungma"])
    assert [put.names for put in changes.puts] == [("Mount Everest", "Everest", "Chomolungma")]
    assert name_page(page, ["Everest", "Chomolungma"]) == HotChanges()
    (put,) = hot_changes(page, suspect(2, fact("f2"))).puts
    assert put.names == ("Mount Everest", "Everest", "Chomolungma")
    many = with_names(put, (f"alias {n}" for n in range(1_000)))
    assert many.names[0] == "Mount Everest"
    assert len(many.names) == NAMES_CAP


def test_a_page_has_a_bounded_number_of_hot_facts_settled_ones_go_first() -> None:
    page = HotPage("p")
    settled = suspect(1, *(fact(f"s{n}") for n in range(8)))
    hot_changes(page, settled)
    hot_changes(page, ended(settled, "reverted"))
    held = {hot.hot_id for hot in page.facts}
    for number in range(2, 2 + FACTS_CAP // 8):
        changes = hot_changes(page, suspect(number, *(fact(f"f{n}") for n in range(8))))
        held = (held | {put.hot_id for put in changes.puts}) - set(changes.removed)
    assert len(page.facts) == FACTS_CAP
    assert held == {hot.hot_id for hot in page.facts}
    assert not any(hot.expires for hot in page.facts)


def test_ended_alerts_are_remembered_in_a_bounded_number() -> None:
    page = HotPage("p")
    for number in range(1, 300):
        hot_changes(page, suspect(number))
        hot_changes(page, ended(suspect(number), "kept"))
    assert len(page.alerts) <= ALERTS_CAP


def test_a_page_goes_on_from_its_stored_state() -> None:
    page, alert = HotPage("p"), suspect()
    hot_changes(page, alert)
    name_page(page, ["Everest"])
    stored = msgspec.msgpack.decode(msgspec.msgpack.encode(page), type=HotPage)
    assert stored == page
    assert hot_changes(stored, alert) == HotChanges()
    (put,) = hot_changes(stored, resolved(alert)).puts
    assert put.names == ("Mount Everest", "Everest")


def test_a_moved_page_takes_what_is_hot_along() -> None:
    old, new = HotPage("enwiki:Everest"), HotPage("enwiki:Mount Everest")
    hot_changes(old, suspect(1))
    hot_changes(new, suspect(2))
    new.take_in(old)
    new.take_in(old)
    assert len(new.facts) == 2
    (put,) = hot_changes(new, ended(suspect(1), "reverted")).puts
    assert put.corrected_time is not None


# From the alerts that the stages of edits really make


TALL, SHORT, TINY = (f"The tower is {n} m high." for n in (300, 3, 2))


def three_days_pass(world: EditWorld) -> None:
    """Elsewhere: no single event is believed that it is so late."""
    for number in range(6):
        world.wait(DAY / 2)
        world.edit("Carol", f"Day {number / 2}.", title="Another page")


def test_a_vandalised_tower_is_hot_until_a_day_after_its_revert(tmp_path: Path) -> None:
    world = EditWorld()
    good = world.edit("Alice", TALL)
    bad = world.edit("192.0.2.7", SHORT, risk=0.95)
    worse = world.edit("192.0.2.7", TINY, risk=0.95)
    fixed = world.revert("Bob", good)
    opened, updated_, *rest = replay(world, tmp_path)
    assert [hot.rev_id for hot in hot_after(opened)] == [bad.rev_id]
    (hot,) = hot_after(opened, updated_)
    assert (hot.fact.before, hot.fact.after, hot.rev_id) == (TALL, TINY, worse.rev_id)
    (hot,) = hot_after(opened, updated_, *rest)
    assert (hot.corrected_time, hot.last_good_rev_id) == (fixed.event_time, good.rev_id)
    assert [a.related for a in rest if a.kind is AlertKind.FACT_CORRECTED] == [(hot.alert_id,)]


@pytest.mark.parametrize("end", ["kept", "deleted"])
def test_a_tower_whose_edit_stood_or_whose_page_went_is_not(tmp_path: Path, end: str) -> None:
    world = EditWorld()
    world.edit("Alice", TALL)
    world.edit("192.0.2.7", SHORT, risk=0.95)
    if end == "deleted":
        world.log("delete", "delete")
    else:
        three_days_pass(world)
    alerts = replay(world, tmp_path)
    assert len(hot_after(alerts[0])) == 1
    assert hot_after(*(alert for alert in alerts if alert.title == "Tower")) == []


def test_a_tower_fought_over_is_contested_until_the_dispute_has_settled(tmp_path: Path) -> None:
    world = EditWorld()
    world.war(reverts=6)
    three_days_pass(world)
    alerts = [alert for alert in replay(world, tmp_path) if alert.title == "Tower"]
    still = [alert for alert in alerts if alert.status is not AlertStatus.RESOLVED]
    assert {hot.kind for hot in hot_after(*still)} == {HotKind.CONTESTED}
    assert hot_after(*alerts) == []
