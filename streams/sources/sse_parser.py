"""Server-sent events out of bytes, by the WHATWG's rules (html.spec.whatwg.org, 9.2.6). No I/O.

Of sseclient 0.0.27 its `Event` is kept, as the record given out and (`dump`) for servers in tests, and
its `sse_line_pattern`, the grammar of one line. Its `Event.parse` is not: it splits lines at U+2028
and U+0085, which JSON may hold unescaped, raises for `retry: abc` and loses an empty first data line.
"""

from __future__ import annotations

from sseclient import Event

#: Of an oversized event this much is kept, for the dead letter.
KEPT_BYTES = 64 << 10
#: An id is sent back in a header; servers take 8 to 16 KiB of headers.
MAX_ID_BYTES = 4 << 10
#: `retry:` is kept between these, so that nobody can make us hammer a server or wait for days.
MIN_RETRY_MS, MAX_RETRY_MS = 100, 300_000
_BOM = b"\xef\xbb\xbf"
#: Bytes that are no UTF-8 go through unchanged, for whoever judges the event.
_KEEP_BYTES = "surrogateescape"


class SseEvent(Event):  # type: ignore[misc]  # sseclient has no types
    """One event. `data` is text; `raw` gives back the very bytes. `last_id` is the id in force, which
    an event without one inherits."""

    data: str

    def __init__(self, data: bytes, event: str, last_id: str, *, too_large: bool = False) -> None:
        super().__init__(data.decode("utf-8", _KEEP_BYTES), event, last_id)
        self.last_id = last_id
        self.too_large = too_large
        """The byte bound was passed: `data` is the beginning."""

    @property
    def raw(self) -> bytes:
        return self.data.encode("utf-8", _KEEP_BYTES)


class SseParser:
    """Feed it one connection's body in any pieces. `last_id` and `retry_ms` are what the server set;
    `last_id` is of dispatched events only, so a drop in the middle of one doesn't move it."""

    def __init__(self, last_id: str = "", max_bytes: int = 1 << 20) -> None:
        self.last_id = last_id
        self.retry_ms: int | None = None
        self.lines = 0
        """Lines completed, comments and blank ones too: the sign of life."""
        self._max_bytes = max_bytes
        self._head: bytes | None = b""
        """Up to three bytes that may be a byte order mark; None once that is settled."""
        self._after_cr = False
        self._held: list[bytes] = []
        """The pieces of a line whose end has not come."""
        self._held_bytes = 0
        self._dropping = False
        """That line is too long: what is left of it is not kept."""
        self._reset(last_id)

    def _reset(self, next_id: str) -> None:
        self._data: list[bytes] = []
        self._data_bytes = 0
        self._too_large = False
        self._event = ""
        self._next_id = next_id

    def feed(self, chunk: bytes) -> list[SseEvent]:
        """The events that `chunk` completes. Work is linear in its size, however it is cut."""
        if self._head is not None:
            chunk = self._head + chunk
            if len(chunk) < len(_BOM) and _BOM.startswith(chunk):
                self._head = chunk
                return []
            self._head = None
            chunk = chunk.removeprefix(_BOM)
        if not chunk:
            return []
        if self._after_cr:
            chunk = chunk.removeprefix(b"\n")
            self._after_cr = False
        if b"\r" in chunk:
            self._after_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        lines = chunk.split(b"\n")
        rest = lines.pop()
        events: list[SseEvent] = []
        if lines:
            if self._held or self._dropping:
                lines[0] = self._take_held(lines[0])
            self.lines += len(lines)
            for line in lines:
                if line:
                    self._line(line)
                else:
                    self._dispatch(events)
        if rest:
            self._hold(rest)
        return events

    def _hold(self, piece: bytes) -> None:
        if self._dropping:
            return
        self._held.append(piece)
        self._held_bytes += len(piece)
        if self._held_bytes > self._max_bytes + KEPT_BYTES:
            line = b"".join(self._held)
            self._held = []
            self._held_bytes = 0
            self._dropping = True
            if line.startswith(b"data:"):
                self._line(line)

    def _take_held(self, piece: bytes) -> bytes:
        """The whole line that `piece` ends; of one that was dropped, a comment."""
        if self._dropping:
            self._dropping = False
            return b":"
        self._held.append(piece)
        line = b"".join(self._held)
        self._held = []
        self._held_bytes = 0
        return line

    def _line(self, line: bytes) -> None:
        if line.startswith(b"data:"):
            self._add_data(line[6:] if line.startswith(b" ", 5) else line[5:])
        elif not line.startswith(b":"):
            self._field(line)

    def _field(self, line: bytes) -> None:
        if len(line) > MAX_ID_BYTES:
            return
        match = Event.sse_line_pattern.match(line.decode("utf-8", "replace"))
        if match is None:
            return
        name, value = match["name"], match["value"] or ""
        if name == "data":
            self._add_data(b"")
        elif name == "event":
            self._event = value
        elif name == "id":
            if "\0" not in value:
                self._next_id = value
        elif name == "retry" and value.isascii() and value.isdigit():
            self.retry_ms = max(MIN_RETRY_MS, min(int(value), MAX_RETRY_MS))

    def _add_data(self, value: bytes) -> None:
        self._data_bytes += len(value) + 1
        if not self._too_large:
            self._data.append(value)
            if self._data_bytes - 1 > self._max_bytes:
                self._too_large = True
                self._data = [b"\n".join(self._data)[:KEPT_BYTES]]

    def _dispatch(self, events: list[SseEvent]) -> None:
        self.last_id = self._next_id
        if self._data:
            data = self._data[0] if len(self._data) == 1 else b"\n".join(self._data)
            event = self._event or "message"
            events.append(SseEvent(data, event, self.last_id, too_large=self._too_large))
        self._reset(self._next_id)
