"""Why kafka-python could not connect: it says so to its log only, again and again, and raises a timeout."""

from __future__ import annotations

import logging
import re

_FAILED = re.compile(r"Bootstrap connection to \S+ failed: (.*?)(?: \(backoff [0-9.]+ secs\))?$")
#: Said once; while the broker then cuts what comes next, that is no news.
_TELLING = re.compile(r"Authentication failed.*|Handshake failed.*")


class Complaints(logging.Handler):
    """Keeps the most telling line of what was logged since it was last asked."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._why = ""

    def emit(self, record: logging.LogRecord) -> None:
        found = _FAILED.search(record.getMessage())
        if found is None:
            return
        telling = _TELLING.search(found[1])
        if telling is not None:
            self._why = telling[0]
        elif not _TELLING.match(self._why):
            self._why = found[1]

    def why(self) -> str:
        why, self._why = self._why, ""
        return why


COMPLAINTS = Complaints()


def listen(*, shown: bool) -> None:
    """For a command, once. `shown`: all of it goes to the log as well (level debug); otherwise only the
    reason is told, where we say that there is no broker."""
    if not shown:
        logging.getLogger("kafka").setLevel(logging.CRITICAL)
    connecting = logging.getLogger("kafka.net.manager")
    connecting.setLevel(logging.WARNING)
    connecting.propagate = shown
    connecting.addHandler(COMPLAINTS)
