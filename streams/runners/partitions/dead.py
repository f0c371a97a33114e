"""A record that can't be processed, as it goes to the dead letters: its own bytes, and why in headers."""

from __future__ import annotations

from streams.kafka.records import InRecord, OutRecord
from streams.partitions import partition_of_bytes
from streams.records import DeadLetter
from streams.topics import DEAD_LETTERS

PREFIX = "factwatch.error."


def dead_letter_of(record: InRecord, dead: DeadLetter, partitions: int) -> OutRecord:
    """Original key, value and headers; `message` has been quoted already."""
    exception, _, _ = dead.message.partition(":")
    told = {
        "stage": dead.stage,
        "reason": dead.reason,
        "exception": exception if dead.reason == "stage_failed" else "",
        "message": dead.message,
        "topic": record.topic,
        "partition": str(record.partition),
        "offset": str(record.offset),
        "time": repr(record.timestamp / 1_000),
    }
    headers = [(name, value) for name, value in record.headers if not name.startswith(PREFIX)]
    headers += [(PREFIX + name, text.encode("utf-8", "replace")) for name, text in told.items()]
    raw = record.value if record.value is not None else b""
    return OutRecord(
        DEAD_LETTERS.name, partition_of_bytes(raw, partitions), record.key or b"", record.value, headers
    )
