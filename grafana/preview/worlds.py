"""What is looked at: the demo on Kafka, and two weeks of it, hastened, for figures that take days."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from grafana.definitions.episodes import open_episodes
from grafana.preview.answers import Answers
from streams.demo.scenario import AnyStep
from streams.demo.server import DemoServer
from tests.integration.alertmanager import running_alertmanager
from tests.integration.dashboard_world import Archive, archive_in, archived, distributed
from tests.integration.deployment import demo_environ
from tests.integration.kafka_broker import running_broker
from tests.integration.postgres_server import running_postgres
from tests.integration.program import running
from tests.integration.prometheus import running_prometheus

NOBODY = {"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}
#: The demo on Kafka is left at a moment that shows something.
WORTH_SHOWING = {"edit.suspect", "page.contested", "fact.amplified"}
WAIT_S = 120
DAY_S = 86_400.0
DAYS = 14
#: Of the hastened demo: an edit in about two minutes of its time.
HASTENED_SPEED = 150


@contextmanager
def on_kafka(directory: Path, lasting_s: float, speed: float) -> Iterator[Answers]:
    with ExitStack() as stack:
        server = stack.enter_context(DemoServer(speed=speed))
        broker = stack.enter_context(running_broker(directory / "kafka"))
        postgres = stack.enter_context(running_postgres())
        archive = stack.enter_context(archive_in(postgres.url, "preview"))
        alertmanager = stack.enter_context(running_alertmanager(directory / "alertmanager", NOBODY))
        jobs = stack.enter_context(
            distributed(
                server,
                broker.bootstrap,
                archive.url,
                alertmanager.url,
                directory / "programs",
                workers=2,
            )
        )
        prometheus = stack.enter_context(running_prometheus(directory / "prometheus", jobs, []))
        start = time.time()
        time.sleep(lasting_s)  # of the demo, to be drawn
        _until_worth_showing(archive)
        yield Answers(prometheus, archive, start, time.time())


def _until_worth_showing(archive: Archive) -> None:
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        if {row["Kind"] for row in archive.rows(open_episodes()["rawSql"])} >= WORTH_SHOWING:
            return
        time.sleep(0.2)  # between two looks


class HastenedDemo(DemoServer):
    """Edits say that they were made in the course of the last `days`, which pass in `lasting_s`."""

    def __init__(self, days: float, lasting_s: float) -> None:
        self._began = time.time()
        self._days = days
        self._lasting_s = lasting_s
        super().__init__(speed=HASTENED_SPEED)

    def _doing(self, step: AnyStep) -> Callable[[], None]:
        return lambda: self._send(self.wiki.apply(step, self._event_time()))

    def _event_time(self) -> float:
        passed = (time.time() - self._began) / self._lasting_s
        return self._began + (min(passed, 1.0) - 1.0) * self._days * DAY_S


@contextmanager
def two_weeks(directory: Path, lasting_s: float) -> Iterator[Answers]:
    """Without posts, whose times can't be hastened. The archive holds what was stored."""
    directory.mkdir()
    with ExitStack() as stack:
        server = stack.enter_context(HastenedDemo(DAYS, lasting_s))
        program = stack.enter_context(running(["run"], demo_environ(server.url), directory))
        jobs = {"factwatch": [program.url.removeprefix("http://")]}
        prometheus = stack.enter_context(running_prometheus(directory / "prometheus", jobs, []))
        postgres = stack.enter_context(running_postgres())
        archive = stack.enter_context(archive_in(postgres.url, "preview"))
        start = time.time()
        time.sleep(lasting_s)  # of the demo, to be drawn
        archive.store(archived(program, directory / "state" / "factwatch.sqlite"))
        end = time.time()
        yield Answers(prometheus, archive, start, end, archived_s=(DAYS + 1) * DAY_S)
