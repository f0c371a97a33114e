"""What a command says whose libraries are not installed: they come with an extra."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from streams.errors import FactwatchError

_KAFKA = ("kafka", "aiokafka", "faust", "rocksdict", "yarl", "zstandard", "cramjam")


@contextmanager
def kafka_extra() -> Iterator[None]:
    """Around the imports of a command that wants Kafka."""
    try:
        yield
    except ModuleNotFoundError as err:
        if (err.name or "").partition(".")[0] not in _KAFKA:
            raise  # our own mistake
        raise FactwatchError(
            f"this command wants Kafka's libraries ({err.name} is missing): pip install 'factwatch[kafka]'"
        ) from None
