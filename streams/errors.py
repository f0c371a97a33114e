"""What can go wrong, named. Messages are one line and say what to do."""

from __future__ import annotations


class FactwatchError(Exception):
    """Base of every error that a command prints as one line, without a traceback."""

    exit_code = 1


class BadSetting(FactwatchError):
    """A setting can't be used. The line names it."""

    exit_code = 2


class BadInput(FactwatchError):
    """A file that was named can't be read as what it should be."""

    exit_code = 3


class SourceUnavailable(FactwatchError):
    """A source can't be reached now; trying again may help."""

    exit_code = 4

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class BrokerUnavailable(SourceUnavailable):
    """No Kafka broker can be used now; trying again may help."""


class NoTopics(FactwatchError):
    """The topics are missing, or not as they should be: `factwatch topics create` tells."""


class Fenced(FactwatchError):
    """Another process has taken over what this one did."""


class StoreCorrupt(FactwatchError):
    """Our own state can't be read: loud, never repaired silently."""

    exit_code = 5


class BadArtifact(FactwatchError):
    """The model file is not what its manifest says."""

    exit_code = 6


class ChampionStays(FactwatchError):
    """A model that was trained anew may be worse than the one in use."""

    exit_code = 11


class TooManyDeadLetters(FactwatchError):
    """A share of dead letters above the limit: better loud than drained."""

    exit_code = 7
