"""A page with a past that Factwatch never saw, on a real MediaWiki: the past decides, and is named."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.integration.mediawiki import WIKI_ID, Wiki
from tests.integration.program import histories, running

PARAGRAPHS = [
    "The '''{name}''' is a lattice tower in [[Port Alder]]. It was designed by the engineer Ida Melling"
    " and opened on 4 May 1911. The tower is 187 metres high.",
    "== History ==",
    "Work on the tower began in 1908 and took three years. It was the tallest building of the country"
    " until 1954. During the flood of 1932 it served as a signal station.",
    "== Visitors ==",
    "About 420,000 people visit the tower each year. A lift of 1926 carries 18 persons to the upper"
    " platform. The tower is closed in January.",
]


def fact_thrown_out_twice(wiki: Wiki, name: str) -> str:
    """A page with a dozen good edits, on which a false height was put in and thrown out two times."""
    text = "\n\n".join(PARAGRAPHS).format(name=name)
    wiki.edit(name, text, "new article", by="198.51.100.21")
    for number in range(12):
        text += f"\n[[Category:Sorted {number}]]"
        wiki.edit(name, text, "category", by=f"198.51.100.{21 + number % 3}")
    for turn in range(2):
        wiki.edit(name, text.replace("187", "912") + "." * turn, by=f"203.0.113.{60 + turn}")
        wiki.edit(name, text, "no source", by="198.51.100.22")
    return text


def settings(wiki: Wiki, **more: str) -> dict[str, str]:
    return {
        "FACTWATCH_WIKIS": f"{WIKI_ID}={wiki.host}",
        "FACTWATCH_MEDIAWIKI_API": "http://{server_name}/api.php",
        **more,
    }


def risk_of(state: Path, rev_id: int) -> float:
    with closing(sqlite3.connect(state / "factwatch.sqlite")) as store:
        ((risk,),) = store.execute("SELECT risk FROM edits WHERE rev_id = ?", (rev_id,))
    return float(risk)


def test_a_false_height_that_was_thrown_out_before_anybody_watched_alerts_and_that_is_named(
    wiki: Wiki, tmp_path: Path
) -> None:
    """By its text alone, with such a summary, it is not suspicious enough: with its page's past it is."""
    source = ["run", "--source", f"rcfeed://127.0.0.1:{wiki.rcfeed_port}"]
    found = {}
    threshold = {}
    for per_minute in ("0", "20"):
        name = f"Forgotten Tower {per_minute}"
        text = fact_thrown_out_twice(wiki, name)
        state = tmp_path / per_minute
        state.mkdir()
        more = settings(wiki, FACTWATCH_PAGE_HISTORIES_PER_MINUTE=per_minute, **threshold)
        with running(source, more, state) as program:
            bad = wiki.edit(name, text.replace("187", "912"), "fix", by="203.0.113.99")
            program.until_processed(1)
            found[per_minute] = program.alerts()
            counted = histories(program)
        assert counted["fetched"] == (0 if per_minute == "0" else 1), counted
        if per_minute == "0":
            # Near enough above the risk to ask, whatever model comes with the program.
            threshold = {"FACTWATCH_ALERT_THRESHOLD": str(1.2 * risk_of(state / "state", bad))}
    assert found["0"] == []
    (alert,) = found["20"]
    assert alert["rev_id"] == bad
    assert alert["fact_changes"][0]["after"] == "The tower is 912 metres high."
    reasons = {reason["feature"]: reason["text"] for reason in alert["reasons"]}
    assert "reverts took an added word out here" in reasons["thrown_against_life"]


def test_a_harmless_edit_and_a_page_that_was_followed_ask_for_nothing(
    wiki: Wiki, tmp_path: Path
) -> None:
    text = fact_thrown_out_twice(wiki, "Quiet Tower")
    source = ["run", "--source", f"rcfeed://127.0.0.1:{wiki.rcfeed_port}"]
    with running(source, settings(wiki), tmp_path) as program:
        wiki.edit("Quiet Tower", text + "\n[[Category:Towers]]", "category", by="198.51.100.21")
        program.until_processed(1)
        wiki.edit("Followed Tower", text, "new article", by="198.51.100.21")
        wiki.edit("Followed Tower", text.replace("187", "900"), by="203.0.113.98")
        program.until_processed(3)
        assert [alert["title"] for alert in program.alerts()] == ["Followed Tower"]
        assert sum(histories(program).values()) == 0
