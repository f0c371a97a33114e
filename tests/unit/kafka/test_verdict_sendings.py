"""A verdict goes where the alerts of its page are."""

from __future__ import annotations

import msgspec

from streams.kafka.cloud_events import to_event
from streams.kafka.verdicts import verdict_sendings
from streams.partitions import partition_of_page
from streams.records import EditsVerdict, Verdict
from streams.topics import VERDICTS
from tests.archive_world import said
from tests.sample_alerts import HOSTILE_TITLE, sample_alert


def test_it_has_the_key_of_the_alert_and_a_partition_by_the_page() -> None:
    places = set()
    for title in (HOSTILE_TITLE, *(f"Page {number}" for number in range(40))):
        verdict = said("1", Verdict.GOOD, 5, 6, title=title)
        (sending,) = verdict_sendings([verdict], 7)
        assert sending.topic == VERDICTS.name
        assert sending.key == to_event(sample_alert(1, title=title)).key
        assert sending.partition == partition_of_page("enwiki", title, 7)
        assert msgspec.json.decode(sending.value or b"", type=EditsVerdict) == verdict
        places.add(sending.partition)
    assert places == set(range(7))
