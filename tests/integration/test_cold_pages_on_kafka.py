"""A suspicious edit on a page with a past that nobody watched, on a real Kafka: the worker asks the wiki,
and decides as one process does. A wiki that does not help holds nothing up."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from streams.demo.scenario import GRAFFITI_IP, MARIT, AnyStep, Replace, Rollback, Write
from tests.integration.cold_wiki import (
    ColdWiki,
    Fault,
    cold_wiki,
    hangs_up,
    holds,
    raves,
    refuses,
)
from tests.integration.kafka_records import make_topics_anew
from tests.integration.program import histories, running
from tests.integration.test_measures_in_programs import metrics, until
from tests.kafka_world import Process, Topics, run_to_end, wait_until

PROCESSED = 'factwatch_events_consumed_total{outcome="processed",source="edits"}'
DECIDED = (
    "kind", "status", "severity", "rev_id", "revert_risk", "model_version", "reasons", "fact_changes", "evidence",
)  # fmt: skip
#: The end of the file waits for nobody.
FEEDBACK = {"FACTWATCH_FEEDBACK_DELAY_S": "36000"}

TENFOLD = Replace(
    at_s=1, title="Port Selwyn", by=GRAFFITI_IP,
    old="it had 48,210 inhabitants", new="it had 482,100 inhabitants",
)  # fmt: skip
ROLLBACK = Rollback(at_s=60, title="Port Selwyn", by=MARIT)
GRAFFITI = Write(
    at_s=120, title="Port Selwyn", by="203.0.113.77", text="THIS TOWN SUCKS!!!!! boring boring lol"
)
HARMLESS = Replace(
    at_s=200, title="Hallen Bridge", by=MARIT, comment="/* Structure */ linked",
    old="The widest arch", new="The widest [[arch]]",
)  # fmt: skip


def decided(alerts: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """What each alert says in its newest state, but for when it was told."""
    return {alert["alert_id"]: {name: alert.get(name) for name in DECIDED} for alert in alerts}


def risks(alerts: Iterable[dict[str, Any]]) -> list[float]:
    return [alert["revert_risk"] for alert in alerts if alert["kind"] == "edit.suspect"]


class OnKafka:
    """Ingest and a worker, whose directory is kept when it is started again."""

    def __init__(self, bootstrap: str, wiki: ColdWiki, directory: Path) -> None:
        make_topics_anew(bootstrap, 2)
        directory.mkdir()
        self._environ = {**wiki.environ, **FEEDBACK, "FACTWATCH_KAFKA_BOOTSTRAP": bootstrap}
        self._directory = directory
        self._topics = Topics(bootstrap)

    def ingest(self, file: Path) -> None:
        run_to_end(
            ["ingest", "changes", "--source", str(file)],
            {**self._environ, "FACTWATCH_DATA_DIR": str(self._directory / "ingest")},
            self._directory / "ingest.log",
        )

    @contextmanager
    def working(self) -> Iterator[str]:
        """Address of the worker that has its partitions."""
        log = self._directory / "worker.log"
        log.unlink(missing_ok=True)
        worker = Process(
            ["worker"], {**self._environ, "FACTWATCH_DATA_DIR": str(self._directory / "data")}, log
        )
        try:
            wait_until(
                lambda: "changelog records read" in worker.told() or not worker.running,
                60,
                worker.told,
                0.1,
            )
            found = re.search(r"metrics (http://[0-9.:]+)/metrics", worker.told())
            assert found is not None, worker.told()
            yield found[1]
            assert worker.stop() == 0, worker.told()
            assert "Traceback" not in worker.told(), worker.told()
        finally:
            if worker.running:
                worker.kill()

    def alerts(self) -> list[dict[str, Any]]:
        """The newest state of each."""
        newest = {alert.alert_id: alert for alert in self._topics.alerts()}
        return [msgspec.json.decode(msgspec.json.encode(alert)) for alert in newest.values()]


def histories_at(url: str) -> dict[str, float]:
    """Outcomes that there were any of."""
    name = "factwatch_page_histories_total{"
    return {
        line.split('"')[1]: value
        for line, value in metrics(url).items()
        if line.startswith(name) and value
    }


def write(file: Path, wiki: ColdWiki, *steps: AnyStep) -> None:
    with file.open("ab") as out:
        out.writelines(wiki.happens(step) for step in steps)


def in_one_process(
    file: Path, wiki: ColdWiki, directory: Path, lines: int, **more: str
) -> list[dict[str, Any]]:
    """The alerts of `factwatch run`, which goes on where it was."""
    directory.mkdir(exist_ok=True)
    with running(
        ["run", "--source", str(file)], {**wiki.environ, **FEEDBACK, **more}, directory
    ) as program:
        program.until_processed(lines)
        return program.alerts()


@pytest.fixture(scope="module")
def unasked(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What is said of the edit by what is known without its page's past."""
    directory = tmp_path_factory.mktemp("unasked")
    with cold_wiki() as wiki:
        write(directory / "changes.ndjson", wiki, TENFOLD)
        off = {"FACTWATCH_PAGE_HISTORIES_PER_MINUTE": "0"}
        told = in_one_process(directory / "changes.ndjson", wiki, directory, 1, **off)
        assert wiki.asked == []
    return told


def test_a_worker_asks_once_and_decides_as_one_process_does(
    kafka: str, tmp_path: Path, unasked: list[dict[str, Any]]
) -> None:
    file = tmp_path / "changes.ndjson"
    with cold_wiki() as wiki:
        on_kafka = OnKafka(kafka, wiki, tmp_path / "kafka")
        write(file, wiki, TENFOLD)
        with running(["run", "--source", str(file)], {**wiki.environ, **FEEDBACK}, tmp_path) as program:
            program.until_processed(1)
            expected = program.alerts()
            assert histories(program)["fetched"] == 1
        assert len(wiki.asked) == 1

        on_kafka.ingest(file)
        with on_kafka.working() as url:
            until(url, lambda seen: seen[PROCESSED] == 1)
            assert histories_at(url) == {"fetched": 1}
        assert len(wiki.asked) == 2
        assert decided(on_kafka.alerts()) == decided(expected)
        (risk,) = risks(on_kafka.alerts())
        assert risk > risks(unasked)[0], "what was tried before makes it worse"

        # The worker that takes over knows the page: its next suspicious edit is decided by the same past.
        write(file, wiki, ROLLBACK, GRAFFITI)
        expected = in_one_process(file, wiki, tmp_path, 3)
        on_kafka.ingest(file)
        with on_kafka.working() as url:
            until(url, lambda seen: seen[PROCESSED] == 2)
        assert len(wiki.asked) == 2
        assert len(risks(on_kafka.alerts())) == 2
        assert decided(on_kafka.alerts()) == decided(expected)


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [(holds, "deadline"), (raves, "error"), (refuses, "refused"), (hangs_up, "error")],
)
def test_a_wiki_that_does_not_help_holds_nothing_up(
    kafka: str, tmp_path: Path, unasked: list[dict[str, Any]], fault: Fault, outcome: str
) -> None:
    """The edit is decided by what is known while the wiki still has not answered, and that is counted."""
    file = tmp_path / "changes.ndjson"
    with cold_wiki(fault) as wiki:
        on_kafka = OnKafka(kafka, wiki, tmp_path / "kafka")
        write(file, wiki, TENFOLD)
        on_kafka.ingest(file)
        with on_kafka.working() as url:
            until(url, lambda seen: seen[PROCESSED] == 1)
            assert wiki.asked
            assert histories_at(url) == {outcome: 1}
            assert decided(on_kafka.alerts()) == decided(unasked)
            assert len(risks(unasked)) == 1
            write(file, wiki, HARMLESS)
            on_kafka.ingest(file)
            until(url, lambda seen: seen[PROCESSED] == 2)
        assert not wiki.let_go.is_set()
