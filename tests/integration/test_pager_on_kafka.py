"""Alerts in a real Kafka, `factwatch pager` as its user starts it, a real Alertmanager, who is told."""

from __future__ import annotations

import json
import re
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import kafka
import pytest

from streams.kafka.cloud_events import to_event
from streams.partitions import key_bytes, page_key
from streams.records import Alert, Label, LabelKind
from streams.topics import ALERTS, LABELS
from tests.integration.alertmanager import Notified, running_alertmanager, shipped_config
from tests.integration.kafka_broker import KafkaBroker
from tests.integration.kafka_records import make_topics_anew
from tests.integration.test_alertmanager import alerts_of, ours
from tests.kafka_world import Process
from tests.pager_world import PUBLIC_URL, amplified, contested, ended
from tests.web_world import eventually

PARTITIONS = 3
DAY_S = 86_400.0


@pytest.fixture
def told() -> Iterator[Notified]:
    receiver = Notified()
    yield receiver
    receiver.close()


class Running:
    def __init__(self, process: Process, url: str) -> None:
        self.process = process
        self.url = url

    def metric(self, name: str) -> float:
        found = re.search(rf"^{re.escape(name)} (\S+)$", self._get("/metrics")[1], re.MULTILINE)
        assert found is not None, name
        return float(found[1])

    def ready(self) -> tuple[int, dict[str, Any]]:
        code, body = self._get("/readyz")
        return code, json.loads(body)["parts"]

    def end(self) -> None:
        """By itself, after SIGTERM."""
        self.process.process.send_signal(signal.SIGTERM)
        assert self.process.process.wait(timeout=40) == 0, self.process.told()

    def _get(self, path: str) -> tuple[int, str]:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"{self.url}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as err:
            return err.code, err.read().decode()


@contextmanager
def pager(bootstrap: str, alertmanager: str, directory: Path, name: str = "pager") -> Iterator[Running]:
    directory.mkdir(exist_ok=True)
    environ = {
        "FACTWATCH_KAFKA_BOOTSTRAP": bootstrap,
        "FACTWATCH_ALERTMANAGER_URL": alertmanager,
        "FACTWATCH_PUBLIC_URL": PUBLIC_URL,
        "FACTWATCH_HTTP_BIND": "127.0.0.1:0",
        "FACTWATCH_DATA_DIR": str(directory / "data"),
    }
    process = Process(["pager"], environ, directory / f"{name}.log")
    try:
        found = eventually(
            lambda: re.search(r"metrics (http://\S+)/metrics", process.told()) or not process.running, 30
        )
        assert isinstance(found, re.Match), process.told()
        yield Running(process, found[1])
    finally:
        if process.running:
            process.kill()


class Topics:
    def __init__(self, bootstrap: str) -> None:
        self._producer = kafka.KafkaProducer(bootstrap_servers=bootstrap)

    def put(self, *alerts: Alert, written: float | None = None) -> None:
        for alert in alerts:
            event = to_event(alert)
            self._send(ALERTS.name, event.key, event.value, event.headers, written)
        self._producer.flush()

    def junk(self) -> None:
        self._send(ALERTS.name, b"x", b"\xff not an alert", [], None)
        self._send(LABELS.name, b"x", b"\xff not a label", [], None)
        self._producer.flush()

    def label(self, one: Label) -> None:
        value = json.dumps({
            "wiki": one.wiki, "title": one.title, "rev_id": one.rev_id, "label": one.label,
            "event_time": one.event_time, "labelled_time": one.labelled_time,
            "revert_risk": one.revert_risk, "alerted": one.alerted,
        }).encode()  # fmt: skip
        key = key_bytes(page_key(one.wiki, one.title))
        self._send(LABELS.name, key, value, [], None)

    def flush(self) -> None:
        self._producer.flush()

    def close(self) -> None:
        self._producer.close(timeout=2)

    def _send(
        self, topic: str, key: bytes, value: bytes, headers: list[Any], written: float | None
    ) -> None:
        at_ms = None if written is None else int(written * 1_000)
        self._producer.send(topic, key=key, value=value, headers=headers, timestamp_ms=at_ms)


@contextmanager
def topics(bootstrap: str) -> Iterator[Topics]:
    one = Topics(bootstrap)
    try:
        yield one
    finally:
        one.close()


def within(running: Running, wanted: Callable[[], Any], within_s: float = 60) -> Any:
    try:
        return eventually(wanted, within_s)
    except AssertionError:
        raise AssertionError(running.process.told()[-4_000:]) from None


def test_from_the_topic_to_who_is_told_and_back_to_peace(
    kafka: str, tmp_path: Path, told: Notified
) -> None:
    make_topics_anew(kafka, PARTITIONS)
    now = time.time()
    config = shipped_config(told, tmp_path / "secrets", "pagerduty", "webhook")
    with running_alertmanager(tmp_path / "am", config) as server, topics(kafka) as log:
        # Before it starts: one that is over, one that is open, one of long ago, and what is no alert.
        done, standing, old = (
            amplified(1, now - 90),
            amplified(2, now - 80),
            amplified(3, now - 8 * DAY_S),
        )
        log.put(old, written=now - 8 * DAY_S)
        log.put(done, ended(done), standing)
        log.junk()
        with pager(kafka, server.url, tmp_path) as running:
            [page] = within(running, lambda: told.of("/pagerduty"))
            details = page["payload"]["custom_details"]
            assert details["alert_ids"].rstrip(", ") == standing.alert_id
            assert details["triage_url"].strip() == f"{PUBLIC_URL}/#alert={standing.alert_id}"
            [held] = ours(server)
            assert held["annotations"]["alert_ids"] == standing.alert_id

            new = amplified(4, now - 20)
            log.put(new, contested(5, now - 15, evidence={"editors": ["A"] * 4, "mutual_reverts": 4}))
            within(running, lambda: len(told.of("/pagerduty")) == 2)
            [ticket] = within(running, lambda: alerts_of(told.of("/webhook"), "firing"))
            assert ticket["labels"]["alertname"] == "PageContested"
            name = 'factwatch_incidents_opened_total{kind="fact.amplified",severity="critical"}'
            assert running.metric(name) == 1, "of those it has seen begin"
            assert running.metric('factwatch_incidents{kind="fact.amplified",severity="critical"}') == 2

            log.put(ended(standing), ended(new))
            within(running, lambda: len(told.of("/pagerduty")) == 4)
            assert {event["event_action"] for event in told.of("/pagerduty")[2:]} == {"resolve"}
            within(running, lambda: len(ours(server)) == 1)
            assert running.ready()[0] == 200
            running.end()
        text = running.process.told()
        assert text.count("is passed over") == 2
        assert "Traceback" not in text


def test_two_at_once_are_one_to_who_is_told(kafka: str, tmp_path: Path, told: Notified) -> None:
    make_topics_anew(kafka, PARTITIONS)
    now = time.time()
    config = shipped_config(told, tmp_path / "secrets", "webhook", "webhook")
    with (
        running_alertmanager(tmp_path / "am", config) as server,
        topics(kafka) as log,
        pager(kafka, server.url, tmp_path, "one") as one,
        pager(kafka, server.url, tmp_path, "two") as two,
    ):
        for each in (one, two):
            within(each, lambda each=each: "tells" in each.ready()[1]["pager"]["detail"])  # type: ignore[misc]  # mypy infers no lambda with a default
        first = amplified(1, now - 60)
        log.put(first)
        delivered = 'factwatch_pager_deliveries_total{outcome="delivered",receiver="alertmanager"}'
        for each in (one, two):
            within(each, lambda each=each: each.metric(delivered) == 1)  # type: ignore[misc]  # mypy infers no lambda with a default
        within(one, lambda: alerts_of(told.of("/webhook"), "firing"))
        assert len(ours(server)) == 1
        one.process.kill()  # the other goes on
        log.put(ended(first))
        within(two, lambda: alerts_of(told.of("/webhook"), "resolved"))
        assert len(alerts_of(told.of("/webhook"), "firing")) == 1


def test_the_broker_away_is_said_waited_for_and_nothing_is_missed(
    own_kafka: KafkaBroker, tmp_path: Path, told: Notified
) -> None:
    make_topics_anew(own_kafka.bootstrap, PARTITIONS)
    now = time.time()
    config = shipped_config(told, tmp_path / "secrets", "webhook", "webhook")
    with running_alertmanager(tmp_path / "am", config) as server:
        with topics(own_kafka.bootstrap) as log:
            log.put(amplified(1, now - 60))
        own_kafka.stop()
        with pager(own_kafka.bootstrap, server.url, tmp_path) as running:
            within(running, lambda: "trying again until it works" in running.process.told())
            code, parts = running.ready()
            assert (code, parts["pager"]["ok"]) == (503, False)
            own_kafka.start()
            within(running, lambda: len(ours(server)) == 1)
            assert running.ready()[0] == 200
            own_kafka.kill()
            within(running, lambda: running.ready()[0] == 503)
            own_kafka.start()
            with topics(own_kafka.bootstrap) as log:
                log.put(ended(amplified(1, now - 60)), amplified(2, now - 50))
            within(
                running, lambda: [a["annotations"]["alert_ids"] for a in ours(server)] == [f"{2:032x}"]
            )
            own_kafka.stop()
            within(running, lambda: running.ready()[0] == 503)
            running.end()
        assert "Traceback" not in running.process.told()


def test_labels_tell_how_good_the_alerts_were(kafka: str, tmp_path: Path, told: Notified) -> None:
    make_topics_anew(kafka, PARTITIONS)
    now = time.time()
    with topics(kafka) as log:
        for number in range(1, 1_201):
            made = now - 3 * DAY_S + number
            reverted = number % 2 == 0
            log.label(Label(
                wiki="enwiki", title=f"Page {number % 50}", rev_id=number,
                label=LabelKind.REVERTED if reverted else LabelKind.KEPT,
                event_time=made, labelled_time=made + 600, revert_risk=0.9, alerted=number % 4 == 0,
            ))  # fmt: skip
        for late in range(3):
            log.label(Label(wiki="enwiki", title="Now", rev_id=9_000_000 + late, label=LabelKind.REVERTED,
                            event_time=now - 100, labelled_time=now))  # fmt: skip
        log.flush()
        with pager(kafka, "http://127.0.0.1:9", tmp_path) as running:
            judged = 'factwatch_live_judged_edits{window="7d"}'
            within(running, lambda: running.metric(judged) == 1_200)
            assert running.metric('factwatch_live_precision{window="7d"}') == 1.0
            assert running.metric('factwatch_live_recall{window="7d"}') == 0.5
            running.end()


def test_without_an_alertmanager_it_says_what_to_set(tmp_path: Path) -> None:
    environ = {"FACTWATCH_PAGER_WEBHOOK_URL": "https://user:hunter2@pager.example.org/x?key=hunter2"}
    process = Process(["pager"], environ, tmp_path / "pager.log")
    assert process.process.wait(timeout=30) == 2
    assert "FACTWATCH_ALERTMANAGER_URL is not set" in process.told()
    assert "hunter2" not in process.told()


def test_a_topic_that_is_not_there_is_told(own_kafka: KafkaBroker, tmp_path: Path) -> None:
    with pager(own_kafka.bootstrap, "http://127.0.0.1:9", tmp_path) as running:
        within(running, lambda: "`factwatch topics create` makes it" in running.process.told())
        running.end()
