"""Stands in for a Mastodon server: its public stream, and the timeline of what was missed."""

from __future__ import annotations

import json
from collections.abc import Iterator

from streams.demo.broadcast import Broadcast
from streams.demo.pages import Json

STREAM = "/api/v1/streaming/public"
TIMELINE = "/api/v1/timelines/public"
PAGE = 40


def stream(statuses: Broadcast) -> Iterator[bytes]:
    """As server-sent events, from now on."""
    yield b":)\n"
    for sent in statuses.listen(None):
        if sent is None:
            yield b":thump\n"
        else:
            yield b"event: " + sent.kind.encode() + b"\ndata: " + sent.data + b"\n\n"


def timeline(statuses: Broadcast, params: dict[str, str]) -> list[Json]:
    """Statuses newer than `since_id` and older than `max_id`, the newest first, as they are now."""
    now: dict[int, Json] = {}
    for sent in statuses.kept():
        if sent.kind == "delete":
            now.pop(int(sent.data), None)
        else:
            told = json.loads(sent.data)
            if sent.kind == "update" or int(told["id"]) in now:
                now[int(told["id"])] = told
    since, before = _number(params, "since_id", 0), _number(params, "max_id", 1 << 80)
    found = [now[name] for name in sorted(now, reverse=True) if since < name < before]
    return found[: min(PAGE, _number(params, "limit", PAGE))]


def _number(params: dict[str, str], name: str, otherwise: int) -> int:
    text = params.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 25 else otherwise
