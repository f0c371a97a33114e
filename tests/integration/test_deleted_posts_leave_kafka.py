"""A post is deleted: its bytes leave the compacted topics of a real Kafka, by what `factwatch topics
create` sets and nothing else. Only time is made to run faster."""

from __future__ import annotations

import itertools
import time
from contextlib import ExitStack
from pathlib import Path

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.admin import NewTopic

from streams.records import Alert, AlertKind
from streams.topics import DAY_S, PAGE_STATE, TOPICS, Partitions, Topic
from tests.core_world import EditWorld, raw_of
from tests.integration.kafka_broker import KafkaBroker
from tests.integration.program import running
from tests.integration.test_posts_on_kafka import Program, action_api, hand_in, submitted
from tests.kafka_world import fleet, wait_until
from tests.post_core_world import BAD, GOOD

PARTITIONS = 2
COMPACTED = [topic for topic in TOPICS if topic.retention_s is None]
#: A day of the topics takes four seconds.
DAY_TAKES_S = 4
#: What the posts are known by. Only one of them is deleted.
GONE = ("goneid5f1c", "gonewordc0de", "gone.example")
STAYS = ("staysid5f1c", "stayswordc0de", "stays.example")


def hurried(topic: Topic) -> dict[str, str]:
    """As it is made, with a day of `DAY_TAKES_S`."""
    return {
        name: str(max(int(value) * DAY_TAKES_S // DAY_S, 1)) if name.endswith(".ms") else value
        for name, value in topic.config.items()
    }


def make_topics(bootstrap: str) -> None:
    """Bytes are stored as they are, to be found. No share of old records is enough to compact for: in a
    small topic it would always be, in a large one it may take for ever."""
    also = {
        "compression.type": "uncompressed",
        "min.cleanable.dirty.ratio": "1.0",
        "file.delete.delay.ms": "1",
    }
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    admin.create_topics([
        NewTopic(
            topic.name,
            PARTITIONS if topic.partitions is Partitions.SHARED else 1,
            1,
            topic_configs=hurried(topic) | also if topic in COMPACTED else topic.config,
        )
        for topic in TOPICS
    ])  # fmt: skip
    admin.close()


def stored(broker: KafkaBroker, topic: Topic) -> bytes:
    """All bytes of all files of the topic, those of its indexes too."""
    return b"".join(
        file.read_bytes()
        for directory in (broker.directory / "data").glob(f"{topic.name}-*")
        for file in directory.iterdir()
    )


def found(broker: KafkaBroker, words: tuple[str, ...], topics: list[Topic]) -> set[tuple[str, str]]:
    return {
        (topic.name, word)
        for topic in topics
        for bytes_ in (_or_again(broker, topic),)
        for word in words
        if word.encode() in bytes_
    }


def _or_again(broker: KafkaBroker, topic: Topic) -> bytes:
    while True:
        try:
            return stored(broker, topic)
        except FileNotFoundError:  # the cleaner was quicker
            continue


def read(broker: KafkaBroker, topic: Topic) -> bytes:
    """All keys, values and headers that can be read, of transactions that were given up too."""
    consumer = KafkaConsumer(
        bootstrap_servers=broker.bootstrap,
        isolation_level="read_uncommitted",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_partition_fetch_bytes=16 << 20,
    )
    try:
        places = [TopicPartition(topic.name, n) for n in consumer.partitions_for_topic(topic.name) or ()]
        consumer.assign(places)
        consumer.seek_to_beginning(*places)
        ends = consumer.end_offsets(places)
        parts: list[bytes] = []
        while any(consumer.position(place) < ends[place] for place in places):
            for record in itertools.chain(*consumer.poll(timeout_ms=200).values()):
                parts += [record.key or b"", record.value or b""]
                parts += [value or b"" for _, value in record.headers]
        return b"".join(parts)
    finally:
        consumer.close()


def test_a_deleted_post_leaves_the_compacted_topics(own_kafka: KafkaBroker, tmp_path: Path) -> None:
    make_topics(own_kafka.bootstrap)
    world = EditWorld(step_s=10.0)
    world.now = float(int(time.time()) - 3_600)
    world.edit("Alice", GOOD)
    world.edit("192.0.2.7", BAD)
    world.edit("Zoe", "A mast.", title="Mast")
    said_at = world.now
    with ExitStack() as stack:
        program = Program(own_kafka.bootstrap, tmp_path, stack.enter_context(action_api(world)))
        workers = stack.enter_context(fleet(tmp_path, program.environ, 1))
        workers.up()
        api = stack.enter_context(running(["api"], program.environ, tmp_path))
        program.ingest("changes", [raw_of(record) for record in world.records])
        program.ingest("posts", [
            *(
                submitted(post_id, said_at + 1, f"{word}: {BAD}", url=f"https://{host}/1")
                for post_id, word, host in (GONE, STAYS)
            ),
            submitted("later", said_at + 60, "What a nice day in the park."),
        ])  # fmt: skip
        wait_until(lambda: named(program) == {GONE[0], STAYS[0]}, 60, workers.told)
        in_page_state = found(own_kafka, GONE, [PAGE_STATE])
        assert in_page_state == {(PAGE_STATE.name, word) for word in GONE}

        def time_goes_on() -> None:
            """A record for every partition, so that what is old comes to be closed and compacted."""
            nonlocal said_at
            said_at += 1
            post = {"platform": "chat", "text": "Nice day.", "created": said_at + 100}
            hand_in(api, [post | {"id": f"later-{said_at}-{n}"} for n in range(4)])

        hand_in(api, [{"platform": "chat", "id": GONE[0], "deleted": True, "created": said_at + 90}])
        time_goes_on()
        wait_until(lambda: bool(program.settled()), 60, workers.told)

        def is_gone() -> bool:
            time_goes_on()
            return not found(own_kafka, GONE, COMPACTED)

        wait_until(is_gone, 60 * DAY_TAKES_S, lambda: f"{found(own_kafka, GONE, COMPACTED)}")
        assert found(own_kafka, STAYS, [PAGE_STATE]) == {(PAGE_STATE.name, word) for word in STAYS}
        assert workers.workers[0].stop() == 0
    for topic in COMPACTED:
        text = read(own_kafka, topic)
        assert not [word for word in GONE if word.encode() in text], topic.name


def named(program: Program) -> set[str]:
    alerts: list[Alert] = program.alerts(AlertKind.POST_REPEATS)
    return {post.post_id for alert in alerts for post in alert.posts}
