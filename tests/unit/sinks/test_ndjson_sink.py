"""Whatever kills the program: the file's lines are the log's, each once."""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from streams.errors import BadInput
from streams.sinks.alert_json import alert_json
from streams.sinks.ndjson import NdjsonSink, NdjsonWriteFailed
from tests.memory_alerts import MemoryAlerts
from tests.sample_alerts import HOSTILE_TITLE, sample_alert


@pytest.fixture
def alerts() -> MemoryAlerts:
    return with_alerts(5)


def with_alerts(count: int, first: int = 1) -> MemoryAlerts:
    alerts = MemoryAlerts()
    alerts.commit(*(sample_alert(n, title=HOSTILE_TITLE) for n in range(first, first + count)))
    return alerts


def whole(alerts: MemoryAlerts) -> bytes:
    return b"".join(alert_json(stored) + b"\n" for stored in alerts.log(0, 10**6))


def write(path: Path, alerts: MemoryAlerts) -> int:
    sink = NdjsonSink(path, alerts)
    try:
        return sink.write_new()
    finally:
        sink.close()


def test_each_state_change_is_one_line_with_its_seq(tmp_path: Path, alerts: MemoryAlerts) -> None:
    path = tmp_path / "alerts.ndjson"
    sink = NdjsonSink(path, alerts)
    assert sink.write_new() == 5
    assert sink.write_new() == 0
    alerts.commit(sample_alert(6))
    assert sink.write_new() == 1
    sink.close()
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["seq"] for line in lines] == [1, 2, 3, 4, 5, 6]
    assert lines[0]["title"] == HOSTILE_TITLE
    assert path.read_bytes() == whole(alerts)


def test_a_file_cut_anywhere_is_mended(tmp_path: Path) -> None:
    """Invariants 2 and 3: a kill leaves some first bytes of the file, however many."""
    alerts = with_alerts(3)
    path = tmp_path / "alerts.ndjson"
    ends = [offset + 1 for offset, byte in enumerate(whole(alerts)) if byte == ord("\n")]
    near_ends = {end + step for end in ends for step in (-2, -1, 0, 1) if end + step <= ends[-1]}
    for length in sorted({*range(0, ends[-1], 13), *near_ends}):
        path.write_bytes(whole(alerts)[:length])
        write(path, alerts)
        assert path.read_bytes() == whole(alerts), f"cut at {length}"


def test_a_tail_that_the_log_does_not_have_goes_too(tmp_path: Path, alerts: MemoryAlerts) -> None:
    """Pages that a power cut left as zeros, say."""
    path = tmp_path / "alerts.ndjson"
    path.write_bytes(whole(alerts) + b"\0" * 5000)
    assert write(path, alerts) == 0
    assert path.read_bytes() == whole(alerts)


def test_a_last_line_longer_than_a_block_is_found(tmp_path: Path) -> None:
    alerts = MemoryAlerts()
    alerts.commit(sample_alert(1), sample_alert(2, comment="x" * 200_000), sample_alert(3))
    path = tmp_path / "alerts.ndjson"
    first_two = len(b"".join(alert_json(stored) + b"\n" for stored in alerts.log(0, 2)))
    for length in (first_two, first_two - 1, first_two - 70_000):
        path.write_bytes(whole(alerts)[:length])
        write(path, alerts)
        assert path.read_bytes() == whole(alerts)


WRITER = """
import sys
from pathlib import Path
from streams.sinks import ndjson
from tests.unit.sinks.test_ndjson_sink import with_alerts
ndjson.BATCH = 7
print("ready", flush=True)
ndjson.NdjsonSink(Path(sys.argv[1]), with_alerts(2000)).write_new()
"""


def test_a_writer_killed_at_random_loses_and_repeats_nothing(tmp_path: Path) -> None:
    alerts = with_alerts(2000)
    path = tmp_path / "alerts.ndjson"
    chance = random.Random(20261124)
    for _ in range(5):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        writer.stdout.readline()
        try:
            writer.wait(chance.uniform(0.01, 0.15))
        except subprocess.TimeoutExpired:
            writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        if path.exists():
            lines = path.read_bytes()
            assert whole(alerts).startswith(lines)
    write(path, alerts)
    assert path.read_bytes() == whole(alerts)


@pytest.mark.parametrize("line", [b"not json\n", b"{}\n", b'{"seq":"1"}\n', b"\n", b"\xff\xfe\n"])
def test_a_file_of_another_kind_is_left_alone(tmp_path: Path, alerts: MemoryAlerts, line: bytes) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(b"first\n" + line)
    with pytest.raises(BadInput, match="no alert of ours"):
        NdjsonSink(path, alerts)
    assert path.read_bytes() == b"first\n" + line


@pytest.mark.parametrize("other", [with_alerts(9), with_alerts(3, first=100)])
def test_a_file_of_another_store_is_left_alone(
    tmp_path: Path, alerts: MemoryAlerts, other: MemoryAlerts
) -> None:
    path = tmp_path / "alerts.ndjson"
    path.write_bytes(whole(other))
    with pytest.raises(BadInput, match="alerts of another store"):
        NdjsonSink(path, alerts)
    assert path.read_bytes() == whole(other)


def test_two_writers_of_one_file_are_refused(tmp_path: Path, alerts: MemoryAlerts) -> None:
    first = NdjsonSink(tmp_path / "alerts.ndjson", alerts)
    with pytest.raises(BadInput, match="another factwatch"):
        NdjsonSink(tmp_path / "alerts.ndjson", alerts)
    first.close()
    assert write(tmp_path / "alerts.ndjson", alerts) == 5


def test_a_folder_that_is_not_there_is_told(tmp_path: Path, alerts: MemoryAlerts) -> None:
    with pytest.raises(BadInput, match="No such file or directory"):
        NdjsonSink(tmp_path / "none" / "alerts.ndjson", alerts)


def test_a_full_disk_is_one_line_and_loses_nothing(tmp_path: Path, alerts: MemoryAlerts) -> None:
    path = tmp_path / "alerts.ndjson"
    sink = NdjsonSink(path, alerts)
    sink.write_new()
    alerts.commit(*(sample_alert(number) for number in range(6, 9)))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 100, hard))
    try:
        with pytest.raises(NdjsonWriteFailed) as caught:
            sink.write_new()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "\n" not in str(caught.value)
    assert "Make room" in str(caught.value)
    assert path.read_bytes() == whole(with_alerts(5))
    assert sink.write_new() == 3
    sink.close()
    assert path.read_bytes() == whole(alerts)


def test_the_lines_are_durable_before_write_new_returns(
    tmp_path: Path, alerts: MemoryAlerts, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = NdjsonSink(tmp_path / "alerts.ndjson", alerts)
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda file: synced.append(os.fstat(file).st_size))
    sink.write_new()
    sink.close()
    assert synced == [len(whole(alerts))]
