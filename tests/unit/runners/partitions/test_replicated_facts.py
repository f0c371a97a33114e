"""Facts and spreads as the topics tell them, asked for as `GET /v1/facts` asks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from streams.errors import StoreCorrupt
from streams.kafka.hot_facts import hot_facts_record, spread_record
from streams.kafka.records import OutRecord
from streams.matching.index import HotFactIndex
from streams.posts import HotFact
from streams.runners.partitions.fact_replica import FactReplica
from streams.runners.partitions.replicated_facts import ReplicatedFacts, SpreadReplica
from streams.state.amplification import AmplificationState
from streams.state.fact_spread import fact_spread
from streams.store.facts_query import FactsFound, FactsQuery
from streams.store.facts_reader import SqliteFactsReader
from streams.topics import HOT_FACTS
from tests.amplify_world import FACT, T0, Spreading, post
from tests.partition_world import Record
from tests.spread_world import SpreadWorld, changes, commit, hot_page

PARTITIONS = 3
PAGES = 7


def fact_of(page: int, number: int) -> HotFact:
    return msgspec.structs.replace(
        FACT, hot_id=f"{page:016x}{number:016x}", alert_id=f"{page:032x}", title=f"Page {page}",
        wiki="enwiki" if page % 2 else "dewiki",
    )  # fmt: skip


FACTS = [[fact_of(page, number) for number in range(1 + page % 3)] for page in range(PAGES)]


class Topics:
    def __init__(self) -> None:
        self.replica = FactReplica(HotFactIndex(), PARTITIONS)
        self.spreads = SpreadReplica()
        self.told = ReplicatedFacts(self.replica, self.spreads)

    def take(self, out: OutRecord) -> None:
        record = Record(out.topic, out.partition, 0, 0, out.key, out.value, out.headers)
        replica = self.replica if out.topic == HOT_FACTS.name else self.spreads
        replica.take(out.partition, [record])


@pytest.fixture
def topics() -> Topics:
    """Of each page the first fact was repeated by as many posts as its number says."""
    topics = Topics()
    for page, facts in enumerate(FACTS):
        key = f"{facts[0].wiki}:{facts[0].title}"
        topics.take(hot_facts_record(key, tuple(facts), page % PARTITIONS))
        topics.take(
            spread_record(facts[0].hot_id, fact_spread(facts[0], spread_of(page)), page % PARTITIONS)
        )
    return topics


def spread_of(page: int) -> AmplificationState:
    spreading = Spreading()
    spreading.fact = FACTS[page][0]
    spreading.state = spreading.amplifier.new(spreading.fact.hot_id)
    spreading.fold_all([post(n, T0 + n) for n in range(page)])
    spreading.until(T0 + 60)
    return spreading.state


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[SqliteFactsReader]:
    world = SpreadWorld(tmp_path / "factwatch.sqlite")
    for page, facts in enumerate(FACTS):
        commit(world.store, changes([hot_page(*facts)], [spread_of(page)]))
    yield world.facts
    world.close()


QUERIES = [
    FactsQuery(1),
    FactsQuery(1, wiki="enwiki"),
    FactsQuery(1, wiki="enwiki", title="Page 5"),
    FactsQuery(1, wiki="enwiki", title="Page 4"),
    FactsQuery(1, repeated=True),
    FactsQuery(1, wiki="dewiki", repeated=True),
]


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("limit", [1, 2, 5, 100])
def test_page_by_page_it_gives_what_one_process_gives(
    topics: Topics, sqlite: SqliteFactsReader, query: FactsQuery, limit: int
) -> None:
    def walk(reader: ReplicatedFacts | SqliteFactsReader) -> list[FactsFound]:
        found: list[FactsFound] = []
        after: int | None = None
        while not found or after is not None:
            found.append(reader.facts(msgspec.structs.replace(query, limit=limit, after=after)))
            after = found[-1].next
        return found

    told, stored = walk(topics.told), walk(sqlite)
    facts = [fact for answer in told for fact in answer.facts]
    assert facts == [fact for answer in stored for fact in answer.facts]
    assert all(len(answer.facts) < limit + 3 for answer in told)


def test_a_page_told_anew_and_one_that_is_hot_no_more(topics: Topics) -> None:
    first, *rest = FACTS[5]
    topics.take(hot_facts_record("enwiki:Page 5", tuple(rest), 5 % PARTITIONS))
    assert [
        fact.hot for fact in topics.told.facts(FactsQuery(100, wiki="enwiki", title="Page 5")).facts
    ] == rest
    topics.take(hot_facts_record("enwiki:Page 5", (), 5 % PARTITIONS))
    assert topics.told.facts(FactsQuery(100, wiki="enwiki", title="Page 5")).facts == []
    assert first.hot_id in topics.spreads


def test_a_spread_that_was_taken_back_is_none(topics: Topics) -> None:
    topics.take(spread_record(FACTS[5][0].hot_id, None, 5 % PARTITIONS))
    (fact, *_) = topics.told.facts(FactsQuery(100, wiki="enwiki", title="Page 5")).facts
    assert fact.spread is None
    repeated = topics.told.facts(FactsQuery(100, wiki="enwiki", title="Page 5", repeated=True))
    assert repeated.facts == []


def test_what_a_newer_version_wrote_is_said_to_be_that(topics: Topics) -> None:
    record = Record(
        "factwatch.spreads.v1", 2, 0, 0, FACTS[5][0].hot_id.encode(), b'{"posts": "many"}', []
    )
    with pytest.raises(StoreCorrupt, match="newer version"):
        topics.spreads.take(2, [record])
