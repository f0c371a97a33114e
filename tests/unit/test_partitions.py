"""What belongs together meets in one partition."""

from __future__ import annotations

import string

import pytest

from streams.partitions import (
    key_bytes,
    partition_of_bytes,
    partition_of_page,
    partition_of_performer,
    place_in_changes,
    places_in_edits,
)
from streams.records import Edit, LogEvent, TagsChange
from streams.stages.normalize import Normalizer
from streams.topics import CHANGES, CURSORS, EDITS, PAGE_STATE, TOPICS, Topic
from tests.core_world import raw_change


def record(**fields: object) -> Edit | LogEvent | TagsChange:
    found = Normalizer()(raw_change(**fields))
    assert isinstance(found, Edit | LogEvent | TagsChange)
    return found


def test_an_address_is_where_its_network_is() -> None:
    places = {
        partition_of_performer("enwiki", f"198.51.{n}.{n}", 12, is_address=True) for n in range(100)
    }
    assert len(places) == 1
    names = {partition_of_performer("enwiki", f"Ann {n}", 12, is_address=False) for n in range(100)}
    assert names == set(range(12))


def test_an_edit_and_its_performer_are_placed_by_their_keys() -> None:
    edit = record(wiki="dewiki", title="Turm", user="Ann")
    assert place_in_changes(edit, 12) == (
        "dewiki:Ann",
        partition_of_performer("dewiki", "Ann", 12, is_address=False),
    )
    assert places_in_edits(edit, 12) == [("dewiki:Turm", partition_of_page("dewiki", "Turm", 12))]


def test_a_move_is_told_to_both_titles_once_each() -> None:
    seen = set()
    for target in string.ascii_uppercase:
        move = record(
            type="log", log_type="move", title="Tower", log_params={"target": target}, revision=None
        )
        places = places_in_edits(move, 3)
        assert places[0] == ("enwiki:Tower", partition_of_page("enwiki", "Tower", 3))
        partitions = [partition for _, partition in places]
        assert partition_of_page("enwiki", target, 3) in partitions
        assert len(set(partitions)) == len(partitions)
        seen.add(len(places))
    assert seen == {1, 2}


def test_the_same_bytes_meet_and_others_spread() -> None:
    assert partition_of_bytes(b"x", 7) == partition_of_bytes(b"x", 7)
    assert {partition_of_bytes(bytes([n]), 7) for n in range(200)} == set(range(7))


def test_a_key_may_hold_half_a_character() -> None:
    assert key_bytes("enwiki:\ud800") == b"enwiki:\xed\xa0\x80"


def test_names_of_topics_are_a_contract() -> None:
    assert sorted(topic.name for topic in TOPICS) == [
        "factwatch.alerts.v1",
        "factwatch.changes.v1",
        "factwatch.cursors.v1",
        "factwatch.dead-letters.v1",
        "factwatch.edits.v1",
        "factwatch.feedback.v1",
        "factwatch.hot-facts.v1",
        "factwatch.labels.v1",
        "factwatch.matches.v1",
        "factwatch.own-edits.v1",
        "factwatch.page-state.v1",
        "factwatch.page-status.v1",
        "factwatch.performer-state.v1",
        "factwatch.performers.v1",
        "factwatch.post-state.v1",
        "factwatch.posts-gone.v1",
        "factwatch.posts.v1",
        "factwatch.spreads.v1",
        "factwatch.verdicts.v1",
    ]


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_a_topic_is_either_compacted_or_deleted(topic: Topic) -> None:
    config = topic.config
    assert ("retention.ms" in config) == (config["cleanup.policy"] == "delete")
    assert ("min.compaction.lag.ms" in config) == (config["cleanup.policy"] == "compact")


def test_what_is_large_has_room() -> None:
    assert int(CHANGES.config["max.message.bytes"]) > 1 << 20 < int(EDITS.config["max.message.bytes"])
    assert int(PAGE_STATE.config["max.message.bytes"]) == 8 << 20
    assert CURSORS.config["cleanup.policy"] == "compact"
