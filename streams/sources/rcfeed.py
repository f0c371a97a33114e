"""MediaWiki's own feed: one recent change as JSON in each UDP datagram ($wgRCFeeds,
https://www.mediawiki.org/wiki/Manual:$wgRCFeeds, with `JSONRCFeedFormatter`)."""

from __future__ import annotations

import socket
import threading
import time
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import blake2b
from urllib.parse import urlsplit

import msgspec

from streams.errors import BadSetting
from streams.sources.base import SourceItem, SourceStatus

#: Asked for; the kernel gives at most net.core.rmem_max.
KERNEL_BUFFER_BYTES = 8 << 20
#: Datagrams that wait for a slow pipeline: some minutes of a big wiki. Past it the kernel drops.
MAX_QUEUED_BYTES = 64 << 20
MAX_DATAGRAM_BYTES = 65_535
POLL_S = 0.2
#: Linux's, from asm-generic/socket.h: each datagram tells how many were dropped before it.
_SO_RXQ_OVFL = 40

_Body = dict[str, msgspec.Raw]
_DECODER = msgspec.json.Decoder(_Body)
_INTEGER = msgspec.json.Decoder(int)
_TEXT = msgspec.json.Decoder(str)


class RcFeedSource:
    """Listens on `rcfeed://HOST:PORT`, without a host on loopback.

    UDP has no resume: what was sent while nobody listened, or faster than it was taken, is lost (the
    API could give it again: `list=recentchanges` after the last rcid). The cursor is that rcid. Nor
    does it say who sent a datagram: listen where only the wiki can send to.
    """

    name = "rcfeed"

    def __init__(self, address: str) -> None:
        """Listens at once. Raises `BadSetting` for an address that is none or can't be had."""
        self._socket = _listen(address)
        host, port = self._socket.getsockname()[:2]
        self.address = f"{host}:{port}"
        self._cursor = ""
        self._changed = threading.Condition()
        self._queue: deque[bytes] = deque()
        self._queued_bytes = 0
        self._closed = False
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._dropped = 0
        self._failure = ""
        self._last_item_time: float | None = None

    def items(self, cursor: str | None) -> Iterator[SourceItem]:
        """Ends after `close` only. A datagram that is no JSON object comes as it is."""
        self._cursor = cursor or ""
        if self._thread is None:
            self._thread = threading.Thread(target=self._receive, name="rcfeed", daemon=True)
            self._thread.start()
        while True:
            with self._changed:
                while not self._queue and not self._closed:
                    self._changed.wait(POLL_S)
                if self._closed:
                    break
                taken = self._queue.popleft()
                self._queued_bytes -= len(taken)
                self._changed.notify_all()
            raw, rcid = as_recent_change(taken)
            if rcid is not None:
                self._cursor = str(rcid)
            yield SourceItem(self._cursor, raw)
        self._thread.join()  # so that the address is free again

    def status(self) -> SourceStatus:
        if self._closed:
            return SourceStatus("closed", self.address, self._last_item_time)
        detail = f"listening on {self.address}"
        if self._dropped:
            detail += f"; {self._dropped:,} datagrams came too fast and were lost"
        if self._failure:
            return SourceStatus("retrying", f"{detail}: {self._failure}", self._last_item_time)
        return SourceStatus("connected", detail, self._last_item_time)

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._ended.set()
            self._changed.notify_all()
        if self._thread is None:
            self._socket.close()

    def _receive(self) -> None:
        """Moves datagrams from the kernel's small buffer into our bigger one."""
        receive = self._socket.recvmsg
        space = socket.CMSG_SPACE(4)
        with self._socket:
            while not self._closed:
                try:
                    data, extra, _, _ = receive(MAX_DATAGRAM_BYTES, space)
                except TimeoutError:
                    continue
                except OSError as err:
                    self._failure = (err.strerror or str(err)).lower()
                    self._ended.wait(POLL_S)
                    continue
                self._failure = ""
                for level, kind, value in extra:
                    if level == socket.SOL_SOCKET and kind == _SO_RXQ_OVFL:
                        self._dropped = int.from_bytes(value[:4], "little")
                self._last_item_time = time.time()
                with self._changed:
                    while self._queued_bytes > MAX_QUEUED_BYTES and not self._closed:
                        self._changed.wait(POLL_S)
                    self._queue.append(data)
                    self._queued_bytes += len(data)
                    self._changed.notify_all()


def as_recent_change(datagram: bytes) -> tuple[bytes, int | None]:
    """The datagram with the `meta` that EventStreams would have given it, and its rcid. What is no
    JSON object comes back unchanged: `normalize` dead-letters it."""
    try:
        datagram.decode()  # msgspec doesn't look into values that stay raw
        body = _DECODER.decode(datagram)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return datagram, None
    rcid = _integer(body.get("id"))
    if "meta" in body:
        return datagram, rcid
    wiki = _text(body.get("wiki"))
    what = f"{wiki}:{rcid}".encode() if wiki and rcid is not None else datagram
    meta: dict[str, str] = {
        "id": blake2b(what, digest_size=16).hexdigest(),
        "stream": "mediawiki.recentchange",
    }
    seconds = _integer(body.get("timestamp"))
    if seconds is not None and 0 <= seconds < 1 << 33:
        meta["dt"] = datetime.fromtimestamp(seconds, UTC).isoformat()
    server_name = _text(body.get("server_name"))
    if server_name:
        meta["domain"] = server_name
    body["meta"] = msgspec.Raw(msgspec.json.encode(meta))
    return msgspec.json.encode(body), rcid


def _integer(value: msgspec.Raw | None) -> int | None:
    try:
        return None if value is None else _INTEGER.decode(value)
    except msgspec.DecodeError:
        return None


def _text(value: msgspec.Raw | None) -> str | None:
    try:
        return None if value is None else _TEXT.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _listen(address: str) -> socket.socket:
    parts = urlsplit(address)
    try:
        host, port = parts.hostname or "127.0.0.1", parts.port
    except ValueError:
        port = None
    if parts.scheme != "rcfeed" or port is None or parts.path not in ("", "/"):
        raise BadSetting(f"{address}: wants rcfeed://HOST:PORT, as in rcfeed://127.0.0.1:9390")
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(
            host, port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
    except OSError as err:
        raise BadSetting(f"{address}: {err.strerror or err}") from None
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, KERNEL_BUFFER_BYTES)
        listening.setsockopt(socket.SOL_SOCKET, _SO_RXQ_OVFL, 1)
        listening.settimeout(POLL_S)
        listening.bind(where)
    except OSError as err:
        listening.close()
        raise BadSetting(
            f"{address}: can't listen there: {(err.strerror or str(err)).lower()}"
        ) from None
    return listening
