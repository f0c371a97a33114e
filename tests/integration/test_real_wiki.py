"""End to end on a real MediaWiki: what people do there, and what Factwatch says of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.mediawiki import WIKI_ID, Session, Wiki
from tests.integration.program import Program, running

# A paragraph a line, as on wikis.
TOWER = (
    "The '''Harbour Tower''' is a lattice tower in [[Port Alder]]. It was designed by the engineer"
    " Ida Melling and opened on 4 May 1911. The tower is 187 metres high.\n"
    "\n== History ==\n"
    "Work on the tower began in 1908 and took three years. It was the tallest building of the country"
    " until 1954. During the flood of 1932 it served as a signal station.\n"
    "\n== Visitors ==\n"
    "About 420,000 people visit the tower each year. A lift of 1926 carries 18 persons to the upper"
    " platform. The tower is closed in January.\n"
    "\n== References ==\n"
    "* Melling, Ida (1912). ''A tower of iron''.\n"
)
RIVER = (
    "The '''Alder''' is a river of 214 kilometres. It rises in the Grey Hills and reaches the sea at"
    " [[Port Alder]].\n"
    "\n== Dispute over the source ==\n"
    "The source of the river is the spring at Upper Fenn.\n"
    "\n== Nature ==\n"
    "The river is home to otters and salmon. A dam was built in 1961.\n"
)


@pytest.fixture(scope="module")
def program(wiki: Wiki, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    settings = {
        "FACTWATCH_WIKIS": f"{WIKI_ID}={wiki.host}",
        "FACTWATCH_MEDIAWIKI_API": "http://{server_name}/api.php",
    }
    source = f"rcfeed://127.0.0.1:{wiki.rcfeed_port}"
    with running(["run", "--source", source], settings, tmp_path_factory.mktemp("run")) as started:
        yield started


def of(alerts: list[dict[str, Any]], title: str, kind: str) -> list[dict[str, Any]]:
    return [alert for alert in alerts if alert["title"] == title and alert["kind"] == kind]


def grow(wiki: Wiki, title: str, text: str, editors: list[Session]) -> list[int]:
    """A page with a small history of good edits by several people."""
    revisions = [wiki.edit(title, text[: len(text) // 2], "new article", by=editors[0])]
    revisions.append(wiki.edit(title, text, "rest of the article", by=editors[0]))
    for number, editor in enumerate(editors * 2):
        text = text + f"\n[[Category:Sorted {number}]]"
        revisions.append(wiki.edit(title, text, f"category {number}", by=editor))
    return revisions


@pytest.fixture(scope="module")
def editors(wiki: Wiki) -> list[Session]:
    return [wiki.create_user(name) for name in ("Ottar Lund", "Sigrid Vale", "Per Holm")]


def test_a_vandalised_number_is_told_and_its_rollback_corrects_it(
    wiki: Wiki, program: Program, editors: list[Session]
) -> None:
    good = grow(wiki, "Harbour Tower", TOWER, editors)
    text = wiki.text("Harbour Tower")
    bad = wiki.edit("Harbour Tower", text.replace("187 metres", "9999 metres"), "", by="203.0.113.40")

    alerts = program.until(lambda alerts: bool(of(alerts, "Harbour Tower", "edit.suspect")))
    (suspect,) = of(alerts, "Harbour Tower", "edit.suspect")
    assert suspect["status"] == "open"
    assert suspect["rev_id"] == bad
    assert suspect["performer_kind"] == "ip"
    assert suspect["last_good_rev_id"] == good[-1]
    fact = suspect["fact_changes"][0]
    assert fact["before"] == "The tower is 187 metres high."
    assert fact["after"] == "The tower is 9999 metres high."
    assert f"diff={bad}" in suspect["diff_url"]
    assert suspect["reasons"]

    wiki.rollback("Harbour Tower", "203.0.113.40")
    alerts = program.until(lambda alerts: bool(of(alerts, "Harbour Tower", "fact.corrected")))
    (corrected,) = of(alerts, "Harbour Tower", "fact.corrected")
    (settled,) = of(alerts, "Harbour Tower", "edit.suspect")
    assert corrected["related"] == [suspect["alert_id"]]
    assert corrected["fact_changes"][0]["after"] == "The tower is 187 metres high."
    assert corrected["last_good_rev_id"] == wiki.revisions("Harbour Tower")[-1].rev_id
    assert settled["alert_id"] == suspect["alert_id"]
    assert settled["status"] == "resolved"
    assert settled["evidence"]["outcome"] == "reverted"


def test_a_blanked_section_is_told_with_what_is_gone(
    wiki: Wiki, program: Program, editors: list[Session]
) -> None:
    good = grow(wiki, "Old Lighthouse", TOWER.replace("Tower", "Lighthouse"), editors)
    text = wiki.text("Old Lighthouse")
    head, _, rest = text.partition("== History ==")
    tail = rest[rest.index("== Visitors ==") :]
    bad = wiki.edit("Old Lighthouse", head + tail, "", by="203.0.113.41")

    alerts = program.until(lambda alerts: bool(of(alerts, "Old Lighthouse", "edit.suspect")))
    (suspect,) = of(alerts, "Old Lighthouse", "edit.suspect")
    assert suspect["rev_id"] == bad
    assert suspect["last_good_rev_id"] == good[-1]
    gone = {fact["before"] for fact in suspect["fact_changes"]}
    assert "It was the tallest building of the country until 1954." in gone
    assert {fact["change_type"] for fact in suspect["fact_changes"]} == {"deletion"}
    assert {fact["section"] for fact in suspect["fact_changes"]} == {"History"}


def test_an_edit_war_makes_the_page_contested_by_its_sentence(
    wiki: Wiki, program: Program, editors: list[Session]
) -> None:
    grow(wiki, "Alder River", RIVER, editors)
    text = wiki.text("Alder River")
    mine = "The source of the river is the spring at Upper Fenn."
    other = "The source of the river is Lake Morven."
    first, second, _ = editors
    wiki.edit("Alder River", text.replace(mine, other), "the survey of 2019 says otherwise", by=first)
    for editor, stated in (
        (second, mine),
        (first, other),
        (second, mine),
        (first, other),
        (second, mine),
    ):
        wiki.edit(
            "Alder River",
            text.replace(mine, stated),
            "see the talk page",
            by=editor,
        )
    alerts = program.until(lambda alerts: bool(of(alerts, "Alder River", "page.contested")))
    (contested,) = of(alerts, "Alder River", "page.contested")
    assert set(contested["evidence"]["editors"]) == {"Ottar Lund", "Sigrid Vale"}
    assert contested["evidence"]["mutual_reverts"] >= 3
    stated = {contested["fact_changes"][0]["before"], contested["fact_changes"][0]["after"]}
    assert stated & {mine, other}

    wiki.protect("Alder River")
    program.until(
        lambda alerts: any(
            alert["evidence"].get("restrictions") == ["edit=sysop"]
            for alert in of(alerts, "Alder River", "page.contested")
        )
    )


def test_a_moved_page_keeps_its_history(wiki: Wiki, program: Program, editors: list[Session]) -> None:
    good = grow(wiki, "Sandgate", TOWER.replace("Harbour Tower", "Sandgate"), editors)
    wiki.move("Sandgate", "Sandgate Tower")
    text = wiki.text("Sandgate Tower")
    bad = wiki.edit("Sandgate Tower", text.replace("1911", "1611"), "", by="203.0.113.42")

    alerts = program.until(lambda alerts: bool(of(alerts, "Sandgate Tower", "edit.suspect")))
    (suspect,) = of(alerts, "Sandgate Tower", "edit.suspect")
    assert suspect["rev_id"] == bad
    # The move itself made a revision, but no recent change of an edit tells of it.
    assert suspect["last_good_rev_id"] == good[-1]


def test_good_edits_alert_nobody(wiki: Wiki, program: Program, editors: list[Session]) -> None:
    grow(wiki, "Granary", TOWER.replace("Tower", "Granary"), editors)
    text = wiki.text("Granary")
    before = program.get("/v1/status")["events"].get("processed", 0)
    text = text.replace("three years", "three years of hard work")
    wiki.edit("Granary", text, "wording", by=editors[1])
    text = text.replace("signal station.", "signal station.<ref>Port Alder Gazette, 3 March 1932</ref>")
    wiki.edit("Granary", text, "source for the flood", by="203.0.113.43")
    text = text.replace("420,000 people", "431,000 people")
    wiki.edit("Granary", text, "figure of 2025 by the yearly report", by=editors[2])
    program.until_processed(before + 3)
    assert [alert for alert in program.alerts() if alert["title"] == "Granary"] == []
