"""The demo's story as data: every step finds its place, and in the end the pages are whole again."""

from __future__ import annotations

import json
from itertools import islice, takewhile

import pytest

from streams.content.action_api import REVISION_FIELDS
from streams.content.page_history import TEXTS
from streams.content.revert_summaries import RevertSummaries
from streams.content.temporary_accounts import TemporaryAccounts
from streams.demo import scenario
from streams.demo.api import MESSAGES
from streams.demo.articles import ARTICLES, DATA_WIKI, DEMO_WIKI, HOSTILE_TITLE, ITEM, SETTLED
from streams.demo.feed import RECENT_CHANGE, TAGS_CHANGE, canary
from streams.demo.pages import Json
from streams.demo.pasts import past_steps
from streams.demo.scenario import STORY, Replace, Rollback, Undo, quiet_edits, steps
from streams.demo.wiki import MAX_REVISIONS, DemoWiki

NOW = 1_790_000_000.0
EDITORS = {scenario.MARIT, scenario.TEODOR, scenario.SUSAN, scenario.HEDDA}
TELLING_S = scenario.STORY_S + scenario.PAUSE_S


def told(wiki: DemoWiki, tellings: int) -> list[list[tuple[scenario.AnyStep, list[tuple[str, Json]]]]]:
    """What each step of each telling gave."""
    all_steps = list(takewhile(lambda step: step.at_s < tellings * TELLING_S, steps()))
    return [
        [
            (step, wiki.apply(step, NOW + step.at_s))
            for step in all_steps
            if number * TELLING_S <= step.at_s < (number + 1) * TELLING_S
        ]
        for number in range(tellings)
    ]


def text_now(wiki: DemoWiki, where: tuple[str, str]) -> str:
    return wiki.top(*where).text


def test_when_the_story_begins_the_pages_are_whole_and_have_a_past() -> None:
    wiki = DemoWiki(NOW)
    for wiki_name, title in ARTICLES:
        top = wiki.top(wiki_name, title)
        assert top.text == ARTICLES[wiki_name, title], title
        revisions = list(top.page.history)
        assert [one.parent_id for one in revisions] == [0, *(one.rev_id for one in revisions[:-1])]
        assert revisions == sorted(revisions, key=lambda one: (one.at, one.rev_id))
        assert revisions[-1].at < NOW
        assert wiki_name == DATA_WIKI or len(revisions) > TEXTS


def test_each_step_of_the_past_does_something_and_what_was_tried_was_undone() -> None:
    wiki = DemoWiki(NOW)
    made = sum(len(wiki.top(*where).page.history) - 1 for where in ARTICLES)
    assert made == len(past_steps())
    tried = [
        revision
        for where in ARTICLES
        for revision in wiki.top(*where).page.history
        if revision.by.startswith("198.51.100.")
    ]
    assert len(tried) >= 3
    assert all("mw-reverted" in revision.tags for revision in tried)
    assert {step.by for step in past_steps()}.isdisjoint({step.by for step in STORY} - EDITORS)


def test_every_step_of_the_first_telling_does_something() -> None:
    (first,) = told(DemoWiki(NOW), 1)
    idle = [step for step, events in first if not events]
    assert [(step.title, step.old) for step in idle if isinstance(step, Replace)] == [
        ("Dray Dam", SETTLED)
    ]
    assert len(idle) == 1


def test_later_tellings_leave_out_only_good_edits_already_made() -> None:
    _, second, third = told(DemoWiki(NOW), 3)
    for telling in (second, third):
        idle = {(step.title, step.by) for step, events in telling if not events}
        assert idle == {
            ("Lake Orrin", scenario.HEDDA),
            ("Kestrel Line", scenario.SUSAN),
            (HOSTILE_TITLE, scenario.SUSAN),
            ("Dray Dam", scenario.DOUBTER),
        }


@pytest.mark.parametrize("tellings", [1, 2, 3])
def test_no_vandalism_is_left_at_the_end(tellings: int) -> None:
    wiki = DemoWiki(NOW)
    told(wiki, tellings)
    for where in [
        (DEMO_WIKI, "Mira Valdane"),
        (DEMO_WIKI, "Port Selwyn"),
        (DEMO_WIKI, "Teska Prize"),
        (DATA_WIKI, ITEM),
    ]:
        assert text_now(wiki, where) == ARTICLES[where], where
    for title in ("Lake Orrin", HOSTILE_TITLE):
        assert "JAKE" not in text_now(wiki, (DEMO_WIKI, title))
        assert "== " in text_now(wiki, (DEMO_WIKI, title))
    assert "== Accident of 1923 ==" in text_now(wiki, (DEMO_WIKI, "Kestrel Line"))
    assert SETTLED in text_now(wiki, (DEMO_WIKI, "Dray Dam"))
    assert "Disputed" not in text_now(wiki, (DEMO_WIKI, "Dray Dam"))


def test_something_suspect_comes_in_the_first_seconds_and_reverts_after_forty() -> None:
    first_bad = min(step.at_s for step in STORY if step.by == scenario.GRAFFITI_IP)
    assert first_bad <= 3
    year = {type(step): step.at_s for step in STORY if step.title == "Mira Valdane"}
    assert year[Rollback] - year[Replace] == 40


def test_reverts_say_so_in_the_wikis_own_words_and_in_tags() -> None:
    (first,) = told(DemoWiki(NOW), 1)
    matcher = RevertSummaries(MESSAGES)
    for step, events in first:
        if not isinstance(step, Rollback | Undo):
            continue
        (stream, made), *tagged = events
        assert stream == RECENT_CHANGE
        assert matcher.match(made["comment"]) is not None, made["comment"]
        assert {stream for stream, _ in tagged} == {TAGS_CHANGE}
        assert all("mw-reverted" in event["tags"] for _, event in tagged)


def test_events_are_of_todays_schema() -> None:
    wiki = DemoWiki(NOW)
    changes = [event for telling in told(wiki, 1) for _, events in telling for _, event in events]
    changes = [event for event in changes if event["meta"]["stream"] == RECENT_CHANGE]
    assert {event["type"] for event in changes} == {"edit", "log"}
    assert {event.get("log_type") for event in changes} == {None, "protect", "move"}
    assert {event["wiki"] for event in changes} == {DEMO_WIKI, DATA_WIKI}
    assert any(event["bot"] for event in changes)
    assert any(TemporaryAccounts().matches(event["user"]) for event in changes)
    kinds = {
        "$schema": str, "id": int, "namespace": int, "title": str, "comment": str, "timestamp": int,
        "user": str, "bot": bool, "server_url": str, "server_name": str, "server_script_path": str,
        "wiki": str, "parsedcomment": str,
    }  # fmt: skip
    for event in changes:
        assert {name: type(event[name]) for name in kinds} == kinds
        assert {"id", "dt", "stream", "domain", "uri"} <= set(event["meta"])
        if event["type"] == "edit":
            assert set(event["revision"]) == set(event["length"]) == {"old", "new"}
            assert event["length"]["new"] == len(wiki.revision(event["revision"]["new"]).text.encode())
    ids = [event["meta"]["id"] for event in changes]
    assert len(set(ids)) == len(ids)


def test_each_pages_revisions_follow_each_other() -> None:
    last: dict[str, int] = {}
    for telling in told(DemoWiki(NOW), 2):
        for _, events in telling:
            for stream, event in events:
                if stream != RECENT_CHANGE:
                    continue
                if event["type"] == "log":
                    if event["log_type"] == "move":
                        last[event["log_params"]["target"]] = last.pop(event["title"])
                    continue
                assert event["revision"]["old"] == last.get(event["title"], event["revision"]["old"])
                last[event["title"]] = event["revision"]["new"]


def test_quiet_edits_go_on_for_ever_and_pages_do_not_grow() -> None:
    wiki = DemoWiki(NOW)
    for edit in islice(quiet_edits(), 4_000):
        assert wiki.apply(edit, NOW + edit.at_s), edit
    for title in scenario.QUIET_TITLES:
        assert len(text_now(wiki, (DEMO_WIKI, title))) < len(ARTICLES[DEMO_WIKI, title]) + 100
    assert wiki.revisions_held <= MAX_REVISIONS + len(ARTICLES)
    for where in ARTICLES:
        rev_id = wiki.top(*where).rev_id
        assert "badrevids" not in wiki.api({"revids": str(rev_id)})["query"]


def test_a_hidden_revision_tells_neither_text_nor_user() -> None:
    wiki = DemoWiki(NOW)
    (first,) = told(wiki, 1)
    (rev_id,) = (
        events[0][1]["revision"]["new"]
        for step, events in first
        if isinstance(step, Replace) and step.hidden
    )
    answer = json.dumps(wiki.api({"revids": str(rev_id), "rvprop": REVISION_FIELDS}))
    assert "texthidden" in answer
    assert "private address" not in answer
    assert scenario.LEAKER not in answer


def test_a_canary_is_of_no_wiki() -> None:
    event = canary(RECENT_CHANGE, NOW)
    assert event["meta"]["domain"] == "canary"
    assert "wiki" not in event
