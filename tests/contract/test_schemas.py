"""The committed JSON Schemas say what the records are, and a version of them only ever grows."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator, ValidationError

from streams.kafka.cloud_events import to_event
from streams.kafka.hot_facts import hot_facts_record
from streams.posts import PostsGone, encode_record
from streams.records import (
    ChangeType,
    FactChange,
    Label,
    LabelKind,
    PageStatus,
    PageStatusKind,
)
from streams.schemas import (
    ALERT,
    HOT_FACTS,
    LABEL,
    PAGE_STATUS,
    POST,
    VERDICT,
    WIRE,
    make_schema,
    render,
    schema_text,
    schema_uri,
)
from tests.amplify_world import FACT, T0, corrected_at, post
from tests.sample_alerts import a_day, resolved, sample_alert

#: Of v1, for good: (required, optional). A later v1 may add to the optional ones, nothing else.
FROZEN: dict[str, dict[str, tuple[str, str]]] = {
    ALERT: {
        "": (
            "alert_id ce_id kind status severity wiki server_name title namespace page_id rev_id parent_id"
            " performer performer_kind event_time episode_start summary",
            "comment revert_risk with_content model_version reasons fact_changes page_url diff_url"
            " last_good_rev_id last_good_url related evidence",
        ),
        "Reason": ("feature value contribution text", ""),
        "FactChange": (
            "fact_key change_type section before after",
            "before_values after_values",
        ),
    },
    LABEL: {
        "": (
            "wiki title rev_id label event_time labelled_time",
            "reverted_by evidence revert_risk model_risk alerted anonymous with_content seen",
        ),
        "SeenFeatures": ("weight model feature_set features", ""),
    },
    PAGE_STATUS: {
        "": (
            "wiki title status event_time alert_ids",
            "rev_ids last_good_rev_id last_good_url fact_changes",
        ),
    },
    HOT_FACTS: {
        "": ("wiki title facts", ""),
        "HotFact": (
            "hot_id alert_id kind wiki server_name title names fact rev_id since",
            "page_url last_good_rev_id last_good_url corrected_time expires",
        ),
    },
    POST: {
        "": ("", "post gone"),
        "Post": (
            "platform post_id author text event_time arrival_time",
            "language links reply_to repost_of quote_of reach url edited_time",
        ),
        "PostsGone": ("platform event_time arrival_time", "post_id author"),
    },
    VERDICT: {
        "": ("verdict_id alert_id wiki title verdict edits given_time", "given_by note"),
        "JudgedEdit": ("rev_id event_time", ""),
    },
}
FROZEN_SETS = {
    "AlertStatus": ["open", "resolved", "updated"],
    "Severity": ["critical", "info", "warning"],
    "PerformerKind": ["hidden", "ip", "registered", "temporary"],
    "LabelKind": ["kept", "reverted"],
    "PageStatusKind": ["contested", "suspect"],
    "Verdict": ["damaging", "good", "unsure"],
}


def committed(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = msgspec.json.decode(schema_text(name))
    return schema


def refused(name: str, value: object) -> bool:
    try:
        Draft202012Validator(committed(name)).validate(value)
    except ValidationError:
        return True
    return False


@pytest.mark.parametrize("name", WIRE)
def test_files_are_what_the_code_gives(name: str) -> None:
    assert schema_text(name) == render(make_schema(name)), "run `python -m streams.schemas`"


@pytest.mark.parametrize("name", WIRE)
def test_schemas_are_valid_named_and_described(name: str) -> None:
    schema = committed(name)
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == schema_uri(name)
    assert schema["title"] == WIRE[name].__name__
    assert schema["description"]
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_the_docstring_below_a_field_describes_it() -> None:
    described = committed(LABEL)["properties"]["label"]["description"]
    assert described.startswith("None takes an earlier label back")


@pytest.mark.parametrize("name", WIRE)
def test_v1_only_grows_by_optional_fields(name: str) -> None:
    schema = committed(name)
    for part, (required, optional) in FROZEN[name].items():
        now = schema["$defs"][part] if part else schema
        assert sorted(now.get("required", ())) == sorted(required.split()), part or name
        assert {*required.split(), *optional.split()} <= set(now["properties"]), part or name
        assert "additionalProperties" not in now  # a reader of an old schema takes new fields


@pytest.mark.parametrize("name", WIRE)
def test_closed_sets_stay_as_they_are_and_open_ones_are_no_enum(name: str) -> None:
    for part, definition in committed(name)["$defs"].items():
        if "enum" in definition:
            assert definition["enum"] == FROZEN_SETS[part]
    kinds = committed(ALERT)["$defs"]["AlertKind"]
    assert kinds["type"] == "string"
    assert "edit.suspect" in kinds["examples"]


def test_sample_alerts_as_sent_are_valid() -> None:
    validator = Draft202012Validator(committed(ALERT))
    alerts = [*a_day(1_764_000_000.0), resolved(sample_alert(9))]
    for alert in alerts:
        validator.validate(msgspec.json.decode(to_event(alert).value))


def test_labels_and_statuses_as_sent_are_valid() -> None:
    taken_back = Label(
        wiki="enwiki", title="K2", rev_id=5, label=None, event_time=1.0, labelled_time=2.0
    )
    given = msgspec.structs.replace(taken_back, label=LabelKind.REVERTED, revert_risk=0.5, reverted_by=6)
    status = PageStatus(
        wiki="enwiki",
        title="K2",
        status=PageStatusKind.SUSPECT,
        event_time=1.0,
        alert_ids=("a",),
        fact_changes=(
            FactChange(
                fact_key="k", change_type=ChangeType.NUMBER, section="", before="8611", after="8"
            ),
        ),
    )
    for name, record in ((LABEL, taken_back), (LABEL, given), (PAGE_STATUS, status)):
        Draft202012Validator(committed(name)).validate(msgspec.json.decode(msgspec.json.encode(record)))


def test_hot_facts_and_posts_as_sent_are_valid() -> None:
    fact = corrected_at(T0 + 60)
    sent = hot_facts_record("enwiki:Abraham Lincoln", (FACT, fact), 0).value or b""
    Draft202012Validator(committed(HOT_FACTS)).validate(msgspec.json.decode(sent))
    gone = PostsGone(platform="chat", author="a", event_time=1.0, arrival_time=2.0)
    for record in (post(1, T0, repost_of="p", edited_time=T0), gone):
        Draft202012Validator(committed(POST)).validate(msgspec.json.decode(encode_record(record)))


def test_what_breaks_a_consumer_is_not_valid() -> None:
    sent = msgspec.json.decode(to_event(sample_alert(1)).value, type=dict[str, Any])
    assert not refused(ALERT, sent)
    assert not refused(ALERT, sent | {"added_later": 1, "kind": "post.repeats"})
    assert refused(ALERT, {name: value for name, value in sent.items() if name != "rev_id"})
    assert refused(ALERT, sent | {"rev_id": "5"})
    assert refused(ALERT, sent | {"status": "reopened"})
