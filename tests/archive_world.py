"""Topics in memory and what an archive made of them, for tests of the archive."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

import msgspec
import sqlalchemy as sa

from streams.archive import tables
from streams.archive.database import Database
from streams.archive.delivered import TOPICS, Delivered, Partition
from streams.archive.feed import Fetched, Start, TopicsUnavailable
from streams.archive.writer import ArchiveWriter, Position
from streams.kafka.cloud_events import to_event
from streams.partitions import key_bytes, page_key
from streams.posts import PostsGone, encode_record
from streams.records import (
    Alert,
    EditsVerdict,
    JudgedEdit,
    Label,
    LabelKind,
    PageStatus,
    PageStatusKind,
    Verdict,
)
from streams.topics import ALERTS, LABELS, PAGE_STATUS, POSTS_GONE, VERDICTS

NOW = 1_764_000_000.0


def label(rev_id: int, kind: LabelKind | None, title: str = "Mount Everest", **fields: Any) -> Label:
    times = {"event_time": NOW, "labelled_time": NOW + 60}
    return Label(wiki="enwiki", title=title, rev_id=rev_id, label=kind, **(times | fields))


def said(verdict_id: str, verdict: Verdict, *rev_ids: int, **fields: Any) -> EditsVerdict:
    """On edits of one alert."""
    common = {"alert_id": "a", "wiki": "enwiki", "title": "Mount Everest", "given_time": NOW + 90}
    edits = tuple(JudgedEdit(rev_id, NOW) for rev_id in rev_ids)
    return EditsVerdict(verdict_id=verdict_id, verdict=verdict, edits=edits, **(common | fields))


def status(title: str, *alert_ids: str, **fields: Any) -> PageStatus:
    return PageStatus(
        wiki="enwiki",
        title=title,
        status=PageStatusKind.SUSPECT,
        event_time=NOW,
        alert_ids=alert_ids,
        **fields,
    )


class Logs:
    """Append-only partitions. Offsets have gaps, as transaction markers make them."""

    def __init__(self) -> None:
        self.records: dict[Partition, list[Delivered]] = {}
        self.markers: Counter[Partition] = Counter()
        """Of transactions, behind the last record: offsets without a record."""
        self._clock = itertools.count(1)

    def put(self, topic: str, key: bytes | None, value: bytes | None, *, partition: int = 0,
            headers: list[tuple[str, bytes | None]] | None = None) -> Delivered:  # fmt: skip
        where = Partition(topic, partition)
        log = self.records.setdefault(where, [])
        record = Delivered(
            where=where,
            position=log[-1].position + 1 + len(log) % 2 if log else 0,
            written_ms=next(self._clock),
            key=key,
            value=value,
            headers=headers or [],
        )
        log.append(record)
        return record

    def alert(self, alert: Alert, partition: int = 0) -> Delivered:
        event = to_event(alert)
        headers: list[tuple[str, bytes | None]] = list(event.headers)
        return self.put(ALERTS.name, event.key, event.value, partition=partition, headers=headers)

    def label(self, label: Label, partition: int = 0) -> Delivered:
        key = key_bytes(page_key(label.wiki, label.title))
        return self.put(LABELS.name, key, msgspec.json.encode(label), partition=partition)

    def status(self, status: PageStatus, partition: int = 0) -> Delivered:
        key = key_bytes(page_key(status.wiki, status.title))
        return self.put(PAGE_STATUS.name, key, msgspec.json.encode(status), partition=partition)

    def nothing_open(self, title: str, wiki: str = "enwiki", partition: int = 0) -> Delivered:
        return self.put(PAGE_STATUS.name, key_bytes(page_key(wiki, title)), None, partition=partition)

    def gone(self, gone: PostsGone, partition: int = 0) -> Delivered:
        return self.put(POSTS_GONE.name, b"x", encode_record(gone), partition=partition)

    def verdict(self, verdict: EditsVerdict, partition: int = 0) -> Delivered:
        key = key_bytes(page_key(verdict.wiki, verdict.title))
        return self.put(VERDICTS.name, key, msgspec.json.encode(verdict), partition=partition)

    def all(self) -> list[Delivered]:
        return sorted(itertools.chain(*self.records.values()), key=lambda record: record.written_ms)

    def end(self, where: Partition) -> int:
        log = self.records.get(where, [])
        return (log[-1].position + 1 if log else 0) + self.markers[where]


class MemoryTopics:
    """`Topics` of an `Archiver` over `Logs`. `away` makes every call fail; `broken_polls` as many polls
    fail after the consumer has moved past what it did not give."""

    def __init__(self, logs: Logs, batch: int = 7) -> None:
        self.logs = logs
        self.away = False
        self.broken_polls = 0
        self.begins: dict[Partition, int] = {}
        self.expired: dict[str, int] = {}
        self.closed = False
        self.read = 0
        self._batch = batch
        self._next: dict[Partition, int] = {}
        self._idle = threading.Event()

    def start(self, stored: Mapping[Partition, Position]) -> Start:
        self._refuse_when_away()
        positions = {where: stored.get(where, Position(0, 0)) for where in self.logs.records}
        self._next = {where: position.offset for where, position in positions.items()}
        return Start(positions, self.expired)

    def poll(self) -> Fetched:
        self._refuse_when_away()
        records: list[Delivered] = []
        for where, log in self.logs.records.items():
            rest = [record for record in log if record.position >= self._next[where]]
            records += rest[: self._batch - len(records)]
        after = {record.where: record.position + 1 for record in records}
        if not records:
            after = {where: self.logs.end(where) for where in self.logs.records}
        self._next |= after
        if self.broken_polls:
            self.broken_polls -= 1
            raise TopicsUnavailable("broken in the middle")
        if not records:
            self._idle.wait(0.01)
        self.read += len(records)
        return Fetched(records, after)

    def lag(self, done: Mapping[Partition, int]) -> dict[str, int]:
        self._refuse_when_away()
        lag = dict.fromkeys(TOPICS, 0)
        for where in self.logs.records:
            lag[where.topic] += max(self.logs.end(where) - done.get(where, 0), 0)
        return lag

    def has_new_partitions(self) -> bool:
        return False

    def close(self) -> None:
        self.closed = True

    def _refuse_when_away(self) -> None:
        if self.away:
            raise TopicsUnavailable("the broker is away")


def deliver(writer: ArchiveWriter, *records: Delivered) -> dict[tuple[str, str], int]:
    """In one batch, from wherever the archive is."""
    stored = writer.positions()
    after = {
        record.where: Position(stored.get(record.where, Position(0, 0)).generation, 0)
        for record in records
    }
    for record in records:
        generation, offset = after[record.where]
        after[record.where] = Position(generation, max(offset, record.position + 1))
    return dict(writer.write(records, stored, after, NOW))


def rows(database: Database, but: Collection[str] = ()) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that a reader of the archive sees, without the columns `but`, at one moment: an archive
    may be writing meanwhile. `seq` numbers alerts in the order of their coming, which is no property of
    any of them: named by the state change that has it."""
    engine = database.reader()
    with engine.connect() as db:
        db.exec_driver_sql("BEGIN" if database.is_sqlite else "BEGIN ISOLATION LEVEL REPEATABLE READ")
        seqs = {row.seq: row.ce_id for row in db.execute(sa.select(tables.alerts))}
        found = {
            table.name: sorted(
                (
                    tuple(
                        seqs[value] if name == "seq" else value
                        for name, value in row.items()
                        if name not in but
                    )
                    for row in db.execute(sa.select(table)).mappings()
                ),
                key=repr,
            )
            for table in (tables.alerts, tables.alerts_now, tables.labels, tables.page_status,
                          tables.verdicts, tables.rejects)
        }  # fmt: skip
    engine.dispose()
    return found


def empty(database: Database) -> None:
    """As migrated."""
    engine = database.writer()
    with engine.begin() as db:
        for table in tables.METADATA.sorted_tables:
            if table is tables.meta:
                db.execute(sa.update(table).values(value=0))
            else:
                db.execute(sa.delete(table))
    engine.dispose()
