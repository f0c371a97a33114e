"""Every query of every panel, asked of a real Prometheus that scrapes a real `factwatch run` on the demo, and
of a real PostgreSQL as Grafana's role. Each gives figures, or stands below with the reason why not."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import psycopg
import pytest

from grafana.definitions.__main__ import DIRECTORY
from streams.demo.server import DemoServer
from streams.records import AlertKind, AlertStatus, LabelKind, Severity
from tests.archive_world import Logs, label
from tests.conftest import CHECKOUT
from tests.contract.dashboard_linter import selectors, targets
from tests.integration.dashboard_world import (
    Archive,
    archive_in,
    archived,
    course,
    plain_sql,
    promql,
)
from tests.integration.deployment import demo_environ
from tests.integration.program import running
from tests.integration.prometheus import Prometheus, running_prometheus
from tests.sample_alerts import HOSTILE_TITLE, resolved, sample_alert

Json = dict[str, Any]

SHOWN_S = 60.0
STEP_S = 2.0

#: Metrics of programs that a single process does not have.
ONLY_ON_KAFKA = {
    "factwatch_consumer_lag": "worker",
    "factwatch_worker_partitions": "worker",
    "factwatch_worker_rebalances": "worker",
    "factwatch_unit_of_work_seconds_bucket": "worker",
    "factwatch_edits_without_answer_total": "worker",
    "factwatch_archive_lag": "archive",
    "factwatch_archive_records_total": "archive",
    "factwatch_archive_errors_total": "archive",
    "factwatch_archive_last_write_timestamp_seconds": "archive",
    "factwatch_ingested_records_total": "ingest",
    "factwatch_ingest_flush_seconds_bucket": "ingest",
    "factwatch_ingest_broker_up": "ingest",
}
#: Nothing is to be seen while all is well: queries that leave out what does not happen.
EMPTY_WHEN_HEALTHY = {
    "factwatch_dead_letters_total": "nothing on the demo is unreadable",
    "factwatch_page_histories_total": "a page is asked about once, on the demo before anything is scraped",
    "factwatch_pager_deliveries_total": "no Alertmanager and no webhook is set",
    "factwatch_webhook_deliveries_total": "no webhook is set",
}
#: There, but not a number before something took longer than a test.
NOT_A_NUMBER_YET = {
    "factwatch_live_precision": "edits are judged when their 48 hours are over",
    "factwatch_live_recall": "edits are judged when their 48 hours are over",
    "factwatch_live_calibration_error": "edits are judged when their 48 hours are over",
    "factwatch_challenger_precision": "no challenger is set",
    "factwatch_challenger_recall": "no challenger is set",
    "factwatch_challenger_precision_difference": "no challenger is set",
    "factwatch_challenger_recall_difference": "no challenger is set",
    "factwatch_score_drift": "too few edits",
    "factwatch_feature_drift": "too few edits",
    "factwatch_pager_last_delivery_timestamp_seconds": "no Alertmanager and no webhook is set",
}


#: Columns of the archive's tables: an edit has a risk, a fact that posts repeat has the rest.
ONLY_OF_SOME = {"Revert risk", "Posts", "Authors", "May reach", "After the revert"}


class Query(NamedTuple):
    dashboard: str
    panel: str
    ref: str
    datasource: str
    text: str

    def __str__(self) -> str:
        return f"{self.dashboard}: {self.panel}, {self.ref}"


def all_queries() -> Iterator[Query]:
    for file in sorted(DIRECTORY.glob("*.json")):
        for panel, target in targets(json.loads(file.read_text("utf-8"))):
            text = target.get("expr") or target["rawSql"]
            kind = "prometheus" if "expr" in target else "postgres"
            yield Query(file.stem, panel["title"], target["refId"], kind, text)


QUERIES = list(all_queries())


class World(NamedTuple):
    prometheus: Prometheus
    archive: Archive
    end: float


@pytest.fixture(scope="module")
def world(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A demo that has come as far as a fact that spread and a correction that is told again, scraped from
    its beginning."""
    directory = tmp_path_factory.mktemp("dashboards")
    with DemoServer(speed=20) as server:
        posts = [argument for spec in server.post_specs for argument in ("--posts", spec)]
        with (
            running(["run", *posts], demo_environ(server.url), directory) as program,
            running_prometheus(
                directory / "prometheus", {"factwatch": [program.url.removeprefix("http://")]}, []
            ) as prometheus,
            archive_in(postgres, "dashboards") as archive,
        ):
            program.until(_is_rich, within_s=120)
            until_scraped(prometheus, STEP_S * 8)
            end = time.time()
            archive.store(archived(program, next((directory / "state").glob("*.sqlite"))))
            yield World(prometheus, archive, end)


def _is_rich(alerts: list[Json]) -> bool:
    kinds = {alert["kind"] for alert in alerts}
    told_again = [alert for alert in alerts if alert["evidence"].get("posts_after")]
    every = {"edit.suspect", "page.contested", "fact.corrected", "post.repeats", "fact.amplified"}
    return kinds >= every and any(alert["kind"] == "fact.corrected" for alert in told_again)


def until_scraped(prometheus: Prometheus, times: float) -> None:
    def enough() -> bool:
        found = prometheus.query("min(count_over_time(up[1h]))")
        return bool(found) and float(found[0]["value"][1]) >= times

    prometheus.until(enough, "Prometheus to have read some figures")


def is_of_a_model_without_reference(metrics: set[str]) -> bool:
    """Which features drift is told against the model's reference, which models of before have not."""
    manifest = json.loads((CHECKOUT / "models" / "artifact" / "manifest.json").read_text("utf-8"))
    return metrics == {"factwatch_feature_drift"} and not manifest.get("reference")


def figures(world: World, query: Query) -> list[float]:
    asked = promql(query.text, shown_s=SHOWN_S, step_s=STEP_S)
    found = course(world.prometheus, asked, start=world.end - SHOWN_S, end=world.end, step_s=STEP_S)
    return [float(value) for series in found for _, value in series["values"]]


@pytest.mark.parametrize("query", [q for q in QUERIES if q.datasource == "prometheus"], ids=str)
def test_a_query_of_prometheus_gives_figures_or_is_listed(world: World, query: Query) -> None:
    metrics = {selector.metric for selector in selectors(query.text)}
    found = figures(world, query)
    if metrics & ONLY_ON_KAFKA.keys():
        assert found == [], "no longer only on Kafka"
    elif metrics & EMPTY_WHEN_HEALTHY.keys() and "> 0" in query.text:
        assert all(value > 0 for value in found)
    elif metrics & NOT_A_NUMBER_YET.keys():
        assert found or is_of_a_model_without_reference(metrics)
    else:
        assert [value for value in found if not math.isnan(value)], query.text


def test_what_is_listed_is_asked_for() -> None:
    asked = {
        selector.metric
        for query in QUERIES
        if query.datasource == "prometheus"
        for selector in selectors(query.text)
    }
    assert (ONLY_ON_KAFKA | EMPTY_WHEN_HEALTHY | NOT_A_NUMBER_YET).keys() <= asked


@pytest.mark.parametrize("title", ["Dead letters", "Programs down", "Alerts given up", "Pages given up"])
def test_what_should_be_zero_is_zero(world: World, title: str) -> None:
    (query,) = [query for query in QUERIES if query.panel == title]
    assert figures(world, query)[-1] == 0


@pytest.mark.parametrize("query", [q for q in QUERIES if q.datasource == "postgres"], ids=str)
def test_a_query_of_the_archive_gives_rows(world: World, query: Query) -> None:
    found = rows(world, query)
    if query.panel == "Facts that spread now" and not found:
        open_now = rows(world, query._replace(text=query.text.replace("<> 'resolved'", "<> ''")))
        assert open_now, "the only one that spread has come to rest meanwhile"
        return
    assert found
    always = found[0].keys() - ONLY_OF_SOME
    assert [(key, row) for row in found for key in always if row[key] is None] == []


def rows(world: World, query: Query, shown_s: float = 86_400) -> list[Json]:
    end = time.time()  # on Kafka the archive goes on
    return world.archive.rows(plain_sql(query.text, start=end - shown_s, end=end, step_s=900))


def named(panel: str) -> Query:
    return next(query for query in QUERIES if query.panel == panel)


@pytest.fixture
def archive(postgres: str) -> Iterator[Archive]:
    with archive_in(postgres, "dashboards_by_hand") as archive:
        yield archive


def asked(archive: Archive, panel: str) -> list[Json]:
    text = plain_sql(named(panel).text, start=0, end=2e9, step_s=900)
    return archive.rows(text)


def test_an_open_episode_links_to_its_diff_and_one_that_is_over_is_gone(archive: Archive) -> None:
    logs = Logs()
    edit = sample_alert(1, title="Ada Lovelace")
    logs.alert(edit)
    logs.alert(resolved(sample_alert(2)))
    spread = {"total_posts": 12, "total_authors": 7, "total_reach": 90_000, "share_after": 0.25}
    logs.alert(
        sample_alert(3, kind=AlertKind.FACT_AMPLIFIED, severity=Severity.CRITICAL, diff_url="",
                     revert_risk=None, related=(edit.alert_id,), evidence=spread)
    )  # fmt: skip
    archive.store(logs)
    worst, open_edit = asked(archive, "Open episodes")
    assert (worst["Kind"], worst["Posts"], worst["Revert risk"]) == ("fact.amplified", 12, None)
    assert worst["diff"] == open_edit["diff"] == edit.diff_url, "the diff is that of the edit"
    assert (open_edit["Page"], open_edit["Revert risk"]) == ("Ada Lovelace", 0.972)
    assert open_edit["alert_id"] == edit.alert_id
    assert open_edit["last_good"] == edit.last_good_url
    (spreading,) = asked(archive, "Facts that spread now")
    assert spreading["Authors"] == 7
    assert (spreading["May reach"], spreading["After the revert"]) == (90_000, 0.25)


#: Only letters that an address may have, and https in front, or no link.
HARMLESS = re.compile(r"#|https://en\.wikipedia\.org/[\w./?=&:%~-]*")
HOSTILE_URLS = (
    "javascript:alert(1)",
    "http://en.wikipedia.org/w/index.php?diff=1",
    "https://en.wikipedia.org/<script>",
    'https://en.wikipedia.org/" onclick="x',
    "https://en.wikipedia.org/\u202e",
    "//evil.example/",
    "",
)


def test_what_strangers_write_becomes_no_link_and_breaks_no_panel(archive: Archive) -> None:
    logs = Logs()
    forged = '","diff_url":"https://evil.example/","revert_risk":1e999,"x":"'
    for number, url in enumerate(HOSTILE_URLS, start=1):
        logs.alert(
            sample_alert(number, title=HOSTILE_TITLE, comment=f"\x00 {forged}", summary=forged,
                         diff_url=url, last_good_url=url)
        )  # fmt: skip
    archive.store(logs)
    rows = asked(archive, "Open episodes")
    assert len(rows) == len(HOSTILE_URLS)
    for row in rows:
        assert HARMLESS.fullmatch(row["diff"]), row
        assert HARMLESS.fullmatch(row["last_good"]), row
        assert row["Revert risk"] == 0.972
    assert {row["diff"] for row in rows} == {"#"}
    for panel in ("Facts that spread now", "Corrected, and still repeated"):
        asked(archive, panel)


def test_risks_said_stand_beside_what_was_reverted(archive: Archive) -> None:
    logs = Logs()
    for number in range(10):
        kind = LabelKind.REVERTED if number < 9 else LabelKind.KEPT
        logs.label(label(number, kind, revert_risk=0.93))
    logs.label(label(99, LabelKind.KEPT, revert_risk=1.0))
    logs.label(label(98, LabelKind.KEPT, revert_risk=0.04))
    archive.store(logs)
    low, high = asked(archive, "Said and reverted, by risk")
    assert (low["Risk said"], low["Edits"], low["Reverted"]) == ("0 to 10 %", 1, 0)
    assert (high["Risk said"], high["Edits"]) == ("90 to 100 %", 11)
    assert float(high["Reverted"]) == pytest.approx(9 / 11)


def test_a_version_is_judged_by_each_edit_once(archive: Archive) -> None:
    logs = Logs()
    for number, version in enumerate(("2026.10", "2026.11", "2026.11"), start=1):
        alert = sample_alert(number, model_version=version)
        kind = LabelKind.KEPT if number == 3 else LabelKind.REVERTED
        logs.alert(alert)
        logs.alert(sample_alert(number, ce_id=f"{number:028x}0002", status=AlertStatus.UPDATED,
                                model_version=version))  # fmt: skip
        logs.label(label(alert.rev_id, kind, event_time=alert.event_time, alerted=True))
    archive.store(logs)
    newer, older = asked(archive, "Alerts by version of the model")
    assert (newer["Model"], newer["Edits alerted"], newer["Reverted"]) == ("2026.11", 2, 0.5)
    assert (older["Model"], older["Edits alerted"], older["Reverted"]) == ("2026.10", 1, 1)


def test_the_role_of_grafana_can_not_write(archive: Archive) -> None:
    for statement in (
        "DELETE FROM alerts",
        "SET default_transaction_read_only = off; DELETE FROM alerts",
    ):
        with pytest.raises(psycopg.Error, match=r"read-only|permission denied"):
            archive.rows(statement)
