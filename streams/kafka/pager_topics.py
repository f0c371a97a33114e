"""The topics that the pager reads: alerts, labels and verdicts, from some days back, without a consumer group.

It keeps nothing, neither on disk nor in Kafka: each start reads the last days anew. Two pagers side by side
read the same and tell the same, which Alertmanager takes for one.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import msgspec
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from streams.errors import BrokerUnavailable
from streams.kafka.admin import REACH_S, unavailable
from streams.kafka.by_time import ByTime
from streams.kafka.clients import connected
from streams.kafka.cloud_events import MAX_VALUE_BYTES, NotAnAlert, from_event
from streams.kafka.security import Connection, for_kafka_python
from streams.records import Alert, EditsVerdict, Label
from streams.sinks.pager_feed import Fetched
from streams.sinks.pager_receiver import PagerPosition
from streams.state.watermark import Watermark
from streams.topics import ALERTS, DAY_S, LABELS, VERDICTS

log = logging.getLogger("factwatch.pager")
Record = TypeVar("Record")

#: Nothing that began earlier and was not told of since is anybody's page now.
ALERTS_BACK_S = 7.0 * DAY_S
#: Live precision looks at edits of up to nine days ago, whose labels came within 48 h. What people say of
#: them came later than they were made, too.
LABELS_BACK_S = 9.5 * DAY_S
_BACK_S = {ALERTS.name: ALERTS_BACK_S, LABELS.name: LABELS_BACK_S, VERDICTS.name: LABELS_BACK_S}
BATCH = 500
POLL_MS = 500
ANSWER_MS = 5_000
#: Of one partition, read ahead of the others at a start.
AHEAD_CAP = 2_000
#: A poll of a broker that is away gives nothing, for ever: it is asked something that wants an answer.
ASK_EVERY_S = 3.0

_label = msgspec.json.Decoder(Label).decode
_verdict = msgspec.json.Decoder(EditsVerdict).decode


class PagerTopics:
    """A `PagerFeed`. Alerts come in the order they were written in, at the start across partitions too:
    else a week of one partition would be over before the first day of the next."""

    def __init__(self, connection: Connection, now: Callable[[], float]) -> None:
        self._connection = connection
        self._now = now
        self._consumer: Any = None
        self._next: dict[TopicPartition, int] = {}
        """Where reading goes on after an outage: behind all that was handed out or waits in `_ahead`."""
        self._ends: dict[TopicPartition, int] = {}
        """Of alerts, as of the first start, those not reached yet."""
        self._ahead: ByTime[TopicPartition, Alert] | None = None
        self._paused: set[TopicPartition] = set()
        self._asked_s = time.monotonic()
        self._watermark = Watermark()
        self._taken = 0

    def start(self) -> None:
        self.close()
        with self._told():
            self._consumer = self._open()
            catching_up = self._ahead is not None and not self._ahead.done
            partitions = list(self._next) if catching_up else self._assigned()
            self._consumer.assign(partitions)
            begins = self._begins([each for each in partitions if each not in self._next])
            for partition in partitions:
                at = self._next.setdefault(partition, begins.get(partition, 0))
                self._consumer.seek(partition, at)
            if self._ahead is None:
                alerts = [each for each in partitions if each.topic == ALERTS.name]
                self._ahead = ByTime(alerts)
                self._ends = self._consumer.end_offsets(alerts, ANSWER_MS)
            elif self._ends:  # a topic made anew meanwhile may never get as far
                ends = self._consumer.end_offsets(list(self._ends), ANSWER_MS)
                self._ends = {each: min(end, ends[each]) for each, end in self._ends.items()}
            self._paused = set()
            if not self._ahead.done:
                self._pause([each for each in partitions if each.topic != ALERTS.name])

    def poll(self, most: PagerPosition | None) -> Fetched:
        """`most` means nothing here: `caught_up` is what was there at the start."""
        assert self._ahead is not None
        with self._told():
            if not self._ahead.done:
                return self._catch_up(self._ahead)
            return self._read()

    def close(self) -> None:
        if self._consumer is not None:
            with contextlib.suppress(KafkaError):
                self._consumer.close(autocommit=False, timeout_ms=2_000)
            self._consumer = None

    def _catch_up(self, ahead: ByTime[TopicPartition, Alert]) -> Fetched:
        for partition, records in self._polled(0 if ahead.ready else POLL_MS).items():
            for record in records:
                alert = self._alert(record)
                if alert is not None:
                    ahead.add(partition, record.timestamp, alert)
        for partition, end in list(self._ends.items()):
            # Behind the last record may be markers of transactions: the position passes them.
            if self._consumer.position(partition, ANSWER_MS) >= end:
                ahead.end(partition)
                del self._ends[partition]
        alerts = ahead.take(BATCH)
        full = [each for each in self._ends if ahead.waiting(each) >= AHEAD_CAP]
        low = [
            each for each in self._ends if each in self._paused and ahead.waiting(each) < AHEAD_CAP / 2
        ]
        self._pause(full)
        self._resume(low)
        if ahead.done:
            self._resume(list(self._paused))
        return self._fetched(alerts, [], [], caught_up=ahead.done)

    def _read(self) -> Fetched:
        if time.monotonic() - self._asked_s >= ASK_EVERY_S:
            self._asked_s = time.monotonic()
            partitions = self._assigned()
            self._consumer.end_offsets(partitions[:1], ANSWER_MS)
            if set(partitions) != self._consumer.assignment():
                self.start()  # there are more of them now
        alerts: list[Alert] = []
        labels: list[Label] = []
        verdicts: list[EditsVerdict] = []
        for records in self._polled(POLL_MS).values():
            for record in records:
                if record.topic == LABELS.name:
                    labels += _decoded(record, _label)
                elif record.topic == VERDICTS.name:
                    verdicts += _decoded(record, _verdict)
                elif (alert := self._alert(record)) is not None:
                    alerts.append(alert)
        return self._fetched(alerts, labels, verdicts, caught_up=not alerts)

    def _fetched(
        self,
        alerts: list[Alert],
        labels: list[Label],
        verdicts: list[EditsVerdict],
        *,
        caught_up: bool,
    ) -> Fetched:
        for alert in alerts:
            self._watermark.advance(alert.event_time)
        for label in labels:
            self._watermark.advance(label.labelled_time)
        self._taken += len(alerts)
        upto = PagerPosition(self._taken, max(self._watermark.time, 0.0))
        return Fetched(alerts, labels, upto, caught_up, verdicts)

    def _polled(self, wait_ms: int) -> dict[TopicPartition, list[Any]]:
        batches: dict[TopicPartition, list[Any]] = self._consumer.poll(wait_ms, max_records=BATCH)
        for partition, records in batches.items():
            self._next[partition] = records[-1].offset + 1
        return batches

    def _alert(self, record: Any) -> Alert | None:
        try:
            return from_event(record.key, record.value, record.headers)
        except NotAnAlert as err:
            log.warning(
                "%s partition %d offset %d is passed over: %s",
                record.topic, record.partition, record.offset, err,
            )  # fmt: skip
            return None

    def _open(self) -> Any:
        return connected(
            KafkaConsumer,
            **for_kafka_python(self._connection),
            client_id="factwatch-pager",
            group_id=None,
            enable_auto_commit=False,
            isolation_level="read_committed",
            # A topic that was made anew, or a position that retention has left behind.
            auto_offset_reset="earliest",
            fetch_max_bytes=8 << 20,
            metadata_max_age_ms=60_000,
            allow_auto_create_topics=False,
            bootstrap_timeout_ms=int(REACH_S * 1_000),
        )

    def _assigned(self) -> list[TopicPartition]:
        return [each for topic in _BACK_S for each in self._partitions(topic)]

    def _partitions(self, topic: str) -> list[TopicPartition]:
        found = sorted(self._consumer.partitions_for_topic(topic) or ())
        if not found:
            raise BrokerUnavailable(
                f"Kafka at {self._connection.where}: no topic {topic}: `factwatch topics create` makes it"
            )
        return [TopicPartition(topic, number) for number in found]

    def _begins(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        """The first record of the last days; the end where all are older."""
        if not partitions:
            return {}
        now = self._now()
        asked = {each: int(max(now - _BACK_S[each.topic], 0) * 1_000) for each in partitions}
        found = self._consumer.offsets_for_times(asked, ANSWER_MS)
        ends = self._consumer.end_offsets(partitions, ANSWER_MS)
        return {
            each: ends[each] if found.get(each) is None else found[each].offset for each in partitions
        }

    def _pause(self, partitions: list[TopicPartition]) -> None:
        self._paused.update(partitions)
        self._consumer.pause(*partitions)

    def _resume(self, partitions: list[TopicPartition]) -> None:
        self._paused.difference_update(partitions)
        self._consumer.resume(*partitions)

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (KafkaError, OSError) as err:
            raise unavailable(self._connection, err) from None


def _decoded(record: Any, decode: Callable[[bytes], Record]) -> list[Record]:
    """Nothing where it is not what its topic should hold."""
    if not record.value or len(record.value) > MAX_VALUE_BYTES:
        return []
    try:
        return [decode(record.value)]
    except (msgspec.DecodeError, UnicodeError):
        log.warning(
            "%s partition %d offset %d is passed over: it can't be read",
            record.topic, record.partition, record.offset,
        )  # fmt: skip
        return []
