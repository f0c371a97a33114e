"""The dashboards on the distributed deployment: what a single process does not have is there, from real
workers, ingests, archive and pager around a real Kafka, PostgreSQL and Alertmanager."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

import pytest

from streams.demo.server import DemoServer
from tests.contract.dashboard_linter import selectors
from tests.integration.alertmanager import running_alertmanager
from tests.integration.dashboard_world import archive_in, distributed
from tests.integration.prometheus import running_prometheus
from tests.integration.test_dashboard_queries import (
    EMPTY_WHEN_HEALTHY,
    NOT_A_NUMBER_YET,
    QUERIES,
    Query,
    World,
    figures,
    is_of_a_model_without_reference,
    rows,
    until_scraped,
)

pytestmark = pytest.mark.timeout(600)  # nine programs start, and the story takes its time

NOBODY = {"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}


@pytest.fixture(scope="module")
def world(kafka: str, postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A demo that has come as far as a fact that spread and a correction that posts still repeat."""
    directory = tmp_path_factory.mktemp("deployment")
    with (
        DemoServer(speed=20) as server,
        archive_in(postgres, "dashboards_on_kafka") as archive,
        running_alertmanager(directory / "alertmanager", NOBODY) as alertmanager,
        distributed(server, kafka, archive.url, alertmanager.url, directory / "programs") as jobs,
        running_prometheus(directory / "prometheus", jobs, []) as prometheus,
    ):
        until_scraped(prometheus, 16)
        spread, corrected = (
            next(query for query in QUERIES if query.panel == panel)
            for panel in ("Facts that spread now", "Corrected, and still repeated")
        )

        def is_rich() -> bool:
            world = World(prometheus, archive, time.time())
            return bool(rows(world, spread) and rows(world, corrected))

        prometheus.until(is_rich, "a fact to spread and a correction to be repeated", 150)
        yield World(prometheus, archive, time.time())


@pytest.mark.parametrize("query", [q for q in QUERIES if q.datasource == "prometheus"], ids=str)
def test_a_query_of_prometheus_gives_figures_on_kafka_too(world: World, query: Query) -> None:
    metrics = {selector.metric for selector in selectors(query.text)}
    found = figures(world, query)
    if metrics & EMPTY_WHEN_HEALTHY.keys() and "> 0" in query.text:
        assert all(value > 0 for value in found)
    elif metrics & NOT_A_NUMBER_YET.keys():
        assert found or is_of_a_model_without_reference(metrics)
    else:
        assert [value for value in found if not math.isnan(value)], query.text


@pytest.mark.parametrize("query", [q for q in QUERIES if q.datasource == "postgres"], ids=str)
def test_a_query_of_the_archive_gives_rows_on_kafka_too(world: World, query: Query) -> None:
    assert rows(world, query) or query.panel == "Facts that spread now"
