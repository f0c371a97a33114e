"""What several partitions say of posts is met in the order in which the posts came in."""

from __future__ import annotations

import math
import random

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from streams.runners.partitions.post_order import PostOrder
from streams.runners.partitions.wire import PostsSaid, Said, decode_matches, encode
from streams.store.changelog import Meta
from streams.topics import MATCHES
from tests.amplify_world import T0, post
from tests.partition_world import Record


def said(number: int) -> Said:
    return Said(T0 + number, post(number, T0 + number))


class Log:
    def __init__(self) -> None:
        self.records: list[Record] = []

    def put(self, partition: int, newest: float, *numbers: int) -> None:
        bundle = PostsSaid(partition, T0 + newest, [said(n) for n in numbers])
        record = Record(MATCHES.name, 0, len(self.records), 0, b"", encode(bundle), [])
        self.records.append(record)

    def give(self, order: PostOrder, records: list[Record]) -> None:
        for record in records:
            bundle = decode_matches(record.value or b"")
            assert isinstance(bundle, PostsSaid)
            order.take(record.offset, bundle)


def numbers(order: PostOrder) -> list[int]:
    return [int(one.post.post_id[-5:]) for one in order.in_order() if one.post is not None]


def test_what_one_said_waits_until_the_others_have_got_there() -> None:
    log, order = Log(), PostOrder(Meta(), 2, now=lambda: 0.0)
    log.put(0, 9, 1, 5, 9)
    log.give(order, log.records[-1:])
    assert numbers(order) == []
    assert order.first_held == 0
    log.put(1, 7, 2, 7)
    log.give(order, log.records[-1:])
    assert numbers(order) == [1, 2, 5]
    assert order.done == T0 + 7
    log.put(1, 20)
    log.give(order, log.records[-1:])
    assert numbers(order) == [7]
    log.put(0, 20)
    log.give(order, log.records[-1:])
    assert numbers(order) == [9]
    assert order.first_held == order.next_offset == 4


def test_a_partition_that_says_nothing_is_not_waited_for_for_ever() -> None:
    now = 0.0
    log, order = Log(), PostOrder(Meta(), 2, now=lambda: now, patience_s=60)
    log.put(0, 9, 1, 9)
    log.give(order, log.records)
    now = 59.0
    assert numbers(order) == []
    now = 61.0
    assert numbers(order) == [1, 9]
    log.put(1, 3, 2)  # too late for its turn: at once
    log.give(order, log.records[-1:])
    assert numbers(order) == [2]


def test_only_so_much_is_held() -> None:
    log, order = Log(), PostOrder(Meta(), 2, now=lambda: 0.0, held_cap=3)
    log.put(0, 9, 1, 2, 3, 4, 5)
    log.give(order, log.records)
    assert numbers(order) == [1, 2]


@given(st.integers(1, 4), st.integers(0, 40), st.integers(0, 2**32))
def test_nothing_is_lost_or_met_twice_whatever_the_restarts(
    partitions: int, posts: int, seed: int
) -> None:
    chance, log = random.Random(seed), Log()
    of = [chance.randrange(partitions) for _ in range(posts)]
    told = [0] * partitions
    while any(told[p] < posts for p in range(partitions)):
        p = chance.choice([p for p in range(partitions) if told[p] < posts])
        upto = chance.randint(told[p] + 1, posts)
        log.put(p, upto, *(n for n in range(told[p], upto) if of[n] == p))
        told[p] = upto
    for p in range(partitions):
        log.put(p, posts + 1)
    meta, met = Meta(), list[int]()
    order, at = PostOrder(meta, partitions, now=lambda: 0.0), 0
    while at < len(log.records) or order.next_offset < len(log.records):
        at = order.next_offset
        upto = chance.randint(at, len(log.records))
        log.give(order, log.records[at:upto])
        if chance.random() < 0.3:  # what was taken in is lost
            order = PostOrder(meta, partitions, now=lambda: 0.0)
            at = first = meta.positions.get(MATCHES.name, 0)
            log.give(order, log.records[first : meta.worked_on.get(MATCHES.name, 0)])
            continue
        met += numbers(order)
        meta = msgspec.structs.replace(
            meta,
            posts_told=order.told,
            posts_done=order.done,
            worked_on={MATCHES.name: order.next_offset},
            positions={MATCHES.name: order.first_held},
        )
        at = order.next_offset
    assert met == list(range(posts))
    assert order.done >= T0 or not posts
    assert math.isfinite(order.done)
