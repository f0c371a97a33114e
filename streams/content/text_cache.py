"""Revisions fetched lately, within a bound of memory: a page's next edit has the last one as parent."""

from __future__ import annotations

import sys
import threading
from collections import OrderedDict

from streams.records import RevisionText

ENTRY_COST = 600
"""Bytes of an entry besides its text and tags: record, key, hash, place in the order (measured about that)."""

_POINTER_BYTES = 8


class TextCache:
    """Least recently used revisions by (wiki, rev_id). Thread-safe. Revisions don't change, but what
    is hidden of them and their tags do: an entry says what held when it was fetched."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._entries: OrderedDict[tuple[str, int], RevisionText] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, wiki: str, rev_id: int) -> RevisionText | None:
        key = (wiki, rev_id)
        with self._lock:
            found = self._entries.get(key)
            if found is not None:
                self._entries.move_to_end(key)
            return found

    def put(self, wiki: str, revision: RevisionText) -> None:
        key = (wiki, revision.rev_id)
        cost = _cost(revision)
        if cost > self._max_bytes:
            return
        with self._lock:
            replaced = self._entries.pop(key, None)
            if replaced is not None:
                self._bytes -= _cost(replaced)
            self._entries[key] = revision
            self._bytes += cost
            while self._bytes > self._max_bytes:
                _, dropped = self._entries.popitem(last=False)
                self._bytes -= _cost(dropped)

    @property
    def bytes_held(self) -> int:
        return self._bytes

    def __len__(self) -> int:
        return len(self._entries)


def _cost(revision: RevisionText) -> int:
    text = sys.getsizeof(revision.text) if revision.text is not None else 0
    return ENTRY_COST + text + sum(sys.getsizeof(tag) + _POINTER_BYTES for tag in revision.tags)
