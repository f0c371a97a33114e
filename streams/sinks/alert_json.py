"""The one JSON form of an alert state change: API, alert stream, webhook and NDJSON file share it."""

from __future__ import annotations

import msgspec

from streams.store.reader import StoredAlert


def alert_json(stored: StoredAlert) -> bytes:
    """One line of JSON: the fields of `Alert`, with `seq`, its place in the log, in front."""
    return b'{"seq":%d,' % stored.seq + msgspec.json.encode(stored.alert)[1:]
