"""What all page partitions counted of each wiki's own edits, as a worker process holds it: the topic of own
edits, followed from its beginning. A day is closed when every partition has told of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import msgspec

from models.own_calibration import NO_SHIFT, Cells, OwnHistory, Shift
from streams.errors import StoreCorrupt
from streams.kafka.records import InRecord, OutRecord
from streams.runners.own_counts import WIKIS, dense, sparse
from streams.runners.partitions.wire import OwnPart, OwnSums, decode_own, encode
from streams.topics import OWN_EDITS

SUMS_KEY = b"sums"


class OwnSumsReplica:
    """One thread's, with the page partitions that it shifts the scores of. `take` from the beginning."""

    def __init__(
        self, model: str, partitions: int, slowest: Callable[[], float] = lambda: -math.inf
    ) -> None:
        """`model`: the version whose scores count; parts of another close a day, and tell nothing of it.
        `slowest`: event time up to which all page partitions have worked, as far as it is known here."""
        self.model = model
        self.slowest = slowest
        self._told = dict.fromkeys(range(partitions), -1)
        self._parts: dict[bytes, int] = {}
        """Those in the topic, by key, with the last day of each."""
        self._summed = -1
        """Day of the sums in the topic. They may come behind parts of later days."""
        self._sent = -1
        self._since: dict[str, dict[int, Cells]] = {}
        """By wiki and day: what was told of days since."""
        self._now: dict[str, OwnHistory] = {}
        """By wiki: the same with the sums, up to the day that is closed."""
        self.closed = -1
        """Last day (since 1970) of which all is known."""
        self.complete = False
        """What the topic held when this process started is here."""

    def take(self, partition: int, records: Sequence[InRecord]) -> None:
        """In the order of their offsets. Raises `StoreCorrupt`."""
        for record in records:
            key = record.key or b""
            if record.value is None:
                self._parts.pop(key, None)
                continue
            told = _read(record.value)
            if isinstance(told, OwnPart):
                self._parts[key] = told.until
                self._take_part(told)
            else:
                self._take_sums(told)

    def shift(self, today: int, wiki: str) -> Shift:
        """For edits met on `today`: by the days that are closed."""
        history = self._now.get(wiki)
        return history.by_past(today) if history is not None else NO_SHIFT

    @property
    def worth_summing(self) -> bool:
        """A day was closed since the sums in the topic, and since those that are on their way there."""
        return self.complete and self.closed > max(self._summed, self._sent)

    def summed(self) -> list[OutRecord]:
        """The sums up to the day that is closed, and the parts that they take the place of deleted."""
        wikis = {wiki: sparse(one.past) for wiki, one in self._now.items() if one.past.any()}
        sums = encode(OwnSums(self.closed, self.model, wikis))
        self._sent = self.closed
        spent = [key for key, until in self._parts.items() if until <= self.closed]
        return [_record(SUMS_KEY, sums), *(_record(key, None) for key in spent)]

    def _take_part(self, part: OwnPart) -> None:
        before = self._told.get(part.partition)
        if before is None or part.until <= before:
            return
        self._told[part.partition] = part.until
        if part.model == self.model:
            for day, wiki, counts in part.days:
                if before < day <= part.until and self._has_room(wiki):
                    cells = dense(counts, wiki)
                    self._now[wiki].day(day)[:] += cells
                    days = self._since[wiki]
                    days[day] = days[day] + cells if day in days else cells
        self._close(min(self._told.values()))

    def _take_sums(self, sums: OwnSums) -> None:
        if sums.day < self._summed:
            return
        self._summed = sums.day
        for days in self._since.values():
            for day in [day for day in days if day <= sums.day]:
                del days[day]
        if sums.model == self.model:
            pasts = {
                wiki: dense(past, wiki) for wiki, past in sums.wikis.items() if self._has_room(wiki)
            }
            for wiki, days in self._since.items():
                since = {day: cells.copy() for day, cells in days.items()}
                self._now[wiki] = OwnHistory(pasts.get(wiki), since)
                self._now[wiki].close(self.closed)
        self._close(sums.day)

    def _close(self, day: int) -> None:
        if day > self.closed:
            self.closed = day
            for history in self._now.values():
                history.close(day)

    def _has_room(self, wiki: str) -> bool:
        if wiki not in self._now:
            if len(self._now) >= WIKIS:
                return False
            self._since[wiki], self._now[wiki] = {}, OwnHistory()
        return True


def part_record(part: OwnPart) -> OutRecord:
    return _record(b"%d:%d" % (part.partition, part.until), encode(part))


def _record(key: bytes, value: bytes | None) -> OutRecord:
    return OutRecord(OWN_EDITS.name, 0, key, value, [])


def _read(value: bytes) -> OwnPart | OwnSums:
    try:
        found: OwnPart | OwnSums = decode_own(value)
    except (msgspec.DecodeError, TypeError) as err:
        raise StoreCorrupt(
            f"what was counted of own edits can't be read ({err}): written by a newer version?"
        ) from err
    return found
