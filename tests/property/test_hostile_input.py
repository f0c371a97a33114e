"""Invariant 1 for bytes of every kind: each record ends as processed, skipped or dead-lettered with its
bytes, the counters add up, and nothing raises."""

from __future__ import annotations

import gzip
import json
import random
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.reasons import SkipReason
from streams.sources.base import SourceItem
from streams.stages.normalize import MAX_EVENT_BYTES, Normalizer
from tests.conftest import data_directory
from tests.core_world import Core, EditWorld, ListSource, TouchyScorer, change, raw_of

OUTCOMES = {"processed", "dead_lettered", *(f"skipped_{reason}" for reason in SkipReason)}

#: Values that belong nowhere.
ODD: Sequence[Any] = (
    None, True, -1, 0, 2**31, 2**63, 2**64, 10**400, -(10**400), 1.5, -0.0, "", " ", "0", [], {}, [[]],
    {"a": {"b": {}}}, "\u202egnp.exe", "\u200f\u200e", "<script>alert(1)</script>", "../../etc/passwd",
    "two\nlines\r\n", "\x00", "\x1b[2J", "'; DROP TABLE edits;--", "{{}}", "%s%n{0}", "é" * 400,
    "x" * 3_000, "🏳️‍🌈", "\u2028", "~2026-1-2", "192.0.2.7", "::1%eth0", "a|b=c\x1f", "1970-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00+14:00", "2026-02-30T00:00:00Z", "mw-reverted",
)  # fmt: skip


def lines_of_2018() -> list[bytes]:
    path = data_directory() / "events" / "wikidata-recentchange-2018.jsonl.gz"
    if not path.is_file():
        return []
    return gzip.decompress(path.read_bytes()).splitlines()


@cache
def real_lines() -> tuple[bytes, ...]:
    """Real ones where they are at hand, and a made story with everything in it."""
    world = EditWorld(step_s=20.0)
    rng = random.Random(4)
    for number in range(300):
        edit = world.edit(f"Editor {rng.randint(0, 9)}", f"text {rng.randint(0, 3)}",
                          title=f"Page {rng.randint(0, 20)}")  # fmt: skip
        if number % 7 == 0:
            world.undo("Bob", edit)
        if number % 20 == 0:
            world.tag(edit)
            world.log(rng.choice(["protect", "delete"]), "delete", title=edit.title)
            world.log("move", "move", title=edit.title, target=f"Page {rng.randint(0, 25)}")
    return (*lines_of_2018()[:2_000], *(raw_of(record) for record in world.records))


def _places(body: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    if isinstance(body, dict):
        for name, value in body.items():
            found += _places(value, (*path, name))
    return found


def _put(body: Any, path: tuple[Any, ...], value: Any) -> None:
    for name in path[:-1]:
        body = body[name]
    body[path[-1]] = value


def odd_value(raw: bytes, rng: random.Random) -> bytes:
    body = json.loads(raw)
    for _ in range(rng.randint(1, 3)):
        path = rng.choice(_places(body))
        try:
            _put(body, path, rng.choice(ODD))
        except (KeyError, TypeError):
            continue
    return json.dumps(body, ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass")


def lost_field(raw: bytes, rng: random.Random) -> bytes:
    body = json.loads(raw)
    body.pop(rng.choice(list(body)))
    return json.dumps(body).encode()


def wrong_clock(raw: bytes, rng: random.Random) -> bytes:
    body = json.loads(raw)
    off = rng.choice([-(10**9), -(10**7), -86_400, 86_400, 10**7, 10**9, 10**12])
    if isinstance(body.get("timestamp"), int):
        body["timestamp"] += off
    if rng.random() < 0.5:
        body["meta"]["dt"] = f"{rng.choice([1, 1969, 2003, 2026, 2150, 9999]):04}-06-01T00:00:00Z"
    return json.dumps(body).encode()


def same_revision_elsewhere(raw: bytes, rng: random.Random) -> bytes:
    body = json.loads(raw)
    body["meta"]["id"] = f"{rng.getrandbits(64):x}"
    body["title"] = f"Page {rng.randint(0, 9)}"
    return json.dumps(body).encode()


def flipped(raw: bytes, rng: random.Random) -> bytes:
    mutable = bytearray(raw)
    for _ in range(rng.randint(1, 4)):
        mutable[rng.randrange(len(mutable))] = rng.randrange(256)
    return bytes(mutable)


def torn(raw: bytes, rng: random.Random) -> bytes:
    return raw[: rng.randrange(len(raw))]


def doubled(raw: bytes, rng: random.Random) -> bytes:
    return raw + raw[rng.randrange(len(raw)) :]


def unquoted(raw: bytes, rng: random.Random) -> bytes:
    return raw.replace(
        b'"timestamp": ', b'"timestamp": ' + rng.choice([b"NaN ", b"-", b"1e999", b"0x"]), 1
    )


def surrogates(raw: bytes, rng: random.Random) -> bytes:
    lone = rng.choice([b"\\ud800", b"\\udfff\\ud800", b"\xed\xa0\x80", b"\xff", b"\xc0\xaf"])
    return raw.replace(b'"title": "', b'"title": "' + lone, 1)


def nested(raw: bytes, rng: random.Random) -> bytes:
    depth = rng.choice([50, 5_000])
    return raw[:-1] + b', "log_params": ' + b'{"a":' * depth + b"1" + b"}" * depth + b"}"


def unchanged(raw: bytes, rng: random.Random) -> bytes:
    return raw


MUTATIONS: Sequence[Callable[[bytes, random.Random], bytes]] = (
    odd_value, odd_value, lost_field, wrong_clock, same_revision_elsewhere, flipped, torn, doubled,
    unquoted, surrogates, nested, unchanged,
)  # fmt: skip


def take_all(raws: Sequence[bytes], batch: int) -> None:
    with (
        tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as name,
        Core(Path(name), TouchyScorer()) as core,
    ):
        source = ListSource([SourceItem("", raw=raw) for raw in raws])
        runner = core.runner(source)
        runner.run_file()
        outcomes = core.outcomes()
        assert set(outcomes) <= OUTCOMES
        assert sum(outcomes.values()) == len(raws)
        assert runner.progress.outcomes == outcomes
        kept = core.store.query("SELECT raw, reason, stage FROM dead_letters")
        assert len(kept) == outcomes.get("dead_lettered", 0)
        given = set(raws)
        assert all(raw in given for raw, _, _ in kept)
        failed = [row for row in kept if row[1] == "stage_failed"]
        assert failed == []
        assert len({alert.ce_id for alert in core.alerts()}) == len(core.alerts())


@settings(max_examples=150)
@given(st.binary(max_size=300))
def test_any_bytes(raw: bytes) -> None:
    record = Normalizer()(raw)
    assert getattr(record, "raw", raw) == raw


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(ODD),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from([*change(), "rev_id", "database", "page_title", "tags", "log_type",
                                        "log_params", "log_id", "log_action"]), JSON, max_size=6))  # fmt: skip
def test_any_value_in_any_field(fields: dict[str, Any]) -> None:
    body = change() | fields
    raw = json.dumps(body).encode("utf-8", "surrogatepass")
    record = Normalizer()(raw)
    assert getattr(record, "raw", raw) == raw


def test_an_oversized_line() -> None:
    take_all([b"x" * (MAX_EVENT_BYTES + 1), raw_of(EditWorld().edit("Ann", "x"))], 10)


def test_a_hundred_thousand_mutated_events() -> None:
    rng = random.Random(20_261_124)
    lines = real_lines()
    raws = [rng.choice(MUTATIONS)(rng.choice(lines), rng) for _ in range(100_000)]
    take_all(raws, 1_024)
