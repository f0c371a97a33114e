"""A Mastodon over real sockets: what is cut is filled in, and what can't be is said."""

from __future__ import annotations

import json
import random
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from streams.errors import BadInput, BadSetting, SourceUnavailable
from streams.posts import Post, PostsGone
from streams.records import DeadLetter, Skip
from streams.sources.backoff import Backoff
from streams.sources.base import SourceItem
from streams.sources.posts.mastodon import MastodonSource
from streams.sources.posts.mastodon_api import MastodonApi, read_token
from streams.stages.posts.authors import Authors
from streams.stages.posts.normalize import PostNormalizer
from tests.jetstream_world import finish, take
from tests.mastodon_world import (
    TOKEN,
    MastodonWorld,
    Plan,
    Status,
    made_id,
    made_status,
    recorded_statuses,
    recorded_streams,
    updates,
)

normalize = PostNormalizer(Authors(b"k" * 16))


def source_of(world: MastodonWorld, **settings: Any) -> MastodonSource:
    quick = Backoff(random.Random(1), first_s=0.01, max_s=0.02)
    settings = {"stall_after_s": 5.0, "backoff": quick, **settings}
    return MastodonSource(world.spec, "factwatch-tests/1", TOKEN, **settings)


@contextmanager
def reading(
    source: MastodonSource, cursor: str | None = None
) -> Iterator[Callable[[int], list[SourceItem]]]:
    items = source.items(cursor)
    try:
        yield lambda count: take(source, items, count)
    finally:
        finish(source, items)


def until(last: str, more: Callable[[int], list[SourceItem]]) -> list[SourceItem]:
    """Items up to the one that carries the status `last`."""
    found: list[SourceItem] = []
    while not found or last not in ids(found[-1:]):
        found += more(1)
    return found


def ids(items: list[SourceItem]) -> list[str]:
    events = [json.loads(item.raw or b"") for item in items]
    return [
        event["data"] if event["event"] == "delete" else json.loads(event["data"])["id"]
        for event in events
    ]


def public(shared_data: Path) -> list[Status]:
    found = {
        status["id"]: status
        for status in recorded_statuses(shared_data)
        if status["visibility"] in ("public", "unlisted")
    }
    return [found[status_id] for status_id in sorted(found, key=int)]


def test_recorded_statuses_all_come_through_cuts_in_and_between_events(shared_data: Path) -> None:
    statuses = public(shared_data)
    plans = [
        Plan(most=5, meanwhile=7),
        Plan(most=3, mid_event=True, meanwhile=1),
        Plan(most=0),
        Plan(silent=True),
        Plan(most=2, meanwhile=10),
    ]
    with (
        MastodonWorld(updates(statuses), plans=plans) as world,
        reading(source_of(world, stall_after_s=0.3)) as more,
    ):
        items = until(statuses[-1]["id"], more)
    expected = [status["id"] for status in statuses]
    assert sorted(set(ids(items)), key=int) == expected
    posts = [normalize(item.raw or b"") for item in items]
    assert all(isinstance(post, Post | Skip) for post in posts)
    assert sum(isinstance(post, Post) for post in posts) >= len(statuses) - 1
    assert {visit.authorization for visit in world.asked("/api/v1/")} == {f"Bearer {TOKEN}"}


def test_recorded_streams_are_read_as_the_server_sent_them(shared_data: Path) -> None:
    bodies = recorded_streams(shared_data)
    plans = [Plan(body=b"".join(body for body in bodies))]
    with MastodonWorld([], plans=plans) as world, reading(source_of(world)) as more:
        count = sum(body.count(b"\ndata: ") for body in bodies)
        outcomes = [normalize(item.raw or b"") for item in more(count)]
    assert not any(isinstance(outcome, DeadLetter) for outcome in outcomes)
    assert [type(outcome) for outcome in outcomes] == [
        Post
        if name in ("update", "status.update")
        and json.loads(data)["visibility"] in ("public", "unlisted")
        else PostsGone
        if name == "delete"
        else Skip
        for body in bodies
        for name, data in re.findall(r"^event: (.*)\ndata: (.*)$", body.decode(), re.MULTILINE)
    ]
    assert any(isinstance(outcome, Post) for outcome in outcomes)


def test_an_outage_longer_than_a_page_is_filled_in_oldest_first() -> None:
    statuses = [made_status(number) for number in range(130)]
    plans = [Plan(most=10, meanwhile=110)]
    with MastodonWorld(updates(statuses), plans=plans) as world, reading(source_of(world)) as more:
        items = until(statuses[-1]["id"], more)
    found = ids(items)
    assert sorted(set(found), key=int) == [status["id"] for status in statuses]
    missed = found[10:120]
    assert missed == sorted(missed, key=int)
    pages = world.asked("/timelines/")
    assert len(pages) >= 3
    assert all(visit.query["limit"] == ["40"] for visit in pages)


def test_a_restart_goes_on_half_a_minute_before_its_cursor() -> None:
    statuses = [made_status(number) for number in range(20)]
    with MastodonWorld(updates(statuses), plans=[Plan(), Plan()]) as world:
        with reading(source_of(world)) as more:
            cursor = more(12)[-1].cursor
        assert cursor == f"{world.host} {statuses[11]['id']}"
        with reading(source_of(world), cursor) as more:
            assert ids(more(9)) == [status["id"] for status in statuses[11:]]


def test_a_status_that_came_late_from_afar_is_found_in_spite_of_its_older_id() -> None:
    late = {**made_status(0), "id": made_id(4 * 60 - 20)}
    events = updates([made_status(number) for number in range(5)] + [late, made_status(6)])
    with (
        MastodonWorld(events, plans=[Plan(most=5, meanwhile=1)]) as world,
        reading(source_of(world)) as more,
    ):
        assert late["id"] in ids(until(made_status(6)["id"], more))


def test_while_what_was_missed_cannot_be_fetched_the_stream_goes_on_and_the_cursor_waits() -> None:
    statuses = [made_status(number) for number in range(12)]
    failing: list[tuple[int, dict[str, str]]] = [(503, {}), (429, {"Retry-After": "1"})]
    with (
        MastodonWorld(
            updates(statuses), plans=[Plan(most=4, meanwhile=3)], timeline_failures=failing
        ) as world,
        reading(source_of(world)) as more,
    ):
        items = more(9)
        assert ids(items) == [status["id"] for status in [*statuses[:4], *statuses[7:]]]
        held = {item.cursor for item in items[4:]}
        rest = more(9)
        assert ids(rest) == [status["id"] for status in statuses[3:]]
    (cursor,) = held
    assert int(cursor.split(" ")[1]) <= int(statuses[3]["id"])
    calls = world.asked("/timelines/")
    assert [visit.status for visit in calls[:3]] == [503, 429, 200]
    assert calls[2].time - calls[1].time >= 1.0


def test_a_second_cut_before_the_first_is_filled_in_loses_neither() -> None:
    statuses = [made_status(number) for number in range(12)]
    plans = [Plan(most=4, meanwhile=3), Plan(most=2, meanwhile=2)]
    failing: list[tuple[int, dict[str, str]]] = [(503, {"Retry-After": "60"})]
    with (
        MastodonWorld(updates(statuses), plans=plans, timeline_failures=failing) as world,
        reading(source_of(world)) as more,
    ):
        items = until(statuses[-1]["id"], more)
    assert set(ids(items)) == {status["id"] for status in statuses}


def test_a_late_status_with_an_older_id_does_not_move_the_cursor_back() -> None:
    late = {**made_status(0), "id": made_id(20)}
    with MastodonWorld(updates([made_status(1), late])) as world, reading(source_of(world)) as more:
        first, second = more(2)
    assert first.cursor == second.cursor == f"{world.host} {made_status(1)['id']}"


def test_a_server_that_gives_no_timeline_is_said_to_lose_what_was_missed() -> None:
    statuses = [made_status(number) for number in range(8)]
    with MastodonWorld(
        updates(statuses), plans=[Plan(most=2, meanwhile=3)], timeline_failures=[(403, {})]
    ) as world:
        source = source_of(world)
        with reading(source) as more:
            items = more(5)
            assert "what was missed can't be fetched: HTTP 403" in source.status().detail
    assert items[-1].cursor.endswith(statuses[7]["id"])


def test_edits_and_late_deletions_come_as_what_changes_and_goes() -> None:
    first = made_status(1)
    edited = {**first, "content": "<p>Other words</p>", "edited_at": first["created_at"]}
    events = [("update", first), ("status.update", edited), ("delete", first["id"])]
    with MastodonWorld(events) as world, reading(source_of(world)) as more:
        post, edit, gone = (normalize(item.raw or b"") for item in more(3))
    assert isinstance(post, Post)
    assert isinstance(edit, Post)
    assert isinstance(gone, PostsGone)
    assert post.post_id == edit.post_id == gone.post_id == f"{world.host}/{first['id']}"
    assert (edit.text, edit.edited_time is None) == ("Other words", False)


def test_thumps_are_signs_of_life() -> None:
    with MastodonWorld([]) as world:
        source = source_of(world)
        items = source.items(None)
        assert [next(items).raw for _ in range(2)] == [None, None]
        assert source.status().last_item_time is not None
        finish(source, items)


HOSTILE = [
    ("update", "not json"),
    ("update", "[]"),
    ("update", '{"id":5}'),
    ("update", '{"id":"../../1"}'),
    ("update", "[" * 90_000),
    ("update", '{"id":"1","visibility":"public","account":{"followers_count":1e400}}'),
    ("update", '","host":"other.example","x":"'),
    ("delete", "not an id"),
    ("delete", ""),
    ("delete", "1" * 5_000),
    ("notification", "{}"),
    ("filters_changed", "x"),
    ("update", "\udcff\udcfe"),
    ("\u202eetadpu", "{}"),
]


def test_hostile_events_are_dead_letters_or_nothing_and_move_no_cursor() -> None:
    with (
        MastodonWorld([*HOSTILE, *updates([made_status(1)])]) as world,
        reading(source_of(world)) as more,
    ):
        items = more(len(HOSTILE))  # the empty one has no data and does not come
    outcomes = [normalize(item.raw or b"") for item in items]
    assert all(isinstance(outcome, DeadLetter | Skip) for outcome in outcomes[:-1])
    assert isinstance(outcomes[-1], Post)
    assert outcomes[-1].post_id.startswith(world.host)
    assert {item.cursor for item in items[:3]} == {""}


def test_an_event_too_large_is_marked_and_what_follows_comes() -> None:
    events = updates([made_status(1, "x" * 50_000), made_status(2)])
    with MastodonWorld(events) as world, reading(source_of(world, max_event_bytes=20_000)) as more:
        large, small = more(2)
    assert (large.too_large, small.too_large) == (True, False)


@pytest.mark.parametrize(
    "told", ["wss://169.254.169.254/", "ws://other.example", "http://a@127.0.0.1", "x"]
)
def test_streams_at_a_strangers_host_are_not_asked_for(told: str) -> None:
    instance = json.dumps({"configuration": {"urls": {"streaming": told}}}).encode()
    with MastodonWorld([], instance=instance) as world:
        api = MastodonApi(world.spec, "t", TOKEN)
        with pytest.raises(SourceUnavailable, match="at another place"):
            api.stream_url()
        api.close()


@pytest.mark.parametrize(
    ("host", "told", "found"),
    [
        ("mastodon.social", "wss://streaming.mastodon.social", "https://streaming.mastodon.social"),
        ("social.example.org", "wss://streaming.example.org", "https://streaming.example.org"),
        ("social.example.org", "wss://example.org", "https://example.org"),
        ("mastodon.social", "wss://evil.social", None),
        ("mastodon.social", "ws://streaming.mastodon.social", None),
        ("10.0.0.1", "wss://127.0.0.1", None),
    ],
)
def test_a_neighbours_host_is(
    monkeypatch: pytest.MonkeyPatch, host: str, told: str, found: str | None
) -> None:
    answer = msgspec.json.encode({"configuration": {"urls": {"streaming": told}}})
    monkeypatch.setattr("streams.sources.posts.mastodon_api.bounded_get", lambda *_arguments: answer)
    api = MastodonApi(f"mastodon://{host}", "t", None)
    if found is None:
        with pytest.raises(SourceUnavailable):
            api.stream_url()
    else:
        assert api.stream_url() == found + "/api/v1/streaming/public"


def test_a_server_without_a_description_streams_itself_and_an_outage_is_waited_for() -> None:
    with (
        MastodonWorld(updates([made_status(1)]), instance_failures=[503, 404]) as world,
        reading(source_of(world)) as more,
    ):
        assert ids(more(1)) == [made_status(1)["id"]]
    assert [visit.status for visit in world.asked("/instance")] == [503, 404]


def test_a_refused_token_is_told_and_never_shown() -> None:
    with MastodonWorld([], token="another-token-altogether") as world:
        source = source_of(world)
        items = source.items(None)
        thread = threading.Thread(target=lambda: list(items))
        thread.start()
        end = time.monotonic() + 30
        while "HTTP 401" not in source.status().detail:
            assert time.monotonic() < end
            time.sleep(0.01)
        assert TOKEN not in source.status().detail
        source.close()
        thread.join(30)
        assert not thread.is_alive()


@pytest.mark.parametrize("where", ["streaming", "describing", "backfilling"])
def test_close_from_another_thread_ends_it_soon(where: str) -> None:
    mute = socket.create_server(("127.0.0.1", 0))
    with mute, MastodonWorld(updates([made_status(1)]), plans=[Plan(silent=True)]) as world:
        spec = world.spec
        if where == "describing":
            spec = f"mastodon+http://127.0.0.1:{mute.getsockname()[1]}"
        source = MastodonSource(spec, "t", TOKEN, stall_after_s=60)
        thread = threading.Thread(target=lambda: list(source.items(None)))
        thread.start()
        time.sleep(0.3)
        source.close()
        thread.join(20)
        assert not thread.is_alive()
        assert source.status().state == "closed"


def test_a_cursor_of_another_server_begins_anew_and_of_another_source_is_refused() -> None:
    with MastodonWorld(updates([made_status(1)])) as world:
        source = source_of(world)
        with reading(source, "other.example 5") as more:
            assert len(more(1)) == 1
            assert "the ids of other.example mean nothing here" in source.status().detail
        assert world.asked("/timelines/") == []
        for cursor in ("5", "host 5 6", ' "', "host "):
            with pytest.raises(BadInput, match="left by another source"):
                next(source_of(world).items(cursor))


@pytest.mark.parametrize(
    "spec",
    [
        "mastodon://",
        "mastodon://h/path",
        "mastodon://u:p@h",
        "mastodon://h:99999",
        "mastodon://h?x",
        "https://h",
    ],
)
def test_an_address_that_is_none_is_told(spec: str) -> None:
    with pytest.raises(BadSetting, match="wants mastodon://HOST") as caught:
        MastodonSource(spec, "t", None, stall_after_s=1)
    assert "\n" not in str(caught.value)


def test_a_token_comes_from_a_file_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    assert read_token(path) == TOKEN
    for bad in ("", "two words\n", "t\u00f6ken", "a\nb"):
        path.write_text(bad)
        with pytest.raises(BadSetting, match="wants one line") as caught:
            read_token(path)
        assert "words" not in str(caught.value)
    with pytest.raises(BadSetting, match="can't be read"):
        read_token(tmp_path / "none")
