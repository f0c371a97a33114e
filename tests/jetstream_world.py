"""A local Jetstream over real websockets: it streams frames, v1 or v2, answers cursors as the real one
does, and fails as a test says."""

from __future__ import annotations

import contextlib
import gzip
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import zstandard
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

from streams.sources.base import Source, SourceItem
from streams.sources.posts.jetstream_connect import DICTIONARY_PATH, V1_PATH, V2_PATH

TYPE = "network.bsky.jetstream.subscribeEvents#"
START_US = 1_783_175_888_000_000
Event = dict[str, Any]


def recorded(shared_data: Path) -> list[Event]:
    """The frames recorded of v1 in July 2026."""
    packed = (shared_data / "posts" / "jetstream-v1-2026.jsonl.gz").read_bytes()
    return [json.loads(line) for line in gzip.decompress(packed).splitlines()]


def made_post(number: int, text: str = "", *, time_us: int | None = None, did: str = "") -> Event:
    return {
        "did": did or f"did:plc:author{number % 7}",
        "time_us": START_US + number * 2_000_000 if time_us is None else time_us,
        "kind": "commit",
        "commit": {
            "rev": f"3rev{number:08d}",
            "operation": "create",
            "collection": "app.bsky.feed.post",
            "rkey": f"3made{number:08d}",
            "record": {
                "$type": "app.bsky.feed.post",
                "createdAt": "2026-07-04T14:38:06.240Z",
                "langs": ["en"],
                "text": text or f"Post number {number} about the Holy Grail",
            },
            "cid": f"bafyreimade{number:048d}",
        },
    }


def made_posts(count: int) -> list[Event]:
    return [made_post(number) for number in range(count)]


def deletion_of(event: Event, time_us: int) -> Event:
    commit = {name: event["commit"][name] for name in ("rev", "collection", "rkey")}
    return {
        "did": event["did"],
        "time_us": time_us,
        "kind": "commit",
        "commit": {**commit, "operation": "delete"},
    }


def spaced(events: Sequence[Event], step_us: int = 2_000_000) -> list[Event]:
    """The same at a slower pace, so that stepping back some seconds does not mean beginning anew."""
    return [{**event, "time_us": START_US + at * step_us} for at, event in enumerate(events)]


def as_v2(event: Event, seq: int) -> Event:
    moment = datetime.fromtimestamp(event["time_us"] / 1e6, UTC)
    when = moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    head = {"$type": TYPE + event["kind"], "seq": seq, "did": event["did"]}
    payload = {**head, "time": when, "witnessedAt": when}
    if event["kind"] == "commit":
        payload |= event["commit"]
    else:
        payload[event["kind"]] = event[event["kind"]]
    return {"$type": "message", "payload": payload}


def info(name: str, message: str) -> bytes:
    return _json(
        {"$type": "message", "payload": {"$type": TYPE + "info", "name": name, "message": message}}
    )


def error(name: str, message: str) -> bytes:
    return _json({"$type": "error", "error": name, "message": message})


@dataclass
class Plan:
    """What one connection gets."""

    most: int | None = None
    """Events, then it is cut; None: all there are, and then it stays open."""
    mid_frame: bool = False
    """The cut comes within the next frame."""
    meanwhile: int = 0
    """Events that nobody is connected for, after the cut."""
    first: Sequence[bytes] = ()
    """Messages before the events."""
    refuse: tuple[int, str] | None = None
    """HTTP status and body instead of a stream."""
    headers: dict[str, str] = field(default_factory=dict)
    silent: bool = False
    goodbye: int | None = None
    """Close code of a proper end."""


@dataclass
class Visit:
    path: str
    query: dict[str, list[str]]
    headers: Headers

    @property
    def cursor(self) -> int | None:
        return int(self.query["cursor"][0]) if "cursor" in self.query else None


class JetstreamWorld:
    """Events happen in order; without a cursor a connection sees those that happen from then on. The
    n-th connection gets the n-th plan, later ones the whole stream."""

    def __init__(
        self,
        events: Sequence[Event],
        *,
        v2: bool,
        plans: Sequence[Plan] = (),
        first_seq: int = 1,
        floor: int = 0,
        dictionary: bytes | None = None,
    ) -> None:
        self.events = list(events)
        self.v2 = v2
        self.plans = list(plans)
        self.first_seq = first_seq
        self.floor = floor
        """Events before are no longer kept."""
        self.happened = 0
        self.visits: list[Visit] = []
        self.dictionary = dictionary
        self.dictionaries_fetched = 0
        self.over = threading.Event()
        self._lock = threading.Lock()
        self._server = serve(
            self._stream,
            "127.0.0.1",
            0,
            process_request=self._admit,
            compression=None,
            select_subprotocol=lambda connection, offered: "xrpc.v1.json" if v2 and offered else None,
            close_timeout=0.2,
        )
        self.port: int = self._server.socket.getsockname()[1]
        self.spec = f"ws://127.0.0.1:{self.port}{V2_PATH if v2 else V1_PATH}"
        self.host = f"127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._server.shutdown()
        self._thread.join(10)

    def frame(self, index: int) -> bytes:
        event = self.events[index]
        return _json(as_v2(event, self.first_seq + index) if self.v2 else event)

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        parts = urlsplit(request.path)
        query = parse_qs(parts.query)
        if parts.path == DICTIONARY_PATH:
            self.dictionaries_fetched += 1
            if self.dictionary is None:
                return _answer(404, b'{"error":"DictionaryNotFound"}')
            return _answer(200, self.dictionary)
        with self._lock:
            number = len(self.visits)
            self.visits.append(Visit(parts.path, query, request.headers))
        plan = self.plans[number] if number < len(self.plans) else Plan()
        connection.plan, connection.visit = plan, self.visits[number]  # type: ignore[attr-defined]  # of ours
        if plan.refuse is not None:
            return _answer(plan.refuse[0], plan.refuse[1].encode(), plan.headers)
        cursor = self.visits[number].cursor
        if self.v2:
            if any(name in query for name in ("wantedCollections", "wantedDids", "compress")):
                return _answer(400, b'{"error":"InvalidRequest","message":"a parameter of v1"}')
            if cursor is not None and cursor < 10**15 and cursor < self.first_seq + self.floor:
                told = f'{{"error":"CursorTooOld","message":"floor {self.first_seq + self.floor}"}}'
                return _answer(400, told.encode())
            wanted = query.get("zstdDictionary")
            if wanted is not None and int(wanted[0]) != self._dictionary_id():
                return _answer(400, b'{"error":"UnknownZstdDictionary","message":"current id is 7"}')
        return None

    def _dictionary_id(self) -> int | None:
        return (
            None if self.dictionary is None else zstandard.ZstdCompressionDict(self.dictionary).dict_id()
        )

    def _stream(self, connection: ServerConnection) -> None:
        plan: Plan = connection.plan  # type: ignore[attr-defined]  # of ours
        visit: Visit = connection.visit  # type: ignore[attr-defined]  # of ours
        with contextlib.suppress(ConnectionClosed, OSError):
            self._send_all(connection, plan, visit)

    def _send_all(self, connection: ServerConnection, plan: Plan, visit: Visit) -> None:
        pack = self._packer(visit)
        for message in plan.first:
            connection.send(message, text=not message.startswith(b"\x28\xb5"))
        if not plan.silent:
            sent = 0
            for index in range(self._begin(visit, connection), len(self.events)):
                if plan.most is not None and sent >= plan.most:
                    break
                self.happened = max(self.happened, index + 1)
                if self._wanted(self.events[index], visit.query):
                    frame = pack(self.frame(index))
                    connection.send(frame, text=not visit.query.keys() & {"zstdDictionary", "compress"})
                    sent += 1
            else:
                index = len(self.events)
            if plan.most is not None:
                self.happened = max(self.happened, min(index + plan.meanwhile, len(self.events)))
                if plan.goodbye is not None:
                    connection.close(plan.goodbye, "going away")
                    return
                if plan.mid_frame and index < len(self.events):
                    whole = Frame(Opcode.TEXT, self.frame(index)).serialize(mask=False)
                    connection.socket.sendall(whole[: len(whole) // 2])
                connection.socket.shutdown(2)
                return
        while not self.over.is_set():
            with contextlib.suppress(TimeoutError):
                connection.recv(0.05)

    def _begin(self, visit: Visit, connection: ServerConnection) -> int:
        cursor = visit.cursor
        if cursor is None:
            return self.happened
        if cursor < 10**15:
            if not self.v2:
                raise AssertionError("v1 is asked by time")
            if cursor > self.first_seq + self.happened:
                connection.send(info("FutureCursor", f"starts at {self.happened}"), text=True)
                return self.happened
            return cursor - self.first_seq
        for index in range(self.floor, len(self.events)):
            if self.events[index]["time_us"] >= cursor:
                if self.v2 and index == self.floor and self.floor:
                    connection.send(info("OutdatedCursor", f"from {index}"), text=True)
                return index
        return len(self.events)

    def _wanted(self, event: Event, query: dict[str, list[str]]) -> bool:
        kind = event["kind"]
        if self.v2 and "kinds" in query and kind not in query["kinds"]:
            return False
        wanted = query.get("collections" if self.v2 else "wantedCollections")
        return kind != "commit" or wanted is None or event["commit"]["collection"] in wanted

    def _packer(self, visit: Visit) -> Callable[[bytes], bytes]:
        if self.dictionary is None or not visit.query.keys() & {"zstdDictionary", "compress"}:
            return lambda frame: frame
        loaded = zstandard.ZstdCompressionDict(self.dictionary)
        return zstandard.ZstdCompressor(dict_data=loaded).compress


def trained_dictionary(events: Sequence[Event]) -> bytes:
    samples = [_json(as_v2(event, at + 1)) for at, event in enumerate(events)]
    return zstandard.train_dictionary(4_096, samples, dict_id=77).as_bytes()


def take(source: Source, items: Iterator[SourceItem], count: int) -> list[SourceItem]:
    """The next `count` items with something in them."""
    found: list[SourceItem] = []
    for item in items:
        if item.raw is not None:
            found.append(item)
            if len(found) == count:
                break
    return found


def finish(source: Source, items: Iterator[SourceItem]) -> None:
    source.close()
    for _ in items:
        pass


def _json(body: Any) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _answer(status: int, body: bytes, headers: dict[str, str] | None = None) -> Response:
    told = Headers({"Content-Length": str(len(body)), "Connection": "close", **(headers or {})})
    return Response(status, "OK" if status == 200 else "Refused", told, body)
