"""Wikimedia's EventStreams as it words a stream: blocks of server-sent events, and where one goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime

from streams.demo.broadcast import Sent
from streams.demo.pages import Json


def event_blocks(listening: Iterator[Sent | None], streams: list[str]) -> Iterator[bytes]:
    yield b":ok\n\n"
    for sent in listening:
        if sent is None:
            yield b":\n\n"
            continue
        at_ms = sent.at_us // 1000
        places: list[Json] = [
            {"topic": f"eqiad.{stream}", "partition": 0, "timestamp": at_ms} for stream in streams
        ]
        places += [{"topic": f"codfw.{stream}", "partition": 0, "offset": -1} for stream in streams]
        position = json.dumps(places).encode()
        yield b"event: message\nid: " + position + b"\ndata: " + sent.data + b"\n\n"


def milliseconds(dt: str) -> int:
    return round(datetime.fromisoformat(dt).timestamp() * 1000)


def resume_point(last_event_id: str | None, since: str | None) -> int | None:
    """Where to go on, in milliseconds: the earliest of the timestamps in a Last-Event-ID, else
    `since` (milliseconds or ISO 8601). What can't be read counts as not given."""
    try:
        if last_event_id:
            return min(
                int(place["timestamp"]) for place in json.loads(last_event_id) if "timestamp" in place
            )
        if since:
            return int(since) if since.isdigit() else milliseconds(since)
    except (ValueError, TypeError, KeyError):
        return None
    return None
