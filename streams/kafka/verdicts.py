"""A person's verdict as it is written: keyed and placed by the page, so that those on one edit stay in their
order."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from streams.kafka.writer import Sending
from streams.partitions import key_bytes, page_key, partition_of_page
from streams.records import EditsVerdict
from streams.topics import VERDICTS

_encode = msgspec.json.Encoder().encode


def verdict_sendings(verdicts: Sequence[EditsVerdict], partitions: int) -> list[Sending]:
    return [
        Sending(
            VERDICTS.name,
            partition_of_page(verdict.wiki, verdict.title, partitions),
            key_bytes(page_key(verdict.wiki, verdict.title)),
            _encode(verdict),
            [],
        )
        for verdict in verdicts
    ]
