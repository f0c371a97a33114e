"""Files are read by who works on them, in between; what is waited for by a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.errors import BadInput
from streams.runners.posts import lanes
from streams.runners.posts.lanes import Lane
from streams.sources.base import SourceItem
from streams.sources.ndjson import PIECE_BYTES, NdjsonSource
from tests.core_world import ListSource


def a_file(directory: Path, count: int) -> Path:
    file = directory / "posts.ndjson"
    file.write_bytes(b"".join(b'{"n":%d}\n' % n for n in range(count)))
    return file


def raws(items: list[SourceItem]) -> list[bytes | None]:
    return [item.raw for item in items]


def test_a_file_is_read_without_a_thread_as_far_as_it_is_asked_for(tmp_path: Path) -> None:
    before = threading.active_count()
    lane = Lane(NdjsonSource(a_file(tmp_path, 7)))
    lane.open(None, threading.Event())
    assert threading.active_count() == before
    assert lane.has_items
    first = lane.take(3)
    assert raws(first) == [b'{"n":%d}' % n for n in range(3)]
    assert lane.has_items
    assert not lane.done
    assert raws(lane.take(4)) == [b'{"n":%d}' % n for n in range(3, 7)]
    assert lane.take(4) == []
    assert not lane.has_items
    assert lane.done
    lane.close()

    again = Lane(NdjsonSource(tmp_path / "posts.ndjson"))
    again.open(first[-1].cursor, threading.Event())
    assert raws(again.take(1)) == [b'{"n":3}']
    again.close()
    assert again.take(9) == [], "closed before its end"


def test_large_items_of_a_file_wait_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "QUEUE_BYTES", 20)
    lane = Lane(NdjsonSource(a_file(tmp_path, 50)))
    lane.open(None, threading.Event())
    assert len(lane.take(50)) == 3
    for _ in range(20):
        assert lane.take(50) == [], "what was taken is held still"
    assert len(lane.items) <= 3
    lane.held = 0
    assert len(lane.take(50)) == 3
    lane.close()


def test_a_file_of_nothing_does_not_keep_the_others_waiting(tmp_path: Path) -> None:
    """Blank lines, then a line without an end: each look ends after one piece."""
    file = tmp_path / "posts.ndjson"
    file.write_bytes(b"\n" * (4 * PIECE_BYTES) + b'{"n":1}\n' + b"x" * (8 * PIECE_BYTES))
    lane = Lane(NdjsonSource(file, max_bytes=PIECE_BYTES))
    lane.open(None, threading.Event())
    signs = lane.take(1_000)
    assert raws(signs) == [None]
    assert int(signs[0].cursor.split(":")[0]) <= 2 * PIECE_BYTES
    lane.close()

    resumed = Lane(NdjsonSource(file, max_bytes=PIECE_BYTES))
    resumed.open(signs[0].cursor, threading.Event())
    looks = 0
    while not resumed.done:
        signs += resumed.take(1_000)
        looks += 1
    assert looks > 8
    assert [item.raw[:9] for item in signs if item.raw is not None] == [b'{"n":1}', b"x" * 9]
    assert signs[-1].too_large
    before_the_large_one = f"{4 * PIECE_BYTES + 8}:{4 * PIECE_BYTES + 1}"
    assert {item.cursor for item in signs[-5:-1]} == {before_the_large_one}
    resumed.close()


class Damaged(NdjsonSource):
    def items(self, cursor: str | None) -> Iterator[SourceItem]:
        yield from super().items(cursor)
        raise BadInput("damaged")


def test_what_stands_before_the_damage_comes_out_before_it_is_told(tmp_path: Path) -> None:
    lane = Lane(Damaged(a_file(tmp_path, 2)))
    lane.open(None, threading.Event())
    assert len(lane.take(9)) == 2
    assert not lane.done
    with pytest.raises(BadInput, match="damaged"):
        lane.take(9)
    assert not lane.done, "it did not come to its end"


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    lane = Lane(NdjsonSource(tmp_path / "none.ndjson"))
    lane.open(None, threading.Event())
    if lane._thread is not None:
        lane._thread.join(timeout=30)
    with pytest.raises(BadInput, match=r"none\.ndjson"):
        lane.take(1)


def test_a_source_that_is_waited_for_has_a_thread() -> None:
    lane = Lane(ListSource([SourceItem("", raw=b"{}")] * 3, "mastodon"))
    lane.open(None, threading.Event())
    assert lane._thread is not None
    lane.join()
    assert len(lane.take(9)) == 3
    assert lane.done
    lane.close()
