"""MediaWiki XML exports: every revision of a page with its text, so that a replay needs no API."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

from streams.errors import BadInput
from streams.sources.base import SourceItem, SourceStatus
from streams.sources.compressed import ByteStream, open_bytes
from streams.sources.xml_export import MAX_TEXT_BYTES, Export, Place

_CURSOR = re.compile(r"([0-9]+):([0-9]+):([0-9]+)")


class HistorySource:
    """Revisions in the file's order, each as an `Edit` with its text and its parent's.

    The parent is the page's revision before it in the file: in old histories ids and parent ids are
    in no order of time. What can't be an edit (no readable time, a broken title) comes as a
    recent change in JSON, which `normalize` dead-letters with the reason.

    The cursor is `PAGE:REVISION:REV_ID`, ordinals in the file and page. A resume parses up to it
    (several times faster than reading) and has the parent's text again.
    """

    name = "history"

    def __init__(self, path: str | Path, max_text_bytes: int = MAX_TEXT_BYTES) -> None:
        self._path = str(path)
        self._max_text_bytes = max_text_bytes
        self._stream: ByteStream | None = None
        self._closed = False
        self._state = "connecting"
        self._last_item_time: float | None = None

    def items(self, cursor: str | None) -> Iterator[SourceItem]:
        """Raises `BadInput` for a file that can't be read, is no export, is damaged, or is not the
        one that `cursor` came from; at damage, everything before it has come out."""
        after = _parse_cursor(self._path, cursor)
        try:
            with open_bytes(self._path) as stream:
                self._stream = stream
                if not self._closed:
                    self._state = "connected"
                    for item in Export(self._path, stream, self._max_text_bytes).items(after):
                        self._last_item_time = time.time()
                        yield item
                    self._state = "ended"
        finally:
            if self._closed or self._state != "ended":
                self._state = "closed"

    def status(self) -> SourceStatus:
        stream = self._stream
        position = 1.0 if self._state == "ended" else stream.share_read() if stream is not None else None
        return SourceStatus(self._state, self._path, self._last_item_time, position)

    def close(self) -> None:
        self._closed = True
        if self._stream is not None:
            self._stream.stop()


def _parse_cursor(path: str, cursor: str | None) -> Place | None:
    if cursor is None:
        return None
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        raise BadInput(f"{path}: {cursor!r} is no place in a history: another source left it")
    return Place(int(match[1]), int(match[2]), int(match[3]))
