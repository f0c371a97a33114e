"""A check of `factwatch doctor`: one line, in bounded time, whatever is on the other side."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future

import msgspec

from streams.errors import FactwatchError

#: Of a check that asks others, in all.
DEADLINE_S = 5.0
#: Of one connection or answer: shorter, so that what failed can be said.
ANSWER_S = 3.0
MOST_CLOCK_SKEW_S = 30.0


class Check(msgspec.Struct, frozen=True):
    name: str
    ok: bool
    detail: str
    """What was found; of a failure also the way out."""


class Trouble(Exception):
    """What is wrong, and the way out, on one line."""


class Clocks:
    """How far others' clocks were ahead of ours, as the checks came by them."""

    def __init__(self) -> None:
        self._ahead_s: dict[str, float] = {}

    def note(self, whose: str, ahead_s: float) -> None:
        self._ahead_s[whose] = ahead_s

    def compared(self) -> str:
        """Raises `Trouble`. Which of two clocks is right is not for us to know."""
        wrong = {who: s for who, s in self._ahead_s.items() if abs(s) > MOST_CLOCK_SKEW_S}
        if wrong:
            told = ", ".join(
                f"{abs(s):,.0f} s {'behind' if s > 0 else 'ahead of'} {who}" for who, s in wrong.items()
            )
            raise Trouble(f"this machine's clock is {told}: set it, or theirs (NTP)")
        if not self._ahead_s:
            return "not compared: nobody else's clock was told"
        most = max(map(abs, self._ahead_s.values()))
        return f"within {most:.0f} s of {', '.join(self._ahead_s)}"


def checked(name: str, check: Callable[[], str]) -> Check:
    """Never raises for what is wrong with the machine or the network."""
    try:
        return Check(name, True, check())
    except (Trouble, FactwatchError, OSError, ValueError) as err:
        return Check(name, False, str(err) or type(err).__name__)


def asked(name: str, check: Callable[[], str]) -> Check:
    """As `checked`, of somebody who may not answer: given up after `DEADLINE_S`."""
    answer: Future[Check] = Future()

    def ask() -> None:
        try:
            answer.set_result(checked(name, check))
        except BaseException as err:  # handed to the thread that waits
            answer.set_exception(err)
            raise

    # Not one that is waited for at the end.
    threading.Thread(target=ask, name=f"doctor-{name}", daemon=True).start()
    try:
        return answer.result(DEADLINE_S)
    except TimeoutError:
        return Check(
            name, False, f"no answer within {DEADLINE_S:.0f} s: is it up, is a firewall between?"
        )
