"""What `factwatch api` tells of itself: it serves what the archive holds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from streams import __version__
from streams.archive.database import ArchiveUnavailable
from streams.archive.reader import ArchiveReader
from streams.clock import Clock
from streams.sources.base import SourceStatus
from streams.web.status import Part, Status

#: The archive gives a sign of life every 10 s: after this it counts as down.
STALE_AFTER_S = 60.0
LOOK_EVERY_S = 1.0


class ArchiveStatus:
    """Implements `Health` and `StatusProvider`. Looks at the database at most once a second, whoever
    asks; a look takes 3 s at most."""

    def __init__(self, reader: ArchiveReader, clock: Clock, place: str, wikis: tuple[str, ...]) -> None:
        self._reader = reader
        self._clock = clock
        self._place = place
        self._wikis = wikis
        self._started = clock.now()
        self._lock = threading.Lock()
        self._looked_s = -LOOK_EVERY_S
        self._trouble = ""
        self._alerts_open: int | None = None
        self._last_write: float | None = None
        self.beside: dict[str, Callable[[], Part]] = {}
        """Further parts of the program, by name."""
        self.takes_verdicts = False

    def status(self) -> Status:
        self._look()
        return Status(
            version=__version__,
            started_time=self._started,
            now=self._clock.now(),
            source_name="archive",
            source=SourceStatus(
                "retrying" if self._trouble else "connected",
                self._trouble or f"alerts of {self._place}",
                self._last_write,
            ),
            stale_after_s=STALE_AFTER_S,
            alerts_open=self._alerts_open,
            wikis=self._wikis,
            takes_verdicts=self.takes_verdicts,
        )

    def parts(self) -> Mapping[str, Part]:
        """An archive that is behind is told, but what it holds can be read."""
        self._look()
        last = self._last_write
        silence = None if last is None else self._clock.now() - last
        parts = {"database": Part(not self._trouble, self._trouble or f"reads {self._place}")}
        if silence is not None and silence > STALE_AFTER_S:
            told = f"`factwatch archive` wrote nothing for {silence:.0f} s: is it running?"
            parts["archive"] = Part(False, told, needed=False)
        elif silence is not None:
            parts["archive"] = Part(True, "writes", needed=False)
        return parts | {name: part() for name, part in self.beside.items()}

    def _look(self) -> None:
        with self._lock:
            if time.monotonic() - self._looked_s < LOOK_EVERY_S:
                return
            try:
                self._alerts_open = self._reader.count_open()
                self._last_write = self._reader.last_write_time() or None
                self._trouble = ""
            except ArchiveUnavailable as err:
                self._trouble = str(err)
            self._looked_s = time.monotonic()
