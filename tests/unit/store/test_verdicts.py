"""A person's word goes to the edits of the alert it is said of, and to no others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from streams.records import AlertKind, Verdict
from streams.store.batch import ALERTED
from streams.store.verdicts import GivenVerdict, Verdicts, on_edits
from tests.core_world import Core, EditWorld, MarkedScorer


@pytest.fixture
def core(tmp_path: Path) -> Iterator[Core]:
    """Two bad edits on one page, and one on another; beside them good ones."""
    world = EditWorld()
    world.edit("Alice", "It is 300 m high.")
    for text in ("It is 3 m high.", "It is 4 m high."):
        world.edit("192.0.2.7", text, risk=0.9)
    world.edit("Alice", "It is old.", title="Other")
    world.edit("192.0.2.8", "It is new.", title="Other", risk=0.9)
    with Core(tmp_path, MarkedScorer(world.risks)) as core:
        core.take(world.records)
        yield core


def alert_of(core: Core, title: str) -> tuple[str, list[int]]:
    """Its id, and the revisions that it tells of."""
    suspect = [one for one in core.alerts() if one.kind is AlertKind.EDIT_SUSPECT and one.title == title]
    return suspect[0].alert_id, [one.rev_id for one in suspect]


def keep(core: Core, alert_id: str, verdict_id: str = "1", rev_id: int | None = None) -> int:
    given = GivenVerdict(verdict_id, alert_id, Verdict.DAMAGING, rev_id, "me", 5.0, "sure")
    return Verdicts(core.store).keep(given)


def judged(core: Core) -> list[object]:
    found = core.store.query(
        "SELECT e.rev_id FROM verdicts v JOIN edits e ON e.row = v.row ORDER BY v.seq"
    )
    return [rev_id for (rev_id,) in found]


def test_it_bears_on_all_edits_that_made_the_alert(core: Core) -> None:
    alert_id, rev_ids = alert_of(core, "Tower")
    assert len(rev_ids) == 2
    assert keep(core, alert_id) == 2
    assert judged(core) == rev_ids
    assert core.store.query(
        "SELECT DISTINCT verdict, alert_id, given_by, given_time, note FROM verdicts"
    ) == [("damaging", alert_id, "me", 5.0, "sure")]


def test_or_on_the_one_that_it_names(core: Core) -> None:
    alert_id, rev_ids = alert_of(core, "Tower")
    assert keep(core, alert_id, rev_id=rev_ids[1]) == 1
    assert judged(core) == rev_ids[1:]


def test_the_same_verdict_again_is_one(core: Core) -> None:
    alert_id, rev_ids = alert_of(core, "Other")
    assert keep(core, alert_id) == keep(core, alert_id) == 1
    assert judged(core) == rev_ids
    assert keep(core, alert_id, "2") == 1
    assert judged(core) == rev_ids * 2


def test_of_what_is_not_there_nothing_is_kept(core: Core) -> None:
    alert_id, _ = alert_of(core, "Tower")
    _, (other,) = alert_of(core, "Other")
    assert keep(core, "no such alert") == 0
    assert keep(core, alert_id, rev_id=other) == 0
    with core.store.transaction() as db:
        db.execute("DELETE FROM edits WHERE flags & ?", (ALERTED,))
    assert keep(core, alert_id) == 0
    assert judged(core) == []


def test_on_kafka_the_same_edits_are_meant(core: Core) -> None:
    """By what is known of the alert, with the time at which each was made."""
    alert_id, rev_ids = alert_of(core, "Tower")
    history = [alert for alert in core.alerts() if alert.alert_id == alert_id]
    made = {int(str(rev)): at for rev, at in core.store.query("SELECT rev_id, event_time FROM edits")}
    for asked in (None, *rev_ids):
        given = GivenVerdict("1", alert_id, Verdict.GOOD, asked, "me", 5.0, "sure")
        for told in (history, history[::-1]):  # states of a page that was moved come in any order
            verdict = on_edits(given, told)
            assert verdict is not None
            assert {edit.rev_id: edit.event_time for edit in verdict.edits} == {
                rev_id: made[rev_id] for rev_id in ([asked] if asked else rev_ids)
            }
            assert (verdict.wiki, verdict.title, verdict.note) == ("enwiki", "Tower", "sure")
    other = GivenVerdict("1", alert_id, Verdict.GOOD, 5, "me", 5.0, "")
    assert on_edits(other, history) is None
    assert on_edits(other, []) is None


def test_a_page_that_was_moved_meanwhile_keeps_its_verdicts_in_one_place(core: Core) -> None:
    alert_id, rev_ids = alert_of(core, "Tower")
    history = [alert for alert in core.alerts() if alert.alert_id == alert_id]
    later = msgspec.structs.replace(history[-1], title="Spire", event_time=history[-1].event_time + 9)
    given = GivenVerdict("1", alert_id, Verdict.GOOD, None, "me", 5.0, "")
    verdict = on_edits(given, [later, *history])
    assert verdict is not None
    assert verdict.title == "Tower"
    assert sorted(edit.rev_id for edit in verdict.edits) == rev_ids
    made = {edit.rev_id: edit.event_time for edit in verdict.edits}
    only = msgspec.structs.replace(given, rev_id=history[-1].rev_id)
    one = on_edits(only, [later, *history])
    assert one is not None
    assert (one.title, [edit.event_time for edit in one.edits]) == ("Tower", [made[history[-1].rev_id]])
    assert made[history[-1].rev_id] == history[-1].event_time
