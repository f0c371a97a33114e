"""What a worker keeps of its partitions, in one RocksDB of its own: a copy of their changelogs, each
with the offset that it stands at. A lost or damaged copy is read again from Kafka.

Keys are two bytes for the changelog and its partition, then the changelog's own key.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec
from rocksdict import AccessType, BlockBasedOptions, Cache, Options, Rdict, ReadOptions, WriteBatch

from streams.errors import BadSetting, StoreCorrupt
from streams.state.amplification import AmplificationState
from streams.state.episode import EpisodeState
from streams.state.hot_page import HotPage
from streams.state.page import PageState
from streams.state.performer import PerformerState
from streams.state.words import PackedWords, WordMemory
from streams.store.changelog import META, Change, KnownPost, LoggedEdit, Meta, Table, key_of
from streams.store.keys import state_id

T = TypeVar("T")
#: Of RocksDB, for all partitions of a worker.
CACHE_BYTES = 48 << 20
_OFFSET = b"o"


class PartitionFile:
    """One RocksDB, of one process at a time."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        options = Options(raw_mode=True)
        options.create_if_missing(True)
        options.set_write_buffer_size(16 << 20)
        options.set_max_write_buffer_number(2)
        options.set_max_background_jobs(1)
        # Three of four pages are met for the first time: the filter says so without a look into files.
        # It and the index are in the cache, so that all of it has one bound.
        table = BlockBasedOptions()
        table.set_bloom_filter(10, False)
        table.set_block_cache(Cache(CACHE_BYTES))
        table.set_cache_index_and_filter_blocks(True)
        options.set_block_based_table_factory(table)
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._db = self._open(options)
        except OSError as err:
            raise BadSetting(
                f"{directory}: {err.strerror}: set FACTWATCH_DATA_DIR to a directory that can be written"
            ) from None

    def _open(self, options: Options) -> Rdict:
        try:
            return Rdict(str(self._directory), options, access_type=AccessType.read_write())
        except Exception as err:  # noqa: BLE001  # RocksDB's only error
            said = " ".join(str(err).split())[:300]
            if "lock" in said.lower():
                raise BadSetting(
                    f"{self._directory}: another factwatch works there"
                    " (give each worker a FACTWATCH_DATA_DIR of its own)"
                ) from None
            # Nothing is only here: what can't be read is read anew from the changelogs.
            shutil.rmtree(self._directory, ignore_errors=True)
            self._directory.mkdir(parents=True, exist_ok=True)
            return Rdict(str(self._directory), options, access_type=AccessType.read_write())

    def store(self, changelog: str, partition: int) -> PartitionStore:
        """The copy of one changelog's partition; `changelog` is its letter, by convention."""
        return PartitionStore(self._db, changelog.encode() + partition.to_bytes(2, "big"))

    def close(self) -> None:
        self._db.close()


class PartitionStore:
    """Implements `StateStore` and `EditLog`. `apply` is called with what is durable in Kafka."""

    def __init__(self, db: Rdict, prefix: bytes) -> None:
        self._db = db
        self._prefix = prefix
        self.meta = self._read_meta()

    @property
    def offset(self) -> int:
        """Of the changelog: the first record that this copy does not have."""
        found = self._db.get(self._prefix + _OFFSET)
        return int(found) if found is not None else 0

    def apply(self, changes: Iterable[Change], offset: int | None = None) -> None:
        """Take over records of the changelog, all or none. `offset`: the copy has everything before it
        now; None leaves that to a later call, which then may bring some of these again."""
        batch = WriteBatch(raw_mode=True)
        prefix = self._prefix
        for key, value in changes:
            if value is None:
                batch.delete(prefix + key)
            else:
                batch.put(prefix + key, value)
                if key == META:
                    self.meta = _decoded(_META.decode, value)
        if offset is not None:
            batch.put(prefix + _OFFSET, b"%d" % offset)
        self._db.write(batch)

    def erase(self) -> None:
        """What was overwritten or deleted of what is known of posts leaves the files too, log included:
        RocksDB would keep it until it gets round to it. From any thread; takes seconds where much is
        kept."""
        self._db.flush(True)
        for table in ("h", "k", "s"):
            head = self._prefix + table.encode()
            self._db.compact_range(head, head + b"\xff" * 9)

    def clear(self) -> None:
        """Forget all: Kafka no longer has what this is a copy of."""
        self._db.delete_range(self._prefix, self._prefix + b"\xff")
        self.meta = Meta()

    # -- StateStore ------------------------------------------------------------------------------

    def load_pages(self, ids: Sequence[int]) -> dict[int, PageState]:
        return self._load("p", ids, _PAGE.decode)

    def load_words(self, ids: Sequence[int]) -> dict[int, WordMemory]:
        return self._load("w", ids, lambda raw: WordMemory.unpack(_WORDS.decode(raw)))

    def load_performers(self, ids: Sequence[int]) -> dict[int, PerformerState]:
        return self._load("f", ids, _PERFORMER.decode)

    def load_episode(self, key_id: int) -> EpisodeState | None:
        return self._load("e", (key_id,), _EPISODE.decode).get(key_id)

    # -- SpreadStore, and what is known of posts ---------------------------------------------------

    def hot_pages(self) -> list[HotPage]:
        return [_decoded(_HOT_PAGE.decode, value) for _, value in self._scan("h", 0)]

    def load_spreads(self, hot_ids: Sequence[str]) -> dict[str, AmplificationState]:
        names = {state_id(hot_id): hot_id for hot_id in hot_ids}
        return {
            names[key_id]: state
            for key_id, (state, _) in self._load("s", list(names), _SPREAD.decode).items()
        }

    def spreads(self) -> Iterator[tuple[AmplificationState, float | None]]:
        """All, with the event time at which to look at each again."""
        return (_decoded(_SPREAD.decode, value) for _, value in self._scan("s", 0))

    def spread_deadlines(self) -> list[tuple[float | None, str]]:
        return [(deadline, state.hot_id) for state, deadline in self.spreads()]

    def known_posts(self) -> Iterator[KnownPost]:
        return (_decoded(_KNOWN_POST.decode, value) for _, value in self._scan("k", 0))

    # -- EditLog, and what else a start asks for ---------------------------------------------------

    def rows_from(self, row: int, limit: int) -> list[tuple[int, int, float]]:
        """`(row, 0, event_time)` of edits from `row` on; here all pages have the same time."""
        return [(edit.row, 0, edit.event_time) for edit in self.logged_edits(row, limit=limit)]

    def logged_edits(self, row: int, below: int | None = None, limit: int = 1 << 30) -> list[LoggedEdit]:
        """Edits from `row` on and before `below`; some more than `limit` at most."""
        found: list[LoggedEdit] = []
        for _, value in self._scan("l", self._chunk_of(row)):
            for edit in _decoded(_EDITS.decode, value):
                if below is not None and edit.row >= below:
                    return found
                if edit.row >= row:
                    found.append(edit)
            if len(found) >= limit:
                break
        return found

    def chunks(self, row: int) -> Iterator[tuple[int, list[LoggedEdit]]]:
        """Those that begin at `row` or later, with their numbers."""
        for key, value in self._scan("l", row):
            yield int.from_bytes(key[-8:], "big"), _decoded(_EDITS.decode, value)

    def arrived_edits(self) -> list[LoggedEdit]:
        """Those that came with moved pages."""
        return [_decoded(_EDIT.decode, value) for _, value in self._scan("a", 0)]

    def logged_edit(self, row: int) -> LoggedEdit | None:
        arrived = self._db.get(self._prefix + key_of("a", row))
        if arrived is not None:
            return _decoded(_EDIT.decode, arrived)
        chunk = self._db.get(self._prefix + key_of("l", self._chunk_of(row)))
        if chunk is None:
            return None
        return next((edit for edit in _decoded(_EDITS.decode, chunk) if edit.row == row), None)

    def _chunk_of(self, row: int) -> int:
        """Number of the chunk that `row` is in: the last that does not begin after it."""
        iterator = self._db.iter(ReadOptions())
        iterator.seek_for_prev(self._prefix + key_of("l", row))
        if iterator.valid():
            key = iterator.key()
            if key.startswith(self._prefix + b"l"):
                return int.from_bytes(key[-8:], "big")
        return row

    def labelled(self, row: int, below: int) -> list[int]:
        """Those from `row` on and before `below` that have a `Mark`."""
        return [int.from_bytes(key[-8:], "big") for key, _ in self._scan("r", row, below)]

    def marks(self) -> dict[int, bytes]:
        """All, by the edits' numbers."""
        return {int.from_bytes(key[-8:], "big"): mark for key, mark in self._scan("r", 0)}

    def mark(self, row: int) -> bytes | None:
        found: bytes | None = self._db.get(self._prefix + key_of("r", row))
        return found

    def kept_row(self) -> int:
        return self.meta.kept_row

    def recent_ids(self) -> list[str]:
        """Oldest first."""
        return [
            event_id
            for _, ids in self._scan("i", 0)
            for event_id in ids.decode().split("\n")
            if event_id
        ]

    def ids_of(self, number: int) -> int:
        """How many event ids one unit of work took in."""
        found = self._db.get(self._prefix + key_of("i", number))
        return 0 if found is None else found.count(b"\n") + 1

    def deadlines(self) -> list[tuple[str, float | None]]:
        """`(page key, deadline)` of every open episode, for the timers."""
        episodes = (_decoded(_EPISODE.decode, value) for _, value in self._scan("e", 0))
        return [(episode.key, episode.next_deadline) for episode in episodes]

    def states(self, table: Table, after: int, limit: int) -> list[tuple[int, bytes]]:
        """`(id, encoded state)` of the next `limit` ids after `after`, for who looks at all in turns."""
        found = []
        for key, value in self._scan(table, after + 1):
            found.append((int.from_bytes(key[-8:], "big"), value))
            if len(found) >= limit:
                break
        return found

    # -- how it is read ----------------------------------------------------------------------------

    def _scan(self, table: Table, first: int, below: int | None = None) -> Iterator[tuple[bytes, bytes]]:
        head = self._prefix + table.encode()
        stop = self._prefix + key_of(table, below) if below is not None else None
        iterator = self._db.iter(ReadOptions())
        iterator.seek(self._prefix + key_of(table, first))
        while iterator.valid():
            key = iterator.key()
            if not key.startswith(head) or (stop is not None and key >= stop):
                return
            yield key, iterator.value()
            iterator.next()

    def _load(self, table: Table, ids: Sequence[int], decode: Callable[[bytes], T]) -> dict[int, T]:
        head = self._prefix + table.encode()
        found = self._db.get([head + key_id.to_bytes(8, "big") for key_id in ids]) or []
        return {
            key_id: _decoded(decode, raw)
            for key_id, raw in zip(ids, found, strict=True)
            if raw is not None
        }

    def _read_meta(self) -> Meta:
        found = self._db.get(self._prefix + META)
        return Meta() if found is None else _decoded(_META.decode, found)


_PAGE = msgspec.msgpack.Decoder(PageState)
_WORDS = msgspec.msgpack.Decoder(PackedWords)
_PERFORMER = msgspec.msgpack.Decoder(PerformerState)
_EPISODE = msgspec.msgpack.Decoder(EpisodeState)
_META = msgspec.msgpack.Decoder(Meta)
_HOT_PAGE = msgspec.msgpack.Decoder(HotPage)
_SPREAD = msgspec.msgpack.Decoder(tuple[AmplificationState, float | None])
_KNOWN_POST = msgspec.msgpack.Decoder(KnownPost)
_EDIT = msgspec.msgpack.Decoder(LoggedEdit)
_EDITS = msgspec.msgpack.Decoder(list[LoggedEdit])


def _decoded(decode: Callable[[bytes], T], raw: bytes) -> T:
    try:
        return decode(raw)
    except (msgspec.DecodeError, TypeError, ValueError) as err:
        raise StoreCorrupt(
            f"a state in a changelog can't be read ({err}): was it written by a newer version?"
        ) from err
