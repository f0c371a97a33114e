"""People's verdicts on a real Kafka: handed to `factwatch api`, kept by `factwatch archive`, and in the figures of
`factwatch pager`, each as its user starts it."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from streams.archive.database import Database
from streams.records import Alert, Label, LabelKind
from streams.topics import VERDICTS
from tests.archive_world import rows
from tests.integration.browser import open_browser
from tests.integration.kafka_broker import KafkaBroker
from tests.integration.kafka_records import committed, make_topics_anew
from tests.integration.program import Program, running
from tests.integration.test_archive_from_kafka import archive
from tests.integration.test_pager_on_kafka import Topics, pager, topics, within
from tests.sample_alerts import resolved, sample_alert
from tests.web_world import eventually

PARTITIONS = 3
DAY_S = 86_400.0
JUDGE, READER, INGEST = "a-token-that-judges", "a-token-that-reads", "a-token-that-brings-posts"
BOTH = "a-token-for-the-page"
TITLES = (By.CSS_SELECTOR, "#open > li h3")
PRECISION = 'factwatch_live_precision{window="7d"}'


def environ_of(bootstrap: str, directory: Path) -> dict[str, str]:
    tokens = directory / "tokens"
    tokens.write_text(f"{JUDGE} verdict\n{READER} read\n{INGEST} ingest\n{BOTH} read,verdict\n")
    tokens.chmod(0o600)
    return {
        "FACTWATCH_KAFKA_BOOTSTRAP": bootstrap,
        "FACTWATCH_DATABASE_URL": f"sqlite:///{directory}/archive.sqlite",
        "FACTWATCH_API_TOKENS_FILE": str(tokens),
    }


def asked(
    program: Program, path: str, token: str, body: dict[str, Any] | None = None
) -> tuple[int, Any]:
    request = urllib.request.Request(
        f"{program.url}{path}",
        json.dumps(body).encode() if body is not None else None,
        {"Content-Type": "application/json", "Authorization": f"Bearer {token}"},
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as err:
        return err.code, json.load(err)


def judge(
    program: Program, alert: Alert, word: str, verdict: str, token: str = JUDGE
) -> tuple[int, Any]:
    body = {"verdict": verdict, "verdict_id": word, "given_by": "Ann", "note": "I was there."}
    return asked(program, f"/v1/alerts/{alert.alert_id}/verdict", token, body)


def story(log: Topics, now: float) -> list[Alert]:
    """120 edits that alerted three days ago on as many pages: every second one was reverted."""
    alerts = []
    for number in range(120):
        made = now - 3 * DAY_S + number
        alert = sample_alert(
            number, title=f"Page {number}", event_time=made, episode_start=made, severity="info"
        )
        alerts.append(alert)
        bad = number % 2 == 0
        log.put(alert, *([resolved(alert)] if bad else []))
        log.label(Label(
            wiki=alert.wiki, title=alert.title, rev_id=alert.rev_id,
            label=LabelKind.REVERTED if bad else LabelKind.KEPT, event_time=made,
            labelled_time=made + 600, revert_risk=0.9, alerted=True,
        ))  # fmt: skip
    for late in range(3):
        log.label(Label(wiki="enwiki", title="Now", rev_id=9_000_000 + late, label=LabelKind.REVERTED,
                        event_time=now - 100, labelled_time=now))  # fmt: skip
    log.flush()
    return alerts


def test_a_verdict_reaches_the_archive_and_the_figures_and_outlives_all_of_them(
    kafka: str, tmp_path: Path
) -> None:
    make_topics_anew(kafka, PARTITIONS)
    environ = environ_of(kafka, tmp_path)
    url = environ["FACTWATCH_DATABASE_URL"]
    with topics(kafka) as log:
        alerts = story(log, time.time())
    with pager(kafka, "http://127.0.0.1:9", tmp_path, "one") as one:
        within(one, lambda: one.metric(PRECISION) == 0.5)
        with running(["api"], environ, tmp_path) as api:
            with archive(kafka, url, tmp_path) as keeper:
                eventually(lambda: keeper.has_written(180), 60)
                assert asked(api, "/v1/status", READER)[1]["takes_verdicts"] is True
                for number in (1, 3, 5, 7, 9, 11):  # kept, and damaging for all that
                    assert judge(api, alerts[number], f"v{number}", "damaging") == (200, {"edits": 1})
                within(one, lambda: one.metric(PRECISION) == 66 / 120)
                eventually(lambda: len(rows(Database(url))["verdicts"]) == 6, 30)
                keeper.kill()
            # The archive is down: what is said meanwhile waits in the topic.
            assert judge(api, alerts[1], "later", "unsure") == (200, {"edits": 1})
            assert judge(api, alerts[0], "other", "good") == (200, {"edits": 1})
            assert judge(api, alerts[1], "v1", "damaging") == (200, {"edits": 1})  # a late repeat
            assert judge(api, alerts[0], "x", "good", READER)[0] == 403
            missing = sample_alert(5_000)
            assert judge(api, missing, "x", "good")[0] == 404
            within(one, lambda: one.metric(PRECISION) == 64 / 120)
            with archive(kafka, url, tmp_path):
                eventually(lambda: len(rows(Database(url))["verdicts"]) == 8, 60)
    with pager(kafka, "http://127.0.0.1:9", tmp_path, "two") as two:  # it keeps nothing, and knows all
        within(two, lambda: two.metric(PRECISION) == 64 / 120)
    said = [record for log_ in committed(kafka, VERDICTS.name).values() for record in log_]
    assert len(said) == 9
    assert {record.key.decode() for record in said} == {
        f"enwiki:Page {number}" for number in (0, 1, 3, 5, 7, 9, 11)
    }


def test_a_person_judges_on_the_page_of_the_api(kafka: str, tmp_path: Path) -> None:
    make_topics_anew(kafka, PARTITIONS)
    environ = environ_of(kafka, tmp_path)
    url = environ["FACTWATCH_DATABASE_URL"]
    alert = sample_alert(1, event_time=time.time() - 60)
    with topics(kafka) as log:
        log.put(alert)
        log.flush()
    with (
        archive(kafka, url, tmp_path) as keeper,
        running(["api"], environ, tmp_path) as api,
        open_browser() as browser,
    ):
        eventually(lambda: keeper.has_written(1), 60)
        browser.get(api.url)
        eventually(lambda: browser.find_element(By.ID, "token").is_displayed())
        browser.find_element(By.ID, "token").send_keys(BOTH, Keys.ENTER)
        eventually(lambda: [one.text for one in browser.find_elements(*TITLES)] == [alert.title], 30)
        box = browser.find_element(By.CSS_SELECTOR, "#open .judge")
        eventually(box.is_displayed)
        box.find_element(By.TAG_NAME, "summary").click()
        box.find_element(By.CSS_SELECTOR, "[data-verdict=good]").click()
        told = box.find_element(By.CSS_SELECTOR, "[role=status]")
        eventually(lambda: "good edit" in told.text, 30)
        eventually(lambda: len(rows(Database(url))["verdicts"]) == 1, 30)
    (said,) = [record for part in committed(kafka, VERDICTS.name).values() for record in part]
    assert json.loads(said.value)["verdict"] == "good"
    assert json.loads(said.value)["alert_id"] == alert.alert_id


def test_what_kafka_did_not_take_is_not_told_to_be_kept(own_kafka: KafkaBroker, tmp_path: Path) -> None:
    environ = environ_of(own_kafka.bootstrap, tmp_path)
    with running(["api"], environ, tmp_path) as api:  # before `factwatch topics create`
        post = {"platform": "chat", "id": "1", "text": "Hi."}
        assert asked(api, "/v1/posts", INGEST, post)[0] == 503
    make_topics_anew(own_kafka.bootstrap, PARTITIONS)
    url = environ["FACTWATCH_DATABASE_URL"]
    with topics(own_kafka.bootstrap) as log:
        (alert, *_) = story(log, time.time())
    with (
        running(["api"], environ, tmp_path) as api,
        archive(own_kafka.bootstrap, url, tmp_path) as keeper,
    ):
        eventually(lambda: keeper.has_written(180), 60)
        own_kafka.kill()
        status, problem = judge(api, alert, "v", "good")
        assert status == 503
        assert "127.0.0.1" not in problem["detail"]
        own_kafka.start()
        eventually(lambda: judge(api, alert, "v", "good") == (200, {"edits": 1}), 60)
        eventually(lambda: len(rows(Database(url))["verdicts"]) == 1, 60)
        own_kafka.kill()  # what was acknowledged is on its disk
        own_kafka.start()
    found = committed(own_kafka.bootstrap, VERDICTS.name)
    assert {json.loads(record.value)["verdict_id"] for log_ in found.values() for record in log_} == {
        "v"
    }
