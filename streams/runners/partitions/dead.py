"""A record that can't be processed, as it goes to the dead letters: its own bytes, and why in headers."""

from __future__ import annotations

from streams.kafka.records import Headers, InRecord, OutRecord
from streams.partitions import partition_of_bytes
from streams.records import DeadLetter
from streams.topics import DEAD_LETTERS

PREFIX = "factwatch.error."


def dead_letter_of(record: InRecord, dead: DeadLetter, partitions: int) -> OutRecord:
    """Original key, value and headers; `message` has been quoted already."""
    headers = [(name, value) for name, value in record.headers if not name.startswith(PREFIX)]
    headers += reason_headers(
        dead, record.topic, str(record.partition), str(record.offset), record.timestamp / 1_000
    )
    raw = record.value if record.value is not None else b""
    return OutRecord(
        DEAD_LETTERS.name, partition_of_bytes(raw, partitions), record.key or b"", record.value, headers
    )


def reason_headers(dead: DeadLetter, topic: str, partition: str, offset: str, written: float) -> Headers:
    """Why, and where it was: of a record that never got into `topic`, `offset` is the source's own."""
    exception, _, _ = dead.message.partition(":")
    told = {
        "stage": dead.stage,
        "reason": dead.reason,
        "exception": exception if dead.reason == "stage_failed" else "",
        "message": dead.message,
        "topic": topic,
        "partition": partition,
        "offset": offset,
        "time": repr(written),
    }
    return [(PREFIX + name, text.encode("utf-8", "replace")) for name, text in told.items()]
