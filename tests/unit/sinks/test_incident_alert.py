"""What Alertmanager is told of an incident: an identity that nothing hostile gets into, and bounded text."""

from __future__ import annotations

import math
from datetime import datetime

import msgspec
import pytest

from streams.incidents import IncidentKind
from streams.records import Severity
from streams.sinks.incident_alert import (
    annotations_of,
    identity_of,
    labels_of,
    link,
    postable,
    rfc3339_ms,
)
from tests.pager_world import PUBLIC_URL, incident, over
from tests.sample_alerts import HOSTILE_TITLE

AT = 1_764_000_000.0


def seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def test_labels_are_what_the_incident_is_and_nothing_else() -> None:
    assert labels_of(incident()) == {
        "alertname": "PageContested",
        "service": "factwatch",
        "kind": "page.contested",
        "wiki": "enwiki",
        "page_key": incident().key,
        "severity": "critical",
    }
    burst = labels_of(incident(kind=IncidentKind.PERFORMER_BURST))
    assert burst["alertname"] == "PerformerBurst"
    assert "page_key" not in burst
    assert burst["performer_key"] == incident().key


def test_what_changes_changes_no_identity() -> None:
    first = incident()
    grown = msgspec.structs.replace(
        first, changed=AT + 500, alert_ids=("a", "b"), alerts_total=2, summary="other", held_back=True
    )
    assert identity_of(grown) == identity_of(first) == identity_of(over(first))
    for other in (
        incident(2),
        incident(kind=IncidentKind.FACT_AMPLIFIED),
        incident(severity=Severity.WARNING),
        incident(wiki="dewiki"),
    ):
        assert identity_of(other) != identity_of(first)


def test_a_hostile_name_gets_into_no_label() -> None:
    labels = labels_of(incident(wiki=HOSTILE_TITLE, key=HOSTILE_TITLE))
    assert labels["wiki"] == "other"
    assert len(labels["page_key"]) == 16
    assert labels["page_key"].isalnum()
    assert labels_of(incident(key="\ud800"))["page_key"].isalnum()


def test_annotations_are_bounded_and_hold_no_control_or_direction_characters() -> None:
    hostile = incident(
        summary=HOSTILE_TITLE * 50,
        description="\n".join([HOSTILE_TITLE.replace("\n", "\r") * 50] * 50),
        alert_ids=tuple(f"{n:032x}" for n in range(50)),
        page_url="javascript:alert(1)",
        diff_url='https://en.wikipedia.org/"><script>',
        last_good_url="https://en.wikipedia.org/w/index.php?oldid=1" + "0" * 3_000,
        outcome="\x1b[31m\ud800",
    )
    annotations = annotations_of(hostile, PUBLIC_URL)
    text = msgspec.json.encode(annotations).decode()  # no lone surrogate is left
    assert len(text) < 80_000
    assert not any(bad in value for value in annotations.values() for bad in "\u202e\r\x1b\x00")
    assert "\n" not in annotations["summary"]
    assert annotations["alert_ids"].count(",") == 49
    assert not {"page_url", "diff_url", "last_good_url"} & set(annotations)


@pytest.mark.parametrize(
    ("wrote", "told"),
    [("{{cite web|{{x}}}}", "{ {cite web|{ {x}}}}"), ("{{{1}}}", "{ { {1}}}"), ("{a} {", "{a} {")],
)
def test_what_a_stranger_wrote_is_no_template(wrote: str, told: str) -> None:
    """Alertmanager 0.33 reads details for PagerDuty as templates twice: one that is none is an error, and
    the page never arrives."""
    annotations = annotations_of(incident(summary=wrote, description=wrote, outcome=wrote), PUBLIC_URL)
    assert [annotations[name] for name in ("summary", "description", "outcome")] == [told] * 3


@pytest.mark.parametrize(
    "url",
    [
        "",
        "javascript:alert(1)",
        "ftp://x/",
        "https://",
        "https://[",
        "https://x/ y",
        "https://x/<y>|z",
        "//x/",
    ],
)
def test_what_is_no_address_is_no_link(url: str) -> None:
    assert link(url) == ""


def test_a_page_and_a_change_on_a_wiki_are_links() -> None:
    for url in (
        "https://en.wikipedia.org/wiki/Mount_Everest",
        "https://en.wikipedia.org/w/index.php?diff=1&oldid=2",
        "https://de.wikipedia.org/wiki/M%C3%BCnchen_(Film)",
        "http://[::1]:8080/wiki/X",
    ):
        assert link(url) == url


def test_it_ends_some_minutes_from_now_while_it_fires_and_when_it_ended_once_it_is_over() -> None:
    now = AT + 600
    firing = postable(incident(), PUBLIC_URL, now, 240.0)
    assert (seconds(firing.starts_at), seconds(firing.ends_at)) == (AT, now + 240)
    ended = postable(over(incident(), after_s=60), PUBLIC_URL, now, 240.0)
    assert (seconds(ended.starts_at), seconds(ended.ends_at)) == (AT, AT + 60)


def test_a_wiki_whose_clock_is_ahead_gives_no_end_to_come_and_none_before_the_beginning() -> None:
    now = AT - 3_600
    ended = postable(over(incident()), PUBLIC_URL, now, 240.0)
    assert seconds(ended.starts_at) == seconds(ended.ends_at) == now
    early = postable(over(incident(), after_s=-500), PUBLIC_URL, AT + 600, 240.0)
    assert seconds(early.starts_at) <= seconds(early.ends_at) <= AT + 600


@pytest.mark.parametrize("time", [math.inf, math.nan, 1e300, -1e300])
def test_a_time_that_no_calendar_has_is_no_error(time: float) -> None:
    assert rfc3339_ms(time) == "1970-01-01T00:00:00.000Z"


def test_without_an_address_of_the_page_there_is_no_link_to_it() -> None:
    assert "triage_url" not in annotations_of(incident(), "")
    assert annotations_of(incident(), f"{PUBLIC_URL}/fw/")["triage_url"] == (
        f"{PUBLIC_URL}/fw/#alert={1:032x}"
    )
