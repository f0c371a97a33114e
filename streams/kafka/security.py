"""How to reach the broker: one `Connection`, and what each client library calls its parts."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from streams.errors import BadSetting

if TYPE_CHECKING:
    from streams.settings import Settings


class Secret:
    """Text that shows itself to nobody by accident: not in a `repr`, a log line or a traceback."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """Where the broker is and who we are to it."""

    bootstrap: tuple[str, ...]
    """`HOST:PORT` of one or more brokers."""
    protocol: str = "PLAINTEXT"
    """PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL."""
    mechanism: str = "PLAIN"
    """PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512."""
    username: str = ""
    password: Secret = Secret("")
    ca_file: str = ""
    """Empty: the certificates that the system trusts."""
    cert_file: str = ""
    key_file: str = ""

    @property
    def where(self) -> str:
        """For a message."""
        return ",".join(self.bootstrap)

    @property
    def has_tls(self) -> bool:
        return self.protocol.endswith("SSL")

    @property
    def has_sasl(self) -> bool:
        return self.protocol.startswith("SASL_")


def connection_of(settings: Settings) -> Connection:
    """Raises `BadSetting` for settings that don't go together or a password that can't be read."""
    found = Connection(
        bootstrap=settings.kafka_bootstrap,
        protocol=settings.kafka_security_protocol,
        mechanism=settings.kafka_sasl_mechanism,
        username=settings.kafka_sasl_username,
        password=_password(settings.kafka_sasl_password_file),
        ca_file=settings.kafka_ssl_ca_file,
        cert_file=settings.kafka_ssl_cert_file,
        key_file=settings.kafka_ssl_key_file,
    )
    if found.has_sasl and not (found.username and found.password.reveal()):
        raise BadSetting(
            f"FACTWATCH_KAFKA_SECURITY_PROTOCOL: {found.protocol} wants FACTWATCH_KAFKA_SASL_USERNAME "
            "and FACTWATCH_KAFKA_SASL_PASSWORD_FILE"
        )
    if found.username and not found.has_sasl:
        raise BadSetting(
            "FACTWATCH_KAFKA_SASL_USERNAME: is sent only with FACTWATCH_KAFKA_SECURITY_PROTOCOL=SASL_SSL "
            "(or SASL_PLAINTEXT)"
        )
    if (found.ca_file or found.cert_file) and not found.has_tls:
        raise BadSetting(
            "FACTWATCH_KAFKA_SSL_CA_FILE, …_CERT_FILE: are used only with "
            "FACTWATCH_KAFKA_SECURITY_PROTOCOL=SSL or SASL_SSL"
        )
    if found.key_file and not found.cert_file:
        raise BadSetting("FACTWATCH_KAFKA_SSL_KEY_FILE: wants FACTWATCH_KAFKA_SSL_CERT_FILE too")
    return found


def for_kafka_python(connection: Connection) -> dict[str, Any]:
    """Arguments of `KafkaProducer`, `KafkaConsumer` and `KafkaAdminClient`."""
    arguments: dict[str, Any] = {
        "bootstrap_servers": list(connection.bootstrap),
        "security_protocol": connection.protocol,
    }
    return arguments | _sasl(connection) | _tls(connection)


def for_aiokafka(connection: Connection) -> dict[str, Any]:
    """Arguments of `AIOKafkaProducer`, `AIOKafkaConsumer` and its admin client."""
    return for_kafka_python(connection)  # it calls them the same


def for_faust(connection: Connection) -> dict[str, Any]:
    """Arguments of `faust.App`: `broker` and, where there are any, `broker_credentials`."""
    import faust
    from yarl import URL

    arguments: dict[str, Any] = {"broker": [URL(f"kafka://{place}") for place in connection.bootstrap]}
    context = tls_context(connection) if connection.has_tls else None
    if connection.has_sasl:
        arguments["broker_credentials"] = faust.SASLCredentials(
            username=connection.username,
            password=connection.password.reveal(),
            ssl_context=context,
            mechanism=connection.mechanism,
        )
    elif context is not None:
        arguments["broker_credentials"] = faust.SSLCredentials(context)
    return arguments


def tls_context(connection: Connection) -> ssl.SSLContext:
    """Checks the broker's certificate and its name; shows ours if there is one."""
    try:
        context = ssl.create_default_context(cafile=connection.ca_file or None)
    except (OSError, ssl.SSLError) as err:
        raise BadSetting(
            f"FACTWATCH_KAFKA_SSL_CA_FILE: {connection.ca_file} holds no certificates (PEM): {err}"
        ) from None
    if connection.cert_file:
        try:
            # A pass phrase would be asked for on the terminal: an empty one is refused instead.
            context.load_cert_chain(connection.cert_file, connection.key_file or None, password="")
        except (OSError, ssl.SSLError) as err:
            raise BadSetting(
                f"FACTWATCH_KAFKA_SSL_CERT_FILE: {connection.cert_file} with its key can't be used (PEM, "
                f"without a pass phrase): {err}"
            ) from None
    return context


def _sasl(connection: Connection) -> dict[str, Any]:
    if not connection.has_sasl:
        return {}
    return {
        "sasl_mechanism": connection.mechanism,
        "sasl_plain_username": connection.username,
        "sasl_plain_password": connection.password.reveal(),
    }


def _tls(connection: Connection) -> dict[str, Any]:
    return {"ssl_context": tls_context(connection)} if connection.has_tls else {}


def _password(file: str) -> Secret:
    if not file:
        return Secret("")
    try:
        return Secret(Path(file).read_text("utf-8").strip())
    except (OSError, UnicodeDecodeError) as err:
        raise BadSetting(f"FACTWATCH_KAFKA_SASL_PASSWORD_FILE: {file} can't be read: {err}") from None
