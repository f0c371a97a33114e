"""What a page remembers of its words: how many stand on it, since when, how long they lived there
before, and how often reverts threw them out.

Kept as parallel arrays, so that a page's memory is written and read in tens of microseconds. It is a
function of the edits folded in, in their order, and of nothing else.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray

from streams.stages.tokens import count_words

CAPACITY = 8_000
"""Words remembered; an 80 KB article has about 4,000 different ones."""
GONE_FLOOR = 256
"""Words no longer on the page are kept up to as many as stand on it, and always this many."""
MAX_CHARS = 400_000
"""Text counted of a page first met, as much as a difference reads."""
BULK = 200
"""Words from which columns are changed in NumPy: a blanking of a large page, and its revert."""
MAX_S = 2**31 - 1
UNKNOWN = -1
"""Of `since`: the word stood there when the page was first met."""


class PackedWords(msgspec.Struct, array_like=True, gc=False):
    """A `WordMemory` as it is stored."""

    rev_id: int
    ordinal: int
    total: int
    from_creation: bool
    start_time: float
    words: str
    count: bytes
    since_rev: bytes
    since_s: bytes
    life_revs: bytes
    life_s: bytes
    thrown: bytes
    thrown_total: int
    present: int
    usual: int


class WordMemory:
    """Columns of one page's words, by index. Times are whole seconds since `start_time`; `revs` are
    counted in revisions folded."""

    __slots__ = (
        "count",
        "from_creation",
        "index",
        "life_revs",
        "life_s",
        "ordinal",
        "present",
        "rev_id",
        "since_rev",
        "since_s",
        "start_time",
        "thrown",
        "thrown_total",
        "total",
        "usual",
    )

    def __init__(self) -> None:
        self.rev_id = 0
        """The revision it stands at; 0: none yet."""
        self.ordinal = 0
        self.total = 0
        """Words on the page now."""
        self.present = 0
        """Different ones."""
        self.usual = 0
        """The same, falling slowly: a blanked page keeps its memory."""
        self.from_creation = False
        """False for a page first met when it already was: the ages of those words are not known."""
        self.start_time = 0.0
        self.thrown_total = 0
        """Words that reverts threw out, all told."""
        self.index: dict[str, int] = {}
        self.count = array("i")
        self.since_rev = array("i")
        self.since_s = array("i")
        self.life_revs = array("i")
        self.life_s = array("i")
        self.thrown = array("i")

    def stand_at(self, rev_id: int | None, text: str | None, event_time: float) -> None:
        """Make sure that it stands at the parent of the edit to come; where it does not, its words are
        counted anew from the parent's text. None: the page has no earlier revision."""
        if rev_id is None:
            if self.rev_id == 0:
                self.from_creation = True
                self.start_time = event_time
            return
        if rev_id == self.rev_id:
            return
        if self.rev_id == 0:
            self.start_time = event_time
        found = count_words((text or "")[:MAX_CHARS])
        gone = {
            word: self.count[at]
            for word, at in self.index.items()
            if self.count[at] and word not in found
        }
        self._remove(gone, event_time, threw_out=False)
        self._append([word for word in found if word not in self.index], 0, UNKNOWN, UNKNOWN)
        places, numbers = self._places(found)
        counts = np.frombuffer(self.count, dtype=np.intc)
        back = places[counts[places] == 0]
        np.frombuffer(self.since_rev, dtype=np.intc)[back] = UNKNOWN
        np.frombuffer(self.since_s, dtype=np.intc)[back] = UNKNOWN
        counts[places] = numbers
        self.total, self.present = int(numbers.sum()), len(places)
        del counts
        self.rev_id = rev_id
        self._bound()

    def advance(
        self,
        gained: Mapping[str, int],
        lost: Mapping[str, int],
        rev_id: int,
        event_time: float,
        *,
        reverts_others: bool,
        complete: bool = True,
    ) -> None:
        """Fold an edit in. `reverts_others`: it undid edits of somebody else, so what it took away was
        thrown out. Not `complete`: the difference is of a part, so the next edit counts anew."""
        self._remove(lost, event_time, threw_out=reverts_others)
        self.ordinal += 1
        self._add(gained, event_time)
        self.rev_id = rev_id if complete else UNKNOWN
        self._bound()

    def _seconds(self, event_time: float) -> int:
        return min(max(int(event_time - self.start_time), 0), MAX_S)

    def _add_one(self, word: str, n: int, since_rev: int, since_s: int) -> None:
        at = self.index.get(word)
        self.total += n
        self.present += 1
        if at is None:
            self._append([word], n, since_rev, since_s)
        else:
            self.count[at] = n
            self.since_rev[at] = since_rev
            self.since_s[at] = since_s

    def _append(self, words: list[str], n: int, since_rev: int, since_s: int) -> None:
        start, more = len(self.count), len(words)
        self.index.update(zip(words, range(start, start + more), strict=True))
        self.count.extend([n] * more)
        self.since_rev.extend([since_rev] * more)
        self.since_s.extend([since_s] * more)
        for column in (self.life_revs, self.life_s, self.thrown):
            column.frombytes(bytes(4 * more))

    def _add(self, gained: Mapping[str, int], event_time: float) -> None:
        now_s, ordinal = self._seconds(event_time), self.ordinal
        index, count = self.index, self.count
        if len(gained) < BULK:
            for word, n in gained.items():
                at = index.get(word)
                if at is not None and count[at]:
                    count[at] += n
                    self.total += n
                else:
                    self._add_one(word, n, ordinal, now_s)
            return
        self._append([word for word in gained if word not in index], 0, ordinal, now_s)
        places, numbers = self._places(gained)
        counts = np.frombuffer(self.count, dtype=np.intc)
        back = places[counts[places] == 0]
        np.frombuffer(self.since_rev, dtype=np.intc)[back] = ordinal
        np.frombuffer(self.since_s, dtype=np.intc)[back] = now_s
        counts[places] += numbers
        self.present += len(back)
        self.total += int(numbers.sum())

    def _remove(self, lost: Mapping[str, int], event_time: float, *, threw_out: bool) -> None:
        now_s, ordinal = self._seconds(event_time), self.ordinal
        if len(lost) >= BULK:
            self._remove_many(lost, now_s, threw_out=threw_out)
            return
        index, count = self.index, self.count
        since_rev, since_s = self.since_rev, self.since_s
        for word, n in lost.items():
            at = index.get(word)
            if at is None:
                continue
            here = count[at]
            self.total -= min(n, here)
            if here > n:
                count[at] = here - n
                continue
            if here:
                count[at] = 0
                self.present -= 1
                first, first_s = since_rev[at], since_s[at]
                if first == UNKNOWN:
                    first = first_s = 0
                self.life_revs[at] += ordinal + 1 - first
                self.life_s[at] = min(self.life_s[at] + max(now_s - first_s, 0), MAX_S)
                since_rev[at], since_s[at] = ordinal, now_s  # from now on: gone since
            if threw_out:
                self.thrown[at] += 1
                self.thrown_total += 1

    def _remove_many(self, lost: Mapping[str, int], now_s: int, *, threw_out: bool) -> None:
        places, numbers = self._places(lost)
        counts = np.frombuffer(self.count, dtype=np.intc)
        here = counts[places]
        self.total -= int(np.minimum(here, numbers).sum())
        counts[places] = np.maximum(here - numbers, 0)
        gone = places[(here <= numbers) & (here > 0)]
        since_rev = np.frombuffer(self.since_rev, dtype=np.intc)
        since_s = np.frombuffer(self.since_s, dtype=np.intc)
        life_s = np.frombuffer(self.life_s, dtype=np.intc)
        np.frombuffer(self.life_revs, dtype=np.intc)[gone] += (
            self.ordinal + 1 - np.maximum(since_rev[gone], 0)
        ).astype(np.intc)
        lived = life_s[gone].astype(np.int64) + np.maximum(now_s - np.maximum(since_s[gone], 0), 0)
        life_s[gone] = np.minimum(lived, MAX_S)
        since_rev[gone] = self.ordinal
        since_s[gone] = now_s
        self.present -= len(gone)
        if threw_out:
            out = places[here <= numbers]
            np.frombuffer(self.thrown, dtype=np.intc)[out] += 1
            self.thrown_total += len(out)

    def _places(self, changed: Mapping[str, int]) -> tuple[NDArray[np.intp], NDArray[np.intc]]:
        """Index and number of each word that is known."""
        index = self.index
        found = [(index[word], n) for word, n in changed.items() if word in index]
        both = np.array(found, dtype=np.int64).reshape(-1, 2)
        return both[:, 0], both[:, 1].astype(np.intc)

    def _bound(self) -> None:
        """Drop the words gone longest, those never thrown out first, once there are too many."""
        self.usual = max(self.present, self.usual - self.usual // 64 - 1)
        if len(self.count) <= min(CAPACITY, 2 * self.usual + 2 * GONE_FLOOR):
            return
        count, since_s, thrown = self.count, self.since_s, self.thrown
        names = list(self.index)
        keep = min(self.usual + max(self.usual, GONE_FLOOR), CAPACITY * 3 // 4)
        order = sorted(
            range(len(names)),
            key=lambda at: (
                count[at] == 0,
                thrown[at] == 0,
                -since_s[at] if count[at] == 0 else -count[at],
                names[at],
            ),
        )
        for at in order[keep:]:
            self.total -= count[at]
            self.present -= count[at] > 0
        kept = sorted(order[:keep])
        self.index = {names[at]: new for new, at in enumerate(kept)}
        for name in _COLUMNS:
            column = getattr(self, name)
            setattr(self, name, array("i", [column[at] for at in kept]))

    def pack(self) -> PackedWords:
        return PackedWords(
            rev_id=self.rev_id,
            ordinal=self.ordinal,
            total=self.total,
            from_creation=self.from_creation,
            start_time=self.start_time,
            words="\n".join(self.index),
            count=self.count.tobytes(),
            since_rev=self.since_rev.tobytes(),
            since_s=self.since_s.tobytes(),
            life_revs=self.life_revs.tobytes(),
            life_s=self.life_s.tobytes(),
            thrown=self.thrown.tobytes(),
            thrown_total=self.thrown_total,
            present=self.present,
            usual=self.usual,
        )

    @classmethod
    def unpack(cls, packed: PackedWords) -> WordMemory:
        memory = cls()
        memory.rev_id = packed.rev_id
        memory.ordinal = packed.ordinal
        memory.total = packed.total
        memory.from_creation = packed.from_creation
        memory.start_time = packed.start_time
        memory.thrown_total = packed.thrown_total
        memory.present = packed.present
        memory.usual = packed.usual
        names = packed.words.split("\n") if packed.words else []
        memory.index = dict(zip(names, range(len(names)), strict=True))
        for name in _COLUMNS:
            getattr(memory, name).frombytes(getattr(packed, name))
        return memory


_COLUMNS = ("count", "since_rev", "since_s", "life_revs", "life_s", "thrown")
