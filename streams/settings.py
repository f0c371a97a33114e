"""Every setting, in one place: `FACTWATCH_*` environment variables, checked once at start.

A bad one raises `BadSetting` with a line that names it. Settings stop at the composition root
(`streams.cli`, `streams.runners`): stages get what they need as arguments.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from streams import __version__
from streams.errors import BadSetting

PREFIX = "FACTWATCH_"

#: Wikis whose host does not follow from their database name.
SPECIAL_HOSTS = {
    "wikidatawiki": "www.wikidata.org",
    "commonswiki": "commons.wikimedia.org",
    "metawiki": "meta.wikimedia.org",
    "specieswiki": "species.wikimedia.org",
    "mediawikiwiki": "www.mediawiki.org",
}
PROJECTS = {
    "wiki": "wikipedia",
    "wiktionary": "wiktionary",
    "wikibooks": "wikibooks",
    "wikinews": "wikinews",
    "wikiquote": "wikiquote",
    "wikisource": "wikisource",
    "wikiversity": "wikiversity",
    "wikivoyage": "wikivoyage",
}
#: All but the first are PostgreSQL.
DATABASE_SCHEMES = ("sqlite:///", "postgresql://", "postgresql+psycopg://", "postgres://")
_DB_NAME = re.compile(r"^([a-z][a-z0-9_]*?)(" + "|".join(PROJECTS) + r")$")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_BROKER_HOST = re.compile(r"[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\]")
_HOST = re.compile(r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?$")


def host_of_wiki(wiki: str) -> str | None:
    """`enwiki` -> `en.wikipedia.org`; None where the name does not tell."""
    if wiki in SPECIAL_HOSTS:
        return SPECIAL_HOSTS[wiki]
    match = _DB_NAME.match(wiki)
    if match is None:
        return None
    return f"{match[1].replace('_', '-')}.{PROJECTS[match[2]]}.org"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator can set. Each field's variable is `FACTWATCH_` and its name in capitals."""

    data_dir: Path = Path("~/.local/share/factwatch").expanduser()
    """Directory of state, cursor and outgoing alerts (one SQLite file) and of the model, if trained."""
    eventstreams_url: str = (
        "https://stream.wikimedia.org/v2/stream/mediawiki.recentchange,mediawiki.revision-tags-change"
    )
    """The SSE stream; several streams of one host are joined by commas."""
    mediawiki_api: str = "https://{server_name}/w/api.php"
    """Action API address; `{server_name}` is replaced by the host of a wiki on the list, never by
    one that an event names."""
    wikis: dict[str, str] = msgspec.field(default_factory=lambda: {"enwiki": "en.wikipedia.org"})
    """Wikis watched, by database name, as `enwiki,dewiki` or `name=host` where the host does not
    follow from the name. `*` takes events of every wiki, but fetches content from none."""
    namespaces: frozenset[int] = frozenset({0})
    """Namespaces watched; 0 is articles (and Wikidata items)."""
    user_agent: str = f"factwatch/{__version__} (https://github.com/factwatch/factwatch)"
    """Sent with every request. Wikimedia asks for a contact: add your address to be on its higher
    limits."""
    content: bool = True
    """Fetch the texts of edits from the Action API. Without, edits are scored by metadata alone."""
    content_deadline_s: float = 10.0
    """How long an edit may wait for its texts before it goes on without them."""
    page_histories_per_minute: int = 20
    """Pages of which the recent history is fetched for a suspicious edit, where nothing was known of the
    page: two calls each. 0 turns it off: such edits are decided on by their texts alone."""
    webhook_url: str = ""
    """Every alert state change is POSTed here as JSON."""
    webhook_secret_file: str = ""
    """File with the key of the HMAC-SHA256 signature (`X-Factwatch-Signature`)."""
    alertmanager_url: tuple[str, ...] = ()
    """Alertmanagers that are told of incidents, by commas: all of a cluster, each is told everything."""
    pager_webhook_url: str = ""
    """Without an Alertmanager, incidents are POSTed here in the form of its webhook, signed as alerts are."""
    pages_per_day: int = 5
    """Pages in any 24 hours of event time; incidents above it are tickets (severity warning)."""
    public_url: str = ""
    """Where people reach the page, for links in pages; empty: http:// and FACTWATCH_HTTP_BIND."""
    http_bind: str = "127.0.0.1:8080"
    """Address of page, API and /metrics. Port 0 takes a free one."""
    api_tokens_file: str = ""
    """File of `token scope[,scope]` lines. When set, /v1 wants `Authorization: Bearer`."""
    model_dir: str = ""
    """Directory of a trained model; empty: the one in the package."""
    challenger: str = ""
    """Directory of a model that scores along in shadow and alerts on nothing; empty: none."""
    alert_threshold: float | None = None
    """revert_risk from which any edit is suspect; empty: the model's own thresholds, which differ with
    what is known of a page and what is changed (they are in the model card)."""
    feedback_delay_s: float = 10.0
    """Event time after which a revert counts against its performer. Workers on Kafka wait for each other
    within it; more makes a replay of the past faster."""
    stall_after_s: float = 60.0
    """Silence (no event, no canary, no heartbeat) after which the stream is connected anew."""
    dead_letter_limit: float = 0.05
    """Share of dead letters among the last 10,000 records that stops the program."""
    retention_days: float = 30.0
    """How long labels, scores, dead letters and page states are kept, in event time."""
    own_calibration: bool = True
    """Whether the risk that is told is fitted to each wiki's own settled edits. Alerts do not depend on it."""
    training_days: float = 90.0
    """How long a sample of what the model knew of edits is kept, to train a later one from, in event time."""
    training_mb: int = 256
    """Megabytes that this sample may take; what is oldest leaves first. 0 keeps none."""
    post_retention_days: float = 30.0
    """How long the text of a post that bears on a fact is kept, in event time. A deleted one goes at once."""
    hash_authors: bool = True
    """Store a keyed hash in place of a platform's id of an author."""
    author_key_file: str = ""
    """File with the key of that hash; empty: one is made in the data directory. With another key nobody
    is known any more."""
    mastodon_token_file: str = ""
    """File with an access token of the Mastodon server that posts are read from."""
    jetstream_dictionary_file: str = ""
    """File with Jetstream's zstd dictionary: with it, version 1 streams come compressed."""
    database_url: str = ""
    """The archive: `sqlite:////absolute/file` or `postgresql://USER@HOST/NAME`; empty: archive.sqlite in
    the data directory."""
    database_password_file: str = ""
    """File with the password of the archive's database."""
    kafka_bootstrap: tuple[str, ...] = ("127.0.0.1:9092",)
    """Kafka brokers to ask first, `HOST:PORT[,HOST:PORT…]`."""
    kafka_security_protocol: str = "PLAINTEXT"
    """PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL."""
    kafka_sasl_mechanism: str = "SCRAM-SHA-512"
    """PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512."""
    kafka_sasl_username: str = ""
    """Who we are to Kafka."""
    kafka_sasl_password_file: str = ""
    """File with the password that goes with the name."""
    kafka_ssl_ca_file: str = ""
    """Certificates (PEM) by which the brokers' are checked; empty: those that the system trusts."""
    kafka_ssl_cert_file: str = ""
    """Our own certificate (PEM), where Kafka asks for one."""
    kafka_ssl_key_file: str = ""
    """The key of our certificate; empty: it is in the same file."""
    log_level: str = "info"
    """debug, info, warning or error."""


def _text(value: str) -> str:
    return value


def _path(value: str) -> Path:
    return Path(value).expanduser()


def _url(value: str) -> str:
    parts = urlsplit(value.replace("{server_name}", "host"))
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("wants an http:// or https:// address")
    return value


def _optional_url(value: str) -> str:
    return _url(value) if value else ""


def _urls(value: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_url(part.strip()) for part in value.split(",")))


def _count(value: str) -> int:
    if not value.isascii() or not value.isdigit() or len(value) > 6:
        raise ValueError(f"wants a number from 0, not {value!r}")
    return int(value)


def _wikis(value: str) -> dict[str, str]:
    wikis: dict[str, str] = {}
    for entry in filter(None, (part.strip() for part in value.split(","))):
        name, has_host, host = entry.partition("=")
        if entry == "*":
            wikis["*"] = ""
            continue
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no wiki's name")
        found = host if has_host else host_of_wiki(name)
        if found is None:
            raise ValueError(f"does not know the host of {name!r}: write {name}=HOST")
        if not _HOST.match(found):
            raise ValueError(f"{found!r} is not a host name")
        wikis[name] = found
    if not wikis:
        raise ValueError("names no wiki")
    return wikis


def _namespaces(value: str) -> frozenset[int]:
    try:
        return frozenset(int(part) for part in value.split(","))
    except ValueError:
        raise ValueError(f"wants numbers, as in 0,14, not {value!r}") from None


def _bool(value: str) -> bool:
    words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    if value.lower() not in words:
        raise ValueError("wants true or false")
    return words[value.lower()]


def _positive(value: str) -> float:
    number = float(value)
    if not 0 < number < 1e9:
        raise ValueError("wants a number above 0")
    return number


def _share(value: str) -> float:
    number = float(value)
    if not 0 < number <= 1:
        raise ValueError("wants a number above 0 and at most 1")
    return number


def _optional_share(value: str) -> float | None:
    return _share(value) if value else None


def _bind(value: str) -> str:
    host, colon, port = value.rpartition(":")
    if not colon or not host or not port.isdigit() or int(port) > 65535:
        raise ValueError(f"wants HOST:PORT, as in 127.0.0.1:8080, not {value!r}")
    return value


def _brokers(value: str) -> tuple[str, ...]:
    brokers = tuple(part.strip() for part in value.split(","))
    for broker in brokers:
        host, _, port = broker.rpartition(":")
        if not _BROKER_HOST.fullmatch(host) or not port.isdecimal() or not 0 < int(port) < 65536:
            raise ValueError(f"wants HOST:PORT, as in 127.0.0.1:9092, not {broker!r}")
    return brokers


def _one_of(*names: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value.upper() not in names:
            raise ValueError(f"wants one of {', '.join(names)}, not {value!r}")
        return value.upper()

    return parse


def _readable_file(value: str) -> str:
    if value and not os.access(value, os.R_OK):
        raise ValueError(f"names a file that can't be read: {value}")
    return value


def _database_url(value: str) -> str:
    """Says nothing of what is in it: that may be a password."""
    if not value.startswith(DATABASE_SCHEMES):
        raise ValueError("wants an address that begins with sqlite:/// or postgresql://")
    return value


def _log_level(value: str) -> str:
    if value.lower() not in ("debug", "info", "warning", "error"):
        raise ValueError("wants debug, info, warning or error")
    return value.lower()


PARSERS: dict[str, Callable[[str], object]] = {
    "data_dir": _path,
    "eventstreams_url": _url,
    "mediawiki_api": _url,
    "wikis": _wikis,
    "namespaces": _namespaces,
    "user_agent": _text,
    "content": _bool,
    "content_deadline_s": _positive,
    "page_histories_per_minute": _count,
    "webhook_url": _optional_url,
    "webhook_secret_file": _readable_file,
    "alertmanager_url": _urls,
    "pager_webhook_url": _optional_url,
    "pages_per_day": _count,
    "public_url": _optional_url,
    "http_bind": _bind,
    "api_tokens_file": _readable_file,
    "model_dir": _text,
    "challenger": _text,
    "alert_threshold": _optional_share,
    "feedback_delay_s": _positive,
    "stall_after_s": _positive,
    "dead_letter_limit": _share,
    "retention_days": _positive,
    "own_calibration": _bool,
    "training_days": _positive,
    "training_mb": _count,
    "post_retention_days": _positive,
    "hash_authors": _bool,
    "author_key_file": _readable_file,
    "mastodon_token_file": _readable_file,
    "jetstream_dictionary_file": _readable_file,
    "database_url": _database_url,
    "database_password_file": _readable_file,
    "kafka_bootstrap": _brokers,
    "kafka_security_protocol": _one_of("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"),
    "kafka_sasl_mechanism": _one_of("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"),
    "kafka_sasl_username": _text,
    "kafka_sasl_password_file": _readable_file,
    "kafka_ssl_ca_file": _readable_file,
    "kafka_ssl_cert_file": _readable_file,
    "kafka_ssl_key_file": _readable_file,
    "log_level": _log_level,
}


def variable_of(field: str) -> str:
    return PREFIX + field.upper()


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Settings from `environ`. An empty value counts as not set. Raises `BadSetting` for a value that
    can't be used and for a `FACTWATCH_` variable that names no setting (a typo must not pass)."""
    known = {variable_of(field) for field in PARSERS}
    for name in environ:
        if name.startswith(PREFIX) and not name.startswith("FACTWATCH_TEST_") and name not in known:
            near = get_close_matches(name, known, 1)
            meant = f", did you mean {near[0]}?" if near else " (see `factwatch doctor --settings`)"
            raise BadSetting(f"{name}: no setting has this name{meant}")
    values: dict[str, object] = {}
    for field, parse in PARSERS.items():
        value = environ.get(variable_of(field), "").strip()
        if value == "":
            continue
        try:
            values[field] = parse(value)
        except (ValueError, RuntimeError) as err:  # RuntimeError: `~name` of nobody
            raise BadSetting(f"{variable_of(field)}: {err}") from None
    return Settings(**values)  # type: ignore[arg-type]  # each parser gives its field's type
