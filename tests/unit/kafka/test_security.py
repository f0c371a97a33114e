"""Settings reach every client; a secret shows itself nowhere."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from streams.errors import BadSetting
from streams.kafka.security import Connection, connection_of, for_aiokafka, for_faust, for_kafka_python
from streams.settings import load_settings

SECRET = "hunter2-of-the-broker"


@pytest.fixture
def password(tmp_path: Path) -> str:
    file = tmp_path / "password"
    file.write_text(f"{SECRET}\n")
    return str(file)


def connection(**environ: str) -> Connection:
    return connection_of(load_settings({f"FACTWATCH_KAFKA_{n}": v for n, v in environ.items()}))


def test_by_default_it_is_plain_and_local() -> None:
    assert for_kafka_python(connection()) == {
        "bootstrap_servers": ["127.0.0.1:9092"],
        "security_protocol": "PLAINTEXT",
    }
    assert list(map(str, for_faust(connection())["broker"])) == ["kafka://127.0.0.1:9092"]
    assert "broker_credentials" not in for_faust(connection())


def test_a_name_and_password_reach_every_client(password: str) -> None:
    found = connection(
        BOOTSTRAP="a:1,b:2",
        SECURITY_PROTOCOL="SASL_SSL",
        SASL_MECHANISM="scram-sha-256",
        SASL_USERNAME="factwatch",
        SASL_PASSWORD_FILE=password,
    )
    for arguments in (for_kafka_python(found), for_aiokafka(found)):
        assert arguments["bootstrap_servers"] == ["a:1", "b:2"]
        assert arguments["security_protocol"] == "SASL_SSL"
        assert arguments["sasl_mechanism"] == "SCRAM-SHA-256"
        assert arguments["sasl_plain_username"] == "factwatch"
        assert arguments["sasl_plain_password"] == SECRET
        assert arguments["ssl_context"].verify_mode is ssl.CERT_REQUIRED
        assert arguments["ssl_context"].check_hostname
    credentials = for_faust(found)["broker_credentials"]
    assert (credentials.username, credentials.password) == ("factwatch", SECRET)
    assert credentials.mechanism.value == "SCRAM-SHA-256"
    assert credentials.protocol.value == "SASL_SSL"
    assert SECRET not in repr(found) + repr(credentials)


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"SECURITY_PROTOCOL": "SASL_SSL"}, "FACTWATCH_KAFKA_SECURITY_PROTOCOL"),
        ({"SECURITY_PROTOCOL": "SASL_SSL", "SASL_USERNAME": "x"}, "FACTWATCH_KAFKA_SECURITY_PROTOCOL"),
        ({"SASL_USERNAME": "x"}, "FACTWATCH_KAFKA_SASL_USERNAME"),
        ({"SSL_CA_FILE": __file__}, "FACTWATCH_KAFKA_SSL_CA_FILE"),
        ({"SECURITY_PROTOCOL": "SSL", "SSL_KEY_FILE": __file__}, "FACTWATCH_KAFKA_SSL_KEY_FILE"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(environ: dict[str, str], named: str) -> None:
    with pytest.raises(BadSetting, match=f"^{named}"):
        connection(**environ)


@pytest.mark.parametrize("name", ["SSL_CA_FILE", "SSL_CERT_FILE"])
def test_a_file_without_certificates_is_refused(name: str) -> None:
    with pytest.raises(BadSetting, match=f"^FACTWATCH_KAFKA_{name}"):
        for_kafka_python(connection(SECURITY_PROTOCOL="SSL", **{name: __file__}))


def test_a_password_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "password").write_bytes(b"\xff\xfe")
    with pytest.raises(BadSetting, match=r"^FACTWATCH_KAFKA_SASL_PASSWORD_FILE"):
        connection(SASL_PASSWORD_FILE=str(tmp_path / "password"))
