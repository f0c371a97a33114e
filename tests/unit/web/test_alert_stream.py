"""GET /v1/alerts/stream: pushed, resumed, bounded."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest

from streams.store.reader import StoredAlert
from tests.memory_alerts import MemoryAlerts
from tests.sample_alerts import HOSTILE_TITLE, resolved, sample_alert
from tests.web_world import WebWorld, eventually, serve


class Listener:
    """A plain socket that reads server-sent events."""

    def __init__(self, world: WebWorld, query: str = "", headers: str = "") -> None:
        place = urlsplit(world.url)
        self.socket = socket.create_connection((place.hostname, place.port), timeout=60)
        request = f"GET /v1/alerts/stream{query} HTTP/1.0\r\nHost: localhost\r\n{headers}\r\n"
        self.socket.sendall(request.encode())
        self.file = self.socket.makefile("rb")
        self.status = int(self.file.readline().split()[1])
        self.head = b"".join(iter(self.file.readline, b"\r\n")).decode()

    def event(self) -> dict[str, str]:
        """The next event, or comment under "comment"."""
        fields: dict[str, str] = {}
        for line in iter(self.file.readline, b"\n"):
            assert line, "the stream ended"
            name, _, value = line.decode().rstrip("\n").partition(": ")
            fields[name or "comment"] = value
        return fields

    def alerts(self, count: int) -> list[dict[str, str]]:
        found: list[dict[str, str]] = []
        while len(found) < count:
            event = self.event()
            if "data" in event:
                found.append(event)
        return found

    def close(self) -> None:
        self.file.close()
        self.socket.close()


@contextmanager
def listening(world: WebWorld, query: str = "", headers: str = "") -> Iterator[Listener]:
    listener = Listener(world, query, headers)
    try:
        yield listener
    finally:
        listener.close()


@pytest.fixture
def world() -> Iterator[WebWorld]:
    world = WebWorld()
    with serve(world):
        yield world


def test_a_new_alert_is_pushed_to_every_client(world: WebWorld) -> None:
    world.alerts.commit(sample_alert(1))
    with listening(world) as one, listening(world) as two:
        assert "text/event-stream" in one.head
        assert one.event()["retry"] == two.event()["retry"] == "3000"
        world.alerts.commit(sample_alert(2, title=HOSTILE_TITLE))
        for listener in (one, two):
            [event] = listener.alerts(1)
            assert (event["id"], event["event"]) == ("2", "edit.suspect")
            data = msgspec.json.decode(event["data"])
            assert (data["seq"], data["title"]) == (2, HOSTILE_TITLE)


@pytest.mark.parametrize(
    ("query", "headers"),
    [("?after=2", ""), ("", "Last-Event-ID: 2\r\n"), ("?after=0", "Last-Event-ID: 2\r\n")],
)
def test_a_client_resumes_after_what_it_saw(world: WebWorld, query: str, headers: str) -> None:
    world.alerts.commit(*(sample_alert(number) for number in range(1, 302)))
    with listening(world, query, headers) as listener:
        assert [event["id"] for event in listener.alerts(299)] == [str(seq) for seq in range(3, 302)]


def test_a_filtered_stream_leaves_out_the_rest(world: WebWorld) -> None:
    with listening(world, "?after=0&wiki=dewiki&kind=edit.suspect") as listener:
        for number in range(1, 250):
            world.alerts.commit(sample_alert(number))
        world.alerts.commit(sample_alert(250, wiki="dewiki"))
        assert [event["id"] for event in listener.alerts(1)] == ["250"]


class CountedAlerts(MemoryAlerts):
    reads = 0

    def log(self, *args: Any, **kwargs: Any) -> list[StoredAlert]:
        self.reads += 1
        return super().log(*args, **kwargs)


def test_a_client_whose_filter_lets_nothing_through_reads_the_log_only_for_news() -> None:
    alerts = CountedAlerts()
    with serve(WebWorld(alerts), poll_s=0.02, heartbeat_s=0.1) as world:
        alerts.commit(*(sample_alert(number) for number in range(1, 500)))
        with listening(world, "?after=0&wiki=dewiki") as listener:
            for _ in range(4):
                listener.event()
            assert 1 <= alerts.reads <= 2
            alerts.commit(sample_alert(500, wiki="dewiki"))
            assert [event["id"] for event in listener.alerts(1)] == ["500"]
            assert alerts.reads <= 4


@pytest.mark.parametrize("query", ["?after=-1", "?after=x", "?status=open", "?limit=1"])
def test_bad_parameters_are_refused(world: WebWorld, query: str) -> None:
    assert world.get(f"/v1/alerts/stream{query}")[0] == 400


def test_a_bad_last_event_id_is_refused(world: WebWorld) -> None:
    status, _, body = world.get("/v1/alerts/stream", {"Last-Event-ID": "x"})
    assert status == 400
    assert "Last-Event-ID" in body["detail"]


def test_a_place_beyond_the_log_is_told(world: WebWorld) -> None:
    """After a fresh store: waiting for number 501 in silence would hide 500 alerts."""
    world.alerts.commit(sample_alert(1))
    status, _, body = world.get("/v1/alerts/stream?after=500")
    assert status == 409
    assert "?after=0" in body["detail"]


def test_clients_are_bounded_and_leaving_makes_room() -> None:
    with serve(WebWorld(), max_clients=2) as world:
        first, second = Listener(world), Listener(world)
        first.event()
        second.event()
        status, headers, body = world.get("/v1/alerts/stream")
        assert (status, headers["Retry-After"]) == (503, "30")
        assert "2 clients" in body["detail"]
        first.close()
        third = eventually(
            lambda: next((x for x in [Listener(world)] if x.status == 200 or x.close()), None)
        )
        third.close()
        second.close()


def test_silence_is_filled_with_heartbeats() -> None:
    with serve(WebWorld(), heartbeat_s=0.05) as world, listening(world, "?wiki=dewiki") as listener:
        listener.event()
        for number in range(1, 4):
            world.alerts.commit(sample_alert(number))  # not for this client: no sign of life to it
            assert listener.event() == {"comment": "still here"}


def test_a_client_that_reads_nothing_is_cut_and_others_are_served() -> None:
    world = WebWorld()
    big = "x" * 20_000
    world.alerts.commit(*(sample_alert(number, comment=big) for number in range(1, 1000)))
    with serve(world, max_clients=2, stalled_s=0.3, poll_s=0.02) as served:
        lazy = Listener(served, "?after=0")
        with listening(served, "?after=999") as quick:
            world.alerts.commit(resolved(sample_alert(1)))
            assert [event["id"] for event in quick.alerts(1)] == ["1000"]
            eventually(lambda: served.get("/v1/alerts/stream", method="HEAD")[0] == 200)
        lazy.close()


def test_many_writers_and_a_client_lose_no_alert(world: WebWorld) -> None:
    writers = [
        threading.Thread(target=lambda n=n: [world.alerts.commit(sample_alert(n)) for _ in range(100)])
        for n in range(4)
    ]
    with listening(world, "?after=0") as listener:
        for writer in writers:
            writer.start()
        assert [event["id"] for event in listener.alerts(400)] == [str(seq) for seq in range(1, 401)]
        for writer in writers:
            writer.join()


def test_the_server_stops_while_clients_listen() -> None:
    with serve(WebWorld()) as world:
        listener = Listener(world)
        listener.event()
    assert listener.file.readline() == b""
    listener.close()
