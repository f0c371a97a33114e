"""Bluesky's Jetstream (https://github.com/bluesky-social/jetstream), v1 and v2, over a websocket."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Iterator

from streams.errors import BadInput, SourceUnavailable
from streams.sources.backoff import Backoff
from streams.sources.base import SourceItem, SourceStatus
from streams.sources.ndjson import KEPT_BYTES
from streams.sources.posts.interruptible import interruptibly
from streams.sources.posts.jetstream_connect import (
    Connection,
    Endpoint,
    Refused,
    TooLargeFrame,
    Unpacker,
    dial,
    fetch_dictionary,
)
from streams.sources.posts.jetstream_frames import (
    FIRST_TIME_CURSOR,
    REWIND_US,
    Failure,
    Info,
    Mark,
    Place,
    parse_place,
    read_frame,
)
from streams.sources.posts.standing import Standing
from streams.stages.normalize import quote_untrusted

log = logging.getLogger(__name__)
#: A record has 1 MiB at most (https://atproto.com/specs/repository), as JSON with its frame a little more.
MAX_FRAME_BYTES = 2 << 20
#: A server's clock may be this far ahead of ours.
MAX_AHEAD_US = 60_000_000
#: Of the whole network something is posted every few milliseconds: a first event this much later than
#: where it was left says that v1 has put the cursor forward, of which it says nothing itself.
GAP_US = 600_000_000
#: Behind a frame that is too large the next is asked for, then one this much further, then twice as far,
#: until one can be read: how far away it is isn't known.
SKIP_SEQ, SKIP_US = 2, 10_000


class JetstreamSource:
    """Posts, reposts and deletions of all of Bluesky, as `frames` of the server: `raw` is one.

    Nothing is lost while the server still has it (36 hours). v2 resumes by seq, without a repeat, at
    the host that gave it. v1, and v2 at another host, resume by time and repeat some seconds. What can
    no longer be had is said in `status` and logged.
    """

    name = "jetstream"

    def __init__(
        self,
        spec: str,
        user_agent: str,
        *,
        stall_after_s: float,
        packed: bool = True,
        dictionary: bytes | None = None,
        max_frame_bytes: int = MAX_FRAME_BYTES,
        backoff: Backoff | None = None,
    ) -> None:
        """`packed` asks a v2 server for zstd, with its own dictionary; of v1 only where its `dictionary`
        is given. Raises `BadSetting` for an address that is none, `BadInput` for the dictionary."""
        self._endpoint = Endpoint(spec)
        self._user_agent = user_agent
        self._stall_after_s = stall_after_s
        self._max_bytes = max_frame_bytes
        self._backoff = backoff or Backoff(random.Random())  # noqa: S311  # spreads load, keeps no secret
        self._unpacker = Unpacker(None if self._endpoint.v2 else dictionary, max_frame_bytes)
        self._wants_dictionary = packed and self._endpoint.v2
        self._place: Place | None = None
        self._by_time = False
        """The seq of `_place` is of no use to this server."""
        self._since_us: int | None = None
        """Without a place: when the first connection was made, so that no cut before the first event loses
        what came meanwhile."""
        self._skipped = 0
        """Frames too large in a row."""
        self._asked: int | None = None
        self._standing = Standing(self._endpoint.host)
        self._lock = threading.Lock()
        self._connection: Connection | None = None

    def items(self, cursor: str | None) -> Iterator[SourceItem]:
        """Ends after `close` only; never raises for an outage. Raises `BadInput` for the cursor of
        another source."""
        self._place = parse_place(cursor)
        while not self._standing.closing.is_set():
            try:
                connection = self._connect()
            except Refused as err:
                self._refused(err)
                continue
            except SourceUnavailable as err:
                self._standing.wait(str(err), self._backoff.after_failure(err.retry_after_s))
                continue
            if connection is None:
                break
            connected_at = time.monotonic()
            alive = False
            why = ""
            try:
                for item in self._read(connection):
                    if not alive:
                        alive = True
                        self._backoff.alive()
                    yield item
            except TooLargeFrame as err:
                why = str(err)
                yield self._too_large()
            except _Again as err:
                self._standing.connecting(f"{err}; asks by time")
                continue
            except SourceUnavailable as err:
                why = str(err)
            finally:
                with self._lock:
                    self._connection = None
                connection.close()
            connected_s = time.monotonic() - connected_at
            backoff = self._backoff
            self._standing.wait(
                why, backoff.after_cut(connected_s) if alive else backoff.after_failure()
            )

    def status(self) -> SourceStatus:
        return self._standing.status()

    def close(self) -> None:
        """Ends a blocked read, wait or connect of the iterating thread within a second."""
        with self._lock:
            self._standing.close()
            if self._connection is not None:
                self._connection.hang_up()

    def _connect(self) -> Connection | None:
        """An open stream that begins where `_place` says, or None once closed."""
        connection = interruptibly(self._dial, self._standing.closing, Connection.close)
        if connection is None:
            return None
        with self._lock:
            self._connection = connection
            if self._standing.closing.is_set():
                connection.hang_up()
        if self._place is None and self._since_us is None:
            self._since_us = int(time.time() * 1e6)
        self._standing.connected()
        return connection

    def _dial(self) -> Connection:
        if self._wants_dictionary:
            self._wants_dictionary = False
            try:
                found = fetch_dictionary(self._endpoint, self._user_agent)
                self._unpacker = Unpacker(found, self._max_bytes)
            except (SourceUnavailable, BadInput) as err:
                log.warning("%s: reads unpacked frames: %s", self._endpoint.host, err)
        self._asked = self._cursor()
        url = self._endpoint.url(self._asked, self._max_bytes, self._unpacker.dictionary_id)
        return dial(self._endpoint, url, self._user_agent, self._max_bytes)

    def _cursor(self) -> int | None:
        """What to ask for."""
        place = self._place
        if place is None:
            return None if self._since_us is None else self._since_us - REWIND_US
        skip = (1 << min(self._skipped, 30)) >> 1  # 0, 1, 2, 4 …
        if self._endpoint.v2 and place.seq is not None and not self._by_time:
            if place.host == self._endpoint.host:
                return place.seq + skip * SKIP_SEQ
        elif skip:
            return place.time_us + skip * SKIP_US
        return max(place.time_us - REWIND_US, FIRST_TIME_CURSOR)

    def _read(self, connection: Connection) -> Iterator[SourceItem]:
        first = True
        while True:
            message = connection.message(self._stall_after_s)
            if self._standing.closing.is_set():
                return
            self._standing.alive()
            frame = self._unpacker.frame(message)
            if frame is None:
                yield SourceItem(self._text(), message[:KEPT_BYTES], too_large=True)
                continue
            found = read_frame(frame)
            if isinstance(found, Failure):
                self._failed(found)
            elif isinstance(found, Info):
                self._told(found, first)
                yield SourceItem(self._text())
                continue
            elif found is not None:
                repeated = first and self._is_last(found)
                if first:
                    self._check_gap(found)
                    first = False
                self._moved(found)
                if repeated:
                    yield SourceItem(self._text())
                    continue
            yield SourceItem(self._text(), frame)

    def _is_last(self, mark: Mark) -> bool:
        """The event that was the last before the cut: v2's cursor is inclusive."""
        place = self._place
        if place is None or mark.seq is None:
            return False
        return (place.host, place.seq) == (self._endpoint.host, mark.seq)

    def _moved(self, mark: Mark) -> None:
        host = self._endpoint.host
        latest_us = int(time.time() * 1e6) + MAX_AHEAD_US
        place = self._place or Place(host, mark.seq, min(mark.time_us, latest_us))
        self._place = place.after(mark, host, latest_us)
        self._by_time = False
        self._skipped = 0

    def _text(self) -> str:
        return "" if self._place is None else self._place.text()

    def _check_gap(self, mark: Mark) -> None:
        place, asked = self._place, self._asked
        if place is None or asked is None or asked < FIRST_TIME_CURSOR or self._skipped:
            return
        late_us = mark.time_us - place.time_us
        if late_us > GAP_US:
            self._standing.lost(
                f"the server's oldest is {late_us / 3.6e9:.1f} h after where it was left"
            )

    def _told(self, info: Info, first: bool) -> None:
        """A seq beyond the newest is of another archive of this host: its time leads on. Asked at once
        and only once: until an event has come, `_by_time` stays."""
        if info.name == "FutureCursor" and first and self._place is not None and not self._skipped:
            if not self._by_time:
                self._by_time = True
                raise _Again("the server's events are numbered anew")
            return
        self._standing.lost(f"{quote_untrusted(info.name, 40)}: {quote_untrusted(info.message, 160)}")

    def _failed(self, failure: Failure) -> None:
        name, message = quote_untrusted(failure.error, 40), quote_untrusted(failure.message, 160)
        if failure.error == "CursorTooOld":
            self._too_old()
        raise SourceUnavailable(f"the server ends the stream: {name}: {message}")

    def _refused(self, err: Refused) -> None:
        """Each remedy is tried once: after that the refusal is waited for as any other."""
        if err.name == "CursorTooOld" and self._place is not None:
            self._too_old()
            self._standing.connecting(f"{err}; asks for the oldest")
            return
        if err.name == "UnknownZstdDictionary" and self._unpacker.dictionary_id is not None:
            self._unpacker = Unpacker(None, self._max_bytes)
            self._wants_dictionary = self._backoff.failures == 0
        self._standing.wait(str(err), self._backoff.after_failure(err.retry_after_s))

    def _too_old(self) -> None:
        """A time is put forward to the oldest there is; a server that refuses that too is asked for now."""
        place = self._place
        if place is not None and place.seq is not None and self._endpoint.v2 and not self._by_time:
            self._by_time = True
            self._standing.lost(
                "what was left is older than all the server still has; goes on with its oldest"
            )
        else:
            self._place = self._since_us = None
            self._standing.lost("the server has nothing of what was left; goes on from now")

    def _too_large(self) -> SourceItem:
        self._skipped += 1
        self._standing.lost("an event larger than any post was passed over")
        return SourceItem(self._text(), b"", too_large=True)


class _Again(SourceUnavailable):
    """Nothing failed: another cursor is to be asked for."""
