"""An alert as a CloudEvent in Kafka's binary mode: attributes in headers, the value is the data.

Format: CloudEvents 1.0.2 and its Kafka Protocol Binding (header `ce_NAME`, UTF-8, no percent-encoding).
The key is the page, so one page's state changes stay in order. Pure: no Kafka, no clock.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import quote

import msgspec

from streams.errors import FactwatchError
from streams.partitions import key_bytes, page_key
from streams.records import Alert, AlertKind, Severity
from streams.schemas import ALERT, schema_uri

SPEC_VERSION = "1.0"
CONTENT_TYPE = "application/json"
TYPE_PREFIX = "org.factwatch."
#: OpenTelemetry's numbers, which the severity extension uses.
SEVERITY_NUMBERS = {Severity.INFO: 9, Severity.WARNING: 13, Severity.CRITICAL: 21}
#: Topics hold records up to a megabyte by default; no alert comes near.
MAX_VALUE_BYTES = 1 << 20

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Alert).decode
_REQUIRED = ("ce_specversion", "ce_id", "ce_source", "ce_type", "ce_subject", "ce_time")
#: What a CloudEvents String must not hold: controls, noncharacters, lone surrogates. `%` stands for
#: itself: MediaWiki refuses titles in which two hex digits follow it.
_DISALLOWED = re.compile(
    "[\\x00-\\x1f\\x7f-\\x9f\\ud800-\\udfff\\ufdd0-\\ufdef"
    + "".join(f"{chr(plane << 16 | 0xFFFE)}{chr(plane << 16 | 0xFFFF)}" for plane in range(17))
    + "]"
)


class NotAnAlert(FactwatchError):
    """A record that is no alert of ours. The message is one line; what it quotes is escaped."""


class KafkaEvent(NamedTuple):
    """A record of the alerts topic."""

    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


def source_uri(wiki: str) -> str:
    """`ce_source`: Factwatch's view of a wiki. With `ce_id` it names the event once and for all."""
    return f"urn:factwatch:{quote(wiki, safe='')}"


def event_type(kind: AlertKind) -> str:
    return TYPE_PREFIX + kind


def to_event(alert: Alert) -> KafkaEvent:
    """The same bytes for the same alert, so that a replay repeats them."""
    page = page_key(alert.wiki, alert.title)
    attributes = {
        "specversion": SPEC_VERSION,
        "id": alert.ce_id,
        "source": source_uri(alert.wiki),
        "type": event_type(alert.kind),
        "time": rfc3339(alert.event_time),
        "subject": _string(alert.title),
        "dataschema": schema_uri(ALERT),
        # Extensions: routing and filtering without parsing the value.
        "partitionkey": _string(page),
        "correlationid": alert.alert_id,
        "severitytext": alert.severity.upper(),
        "severitynumber": str(SEVERITY_NUMBERS[alert.severity]),
    }
    headers = [(f"ce_{name}", value.encode()) for name, value in attributes.items()]
    headers.append(("content-type", CONTENT_TYPE.encode()))
    return KafkaEvent(key_bytes(page), _encode(alert), headers)


def from_event(
    key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes | None]]
) -> Alert:
    """The alert in a record. Headers that we don't know are passed over, as the specification asks;
    those that we do must say what the value says. Raises `NotAnAlert`."""
    attributes = _attributes(headers)
    if attributes["ce_specversion"] != SPEC_VERSION:
        raise NotAnAlert(f"CloudEvents {_quoted(attributes['ce_specversion'])}, not {SPEC_VERSION}")
    media_type = attributes.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != CONTENT_TYPE:
        raise NotAnAlert(f"content-type is {_quoted(media_type)}, not {CONTENT_TYPE}")
    if not attributes["ce_type"].startswith(TYPE_PREFIX):
        raise NotAnAlert(f"ce_type {_quoted(attributes['ce_type'])} is not one of {TYPE_PREFIX}*")
    if not value or len(value) > MAX_VALUE_BYTES:
        raise NotAnAlert(f"the value has {len(value or b'')} bytes, not 1 to {MAX_VALUE_BYTES}")
    try:
        alert = _decode(value)
        expected = to_event(alert)
    # UnicodeEncodeError and OverflowError: what JSON can hold and an event can't.
    except (msgspec.DecodeError, ValueError, OverflowError, OSError) as err:
        raise NotAnAlert(f"the value is no alert: {_quoted(str(err))}") from None
    if key is not None and key != expected.key:
        raise NotAnAlert("the key is not the page of the value")
    told = {name: raw.decode() for name, raw in expected.headers}
    for name in _REQUIRED:
        if name != "ce_time" and attributes[name] != told[name]:
            raise NotAnAlert(
                f"{name} is {_quoted(attributes[name])}, the value says {_quoted(told[name])}"
            )
    return alert


def rfc3339(time: float) -> str:
    """Unix seconds as `2025-11-24T16:00:01Z`, with a fraction where there is one. Raises `ValueError`
    or `OverflowError` outside of the years 1 to 9999."""
    moment = datetime.fromtimestamp(time, UTC)
    return moment.isoformat(timespec="microseconds" if moment.microsecond else "seconds")[:-6] + "Z"


def _attributes(headers: Iterable[tuple[str, bytes | None]]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for name, raw in headers:
        name = name.lower()
        if not name.startswith("ce_") and name != "content-type":
            continue
        if name in found:
            raise NotAnAlert(f"the header {_quoted(name)} is there twice")
        try:
            found[name] = (raw or b"").decode()
        except UnicodeDecodeError:
            raise NotAnAlert(f"the header {_quoted(name)} is not UTF-8") from None
    for name in _REQUIRED:
        if not found.get(name):
            raise NotAnAlert(f"the header {name} is missing: no CloudEvent in binary mode")
    return found


def _string(text: str) -> str:
    """`text` as a CloudEvents String: what one must not hold is percent-encoded; never empty."""
    return _DISALLOWED.sub(lambda found: quote(found[0], errors="surrogatepass"), text) or "-"


def _quoted(text: str) -> str:
    return ascii(text if len(text) <= 100 else text[:100] + "…")
