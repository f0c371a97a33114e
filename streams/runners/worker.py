"""A worker's share of the partitions: recovered from their changelogs when they are assigned, let go of
when they are revoked."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Sequence
from concurrent.futures import Executor

from streams.errors import FactwatchError
from streams.kafka.records import InRecord, header
from streams.kafka.transactions import Fenced
from streams.runners.dead_letter_limit import DeadLetterLimit
from streams.runners.partitions.task import Hop, Log, PartitionTask, Unit, WorkDone
from streams.runners.partitions.wire import Work
from streams.store.changelog import Change
from streams.store.partitions import PartitionFile
from streams.topics import DEAD_LETTERS, Header

log = logging.getLogger("factwatch.worker")

#: Changelog records taken over at once on recovery.
RECOVERED_AT_ONCE = 5_000
#: Who has taken a partition over from us was given it by the group, which will tell us too. If it does
#: not, nobody took it: our transaction took too long, and the partition stands still.
FENCED_GRACE_S = 30.0
_LIST_COMMAND = "factwatch dead-letters list --kafka"


class Worker:
    """All partitions that this process has at the moment, of all hops: partition n of one goes with
    partition n of the others."""

    def __init__(
        self,
        hops: Sequence[Hop],
        file: PartitionFile,
        log: Log,
        executor: Executor,
        done: WorkDone,
        *,
        dead_letter_limit: float = 1.0,
        fenced_grace_s: float = FENCED_GRACE_S,
    ) -> None:
        """`dead_letter_limit`: of what a hop took in lately, the share that stops this process."""
        self._hops = hops
        self._file = file
        self._log = log
        self._executor = executor
        self._told = done
        self._fenced_grace_s = fenced_grace_s
        # One each: in a common one another hop's records would hide what the first can't read.
        self._limits = {hop.name: DeadLetterLimit(dead_letter_limit, _LIST_COMMAND) for hop in hops}
        self._tasks: dict[tuple[str, int], tuple[PartitionTask, asyncio.Task[None]]] = {}
        self._hop_of = {topic: hop.name for hop in hops for topic in hop.reads}
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done, with its exception, when something went wrong that this process must not outlive."""

    @property
    def partitions(self) -> list[int]:
        """Those at work in all hops."""
        having = [{at for name, at in self._tasks if name == hop.name} for hop in self._hops]
        return sorted(set.intersection(*having))

    def units(self) -> dict[tuple[str, int], Unit]:
        return {place: task.unit for place, (task, _) in self._tasks.items()}

    async def assigned(self, partitions: Sequence[int]) -> dict[tuple[str, int], int]:
        """Recover what is not here yet; gives where each topic's partition is to be read from. Where that
        fails, `failed` says so, and this waits to be cancelled: the end of the process is orderly then."""
        try:
            return await self._take_over(partitions)
        except Exception as err:  # noqa: BLE001  # not swallowed: it ends this process
            self._fail(err)
        await asyncio.Event().wait()
        raise AssertionError

    async def _take_over(self, partitions: Sequence[int]) -> dict[tuple[str, int], int]:
        started = time.perf_counter()
        wanted = [
            (hop, partition)
            for partition in sorted(partitions)
            for hop in self._hops
            if (hop.name, partition) not in self._tasks
        ]
        recovered = await asyncio.gather(*(self._recover(hop, at) for hop, at in wanted))
        if wanted:
            log.info(
                "partitions %s: %d changelog records read in %.1f s",
                sorted({partition for _, partition in wanted}),
                sum(recovered),
                time.perf_counter() - started,
            )
        return {
            (topic, partition): self._tasks[hop.name, partition][0].unit.positions.get(topic, 0)
            for hop, partition in wanted
            for topic in hop.reads
        }

    async def _recover(self, hop: Hop, partition: int) -> int:
        # First the writer: from then on nobody else writes the changelog that is read next.
        writer = await self._log.writer(f"factwatch-{hop.name}-{partition}")
        loop = asyncio.get_running_loop()
        store = self._file.store(hop.name[:2], partition)
        read = 0

        async def take(changes: list[Change], offset: int) -> None:
            nonlocal read
            for at in range(0, len(changes), RECOVERED_AT_ONCE):
                piece = changes[at : at + RECOVERED_AT_ONCE]
                last = at + RECOVERED_AT_ONCE >= len(changes)
                await loop.run_in_executor(self._executor, store.apply, piece, offset if last else None)
            read += len(changes)

        end = await self._log.read(hop.changelog, partition, store.offset, take)
        if end < store.offset:
            log.warning("%s %d: Kafka has less than this disk: read anew", hop.changelog, partition)
            store.clear()
            await self._log.read(hop.changelog, partition, 0, take)
        unit = await loop.run_in_executor(self._executor, hop.make, partition, store)
        task = PartitionTask(hop, partition, unit, store, writer, self._executor, self._done)
        running = asyncio.create_task(task.work(), name=f"{hop.name}-{partition}")
        running.add_done_callback(self._ended)
        self._tasks[hop.name, partition] = (task, running)
        return read

    def _done(self, hop: str, partition: int, work: Work, seconds: float) -> None:
        """A unit of work is durable. What is raised here ends the partition's task."""
        self._told(hop, partition, work, seconds)
        dead = [record.headers for record in work.outputs if record.topic == DEAD_LETTERS.name]
        again = sum(1 for headers in dead if header(headers, Header.REQUEUED) is not None)
        self._limits[hop].add(sum(work.figures.outcomes.values()) - again, len(dead) - again)

    def _ended(self, running: asyncio.Task[None]) -> None:
        if running.cancelled():
            return
        err = running.exception()
        if isinstance(err, Fenced):
            log.warning("%s: another worker has it", running.get_name())
            running.get_loop().call_later(self._fenced_grace_s, self._still_ours, running, err)
        elif err is not None:
            self._fail(err)

    def _still_ours(self, ended: asyncio.Task[None], err: Fenced) -> None:
        if any(running is ended for _, running in self._tasks.values()):
            self._fail(err)

    def _fail(self, err: BaseException) -> None:
        if not self.failed.done():
            self.failed.set_exception(err)

    def look(self, hop: str) -> None:
        """What partitions of this hop may wait for has come from elsewhere."""
        for (name, _), (task, _) in self._tasks.items():
            if name == hop:
                task.look()

    def fail(self, err: BaseException) -> None:
        """Something beside the partitions went wrong that this process must not outlive."""
        self._fail(err)

    async def take(self, topic: str, partition: int, records: Sequence[InRecord]) -> None:
        """Records of an assigned partition, in order. Returns when there is room for more."""
        found = self._tasks.get((self._hop_of[topic], partition))
        if found is None or found[1].done() or self.failed.done():
            return
        try:
            await found[0].take(topic, records)
        except Exception as err:  # noqa: BLE001  # not swallowed: it ends this process
            self._fail(err)

    def durable(self, topic: str, partition: int) -> int | None:
        """Offset before which everything has been worked on durably; None where nothing has."""
        found = self._tasks.get((self._hop_of[topic], partition))
        return found[0].durable(topic) if found is not None else None

    def release(self) -> None:
        """Nobody waits for room any more: what they brought will be read again."""
        for task, _ in self._tasks.values():
            task.release()

    async def revoked(self, partitions: Sequence[int]) -> None:
        """Finish what is under way there, and let go."""
        leaving = [place for place in self._tasks if place[1] in partitions]
        for place in leaving:
            self._tasks[place][0].stop()
        await asyncio.gather(*(self._let_go(place) for place in leaving))

    async def _let_go(self, place: tuple[str, int]) -> None:
        task, running = self._tasks.pop(place)
        await asyncio.wait([running])
        with contextlib.suppress(FactwatchError, OSError):
            await task.close()

    async def close(self) -> None:
        await self.revoked([partition for _, partition in self._tasks])
