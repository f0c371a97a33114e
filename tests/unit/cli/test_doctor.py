"""`factwatch doctor`: a line for each thing that a run needs, with a way out, whoever answers what."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path

import pytest
from starlette.requests import Request

from streams.cli import doctor_check, doctor_local
from streams.cli.doctor import checks
from streams.cli.doctor_check import Check, Clocks, Trouble, asked
from streams.settings import load_settings
from streams.web.app import healthz


@pytest.fixture(autouse=True)
def _what_was_given_up_ends_here() -> Iterator[None]:
    yield
    for thread in threading.enumerate():
        if thread.name.startswith("doctor-"):
            thread.join(30)


@contextmanager
def server(answer: Callable[[bytes], bytes | None]) -> Iterator[str]:
    """HOST:PORT of one that gives `answer` to what it is sent first, and closes; None: says nothing."""
    stopping = threading.Event()

    def serve() -> None:
        while not stopping.is_set():
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(10)
                told = answer(connection.recv(65_536))
                if told is None:
                    stopping.wait(20)
                else:
                    connection.sendall(told)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        stopping.set()
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def http(body: bytes = b"ok", status: int = 200, date: float | None = None) -> bytes:
    when = formatdate(date if date is not None else time.time(), usegmt=True)
    head = f"HTTP/1.1 {status} x\r\nDate: {when}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body


def alertmanager(status: bytes = b'{"versionInfo":{"version":"0.25.0"}}') -> Callable[[bytes], bytes]:
    return lambda asked: http(status if b"/api/v2/status" in asked else b"OK")


def doctor(directory: Path, **environ: str) -> dict[str, Check]:
    named = {
        "FACTWATCH_DATA_DIR": str(directory),
        "FACTWATCH_HTTP_BIND": "127.0.0.1:0",
        "FACTWATCH_CONTENT": "false",
        "FACTWATCH_EVENTSTREAMS_URL": "http://127.0.0.1:1/",
        **environ,
    }
    return {check.name: check for check in checks(load_settings(named), named)}


def test_who_runs_it_alone_is_asked_for_nothing_more(tmp_path: Path) -> None:
    with server(lambda asked: http()) as place:
        found = doctor(tmp_path, FACTWATCH_EVENTSTREAMS_URL=f"http://{place}/")
    assert list(found) == [
        "settings", "model", "state", "disk", "page", "tokens", "eventstreams", "clocks",
    ]  # fmt: skip
    assert [check.name for check in found.values() if not check.ok and check.name != "disk"] == []
    assert "as its manifest says" in found["model"].detail
    assert "eventstreams" in found["clocks"].detail


def test_a_model_file_that_was_changed_is_told(tmp_path: Path) -> None:
    package = Path(__file__).parents[3] / "models" / "artifact"
    for name in ("manifest.json", "model.skops"):
        (tmp_path / name).write_bytes((package / name).read_bytes())
    with (tmp_path / "model.skops").open("ab") as file:
        file.write(b"\0")
    found = doctor(tmp_path, FACTWATCH_MODEL_DIR=str(tmp_path))["model"]
    assert not found.ok
    assert "sha256 differs" in found.detail


def test_a_port_that_a_factwatch_has_is_no_trouble_and_that_of_another_is(tmp_path: Path) -> None:
    for body, ok, told in (
        (doctor_local.HEALTHY, True, "answered by a factwatch that runs already"),
        (b"hello", False, "end what is there, or set FACTWATCH_HTTP_BIND"),
    ):
        with server(lambda asked, body=body: http(body)) as place:  # type: ignore[misc]  # mypy infers no lambda with a default
            found = doctor(tmp_path, FACTWATCH_HTTP_BIND=place)["page"]
        assert found.ok is ok
        assert told in found.detail


def test_what_counts_as_healthy_is_what_ours_say() -> None:
    request = Request({"type": "http", "headers": []})
    assert asyncio.run(healthz(request)).body == doctor_local.HEALTHY


# -- clocks ---------------------------------------------------------------------------------------


def test_clocks_that_agree_are_named() -> None:
    clocks = Clocks()
    clocks.note("eventstreams", -0.6)
    clocks.note("api enwiki", 29.0)
    assert clocks.compared() == "within 29 s of eventstreams, api enwiki"


@pytest.mark.parametrize(
    ("ahead_s", "told"), [(45.0, "45 s behind db"), (-3_600.0, "3,600 s ahead of db")]
)
def test_a_clock_that_is_off_is_told_with_its_direction(ahead_s: float, told: str) -> None:
    clocks = Clocks()
    clocks.note("eventstreams", 1.0)
    clocks.note("db", ahead_s)
    with pytest.raises(Trouble, match=told) as trouble:
        clocks.compared()
    assert "eventstreams" not in str(trouble.value)


def test_the_clock_of_who_answers_is_compared(tmp_path: Path) -> None:
    with server(lambda asked: http(date=time.time() - 600)) as place:
        found = doctor(tmp_path, FACTWATCH_EVENTSTREAMS_URL=f"http://{place}/")
    assert found["eventstreams"].ok
    assert not found["clocks"].ok
    assert "ahead of eventstreams: set it" in found["clocks"].detail


# -- who does not answer as he should ---------------------------------------------------------------


def test_alertmanager_tells_its_version_and_its_password_is_not_shown(tmp_path: Path) -> None:
    with server(alertmanager()) as place:
        found = doctor(tmp_path, FACTWATCH_ALERTMANAGER_URL=f"http://me:geheim@{place}/")["alertmanager"]
    assert found == Check("alertmanager", True, f"http://{place} is ready: Alertmanager 0.25.0")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (lambda asked: http(status=404), "answers 404 to /-/ready"),
        (alertmanager(b"<html>no</html>"), "no /api/v2/status"),
        (alertmanager(b"\xff\xfe"), "no /api/v2/status"),
        (alertmanager(b'{"versionInfo":[]}'), "no /api/v2/status"),
        (lambda asked: b"SSH-2.0-OpenSSH_9.2\r\n" * 9, "can't be reached"),
        (lambda asked: b"HTTP/1.1 200 OK\r\nDate: never\r\nContent-Length: 99\r\n\r\nshort", "can't be reached"),
        (lambda asked: b"", "can't be reached"),
    ],
)  # fmt: skip
def test_what_is_no_alertmanager_is_a_line(
    tmp_path: Path, answer: Callable[[bytes], bytes | None], told: str
) -> None:
    with server(answer) as place:
        found = doctor(tmp_path, FACTWATCH_ALERTMANAGER_URL=f"http://{place}/")["alertmanager"]
    assert not found.ok
    assert told in found.detail
    assert place in found.detail
    assert "\n" not in found.detail


@pytest.mark.parametrize(
    "answer",
    [lambda asked: b"HTTP/1.1 400 Bad Request\r\n\r\n", lambda asked: b"", lambda asked: b"\0" * 999],
)
def test_what_is_neither_kafka_nor_postgres_is_a_line(
    tmp_path: Path, answer: Callable[[bytes], bytes | None]
) -> None:
    with server(answer) as place:
        found = doctor(
            tmp_path,
            FACTWATCH_KAFKA_BOOTSTRAP=place,
            FACTWATCH_DATABASE_URL=f"postgresql://me:geheim@{place}/x",
        )
    for name in ("kafka", "topics", "archive"):
        assert not found[name].ok
        assert "\n" not in found[name].detail
    assert "FACTWATCH_KAFKA_BOOTSTRAP" in found["kafka"].detail
    assert "geheim" not in str(found)


def test_who_says_nothing_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_check, "DEADLINE_S", 0.2)
    with server(lambda asked: None) as place:
        found = doctor(
            tmp_path,
            FACTWATCH_EVENTSTREAMS_URL=f"http://{place}/",
            FACTWATCH_ALERTMANAGER_URL=f"http://{place}/",
            FACTWATCH_KAFKA_BOOTSTRAP=place,
            FACTWATCH_DATABASE_URL=f"postgresql://me@{place}/x",
        )
    for name in ("eventstreams", "alertmanager", "kafka", "archive"):
        assert not found[name].ok
        assert "no answer within" in found[name].detail


def test_a_check_that_hangs_does_not_hang_the_doctor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_check, "DEADLINE_S", 0.05)
    released = threading.Event()

    def hangs() -> str:
        released.wait(30)
        return "too late"

    assert not asked("x", hangs).ok
    released.set()


def test_a_webhook_is_looked_up_and_nothing_is_sent(tmp_path: Path) -> None:
    heard: list[bytes] = []

    def answer(asked: bytes) -> bytes:
        heard.append(asked)
        return http()

    with server(answer) as place:
        found = doctor(
            tmp_path,
            FACTWATCH_PAGER_WEBHOOK_URL=f"https://me:geheim@{place}/geheim?geheim",
            FACTWATCH_WEBHOOK_URL="https://hooks.invalid/geheim",
        )
    assert found["pager webhook"].ok
    assert not found["webhook"].ok
    assert "hooks.invalid does not resolve: is FACTWATCH_WEBHOOK_URL right?" in found["webhook"].detail
    assert "geheim" not in str(found)
    assert heard == []


@pytest.mark.parametrize(
    ("setting", "value", "name"),
    [
        ("FACTWATCH_KAFKA_BOOTSTRAP", "127.0.0.1:1", "kafka"),
        ("FACTWATCH_DATABASE_URL", "postgresql://me@127.0.0.1:1/x", "archive"),
        ("FACTWATCH_LOG_LEVEL", "info", ""),
    ],
)
def test_libraries_are_missed_only_where_a_setting_wants_them(
    tmp_path: Path, setting: str, value: str, name: str
) -> None:
    """Blocked as they would be if they were not there."""
    code = (
        "import sys; sys.argv = ['factwatch', 'doctor']\n"
        "for name in ('kafka', 'aiokafka', 'faust', 'sqlalchemy', 'alembic', 'psycopg'): sys.modules[name] = None\n"
        "from streams.cli.entry import main; main()"
    )
    environ = {
        "FACTWATCH_DATA_DIR": str(tmp_path),
        "FACTWATCH_EVENTSTREAMS_URL": "http://127.0.0.1:1/",
        "FACTWATCH_CONTENT": "false",
        setting: value,
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environ,
    )
    missed = [line for line in done.stdout.splitlines() if "pip install" in line]
    assert [line.split()[:2] for line in missed] == ([["FAIL", name]] if name else [])
    assert "Traceback" not in done.stderr
