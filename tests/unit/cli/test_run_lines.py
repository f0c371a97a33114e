"""What is said of a source that is lost: once, and so that a server's words can't do anything to a terminal."""

from __future__ import annotations

import threading

import pytest

from streams.cli import run_lines
from streams.cli.run_lines import tell_outages
from streams.sources.base import SourceStatus


class Told:
    """A source in these states, one a look; it is stopped with the last."""

    def __init__(self, *states: SourceStatus) -> None:
        self.stopping = threading.Event()
        self._states = list(states)

    def status(self) -> SourceStatus:
        state = self._states.pop(0)
        if not self._states:
            self.stopping.set()
        return state


def told(source: Told, capsys: pytest.CaptureFixture[str], **how: bool) -> list[str]:
    tell_outages(source, "eventstreams", source.stopping, **how)  # type: ignore[arg-type]  # only its status
    return capsys.readouterr().err.splitlines()


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_lines, "LOOK_EVERY_S", 0.0)


def test_what_a_source_says_of_an_outage_reaches_no_terminal_raw(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lost = SourceStatus("retrying", "503 \x1b]0;owned\x07\u202e")
    assert told(Told(lost), capsys) == [
        "eventstreams can't be reached: 503 \\u001b]0;owned\\u0007\\u202e",
        "  Trying again until it answers. Without a network, see it at work: make demo",
    ]


def test_each_outage_is_said_once_and_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    up, down = SourceStatus("connected", ""), SourceStatus("retrying", "refused")
    assert told(Told(up, up, down, down, up, up), capsys, main=False) == [
        "eventstreams: connected",
        "eventstreams can't be reached: refused",
        "  Trying again until it answers.",
        "eventstreams: connected again",
    ]
