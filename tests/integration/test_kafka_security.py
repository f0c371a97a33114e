"""A broker that wants TLS and a password: every client of ours gets in, and shows the password nowhere."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from streams.kafka.admin import admin_of
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
_MODULES = "org.apache.kafka.common.security"
PLAIN_LOGIN = {
    "listener.name.client.sasl.enabled.mechanisms": "PLAIN",
    "listener.name.client.plain.sasl.jaas.config": (
        f'{_MODULES}.plain.PlainLoginModule required user_factwatch="{PASSWORD}";'
    ),
}
#: Who may come in is in Kafka's own metadata.
SCRAM = ("SCRAM-SHA-256", "SCRAM-SHA-512")
SCRAM_LOGIN = {
    "listener.name.client.sasl.enabled.mechanisms": ",".join(SCRAM),
} | {
    f"listener.name.client.{hash_.lower()}.sasl.jaas.config": (
        f"{_MODULES}.scram.ScramLoginModule required;"
    )
    for hash_ in SCRAM
}


class Guarded(NamedTuple):
    broker: KafkaBroker
    directory: Path
    """With `ca.pem`, `password` and a `wrong` one."""
    mechanism: str
    """The only one that the broker takes; or SCRAM, both of its hashes."""


@pytest.fixture(scope="module", params=["PLAIN", "SCRAM-SHA-512"])
def guarded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Guarded]:
    require_or_skip(kafka_broker.installed(), kafka_broker.HOW)
    directory = tmp_path_factory.mktemp("guarded")
    _certificate(directory)
    (directory / "password").write_text(PASSWORD + "\n")
    (directory / "wrong").write_text("not-the-password")
    login = PLAIN_LOGIN if request.param == "PLAIN" else SCRAM_LOGIN
    broker = KafkaBroker(
        directory / "kafka",
        protocol="SASL_SSL",
        properties=login | {
            "listener.name.client.ssl.keystore.type": "PEM",
            "listener.name.client.ssl.keystore.location": str(directory / "broker.pem"),
        },
        scram=[] if request.param == "PLAIN" else [
            f"{hash_}=[name=factwatch,password={PASSWORD}]" for hash_ in SCRAM
        ],
    )  # fmt: skip
    try:
        broker.start()
        yield Guarded(broker, directory, request.param)
    finally:
        broker.stop()


def _certificate(directory: Path) -> None:
    openssl = require("openssl", "needs openssl: apt-get install openssl")
    key, ca = directory / "key.pem", directory / "ca.pem"
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    made = ["-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out", str(ca), "-days", "2"]
    subprocess.run([openssl, "req", "-x509", *made, *names], check=True, capture_output=True)
    (directory / "broker.pem").write_text(key.read_text() + ca.read_text())


def environ(guarded: Guarded, password: str = "password") -> dict[str, str]:
    broker, directory, mechanism = guarded
    return {
        "FACTWATCH_KAFKA_BOOTSTRAP": broker.bootstrap,
        "FACTWATCH_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "FACTWATCH_KAFKA_SASL_MECHANISM": mechanism,
        "FACTWATCH_KAFKA_SASL_USERNAME": "factwatch",
        "FACTWATCH_KAFKA_SASL_PASSWORD_FILE": str(directory / password),
        "FACTWATCH_KAFKA_SSL_CA_FILE": str(directory / "ca.pem"),
    }


def run(broker: KafkaBroker, settings: dict[str, str], *arguments: str) -> tuple[int, str]:
    without = {name: value for name, value in settings.items() if "BOOTSTRAP" not in name}
    done = factwatch(broker.bootstrap, *arguments, FACTWATCH_LOG_LEVEL="debug", **without)
    return done.returncode, done.stdout + done.stderr


def test_admin_and_ingest_get_in_and_show_no_password(guarded: Guarded, tmp_path: Path) -> None:
    broker = guarded.broker
    settings = environ(guarded)
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


def test_a_wrong_password_is_one_line_without_it(guarded: Guarded) -> None:
    broker = guarded.broker
    done = factwatch(broker.bootstrap, "topics", "create", **environ_of_wrong(guarded))
    assert done.returncode == 4
    assert done.stderr.count("\n") == 1
    assert refuses(done.stderr)
    assert "not-the-password" not in done.stderr


def refuses(told: str) -> bool:
    """In the broker's words, if it was heard: a TLS connection's end may come with them."""
    words = ("Invalid username or password", "invalid credentials", "as with a wrong name or password")
    return any(text in told for text in words)


def environ_of_wrong(guarded: Guarded) -> dict[str, str]:
    settings = environ(guarded, "wrong")
    del settings["FACTWATCH_KAFKA_BOOTSTRAP"]
    return settings


def test_a_broker_whose_certificate_we_do_not_trust_is_refused(
    guarded: Guarded,
) -> None:
    broker = guarded.broker
    settings = environ(guarded)
    del settings["FACTWATCH_KAFKA_SSL_CA_FILE"]
    code, said = run(broker, settings, "topics", "create")
    assert code == 4, said
    assert "certificate verify failed" in said.splitlines()[-1]
    assert PASSWORD not in said


def test_the_clients_of_the_worker_get_in(guarded: Guarded) -> None:
    for mechanism in (guarded.mechanism,) if guarded.mechanism == "PLAIN" else SCRAM:
        connection = connection_of(load_settings(environ(guarded._replace(mechanism=mechanism))))
        with admin_of(connection) as admin:
            assert isinstance(admin.list_topics(), list)
        asyncio.run(_aiokafka(for_aiokafka(connection)))
        asyncio.run(_faust(connection))


def test_another_mechanism_than_the_brokers_is_one_line(guarded: Guarded) -> None:
    other = "SCRAM-SHA-512" if guarded.mechanism == "PLAIN" else "PLAIN"
    settings = environ(guarded._replace(mechanism=other))
    code, said = run(guarded.broker, settings, "topics", "create")
    assert code == 4, said
    assert "mechanism" in said.splitlines()[-1]
    assert PASSWORD not in said


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
