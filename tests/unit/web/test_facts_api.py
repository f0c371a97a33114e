"""GET /v1/facts over a real socket, on the real store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.web.tokens import Scope, Tokens
from tests.amplify_world import FACT, T0, Spreading, post
from tests.spread_world import SpreadWorld, changes, commit, hot_page, serve


@pytest.fixture
def world(tmp_path: Path) -> Iterator[SpreadWorld]:
    world = SpreadWorld(tmp_path / "factwatch.sqlite")
    spreading = Spreading()
    spreading.fold_all([post(n, T0 + n) for n in range(3)])
    spreading.until(T0 + 60)
    commit(world.store, changes([hot_page(FACT)], [spreading.state]))
    yield world
    world.close()


def test_it_gives_each_fact_with_its_spread(world: SpreadWorld) -> None:
    with serve(world):
        status, headers, body = world.get("/v1/facts?wiki=enwiki&title=Abraham%20Lincoln&repeated=1")
    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert headers["Cache-Control"] == "no-store"
    assert body["next"] is None
    (fact,) = body["facts"]
    assert fact["hot"]["fact"]["after"] == "Lincoln was born in 1808."
    assert fact["hot"]["corrected_time"] is None
    assert fact["spread"]["total_posts"] == fact["spread"]["total_authors"] == 3
    assert {named["grade"] for named in fact["spread"]["named"]} == {"repeats-vandalised"}


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("after=-1", "after"),
        ("repeated=2", "repeated"),
        ("title=X", "title"),
        ("wiki=", "wiki"),
        ("kind=vandalised", "kind"),
    ],
)
def test_what_can_not_be_used_is_refused_by_name(world: SpreadWorld, query: str, named: str) -> None:
    with serve(world):
        status, _, body = world.get(f"/v1/facts?{query}")
    assert status == 400
    assert named in body["detail"]


def test_it_wants_a_token_like_all_that_shows_texts(world: SpreadWorld) -> None:
    with serve(world, Tokens({"a-token-to-read-by": frozenset({Scope.READ})})):
        assert world.get("/v1/facts")[0] == 401
        given = world.get("/v1/facts", {"Authorization": "Bearer a-token-to-read-by"})
    assert given[0] == 200
