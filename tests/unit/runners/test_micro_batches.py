"""A batch is bounded, and what was read before an error or a silence is in one."""

from __future__ import annotations

import queue
from collections.abc import Iterator

import pytest

from streams.errors import BadInput
from streams.runners import micro_batches
from streams.runners.micro_batches import Arrived, of_file, of_queue
from streams.sources.base import SourceItem
from tests.core_world import EditWorld, items_of_edits


def items(count: int) -> list[SourceItem]:
    return [SourceItem(str(number), b"{}") for number in range(count)]


def test_a_file_is_cut_after_so_many_items(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(micro_batches, "BATCH_ITEMS", 3)
    assert list(map(len, of_file(iter(items(7))))) == [3, 3, 1]
    assert [item for batch in of_file(iter(items(7))) for item in batch] == items(7)


def test_and_after_so_many_bytes_of_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(micro_batches, "BATCH_TEXT_BYTES", 1_000)
    world = EditWorld()
    for text in ("x" * 600, "y" * 600, "z" * 2_000, None):
        world.edit("Ann", text)
    assert list(map(len, of_file(iter(items_of_edits(world.records))))) == [2, 1, 1]


def test_what_was_read_before_damage_is_given_before_the_error() -> None:
    def torn() -> Iterator[SourceItem]:
        yield from items(2)
        raise BadInput("torn")

    batches = of_file(torn())
    assert next(batches) == items(2)
    with pytest.raises(BadInput, match="torn"):
        next(batches)


@pytest.mark.parametrize("wait_s", [0.0, 0.01])
def test_nothing_that_comes_in_time_is_an_empty_batch(wait_s: float) -> None:
    assert of_queue(queue.Queue(), wait_s) == []


def test_what_is_there_is_taken_together_and_no_more_than_a_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(micro_batches, "BATCH_ITEMS", 3)
    waiting: queue.Queue[Arrived] = queue.Queue()
    for item in items(4):
        waiting.put((item, 0.0))
    assert [item for item, _ in of_queue(waiting, 60.0)] == items(3)
    assert [item for item, _ in of_queue(waiting, 60.0)] == items(4)[3:]
