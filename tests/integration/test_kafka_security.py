"""A broker that wants TLS and a password: every client of ours gets in, and shows the password nowhere."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.kafka.security import Connection, connection_of, for_aiokafka, for_faust
from streams.settings import load_settings
from streams.topics import CHANGES
from tests.benchmarks.events import recent_changes
from tests.integration import kafka_broker
from tests.integration.kafka_broker import KafkaBroker
from tests.integration.kafka_records import committed
from tests.integration.test_topics import factwatch
from tests.requirements import require, require_or_skip

PASSWORD = "pass-of-the-test-7"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[KafkaBroker, Path]]:
    """The broker, and the directory with `ca.pem`, `password` and a `wrong` one."""
    require_or_skip(kafka_broker.installed(), kafka_broker.HOW)
    directory = tmp_path_factory.mktemp("guarded")
    _certificate(directory)
    (directory / "password").write_text(PASSWORD + "\n")
    (directory / "wrong").write_text("not-the-password")
    plain = "org.apache.kafka.common.security.plain.PlainLoginModule"
    broker = KafkaBroker(
        directory / "kafka",
        protocol="SASL_SSL",
        properties={
            "listener.name.client.sasl.enabled.mechanisms": "PLAIN",
            "listener.name.client.plain.sasl.jaas.config": (
                f'{plain} required user_factwatch="{PASSWORD}";'
            ),
            "listener.name.client.ssl.keystore.type": "PEM",
            "listener.name.client.ssl.keystore.location": str(directory / "broker.pem"),
        },
    )
    broker.start()
    try:
        yield broker, directory
    finally:
        broker.stop()


def _certificate(directory: Path) -> None:
    openssl = require("openssl", "needs openssl: apt-get install openssl")
    key, ca = directory / "key.pem", directory / "ca.pem"
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    made = ["-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out", str(ca), "-days", "2"]
    subprocess.run([openssl, "req", "-x509", *made, *names], check=True, capture_output=True)
    (directory / "broker.pem").write_text(key.read_text() + ca.read_text())


def environ(broker: KafkaBroker, directory: Path, password: str = "password") -> dict[str, str]:
    return {
        "FACTWATCH_KAFKA_BOOTSTRAP": broker.bootstrap,
        "FACTWATCH_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "FACTWATCH_KAFKA_SASL_MECHANISM": "PLAIN",
        "FACTWATCH_KAFKA_SASL_USERNAME": "factwatch",
        "FACTWATCH_KAFKA_SASL_PASSWORD_FILE": str(directory / password),
        "FACTWATCH_KAFKA_SSL_CA_FILE": str(directory / "ca.pem"),
    }


def run(broker: KafkaBroker, settings: dict[str, str], *arguments: str) -> tuple[int, str]:
    without = {name: value for name, value in settings.items() if "BOOTSTRAP" not in name}
    done = factwatch(broker.bootstrap, *arguments, FACTWATCH_LOG_LEVEL="debug", **without)
    return done.returncode, done.stdout + done.stderr


def test_admin_and_ingest_get_in_and_show_no_password(
    guarded: tuple[KafkaBroker, Path], tmp_path: Path
) -> None:
    broker, directory = guarded
    settings = environ(broker, directory)
    code, said = run(broker, settings, "topics", "create", "--partitions", "2")
    assert code == 0, said
    lines = list(recent_changes(50, seed=3))
    (tmp_path / "changes.ndjson").write_bytes(b"\n".join(lines) + b"\n")
    code, more = run(broker, settings, "ingest", "changes", "--source", str(tmp_path / "changes.ndjson"))
    assert code == 0, more
    found = [
        record.value for part in committed(broker.internal, CHANGES.name).values() for record in part
    ]
    assert sorted(found) == sorted(lines)
    code, listed = run(broker, settings, "doctor", "--settings")
    assert "FACTWATCH_KAFKA_SASL_PASSWORD_FILE" in listed
    assert PASSWORD not in said + more + listed


def test_a_wrong_password_is_one_line_without_it(guarded: tuple[KafkaBroker, Path]) -> None:
    broker, directory = guarded
    done = factwatch(broker.bootstrap, "topics", "create", **environ_of_wrong(broker, directory))
    assert done.returncode == 4
    assert done.stderr.count("\n") == 1
    said = ("Authentication failed: Invalid username or password", "as with a wrong name or password")
    assert any(text in done.stderr for text in said)
    assert "not-the-password" not in done.stderr


def environ_of_wrong(broker: KafkaBroker, directory: Path) -> dict[str, str]:
    settings = environ(broker, directory, "wrong")
    del settings["FACTWATCH_KAFKA_BOOTSTRAP"]
    return settings


def test_a_broker_whose_certificate_we_do_not_trust_is_refused(
    guarded: tuple[KafkaBroker, Path],
) -> None:
    broker, directory = guarded
    settings = environ(broker, directory)
    del settings["FACTWATCH_KAFKA_SSL_CA_FILE"]
    code, said = run(broker, settings, "topics", "create")
    assert code == 4, said
    assert "certificate verify failed" in said.splitlines()[-1]
    assert PASSWORD not in said


def test_the_clients_of_the_worker_get_in(guarded: tuple[KafkaBroker, Path]) -> None:
    broker, directory = guarded
    connection = connection_of(load_settings(environ(broker, directory)))
    asyncio.run(_aiokafka(for_aiokafka(connection)))
    asyncio.run(_faust(connection))


async def _aiokafka(arguments: dict[str, object]) -> None:
    from aiokafka.admin import AIOKafkaAdminClient

    client = AIOKafkaAdminClient(**arguments)
    await client.start()
    assert isinstance(await client.list_topics(), list)
    await client.close()


async def _faust(connection: Connection) -> None:
    """As its transport makes a client of the credentials."""
    import faust
    from aiokafka import AIOKafkaConsumer
    from faust.transport.drivers.aiokafka import credentials_to_aiokafka_auth

    app = faust.App("test", **for_faust(connection), set_as_current=False)
    auth = credentials_to_aiokafka_auth(app.conf.broker_credentials)
    servers = [f"{url.host}:{url.port}" for url in app.conf.broker]
    consumer = AIOKafkaConsumer(bootstrap_servers=servers, **auth)
    await consumer.start()
    assert isinstance(await consumer.topics(), set)
    await consumer.stop()
