"""`factwatch demo` shows it whole: a fact is vandalised, posts repeat it, it is reverted, the correction
names them, and who deletes a post is forgotten."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from selenium.webdriver.common.by import By

from tests.integration.browser import console, open_browser
from tests.integration.program import Program, histories, running
from tests.web_world import eventually

TITLE = "Mira Valdane"
Alerts = list[dict[str, Any]]


def about(alerts: Alerts, kind: str, *statuses: str, title: str = TITLE) -> Alerts:
    found = [alert for alert in alerts if (alert["kind"], alert["title"]) == (kind, title)]
    return [alert for alert in found if not statuses or alert["status"] in statuses]


def all_that_is_told(program: Program) -> str:
    """Every state of every alert, and every fact."""
    histories = [program.get(f"/v1/alerts/{alert['alert_id']}") for alert in program.alerts()]
    return json.dumps([histories, program.get("/v1/facts")])


def first_seq(program: Program, kind: str, wanted: Callable[[dict[str, Any]], bool]) -> int:
    return min(
        change["seq"]
        for alert in about(program.alerts(), kind)
        for change in program.get(f"/v1/alerts/{alert['alert_id']}")["changes"]
        if wanted(change)
    )


def test_the_story_of_a_fact_and_its_posts(tmp_path: Path) -> None:
    with running(["demo", "--speed", "10"], {}, tmp_path) as program:
        alerts = program.until(lambda alerts: bool(about(alerts, "fact.amplified")), within_s=60)
        (suspect,) = about(alerts, "edit.suspect")
        (amplified,) = about(alerts, "fact.amplified")
        assert amplified["related"] == [suspect["alert_id"]]
        repeats = about(alerts, "post.repeats", "open")
        assert {post["platform"] for alert in repeats for post in alert["posts"]} == {
            "bluesky",
            "mastodon",
        }
        regretted = next(
            post
            for alert in about(program.alerts(), "post.repeats")
            for post in alert["posts"]
            or program.get(f"/v1/alerts/{alert['alert_id']}")["changes"][0]["posts"]
            if "currents of Lake Orrin" in post["statement"]
            and "was born 14 March 1971" in post["statement"]
        )
        assert regretted["post_id"] in all_that_is_told(program)

        # It is deleted, and another is put right.
        alerts = program.until(
            lambda alerts: (
                {"deleted", "edited"}
                <= {alert["evidence"].get("outcome") for alert in about(alerts, "post.repeats")}
            ),
            within_s=60,
        )
        assert regretted["post_id"] not in all_that_is_told(program)

        # The correction goes out again, with the posts.
        alerts = program.until(
            lambda alerts: any(
                alert["evidence"].get("posts_after", 0) >= 4 for alert in about(alerts, "fact.corrected")
            ),
            within_s=60,
        )
        (corrected,) = about(alerts, "fact.corrected")
        assert {suspect["alert_id"], amplified["alert_id"]} <= set(corrected["related"])
        assert corrected["posts"][0]["reach"] == 128_000
        named = {post["post_id"] for post in corrected["posts"]}
        assert len(named) >= 10
        assert {post["grade"] for post in corrected["posts"]} == {"repeats-vandalised"}
        assert not any("1931" in post["statement"] for post in corrected["posts"])

        # And so it stands in the API.
        (fact,) = program.get("/v1/facts?wiki=demowiki&title=Mira%20Valdane&repeated=1")["facts"]
        assert fact["hot"]["alert_id"] == suspect["alert_id"]
        assert fact["hot"]["corrected_time"] == corrected["evidence"].get(
            "corrected_time", fact["hot"]["corrected_time"]
        )
        assert fact["spread"]["posts_after"] >= 4
        assert fact["spread"]["posts_before"] >= 10
        assert {post["post_id"] for post in fact["spread"]["named"]} == named
        assert about(alerts, "post.repeats", "open", title="Port Selwyn")
        contested = about(
            program.until(lambda alerts: bool(about(alerts, "post.repeats", title="Dray Dam"))),
            "post.repeats",
            title="Dray Dam",
        )
        assert {alert["posts"][0]["grade"] for alert in contested} == {"repeats-contested"}
        status = program.get("/v1/status")
        assert status["hot_facts"] > 0
        assert status["posts_per_s"] > 0
        assert [(one["name"], one["source"]["state"]) for one in status["post_sources"]] == [
            ("jetstream", "connected"),
            ("mastodon", "connected"),
        ]
        assert status["events"].get("dead_lettered", 0) == 0


def test_what_was_tried_on_a_page_before_anybody_watched_is_fetched_and_named(tmp_path: Path) -> None:
    with running(["demo", "--speed", "10"], {}, tmp_path) as program:
        alerts = program.until(
            lambda alerts: bool(about(alerts, "edit.suspect", title="Port Selwyn")), within_s=60
        )
        (tenfold,) = about(alerts, "edit.suspect", title="Port Selwyn")
        reasons = {reason["feature"]: reason["text"] for reason in tenfold["reasons"]}
        assert "reverts took an added word out here" in reasons["thrown_against_life"]
        asked = histories(program)
        assert asked["fetched"] >= 3
        assert sum(asked.values()) == asked["fetched"]


def test_on_the_page_the_spread_shows_before_the_revert_and_after_it(tmp_path: Path) -> None:
    """Near its own pace: posts count ten seconds late."""
    with running(["demo", "--speed", "1.25"], {}, tmp_path) as program, open_browser() as browser:

        def shown(within: str) -> str:
            script = """
                return [...document.querySelectorAll(arguments[0])]
                    .filter(li => li.querySelector('h3').textContent === arguments[1])
                    .map(li => li.textContent).join('\\n')
            """
            return str(browser.execute_script(script, f"{within} > li:not(.leaving)", TITLE))

        browser.get(program.url)
        eventually(lambda: "Suspect edit" in shown("#open"), within_s=40)
        eventually(lambda: "Spreading" in shown("#open"), within_s=45)
        assert "Suspect edit" in shown("#open")  # it still stands
        assert "after the revert" not in shown("#open")
        assert re.search("Repeated 1[0-9] times by 1[0-9] authors", shown("#open"))
        assert "alert('a post')</script>" in shown("#open")
        eventually(lambda: "Corrected by Teodor Brask" in shown("#settled"), within_s=40)
        eventually(lambda: "2 after the revert" in shown("#settled"), within_s=40)
        assert "posts it touches" in shown("#settled")
        eventually(lambda: "2 after the revert" in shown("#open"))
        assert "Spreading" in shown("#open")
        assert not browser.find_elements(By.CSS_SELECTOR, "#open script, #open img")
        assert console(browser) == []
        seq_amplified = first_seq(program, "fact.amplified", lambda change: True)
        seq_corrected = first_seq(program, "fact.corrected", lambda change: True)
        seq_named = first_seq(program, "fact.corrected", lambda change: bool(change["posts"]))
        assert seq_amplified < seq_corrected < seq_named
