"""Records of the topic of hot facts: by page, what is hot there; and how far edits have been decided."""

from __future__ import annotations

import msgspec

from streams.kafka.records import OutRecord
from streams.partitions import key_bytes
from streams.posts import HotFact
from streams.topics import HEARTBEAT_KEY, HOT_FACTS, Header


class HotFacts(msgspec.Struct, frozen=True):
    """All that is hot on a page: statements that were just vandalised or are being fought over."""

    wiki: str
    title: str
    facts: tuple[HotFact, ...]


def hot_facts_record(key: str, facts: tuple[HotFact, ...], partition: int) -> OutRecord:
    """`key` is the page's. Without facts: a tombstone."""
    wiki, _, title = key.partition(":")
    value = _encode(HotFacts(wiki, title, facts)) if facts else None
    return OutRecord(HOT_FACTS.name, partition, key_bytes(key), value, [])


def progress_record(passed: float, partition: int) -> OutRecord:
    """Edits of this partition up to event time `passed`, and 60 s more as far as they have come, have
    been decided, and what is hot of it is before this record."""
    headers = [(Header.WATERMARK, repr(passed).encode())]
    return OutRecord(HOT_FACTS.name, partition, HEARTBEAT_KEY, None, headers)


def read_hot_facts(value: bytes) -> HotFacts:
    """Raises `msgspec.DecodeError`."""
    return _decode(value)


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(HotFacts).decode
