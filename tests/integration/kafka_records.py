"""What tests do with topics: make them anew, read what is committed."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition

from streams.kafka.admin import create_topics
from streams.kafka.security import Connection
from streams.topics import TOPICS


def make_topics_anew(bootstrap: str, partitions: int) -> None:
    """Deletes the topics of Factwatch with all that is in them, and makes them."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    ours = {topic.name for topic in TOPICS}
    admin.delete_topics([name for name in admin.list_topics() if name in ours])
    deadline = time.monotonic() + 30
    while ours & set(admin.list_topics()):
        assert time.monotonic() < deadline, "the topics are still there"
        time.sleep(0.05)  # between two looks
    admin.close()
    list(create_topics(Connection(bootstrap=(bootstrap,)), partitions, 1))


def committed(bootstrap: str, topic: str) -> dict[int, list[Any]]:
    """All records that a reader of committed ones sees, by partition, in order."""
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        group_id=None,
        enable_auto_commit=False,
    )
    try:
        parts = [TopicPartition(topic, n) for n in consumer.partitions_for_topic(topic) or ()]
        consumer.assign(parts)
        ends = _ends(bootstrap, parts)
        found: dict[int, list[Any]] = defaultdict(list)
        deadline = time.monotonic() + 60
        while any(consumer.position(part) < ends[part] for part in parts):
            assert time.monotonic() < deadline, "an open transaction holds the end back"
            for part, records in consumer.poll(timeout_ms=200).items():
                found[part.partition] += records
        return found
    finally:
        consumer.close()


def _ends(bootstrap: str, parts: list[TopicPartition]) -> dict[TopicPartition, int]:
    """Where the next records would go, open transactions counted."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, group_id=None)
    try:
        ends: dict[TopicPartition, int] = consumer.end_offsets(parts)
        return ends
    finally:
        consumer.close()
