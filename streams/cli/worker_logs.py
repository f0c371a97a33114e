"""What a worker's libraries may say: what an operator can use, once."""

from __future__ import annotations

import logging
import re

from streams.kafka.complaints import listen

#: aiokafka, Faust and the service library under it; Faust logs for our app by the app's module.
_LIBRARIES = ("aiokafka", "faust", "mode", "streams.kafka.faust_app", "asyncio")
#: Each of these is tried again: a new broker, a group that moves, a rebalance under way.
_PASSING = re.compile(
    r"GroupCoordinatorNotAvailableError|Heartbeat failed for group .* it is rebalancing"
    r"|Timer \w+ is overlapping"
)
#: An outage, as the parts of aiokafka see it: each tells of it, all the time.
_OUTAGE = re.compile(
    r"Unable connect|Unable to (?:update|request) metadata|Failed fetch messages|Error sending \w+ to node"
    r"|[Mm]arking (?:the )?coordinator dead|Heartbeat send request failed|Group Coordinator Request failed"
    r"|Cannot send|Could not send|LeaveGroup request failed"
    r"|is either not started or not valid|Failed to commit on finali[sz]ation"
)
#: So often an outage that goes on is told again.
_EVERY_S = 30.0


class _Outages(logging.Filter):
    """One line of an outage instead of many."""

    def __init__(self) -> None:
        super().__init__()
        self._told = float("-inf")

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith(("aiokafka", "mode.timers")):
            return True
        text = record.getMessage()
        if _PASSING.search(text):
            return False
        if not _OUTAGE.search(text):
            return True
        if record.created - self._told < _EVERY_S:
            return False
        self._told = record.created
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        record.name, record.args = "factwatch.kafka", ()
        record.msg = "Kafka does not answer, trying again: " + text
        return True


def quiet_libraries(level: str) -> None:
    """After `set_up_logging`. With level debug they say all that they have to say."""
    listen(shown=level == "debug")
    if level != "debug":
        for handler in logging.getLogger().handlers:
            handler.addFilter(_Outages())


def silence() -> None:
    """At the end, when something is given up that did not end in time."""
    for name in [*_LIBRARIES, *logging.root.manager.loggerDict]:
        if name.startswith(_LIBRARIES):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
