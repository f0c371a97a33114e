"""What the source needs to know of a Jetstream frame, and where it goes on after a cut. No I/O."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import msgspec

from streams.errors import BadInput

#: Times on frames of v1 are not in order (90 ms apart were seen), and hosts' clocks differ: resuming by
#: time steps back this far. What it repeats is found by its name downstream.
REWIND_US = 5_000_000
#: From here on a cursor is a time, below it a sequence number (of v2).
FIRST_TIME_CURSOR = 10**15
_Number = Annotated[int, msgspec.Meta(ge=0, le=1 << 62)]


class Mark(msgspec.Struct, frozen=True, gc=False):
    """Where an event stands in its stream."""

    time_us: int
    """When the server saw it."""
    seq: int | None
    """v2: of this server, which gives the next event a greater one."""


class Info(msgspec.Struct, frozen=True, gc=False):
    """v2: a notice that carries no event: OutdatedCursor or FutureCursor."""

    name: str
    message: str


class Failure(msgspec.Struct, frozen=True, gc=False):
    """v2: the last frame of its connection."""

    error: str
    message: str


class Place(msgspec.Struct, frozen=True, gc=False):
    """What the cursor says: `HOST:PORT SEQ TIME_US`, SEQ being `-` where the server has none. The seq
    leads on at its own host without a repeat, the time at any."""

    host: str
    seq: int | None
    time_us: int

    def text(self) -> str:
        return f"{self.host} {'-' if self.seq is None else self.seq} {self.time_us}"

    def after(self, mark: Mark, host: str, latest_us: int) -> Place:
        """v1's time goes forward only, and never beyond `latest_us`, our clock: one wrong time would
        make the next connection begin at its end."""
        time_us = mark.time_us if mark.time_us <= latest_us else self.time_us
        if mark.seq is None:
            time_us = max(time_us, self.time_us)
        return Place(host, mark.seq, time_us)


def parse_place(cursor: str | None) -> Place | None:
    """Raises `BadInput` for the cursor of another source."""
    if not cursor:
        return None
    words = cursor.split(" ")
    if len(words) == 3 and words[2].isdecimal() and (words[1] == "-" or words[1].isdecimal()):
        return Place(words[0], None if words[1] == "-" else int(words[1]), int(words[2]))
    raise BadInput(f"{cursor[:80]!r} is no place in a Jetstream: it was left by another source")


class _Payload(msgspec.Struct, gc=False):
    seq: _Number | None = None
    time: datetime | None = None
    witnessed: datetime | None = msgspec.field(name="witnessedAt", default=None)
    name: str = ""
    message: str = ""


class _Frame(msgspec.Struct, gc=False):
    time_us: _Number | None = None
    type: str = msgspec.field(name="$type", default="")
    payload: _Payload | None = None
    error: str = ""
    message: str = ""


_decode = msgspec.json.Decoder(_Frame).decode


def read_frame(frame: bytes) -> Mark | Info | Failure | None:
    """None for what can't be read: it has no place of its own, and `normalize` says what it is."""
    try:
        found = _decode(frame)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if found.time_us is not None:
        return Mark(found.time_us, None)
    if found.type == "error":
        return Failure(found.error, found.message)
    payload = found.payload
    if payload is None:
        return None
    if payload.seq is None:
        return Info(payload.name, payload.message) if payload.name else None
    moment = payload.witnessed or payload.time
    return None if moment is None else Mark(_microseconds(moment), payload.seq)


def _microseconds(moment: datetime) -> int:
    since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - datetime(1970, 1, 1, tzinfo=UTC)
    return max(0, (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)
