"""What one flush of ingest writes. Pure but for the clock it is given: items in, records for Kafka out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from streams.clock import Clock
from streams.kafka.cursors import Position
from streams.kafka.writer import Sending
from streams.partitions import (
    key_bytes,
    page_key,
    partition_of_bytes,
    partition_of_page,
    partition_of_performer,
    performer_key,
    place_in_changes,
    places_in_edits,
)
from streams.records import DeadLetter, PerformerKind, Skip
from streams.sources.base import SourceItem
from streams.stages.deduplicate import RecentIds
from streams.stages.normalize import MAX_NAME_CHARS, MAX_TITLE_CHARS, Normalized, Normalizer
from streams.stages.performer_kinds import performer_kind
from streams.state.watermark import Watermark
from streams.topics import CHANGES, CURSORS, EDITS, HEARTBEAT_KEY, Header

_ROUTED = (Header.ROUTED, b"1")
_TOO_LARGE = (Header.TOO_LARGE, b"1")


class FlushBatch(msgspec.Struct, frozen=True):
    sendings: list[Sending]
    cursor: str | None
    """Of the last item; None without items."""
    watermark: Watermark
    records: int
    routed: int
    """Those that others are to work on."""
    outcomes: dict[str, int]
    """Adds up to `records`."""


class _Names(msgspec.Struct, gc=False):
    """The little that places a record which is not ours to judge."""

    wiki: str | None = None
    user: str | None = None
    database: str | None = None
    page_title: str | None = None


_names = msgspec.json.Decoder(_Names).decode


class BatchMaker:
    """`normalizer_at` gives a normalizer that takes the given function for its clock: events are judged
    by the time that is written on their records, which is what the workers judge them by."""

    def __init__(
        self,
        normalizer_at: Callable[[Callable[[], float]], Normalizer],
        partitions: int,
        clock: Clock,
    ) -> None:
        self._partitions = partitions
        self._clock = clock
        self._timestamp_ms = 0
        self._normalize = normalizer_at(lambda: self._timestamp_ms / 1_000)
        self._recent: RecentIds[str] = RecentIds()
        self._watermark = Watermark()

    def go_on_from(self, watermark: Watermark) -> None:
        self._watermark = msgspec.structs.replace(watermark)

    def __call__(self, items: Sequence[SourceItem], *, heartbeat: bool = False) -> FlushBatch:
        """`heartbeat`: tell every partition of edits how far time has passed."""
        self._timestamp_ms = int(self._clock.now() * 1_000)
        sendings: list[Sending] = []
        records = routed = 0
        for item in items:
            if item.raw is None:
                continue  # a sign of life: only the cursor moves
            records += 1
            routed += self._add(sendings, item, item.raw)
        if heartbeat:
            told = self._told()
            sendings += [
                Sending(EDITS.name, partition, HEARTBEAT_KEY, None, [told], self._timestamp_ms)
                for partition in range(self._partitions)
            ]
        cursor = items[-1].cursor if items else None
        outcomes = {"routed": routed, "changes_only": records - routed}
        watermark = msgspec.structs.replace(self._watermark)
        return FlushBatch(sendings, cursor, watermark, records, routed, outcomes)

    def position(self, source: str, position: Position) -> Sending:
        return position_record(source, position, self._timestamp_ms)

    def _add(self, sendings: list[Sending], item: SourceItem, raw: bytes) -> bool:
        """True if a copy went to edits."""
        record: Normalized | None = None if item.too_large else self._normalize(raw)
        if record is None or isinstance(record, Skip | DeadLetter):
            key, partition = self._unrouted_place(raw)
            headers = [self._told(), _TOO_LARGE] if item.too_large else [self._told()]
            sendings.append(Sending(CHANGES.name, partition, key, raw, headers, self._timestamp_ms))
            return False
        # One that comes again tells nothing new of the time: three make a clock that is off believed.
        if self._recent.add(record.event_id):
            self._watermark.advance(record.event_time)
        headers = [self._told(), _ROUTED]
        name, partition = place_in_changes(record, self._partitions)
        sendings.append(
            Sending(CHANGES.name, partition, key_bytes(name), raw, headers, self._timestamp_ms)
        )
        sendings += [
            Sending(EDITS.name, partition, key_bytes(name), raw, headers, self._timestamp_ms)
            for name, partition in places_in_edits(record, self._partitions)
        ]
        return True

    def _told(self) -> tuple[str, bytes]:
        return Header.WATERMARK, repr(self._watermark.time).encode()

    def _unrouted_place(self, raw: bytes) -> tuple[bytes | None, int]:
        """By performer or page all the same, where they are named: a worker that watches more wikis than
        we do meets its performers in the right partition."""
        try:
            names = _names(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None, partition_of_bytes(raw, self._partitions)
        # Cut as normalizing cuts them: a key as large as its value would make a record too large.
        if names.wiki and names.user and len(names.wiki) <= MAX_NAME_CHARS:
            user = names.user[:MAX_NAME_CHARS]
            partition = partition_of_performer(
                names.wiki,
                user,
                self._partitions,
                is_address=performer_kind(names.user) is PerformerKind.IP,
            )
            return key_bytes(performer_key(names.wiki, user)), partition
        if names.database and names.page_title and len(names.database) <= MAX_NAME_CHARS:
            title = names.page_title[:MAX_TITLE_CHARS].replace("_", " ")
            partition = partition_of_page(names.database, title, self._partitions)
            return key_bytes(page_key(names.database, title)), partition
        return None, partition_of_bytes(raw, self._partitions)


def position_record(source: str, position: Position, timestamp_ms: int) -> Sending:
    return Sending(CURSORS.name, 0, source.encode(), msgspec.json.encode(position), [], timestamp_ms)
