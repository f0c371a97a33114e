"""From what happened to what is told, through the real stages and store."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from streams.records import Alert, AlertKind, AlertStatus, Edit, Severity
from streams.stages.decide import SUSPECTS_CAP
from tests.core_world import DAY, HOUR, POLICY, START, EditWorld, replay, told

SUSPECT, CONTESTED = AlertKind.EDIT_SUSPECT, AlertKind.PAGE_CONTESTED
TALL, SHORT = "The tower is 300 m high.", "The tower is 3 m high."


def vandalised() -> tuple[EditWorld, Edit, Edit]:
    world = EditWorld()
    good = world.edit("Alice", TALL)
    bad = world.edit("192.0.2.7", SHORT, risk=0.95)
    return world, good, bad


def test_a_suspect_edit_is_told_with_all_that_is_known(tmp_path: Path) -> None:
    world, _good, _bad = vandalised()
    (alert,) = replay(world, tmp_path)
    assert (alert.kind, alert.status, alert.severity) == (SUSPECT, AlertStatus.OPEN, Severity.WARNING)
    assert (alert.rev_id, alert.parent_id, alert.last_good_rev_id) == (1_002, 1_001, 1_001)
    assert (alert.revert_risk, alert.with_content, alert.model_version) == (0.95, True, "story")
    assert alert.event_time == alert.episode_start == START + 60
    assert alert.summary == "Suspect edit: Tower (enwiki): quantity changed from 300 m to 3 m"
    assert [(fact.before, fact.after) for fact in alert.fact_changes] == [(TALL, SHORT)]
    assert alert.page_url == "https://en.wikipedia.org/w/index.php?title=Tower"
    assert alert.diff_url.endswith("?diff=1002&oldid=1001")
    assert alert.last_good_url.endswith("?oldid=1001")
    assert alert.evidence == {"edits": 1}
    assert [reason.feature for reason in alert.reasons] == ["story"]


@pytest.mark.parametrize(("risk", "told_as"), [(0.79, []), (0.8, ["info"]), (0.9, ["warning"])])
def test_thresholds(tmp_path: Path, risk: float, told_as: list[str]) -> None:
    world = EditWorld()
    world.edit("Alice", TALL)
    world.edit("Vic", SHORT, risk=risk)
    assert [alert.severity for alert in replay(world, tmp_path)] == told_as


@pytest.mark.parametrize(
    ("wiki", "alerts"), [("enwiki", 1), ("dewiki", 0)], ids=["asked for", "another wiki"]
)
def test_a_threshold_asked_for_a_wiki_comes_before_the_one_set(
    tmp_path: Path, wiki: str, alerts: int
) -> None:
    world = EditWorld()
    world.edit("Alice", TALL)
    world.edit("Vic", SHORT, risk=0.6)
    policy = msgspec.structs.replace(POLICY, by_wiki={wiki: 0.5})
    assert len(replay(world, tmp_path, policy=policy)) == alerts


def test_no_alert_for_a_bot(tmp_path: Path) -> None:
    world = EditWorld()
    world.edit("Alice", TALL)
    world.edit("Bot", SHORT, risk=0.99, bot=True)
    assert replay(world, tmp_path) == []


def test_no_alert_for_a_new_page(tmp_path: Path) -> None:
    world = EditWorld()
    world.edit("Vic", SHORT, risk=0.99)
    assert replay(world, tmp_path) == []


def test_no_alert_for_a_self_revert(tmp_path: Path) -> None:
    world = EditWorld()
    good = world.edit("Alice", TALL)
    world.edit("Vic", SHORT)
    world.revert("Vic", good, risk=0.99)
    assert replay(world, tmp_path) == []


def test_no_alert_for_bringing_a_standing_text_back(tmp_path: Path) -> None:
    world = EditWorld()
    good = world.edit("Alice", TALL)
    world.edit("Vic", SHORT)
    world.revert("Bob", good, risk=0.99)
    world.revert("Cy", good, risk=0.99)
    assert replay(world, tmp_path) == []


def test_but_for_bringing_vandalism_back(tmp_path: Path) -> None:
    world, good, bad = vandalised()
    world.revert("Bob", good)
    again = world.revert("192.0.2.99", bad, risk=0.95)
    alerts = replay(world, tmp_path)
    assert told(alerts, SUSPECT) == ["edit.suspect open", "edit.suspect resolved", "edit.suspect open"]
    assert alerts[-1].rev_id == again.rev_id


def test_no_alert_for_an_undo_by_the_wikis_own_tool(tmp_path: Path) -> None:
    world = EditWorld()
    world.edit("Alice", None)
    bad = world.edit("Vic", None)
    world.undo("Bob", bad, risk=0.99)
    assert replay(world, tmp_path) == []


def test_no_alert_for_what_was_reverted_before_it_came(tmp_path: Path) -> None:
    world, good, _bad = vandalised()
    world.revert("Bob", good)
    world.records[1:] = reversed(world.records[1:])
    assert replay(world, tmp_path) == []


def test_several_edits_in_a_row_are_one_alert(tmp_path: Path) -> None:
    world, _good, _bad = vandalised()
    world.edit("192.0.2.7", "The tower is 4 m high.", risk=0.85)
    world.edit("192.0.2.7", "The tower is 5 m high.", risk=0.4)
    world.edit("Ann", "The tower is 5 m high. It is old.", risk=0.79)
    alerts = replay(world, tmp_path)
    assert told(alerts) == ["edit.suspect open", "edit.suspect updated", "edit.suspect updated"]
    assert len({alert.alert_id for alert in alerts}) == 1
    assert len({alert.ce_id for alert in alerts}) == 3
    last = alerts[-1]
    assert (last.revert_risk, last.last_good_rev_id, last.evidence["edits"]) == (0.95, 1_001, 3)
    assert [(fact.before, fact.after) for fact in last.fact_changes] == [
        (TALL, "The tower is 5 m high.")
    ]
    assert last.summary.endswith("3 edits in a row")


def test_below_half_the_threshold_nothing_joins(tmp_path: Path) -> None:
    world, _good, _bad = vandalised()
    world.edit("192.0.2.7", "The tower is 5 m high.", risk=0.39)
    assert told(replay(world, tmp_path)) == ["edit.suspect open"]


def test_a_correction_names_the_alerts_and_mirrors_the_facts(tmp_path: Path) -> None:
    world, good, _bad = vandalised()
    world.edit("Wes", "The tower is 2 m high.", risk=0.85)
    back = world.revert("Bob", good)
    one, two, gone, gone_too, corrected = replay(world, tmp_path)
    assert told([gone, gone_too, corrected]) == [
        "edit.suspect resolved",
        "edit.suspect resolved",
        "fact.corrected resolved",
    ]
    assert [alert.alert_id for alert in (gone, gone_too)] == [one.alert_id, two.alert_id]
    assert gone.evidence == {
        "edits": 1,
        "outcome": "reverted",
        "reverted_by": back.rev_id,
        "settled_by": "Bob",
        "open_s": 120.0,
    }
    assert corrected.related == (one.alert_id, two.alert_id)
    assert corrected.last_good_rev_id == back.rev_id
    assert corrected.evidence == {"restores": 1_001}
    assert next((fact.before, fact.after) for fact in corrected.fact_changes) == (SHORT, TALL)
    assert corrected.fact_changes[0].before_values == ("3 m",)
    assert corrected.summary == "Corrected: Tower (enwiki): restored after 2 min"


def test_an_episode_is_over_when_none_of_its_edits_stands(tmp_path: Path) -> None:
    world = EditWorld()
    world.edit("Alice", None)
    one, two = world.edit("Vic", None, risk=0.9), world.edit("Vic", None, risk=0.9)
    world.undo("Bob", one)
    assert told(replay(world, tmp_path / "one"))[-1] == "edit.suspect updated"
    world.undo("Bob", two)
    alerts = replay(world, tmp_path / "both")
    assert told(alerts)[-2:] == ["edit.suspect resolved", "fact.corrected resolved"]


def test_withdrawn_by_its_own_performer(tmp_path: Path) -> None:
    world, good, _bad = vandalised()
    world.revert("192.0.2.7", good)
    resolved = replay(world, tmp_path)[1]
    assert (resolved.status, resolved.evidence["outcome"]) == (AlertStatus.RESOLVED, "withdrawn")


def test_kept_after_two_days(tmp_path: Path) -> None:
    world, _good, _bad = vandalised()
    world.wait(23 * HOUR)
    world.edit("Ann", "another page", title="Spire")
    world.wait(23 * HOUR)
    world.edit("Ann", "another page.", title="Spire")
    world.wait(1.95 * HOUR)
    world.edit("Ann", "another page..", title="Spire")
    assert told(replay(world, tmp_path / "before")) == ["edit.suspect open"]
    world.wait(240)
    world.edit("Ann", "another page...", title="Spire")
    opened, kept = replay(world, tmp_path / "after")
    assert (kept.status, kept.evidence["outcome"]) == (AlertStatus.RESOLVED, "kept")
    assert kept.event_time == opened.event_time + 48 * HOUR
    assert kept.evidence["open_s"] == 48 * HOUR
    assert kept.alert_id == opened.alert_id


def test_a_tag_settles_without_saying_by_whom(tmp_path: Path) -> None:
    world, _good, bad = vandalised()
    world.tag(bad)
    _opened, resolved = replay(world, tmp_path)
    assert (resolved.status, resolved.evidence["outcome"]) == (AlertStatus.RESOLVED, "reverted")
    assert "reverted_by" not in resolved.evidence


def test_a_late_base_settles_what_an_earlier_revert_undid(tmp_path: Path) -> None:
    world = EditWorld()
    world.edit("Alice", "It stands.")
    base = world.edit("Zoe", TALL)
    world.edit("Vic", SHORT, risk=0.95)
    back = world.revert("Bob", base)
    world.records.remove(base)
    world.records.append(base)
    opened, resolved = replay(world, tmp_path)
    assert (resolved.status, resolved.evidence["outcome"]) == (AlertStatus.RESOLVED, "reverted")
    assert resolved.evidence["reverted_by"] == back.rev_id
    assert resolved.event_time >= opened.event_time
    assert "settled_by" not in resolved.evidence


@pytest.mark.parametrize(("reverts", "alerts"), [(2, []), (3, ["page.contested open"])])
def test_three_mutual_reverts_make_a_page_contested(
    tmp_path: Path, reverts: int, alerts: list[str]
) -> None:
    world = EditWorld()
    world.war(reverts=reverts)
    assert told(replay(world, tmp_path)) == alerts


def test_two_where_a_dispute_template_stands(tmp_path: Path) -> None:
    world = EditWorld()
    base = world.edit("Zoe", "{{POV}} It is a tower.")
    mine = world.edit("Ann", "{{POV}} It is the tallest tower.")
    world.revert("Ben", base)
    world.revert("Ann", mine)
    (alert,) = replay(world, tmp_path)
    assert alert.evidence["dispute_templates"] == ["pov"]
    assert alert.evidence["mutual_reverts"] == 2


def test_a_war_is_one_alert_that_tells_how_it_goes_on(tmp_path: Path) -> None:
    world = EditWorld()
    world.war(reverts=5)
    alerts = replay(world, tmp_path)
    assert told(alerts) == ["page.contested open"] + ["page.contested updated"] * 2
    assert {alert.alert_id for alert in alerts} == {alerts[0].alert_id}
    assert [alert.evidence["mutual_reverts"] for alert in alerts] == [3, 4, 5]
    assert alerts[-1].evidence["editors"] == ["Ann", "Ben"]
    assert alerts[0].summary == (
        "Contested page: Tower (enwiki): 3 mutual reverts of 2 editors in a day"
    )


def test_cleaning_up_after_a_stubborn_vandal_is_no_dispute(tmp_path: Path) -> None:
    world = EditWorld()
    base = world.edit("Zoe", TALL)
    bad = world.edit("192.0.2.7", SHORT, risk=0.95)
    for _ in range(3):
        world.revert("Bob", base, risk=0.85)
        world.revert("192.0.2.7", bad, risk=0.95)
    assert told(replay(world, tmp_path), CONTESTED) == []


def quiet_since_a_war(hours: float) -> EditWorld:
    """A war, a day without a revert, and another war `hours` after it had settled."""
    world = EditWorld()
    world.war(reverts=3)
    settled_at = world.records[-1].event_time + 24 * HOUR
    for number in range(3):
        world.wait(9 * HOUR)
        world.edit("Someone", f"elsewhere {number}", title="Spire")
    world.now = settled_at + hours * HOUR - 240
    world.edit("Someone", "elsewhere", title="Spire")
    world.war("Cy", "Dan", reverts=3)
    return world


@pytest.mark.parametrize("restart", [False, True])
def test_a_dispute_settles_after_a_day_and_cools_down(tmp_path: Path, restart: bool) -> None:
    for hours, last in ((5.0, "page.contested resolved"), (6.5, "page.contested open")):
        alerts = replay(quiet_since_a_war(hours), tmp_path / str(hours), batch=1, restart=restart)
        assert told(alerts)[-1] == last
        assert told(alerts)[:2] == ["page.contested open", "page.contested resolved"]
        assert alerts[1].evidence["outcome"] == "settled"
        assert alerts[1].event_time == alerts[0].event_time + 24 * HOUR


def test_a_protection_is_told_while_a_dispute_is_open(tmp_path: Path) -> None:
    world = EditWorld()
    world.war(reverts=3)
    world.step_s = 0
    world.log("protect", "protect")
    world.log("protect", "modify")
    alerts = replay(world, tmp_path)
    assert told(alerts) == ["page.contested open"] + ["page.contested updated"] * 2
    assert [alert.evidence.get("protection") for alert in alerts] == [None, "protect", "modify"]
    assert alerts[-1].evidence["protected_by"] == "Admin"
    assert len({alert.ce_id for alert in alerts}) == 3


def test_a_protection_of_a_quiet_page_is_not_told(tmp_path: Path) -> None:
    world, _good, _bad = vandalised()
    world.log("protect", "protect")
    assert told(replay(world, tmp_path)) == ["edit.suspect open"]


def test_a_deletion_closes_whatever_is_open(tmp_path: Path) -> None:
    world = EditWorld()
    world.war(reverts=3)
    world.edit("Vic", SHORT, risk=0.9)
    world.log("delete", "revision")
    world.log("delete", "delete")
    alerts = replay(world, tmp_path)
    assert [alert.evidence["outcome"] for alert in alerts[-2:]] == ["page deleted"] * 2
    assert told(alerts[-2:]) == ["edit.suspect resolved", "page.contested resolved"]


@pytest.mark.parametrize("batch", [1, 100])
@pytest.mark.parametrize("restart", [False, True])
def test_what_is_open_moves_with_its_page(tmp_path: Path, batch: int, restart: bool) -> None:
    world, good, _bad = vandalised()
    world.move("Spire")
    world.revert("Bob", msgspec.structs.replace(good, title="Spire"))
    alerts = replay(world, tmp_path, batch=batch, restart=restart)
    assert told(alerts) == ["edit.suspect open", "edit.suspect resolved", "fact.corrected resolved"]


@pytest.mark.parametrize("restart", [False, True])
def test_what_moved_with_its_page_is_kept_at_its_deadline(tmp_path: Path, restart: bool) -> None:
    world, _good, _bad = vandalised()
    world.move("Spire")
    for number in range(4):
        world.wait(13 * HOUR)
        world.edit("Ann", f"elsewhere {number}", title="Other")
    alerts = replay(world, tmp_path, batch=1, restart=restart)
    assert told(alerts) == ["edit.suspect open", "edit.suspect resolved"]


def test_a_move_told_twice_does_not_empty_the_page(tmp_path: Path) -> None:
    world, good, _bad = vandalised()
    moved = world.move("Spire")
    world.edit("Ann", SHORT + " It is old.")
    world.records.append(msgspec.structs.replace(moved, event_id="again"))
    world.revert("Bob", msgspec.structs.replace(good, title="Spire"))
    alerts = replay(world, tmp_path)
    assert told(alerts) == ["edit.suspect open", "edit.suspect resolved", "fact.corrected resolved"]


def test_a_flood_of_suspects_leaves_none_open_for_ever(tmp_path: Path) -> None:
    world = EditWorld(step_s=1)
    world.edit("Alice", TALL)
    for number in range(SUSPECTS_CAP + 5):
        world.edit(f"192.0.2.{number}", f"bad {number}", risk=0.95)
    alerts = replay(world, tmp_path)
    newest = {alert.alert_id: alert for alert in alerts}
    still_open = [alert for alert in newest.values() if alert.status is not AlertStatus.RESOLVED]
    assert len(newest) == SUSPECTS_CAP + 5
    assert len(still_open) == SUSPECTS_CAP
    assert {a.evidence.get("outcome") for a in newest.values()} == {None, "crowded out"}


@pytest.mark.parametrize("title", ["Tower", "Elsewhere"])
def test_one_revision_told_twice_is_no_new_alert(tmp_path: Path, title: str) -> None:
    world, good, bad = vandalised()
    world.revert("Bob", good)
    assert isinstance(bad, msgspec.Struct)
    world.records.append(
        msgspec.structs.replace(bad, event_id="again", title=title, event_time=world.now)
    )
    assert told(replay(world, tmp_path)) == [
        "edit.suspect open", "edit.suspect resolved", "fact.corrected resolved",
    ]  # fmt: skip


def test_a_replay_gives_the_same(tmp_path: Path) -> None:
    world, good, _bad = vandalised()
    world.revert("Bob", good)
    world.war(reverts=5)
    alerts = [replay(world, tmp_path / name, batch=batch) for name, batch in (("a", 2), ("b", 99))]
    assert alerts[0] == alerts[1]
    assert len({alert.ce_id for alert in alerts[0]}) == len(alerts[0]) > 5


def test_an_alert_is_data(tmp_path: Path) -> None:
    world, _good, _bad = vandalised()
    (alert,) = replay(world, tmp_path, policy=POLICY)
    assert msgspec.json.decode(msgspec.json.encode(alert), type=Alert) == alert
    assert len(alert.alert_id) == len(alert.ce_id) == 32
    assert DAY == 24 * HOUR


def test_a_vandal_who_puts_a_text_back_again_and_again_makes_no_dispute(tmp_path: Path) -> None:
    world = EditWorld()
    good = world.edit("Alice", TALL)
    bad = world.edit("192.0.2.7", SHORT, risk=0.95)
    for _ in range(3):
        world.revert("Bob", good)
        world.revert("192.0.2.7", bad, risk=0.95)
    alerts = replay(world, tmp_path)
    assert told(alerts, CONTESTED) == []
    assert told(alerts, SUSPECT).count("edit.suspect open") == 4


def test_a_dispute_names_the_revision_before_it(tmp_path: Path) -> None:
    world = EditWorld()
    before = world.edit("Uma", "It is an old tower.")
    world.war(reverts=6)
    contested = [alert for alert in replay(world, tmp_path) if alert.kind is CONTESTED]
    assert len(contested) > 1
    # Zoe's edit is where Ben goes back to; what Ann and Ben undo begins after it.
    assert {alert.last_good_rev_id for alert in contested} == {before.rev_id + 1}


def test_a_correction_turns_what_was_added_and_removed(tmp_path: Path) -> None:
    world = EditWorld()
    good = world.edit("Alice", TALL)
    world.edit("Vic", TALL + " Its builder was a fool.", risk=0.95)
    world.revert("Bob", good)
    corrected = next(a for a in replay(world, tmp_path) if a.kind is AlertKind.FACT_CORRECTED)
    (fact,) = corrected.fact_changes
    assert (fact.change_type, fact.before, fact.after) == ("deletion", "Its builder was a fool.", "")
