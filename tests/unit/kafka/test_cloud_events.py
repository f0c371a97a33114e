"""An alert as a CloudEvent in Kafka's binary mode, and back: what holds for any title, what is refused."""

from __future__ import annotations

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.kafka.cloud_events import KafkaEvent, NotAnAlert, from_event, rfc3339, to_event
from streams.records import Alert, AlertKind, Severity
from tests.sample_alerts import HOSTILE_TITLE, a_day, sample_alert

#: Any text that JSON can carry.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=80)


def header(event: KafkaEvent, name: str) -> str:
    (value,) = (raw.decode() for known, raw in event.headers if known == name)
    return value


def test_the_headers_are_what_the_kafka_binding_asks_for() -> None:
    alert = sample_alert(1, title="Mount Everest", event_time=1_764_000_001.0)
    event = to_event(alert)
    assert event.key == b"enwiki:Mount Everest"
    assert dict(event.headers) == {
        "ce_specversion": b"1.0",
        "ce_id": alert.ce_id.encode(),
        "ce_source": b"urn:factwatch:enwiki",
        "ce_type": b"org.factwatch.edit.suspect",
        "ce_time": b"2025-11-24T16:00:01Z",
        "ce_subject": b"Mount Everest",
        "ce_dataschema": b"https://raw.githubusercontent.com/factwatch/factwatch/main/streams/schemas"
        b"/alert.v1.json",
        "ce_partitionkey": b"enwiki:Mount Everest",
        "ce_correlationid": alert.alert_id.encode(),
        "ce_severitytext": b"WARNING",
        "ce_severitynumber": b"13",
        "content-type": b"application/json",
    }
    assert msgspec.json.decode(event.value)["title"] == "Mount Everest"


def test_every_kind_goes_and_comes_back() -> None:
    for alert in a_day(1_764_000_000.0):
        event = to_event(alert)
        assert from_event(*event) == alert
        assert header(event, "ce_type") == f"org.factwatch.{alert.kind}"


def test_a_title_of_another_script_is_utf8_as_the_binding_says() -> None:
    event = to_event(sample_alert(1, title="جبل إيفرست 🏔"))
    assert event.key == "enwiki:جبل إيفرست 🏔".encode()
    assert header(event, "ce_subject") == "جبل إيفرست 🏔"


def test_what_no_cloudevents_string_may_hold_is_escaped_in_headers_only() -> None:
    alert = sample_alert(1, title="a\r\nce_id: forged\x00\x7f\x85\ufffe\U0010ffff 100% %")
    event = to_event(alert)
    assert header(event, "ce_subject") == (
        "a%0D%0Ace_id: forged%00%7F%C2%85%EF%BF%BE%F4%8F%BF%BF 100% %"
    )
    assert event.key == f"enwiki:{alert.title}".encode()
    assert from_event(*event).title == alert.title


@pytest.mark.parametrize("title", [HOSTILE_TITLE, "\n", "﷐", "%", "C:\\", "a" * 600, "𝔄" * 600])
def test_hostile_titles_come_back_whole(title: str) -> None:
    alert = sample_alert(1, title=title)
    assert from_event(*to_event(alert)) == alert


@given(TEXT, TEXT, TEXT)
def test_any_text_comes_back_and_headers_are_clean(title: str, performer: str, wiki: str) -> None:
    alert = sample_alert(1, title=title, performer=performer, wiki=wiki)
    event = to_event(alert)
    assert from_event(*event) == alert
    for _, raw in event.headers:
        assert raw
        assert not re.search(r"[\x00-\x1f\x7f-\x9f﷐-﷯￾￿]", raw.decode())
    assert re.fullmatch(r"urn:factwatch:[A-Za-z0-9._~%-]+", header(event, "ce_source"))


def test_the_same_alert_gives_the_same_bytes() -> None:
    assert to_event(sample_alert(5)) == to_event(sample_alert(5))


@pytest.mark.parametrize(
    ("time", "said"),
    [
        (0.0, "1970-01-01T00:00:00Z"),
        (1_764_000_000.0, "2025-11-24T16:00:00Z"),
        (1_764_000_000.25, "2025-11-24T16:00:00.250000Z"),
        (-1.0, "1969-12-31T23:59:59Z"),
    ],
)
def test_times_are_rfc3339(time: float, said: str) -> None:
    assert rfc3339(time) == said


def changed(event: KafkaEvent, **headers: bytes | None) -> KafkaEvent:
    """`headers` replace those there are; None takes one away."""
    names = {name.replace("content_type", "content-type"): value for name, value in headers.items()}
    kept = [(name, value) for name, value in event.headers if name not in names]
    new = [(name, value) for name, value in names.items() if value is not None]
    return event._replace(headers=kept + new)


EVENT = to_event(sample_alert(1))


def with_value(**fields: object) -> KafkaEvent:
    told = msgspec.json.decode(EVENT.value, type=dict[str, object])
    return EVENT._replace(value=msgspec.json.encode(told | fields))


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (EVENT._replace(headers=[]), "ce_specversion is missing"),
        (changed(EVENT, ce_id=None), "ce_id is missing"),
        (changed(EVENT, ce_id=b""), "ce_id is missing"),
        (changed(EVENT, ce_specversion=b"0.3"), "CloudEvents '0.3', not 1.0"),
        (changed(EVENT, content_type=b"application/cloudevents+json"), "content-type"),
        (changed(EVENT, content_type=None), "content-type is ''"),
        (changed(EVENT, ce_type=b"org.example.thing"), "not one of org.factwatch."),
        (changed(EVENT, ce_type=b"org.factwatch.page.contested"), "ce_type .* the value says"),
        (changed(EVENT, ce_id=b"another"), "ce_id is 'another', the value says"),
        (changed(EVENT, ce_source=b"urn:factwatch:dewiki"), "ce_source"),
        (changed(EVENT, ce_subject=b"\xff"), "not UTF-8"),
        (EVENT._replace(headers=[*EVENT.headers, ("ce_id", b"x")]), "there twice"),
        (EVENT._replace(value=b""), "has 0 bytes"),
        (EVENT._replace(value=b" " * (1 << 21)), "has 2097152 bytes"),
        (EVENT._replace(value=b"{"), "is no alert"),
        (EVENT._replace(value=b'{"alert_id":1}'), "is no alert"),
        (EVENT._replace(value=b"\xff"), "is no alert"),
        (with_value(kind="post.unheard"), "is no alert"),
        (with_value(event_time=1e300), "is no alert"),
        (EVENT._replace(key=b"enwiki:K2"), "key is not the page"),
    ],
)  # fmt: skip
def test_what_is_no_alert_is_refused_in_one_line(event: KafkaEvent, why: str) -> None:
    with pytest.raises(NotAnAlert, match=why) as refused:
        from_event(*event)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 400


def test_a_tombstone_is_no_alert() -> None:
    with pytest.raises(NotAnAlert, match="0 bytes"):
        from_event(EVENT.key, None, EVENT.headers)


def test_what_a_later_version_adds_is_passed_over() -> None:
    later = with_value(new_field={"x": 1})
    later.headers.extend([("ce_newextension", b"1"), ("traceparent", b"\xff")])
    assert from_event(*later) == sample_alert(1)
    told = changed(EVENT, content_type=b"application/json; charset=utf-8")
    assert from_event(None, told.value, told.headers) == sample_alert(1)


@given(st.binary(max_size=60), st.lists(st.tuples(st.text(max_size=12), st.binary(max_size=12))))
def test_any_bytes_give_an_alert_or_the_named_error(
    value: bytes, headers: list[tuple[str, bytes]]
) -> None:
    for given_headers in (headers, [*EVENT.headers, *headers]):
        with pytest.raises(NotAnAlert):
            from_event(None, value, given_headers)


def test_severity_is_told_in_the_numbers_of_the_extension() -> None:
    """INFO is 9 to 12, WARN 13 to 16, FATAL 21 to 24."""
    numbers = {
        severity: int(header(to_event(sample_alert(1, severity=severity)), "ce_severitynumber"))
        for severity in Severity
    }
    assert numbers == {Severity.INFO: 9, Severity.WARNING: 13, Severity.CRITICAL: 21}


def test_the_kinds_are_types_of_the_contract() -> None:
    contract = {"edit.suspect", "page.contested", "fact.corrected", "post.repeats", "fact.amplified"}
    assert {str(kind) for kind in AlertKind} <= contract
    assert isinstance(from_event(*EVENT), Alert)
