"""Making the topics, and saying what is otherwise where they are there already."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

import msgspec
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType, NewTopic
from kafka.errors import KafkaError, TopicAlreadyExistsError

from streams.errors import BrokerUnavailable, FactwatchError, NoTopics
from streams.kafka.clients import connected
from streams.kafka.complaints import COMPLAINTS
from streams.kafka.security import Connection, for_kafka_python
from streams.topics import CHANGES, TOPICS, Partitions, Topic

#: From nothing to an answer, before we say that there is none.
REACH_S = 5.0
_CUT_OFF = re.compile(r"disconnected|timed out|Timeout during")


class TopicState(StrEnum):
    CREATED = "created"
    THERE = "there already"
    DIFFERS = "differs"
    MISSING = "missing"


class TopicReport(msgspec.Struct, frozen=True):
    name: str
    state: TopicState
    differences: tuple[str, ...] = ()
    """`what: found, wanted`, a line each. Nothing was changed of it."""
    unusable: bool = False
    """Workers would go wrong with these: other partitions, another cleanup, too little room for a record.
    Else it is the operator's choice, such as a longer retention."""


class BrokerReport(msgspec.Struct, frozen=True):
    version: str
    """As far as what it understands tells."""
    brokers: int


@contextmanager
def admin_of(connection: Connection, reach_s: float = REACH_S) -> Iterator[KafkaAdminClient]:
    """Raises `BrokerUnavailable` when no broker answers within `reach_s`, or one refuses us."""
    try:
        admin = connected(
            KafkaAdminClient,
            **for_kafka_python(connection),
            client_id="factwatch-admin",
            bootstrap_timeout_ms=int(reach_s * 1_000),
            request_timeout_ms=30_000,
        )
    except KafkaError as err:
        raise unavailable(connection, err) from None
    try:
        yield admin
    finally:
        admin.close()


def unavailable(connection: Connection, err: Exception) -> BrokerUnavailable:
    detail = COMPLAINTS.why() or str(err) or type(err).__name__
    if connection.has_sasl and _CUT_OFF.search(detail):
        # kafka-python loses the broker's answer when the end of a TLS connection comes with it.
        detail += (
            ", as with a wrong name or password, or another mechanism than the broker's (ours is"
            f" {connection.mechanism})"
        )
    if "ECONNREFUSED" in detail:
        detail = "nothing listens there"
    return BrokerUnavailable(
        f"no Kafka broker can be used at {connection.where}: {detail.splitlines()[0]} (is it running? "
        "FACTWATCH_KAFKA_BOOTSTRAP and the other FACTWATCH_KAFKA_… settings say where it is and who we are)"
    )


def create_topics(connection: Connection, partitions: int, replication: int) -> Iterator[TopicReport]:
    """Makes those that are missing, in the order of the table. Never deletes, never changes."""
    with admin_of(connection) as admin:
        try:
            found = _described(admin, [topic.name for topic in TOPICS])
            for topic in TOPICS:
                if topic.name in found:
                    yield _compared(topic, found[topic.name], partitions, replication)
                else:
                    yield _created(admin, topic, partitions, replication)
        except KafkaError as err:
            raise FactwatchError(f"Kafka at {connection.where} refused: {_line(err)}") from None


def describe_brokers(connection: Connection, reach_s: float = REACH_S) -> BrokerReport:
    with admin_of(connection, reach_s) as admin:
        try:
            brokers = admin.describe_cluster()["brokers"]
            version = admin.get_broker_version_data(_id(brokers[0])).broker_version
        except KafkaError as err:
            raise unavailable(connection, err) from None
    return BrokerReport(".".join(map(str, version)), len(brokers))


def compare_topics(connection: Connection, reach_s: float = REACH_S) -> list[TopicReport]:
    """Each as `create_topics` would make it, with the partitions and the replication of the first."""
    with admin_of(connection, reach_s) as admin:
        try:
            found = _described(admin, [topic.name for topic in TOPICS])
        except KafkaError as err:
            raise unavailable(connection, err) from None
    first = found.get(CHANGES.name)
    partitions, replication = (first.partitions, first.replication) if first else (0, 0)
    return [
        _compared(topic, found[topic.name], partitions, replication)
        if topic.name in found
        else TopicReport(topic.name, TopicState.MISSING, unusable=True)
        for topic in TOPICS
    ]


def shared_partitions(connection: Connection) -> int:
    """P, as the topics have it. Raises `NoTopics` where they are missing or don't agree."""
    with admin_of(connection) as admin:
        shared = [topic.name for topic in TOPICS if topic.partitions is Partitions.SHARED]
        try:
            counts = {
                name: count
                for name, count in _partition_counts(admin).items()
                if name in {topic.name for topic in TOPICS}
            }
        except KafkaError as err:
            raise unavailable(connection, err) from None
    missing = [topic.name for topic in TOPICS if topic.name not in counts]
    if missing:
        raise NoTopics(
            f"Kafka at {connection.where} has no topic {missing[0]}: run `factwatch topics create` first"
        )
    other = [name for name in shared if counts[name] != counts[CHANGES.name]]
    if other:
        raise NoTopics(
            f"{other[0]} has {counts[other[0]]} partitions, {CHANGES.name} has {counts[CHANGES.name]}: "
            "they must agree (`factwatch topics create` tells what differs)"
        )
    return counts[CHANGES.name]


def _id(broker: Mapping[str, Any]) -> int:
    """Brokers before Kafka 2.8 are described by other means, and kafka-python gives what it gets."""
    found: int = broker["broker_id"] if "broker_id" in broker else broker["node_id"]
    return found


def _partitions_of(topic: Topic, partitions: int) -> int:
    return partitions if topic.partitions is Partitions.SHARED else 1


def _created(admin: KafkaAdminClient, topic: Topic, partitions: int, replication: int) -> TopicReport:
    wanted = NewTopic(
        topic.name, _partitions_of(topic, partitions), replication, topic_configs=topic.config
    )
    try:
        admin.create_topics([wanted], wait_for_metadata=True)
    except TopicAlreadyExistsError:  # somebody was quicker
        described = _described(admin, [topic.name])[topic.name]
        return _compared(topic, described, partitions, replication)
    return TopicReport(topic.name, TopicState.CREATED)


class _Described(msgspec.Struct):
    partitions: int
    replication: int
    config: Mapping[str, str]


def _partition_counts(admin: KafkaAdminClient) -> dict[str, int]:
    return {topic["name"]: len(topic["partitions"]) for topic in admin.describe_topics()}


def _described(admin: KafkaAdminClient, names: Iterable[str]) -> dict[str, _Described]:
    """Of those names, the topics that are there."""
    wanted = set(names)
    there = {topic["name"]: topic for topic in admin.describe_topics() if topic["name"] in wanted}
    if not there:
        return {}
    asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in there]
    configs: dict[str, dict[str, Any]] = admin.describe_configs(asked, config_filter="all")["topic"]
    return {
        name: _Described(
            len(topic["partitions"]),
            min(len(partition["replica_nodes"]) for partition in topic["partitions"]),
            {option: entry["value"] for option, entry in configs[name].items()},
        )
        for name, topic in there.items()
    }


def _compared(topic: Topic, found: _Described, partitions: int, replication: int) -> TopicReport:
    differences = []
    wanted_partitions = _partitions_of(topic, partitions)
    unusable = found.partitions != wanted_partitions
    if unusable:
        differences.append(f"partitions: {found.partitions}, wanted {wanted_partitions}")
    if found.replication != replication:
        differences.append(f"replication: {found.replication}, wanted {replication}")
    for option, wanted in topic.config.items():
        value = found.config.get(option)
        if value != wanted:
            differences.append(f"{option}: {value}, wanted {wanted}")
            unusable = unusable or _unusable(option, value or "", wanted)
    state = TopicState.DIFFERS if differences else TopicState.THERE
    return TopicReport(topic.name, state, tuple(differences), unusable)


def _unusable(option: str, value: str, wanted: str) -> bool:
    if option == "max.message.bytes":
        return not value.isdecimal() or int(value) < int(wanted)
    return option == "cleanup.policy"


def _line(err: Exception) -> str:
    return (str(err) or type(err).__name__).splitlines()[0]
