"""Who asks for the histories of cold pages: only who fetches texts, and only if it is not turned off."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from models.classifier import load_classifier
from streams.cli.compose import build_content, build_histories
from streams.cli.compose_worker import WorkerParts
from streams.content.wiki_facts import WikiFacts
from streams.metrics import Metrics
from streams.records import Edit, PerformerKind
from streams.settings import Settings, load_settings
from streams.store.partitions import PartitionFile
from tests.core_world import MarkedScorer, ToldHistories

ELSEWHERE = Edit(
    event_id="e1",
    wiki="otherwiki",
    server_name="",
    title="Page",
    namespace=0,
    rev_id=2,
    parent_id=1,
    performer="Ana",
    performer_kind=PerformerKind.REGISTERED,
    event_time=1e9,
    arrival_time=1e9,
    page_id=7,
)


@pytest.mark.parametrize(
    ("changes", "asks"),
    [
        ({}, True),
        ({"content": False}, False),
        ({"page_histories_per_minute": 0}, False),
        ({"wikis": {"*": ""}}, False),
    ],
)
def test_histories_are_asked_for_where_texts_are(changes: dict[str, object], asks: bool) -> None:
    settings = msgspec.structs.replace(Settings(), **changes)
    metrics, facts = Metrics(CollectorRegistry()), WikiFacts()
    content = build_content(settings, metrics, facts)
    histories = build_histories(settings, metrics, facts, content)
    assert (histories is not None) == asks
    if histories is not None:
        assert histories.before([ELSEWHERE], 1.0) == {}
        counted = metrics.registry.get_sample_value(
            "factwatch_page_histories_total", {"outcome": "not_listed"}
        )
        assert counted == 1.0
        histories.close()
    if content is not None:
        content.close()


def test_a_worker_gives_its_page_partitions_the_histories_and_a_scorer_that_measures_nothing(
    tmp_path: Path,
) -> None:
    facts, told, model = WikiFacts(), ToldHistories([]), load_classifier()
    drifting = MarkedScorer({})
    parts = WorkerParts(Settings(), 1, drifting, facts, None, told, model)
    with closing(PartitionFile(tmp_path)) as file:
        page_hop = next(hop for hop in parts.hops() if hop.name == "pages")
        cold = page_hop.make(0, file.store(page_hop.changelog, 0))._processor._cold  # type: ignore[union-attr]  # of the page hop
    assert (cold._histories, cold._scorer) == (told, model)


def test_zero_turns_it_off_by_the_environment() -> None:
    assert load_settings({"FACTWATCH_PAGE_HISTORIES_PER_MINUTE": "0"}).page_histories_per_minute == 0
