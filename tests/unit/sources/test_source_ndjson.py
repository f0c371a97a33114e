from __future__ import annotations

import bz2
import gzip
import lzma
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from streams.errors import BadInput
from streams.sources.base import SourceItem
from streams.sources.ndjson import KEPT_BYTES, NdjsonSource

LINES = [b'{"n":%d,"x":"%s"}' % (number, b"y" * (number % 400)) for number in range(3_000)]
PACK: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
}


def write(tmp_path: Path, data: bytes, name: str = "changes.ndjson") -> Path:
    path = tmp_path / name
    path.write_bytes(data)
    return path


def read(path: Path, cursor: str | None = None, **options: int) -> list[SourceItem]:
    """Without the signs of life among them."""
    return [item for item in NdjsonSource(path, **options).items(cursor) if item.raw is not None]


@pytest.mark.parametrize("ending", PACK)
def test_every_line_comes_once_and_in_order(tmp_path: Path, ending: str) -> None:
    path = write(tmp_path, PACK[ending](b"\n".join(LINES) + b"\n"), "changes.ndjson" + ending)
    assert [item.raw for item in read(path)] == LINES


@pytest.mark.parametrize("ending", PACK)
def test_a_resume_goes_on_exactly_after_its_cursor(tmp_path: Path, ending: str) -> None:
    path = write(tmp_path, PACK[ending](b"\r\n".join(LINES)), "changes.ndjson" + ending)
    items = read(path)
    for at in (0, 1, 1_499, 2_998, 2_999):
        assert read(path, items[at].cursor) == items[at + 1 :]


def test_several_packed_streams_and_padding_are_one_file(tmp_path: Path) -> None:
    for ending, pack in PACK.items():
        packed = b"".join(pack(line + b"\n") for line in LINES[:20])
        path = write(tmp_path, packed + (b"\0" * 8 if ending == ".xz" else b""), "many" + ending)
        assert [item.raw for item in read(path)] == LINES[:20]


def test_blank_lines_marks_and_sse_fields_are_passed_over(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        b"\xef\xbb\xbf"
        b'{"a":1}\n\n  \n:heartbeat\nevent: message\nid: [{"topic":"x"}]\ndata: {"b":2}\r\n\r\ndata:{"c":3}\n'
        b'retry: 5\n  {"d":4}\nnot json\n',
    )
    assert [item.raw for item in read(path)] == [
        b'{"a":1}',
        b'{"b":2}',
        b'{"c":3}',
        b'{"d":4}',
        b"not json",
    ]


@pytest.mark.parametrize("end", [b"\n", b""])
@pytest.mark.parametrize("size", [1_000_001, 5_000_000])
def test_an_oversized_line_comes_as_its_beginning_and_the_rest_is_skipped(
    tmp_path: Path, size: int, end: bytes
) -> None:
    tail = b'\n{"b":2}\n' if end else b""
    path = write(tmp_path, b'{"a":1}\n' + b'{"x":"' + b"y" * (size - 6) + tail)
    items = read(path, max_bytes=1_000_000)
    assert [item.too_large for item in items] == [False, True, False][: 3 if end else 2]
    large = items[1]
    assert large.raw is not None
    assert len(large.raw) == KEPT_BYTES
    assert large.raw.startswith(b'{"x":"yyy')
    assert read(path, large.cursor, max_bytes=1_000_000) == items[2:]
    assert read(path, items[0].cursor, max_bytes=1_000_000) == items[1:]


def test_a_line_of_exactly_the_bound_is_whole(tmp_path: Path) -> None:
    line = b'{"' + b"x" * 998
    items = read(write(tmp_path, line + b"\n" + line + b"y\n"), max_bytes=1_000)
    assert [(item.raw, item.too_large) for item in items] == [(line, False), (line + b"y", True)]


@pytest.mark.parametrize("ending", [".gz", ".bz2", ".xz"])
def test_damage_is_said_after_everything_before_it(tmp_path: Path, ending: str) -> None:
    packed = PACK[ending](b"\n".join(LINES[:50]) + b"\n") + PACK[ending](b'{"late":1}\n')
    path = write(tmp_path, packed[:-7], "cut.ndjson" + ending)
    found: list[SourceItem] = []
    with pytest.raises(BadInput) as caught:
        found.extend(NdjsonSource(path).items(None))  # keeps what came before the error
    assert [item.raw for item in found[:50]] == LINES[:50]
    assert re.search(r"cut\.ndjson.*damaged after [0-9,]+ unpacked bytes: .", str(caught.value))
    assert "\n" not in str(caught.value)


def test_something_else_after_the_packed_data_is_damage(tmp_path: Path) -> None:
    path = write(tmp_path, gzip.compress(b'{"a":1}\n') + b"rubbish", "a.ndjson.gz")
    items = NdjsonSource(path).items(None)
    assert next(items).raw == b'{"a":1}'
    with pytest.raises(BadInput, match="something else follows"):
        next(items)


@pytest.mark.parametrize(
    ("cursor", "says"),
    [("1:2:3", "no place"), ("x", "no place"), ("999:3", "shorter than where it was left")],
)
def test_a_cursor_of_something_else_is_refused(tmp_path: Path, cursor: str, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        read(write(tmp_path, b'{"a":1}\n'), cursor)


def test_standard_input_is_read_as_it_comes_and_ends_on_close() -> None:
    program = (
        "import sys, threading\n"
        "from streams.sources.ndjson import NdjsonSource\n"
        "source = NdjsonSource('-')\n"
        "for item in source.items('99:9'):\n"
        "    print(item.cursor, item.raw.decode(), flush=True)\n"
        "    if b'last' in item.raw:\n"
        "        threading.Timer(0.1, source.close).start()\n"
        "print(source.status().state, source.status().position)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path.cwd()
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(b'{"a":1}\n')
        child.stdin.flush()
        assert child.stdout.readline() == b'8:1 {"a":1}\n'
        child.stdin.write(b'{"last":1}\n{"half')
        child.stdin.flush()
        assert child.stdout.readline() == b'19:2 {"last":1}\n'
        assert child.stdout.readline() == b"closed None\n"
        child.stdin.close()


def test_close_ends_a_read_that_waits_for_a_pipe(tmp_path: Path) -> None:
    fifo = tmp_path / "changes.ndjson"
    os.mkfifo(fifo)
    source = NdjsonSource(fifo)
    reading = threading.Thread(target=lambda: list(source.items(None)))
    reading.start()
    with fifo.open("wb"):
        source.close()
        reading.join(30)
        assert not reading.is_alive()


def test_status_tells_the_share_of_the_file_read(tmp_path: Path) -> None:
    source = NdjsonSource(write(tmp_path, b"\n".join(LINES * 5)))
    assert (source.status().state, source.status().position) == ("connecting", 0.0)
    items = source.items(None)
    next(items)
    position = source.status().position
    assert position is not None
    assert 0 < position < 1
    assert sum(1 for _ in items) == 5 * len(LINES) - 1
    assert (source.status().state, source.status().position) == ("ended", 1.0)


def test_an_empty_file_has_no_items(tmp_path: Path) -> None:
    assert read(write(tmp_path, b"")) == []
    assert read(write(tmp_path, gzip.compress(b""), "a.ndjson.gz")) == []
