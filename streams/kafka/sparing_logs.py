"""A broker that is away makes its clients say so many times a second: once in a while is enough."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

_EVERY_S = 30.0
#: Texts remembered. Some have numbers in them, and so are new each time.
_MOST = 500
_LIBRARIES = ("aiokafka", "faust", "mode", "streams.kafka")


class Sparing(logging.Filter):
    """Lets a text of a logger through once in `every_s` seconds, whatever its arguments."""

    def __init__(self, every_s: float = _EVERY_S) -> None:
        super().__init__()
        self._every_s = every_s
        self._said: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        text = (record.name, str(record.msg))
        if record.created - self._said.get(text, float("-inf")) < self._every_s:
            return False
        if len(self._said) >= _MOST:
            self._said.clear()
        self._said[text] = record.created
        return True


@contextmanager
def sparing_logs() -> Iterator[None]:
    """For the loggers that the Kafka libraries have made by now."""
    filter_ = Sparing()
    names = [name for name in logging.root.manager.loggerDict if name.startswith(_LIBRARIES)]
    for name in names:
        logging.getLogger(name).addFilter(filter_)
    try:
        yield
    finally:
        for name in names:
            logging.getLogger(name).removeFilter(filter_)
