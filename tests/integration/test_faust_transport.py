"""The worker's transport on a real Kafka: bundles, commits, the group, and who may write."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord
from aiokafka.errors import IllegalOperation, ProducerFenced
from aiokafka.producer.message_accumulator import BatchBuilder

from streams.errors import StoreCorrupt
from streams.kafka.faust_app import WorkerApp, build_app, serve
from streams.kafka.records import OutRecord
from streams.kafka.security import Connection
from streams.kafka.transactions import Fenced, TransactionalWriter, TransactionFailed, read_partition
from tests.integration.kafka_broker import KafkaBroker
from tests.integration.transport_worker import RecordingWork
from tests.integration.transport_world import (
    WorkerProcess,
    aborted,
    committed,
    done_offsets,
    eventually,
    fill,
    fresh,
    make_topics,
    workers,
)

START_S = 60.0


@pytest.fixture
def start() -> Iterator[Callable[..., WorkerProcess]]:
    with workers() as starter:
        yield starter


@asynccontextmanager
async def running(app: WorkerApp) -> AsyncIterator[WorkerApp]:
    stop = asyncio.Event()
    serving = asyncio.create_task(serve(app, stop))
    try:
        yield app
    finally:
        stop.set()
        await serving


async def until(holds: Callable[[], object], within_s: float = START_S) -> None:
    async with asyncio.timeout(within_s):
        while not holds():
            await asyncio.sleep(0.02)  # between two looks


def app_of(
    kafka: str, group: str, topics: list[str], directory: Path, work: RecordingWork, **options: Any
) -> WorkerApp:
    connection = Connection(bootstrap=(kafka,))
    return build_app(
        connection=connection, group=group, topics=topics, data_dir=directory, work=work, **options
    )


def writer_of(kafka: str, name: str, **options: Any) -> TransactionalWriter:
    return TransactionalWriter(Connection(bootstrap=(kafka,)), name, **options)


async def read_all(
    kafka: str, topic: str, partition: int, start: int = 0
) -> tuple[list[ConsumerRecord], int]:
    found: list[ConsumerRecord] = []
    end = await read_partition(Connection(bootstrap=(kafka,)), topic, partition, start, found.extend)
    return found, end


def done_up_to(processes: Sequence[WorkerProcess]) -> dict[tuple[str, int], int]:
    return {tp: offsets[-1] for tp, offsets in done_offsets(processes).items()}


# Bundles and commits


def test_committed_records_come_in_bundles_in_order_and_once(kafka: str, tmp_path: Path) -> None:
    topics = make_topics(kafka, ["changes", "edits"], 3)

    async def story() -> list[dict[str, Any]]:
        writer = writer_of(kafka, fresh("writer"))
        await writer.start()
        for first in range(0, 3_000, 1_000):
            await writer.commit(
                [
                    OutRecord(topic, partition, b"k", b"%d" % number, [])
                    for topic in topics
                    for partition in range(3)
                    for number in range(first, first + 1_000)
                ]
            )
            await aborted(kafka, topics[0], 1, [b"not to be seen"] * 3)
        await writer.close()
        lines: list[dict[str, Any]] = []
        app = app_of(
            kafka, fresh("group"), topics, tmp_path, RecordingWork(lines.append), bundle_records=400
        )
        async with running(app):
            await until(
                lambda: sum(len(line["values"]) for line in lines if line["what"] == "done") >= 18_000
            )
            await until(lambda: len(app.figures().lag) == 6 and sum(app.figures().lag.values()) == 0)
            assert set(app.figures().newest_s) == {
                (topic, number) for topic in topics for number in range(3)
            }
        return lines

    lines = asyncio.run(story())
    done = [line for line in lines if line["what"] == "done"]
    for topic in topics:
        for partition in range(3):
            values = [
                value
                for line in done
                if (line["topic"], line["partition"]) == (topic, partition)
                for value in line["values"]
            ]
            assert values == [str(number) for number in range(3_000)]
    assert max(len(line["values"]) for line in done) == 400
    assert len(done) < 200  # 18,000 records


def test_what_is_not_durable_is_not_committed_and_comes_again(kafka: str, tmp_path: Path) -> None:
    [topic] = make_topics(kafka, ["changes"], 2)
    group = fresh("group")
    fill(kafka, [topic], 2, 300)

    class HoldsBack(RecordingWork):
        def durable(self, topic: str, partition: int) -> int | None:
            durable = super().durable(topic, partition)
            return min(durable, 100) if durable is not None and partition == 0 else durable

    async def first() -> None:
        work = HoldsBack(lambda line: None)
        async with running(app_of(kafka, group, [topic], tmp_path, work, commit_interval_s=0.2)):
            await until(lambda: work.done == {(topic, 0): 300, (topic, 1): 300})

    async def second() -> list[dict[str, Any]]:
        lines: list[dict[str, Any]] = []
        async with running(app_of(kafka, group, [topic], tmp_path, RecordingWork(lines.append))):
            await until(
                lambda: any(line["what"] == "done" and line["offsets"][-1] == 299 for line in lines)
            )
        return lines

    asyncio.run(first())
    assert committed(kafka, group, topic, 0) == 100
    assert committed(kafka, group, topic, 1) == 300
    again = [line for line in asyncio.run(second()) if line["what"] == "done"]
    assert [offset for line in again for offset in line["offsets"]] == list(range(100, 300))
    assert {line["partition"] for line in again} == {0}


def test_the_worker_says_where_to_go_on_from(kafka: str, tmp_path: Path) -> None:
    topics = make_topics(kafka, ["changes", "edits"], 2)
    fill(kafka, topics, 2, 50)
    lines: list[dict[str, Any]] = []

    async def story() -> None:
        work = RecordingWork(lines.append)
        work.start_at = {(topics[0], 0): 20, (topics[1], 1): 50}
        ends = {(topics[0], 0): 50, (topics[0], 1): 50, (topics[1], 0): 50}
        async with running(app_of(kafka, fresh("group"), topics, tmp_path, work)):
            await until(lambda: work.done == ends)

    asyncio.run(story())
    begun = {
        (line["topic"], line["partition"]): line["offsets"][0]
        for line in reversed(lines)
        if line["what"] == "begun"
    }
    assert begun == {(topics[0], 0): 20, (topics[0], 1): 0, (topics[1], 0): 0}
    assert lines[0]["what"] == "assigned"


def test_one_partition_that_waits_holds_up_no_other(kafka: str, tmp_path: Path) -> None:
    topics = make_topics(kafka, ["changes", "edits"], 2)
    fill(kafka, topics, 2, 2_000)
    held = (topics[0], 0)

    class Waits(RecordingWork):
        released = False

        async def on_bundle(self, topic: str, partition: int, records: Any) -> None:
            if (topic, partition) == held:
                await until(lambda: self.released)
            await super().on_bundle(topic, partition, records)

        def on_standing_still(self) -> None:
            self.released = True

    async def story() -> None:
        work = Waits(lambda line: None)
        async with running(
            app_of(kafka, fresh("group"), topics, tmp_path, work, bundle_records=100)
        ) as app:
            await until(lambda: sorted(work.done.values()) == [2_000] * 3)
            assert held not in work.done
            assert app.figures().lag[held] == 2_000

    asyncio.run(story())


def test_an_error_in_the_work_ends_the_worker_and_commits_nothing_of_it(
    kafka: str, tmp_path: Path, start: Callable[..., WorkerProcess]
) -> None:
    [topic] = make_topics(kafka, ["changes"], 2)
    group = fresh("group")
    fill(kafka, [topic], 1, 10)
    worker = start(kafka, group, [topic], tmp_path / "a", poison="after")
    eventually(lambda: committed(kafka, group, topic, 0) == 10, START_S, "the good ones are committed")
    fill(kafka, [topic], 1, 1, prefix="after")  # "after0" is no poison
    eventually(lambda: committed(kafka, group, topic, 0) == 11, START_S, "one more is committed")
    worker.process.kill()
    worker.process.wait()
    fill(kafka, [topic], 1, 1, prefix="poison")
    failing = start(kafka, group, [topic], tmp_path / "b", poison="poison0")
    assert failing.process.wait(timeout=START_S) not in (0, None)
    assert "ValueError: poison" in failing.log()
    assert committed(kafka, group, topic, 0) == 11


# The group


def test_partitions_of_one_number_stay_together_and_are_taken_over(
    kafka: str, tmp_path: Path, start: Callable[..., WorkerProcess]
) -> None:
    """Three workers, one killed: its partitions come back soon after the session timeout, nothing is
    missing, and every record is done in order."""
    topics = make_topics(kafka, ["changes", "edits", "performers", "feedback"], 8)
    group, session_s = fresh("group"), 3.0
    fill(kafka, topics, 8, 100)
    processes = [start(kafka, group, topics, tmp_path / name, session=session_s) for name in "abc"]
    eventually(
        lambda: (
            sorted(number for worker in processes for number in worker.numbers()) == list(range(8))
            and all(2 <= len(worker.numbers()) <= 3 for worker in processes)
        ),
        START_S,
        "each has its share",
    )
    everything = {(topic, partition) for topic in topics for partition in range(8)}
    fill(kafka, topics, 8, 100, prefix="b")
    eventually(lambda: done_up_to(processes) == dict.fromkeys(everything, 199), START_S, "all is done")
    for worker in processes:
        mine = {
            (line["topic"], line["partition"])
            for line in worker.lines("done")
            if line["offsets"][-1] == 199
        }
        assert mine == {(topic, number) for topic in topics for number in worker.numbers()}

    dead, *alive = processes
    lost = set(dead.numbers())
    dead.kill()
    eventually(
        lambda: sorted(number for worker in alive for number in worker.numbers()) == list(range(8)),
        session_s + START_S,
        "the others have all",
    )
    fill(kafka, topics, 8, 100, prefix="c")
    eventually(lambda: done_up_to(alive) == dict.fromkeys(everything, 299), START_S, "all is done")

    found = done_offsets(processes)
    assert set(found) == everything
    for (_, partition), offsets in found.items():
        assert set(offsets) == set(range(300))
        if partition not in lost:  # those of the dead one may be done twice
            assert offsets == list(range(300))


def test_a_newcomer_gets_a_share_and_the_others_keep_theirs(
    kafka: str, tmp_path: Path, start: Callable[..., WorkerProcess]
) -> None:
    [topic] = make_topics(kafka, ["changes"], 6)
    group = fresh("group")
    first = start(kafka, group, [topic], tmp_path / "a")
    eventually(lambda: first.numbers() == list(range(6)), START_S, "alone it has all")
    second = start(kafka, group, [topic], tmp_path / "b")
    eventually(lambda: len(first.numbers()) == len(second.numbers()) == 3, START_S, "half each")
    assert sorted(first.numbers() + second.numbers()) == list(range(6))
    assert first.lines("assigned")[-1]["kept"] == first.numbers()
    assert second.lines("assigned")[-1]["kept"] == []


def test_sigterm_finishes_what_is_begun_and_leaves_at_once(
    kafka: str, tmp_path: Path, start: Callable[..., WorkerProcess]
) -> None:
    [topic] = make_topics(kafka, ["changes"], 2)
    group = fresh("group")
    fill(kafka, [topic], 2, 10)
    leaving = start(kafka, group, [topic], tmp_path / "a", pause=2, session=240)
    eventually(lambda: len(leaving.lines("begun")) == 2, START_S, "both partitions are in work")
    leaving.terminate(within_s=40)
    assert len(leaving.lines("done")) == 2
    assert [committed(kafka, group, topic, partition) for partition in range(2)] == [10, 10]
    assert leaving.lines("revoked")[-1]["numbers"] == [0, 1]
    following = start(kafka, group, [topic], tmp_path / "b", session=240)
    eventually(
        lambda: following.numbers() == [0, 1],
        START_S,
        "the next has all, long before the session timeout",
    )


def test_work_that_does_not_end_is_cut_off_in_time(
    kafka: str, tmp_path: Path, start: Callable[..., WorkerProcess]
) -> None:
    [topic] = make_topics(kafka, ["changes"], 1)
    group = fresh("group")
    fill(kafka, [topic], 1, 10)
    stuck = start(kafka, group, [topic], tmp_path / "a", pause=600)
    eventually(lambda: stuck.lines("begun"), START_S, "it is in work")
    assert stuck.terminate(within_s=40) > 5
    assert committed(kafka, group, topic, 0) is None


def test_a_worker_that_was_frozen_knows_that_others_had_its_partitions(
    kafka: str, tmp_path: Path, start: Callable[..., WorkerProcess]
) -> None:
    [topic] = make_topics(kafka, ["changes"], 4)
    group = fresh("group")
    frozen = start(kafka, group, [topic], tmp_path / "a")
    eventually(lambda: frozen.numbers() == list(range(4)), START_S, "alone it has all")
    frozen.process.send_signal(signal.SIGSTOP)
    other = start(kafka, group, [topic], tmp_path / "b")
    eventually(lambda: other.numbers() == list(range(4)), START_S, "the other has all")
    fill(kafka, [topic], 4, 50)
    everything = {(topic, number) for number in range(4)}
    eventually(lambda: done_up_to([other]) == dict.fromkeys(everything, 49), START_S, "all is done")
    frozen.process.send_signal(signal.SIGCONT)
    eventually(lambda: len(frozen.numbers()) == len(other.numbers()) == 2, START_S, "half each")
    assert frozen.lines("assigned")[-1]["kept"] == []
    fill(kafka, [topic], 4, 50, prefix="b")
    eventually(
        lambda: done_up_to([frozen, other]) == dict.fromkeys(everything, 99), START_S, "all is done"
    )
    for offsets in done_offsets([frozen, other]).values():
        # Nothing is lost. A worker that woke up may do again what nobody had committed for it.
        assert sorted(set(offsets)) == list(range(100)), offsets


def test_a_broker_that_is_away_and_comes_back(
    own_kafka: KafkaBroker, tmp_path: Path, start: Callable[..., WorkerProcess]
) -> None:
    """Longer than the session timeout: the worker waits, says so with few words, and goes on."""
    broker = own_kafka
    topics = make_topics(broker.bootstrap, ["changes", "edits"], 2)
    group = fresh("group")
    everything = {(topic, number) for topic in topics for number in range(2)}
    fill(broker.bootstrap, topics, 2, 50)
    worker = start(broker.bootstrap, group, topics, tmp_path / "a")
    eventually(lambda: done_up_to([worker]) == dict.fromkeys(everything, 49), START_S, "all is done")
    broker.kill()
    with pytest.raises(subprocess.TimeoutExpired):
        worker.process.wait(timeout=6)
    broker.start()
    fill(broker.bootstrap, topics, 2, 50, prefix="b")
    eventually(lambda: done_up_to([worker]) == dict.fromkeys(everything, 99), 40, "all is done")
    found = done_offsets([worker])
    assert all(set(offsets) == set(range(100)) for offsets in found.values())
    eventually(
        lambda: committed(broker.bootstrap, group, topics[0], 0) == 100, START_S, "it commits again"
    )
    assert len(worker.log().splitlines()) < 60, worker.log()
    worker.terminate(within_s=40)


def test_without_a_broker_it_does_not_start_and_says_so(
    tmp_path: Path, start: Callable[..., WorkerProcess]
) -> None:
    with closing(socket.socket()) as taken:  # bound and not listening: nobody answers there
        taken.bind(("127.0.0.1", 0))
        nobody = f"127.0.0.1:{taken.getsockname()[1]}"
        worker = start(nobody, "group", ["changes"], tmp_path / "a")
        assert worker.process.wait(timeout=START_S) != 0
        assert "BrokerUnavailable: no Kafka broker can be used" in worker.log()

        async def story() -> None:
            with pytest.raises(TransactionFailed, match="factwatch-pages-5"):
                await writer_of(nobody, "factwatch-pages-5").start()

        asyncio.run(story())


# Transactions


def test_a_new_owner_fences_the_former(kafka: str) -> None:
    topics = make_topics(kafka, ["alerts", "state"], 2)

    async def story() -> None:
        name = fresh("factwatch-pages-0")
        former, newer = writer_of(kafka, name), writer_of(kafka, name)
        await former.start()
        assert await former.commit([OutRecord(topics[1], 0, b"k", b"1", [])]) == {(topics[1], 0): 1}
        await newer.start()
        with pytest.raises(Fenced, match=name):
            await former.commit([OutRecord(topic, 0, b"k", b"late", []) for topic in topics])
        with pytest.raises(TransactionFailed):
            await former.commit([OutRecord(topics[0], 0, b"k", b"later", [])])
        await newer.commit([OutRecord(topics[1], 0, b"k", b"2", [("h", b"v")])])
        records, _ = await read_all(kafka, topics[1], 0)
        assert [(record.value, record.headers) for record in records] == [
            (b"1", ()),
            (b"2", (("h", b"v"),)),
        ]
        assert (await read_all(kafka, topics[0], 0))[0] == []
        await former.close()
        await newer.close()

    asyncio.run(story())


def test_fenced_is_told_whichever_batch_hears_of_it(kafka: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One is refused while another has not been handed over: that one hears that there is no transaction."""
    topics = make_topics(kafka, ["alerts", "state"], 2)

    async def story() -> None:
        name = fresh("factwatch-pages-0")
        former, newer = writer_of(kafka, name), writer_of(kafka, name)
        await former.start()
        await newer.start()
        producer = former._producer
        hand_over = producer.send_batch

        async def slowly(batch: BatchBuilder, topic: str, *, partition: int) -> asyncio.Future[Any]:
            if topic == topics[0]:
                await hand_over(batch, topic, partition=partition)
                return asyncio.get_running_loop().create_future()
            while producer._txn_manager.is_in_transaction():
                await asyncio.sleep(0.01)  # its client tells nobody when that ends
            return await hand_over(batch, topic, partition=partition)

        monkeypatch.setattr(producer, "send_batch", slowly)
        with pytest.raises(Fenced, match=name) as refused:
            await former.commit([OutRecord(topic, 0, b"k", b"late", []) for topic in topics])
        assert isinstance(refused.value.__cause__, IllegalOperation)
        await newer.commit([OutRecord(topics[1], 0, b"k", b"2", [])])
        await former.close()
        await newer.close()

    asyncio.run(story())


def test_what_a_former_owner_had_open_is_aborted_when_the_next_has_started(kafka: str) -> None:
    [topic] = make_topics(kafka, ["state"], 1)

    async def story() -> None:
        name = fresh("factwatch-pages-4")
        former = AIOKafkaProducer(bootstrap_servers=kafka, transactional_id=name)
        await former.start()
        await former.begin_transaction()
        await former.send_and_wait(topic, b"open", partition=0)
        assert await read_all(kafka, topic, 0) == ([], 0)  # the end of what is decided
        newer = writer_of(kafka, name)
        await newer.start()
        assert await read_all(kafka, topic, 0) == ([], 2)  # it and its marker
        await newer.close()
        with pytest.raises(ProducerFenced):
            await former.commit_transaction()
        await former.stop()

    asyncio.run(story())


def test_all_of_a_transaction_or_nothing(kafka: str) -> None:
    topics = make_topics(kafka, ["alerts", "state"], 2)
    missing = OutRecord("no-such-topic", 0, b"k", b"v", [])

    async def story() -> None:
        name = fresh("factwatch-pages-1")
        writer = writer_of(kafka, name)
        await writer.start()
        assert await writer.commit([]) == {}
        with pytest.raises((TransactionFailed, ValueError)):
            await writer.commit(
                [
                    OutRecord(topics[0], 0, b"k", b"v", []),
                    OutRecord(topics[1], 7, b"k", b"there is no partition 7", []),
                ]
            )
        with pytest.raises(TransactionFailed):
            await writer.commit([OutRecord(topics[0], 0, b"k", b"v", [])])
        await writer.close()
        again = writer_of(kafka, name)
        await again.start()
        with pytest.raises(TimeoutError):  # it waits for that topic; so a rebalance may cut it off
            await asyncio.wait_for(again.commit([OutRecord(topics[0], 0, b"k", b"v", []), missing]), 0.5)
        await again.close()
        third = writer_of(kafka, name)
        await third.start()
        assert (await read_all(kafka, topics[0], 0))[0] == []
        await third.close()

    asyncio.run(story())


def test_large_records_and_many_batches_in_one_transaction(kafka: str) -> None:
    [topic] = make_topics(kafka, ["state"], 2)
    large = [bytes([n]) * (n << 20) for n in (1, 8)]
    values = [b"%06d" % n + b"x" * 1_000 for n in range(2_000)]

    async def story() -> None:
        writer = writer_of(kafka, fresh("factwatch-pages-2"))
        await writer.start()
        small = [
            OutRecord(topic, partition, b"k", value, []) for value in values for partition in range(2)
        ]
        ends = await writer.commit(
            [*small[:10], *(OutRecord(topic, 1, None, value, []) for value in large), *small[10:]]
        )
        assert ends == {(topic, 0): 2_000, (topic, 1): 2_002}
        await writer.commit([OutRecord(topic, 0, b"k", None, [])])
        await writer.close()

    asyncio.run(story())
    zero, one = (asyncio.run(read_all(kafka, topic, partition))[0] for partition in range(2))
    assert [record.value for record in zero] == [*values, None]
    assert [record.value for record in one] == [*values[:5], *large, *values[5:]]


def test_reading_goes_on_from_an_offset_to_the_end_of_what_is_committed(kafka: str) -> None:
    [topic] = make_topics(kafka, ["state"], 1)

    async def story() -> None:
        writer = writer_of(kafka, fresh("factwatch-pages-3"))
        await writer.start()
        assert await read_all(kafka, topic, 0) == ([], 0)
        for number in range(3):
            await writer.commit([OutRecord(topic, 0, b"k", b"%d" % number, [])])
        records, end = await read_all(kafka, topic, 0, start=2)
        assert [record.value for record in records] == [b"1", b"2"]
        assert end == 6  # with a marker for each
        assert await read_all(kafka, topic, 0, start=end) == ([], end)
        with pytest.raises(StoreCorrupt, match="offset 7"):
            await read_all(kafka, topic, 0, start=7)
        await writer.close()

    asyncio.run(story())
