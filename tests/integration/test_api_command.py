"""`factwatch api` serves the page and the API from the archive, and lives through its database's outage."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from streams.archive.database import Database
from streams.archive.migrate import migrate
from streams.archive.writer import ArchiveWriter
from tests.archive_world import Logs, deliver
from tests.integration.postgres_server import PASSWORD, PostgresServer
from tests.integration.program import Program, running
from tests.sample_alerts import a_day, resolved, sample_alert
from tests.web_world import eventually


def asked(program: Program, path: str) -> tuple[int, Any]:
    connection = http.client.HTTPConnection(urlsplit(program.url).netloc, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        return answer.status, json.loads(body) if "json" in answer.headers["Content-Type"] else body
    finally:
        connection.close()


def test_it_serves_what_the_archive_holds(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/archive.sqlite"
    with running(["api"], {"FACTWATCH_DATABASE_URL": url}, tmp_path) as program:
        assert asked(program, "/v1/alerts")[0] == 503  # there is no archive yet
        status, ready = asked(program, "/readyz")
        assert (status, ready["parts"]["database"]["ok"]) == (503, False)
        assert asked(program, "/healthz")[0] == 200

        database, logs = Database(url), Logs()
        migrate(database)
        writer = ArchiveWriter(database)
        day = a_day(1_764_000_000.0)
        deliver(writer, *(logs.alert(alert) for alert in day))
        eventually(lambda: asked(program, "/readyz")[0] == 200)
        assert [alert["ce_id"] for alert in program.alerts()] == [
            alert.ce_id for alert in reversed(day) if alert.ce_id != day[0].ce_id
        ]
        told = program.get("/v1/status")
        assert (told["source_name"], told["alerts_open"], told["last_seq"]) == ("archive", 5, len(day))
        assert b"<title>" in asked(program, "/")[1]

        stream = http.client.HTTPConnection(urlsplit(program.url).netloc, timeout=20)
        stream.request("GET", "/v1/alerts/stream")
        answer = stream.getresponse()
        new = sample_alert(77, title="Lhotse")
        deliver(writer, logs.alert(new))
        line = b""
        while not line.startswith(b"data:"):
            line = answer.readline()
        assert json.loads(line[5:])["title"] == "Lhotse"
        stream.close()
        writer.close()


def test_while_its_database_is_away_it_says_503_and_comes_back(
    own_postgres: PostgresServer, tmp_path: Path
) -> None:
    database, logs = Database(own_postgres.url), Logs()
    migrate(database)
    writer, alert = ArchiveWriter(database), sample_alert(1)
    deliver(writer, logs.alert(alert))
    environ = {"FACTWATCH_DATABASE_URL": own_postgres.url}
    with running(["api"], environ, tmp_path) as program:
        assert len(program.alerts()) == 1
        stream = http.client.HTTPConnection(urlsplit(program.url).netloc, timeout=30)
        stream.request("GET", "/v1/alerts/stream?after=0")
        answer = stream.getresponse()
        while not answer.readline().startswith(b"data:"):
            pass
        writer.close()
        own_postgres.kill()
        status, problem = asked(program, "/v1/alerts")
        assert status == 503
        assert "127.0.0.1" not in problem["detail"]  # a host is nobody's business who reads alerts
        eventually(lambda: asked(program, "/readyz")[0] == 503)
        assert program.get("/v1/status")["source"]["state"] == "retrying"
        own_postgres.start()
        eventually(lambda: asked(program, "/readyz")[0] == 200, within_s=20)
        assert len(program.alerts()) == 1
        writer = ArchiveWriter(database)
        deliver(writer, logs.alert(resolved(alert)))
        line = b""
        while not line.startswith(b"data:"):  # of the stream that was open all the time
            line = answer.readline()
            assert line
        assert json.loads(line[5:])["status"] == "resolved"
        stream.close()
        writer.close()
    text = program.log.read_text()
    assert PASSWORD not in text
    assert "Zauberwort" not in text


def test_an_archive_of_a_newer_factwatch_is_refused(tmp_path: Path) -> None:
    import subprocess
    import sys

    database = Database(f"sqlite:///{tmp_path}/archive.sqlite")
    migrate(database)
    engine = database.writer()
    with engine.begin() as db:
        db.exec_driver_sql("UPDATE archive_version SET version_num = '9999'")
    engine.dispose()
    for command in ("api", "archive"):
        done = subprocess.run(
            [str(Path(sys.executable).parent / "factwatch"), command],
            env={"FACTWATCH_DATA_DIR": str(tmp_path), "FACTWATCH_HTTP_BIND": "127.0.0.1:0",
                 "FACTWATCH_KAFKA_BOOTSTRAP": "127.0.0.1:1"},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 2
        assert done.stderr.splitlines()[-1].startswith(
            f"factwatch: sqlite:///{tmp_path}/archive.sqlite: made by"
        )


def test_posts_that_kafka_does_not_take_are_to_be_sent_again(tmp_path: Path) -> None:
    environ = {
        "FACTWATCH_DATABASE_URL": f"sqlite:///{tmp_path}/archive.sqlite",
        "FACTWATCH_KAFKA_BOOTSTRAP": "127.0.0.1:1",
    }
    with running(["api"], environ, tmp_path) as program:
        connection = http.client.HTTPConnection(urlsplit(program.url).netloc, timeout=30)
        body = b'{"platform": "chat", "id": "1", "text": "Hi."}'
        connection.request("POST", "/v1/posts", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        assert b"127.0.0.1" not in answer.read()  # hosts are nobody's business
        connection.close()


def test_nothing_is_told_to_be_safe_while_what_is_hot_is_not_known(tmp_path: Path) -> None:
    environ = {
        "FACTWATCH_DATABASE_URL": f"sqlite:///{tmp_path}/archive.sqlite",
        "FACTWATCH_KAFKA_BOOTSTRAP": "127.0.0.1:1",
    }
    migrate(Database(environ["FACTWATCH_DATABASE_URL"]))
    with running(["api"], environ, tmp_path) as program:
        connection = http.client.HTTPConnection(urlsplit(program.url).netloc, timeout=10)
        connection.request(
            "POST", "/v1/check", b"The tower is 324 m high.", {"Content-Type": "text/plain"}
        )
        answer = connection.getresponse()
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        assert "127.0.0.1" not in json.loads(answer.read())["detail"]
        connection.close()
        status, problem = asked(program, "/v1/facts")
        assert (status, problem["detail"]) == (
            503,
            "What is hot is not known yet. Try again in a while.",
        )
        status, ready = asked(program, "/readyz")
        assert ready["parts"]["facts"]["ok"] is False
        assert status == 200  # alerts can be read
