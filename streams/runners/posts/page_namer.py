"""Asks the wikis how else the pages of hot facts are called, beside the work: posts name a page by what
redirects to it too. A page whose names can't be had is known by its title."""

from __future__ import annotations

import queue
import threading
import time

import msgspec

from streams.content.api_transport import ApiTransport
from streams.content.outcomes import FetchFailure
from streams.content.page_names import TITLES_A_CALL, fetch_page_names
from streams.partitions import page_key

#: Pages waiting to be asked about; more are known by their titles.
WAITING_PAGES = 2_000
#: How long one call may take, waiting for its turn behind the texts of edits included.
DEADLINE_S = 30.0
#: Pages are gathered for so long: a call asks for fifty.
GATHER_S = 1.0


class NamedPage(msgspec.Struct, frozen=True):
    key: str
    """`wiki:title`."""
    names: tuple[str, ...]


class PageNamer:
    """A thread of its own, from `start` until `close`."""

    def __init__(self, transport: ApiTransport, gather_s: float = GATHER_S) -> None:
        self._transport = transport
        self._gather_s = gather_s
        self._wanted: queue.Queue[tuple[str, str]] = queue.Queue(WAITING_PAGES)
        self._named: queue.SimpleQueue[NamedPage] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="page-names", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def want(self, wiki: str, title: str) -> None:
        """Of a wiki that is not listed nothing is asked."""
        if self._transport.lists(wiki):
            try:
                self._wanted.put_nowait((wiki, title))
            except queue.Full:
                return

    def take(self) -> list[NamedPage]:
        """What was found since it was last asked; pages without other names are left out."""
        taken = []
        while not self._named.empty():
            taken.append(self._named.get())
        return taken

    def close(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=2)

    def _run(self) -> None:
        while not self._stopping.is_set():
            for wiki, titles in self._gathered().items():
                self._ask(wiki, titles)

    def _gathered(self) -> dict[str, list[str]]:
        by_wiki: dict[str, list[str]] = {}
        until = time.monotonic() + self._gather_s
        while (left := until - time.monotonic()) > 0 and not self._stopping.is_set():
            try:
                wiki, title = self._wanted.get(timeout=min(left, 0.25))
            except queue.Empty:
                continue
            titles = by_wiki.setdefault(wiki, [])
            titles.append(title)
            if len(titles) >= TITLES_A_CALL:
                break
        return by_wiki

    def _ask(self, wiki: str, titles: list[str]) -> None:
        deadline = time.monotonic() + DEADLINE_S
        found = fetch_page_names(self._transport, wiki, titles, deadline)
        if isinstance(found, FetchFailure):
            return
        for title, names in found.items():
            if names:
                self._named.put(NamedPage(page_key(wiki, title), names))
