"""The facts that are hot, with how far each has spread, as committed: for the API and the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from streams.partitions import page_key
from streams.state.amplification import AmplificationState
from streams.state.fact_spread import fact_spread
from streams.state.hot_page import HotPage
from streams.store.facts_query import PAGES_LOOKED_AT, FactNow, FactsFound, FactsQuery
from streams.store.keys import state_id
from streams.store.readers import Readers
from streams.store.sqlite_errors import decoded, told
from streams.store.sqlite_file import connect

_READ_AT_ONCE = 250


class SqliteFactsReader:
    """Thread-safe. A page's facts and their spread may be of two commits, one after the other."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._readers = Readers(lambda: connect(path, cache_kib=1_024), path)

    def facts(self, query: FactsQuery) -> FactsFound:
        found: list[FactNow] = []
        for looked_at, (page_id, page) in enumerate(self._pages(query), 1):
            wanted = [fact for fact in page.facts if query.wants(fact)]
            spreads = self._spreads([fact.hot_id for fact in wanted])
            for fact in wanted:
                seen = fact_spread(fact, spreads.get(fact.hot_id))
                if seen is not None or not query.repeated:
                    found.append(FactNow(hot=fact, spread=seen))
            if len(found) >= query.limit or looked_at >= PAGES_LOOKED_AT:
                return FactsFound(found, page_id)
        return FactsFound(found, None)

    def close(self) -> None:
        self._readers.close()

    def _pages(self, query: FactsQuery) -> Iterator[tuple[int, HotPage]]:
        after = -1 if query.after is None else query.after
        if query.page is not None:
            # A page that was moved since it became hot is kept under its old title: see below.
            page_id = state_id(page_key(*query.page))
            rows = self._read(
                "SELECT id, state FROM hot_pages WHERE id = ? AND id > ?", (page_id, after)
            )
            if rows or after >= 0:
                yield from self._decoded(rows)
                return
        while True:
            rows = self._read(
                "SELECT id, state FROM hot_pages WHERE id > ? ORDER BY id LIMIT ?",
                (after, _READ_AT_ONCE),
            )
            yield from self._decoded(rows)
            if len(rows) < _READ_AT_ONCE:
                return
            after = rows[-1][0]

    def _decoded(self, rows: list[tuple[Any, ...]]) -> Iterator[tuple[int, HotPage]]:
        for page_id, state in rows:
            yield page_id, decoded(_HOT_PAGE.decode, state, self._path)

    def _spreads(self, hot_ids: list[str]) -> dict[str, AmplificationState]:
        if not hot_ids:
            return {}
        rows = self._read(
            "SELECT hot_id, state FROM spreads WHERE hot_id IN (SELECT value FROM json_each(?))",
            (msgspec.json.encode(hot_ids),),
        )
        return {hot_id: decoded(_SPREAD.decode, state, self._path) for hot_id, state in rows}

    def _read(self, sql: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        with told(self._path), self._readers.borrowed() as reader:
            return reader.execute(sql, values).fetchall()


_HOT_PAGE = msgspec.msgpack.Decoder(HotPage)
_SPREAD = msgspec.msgpack.Decoder(AmplificationState)
