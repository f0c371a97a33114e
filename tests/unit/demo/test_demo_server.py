"""The stand-in over real HTTP: a stream that resumes, an API that the real client reads."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
import urllib3

from streams.content.action_api import ActionApi
from streams.content.outcomes import FetchFailure
from streams.content.recent_histories import HistoryOutcome, RecentHistories
from streams.content.siteinfo import fetch_site_facts
from streams.demo.feed import RECENT_CHANGE, TAGS_CHANGE
from streams.demo.scenario import GRAFFITI_IP, steps
from streams.demo.server import DemoServer, demo_settings
from streams.records import Content, Edit, PerformerKind
from streams.settings import Settings

Event = dict[str, Any]


@pytest.fixture
def server() -> Iterator[DemoServer]:
    with DemoServer(speed=100) as running:
        yield running


def listen(url: str, enough: Callable[[Event], bool], **headers: str) -> list[tuple[str, Event]]:
    """Events with their ids, up to and with the first one that is enough."""
    heard: list[tuple[str, Event]] = []
    response = urllib3.request(
        "GET", url, headers=headers, preload_content=False, timeout=10, retries=False
    )
    rest = b""
    try:
        while block := response.read1(65_536):
            *messages, rest = (rest + block).split(b"\n\n")
            for message in messages:
                fields = dict(
                    line.split(": ", 1) for line in message.decode().split("\n") if ": " in line
                )
                if "data" not in fields:
                    continue
                event = json.loads(fields["data"])
                heard.append((fields["id"], event))
                if enough(event):
                    return heard
    finally:
        response.close()
    return heard


def edit_of(event: Event) -> Edit:
    return Edit(
        event_id=event["meta"]["id"],
        wiki=event["wiki"],
        server_name=event["server_name"],
        title=event["title"],
        namespace=0,
        rev_id=event["revision"]["new"],
        parent_id=event["revision"]["old"],
        performer=event["user"],
        performer_kind=PerformerKind.REGISTERED,
        event_time=event["timestamp"],
        arrival_time=event["timestamp"],
    )


def is_protection(event: Event) -> bool:
    return event.get("log_type") == "protect"


def test_the_whole_story_is_heard_and_the_real_client_reads_its_texts(server: DemoServer) -> None:
    settings = demo_settings(Settings(), server.url)
    heard = [event for _, event in listen(settings.eventstreams_url, is_protection)]
    assert heard[0]["meta"]["domain"] == "canary"
    assert {event["meta"]["stream"] for event in heard} == {RECENT_CHANGE, TAGS_CHANGE}
    edits = [edit_of(event) for event in heard if event.get("type") == "edit"]
    assert len(edits) > 40
    api = ActionApi(settings.wikis, settings.mediawiki_api, settings.user_agent)
    contents = api.fetch(edits, 20.0)
    facts = fetch_site_facts(api.transport, "demowiki", time.monotonic() + 20)
    api.close()
    for edit in edits:
        content = contents[edit.event_id]
        assert isinstance(content, Content)
        assert content.parent is not None
        assert content.revision.text != content.parent.text
        assert (content.revision.content_model == "wikibase-item") is (edit.wiki == "wikidatawiki")
    assert not isinstance(facts, FetchFailure)
    assert facts.revert_summaries().own_forms == 4
    assert facts.temporary_accounts().matches("~2026-40817-33")


def test_the_real_client_reads_what_was_tried_on_a_page_before_anybody_watched(
    server: DemoServer,
) -> None:
    settings = demo_settings(Settings(), server.url)

    def grows_tenfold(event: Event) -> bool:
        return (event.get("title"), event.get("user")) == ("Port Selwyn", GRAFFITI_IP)

    heard = [event for _, event in listen(settings.eventstreams_url, grows_tenfold)]
    bare = edit_of(heard[-1])
    api = ActionApi(settings.wikis, settings.mediawiki_api, settings.user_agent)
    counted: list[HistoryOutcome] = []
    histories = RecentHistories(api, lambda wiki, name: False, per_minute=60, count=counted.append)
    content = api.fetch([bare], 20.0)[bare.event_id]
    assert isinstance(content, Content)
    edit = msgspec.structs.replace(bare, content=content, page_id=content.revision.page_id)
    past = histories.before([edit], 20.0)[edit.event_id]
    histories.close()
    api.close()
    assert counted == [HistoryOutcome.FETCHED]
    assert past[0].is_new
    assert past[-1].rev_id == edit.parent_id
    contents = [one.content.revision for one in past if one.content is not None]
    tenfold = [one for one in contents if one.text is not None and "482,100" in one.text]
    assert len(tenfold) == 4
    assert all("mw-reverted" in one.tags for one in tenfold)


def test_a_page_that_there_is_none_of_is_missing(server: DemoServer) -> None:
    url = f"{server.url}/w/api.php?action=query&prop=revisions&formatversion=2&pageids="
    answer = urllib3.request("GET", f"{url}1", retries=False).json()
    assert answer["query"]["pages"] == [{"pageid": 1, "missing": True}]


def test_of_a_history_no_more_is_told_than_was_asked_for_and_that_it_goes_on(
    server: DemoServer,
) -> None:
    url = f"{server.url}/w/api.php?action=query&prop=revisions&formatversion=2&pageids=9000"
    answer = urllib3.request("GET", f"{url}&rvprop=ids|sha1&rvlimit=3", retries=False).json()
    (page,) = answer["query"]["pages"]
    assert [set(told) for told in page["revisions"]] == [{"revid", "parentid", "sha1"}] * 3
    newest, middle, oldest = (told["revid"] for told in page["revisions"])
    assert newest > middle > oldest
    assert "batchcomplete" not in answer
    assert answer["continue"]["rvcontinue"].endswith(f"|{page['revisions'][-1]['parentid']}")


def test_resuming_by_last_event_id_loses_nothing(server: DemoServer) -> None:
    url = demo_settings(Settings(), server.url).eventstreams_url
    heard = listen(url, lambda event: event.get("title") == "Teska Prize")
    position = heard[len(heard) // 2][0]
    again = listen(url, is_protection, **{"Last-Event-ID": position})
    ids = [event["meta"]["id"] for _, event in again]
    want = [event["meta"]["id"] for _, event in heard[len(heard) // 2 :]]
    start = ids.index(want[0])
    assert ids[start : start + len(want)] == want


def test_a_stream_gives_only_what_was_asked_for(server: DemoServer) -> None:
    heard = listen(f"{server.url}/v2/stream/recentchange", is_protection)
    assert {event["meta"]["stream"] for _, event in heard} == {RECENT_CHANGE}
    answer = urllib3.request("GET", f"{server.url}/v2/stream/mediawiki.no-such", retries=False)
    assert answer.status == 404


@pytest.mark.parametrize("position", ["", "no json", "[]", "{}", '[{"timestamp":"x"}]', "[1]", "null"])
def test_a_position_that_can_not_be_read_starts_from_now(server: DemoServer, position: str) -> None:
    heard = listen(
        f"{server.url}/v2/stream/recentchange", lambda event: True, **{"Last-Event-ID": position}
    )
    assert len(heard) == 1


def test_the_first_suspect_edit_comes_within_five_seconds_at_normal_speed() -> None:
    assert next(step.at_s for step in steps() if step.by == GRAFFITI_IP) < 5
    with DemoServer() as server:
        listen(f"{server.url}/v2/stream/recentchange", lambda event: event.get("user") == GRAFFITI_IP)


def test_closing_ends_the_listeners(server: DemoServer) -> None:
    heard: list[tuple[str, Event]] = []
    first = threading.Event()

    def keep_listening() -> None:
        def never(event: Event) -> bool:
            first.set()
            return False

        heard.extend(listen(f"{server.url}/v2/stream/recentchange", never))

    listener = threading.Thread(target=keep_listening)
    listener.start()
    assert first.wait(30)
    server.close()
    listener.join(timeout=30)
    assert not listener.is_alive()
    assert heard


def test_the_api_takes_a_post_and_knows_what_it_does_not_have(server: DemoServer) -> None:
    answer = urllib3.request(
        "POST",
        f"{server.url}/w/api.php",
        body="action=query&prop=revisions&revids=1|x|88000001",
        retries=False,
    ).json()
    assert set(answer["query"]["badrevids"]) == {"1", "x"}
    assert len(answer["query"]["pages"]) == 1
