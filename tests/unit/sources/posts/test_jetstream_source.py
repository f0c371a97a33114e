"""A Jetstream over real websockets: what is cut is gone on with, and nothing is lost in silence."""

from __future__ import annotations

import random
import socket
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import zstandard

from streams.errors import BadInput, BadSetting
from streams.posts import Post, PostsGone
from streams.reasons import DeadReason
from streams.records import DeadLetter, Skip
from streams.sources.backoff import Backoff
from streams.sources.base import SourceItem
from streams.sources.posts import jetstream_connect
from streams.sources.posts.jetstream import JetstreamSource
from streams.stages.posts.authors import Authors
from streams.stages.posts.normalize import PostNormalizer
from tests.jetstream_world import (
    START_US,
    Event,
    JetstreamWorld,
    Plan,
    deletion_of,
    error,
    finish,
    made_post,
    made_posts,
    recorded,
    spaced,
    take,
    trained_dictionary,
)

BOTH = pytest.mark.parametrize("v2", [False, True], ids=["v1", "v2"])


def quick() -> Backoff:
    return Backoff(random.Random(1), first_s=0.01, max_s=0.02)


def source_of(world: JetstreamWorld, **settings: Any) -> JetstreamSource:
    settings = {"stall_after_s": 5.0, "backoff": quick(), **settings}
    return JetstreamSource(world.spec, "factwatch-tests/1", **settings)


@contextmanager
def reading(
    source: JetstreamSource, cursor: str | None = None
) -> Iterator[Callable[[int], list[SourceItem]]]:
    items = source.items(cursor)
    try:
        yield lambda count: take(source, items, count)
    finally:
        finish(source, items)


def posts_of_now(count: int) -> list[Event]:
    now_us = int(time.time() * 1e6)
    return [made_post(number, time_us=now_us + number * 1_000) for number in range(count)]


def raws(items: list[SourceItem]) -> list[bytes]:
    return [item.raw or b"" for item in items]


def wanted(world: JetstreamWorld) -> list[bytes]:
    """Frames of posts, reposts and accounts; v1 sends identities unasked."""
    return [
        world.frame(index)
        for index, event in enumerate(world.events)
        if (
            event["commit"]["collection"] in ("app.bsky.feed.post", "app.bsky.feed.repost")
            if event["kind"] == "commit"
            else event["kind"] == "account" or not world.v2
        )
    ]


def in_order_once(found: list[bytes]) -> list[bytes]:
    return list(dict.fromkeys(found))


@BOTH
def test_recorded_frames_all_come_through_cuts_in_and_between_frames(
    shared_data: Path, v2: bool
) -> None:
    plans = [
        Plan(most=5, meanwhile=9),
        Plan(most=4, mid_frame=True, meanwhile=30),
        Plan(silent=True, first=[]),
        Plan(most=9, goodbye=1001),
        Plan(refuse=(503, "")),
    ]
    with JetstreamWorld(spaced(recorded(shared_data)), v2=v2, plans=plans) as world:
        expected = wanted(world)
        last = expected[-1]
        found: list[bytes] = []
        with reading(source_of(world, stall_after_s=0.3)) as more:
            while last not in found:
                found += raws(more(1))
    assert in_order_once(found) == expected
    assert len(world.visits) == 6
    if v2:
        assert found == expected  # an inclusive cursor, its repeat left out
    else:
        repeats = len(found) - len(expected)
        assert 0 < repeats <= 5 * 3  # what lies in the five seconds before each of the cuts


@BOTH
def test_a_restart_from_any_cursor_loses_nothing(v2: bool) -> None:
    with JetstreamWorld(made_posts(30), v2=v2) as world:
        everything = wanted(world)
        with reading(source_of(world)) as more:
            items = more(30)
        assert raws(items) == everything
        for at in (0, 7, 28):
            with reading(source_of(world), items[at].cursor) as more:
                rest = raws(more(29 - at))
            if v2:
                assert rest == everything[at + 1 :]
            else:
                assert rest[0] == everything[max(0, at - 2)]  # two seconds apart, five back


@BOTH
def test_what_is_asked_for(v2: bool) -> None:
    with JetstreamWorld(made_posts(3), v2=v2) as world, reading(source_of(world)) as more:
        more(3)
    (visit,) = world.visits
    assert visit.headers["User-Agent"] == "factwatch-tests/1"
    collections = ["app.bsky.feed.post", "app.bsky.feed.repost"]
    if v2:
        assert visit.query["collections"] == collections
        assert visit.query["kinds"] == ["commit", "account"]
        assert visit.headers["Sec-WebSocket-Protocol"] == "xrpc.v1.json"
    else:
        assert visit.query["wantedCollections"] == collections
    assert "cursor" not in visit.query
    assert "Sec-WebSocket-Extensions" not in visit.headers


@BOTH
def test_a_late_deletion_and_a_deleted_account_come_as_what_goes(v2: bool) -> None:
    posts = made_posts(3)
    late = deletion_of(posts[0], START_US + 30_000_000)
    account: Event = {
        "did": posts[1]["did"],
        "time_us": START_US + 40_000_000,
        "kind": "account",
        "account": {"active": False, "did": posts[1]["did"], "seq": 9, "status": "deleted"},
    }
    plans = [Plan(most=3, meanwhile=2)]
    normalize = PostNormalizer(Authors(b"k" * 16))
    with (
        JetstreamWorld([*posts, late, account], v2=v2, plans=plans) as world,
        reading(source_of(world)) as more,
    ):
        records = []
        while not any(isinstance(record, PostsGone) and record.author for record in records):
            records += [normalize(raw) for raw in raws(more(1))]
    first, second = (record for record in records[:2] if isinstance(record, Post))
    gone = [record for record in records if isinstance(record, PostsGone)]
    assert [(record.post_id, record.author) for record in gone] == [
        (first.post_id, None),
        (None, second.author),
    ]


def test_v2_is_read_packed_with_the_servers_own_dictionary() -> None:
    events = made_posts(200)
    dictionary = trained_dictionary(events)
    with (
        JetstreamWorld(events, v2=True, dictionary=dictionary) as world,
        reading(source_of(world)) as more,
    ):
        assert raws(more(200)) == wanted(world)
    assert world.visits[0].query["zstdDictionary"] == ["77"]
    assert world.dictionaries_fetched == 1


def test_v1_is_read_packed_where_its_dictionary_is_given() -> None:
    events = made_posts(200)
    dictionary = trained_dictionary(events)
    with JetstreamWorld(events, v2=False, dictionary=dictionary) as world:
        with reading(source_of(world, dictionary=dictionary)) as more:
            assert raws(more(200)) == wanted(world)
        with pytest.raises(BadInput, match="no zstd dictionary"):
            source_of(world, dictionary=b"a dictionary of words")
    assert world.visits[0].query["compress"] == ["true"]


def test_without_a_dictionary_or_with_one_retired_frames_are_read_unpacked() -> None:
    refusal = '{"error":"UnknownZstdDictionary","message":"current id is 8"}'
    dictionary = trained_dictionary(made_posts(200))
    plans = [Plan(refuse=(400, refusal)), Plan(refuse=(400, refusal))]
    with (
        JetstreamWorld(made_posts(5), v2=True, dictionary=dictionary, plans=plans) as world,
        reading(source_of(world)) as more,
    ):
        assert raws(more(5)) == wanted(world)
    asked = ["zstdDictionary" in visit.query for visit in world.visits]
    assert asked == [True, True, False]  # fetched anew once, then done without
    with JetstreamWorld(made_posts(5), v2=True) as world, reading(source_of(world)) as more:
        assert raws(more(5)) == wanted(world)
    with (
        JetstreamWorld(made_posts(5), v2=True, dictionary=b"\x00" * 500) as world,
        reading(source_of(world)) as more,
    ):
        assert raws(more(5)) == wanted(world)


def test_another_host_goes_on_by_time_and_a_few_seconds_earlier() -> None:
    events = made_posts(20)
    with JetstreamWorld(events, v2=True, first_seq=900) as one, reading(source_of(one)) as more:
        cursor = more(10)[-1].cursor
    with (
        JetstreamWorld(events, v2=True, first_seq=5) as other,
        reading(source_of(other), cursor) as more,
    ):
        found = raws(more(12))
    assert other.visits[0].cursor == events[9]["time_us"] - 5_000_000
    assert found == wanted(other)[7:19]


def test_an_event_of_another_host_with_the_same_number_is_another_event() -> None:
    events = made_posts(6)
    with JetstreamWorld(events, v2=True) as world:
        cursor = f"elsewhere.example 3 {events[2]['time_us'] + 5_000_000}"
        with reading(source_of(world), cursor) as more:
            assert raws(more(4)) == wanted(world)[2:]


@BOTH
def test_a_cursor_of_the_other_version_is_a_time(v2: bool) -> None:
    events = made_posts(12)
    with JetstreamWorld(events, v2=not v2) as one, reading(source_of(one)) as more:
        cursor = more(6)[-1].cursor
    with JetstreamWorld(events, v2=v2) as other, reading(source_of(other), cursor) as more:
        found = raws(more(8))
    assert found == wanted(other)[3:11]


def test_a_cursor_too_old_goes_on_with_the_oldest_and_says_so_loudly(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with JetstreamWorld(made_posts(40), v2=True, floor=25) as world:
        cursor = f"{world.host} 3 {START_US + 4_000_000}"
        source = source_of(world)
        with reading(source, cursor) as more:
            assert raws(more(15)) == wanted(world)[25:]
            assert "loss at" in source.status().detail
    assert [visit.cursor for visit in world.visits] == [3, START_US - 1_000_000]
    assert "older than all the server still has" in caplog.text


def test_a_server_that_refuses_every_cursor_is_asked_for_now_and_never_in_a_loop() -> None:
    refused = Plan(refuse=(400, '{"error":"CursorTooOld","message":"no"}'))
    with JetstreamWorld(made_posts(5), v2=True, plans=[refused] * 4) as world:
        source = source_of(world, backoff=Backoff(random.Random(1), first_s=0.1, max_s=0.1))
        started = time.monotonic()
        with reading(source, f"{world.host} 3 {START_US}") as more:
            assert raws(more(5)) == wanted(world)
        assert time.monotonic() - started >= 0.1  # the third and fourth refusals were waited for
    assert [visit.cursor for visit in world.visits] == [3, START_US - 5_000_000, None, None, None]


def test_a_host_whose_archive_began_anew_is_asked_by_time() -> None:
    events = made_posts(10)
    with JetstreamWorld(events, v2=True, first_seq=1) as world:
        world.happened = 10
        with reading(source_of(world), f"{world.host} 5000 {events[4]['time_us']}") as more:
            found = raws(more(7))
    assert [visit.cursor for visit in world.visits] == [5000, events[4]["time_us"] - 5_000_000]
    assert found == wanted(world)[2:9]


def test_v1_putting_an_old_cursor_forward_in_silence_is_found_out() -> None:
    with JetstreamWorld(made_posts(5), v2=False) as world:
        source = source_of(world)
        with reading(source, f"{world.host} - {START_US - 7_200_000_000}") as more:
            more(1)
            assert "2.0 h after where it was left" in source.status().detail


def test_an_error_frame_ends_the_connection_and_is_told() -> None:
    plans = [Plan(first=[error("ConsumerTooSlow", "2 h behind")], silent=True)]
    with JetstreamWorld(posts_of_now(3), v2=True, plans=plans) as world:
        source = source_of(world, backoff=Backoff(random.Random(1), first_s=0.5, max_s=0.5))
        items = source.items(None)
        thread = threading.Thread(target=take, args=(source, items, 3))
        thread.start()
        until = time.monotonic() + 5
        while "ConsumerTooSlow: 2 h behind" not in source.status().detail:
            assert time.monotonic() < until
            time.sleep(0.01)
        thread.join(10)
        finish(source, items)
    assert len(world.visits) == 2


@BOTH
def test_a_silent_connection_is_given_up(v2: bool) -> None:
    with (
        JetstreamWorld(posts_of_now(3), v2=v2, plans=[Plan(silent=True)]) as world,
        reading(source_of(world, stall_after_s=0.2)) as more,
    ):
        assert raws(more(3)) == wanted(world)
    assert len(world.visits) == 2


@BOTH
def test_a_cut_before_the_first_event_loses_nothing_either(v2: bool) -> None:
    plans = [Plan(most=0, meanwhile=2), Plan(most=0, mid_frame=True, meanwhile=1)]
    with (
        JetstreamWorld(posts_of_now(5), v2=v2, plans=plans) as world,
        reading(source_of(world)) as more,
    ):
        assert raws(more(5)) == wanted(world)


@BOTH
def test_an_event_too_large_is_passed_over_and_what_follows_comes(v2: bool) -> None:
    events = made_posts(10)
    events[4] = made_post(4, "x" * 200_000)
    plans = [Plan(most=4)]
    with JetstreamWorld(events, v2=v2, plans=plans) as world:
        source = source_of(world, max_frame_bytes=100_000)
        found: list[SourceItem] = []
        with reading(source) as more:
            while world.frame(9) not in raws(found):
                found += more(1)
            assert "larger than any post" in source.status().detail
    assert any(item.too_large for item in found)
    assert set(raws(found)) >= {world.frame(index) for index in (0, 1, 2, 3, 9)}


def test_after_an_event_too_large_a_cut_is_gone_on_from_as_any_other() -> None:
    events = made_posts(20)
    events[4] = made_post(4, "x" * 200_000)
    with JetstreamWorld(events, v2=True, plans=[Plan(most=4), Plan(), Plan(most=3)]) as world:
        source = source_of(world, max_frame_bytes=100_000)
        found: list[SourceItem] = []
        with reading(source) as more:
            while world.frame(19) not in raws(found):
                found += more(1)
    # The event after the last one, then one further each time: nothing but the large one is missed.
    assert [visit.cursor for visit in world.visits] == [None, 4, 6, 8]
    assert [item.raw for item in found if not item.too_large] == [
        world.frame(index) for index in range(20) if index != 4
    ]


def test_an_event_of_an_earlier_time_does_not_move_the_cursor_back() -> None:
    events = [made_post(0), made_post(1, time_us=START_US - 90_000)]
    with JetstreamWorld(events, v2=False) as world, reading(source_of(world)) as more:
        first, second = more(2)
    assert first.cursor == second.cursor == f"{world.host} - {START_US}"


def test_a_bomb_without_its_size_is_unpacked_up_to_the_bound_only() -> None:
    bomb = zstandard.ZstdCompressor(write_content_size=False).compress(b"\0" * 200_000_000)
    unpacker = jetstream_connect.Unpacker(None, 100_000)
    tracemalloc.start()
    try:
        assert unpacker.frame(bomb) is None
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


def test_a_packed_bomb_is_too_large_and_costs_neither_memory_nor_the_connection() -> None:
    bomb = zstandard.ZstdCompressor().compress(b"\0" * 200_000_000)
    without_size = zstandard.ZstdCompressor(write_content_size=False).compress(b"\0" * 20_000_000)
    plans = [Plan(first=[bomb, without_size])]
    with JetstreamWorld(made_posts(3), v2=True, plans=plans) as world, reading(source_of(world)) as more:
        items = more(5)
    assert [item.too_large for item in items] == [True, True, False, False, False]
    assert len(world.visits) == 1


HOSTILE = [
    b"",
    b"{",
    b"null",
    b"[]",
    b'"text"',
    b"\xff\xfe\x00",
    b"[" * 100_000,
    b'{"did":"did:plc:x","time_us":1,"kind":"commit","more":' + b"[" * 100_000,
    b'{"did":"did:plc:x","time_us":1e400,"kind":"commit"}',
    b'{"did":"did:plc:x","time_us":%d,"kind":"commit"}' % 10**400,
    b'{"did":"did:plc:x","time_us":-1,"kind":"commit"}',
    b'{"did":5,"time_us":1,"kind":"commit"}',
    b'{"$type":"message","payload":{"seq":"x"}}',
    b'{"$type":"message","payload":null}',
    b'{"$type":"message","payload":{"$type":"#commit","seq":1,"did":"d","time":"0001-01-01T00:00:00+14:00"}}',
    b'{"$type":"unheard of"}',
    b"\x28\xb5\x2f\xfd broken",
]


@BOTH
def test_hostile_frames_come_as_they_are_for_dead_letters_and_move_no_cursor(v2: bool) -> None:
    plans = [Plan(first=HOSTILE)]
    normalize = PostNormalizer(Authors(None))
    with JetstreamWorld(made_posts(2), v2=v2, plans=plans) as world, reading(source_of(world)) as more:
        items = more(len(HOSTILE) + 2)
    outcomes = [normalize(raw) for raw in raws(items)]
    assert raws(items)[: len(HOSTILE)] == HOSTILE
    assert all(isinstance(outcome, DeadLetter | Skip) for outcome in outcomes[: len(HOSTILE)])
    assert {
        outcome.reason for outcome in outcomes[: len(HOSTILE)] if isinstance(outcome, DeadLetter)
    } >= {
        DeadReason.NOT_JSON,
        DeadReason.INVALID_UTF8,
        DeadReason.SCHEMA,
        DeadReason.TOO_DEEP,
    }
    assert all(isinstance(outcome, Post) for outcome in outcomes[len(HOSTILE) :])
    assert len(world.visits) == 1


@BOTH
def test_one_clock_ahead_by_years_does_not_move_the_cursor_there(v2: bool) -> None:
    far = int((time.time() + 10 * 365 * 86_400) * 1e6)
    events = [*made_posts(3), made_post(3, time_us=far)]
    with JetstreamWorld(events, v2=v2) as world, reading(source_of(world)) as more:
        last = more(4)[-1].cursor
    assert last.split(" ")[2] == str(events[2]["time_us"])


def test_a_redirect_to_another_host_is_not_followed() -> None:
    plans = [Plan(refuse=(302, ""), headers={"Location": "ws://127.0.0.2:1/subscribe"})]
    with (
        JetstreamWorld(made_posts(2), v2=False, plans=plans) as world,
        reading(source_of(world)) as more,
    ):
        assert len(more(2)) == 2
    assert len(world.visits) == 2


def test_retry_after_is_honoured() -> None:
    plans = [Plan(refuse=(429, ""), headers={"Retry-After": "1"})]
    with JetstreamWorld(made_posts(1), v2=False, plans=plans) as world:
        started = time.monotonic()
        with reading(source_of(world)) as more:
            more(1)
    assert time.monotonic() - started >= 1.0


@pytest.mark.parametrize("where", ["reading", "refused", "mute", "nobody"])
def test_close_from_another_thread_ends_it_soon(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jetstream_connect, "CONNECT_TIMEOUT_S", 60.0)
    mute = socket.create_server(("127.0.0.1", 0))
    plans = [Plan(refuse=(503, ""))] * 3 if where == "refused" else [Plan(silent=True)]
    with mute, JetstreamWorld([], v2=False, plans=plans) as world:
        spec = world.spec
        if where == "mute":
            spec = f"ws://127.0.0.1:{mute.getsockname()[1]}/subscribe"
        elif where == "nobody":
            spec = "ws://127.0.0.1:1/subscribe"
        source = JetstreamSource(spec, "t", stall_after_s=60, backoff=Backoff(random.Random(1), 60, 60))
        thread = threading.Thread(target=lambda: list(source.items(None)))
        thread.start()
        time.sleep(0.3)
        source.close()
        thread.join(20)
        assert not thread.is_alive()
        assert source.status().state == "closed"


def test_a_slow_reader_slows_the_server_and_loses_nothing() -> None:
    events = [made_post(number, "x" * 20_000) for number in range(1_500)]
    with JetstreamWorld(events, v2=True) as world, reading(source_of(world)) as more:
        more(1)
        time.sleep(0.5)
        assert world.happened < 1_500  # 30 MB fit into no buffer between the two
        assert len(more(1_499)) == 1_499
    assert len(world.visits) == 1


@pytest.mark.parametrize(
    "spec",
    [
        "jetstream://",
        "jetstream:host",
        "jetstream://host:99999",
        "jetstream://host:port",
        "jetstream://me:secret@host",
        "jetstream://host/other",
        "wss://host/subscribe?wantedDids=x",
        "https://host/subscribe",
        "jetstream://ho\nst/x",
    ],
)
def test_an_address_that_is_none_is_told_in_one_line(spec: str) -> None:
    with pytest.raises(BadSetting, match=r"wants jetstream://HOST") as caught:
        JetstreamSource(spec, "t", stall_after_s=1)
    assert "\n" not in str(caught.value)


def test_a_plain_host_is_v2_over_tls() -> None:
    endpoint = jetstream_connect.Endpoint("jetstream://jetstream.us-west.bsky.network")
    assert endpoint.url(7, 100, None) == (
        "wss://jetstream.us-west.bsky.network/xrpc/network.bsky.jetstream.subscribeEvents"
        "?kinds=commit&kinds=account&collections=app.bsky.feed.post&collections=app.bsky.feed.repost"
        "&maxMessageSizeBytes=100&cursor=7"
    )


@pytest.mark.parametrize("cursor", ["5", "9:9", "host x 5", "host 5 x", '[{"topic":"a"}]', "host 5"])
def test_a_cursor_of_another_source_is_refused(cursor: str) -> None:
    source = JetstreamSource("jetstream://127.0.0.1:1", "t", stall_after_s=1)
    with pytest.raises(BadInput, match="left by another source"):
        next(source.items(cursor))
