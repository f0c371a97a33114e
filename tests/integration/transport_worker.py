"""A worker that only writes down what it is given, as a program: `python -m tests.integration.transport_worker`.

Its file has a JSON line for all that happens, in order."""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from aiokafka import ConsumerRecord

from streams.kafka.faust_app import build_app, serve
from streams.kafka.security import Connection


class RecordingWork:
    """Implements `PartitionWork`. A bundle is durable when it is taken, after `pause_s`."""

    def __init__(
        self, write: Callable[[dict[str, Any]], None], pause_s: float = 0, poison: bytes | None = None
    ) -> None:
        self._write = write
        self._pause_s = pause_s
        self._poison = poison
        self.start_at: dict[tuple[str, int], int] = {}
        self.done: dict[tuple[str, int], int] = {}

    async def on_assigned(
        self, numbers: frozenset[int], kept: frozenset[int]
    ) -> Mapping[tuple[str, int], int]:
        self._write({"what": "assigned", "numbers": sorted(numbers), "kept": sorted(kept)})
        return self.start_at

    def on_standing_still(self) -> None:
        return

    async def on_revoked(self, numbers: frozenset[int]) -> None:
        self._write({"what": "revoked", "numbers": sorted(numbers)})
        self.done.clear()

    async def on_bundle(self, topic: str, partition: int, records: Sequence[ConsumerRecord]) -> None:
        bundle = {
            "topic": topic,
            "partition": partition,
            "offsets": [record.offset for record in records],
            "values": [record.value.decode() for record in records],
        }
        self._write({"what": "begun", **bundle})
        await asyncio.sleep(self._pause_s)
        if self._poison in [record.value for record in records]:
            raise ValueError("poison")
        self._write({"what": "done", **bundle})
        self.done[topic, partition] = records[-1].offset + 1

    def durable(self, topic: str, partition: int) -> int | None:
        return self.done.get((topic, partition))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("bootstrap")
    parser.add_argument("group")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--topics", required=True)
    parser.add_argument("--session", type=float, default=3.0)
    parser.add_argument("--pause", type=float, default=0.0)
    parser.add_argument("--poison", default="")
    asked = parser.parse_args()
    asked.directory.mkdir(parents=True, exist_ok=True)
    with (asked.directory / "lines").open("a", buffering=1) as lines:

        def write(line: dict[str, Any]) -> None:
            lines.write(json.dumps({"at": time.time(), **line}) + "\n")

        async def run() -> None:
            app = build_app(
                connection=Connection(bootstrap=(asked.bootstrap,)),
                group=asked.group,
                topics=asked.topics.split(","),
                data_dir=asked.directory / "data",
                work=RecordingWork(write, asked.pause, asked.poison.encode() or None),
                session_timeout_s=asked.session,
            )
            await serve(app)

        asyncio.run(run())


if __name__ == "__main__":
    main()
