"""`factwatch dead-letters … --kafka`, on a real Kafka with a real worker.

What a worker can't read stays so, whatever is done: that it goes the whole way again is seen by the new
dead letter. What is sent back and can be read is an event that was worked on before, with a dead letter
written for it as a broken stage would have: both hops have its id, and must take it all the same. That a
mended stage then processes it: `tests/unit/runners/test_dead_letters_sent_back.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer

from streams.reasons import DeadReason, Stage
from streams.records import DeadLetter
from streams.runners.partitions.dead import dead_letter_of
from streams.topics import CHANGES, EDITS, Header
from tests.benchmarks.events import recent_changes
from tests.integration.kafka_records import make_topics_anew
from tests.integration.test_topics import factwatch
from tests.kafka_world import Process, Topics, run_to_end, wait_until

POISON = [
    b'{"meta": {}, "x": "\x1b[2J\xe2\x80\xaegnp.exe 0:99 fake',
    b"\xff\xfe not text",
    b'{"no meta": 1}',
]
GOOD = 20


class World:
    """A worker that has worked on `GOOD` events with `POISON` among them."""

    def __init__(self, kafka: str, directory: Path) -> None:
        self.kafka = kafka
        self.topics = Topics(kafka)
        self.environ = {
            "FACTWATCH_KAFKA_BOOTSTRAP": kafka,
            "FACTWATCH_WIKIS": "*",
            "FACTWATCH_CONTENT": "false",
            "FACTWATCH_DEAD_LETTER_LIMIT": "1",
            "FACTWATCH_FEEDBACK_DELAY_S": "36000",
            "FACTWATCH_DATA_DIR": str(directory / "worker"),
        }
        file = directory / "changes.ndjson"
        lines = list(recent_changes(GOOD, seed=4))
        lines[7:7] = POISON
        file.write_bytes(b"\n".join(lines) + b"\n")
        make_topics_anew(kafka, 3)
        self.worker = Process(["worker"], self.environ, directory / "worker.log")
        run_to_end(
            ["ingest", "changes", "--source", str(file)], self.environ, directory / "ingest.log", 60
        )
        self.until_dead(len(POISON))
        self.until_forwarded(GOOD)

    def until_dead(self, count: int) -> None:
        wait_until(lambda: len(self.topics.dead_letters()) >= count, 90, self.worker.told)

    def until_forwarded(self, count: int) -> None:
        """Through both hops."""
        wait_until(lambda: sum(self.topics.outcomes()[1].values()) >= count, 90, self.worker.told)

    def letters(self, *arguments: str) -> list[dict[str, Any]]:
        done = factwatch(self.kafka, "dead-letters", "list", "--kafka", "--json", *arguments)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def dead_letters(self, *arguments: str) -> tuple[int, str, str]:
        done = factwatch(self.kafka, "dead-letters", *arguments)
        return done.returncode, done.stdout, done.stderr


@pytest.fixture
def world(kafka: str, tmp_path: Path) -> Iterator[World]:
    world = World(kafka, tmp_path)
    try:
        yield world
        assert world.worker.stop(within_s=10) == 0, world.worker.told()
    finally:
        if world.worker.running:
            world.worker.kill()


def test_they_are_seen_and_shown_and_break_no_terminal(world: World) -> None:
    letters = world.letters()
    assert len(letters) == len(POISON)
    assert {letter["reason"] for letter in letters} == {"not_json", "invalid_utf8", "schema"}
    assert all(letter["position"].startswith("factwatch.changes.v1:") for letter in letters)
    assert [letter["time"] for letter in letters] == sorted(
        (one["time"] for one in letters), reverse=True
    )
    assert world.letters("--limit", "1") == letters[:1]

    code, listed, said = world.dead_letters("list", "--kafka")
    assert (code, said) == (0, "the newest 3 dead letters\n")
    assert sorted(line.split()[0] for line in listed.splitlines()) == sorted(
        one["id"] for one in letters
    )

    hostile = next(letter for letter in letters if letter["reason"] == "not_json")
    _, shown, _ = world.dead_letters("show", "--kafka", hostile["id"])
    assert "factwatch.error.reason  not_json" in shown
    assert "\\u001b[2J\\u202egnp.exe" in shown
    assert not {"\x1b", "\u202e"} & set(listed + shown)
    code, raw, _ = world.dead_letters("show", "--kafka", "--raw", hostile["id"])
    assert raw.encode() == POISON[0]


def test_what_fails_again_is_a_new_dead_letter(world: World) -> None:
    letters = world.letters()
    first = next(letter for letter in letters if letter["reason"] == "schema")
    code, _, said = world.dead_letters("requeue", "--kafka", first["id"], "0:99999")
    assert (code, said) == (0, "1 of those ids: not there\n1 sent back\n")
    world.until_dead(4)
    (again,) = (letter for letter in world.letters() if letter["requeued"])
    assert (again["reason"], again["raw"]) == ("schema", first["raw"])
    assert again["position"] != first["position"]

    code, _, said = world.dead_letters("requeue", "--kafka", "--reason", "not_json")
    assert (code, said) == (0, "1 sent back\n")
    world.until_dead(5)
    code, _, said = world.dead_letters("requeue", "--kafka", "--all")
    assert (code, said) == (0, "3 sent back\n"), "what failed again stands beside its first dead letter"
    world.until_dead(8)
    for record in world.topics.records(CHANGES.name):
        names = [name for name, _ in record.headers]
        if Header.REQUEUED in names:
            assert names == [Header.REQUEUED]
    code, _, said = world.dead_letters("requeue", "--kafka", "2:99999")
    assert code == 3
    assert "nothing was sent back" in said


def test_what_can_be_read_goes_through_both_hops_though_they_have_seen_it(world: World) -> None:
    record = world.topics.records(EDITS.name)[0]
    assert record.value is not None
    dead = DeadLetter(record.value, DeadReason.STAGE_FAILED, Stage.SCORE, "RuntimeError: x", "0:0")
    letter = dead_letter_of(record, dead, 3)
    producer = KafkaProducer(bootstrap_servers=world.kafka)
    producer.send(
        letter.topic, letter.value, letter.key, list(letter.headers), partition=letter.partition
    ).get(timeout=10)
    producer.close()

    code, _, said = world.dead_letters("requeue", "--kafka", "--reason", "stage_failed")
    assert (code, said) == (0, "1 sent back\n")
    world.until_forwarded(GOOD + 1)
    first, second = world.topics.outcomes()
    assert first["forwarded"] == GOOD + 1
    assert second.get("skipped_stale") == 1, second  # it was taken, and its revision is known
    assert "skipped_duplicate" not in first | second
    (sent,) = (r for r in world.topics.records(CHANGES.name) if (Header.REQUEUED, b"1") in r.headers)
    originals = [r for r in world.topics.records(CHANGES.name) if r.value == record.value]
    assert {(r.partition, r.key) for r in originals} == {(sent.partition, sent.key)}


def test_a_broker_that_is_away_is_one_line() -> None:
    for arguments in (["list"], ["requeue", "--all"]):
        done = factwatch("127.0.0.1:1", "dead-letters", *arguments, "--kafka")
        assert done.returncode == 4
        assert done.stderr.startswith("factwatch: no Kafka broker can be used at 127.0.0.1:1")
        assert done.stderr.count("\n") == 1
