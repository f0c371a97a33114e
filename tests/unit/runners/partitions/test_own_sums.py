"""What all page partitions tell of their own edits, added up: in any order, from any start."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable

import numpy as np
import pytest

from models.own_calibration import EDITS_CAP, LAG_DAYS, NO_SHIFT, SHAPE, OwnHistory
from streams.errors import StoreCorrupt
from streams.kafka.records import OutRecord
from streams.runners.own_counts import sparse
from streams.runners.partitions import own_sums
from streams.runners.partitions.own_sums import SUMS_KEY, OwnSumsReplica, part_record
from streams.runners.partitions.wire import OwnPart, OwnSums, encode
from streams.store.own_rows import OwnDay
from tests.partition_world import Record

PARTITIONS = 3
FIRST = 20_000
MODEL = "story"
WIKIS = ("enwiki", "dewiki")


def counts(seed: int, size: int = 5) -> OwnDay:
    """Of some edits, a third of them reverted."""
    cells = np.zeros(SHAPE)
    chance = random.Random(seed)
    for _ in range(size):
        cells[chance.randrange(2), chance.randrange(8, 20), chance.randrange(3) == 0] += 1.0
    return sparse(cells)


def part(partition: int, until: int, *, days: int = 1, model: str = MODEL) -> OwnPart:
    told = [
        (day, wiki, counts(day * 10 + partition, 4 + len(wiki)))
        for day in range(until - days + 1, until + 1)
        for wiki in WIKIS
    ]
    return OwnPart(partition, until, model, told)


class Topic:
    """Its one partition, as a list."""

    def __init__(self) -> None:
        self.log: list[Record] = []
        self._offset = 0

    def write(self, outputs: Iterable[OutRecord]) -> None:
        for out in outputs:
            self.log.append(
                Record(out.topic, out.partition, self._offset, 0, out.key, out.value, out.headers)
            )
            self._offset += 1

    def compact(self) -> None:
        last = {record.key: record for record in self.log}
        self.log = [
            record for record in self.log if record.value is not None and last[record.key] is record
        ]

    def read(self, model: str = MODEL) -> OwnSumsReplica:
        """By a process that starts now."""
        replica = OwnSumsReplica(model, PARTITIONS)
        replica.take(0, self.log)
        replica.complete = True
        return replica


def told(replica: OwnSumsReplica) -> tuple[int, list[tuple[float, ...]]]:
    today = replica.closed + LAG_DAYS
    return replica.closed, [tuple(replica.shift(today, wiki)) for wiki in WIKIS]


@pytest.fixture
def topic() -> Topic:
    topic = Topic()
    for day in range(FIRST, FIRST + 4):
        topic.write(part_record(part(partition, day)) for partition in range(PARTITIONS))
    return topic


def test_a_day_is_closed_when_the_last_partition_has_told_of_it() -> None:
    topic = Topic()
    topic.write(
        [part_record(part(0, FIRST)), part_record(part(1, FIRST)), part_record(part(1, FIRST + 1))]
    )
    replica = topic.read()
    assert replica.closed == -1
    assert replica.shift(FIRST + LAG_DAYS, "enwiki") == NO_SHIFT
    topic.write([part_record(part(2, FIRST))])
    replica.take(0, topic.log[-1:])
    assert replica.closed == FIRST
    assert replica.shift(FIRST + LAG_DAYS, "enwiki") != NO_SHIFT
    assert replica.shift(FIRST + LAG_DAYS, "frwiki") == NO_SHIFT


def test_the_order_of_partitions_changes_nothing() -> None:
    parts = [part(partition, FIRST) for partition in range(PARTITIONS)]
    found = []
    for order in itertools.permutations(parts):
        topic = Topic()
        topic.write(part_record(one) for one in order)
        found.append(told(topic.read()))
    assert all(one == found[0] for one in found)


def test_a_part_of_several_days_is_as_one_of_each(topic: Topic) -> None:
    once = Topic()
    once.write(part_record(part(partition, FIRST + 3, days=4)) for partition in range(PARTITIONS))
    assert told(once.read()) == told(topic.read())


def test_what_is_told_again_counts_once(topic: Topic) -> None:
    expected = told(topic.read())
    topic.write([part_record(part(0, FIRST + 3)), part_record(part(1, FIRST + 1))])
    assert told(topic.read()) == expected
    plain = Topic()
    plain.write(part_record(part(partition, FIRST + 4, days=5)) for partition in range(PARTITIONS))
    topic.write(part_record(part(partition, FIRST + 4, days=3)) for partition in range(PARTITIONS))
    assert told(topic.read()) == told(plain.read())


def test_a_part_that_reaches_from_before_the_sums_to_behind_them_counts_once(topic: Topic) -> None:
    """Of a partition for which time went on by several days at once."""
    ahead = Topic()
    ahead.write([part_record(part(0, FIRST + 3, days=4))])
    for day in range(FIRST, FIRST + 2):
        ahead.write(part_record(part(partition, day)) for partition in (1, 2))
    ahead.write(ahead.read().summed())
    ahead.compact()
    assert len(ahead.log) == 2
    for day in range(FIRST + 2, FIRST + 4):
        ahead.write(part_record(part(partition, day)) for partition in (1, 2))
    assert told(ahead.read()) == told(topic.read())


def test_the_cap_is_on_the_sum_of_all() -> None:
    each = OwnDay([40, 41], [0.3 * EDITS_CAP, 0.05 * EDITS_CAP])
    topic, whole = Topic(), OwnHistory()
    for day in range(FIRST, FIRST + 3):
        topic.write(
            part_record(OwnPart(partition, day, MODEL, [(day, "enwiki", each)]))
            for partition in range(PARTITIONS)
        )
        whole.day(day).reshape(-1)[each.cells] = PARTITIONS * np.array(each.counts)
    today = FIRST + 2 + LAG_DAYS
    assert topic.read().shift(today, "enwiki") == whole.shift(today)


@pytest.mark.parametrize("compacted", [False, True])
def test_sums_take_the_place_of_parts(topic: Topic, *, compacted: bool) -> None:
    expected = topic.read()
    assert expected.worth_summing
    topic.write(expected.summed())
    topic.write(part_record(part(partition, FIRST + 4)) for partition in range(PARTITIONS))
    expected.take(0, topic.log[-1 - 5 * PARTITIONS :])
    if compacted:
        topic.compact()
        assert len(topic.log) == 1 + PARTITIONS
    found = topic.read()
    assert told(found) == told(expected)
    assert found.closed == FIRST + 4


@pytest.mark.parametrize("compacted", [False, True])
def test_sums_may_come_behind_parts_of_later_days(topic: Topic, *, compacted: bool) -> None:
    """Who writes them may have read less than others have told meanwhile."""
    behind = topic.read()
    topic.write(part_record(part(partition, FIRST + 4)) for partition in range(PARTITIONS))
    expected = told(topic.read())
    topic.write(behind.summed())
    if compacted:
        topic.compact()
    found = topic.read()
    assert told(found) == expected
    topic.write(found.summed())
    topic.compact()
    assert told(topic.read()) == expected
    assert len(topic.log) == 1


def test_nothing_is_summed_twice_nor_before_all_has_been_read(topic: Topic) -> None:
    replica = OwnSumsReplica(MODEL, PARTITIONS)
    replica.take(0, topic.log)
    assert not replica.worth_summing
    replica.complete = True
    assert replica.worth_summing
    topic.write(replica.summed())
    replica.take(0, topic.log[-1 - 4 * PARTITIONS :])
    assert not replica.worth_summing


def test_parts_of_another_model_close_a_day_and_tell_nothing_of_it(topic: Topic) -> None:
    topic.write(
        part_record(part(partition, FIRST + 4, model="older")) for partition in range(PARTITIONS)
    )
    alone = topic.read("older")
    assert alone.closed == topic.read().closed == FIRST + 4
    fresh = Topic()
    fresh.write(
        part_record(part(partition, FIRST + 4, model="older")) for partition in range(PARTITIONS)
    )
    assert told(alone) == told(fresh.read("older"))


def test_sums_of_another_model_leave_what_is_known_of_ours(topic: Topic) -> None:
    ours = topic.read()
    expected = told(ours)
    topic.write(topic.read("newer").summed())
    ours.take(0, topic.log[-1 - 4 * PARTITIONS :])
    assert told(ours) == expected
    assert ours.closed == FIRST + 3
    assert topic.read().shift(FIRST + 3 + LAG_DAYS, "enwiki") != NO_SHIFT  # its parts are there yet
    topic.compact()
    assert topic.read().shift(FIRST + 3 + LAG_DAYS, "enwiki") == NO_SHIFT


def test_wikis_beyond_the_bound_are_left_as_they_are(
    topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_sums, "WIKIS", 1)
    replica = topic.read()
    assert replica.shift(FIRST + 3 + LAG_DAYS, "enwiki") != NO_SHIFT
    assert replica.shift(FIRST + 3 + LAG_DAYS, "dewiki") == NO_SHIFT


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"\xc1",
        b"{}",
        encode(OwnPart(0, FIRST, MODEL, [(FIRST, "enwiki", OwnDay([96], [1.0]))])),
        encode(OwnPart(0, FIRST, MODEL, [(FIRST, "enwiki", OwnDay([1], [-1.0]))])),
        encode(OwnSums(FIRST, MODEL, {"enwiki": OwnDay([1, 2], [1.0])})),
    ],
)
def test_what_can_not_be_is_refused_loudly(value: bytes) -> None:
    topic = Topic()
    topic.write([OutRecord("", 0, SUMS_KEY, value, [])])
    with pytest.raises(StoreCorrupt):
        topic.read()


def test_a_partition_that_there_is_none_of_is_passed_over(topic: Topic) -> None:
    expected = told(topic.read())
    topic.write([part_record(part(PARTITIONS, FIRST + 3))])
    assert told(topic.read()) == expected
