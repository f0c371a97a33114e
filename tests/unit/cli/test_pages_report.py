"""What `replay --pages` says: how many, when, why each, and nothing a stranger wrote gets through raw."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from rich.console import Console

from streams.cli import pages_report
from streams.cli.pages_report import PagesReport, pages_of, print_report, report
from streams.cli.replay import replay
from streams.incidents import IncidentKind
from streams.records import Alert
from streams.stages.paging_policy import PagingPolicy
from streams.store.batch import Batch
from streams.store.sqlite import SqliteStore
from tests.incident_world import (
    DAY_S,
    HOUR_S,
    MINUTE_S,
    T0,
    amplified,
    contested,
    correction,
    over,
    suspect,
)
from tests.sample_alerts import HOSTILE_TITLE

EDIT = suspect(1, T0, title="Mount Everest")


def reported(alerts: list[Alert], *, pages_per_day: int = 5, days: float = 2.0) -> PagesReport:
    policy = PagingPolicy(pages_per_day=pages_per_day)
    return report(alerts, policy, began=T0, ended=T0 + days * DAY_S)


def printed(said: PagesReport) -> str:
    console = Console(file=io.StringIO(), width=80)
    print_report(said, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def spreads(count: int, step_s: float) -> list[Alert]:
    return [amplified(n, T0 + n * step_s, title=f"Article {n}") for n in range(count)]


def test_each_page_is_told_with_when_why_and_how_it_ended() -> None:
    said = reported([EDIT, amplified(2, T0 + 3 * HOUR_S), correction(EDIT, T0 + 3.5 * HOUR_S)])
    (page,) = said.pages
    assert page.title == "Mount Everest"
    assert (page.started, page.open_s, page.outcome) == (T0 + 3 * HOUR_S, 30 * MINUTE_S, "corrected")
    assert "120 posts by 80 authors" in page.why
    told = printed(said)
    assert "2026-01-01 03:00 UTC  amplified fact: Mount Everest (enwiki)" in told
    assert "1 alert; open 30.0 min, ended: corrected" in told


def test_pages_are_counted_by_day_and_by_hour_of_the_day() -> None:
    said = reported(spreads(5, 7 * HOUR_S), days=2.5)
    assert said.pages_total == 5
    assert said.mean_a_day == 2.0
    assert (said.busiest_day, said.busiest_day_pages) == ("2026-01-01", 4)
    assert {hour: n for hour, n in enumerate(said.by_hour) if n} == {0: 1, 4: 1, 7: 1, 14: 1, 21: 1}
    assert said.by_kind["fact.amplified"] == 5


def test_less_than_a_day_is_not_blown_up_to_one() -> None:
    assert reported(spreads(2, MINUTE_S), days=0.1).mean_a_day == 2.0


def test_what_the_budget_held_back_is_among_the_tickets() -> None:
    said = reported(spreads(8, HOUR_S), pages_per_day=3)
    assert (said.pages_total, said.held_back, said.tickets["fact.amplified"]) == (3, 5, 5)


def test_tickets_are_told_in_sum_only() -> None:
    said = reported([contested(1, T0, editors=5), contested(2, T0, editors=4)])
    assert said.pages == []
    assert said.tickets[IncidentKind.PAGE_CONTESTED] == 2
    assert "Disputed" not in printed(said)


def test_a_ticket_that_became_a_page_counts_as_both() -> None:
    said = reported([suspect(n, T0 + n) for n in range(15)])
    assert (said.pages_total, said.tickets["performer.burst"]) == (1, 1)
    assert said.pages[0].title == "Article 14"
    assert said.pages[0].open_s is None
    assert "open when the replay ended" in printed(said)


def test_without_any_page_only_the_numbers_are_told() -> None:
    told = printed(reported([]))
    assert "0 in 2.0 days: 0.00 a day" in told
    assert "hour of the day" not in told


def test_the_chart_shows_every_hour_that_had_a_page() -> None:
    bars = pages_report._chart([0] * 6 + [1, 100] + [0] * 16).split(" ")
    assert "".join(bars) == "▁█"
    assert pages_report._chart([7] * 24) == " ".join("█" * 24)


def test_a_long_list_ends_with_how_many_more_there_are() -> None:
    said = reported(spreads(pages_report.SHOWN + 12, MINUTE_S), pages_per_day=100)
    told = printed(said)
    assert told.count("amplified fact:") == pages_report.SHOWN
    assert told.rstrip().endswith("and 12 more: --json has them")
    assert len(said.pages) == pages_report.SHOWN + 12


def test_described_pages_have_a_bound_and_the_sums_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages_report, "DESCRIBED_CAP", 4)
    said = reported(spreads(10, MINUTE_S), pages_per_day=100)
    assert (len(said.pages), said.pages_total) == (4, 10)


@pytest.mark.parametrize(
    "title", [HOSTILE_TITLE, "a\x1b[2Jb", "[red]x[/red]", ":fire:", "\u202egnp", "two\nlines"]
)
def test_a_hostile_title_does_nothing_to_a_terminal(title: str) -> None:
    told = printed(reported([amplified(2, T0, title=title)]))
    assert not set("\x1b\u202e\x07") & set(told)
    assert len(told.splitlines()) == len(printed(reported([amplified(2, T0)])).splitlines())
    if title in ("[red]x[/red]", ":fire:"):  # rich would take it for markup
        assert f"amplified fact: {title} (enwiki)" in told


def test_pages_of_a_history_count_in_the_order_of_time_not_page_by_page(tmp_path: Path) -> None:
    """In the log of a history the second page begins when the first has ended."""
    one = amplified(1, T0, title="One")
    two = [amplified(10 + n, T0 + n * HOUR_S, title=f"Two {n}") for n in range(6)]
    end = over(one, T0 + 40 * DAY_S, "quiet")
    store = SqliteStore(tmp_path / "alerts.sqlite")
    store.commit(Batch("history", alerts=[one, end, *two]), 0.0)
    said = pages_of(store, PagingPolicy(), history=True)
    as_logged = pages_of(store, PagingPolicy(), history=False)
    store.close()
    assert [page.title for page in said.pages] == ["One", *(f"Two {n}" for n in range(4))]
    assert said.pages_total == 5
    assert as_logged.pages[1].started > T0 + 30 * DAY_S  # what is so late counts as of then


# -- the command ---------------------------------------------------------------------------------


@pytest.fixture
def recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in list(os.environ):
        if name.startswith("FACTWATCH_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("FACTWATCH_DATA_DIR", str(tmp_path / "data"))
    path = tmp_path / "quiet.ndjson"
    change = {
        "meta": {"id": "1", "domain": "en.wikipedia.org", "dt": "2026-01-01T00:00:00Z"},
        "type": "edit",
        "wiki": "enwiki",
        "server_name": "en.wikipedia.org",
        "title": "Tower",
        "namespace": 0,
        "user": "Ann",
        "timestamp": int(T0),
        "revision": {"old": 1, "new": 2},
    }
    path.write_bytes(json.dumps(change).encode() + b"\n")
    return path


def test_the_machine_form_has_the_pages_beside_the_summary(recording: Path) -> None:
    done = CliRunner().invoke(replay, [str(recording), "--pages", "--json"])
    said = json.loads(done.output)
    assert said["processed"] == 1
    pages = msgspec.convert(said["paging"], PagesReport)
    assert (pages.pages_per_day, pages.pages_total, pages.pages) == (5, 0, [])


def test_without_pages_the_machine_form_is_what_it_was(recording: Path) -> None:
    done = CliRunner().invoke(replay, [str(recording), "--json"])
    assert "paging" not in json.loads(done.output)


def test_the_budget_is_the_setting_or_the_option(
    recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACTWATCH_PAGES_PER_DAY", "7")
    assert "at most 7 in 24 hours" in CliRunner().invoke(replay, [str(recording), "--pages"]).output
    told = CliRunner().invoke(replay, [str(recording), "--pages", "--pages-per-day", "2"]).output
    assert "at most 2 in 24 hours" in told


def test_a_budget_without_pages_is_an_error_that_says_so(recording: Path) -> None:
    done = CliRunner().invoke(replay, [str(recording), "--pages-per-day", "2"])
    assert done.exit_code == 2
    assert "--pages-per-day wants --pages" in done.output
