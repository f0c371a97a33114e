"""How often a day of English Wikipedia would page somebody, and that the budget holds when it is worse.

There is no recording of a real day here: `tests/enwiki_day.py` says what the invented one is made of.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from streams.cli.pages_report import PagesReport, report
from streams.incidents import IncidentKind
from streams.records import Alert
from streams.stages.decide import AlertPolicy
from streams.stages.paging_policy import PagingPolicy
from tests.core_world import Core, MarkedScorer
from tests.enwiki_day import DAY_S, EDITS, START, THRESHOLD, UNSEEN_BURSTS, EnwikiDay

NO_BUDGET = 999_999


def replay(recording: Path, directory: Path, *options: str) -> dict[str, Any]:
    """What `factwatch replay --pages --json` says, with the packaged model."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("FACTWATCH_")}
    done = subprocess.run(
        [
            *(str(Path(sys.executable).parent / "factwatch"), "replay", str(recording)),
            *("--pages", "--json", "--state", str(directory), *options),
        ],
        env=environment | {"FACTWATCH_DATA_DIR": str(directory), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def alerts_of(day: EnwikiDay, directory: Path) -> list[Alert]:
    """Of the real stages, had a model seen the texts; in batches as the program takes them."""
    lines = list(day.lines())
    with Core(directory, MarkedScorer(day.risks()), policy=AlertPolicy(threshold=THRESHOLD)) as core:
        return [
            alert for at in range(0, len(lines), 1_000) for alert in core.take(lines[at : at + 1_000])
        ]


def paging(alerts: list[Alert], pages_per_day: int) -> PagesReport:
    policy = PagingPolicy(pages_per_day=pages_per_day)
    return report(alerts, policy, began=START, ended=START + DAY_S)


@pytest.fixture(scope="module")
def alerts(tmp_path_factory: pytest.TempPathFactory) -> list[Alert]:
    return alerts_of(EnwikiDay(), tmp_path_factory.mktemp("enwiki"))


def test_a_day_of_english_wikipedia_without_texts_pages_nobody_in_vain(tmp_path: Path) -> None:
    recording = tmp_path / "enwiki.ndjson"
    recording.write_bytes(b"".join(line + b"\n" for line in EnwikiDay().lines()))
    said = replay(recording, tmp_path / "state", "--pages-per-day", str(NO_BUDGET))
    assert said["processed"] >= EDITS
    assert said["alerts"]["edit.suspect"] > 100
    assert said["paging"]["pages_total"] <= UNSEEN_BURSTS
    assert said["paging"]["pages_per_day"] == NO_BUDGET


def test_with_texts_the_policy_alone_pages_for_the_bursts_that_nobody_saw(alerts: list[Alert]) -> None:
    sent = paging(alerts, NO_BUDGET)
    assert sent.pages_total == UNSEEN_BURSTS
    assert all(page.kind is IncidentKind.PERFORMER_BURST for page in sent.pages)
    assert sent.pages_total <= PagingPolicy().pages_per_day
    assert 5 <= sum(sent.tickets.values()) <= 60


def test_the_default_budget_holds_nothing_back_on_such_a_day(alerts: list[Alert]) -> None:
    assert paging(alerts, PagingPolicy().pages_per_day).held_back == 0


def test_on_the_worst_of_days_few_page_and_all_others_are_tickets(tmp_path: Path) -> None:
    """Twenty unseen bursts, in an eighth of a day's other edits: those pages that are not kept for facts
    that spread."""
    worst = alerts_of(EnwikiDay(edits=EDITS // 8, unseen_bursts=20), tmp_path)
    policy = PagingPolicy()
    free, held = paging(worst, NO_BUDGET), paging(worst, policy.pages_per_day)
    assert free.pages_total > 15
    assert held.pages_total == policy.page_limit(IncidentKind.PERFORMER_BURST) == 3
    assert held.held_back >= free.pages_total - held.pages_total
