"""Records of the topic of hot facts: by page, what is hot there; and how far edits have been decided. Beside
them how far each has spread."""

from __future__ import annotations

import msgspec

from streams.kafka.records import OutRecord
from streams.partitions import key_bytes
from streams.posts import HotFact
from streams.state.fact_spread import FactSpread
from streams.topics import HEARTBEAT_KEY, HOT_FACTS, SPREADS, Header


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


def spread_record(hot_id: str, told: FactSpread | None, partition: int) -> OutRecord:
    """Of a fact, beside the record of its page. None: no post repeats it, or it is hot no more."""
    value = _encode(told) if told is not None else None
    return OutRecord(SPREADS.name, partition, hot_id.encode(), value, [])


def spreads_go_on(partition: int) -> OutRecord:
    """Says nothing. Spreads name posts, and of the segment that is written to nothing is compacted: it is
    closed when something is written past its time."""
    return OutRecord(SPREADS.name, partition, HEARTBEAT_KEY, None, [])


def read_spread(value: bytes) -> FactSpread:
    """Raises `msgspec.DecodeError`."""
    return _decode_spread(value)


def read_hot_facts(value: bytes) -> HotFacts:
    """Raises `msgspec.DecodeError`."""
    return _decode(value)


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(HotFacts).decode
_decode_spread = msgspec.json.Decoder(FactSpread).decode
