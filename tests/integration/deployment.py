"""All programs on a real Kafka, as docker-compose.yml has them, reading the demo's streams."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from streams.demo.articles import HOSTS
from streams.demo.server import STREAMS, DemoServer
from tests.integration.kafka_records import make_topics_anew
from tests.kafka_world import Process, wait_until


def address(url: str) -> str:
    return urlsplit(url).netloc


def demo_environ(url: str) -> dict[str, str]:
    return {
        "FACTWATCH_EVENTSTREAMS_URL": f"{url}/v2/stream/{','.join(STREAMS)}",
        "FACTWATCH_MEDIAWIKI_API": f"{url}/w/api.php",
        "FACTWATCH_WIKIS": ",".join(f"{wiki}={host}" for wiki, host in HOSTS.items()),
    }


class Deployment:
    """The programs on Kafka, each on a port that it gets again when it is started again."""

    def __init__(self, directory: Path, environ: Mapping[str, str]) -> None:
        self._directory = directory
        self._environ = dict(environ)
        self.jobs: dict[str, list[str]] = {}
        """HOST:PORT of each program."""
        self._started: dict[str, tuple[str, ...]] = {}
        self._processes: dict[str, Process] = {}

    def start(self, job: str, *arguments: str) -> None:
        self._started[job] = arguments
        self._processes[job] = Process(
            arguments,
            {
                **self._environ,
                "FACTWATCH_DATA_DIR": str(self._directory / job),
                "FACTWATCH_HTTP_BIND": self.jobs.get(job, ["127.0.0.1:0"])[0],
            },
            self._directory / f"{job}.log",
        )

    def until_serving(self) -> None:
        """Until each has told where its metrics are, and the worker has its partitions."""
        for job in self._processes:
            self.until_said(job, r"metrics http://([0-9.:]+)/metrics")
            self.jobs[job] = [self._address(job)]
        self.until_said("worker", "changelog records read")

    def until_said(self, job: str, pattern: str) -> None:
        process = self._processes[job]

        def said() -> bool:
            return re.search(pattern, process.log.read_text()) is not None

        wait_until(lambda: said() or not process.running, 90, process.told, 0.1)
        assert process.running, process.told()

    def start_again(self, job: str) -> None:
        self.start(job, *self._started[job])

    def kill(self, job: str) -> None:
        self._processes[job].kill()

    def _address(self, job: str) -> str:
        found = re.search(r"metrics http://([0-9.:]+)/metrics", self._processes[job].log.read_text())
        return found[1] if found else ""

    def stop(self) -> None:
        for process in self._processes.values():
            if process.running:
                process.process.send_signal(signal.SIGTERM)
        for process in self._processes.values():
            process.stop()


@contextmanager
def deployed(kafka: str, directory: Path, demo: DemoServer, alertmanager: str) -> Iterator[Deployment]:
    """All programs on Kafka, reading the demo's streams."""
    make_topics_anew(kafka, 2)
    directory.mkdir()
    key = directory / "author_key"
    key.write_text("a key of this test, as long as one must be\n")
    deployment = Deployment(
        directory,
        {
            **demo_environ(demo.url),
            "FACTWATCH_KAFKA_BOOTSTRAP": kafka,
            "FACTWATCH_AUTHOR_KEY_FILE": str(key),
            "FACTWATCH_DATABASE_URL": f"sqlite:///{directory}/archive.sqlite",
            "FACTWATCH_ALERTMANAGER_URL": alertmanager,
        },
    )
    try:
        deployment.start("worker", "worker")
        deployment.start("archive", "archive")
        deployment.start("pager", "pager")
        deployment.start("ingest", "ingest", "changes")
        deployment.start("ingest-posts", "ingest", "posts", "--source", demo.post_specs[0])
        deployment.start("api", "api")
        deployment.until_serving()
        yield deployment
    finally:
        deployment.stop()
