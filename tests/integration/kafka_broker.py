"""A real Apache Kafka on loopback: one node (KRaft) from Maven Central, run by Java 17 or newer.

`KafkaBroker` is started, stopped, killed and started again on the same ports and data. The programs are
fetched once, by Maven, into a cache (`FACTWATCH_TEST_CACHE`, else `~/.cache/factwatch-tests`).

By hand: `python -m tests.integration.kafka_broker DIRECTORY` runs one until Ctrl-C.
"""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.integration.ports import free_ports
from tests.requirements import CACHE

#: The newest that kafka-python 3.0 and aiokafka 0.14 were seen to work with.
VERSION = "4.4.0"
#: The version that its own distribution ships beside it: without a binding slf4j says nothing at all.
LOG4J_VERSION = "2.25.5"

HOW = (
    "needs Apache Kafka: install Maven and Java 17 or newer (on Debian, as root: .ci/packages), "
    "or name a running one for tests only: FACTWATCH_TEST_KAFKA=HOST:PORT"
)

#: Half the time to start. A broker that is to be measured wants the second compiler: `("-Xmx512m",)`.
QUICK_START = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx512m")

_CLUSTER_ID = "ZmFjdHdhdGNoLXRlc3RzMA"

_POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>org.factwatch.tests</groupId>
  <artifactId>kafka-broker</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId>
      <version>{kafka}</version>
    </dependency>
    <dependency>
      <groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId>
      <version>{log4j}</version>
    </dependency>
  </dependencies>
</project>
"""

_LOG4J = """<?xml version="1.0" encoding="UTF-8"?>
<Configuration status="WARN">
  <Appenders>
    <Console name="out"><PatternLayout pattern="%d{HH:mm:ss.SSS} %-5p %c{1}: %m%n"/></Console>
  </Appenders>
  <Loggers>
    <Root level="WARN"><AppenderRef ref="out"/></Root>
    <Logger name="kafka.server.KafkaRaftServer" level="INFO"/>
  </Loggers>
</Configuration>
"""

_STARTED = b"Kafka Server started"


class KafkaBroker:
    """A broker with its data, configuration and log in `directory`.

    Clients come in by `bootstrap`, whose listener speaks `protocol` (PLAINTEXT, SSL, SASL_PLAINTEXT or
    SASL_SSL); what that needs (`listener.name.client.…`) and any other broker property go into
    `properties`. `scram`: who may come in by it, `SCRAM-SHA-512=[name=…,password=…]` each. `internal` is
    always plain: the broker's own, and a back door for tests. `told_port`: clients are told to come in by
    it, that of a proxy."""

    def __init__(
        self,
        directory: Path,
        *,
        protocol: str = "PLAINTEXT",
        properties: Mapping[str, str] | None = None,
        scram: Sequence[str] = (),
        jvm: Sequence[str] = QUICK_START,
        told_port: int | None = None,
    ) -> None:
        self.directory = directory
        self.log = directory / "kafka.log"
        self._jvm = jvm
        self._scram = scram
        self._process: subprocess.Popen[bytes] | None = None
        client, internal, controller = free_ports(3)
        self.bootstrap = f"127.0.0.1:{client}"
        self.internal = f"127.0.0.1:{internal}"
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "log4j2.xml").write_text(_LOG4J)
        self._properties = directory / "server.properties"
        settings = {**_settings(directory, client, internal, controller, protocol), **(properties or {})}
        if told_port is not None:
            told = settings["advertised.listeners"].replace(self.bootstrap, f"127.0.0.1:{told_port}")
            settings["advertised.listeners"] = told
        self._properties.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))

    @property
    def pid(self) -> int:
        assert self._process is not None, "not started"
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self, within_s: float = 60) -> None:
        """Returns when it takes requests. Raises RuntimeError with the end of its log if it does not."""
        assert not self.running, "runs already"
        if not (self.directory / "data" / "meta.properties").exists():
            self._format()
        already = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [*self._java("kafka.Kafka"), str(self._properties)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C at the tests stops it in its turn, not at once
            )
        deadline = time.monotonic() + within_s
        while _STARTED not in self.log.read_bytes()[already:]:
            if not self.running or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"Kafka did not start:\n{self.log.read_text()[-4000:]}")
            time.sleep(0.05)  # between two looks

    def stop(self, within_s: float = 30) -> None:
        """An orderly shutdown; killed when it takes longer than that."""
        if self._process is None or not self.running:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(timeout=within_s)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """As if the power failed, but for the page cache."""
        if self._process is not None and self.running:
            self._process.kill()
            self._process.wait()

    def restart(self) -> None:
        """Stop (if it runs) and start on the same ports and data."""
        self.stop()
        self.start()

    def _format(self) -> None:
        tool = [*self._java("kafka.tools.StorageTool"), "format"]
        users = [word for user in self._scram for word in ("--add-scram", user)]
        done = subprocess.run(
            [*tool, "--cluster-id", _CLUSTER_ID, "--config", str(self._properties), *users],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"Kafka's storage could not be formatted:\n{done.stdout}\n{done.stderr}")

    def _java(self, main: str) -> list[str]:
        logging = f"-Dlog4j2.configurationFile={self.directory / 'log4j2.xml'}"
        return [
            "java",
            *self._jvm,
            "-XX:+ExitOnOutOfMemoryError",
            logging,
            "-cp",
            f"{programs()}/*",
            main,
        ]


def installed() -> bool:
    """Whether this machine can run one (Maven is not needed where the cache has it)."""
    return shutil.which("java") is not None and (_cached().is_dir() or shutil.which("mvn") is not None)


def programs() -> Path:
    """The directory of Kafka's jars, fetched if the cache does not have it."""
    cached = _cached()
    if cached.is_dir():
        return cached
    cached.parent.mkdir(parents=True, exist_ok=True)
    with (cached.parent / "kafka.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # Maven's own cache wants one Maven at a time
        if not cached.is_dir():
            _fetch(cached)
    return cached


def _fetch(cached: Path) -> None:
    with tempfile.TemporaryDirectory(dir=cached.parent) as fresh:
        (Path(fresh) / "pom.xml").write_text(_POM.format(kafka=VERSION, log4j=LOG4J_VERSION))
        command = ["mvn", "-B", "-q", "-ntp", "dependency:copy-dependencies"]
        done = subprocess.run(
            [*command, "-DincludeScope=runtime", f"-DoutputDirectory={fresh}/lib"],
            cwd=fresh,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"Maven could not fetch Kafka {VERSION}:\n{done.stdout[-4000:]}")
        (Path(fresh) / "lib").rename(cached)


@contextmanager
def running_broker(directory: Path, jvm: Sequence[str] = QUICK_START) -> Iterator[KafkaBroker]:
    """A broker that is stopped at the end."""
    broker = KafkaBroker(directory, jvm=jvm)
    try:
        broker.start()
        yield broker
    finally:
        broker.stop()


def _cached() -> Path:
    return CACHE / f"kafka-{VERSION}"


def _settings(
    directory: Path, client: int, internal: int, controller: int, protocol: str
) -> dict[str, str]:
    listeners = {"CLIENT": client, "INTERNAL": internal}
    reached = ",".join(f"{name}://127.0.0.1:{port}" for name, port in listeners.items())
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"{reached},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": reached,
        "listener.security.protocol.map": f"CLIENT:{protocol},INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "INTERNAL",
        "log.dirs": str(directory / "data"),
        # Programs that lean on topics being made for them get the wrong number of partitions.
        "auto.create.topics.enable": "false",
        # One node.
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.num.partitions": "4",
        # Quick where a test would wait.
        "group.initial.rebalance.delay.ms": "0",
        "group.min.session.timeout.ms": "1000",
        # So long a broker that was killed waits until it may come back.
        "broker.session.timeout.ms": "4000",
        "broker.heartbeat.interval.ms": "500",
        "log.cleaner.backoff.ms": "1000",
        # Each log has index files of this size set aside.
        "log.index.size.max.bytes": "1048576",
    }


def _by_hand(directory: Path) -> None:
    with running_broker(directory) as broker:
        sys.stdout.write(
            f"FACTWATCH_KAFKA_BOOTSTRAP={broker.bootstrap}  pid {broker.pid}  log {broker.log}\n"
        )
        sys.stdout.flush()
        with contextlib.suppress(KeyboardInterrupt):
            while broker.running:
                time.sleep(1)


if __name__ == "__main__":
    # A shell script stops its background jobs with SIGTERM; Python ignores SIGINT there.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _by_hand(Path(sys.argv[1]))
