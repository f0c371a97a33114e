"""Hot facts with their spread, read off the file that another connection writes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from streams.posts import HotFact
from streams.store.facts_query import FactsFound, FactsQuery
from streams.store.facts_reader import SqliteFactsReader
from streams.store.sqlite import SqliteStore
from tests.amplify_world import FACT, T0, Spreading, post
from tests.spread_world import changes, commit, hot_page


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "factwatch.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def reader(store: SqliteStore) -> Iterator[SqliteFactsReader]:
    opened = SqliteFactsReader(store.path)
    yield opened
    opened.close()


def fact(number: int, **fields: object) -> HotFact:
    changed: HotFact = msgspec.structs.replace(
        FACT,
        **{
            "hot_id": f"hot{number}",
            "alert_id": f"alert{number}",
            "title": f"Page {number}",
            **fields,
        },
    )
    return changed


def hot_ids(found: FactsFound) -> set[str]:
    return {one.hot.hot_id for one in found.facts}


def all_of(reader: SqliteFactsReader, limit: int, **where: Any) -> list[str]:
    """Following `next` to the end."""
    ids: list[str] = []
    after = None
    while True:
        found = reader.facts(FactsQuery(limit, after, **where))
        ids += [one.hot.hot_id for one in found.facts]
        if found.next is None:
            return ids
        after = found.next


def test_a_fact_tells_how_often_it_was_repeated_and_by_whom(
    store: SqliteStore, reader: SqliteFactsReader
) -> None:
    world = Spreading()
    world.fold_all([post(n, T0 + 10 * n, reach=100 * n) for n in range(1, 7)])
    world.fold(post(7, T0 + 80, author="author 1", reach=5))
    world.correct(T0 + 45)
    world.until(T0 + 100)
    page = hot_page(world.fact)
    commit(store, changes([page], [world.state]))
    (found,) = reader.facts(FactsQuery(10)).facts
    assert found.hot == world.fact
    assert found.spread is not None
    seen = found.spread
    assert (seen.total_posts, seen.total_authors, seen.total_reach) == (7, 6, 2_100)
    assert (seen.posts_before, seen.posts_after) == (4, 3)
    assert (seen.posts, seen.authors, seen.window_s) == (7, 6, 3_600)
    assert [ref.reach for ref in seen.named] == [600, 500, 400, 300, 200, 100, 5]
    assert seen.course is not None
    assert (sum(seen.course.posts), sum(seen.course.after)) == (7, 3)
    assert seen.course.start == T0 + 10


def test_a_post_that_was_deleted_is_not_named_any_more(
    store: SqliteStore, reader: SqliteFactsReader
) -> None:
    world = Spreading()
    world.fold_all([post(n, T0 + n) for n in (1, 2)])
    world.until(T0 + 60)
    commit(store, changes([hot_page(FACT)], [world.state]))
    (before,) = reader.facts(FactsQuery(10)).facts
    assert before.spread is not None
    assert len(before.spread.named) == 2
    world.state.take_out(next(iter(world.state.named)))
    commit(store, changes([], [world.state]))
    (after,) = reader.facts(FactsQuery(10)).facts
    assert after.spread is not None
    assert len(after.spread.named) == after.spread.total_posts == 1


def test_a_fact_that_nobody_repeats_has_no_spread_and_can_be_left_out(
    store: SqliteStore, reader: SqliteFactsReader
) -> None:
    world = Spreading()
    world.fold(post(1, T0 + 5))
    world.until(T0 + 60)
    quiet = fact(2)
    empty = Spreading().state
    empty.hot_id = quiet.hot_id
    commit(store, changes([hot_page(FACT), hot_page(quiet)], [world.state, empty]))
    spreads = {one.hot.hot_id: one.spread is not None for one in reader.facts(FactsQuery(10)).facts}
    assert spreads == {FACT.hot_id: True, quiet.hot_id: False}
    assert hot_ids(reader.facts(FactsQuery(10, repeated=True))) == {FACT.hot_id}


def test_following_next_gives_every_fact_once(store: SqliteStore, reader: SqliteFactsReader) -> None:
    pages = [hot_page(fact(n)) for n in range(300)]
    pages.append(hot_page(fact(900), fact(901, title="Page 900"), fact(902, title="Page 900")))
    commit(store, changes(pages))
    for limit in (1, 7, 250, 1_000):
        ids = all_of(reader, limit)
        assert len(ids) == len(set(ids)) == 303


def test_facts_are_found_by_wiki_and_by_title(store: SqliteStore, reader: SqliteFactsReader) -> None:
    pages = [hot_page(fact(n, wiki="enwiki" if n % 2 else "dewiki")) for n in range(20)]
    commit(store, changes(pages))
    assert len(all_of(reader, 3, wiki="dewiki")) == 10
    assert all_of(reader, 3, wiki="enwiki", title="Page 3") == ["hot3"]
    assert all_of(reader, 3, wiki="dewiki", title="Page 3") == []


def test_a_page_that_was_moved_is_found_by_its_new_title(
    store: SqliteStore, reader: SqliteFactsReader
) -> None:
    page = hot_page(fact(1))
    moved = msgspec.structs.replace(page.alerts[0].facts[0], title="New title")
    page.alerts[0].facts = [moved]
    commit(store, changes([page, hot_page(fact(2))]))
    assert all_of(reader, 5, wiki="enwiki", title="New title") == ["hot1"]


def test_what_is_hot_no_more_is_gone(store: SqliteStore, reader: SqliteFactsReader) -> None:
    page = hot_page(FACT)
    commit(store, changes([page]))
    assert hot_ids(reader.facts(FactsQuery(10))) == {FACT.hot_id}
    gone = changes([page])
    gone.hot_pages = dict.fromkeys(gone.hot_pages)
    commit(store, gone)
    assert reader.facts(FactsQuery(10)) == FactsFound([], None)
