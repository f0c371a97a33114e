"""What the writing process reads to go on: states, its place, and what waits for it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

import msgspec

from streams.state.episode import EpisodeState
from streams.state.page import PageState
from streams.state.performer import PerformerState
from streams.state.watermark import Watermark
from streams.state.words import PackedWords, WordMemory
from streams.store.batch import Requeued
from streams.store.own_rows import ScoredEdit
from streams.store.sqlite_errors import decoded, told
from streams.store.sqlite_reader import SqliteReader, as_number
from streams.store.state_journal import StateJournal

_encode_json = msgspec.json.Encoder().encode
_T = TypeVar("_T")


class SqliteStates(SqliteReader):
    """Beside what anyone may read. By the writer's own connection, in its own thread."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._writer: sqlite3.Connection | None = None
        """None: opened for reading only, or closed."""
        self._journal = StateJournal()

    # -- states ----------------------------------------------------------------------------------

    def load_pages(self, ids: Sequence[int]) -> dict[int, PageState]:
        return self._load_many("pages", ids, _PAGE.decode, self._journal.held("pages", ids))

    def load_words(self, ids: Sequence[int]) -> dict[int, WordMemory]:
        return self._load_many("page_words", ids, lambda raw: WordMemory.unpack(_WORDS.decode(raw)))

    def load_performers(self, ids: Sequence[int]) -> dict[int, PerformerState]:
        held = self._journal.held("performers", ids)
        return self._load_many("performers", ids, _PERFORMER.decode, held)

    def load_episode(self, key_id: int) -> EpisodeState | None:
        return self._load_many("episodes", (key_id,), _EPISODE.decode).get(key_id)

    def deadlines(self) -> list[tuple[str, float | None]]:
        """`(page key, deadline)` of every open episode, for the timers."""
        with told(self.path):
            rows = self._db.execute("SELECT key, deadline FROM episodes").fetchall()
        return decoded(_as_deadlines, rows, self.path)

    # -- its place -------------------------------------------------------------------------------

    def cursor(self, source: str) -> str | None:
        with told(self.path):
            row = self._db.execute("SELECT cursor FROM cursors WHERE source = ?", (source,)).fetchone()
        return None if row is None else str(row[0])

    def recent_ids(self) -> list[str]:
        """Oldest first."""
        with told(self.path):
            rows = self._db.execute("SELECT ids FROM recent_ids ORDER BY batch").fetchall()
        return [
            event_id for (ids,) in decoded(_as_texts, rows, self.path) for event_id in ids.split("\n")
        ]

    def watermark(self) -> Watermark:
        value = self._meta("watermark")
        return Watermark() if value is None else decoded(_WATERMARK.decode, value, self.path)

    def next_row(self) -> int:
        return self._row_number("next_row")

    # -- what waits ------------------------------------------------------------------------------

    def rows_from(self, row: int, limit: int) -> list[tuple[int, int, float]]:
        """`(row, page, event_time)` of edits from `row` on."""
        with told(self.path):
            return self._db.execute(
                "SELECT row, page, event_time FROM edits WHERE row >= ? ORDER BY row LIMIT ?",
                (row, limit),
            ).fetchall()

    def scored_edits(self, rows: Sequence[int]) -> dict[int, ScoredEdit]:
        """Those that are still in the log."""
        if not rows:
            return {}
        with told(self.path):
            found = self._db.execute(
                "SELECT row, event_time, coalesce(model_risk, risk), flags, label IS 'reverted'"
                " FROM edits WHERE row IN (SELECT value FROM json_each(?))",
                (_encode_json(list(rows)),),
            ).fetchall()
        return {row: ScoredEdit(*edit) for row, *edit in found}

    def requeued(self, limit: int) -> list[Requeued]:
        """Dead letters sent back by an operator, oldest first, all of one source."""
        with told(self.path):
            rows = self._db.execute(
                "SELECT id, source, position, raw FROM dead_letters WHERE requeued = 1"
                " ORDER BY id LIMIT ?",
                (limit,),
            ).fetchall()
        letters = [Requeued(*row) for row in rows]
        return [letter for letter in letters if letter.source == letters[0].source]

    def kept_row(self) -> int:
        """The first row that was not yet looked at for being kept."""
        return self._row_number("kept_row")

    @property
    def _db(self) -> sqlite3.Connection:
        assert self._writer is not None, "opened read-only, or closed"
        return self._writer

    def _load_many(
        self,
        table: str,
        ids: Sequence[int],
        decode: Callable[[bytes], _T],
        held: Mapping[int, bytes] = MappingProxyType({}),
    ) -> dict[int, _T]:
        """`held`: what is newer than the table."""
        raw = dict(held)
        with told(self.path):
            raw.update(
                self._db.execute(
                    f"SELECT id, state FROM {table} WHERE id IN (SELECT value FROM json_each(?))",
                    (_encode_json([key_id for key_id in ids if key_id not in raw]),),
                )
            )
        return {key_id: decoded(decode, state, self.path) for key_id, state in raw.items()}

    def _meta(self, name: str) -> bytes | int | None:
        with told(self.path):
            row = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else row[0]

    def _row_number(self, name: str) -> int:
        value = self._meta(name)
        return 1 if value is None else decoded(as_number, value, self.path)


_PAGE = msgspec.msgpack.Decoder(PageState)
_WORDS = msgspec.msgpack.Decoder(PackedWords)
_PERFORMER = msgspec.msgpack.Decoder(PerformerState)
_EPISODE = msgspec.msgpack.Decoder(EpisodeState)
_WATERMARK = msgspec.msgpack.Decoder(Watermark)


def _as_texts(rows: object) -> list[tuple[str]]:
    return msgspec.convert(rows, list[tuple[str]])


def _as_deadlines(rows: object) -> list[tuple[str, float | None]]:
    return msgspec.convert(rows, list[tuple[str, float | None]])
