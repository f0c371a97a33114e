"""The archive's reader of topics never waits where it could not be stopped."""

from __future__ import annotations

from typing import Any

from kafka import TopicPartition

from streams.archive.delivered import Partition
from streams.archive.topic_reader import POLL_S, TopicReader


class Consumer:
    """Takes down how long it was allowed to wait for what."""

    def __init__(self) -> None:
        self.waits: list[tuple[str, float | None]] = []

    def poll(self, timeout_ms: float | None = None, max_records: int | None = None) -> dict[Any, Any]:
        self.waits.append(("poll", timeout_ms))
        return {}

    def position(self, partition: TopicPartition, timeout_ms: float | None = None) -> int:
        self.waits.append(("position", timeout_ms))
        return 7 + partition.partition


def test_a_position_is_asked_for_without_a_wait_for_the_partitions_new_leader() -> None:
    reader, consumer = TopicReader({"bootstrap_servers": ["nowhere:9092"]}, ["some"]), Consumer()
    reader._consumer = consumer
    reader._partitions = [TopicPartition("some", 0), TopicPartition("some", 1)]
    reader._seen = {Partition("some", 0): 7, Partition("some", 1): 5}
    fetched = reader.poll()
    assert fetched is not None
    assert fetched.after == {Partition("some", 1): 8}
    assert consumer.waits == [("poll", POLL_S * 1_000), ("position", 0), ("position", 0)]
