"""MediaWiki's UDP feed, over real datagrams on loopback."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import msgspec
import pytest

from streams.errors import BadSetting
from streams.reasons import DeadReason
from streams.records import DeadLetter, Edit
from streams.sources import rcfeed
from streams.sources.base import SourceItem
from streams.sources.rcfeed import RcFeedSource, as_recent_change
from streams.stages.normalize import Normalizer

#: As MediaWiki 1.39's JSONRCFeedFormatter sends it.
BODY = {
    "$schema": "/mediawiki/recentchange/1.0.0",
    "title": "Straße 💡",
    "id": 41,
    "type": "edit",
    "namespace": 0,
    "comment": "typo",
    "timestamp": 1_700_000_000,
    "user": "127.0.0.1",
    "bot": False,
    "minor": False,
    "length": {"old": 10, "new": 12},
    "revision": {"old": 7, "new": 8},
    "server_url": "http://127.0.0.1:8088",
    "server_name": "127.0.0.1",
    "server_script_path": "",
    "wiki": "testwiki",
    "parsedcomment": "typo",
}


@pytest.fixture
def feed() -> Iterator[RcFeedSource]:
    source = RcFeedSource("rcfeed://127.0.0.1:0")
    yield source
    source.close()


def send(source: RcFeedSource, *datagrams: bytes) -> None:
    host, _, port = source.address.rpartition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for datagram in datagrams:
            sender.sendto(datagram, (host, int(port)))


def test_a_datagram_becomes_a_recent_change_that_normalize_reads(feed: RcFeedSource) -> None:
    items = feed.items(None)
    send(feed, msgspec.json.encode(BODY))
    item = next(items)
    assert item.cursor == "41"
    assert item.raw is not None
    edit = Normalizer()(item.raw)
    assert isinstance(edit, Edit)
    assert (edit.wiki, edit.title, edit.rev_id, edit.parent_id) == ("testwiki", "Straße 💡", 8, 7)
    assert edit.event_time == edit.arrival_time == 1_700_000_000.0
    assert (edit.server_name, edit.script_path, edit.performer) == ("127.0.0.1", "", "127.0.0.1")
    body = msgspec.json.decode(item.raw)
    assert body.pop("meta") == {
        "id": edit.event_id,
        "stream": "mediawiki.recentchange",
        "dt": "2023-11-14T22:13:20+00:00",
        "domain": "127.0.0.1",
    }
    assert body == BODY


def test_the_id_is_of_the_change_not_of_its_bytes() -> None:
    one, _ = as_recent_change(msgspec.json.encode(BODY))
    again, _ = as_recent_change(msgspec.json.encode(BODY | {"patrolled": True}))
    other, _ = as_recent_change(msgspec.json.encode(BODY | {"id": 42}))
    elsewhere, _ = as_recent_change(msgspec.json.encode(BODY | {"wiki": "otherwiki"}))
    ids = [msgspec.json.decode(raw)["meta"]["id"] for raw in (one, again, other, elsewhere)]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


@pytest.mark.parametrize("missing", ["id", "wiki", "timestamp", "server_name"])
@pytest.mark.parametrize("value", [None, [], {}, 1.5, 1 << 70, -1])
def test_a_body_of_other_types_is_wrapped_all_the_same(missing: str, value: object) -> None:
    for body in (
        {name: entry for name, entry in BODY.items() if name != missing},
        BODY | {missing: value},
    ):
        raw, _ = as_recent_change(msgspec.json.encode(body))
        assert msgspec.json.decode(raw)["meta"]["id"]


def test_a_body_with_meta_is_left_as_it_is() -> None:
    raw = msgspec.json.encode(BODY | {"meta": {"id": "x"}})
    assert as_recent_change(raw) == (raw, 41)


@pytest.mark.parametrize(
    ("datagram", "reason"),
    [
        (b"", DeadReason.NOT_JSON),
        (b"[[Main Page]] M http://x * Ann * (+1) typo\n", None),
        (msgspec.json.encode(BODY)[:80], DeadReason.NOT_JSON),
        (b"[1,2]", DeadReason.SCHEMA),
        (b'{"meta":"\xff"}', None),
        (b"[" * 60_000, None),
    ],
)
def test_what_is_no_change_comes_unchanged_and_becomes_a_dead_letter(
    feed: RcFeedSource, datagram: bytes, reason: DeadReason | None
) -> None:
    items = feed.items("40")
    send(feed, datagram)
    item = next(items)
    assert item == SourceItem("40", datagram)
    dead = Normalizer()(datagram)
    assert isinstance(dead, DeadLetter)
    if reason is not None:
        assert dead.reason is reason


def test_thousands_in_a_burst_come_in_order(feed: RcFeedSource) -> None:
    items = feed.items(None)
    send(feed, msgspec.json.encode(BODY | {"id": 0}))
    next(items)
    for batch in range(20):  # each within what the kernel holds by default
        numbers = range(batch * 100 + 1, batch * 100 + 101)
        send(feed, *(msgspec.json.encode(BODY | {"id": number}) for number in numbers))
        assert [next(items).cursor for _ in numbers] == [str(number) for number in numbers]


def test_when_the_queue_is_full_the_kernel_drops_and_status_tells(
    feed: RcFeedSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rcfeed, "MAX_QUEUED_BYTES", 1_000)
    items = feed.items(None)
    send(feed, b"{}")
    next(items)
    send(feed, *[b"x" * 60_000] * 400)
    taken = 0
    deadline = time.monotonic() + 30
    while "came too fast" not in feed.status().detail and time.monotonic() < deadline:
        send(feed, b"x")
        next(items)
        taken += 1
    assert "datagrams came too fast and were lost" in feed.status().detail
    assert taken <= 400
    assert feed._queued_bytes <= 1_000 + 60_000


def test_close_ends_a_wait_and_frees_the_port() -> None:
    feed = RcFeedSource("rcfeed://127.0.0.1:0")
    address = feed.address
    assert feed.status().state == "connected"
    thread = threading.Thread(target=lambda: list(feed.items(None)))
    thread.start()
    feed.close()
    thread.join(30)
    assert not thread.is_alive()
    assert feed.status().state == "closed"
    RcFeedSource(f"rcfeed://{address}").close()


def test_without_a_host_it_listens_on_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    feed = RcFeedSource(f"rcfeed://:{port}")
    assert feed.address == f"127.0.0.1:{port}"
    feed.close()


@pytest.mark.parametrize(
    "address",
    ["rcfeed://", "rcfeed://host", "rcfeed://127.0.0.1:99999", "rcfeed:9390", "rcfeed://h:1/x"],
)
def test_an_address_that_is_none_is_refused_with_an_example(address: str) -> None:
    with pytest.raises(BadSetting, match=r"wants rcfeed://HOST:PORT, as in rcfeed://127\.0\.0\.1:9390"):
        RcFeedSource(address)


def test_an_address_in_use_or_not_ours_is_refused(feed: RcFeedSource) -> None:
    with pytest.raises(BadSetting, match="can't listen there: address already in use"):
        RcFeedSource(f"rcfeed://{feed.address}")
    with pytest.raises(BadSetting, match="can't listen there: cannot assign requested address"):
        RcFeedSource("rcfeed://192.0.2.1:9390")
